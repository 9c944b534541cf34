"""Steps and findings → Prometheus metrics: what agents did, what it cost, what was found.

Steps are counted when they end. Ids are never labels: they ride as exemplars.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections import OrderedDict
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

from aftershock.model import Claim, Level, Report, Spent, Step, StepKind
from aftershock.policy.policy import Policy, limits_for
from aftershock.policy.prices import COUNTED, cost_of, spent_with
from aftershock.rules import RULES, kinds_of
from aftershock_collector.export.first_seen import WindowOf
from aftershock_collector.export.label_sets import (
    HOME,
    UNKNOWN,
    Bounded,
    Home,
    exemplar_of,
    home_of,
)

# Calls last from a millisecond (a cache) to minutes (a deploy that is waited for).
SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0)
# While one of these stands at level alarm, what its run does is wasted.
WASTING = kinds_of(rule for rule in RULES if rule.waste)
# Each of their lines is about one fact that an action needed.
UNMET = frozenset({"missing_fact", "failed_fact", "stale_fact", "dropped_fact"})
OPEN_MAX = 10_000  # findings whose run went silent for good never close: the oldest are forgotten
Exemplar = dict[str, str] | None


class Counting:
    """What agents did, counted. `dropped` says what found no room, by reason."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.dropped: Tally[str] = Tally()
        self.lost_by: Tally[tuple[str, str, str]] = Tally()  # sender, service, agent

        def counter(name: str, says: str, *labels: str) -> Bounded[Counter]:
            made = Counter(f"aftershock_{name}", says, (*HOME, *labels), registry=registry)
            return Bounded(made, self.dropped)

        def histogram(name: str, says: str, *labels: str) -> Bounded[Histogram]:
            made = Histogram(
                f"aftershock_{name}", says, (*HOME, *labels), buckets=SECONDS, registry=registry
            )
            return Bounded(made, self.dropped)

        self._runs = counter("agent_runs", "Runs that ended", "outcome")
        self._steps = counter("agent_steps", "Steps that ended", "kind")
        self._calls = counter("agent_tool_calls", "Tool calls", "tool", "tier", "outcome")
        self._errors = counter("agent_tool_errors", "Failed tool calls", "tool", "error_type")
        self._inferences = counter("agent_inferences", "Inferences", "model", "outcome")
        self._tokens = counter("agent_tokens", "Tokens of inferences", "model", "direction")
        self._cost = counter("agent_cost_usd", "Cost of inferences, by list price", "model")
        self._required = counter("agent_required_facts", "Facts that actions needed", "tool")
        self._unmet = counter("agent_unmet_facts", "Of those, not known", "tool", "finding")
        self._wasted_steps = counter("agent_wasted_steps", "Steps in a certain loop", "finding")
        self._wasted_tokens = counter("agent_wasted_tokens", "Tokens in a certain loop", "finding")
        self._findings = counter("findings", "Findings that reached a level", "kind", "level")
        self._call_s = histogram("agent_tool_call_seconds", "How long tool calls take", "tool")
        self._inference_s = histogram("agent_inference_seconds", "How long models take", "model")
        self._levels: OrderedDict[str, Level] = OrderedDict()  # of findings that are open
        # Run → open alarms that waste → their kinds.
        self._wasting: OrderedDict[str, dict[str, str]] = OrderedDict()

    # --- Steps ---------------------------------------------------------------------------------

    def count(self, steps: Iterable[Step], policy: Policy) -> None:
        """Count steps that are seen for the first time.

        One exemplar for each tool and model is enough of them, and costs what counting costs.
        """
        shown: set[str] = set()
        for step in steps:
            full = self.dropped.total()
            self._count(step, policy, shown)
            lost = self.dropped.total() - full
            if lost:  # only whoever has its share already loses
                self.lost_by[step.sender, step.service or "", step.agent or ""] += lost

    def _count(self, step: Step, policy: Policy, shown: set[str]) -> None:
        if step.ended_at_ns is None or step.kind is StepKind.OUTGOING:
            return  # what a tool reaches the outside by is part of its call
        home = home_of(step.agent, step.service, step.environment)
        if step.kind is StepKind.AGENT:
            if step.parent_id is None:
                self._count_run(step, home)
            return
        self._steps.at(*home, step.kind).inc()
        exemplar = None
        if step.name not in shown or step.error:
            shown.add(step.name)
            exemplar = exemplar_of(step.trace_id, step.span_id)
        if step.kind is StepKind.TOOL_CALL:
            self._count_call(step, home, exemplar)
        elif step.kind is StepKind.INFERENCE:
            self._count_inference(step, home, policy, exemplar)
        self._count_waste(step, home, policy)

    def _count_run(self, step: Step, home: Home) -> None:
        outcome = "failed" if step.error else "ok"
        self._runs.at(*home, outcome).inc(1, exemplar_of(step.trace_id, step.span_id))

    def _count_call(self, step: Step, home: Home, exemplar: Exemplar) -> None:
        action = step.action
        self._call_s.at(*home, step.name).observe(_seconds(step), exemplar)
        if action is not None:
            outcome = action.outcome or UNKNOWN
            self._calls.at(*home, step.name, action.tier, outcome).inc(1, exemplar)
            if action.requires:
                self._required.at(*home, step.name).inc(len(action.requires))
        if step.error:
            self._errors.at(*home, step.name, step.error).inc(1, exemplar)

    def _count_inference(self, step: Step, home: Home, policy: Policy, exemplar: Exemplar) -> None:
        self._inferences.at(*home, step.name, "failed" if step.error else "ok").inc(1, exemplar)
        self._inference_s.at(*home, step.name).observe(_seconds(step), exemplar)
        if step.tokens is not None:
            self._tokens.at(*home, step.name, "input").inc(step.tokens.input)
            self._tokens.at(*home, step.name, "output").inc(step.tokens.output)
        cost_usd = cost_of(step, limits_for(policy, step.agent))
        if cost_usd:
            self._cost.at(*home, step.name).inc(cost_usd)

    def _count_waste(self, step: Step, home: Home, policy: Policy) -> None:
        """One step is wasted once, however many loops it is part of: the oldest one counts."""
        wasting = self._wasting.get(step.run_id)
        if not wasting or step.kind not in COUNTED:
            return
        kind = next(iter(wasting.values()))
        spent = spent_with(Spent(), step, limits_for(policy, step.agent))
        self._wasted_steps.at(*home, kind).inc(spent.steps)
        self._wasted_tokens.at(*home, kind).inc(spent.tokens)

    # --- Findings ------------------------------------------------------------------------------

    def record(self, report: Report, window_of: WindowOf) -> None:
        """Count findings that reached a level, and what was not known."""
        for claim in report.opened:
            self._reach(claim, window_of)
            if claim.finding.kind in UNMET:
                home = home_of_claim(claim, window_of)
                tool = claim.finding.subject.partition("/")[0]
                unmet = max(1, len(claim.finding.facts))
                self._unmet.at(*home, tool, claim.finding.kind).inc(unmet)
        for claim in report.updated:
            if self._levels.get(claim.finding.id, claim.finding.level) is not claim.finding.level:
                self._reach(claim, window_of)
        for claim in report.closed:
            self._levels.pop(claim.finding.id, None)
            self._stop_wasting(claim)

    def _reach(self, claim: Claim, window_of: WindowOf) -> None:
        finding = claim.finding
        exemplar = exemplar_of(finding.trace_id, finding.evidence[0])
        home = home_of_claim(claim, window_of)
        self._findings.at(*home, finding.kind, finding.level).inc(1, exemplar)
        if claim.closing is not None:
            return
        self._levels[finding.id] = finding.level
        if len(self._levels) > OPEN_MAX:
            self._levels.popitem(last=False)
        if finding.kind in WASTING and finding.level is Level.ALARM:
            self._wasting.setdefault(finding.run_id, {})[finding.id] = finding.kind
            if len(self._wasting) > OPEN_MAX:
                self._wasting.popitem(last=False)

    def _stop_wasting(self, claim: Claim) -> None:
        wasting = self._wasting.get(claim.finding.run_id, {})
        wasting.pop(claim.finding.id, None)
        if not wasting:
            self._wasting.pop(claim.finding.run_id, None)


def home_of_claim(claim: Claim, window_of: WindowOf) -> Home:
    """Whose finding it is, as far as its run is still in memory."""
    finding = claim.finding
    window = window_of(finding.run_id)
    if window is None:
        return home_of(finding.agent, None, None)
    return home_of(finding.agent or window.agent, window.service, window.environment)


def _seconds(step: Step) -> float:
    return max(0, step.last_ns - step.began_at_ns) / 1e9
