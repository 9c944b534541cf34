"""Safeguards in the collector: assumptions against live metrics, and the steps of rollouts.

Steps are judged and begun in the store; what arrives later says whether their calls still run, and
whether damage is attributed to them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from aftershock.approval import Gate
from aftershock.gate.admission import Reason
from aftershock.gate.assumptions import Examined, Measured, examine, reasons_of
from aftershock.gate.canary import Canary, CanaryState, judge
from aftershock.grade import Grade, percent
from aftershock.guard.safeguard_protocol import assumptions_in, canary_in
from aftershock.model import Impact, Step
from aftershock.policy.admission import Mode
from aftershock.policy.filled_safeguards import canary_call, metric_assumptions
from aftershock.policy.policy import Policy
from aftershock.policy.safeguards import CanaryCall, MetricAssumption
from aftershock_collector.control.levels import MetricLevels
from aftershock_collector.otlp.wire import Sample
from aftershock_collector.store.canaries import SqliteCanaries
from aftershock_collector.store.interface import StoreUnavailable
from aftershock_collector.wording import clean

SKEW_NS = 5_000_000_000  # between our clock and that of the process whose call it is
ASSUMED_MAX = 50  # of one call
BEGUN_MAX = 500  # steps of a day whose calls and damage are followed
DAMAGE = frozenset({Grade.CERTAIN, Grade.PROBABLE, Grade.SUSPECTED})
DETAIL_CHARS_MAX = 200

log = logging.getLogger("aftershock")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of one call, and what follows where it is not so."""

    assumes: tuple[MetricAssumption, ...] = ()
    canary: CanaryCall | None = None
    if_false: Gate = Gate.DENY
    if_unknown: Gate = Gate.ASK


class Safeguarding:
    """One for a collector. Its methods may be called from any thread."""

    def __init__(self, policy: Policy, canaries: SqliteCanaries, now_ns: int) -> None:
        self.policy = policy
        self.canaries = canaries
        self._levels = MetricLevels(metrics_in(policy))
        self._lock = Lock()
        self._begun = {one.number: one for one in canaries.newest(now_ns)}

    def wanted_by_policy(
        self, tool: str, arguments: Mapping[str, Any], targets: tuple[str, ...]
    ) -> Wanted:
        """What the operator's policy wants of a call."""
        policy, gate = self.policy, self.policy.gate
        if gate.mode is Mode.OFF:
            return Wanted()
        return Wanted(
            metric_assumptions(policy, tool, arguments, targets),
            canary_call(policy, tool, arguments, targets),
            gate.false_assumptions,
            gate.unknown_assumptions,
        )

    def measure(self, samples: Iterable[Sample]) -> None:
        """Remember what was measured, as far as an assumption names it."""
        self._levels.record(samples)

    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that assumptions and canaries are about."""
        return self._levels.wanted

    def examine(self, assumes: Sequence[MetricAssumption], now_ns: int) -> list[Examined]:
        """What is known of each assumption now."""
        return [
            examine(one, self._levels.measured(one.metric, one.entity, now_ns, most=most))
            for one, most in one_sided(assumes[:ASSUMED_MAX])
        ]

    async def reasons(
        self, tool: str, wanted: Wanted, now_ns: int
    ) -> tuple[list[Reason], list[Examined]]:
        """Why a call must not run as things are, and what is known of its assumptions."""
        examined = self.examine(wanted.assumes, now_ns)
        found = list(reasons_of(tool, examined, wanted.if_false, wanted.if_unknown))
        if (call := wanted.canary) is not None:
            steps = await asyncio.to_thread(self.canaries.of_tool, call.tool, now_ns)
            found += judge(call, steps, self._current(call, now_ns), now_ns, wanted.if_unknown)
        return found, examined

    async def begin(
        self, wanted: Wanted, run: str, agent: str | None, nonce: str, sender: str
    ) -> tuple[Canary | None, list[Reason]]:
        """Begin the step that a call is. (None, no reasons): it is none."""
        call = wanted.canary
        if call is None:
            return None, []
        now_ns = time.time_ns()
        until_ns = now_ns + int(call.observe_s * 1e9)
        step = Canary(call, run, agent, now_ns, until_ns, nonce=nonce, sender=sender)
        current = self._current(call, now_ns)
        begun, reasons = await asyncio.to_thread(
            self.canaries.begin, step, current, wanted.if_unknown
        )
        if begun is not None:
            self._keep(begun)
        return begun, reasons

    def record_steps(self, steps: Iterable[Step], arrived_ns: int) -> None:
        """Calls that began or ended: a step is observed from its call's end on."""
        for step in steps:
            if step.action is None:
                continue
            known = self._of(step.run_id, step.action.tool, step.began_at_ns)
            if known is None or known.state is not CanaryState.OBSERVED:
                continue
            if step.ended_at_ns is None:
                self._change(known, is_open=True)
            else:
                until_ns = arrived_ns + int(known.call.observe_s * 1e9)
                self._change(known, is_open=False, until_ns=max(known.until_ns, until_ns))

    def record_impacts(self, impacts: Iterable[Impact]) -> None:
        """Attributions: damage stops a rollout, also where it shows after the time."""
        for impact in impacts:
            known = self._of(impact.run_id, impact.tool, impact.acted_at_ns)
            if known is None or known.state is CanaryState.RELEASED:
                continue
            if impact.label in DAMAGE and known.state is not CanaryState.STOPPED:
                self._change(
                    known, state=CanaryState.STOPPED, measured=True, damage=damage_by(impact)
                )
            elif impact.label is not Grade.NOT_ENOUGH_DATA and not known.measured:
                self._change(known, measured=True)

    def _current(self, call: CanaryCall, now_ns: int) -> Measured | None:
        """The amount that a call changes, as a metric of one of its targets says it."""
        if call.current is None:
            return None
        found = (self._levels.measured(call.current, one, now_ns) for one in call.targets)
        return next(filter(None, found), None)

    def _of(self, run: str, tool: str, at_ns: int) -> Canary | None:
        """The newest step of a run and tool that had begun by then."""
        with self._lock:
            if not self._begun:
                return None
            found = [
                one
                for one in self._begun.values()
                if one.run == run and one.call.tool == tool and one.begun_at_ns <= at_ns + SKEW_NS
            ]
        return max(found, key=lambda one: one.begun_at_ns, default=None)

    def _change(self, known: Canary, **changes: Any) -> None:
        try:
            changed = self.canaries.change(known.number, **changes)
        except StoreUnavailable as error:
            log.warning("canary %d is not kept as it is: %s", known.number, error)
            changed = replace(known, **changes)
        if changed is not None:
            self._keep(changed)

    def _keep(self, step: Canary) -> None:
        with self._lock:
            self._begun[step.number] = step
            while len(self._begun) > BEGUN_MAX:
                del self._begun[min(self._begun)]


def one_sided(assumes: Iterable[MetricAssumption]) -> Iterable[tuple[MetricAssumption, bool]]:
    """Each assumption with whether the highest value counts; a range is two assumptions."""
    for one in assumes:
        if one.below is not None:
            yield replace(one, above=None), True
        if one.above is not None:
            yield replace(one, below=None), False


def metrics_in(policy: Policy) -> list[str]:
    """The metrics that a policy names."""
    found: list[str] = []
    for rule in policy.tools:
        found += [one.metric for one in rule.assumes or () if one.metric]
        if rule.canary is not None and rule.canary.current is not None:
            found.append(rule.canary.current)
    return found


def damage_by(impact: Impact) -> str:
    """What was attributed, in one line."""
    sure = "" if impact.probability is None else f" ({percent(impact.probability)})"
    detail = ""
    if impact.change is not None:
        detail = f": {impact.change.name} {impact.change.detail}".rstrip()
    text = f"damage to {impact.entity} is attributed to it{sure}{detail}"
    return clean(text, DETAIL_CHARS_MAX).rstrip(".")


def wanted_in(body: Mapping[str, Any]) -> Wanted | None:
    """What a guard wants of its call. None: it does not say. Raises ValueError."""
    if "assumes" not in body:
        return None
    try:
        canary = body.get("canary")
        return Wanted(
            assumptions_in(body["assumes"]),
            None if canary is None else canary_in(canary),
            Gate(body.get("if_false", Gate.DENY)),
            Gate(body.get("if_unknown", Gate.ASK)),
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"assumes or canary cannot be read: {error!r}") from error
