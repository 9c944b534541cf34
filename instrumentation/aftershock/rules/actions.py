"""The newest actions of each worker, and whether a repeated call taught anything: loops' terms."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

from aftershock.fingerprints.keyed import hash_public
from aftershock.model import Action, Finding, Level, Outcome, Run, Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aftershock.limits import Limits

# Steps looked through for a worker's newest actions: 32 actions with a thought and a message each,
# or four workers side by side. A worker that was silent for longer is not in a loop.
STEPS_MAX = 128
PEOPLE = frozenset({"user", "human"})


class Tail(NamedTuple):
    """The newest part of a run, as loop rules see it."""

    lanes: tuple[list[Step], ...]  # the newest actions of each worker (agent name), oldest first
    hands_over: bool  # agents hand work to each other


# The newest prefix that was scanned and its tail: three rules ask for it in a row.
_SCANNED: list[tuple[tuple[Step, ...], Tail]] = [((), Tail((), hands_over=False))]


def tail_of(run: Run, limits: Limits) -> Tail:
    """The newest actions of each worker since a person last spoke.

    Who is asked again may well do the same again.
    """
    steps, tail = _SCANNED[0]
    if steps is not run.steps:
        tail = scan(run, limits.loop_window_actions)
        _SCANNED[0] = (run.steps, tail)
    return tail


def scan(run: Run, actions_max: int) -> Tail:
    """The tail of a run, read from its newest step backwards."""
    lanes: dict[str | None, list[Step]] = {}
    hands_over = False
    for step in islice(reversed(run.steps), STEPS_MAX):
        if step.action is not None:
            lane = lanes.get(step.agent)
            if lane is None:
                lanes[step.agent] = [step]
            elif len(lane) < actions_max:
                lane.append(step)
            elif len(lanes) == 1 and step.agent == run.agent:
                break  # a run of one worker, which is most of them, and its lane is full
        elif step.kind is StepKind.HAND_OFF:
            hands_over = True
        elif step.kind is StepKind.MESSAGE and step.name in PEOPLE:
            break
    for lane in lanes.values():
        lane.reverse()
    return Tail(tuple(lanes.values()), hands_over)


def key_of(action: Action) -> tuple[str, str]:
    """Equal for the same call."""
    return action.tool, action.arguments.digest


def keys_of(action: Action) -> frozenset[int]:
    """How a call's result is told in `Step.shown`: by the call's id, or by its own digest."""
    told = (action.call_id, action.result.digest if action.result else None)
    return frozenset(hash_public(key) for key in told if key)


def could_have_learnt(step: Step, earlier: Step) -> bool:
    """False for calls of one batch: the later one began before the earlier one had answered."""
    return earlier.ended_at_ns is not None and step.began_at_ns >= earlier.ended_at_ns


def changed_something(action: Action) -> bool:
    """True for a call that can have an effect and did not fail."""
    return action.tier.has_effect and action.outcome not in (None, Outcome.FAILED)


def taught_nothing(action: Action, earlier: Action, novelty_min: float) -> bool:
    """True where the result of a call says no more than that of an earlier, equal call.

    A call that fails again taught nothing, whatever the message; one that works at last did. A
    result that was never seen is no evidence of progress.
    """
    if action.outcome is Outcome.FAILED:
        return True
    if action.result is None or earlier.result is None:
        return earlier.outcome is not Outcome.FAILED
    if earlier.outcome is Outcome.FAILED:
        return False
    if action.result.digest == earlier.result.digest:
        return True
    return share_new(action.result.sketch, earlier.result.sketch) <= novelty_min


@lru_cache(maxsize=4_096)  # prefixes of one run ask for the same pairs again
def share_new(sketch: frozenset[int], earlier: frozenset[int]) -> float:
    """The share of a result's lines that an earlier result did not have."""
    if not sketch:
        return 0.0
    return len(sketch - earlier) / len(sketch)


@lru_cache(maxsize=8_192)
def is_reworded(sketch: frozenset[int], other: frozenset[int], similarity_min: float) -> bool:
    """True where two calls that name the same things share that part of all their words."""
    shared = len(sketch & other)
    return shared >= similarity_min * (len(sketch) + len(other) - shared)


def only_numbers_moved(actions: Sequence[Action]) -> bool:
    """True for reads whose answers kept their lines while numbers changed, as progress reports."""
    if any(action.tier.has_effect or action.outcome is Outcome.FAILED for action in actions):
        return False
    results = [action.result for action in actions if action.result is not None]
    return len({result.digest for result in results}) > 1 and all(
        later.sketch == earlier.sketch for earlier, later in pairwise(results)
    )


def lane_prefix(run: Run, step: Step) -> str:
    """Keeps findings about several workers of one run apart."""
    return f"{step.agent}/" if step.agent and step.agent != run.agent else ""


def found(
    run: Run,
    limits: Limits,
    *,
    kind: str,
    subject: str,
    level: Level,
    steps: Sequence[Step],
    summary: str,
    certain_from: Step | None = None,
    together: bool = False,
) -> Finding:
    """A finding about actions of one worker, or of several `together`.

    `certain_from` is the step that made it an alarm.
    """
    first, last = steps[0], steps[-1]
    spans = [step.span_id for step in steps]
    if len(spans) > limits.evidence_max:
        spans = [spans[0], *spans[1 - limits.evidence_max :]]
    return Finding(
        kind=kind,
        run_id=run.id,
        subject=subject if together else lane_prefix(run, last) + subject,
        level=level,
        began_at_ns=first.began_at_ns,
        as_of_ns=run.now_ns,
        evidence=tuple(spans),
        summary=summary,
        agent=(None if together else last.agent) or run.agent,
        trace_id=last.trace_id,
        facts=() if certain_from is None else spent_since(run, certain_from),
    )


def spent_since(run: Run, certain: Step) -> tuple[str, ...]:
    """What the run spent after a loop was certain: what stopping it then would have saved."""
    since = [step for step in run.steps if step.began_at_ns > certain.began_at_ns]
    if not since:
        return ()
    tokens = sum(step.tokens.total for step in since if step.tokens)
    seconds = max(0, run.now_ns - certain.last_ns) / 1e9
    parts = ["1 step" if len(since) == 1 else f"{len(since)} steps"]
    if tokens:
        parts.append(f"{tokens:,} tokens")
    if seconds >= 1:
        parts.append(f"{seconds:,.0f} s")
    return (f"Spent since the loop was certain: {', '.join(parts)}.",)
