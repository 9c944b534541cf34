"""Live runs → gauges: what is open at this moment. Label sets of what is over vanish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from aftershock.model import Run, Spent, StepKind
from aftershock.policy.prices import spent_with, window_of
from aftershock.rules.budget_exceeded import amounts, seconds_of
from aftershock.rules.context_pressure import newest_inferences
from aftershock_collector.engine.run_judge import RunJudge
from aftershock_collector.export.label_sets import HOME, OTHER, SETS_MAX, Home, cut, home_of

Rows = dict[tuple[str, ...], float]  # labels → value

NS = 1e9
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "agent_runs_open": ("Runs that are not over", ()),
    "agent_silent_seconds": ("Longest silence of an open run", ()),
    "agent_budget_used_ratio": ("Highest use of a budget by an open run", ("budget",)),
    "agent_context_window_used_ratio": ("Fullest context window of an open run", ("model",)),
    "agent_approvals_waiting": ("Approvals that nobody has answered", ()),
    "findings_open": ("Findings that are open", ("kind", "level")),
    "impact_probability": ("That an agent's action degraded an entity", ("tool", "entity")),
}


class Use(NamedTuple):
    """What a run's steps say, until there are new ones."""

    mark: tuple[int, int | None]  # how many steps there were, and when it was last heard
    spent: Spent
    windows: tuple[tuple[str, float], ...]  # model, how full its context window is
    waiting: int  # approvals that nobody has answered


class AgentGauges(Collector):
    """Computed at each `update`; a scrape, on any thread, reads the newest values."""

    def __init__(self) -> None:
        self._stock: dict[str, Rows] = {}
        self._uses: dict[str, Use] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as Prometheus wants them."""
        stock = self._stock
        for name, (says, labels) in GAUGES.items():
            family = GaugeMetricFamily(f"aftershock_{name}", says, labels=(*HOME, *labels))
            for values, value in stock.get(name, {}).items():
                family.add_metric(values, value)
            yield family

    def update(self, memories: Iterable[RunJudge], now_ns: int) -> None:
        """Compute every gauge from the judges of the live runs."""
        stock: dict[str, Rows] = {name: {} for name in GAUGES}
        uses: dict[str, Use] = {}
        for memory in memories:
            window = memory.window
            home = home_of(window.agent, window.service, window.environment)
            _set_findings(stock, memory, home)
            if window.ended_at_ns is None and memory.finished_at_ns is None:
                use = _use_of(memory, self._uses.get(window.run_id))
                uses[window.run_id] = use
                _set_run(stock, memory, home, use, now_ns)
        self._uses = uses
        self._stock = stock


def _set_findings(stock: dict[str, Rows], memory: RunJudge, home: Home) -> None:
    for claim in memory.reported.values():
        finding = claim.finding
        if claim.closing is not None:
            continue
        _add(stock["findings_open"], (*home, finding.kind, finding.level), 1)
        impact = finding.impact
        if impact is not None and impact.probability is not None:
            labels = (*home, impact.tool, impact.entity)
            _raise(stock["impact_probability"], labels, impact.probability)


def _set_run(stock: dict[str, Rows], memory: RunJudge, home: Home, use: Use, now_ns: int) -> None:
    window, local_ns = memory.window, now_ns - memory.clock_ns
    _add(stock["agent_runs_open"], home, 1)
    _add(stock["agent_approvals_waiting"], home, use.waiting)
    if window.received_at_ns is not None:
        silent_s = max(0, local_ns - window.received_at_ns) / NS
        _raise(stock["agent_silent_seconds"], home, silent_s)
    for model, share in use.windows:
        _raise(stock["agent_context_window_used_ratio"], (*home, model), share)
    run = Run(window.run_id, (), local_ns, began_at_ns=window.began_at_ns)
    for name, used, most, _ in amounts(memory.limits.budget, use.spent, seconds_of(run)):
        if most:
            _raise(stock["agent_budget_used_ratio"], (*home, name), used / most)


def _use_of(memory: RunJudge, known: Use | None) -> Use:
    window, limits = memory.window, memory.limits
    mark = len(window), window.received_at_ns
    if known is not None and known.mark == mark:
        return known
    run = window.whole(window.received_at_ns or 0)
    spent = run.dropped_spent
    for step in run.steps:
        spent = spent_with(spent, step, limits)
    windows: list[tuple[str, float]] = []
    for step in newest_inferences(run):
        most = window_of(step.name, limits)
        if most and step.tokens is not None:
            windows.append((step.name, step.tokens.input / most))
    asked = (step for step in run.steps if step.kind is StepKind.APPROVAL)
    waiting = sum(step.ended_at_ns is None for step in asked)
    return Use(mark, spent, tuple(windows), waiting)


def _add(rows: Rows, labels: tuple[str, ...], value: float) -> None:
    labels = _room(rows, labels)
    rows[labels] = rows.get(labels, 0.0) + value


def _raise(rows: Rows, labels: tuple[str, ...], value: float) -> None:
    labels = _room(rows, labels)
    rows[labels] = max(rows.get(labels, 0.0), value)


def _room(rows: Rows, labels: tuple[str, ...]) -> tuple[str, ...]:
    """As many label sets as there is room for; the others share one."""
    labels = tuple(map(cut, labels))
    full = len(rows) >= SETS_MAX and labels not in rows
    return (OTHER,) * len(labels) if full else labels
