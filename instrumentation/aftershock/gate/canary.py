"""Canaries: whether a call is the next step of its rollout, by the steps before it.

A step changes the amount by at most a factor, on one target at a time, first in one environment.
After a step its target is observed; the next one waits for that. Damage that is attributed to a
step stops the rollout until a person releases it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, floor

from aftershock.approval import Gate
from aftershock.gate.admission import Code, Reason
from aftershock.gate.assumptions import LEARN_FIRST, Measured
from aftershock.policy.safeguards import CanaryCall

ANY = "*"
CURRENT_AGE_S = 120.0  # of a measured amount: as of an assumption
REMEMBERED_NS = 86_400 * 1_000_000_000  # steps before that say nothing about today
OPEN_MAX_NS = 3_600 * 1_000_000_000  # a call that never ended is waited for no longer
ROUNDING = 1e-9


class CanaryState(StrEnum):
    """Where a step of a rollout is."""

    OBSERVED = "observed"  # its target's metrics still are
    PASSED = "passed"
    UNMEASURED = "unmeasured"  # nothing measured its target meanwhile
    STOPPED = "stopped"  # damage was attributed to it
    RELEASED = "released"  # a person lets the rollout go on


@dataclass(frozen=True, slots=True)
class Canary:
    """One step of a rollout that was let pass."""

    call: CanaryCall
    run: str
    agent: str | None
    begun_at_ns: int
    until_ns: int  # observed until then
    before: float | None = None  # the amount before it; None: not known
    number: int = 0
    state: CanaryState = CanaryState.OBSERVED
    is_open: bool = False  # its call still runs, as far as its telemetry says
    measured: bool = False  # attribution has scored its target
    damage: str = ""  # what was attributed to it
    nonce: str = ""  # of the call
    sender: str = ""
    by: str | None = None  # who released it
    because: str = ""

    def seen_at(self, now_ns: int) -> Canary:
        """As it stands at a moment."""
        if self.state is not CanaryState.OBSERVED or now_ns < self.ends_ns(now_ns):
            return self
        ended = CanaryState.PASSED if self.measured else CanaryState.UNMEASURED
        return replace(self, state=ended)

    def ends_ns(self, now_ns: int) -> int:
        """Until when it is observed: as long as its call runs, and then for the whole time."""
        observed_ns = int(self.call.observe_s * 1e9)
        if self.is_open and now_ns < self.begun_at_ns + OPEN_MAX_NS:
            return max(self.until_ns, now_ns + observed_ns)
        return self.until_ns

    @property
    def lets_go_on(self) -> bool:
        """True where the next step need not wait for a person."""
        return self.state in {CanaryState.PASSED, CanaryState.RELEASED}


def judge(
    call: CanaryCall,
    steps: Sequence[Canary],
    current: Measured | None,
    now_ns: int,
    if_unknown: Gate,
) -> Iterator[Reason]:
    """Why a call is not the next step of its rollout; nothing where it is.

    `steps`: those of the tool, newest first. `current`: what a metric says that the amount is.
    """
    seen = [one.seen_at(now_ns) for one in steps if now_ns - one.begun_at_ns < REMEMBERED_NS]
    newest = seen[0] if seen else None
    damaged = next((one for one in seen if one.state is CanaryState.STOPPED), None)
    if damaged is not None:  # also after a step back: a person says when it goes on
        if not undoes(call, damaged):
            yield stopped(damaged)
        return
    if newest is not None and newest.state is CanaryState.OBSERVED:
        yield observed(newest, now_ns)
        return
    if newest is not None and newest.state is CanaryState.UNMEASURED:
        text = f"Nothing measured {names_of(newest)} while canary {newest.number} was observed."
        yield unknown(text, if_unknown)
    yield from elsewhere_first(call, seen, if_unknown)
    yield from too_much(call, amount_now(call, seen, current), if_unknown)


def amount_now(call: CanaryCall, seen: Sequence[Canary], current: Measured | None) -> float | None:
    """The amount before the call: as measured, else as the newest step on its targets set it."""
    if current is not None and current.age_s <= CURRENT_AGE_S:
        return current.value
    same = (one for one in seen if one.call.targets == call.targets and one.lets_go_on)
    newest = next(same, None)
    return None if newest is None else newest.call.amount


def too_much(call: CanaryCall, before: float | None, if_unknown: Gate) -> Iterator[Reason]:
    """The amount changes by more than the factor."""
    if call.factor is None or call.argument is None:
        return
    where = ", ".join(call.targets) or "its target"
    if call.amount is None:
        yield unknown(f"`{call.argument}` of {call.tool} is no number.", if_unknown)
    elif before is None:
        yield unknown(f"It is not known what `{call.argument}` of {where} is now.", if_unknown)
    else:
        least, most = before / call.factor, max(before, 1.0) * call.factor
        if least - ROUNDING <= call.amount <= most + ROUNDING:
            return
        whole = before == int(before) and call.amount == int(call.amount)
        low, high = (ceil(least - ROUNDING), floor(most + ROUNDING)) if whole else (least, most)
        yield Reason(
            Code.CANARY,
            Gate.DENY,
            f"{call.argument} of {where} is {before:g}, and one step changes it by at most a "
            f"factor of {call.factor:g}: {call.amount:g} is too much at once.",
            f"Call it with a value from {low:g} to {high:g}, and go on from there.",
        )


def elsewhere_first(call: CanaryCall, seen: Sequence[Canary], if_unknown: Gate) -> Iterator[Reason]:
    """The change was not made yet where it is made first."""
    if call.first is None or call.environment == call.first:
        return
    if not call.environment or call.environment == ANY:
        yield unknown(f"{call.tool} does not say which environment it is for.", if_unknown)
        return
    made = any(
        one.call.environment == call.first and one.call.change == call.change and one.lets_go_on
        for one in seen
    )
    if not made:
        yield Reason(
            Code.CANARY,
            Gate.DENY,
            f"This change goes to {call.first} first, and was not made and observed there.",
            f"Make it in {call.first}, wait until it was observed, and then make this call again.",
        )


def undoes(call: CanaryCall, step: Canary) -> bool:
    """True for a call that sets the amount back to what it was before a step."""
    return (
        step.before is not None
        and call.amount == step.before
        and call.targets == step.call.targets
        and call.environment == step.call.environment
    )


def stopped(step: Canary) -> Reason:
    """That damage stopped a rollout."""
    back = "" if step.before is None else f" Set `{step.call.argument}` back to {step.before:g}."
    return Reason(
        Code.CANARY,
        Gate.DENY,
        f"Canary {step.number} of {step.call.tool} on {names_of(step)} was stopped: {step.damage}.",
        f"Do not go on.{back} Report it; a person releases it with `aftershock canary release`.",
    )


def observed(step: Canary, now_ns: int) -> Reason:
    """That a step is still observed."""
    left_s = max(1, ceil((step.ends_ns(now_ns) - now_ns) / 1e9))
    return Reason(
        Code.CANARY,
        Gate.DENY,
        f"Canary {step.number} of {step.call.tool} on {names_of(step)} is observed for another "
        f"{left_s} s.",
        f"Wait {left_s} s, then make the same call again.",
    )


def unknown(text: str, gate: Gate) -> Reason:
    """Something that a rollout must know is not known."""
    return Reason(Code.UNKNOWN_ASSUMPTION, gate, text, LEARN_FIRST)


def names_of(step: Canary) -> str:
    """What a step works on."""
    return ", ".join(step.call.targets) or "an unknown target"


def next_step(step: Canary) -> str:
    """What the agent should do after a step that was let pass."""
    call = step.call
    more = ""
    if call.factor is not None and call.amount is not None:
        more = f" to at most {max(call.amount, 1.0) * call.factor:g}"
    elif call.first is not None and call.environment == call.first:
        more = " in other environments"
    return (
        f"Canary {step.number}: {names_of(step)} is observed for {call.observe_s:g} s. "
        f"Wait {call.observe_s:g} s, then see how it is and go on{more}."
    )
