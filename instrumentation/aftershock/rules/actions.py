"""The newest actions of each agent, and what repeated calls returned: shared by the loop rules."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from aftershock.fingerprints.asked import asked_of
from aftershock.fingerprints.fingerprint import PAGINATED
from aftershock.fingerprints.keyed import hash_public
from aftershock.model import (
    Action,
    AnswerState,
    Finding,
    Level,
    Outcome,
    Run,
    Step,
    StepKind,
    Tier,
)
from aftershock.policy.tiers import is_waiting, names_effect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aftershock.limits import Limits

# Steps looked through for a worker's newest actions: 32 actions with a thought and a message each,
# or four workers side by side. A worker that was silent for longer is not in a loop.
STEPS_MAX = 128
PEOPLE = frozenset({"user", "human"})
NO_CHANGE = frozenset({AnswerState.UNCHANGED, AnswerState.REFUSED})
NEW_SHARE_OF_WRITES = 0.5  # writes also report times, ids and counts: most of it must be new
REPLACED_WORDS_MAX = 2  # more are another wording
AT_ONCE_NS = 200_000_000  # between calls of one model turn: no model answers as fast
BATCH_S = 2.0  # within which calls of one batch begin, where turns are not recorded
IDLE_S = 10.0  # without an inference: the agent waits
PAUSE_S = 20.0  # the same where inferences are not recorded: models rarely think for so long


class Gap(NamedTuple):
    """What lies between an action and the one before it of the same agent."""

    waited_s: float | None  # by calls that only wait; None: there are none
    idle_s: float  # without an action or an inference


class Tail(NamedTuple):
    """The newest part of a run, as loop rules see it."""

    lanes: tuple[list[Step], ...]  # the newest actions of each agent, oldest first; no mere waits
    hands_over: bool  # agents hand work to each other
    gaps: Mapping[str, Gap]  # before each action but the oldest, by span id
    turns: Mapping[str, int]  # inferences after each action: equal within one model turn
    has_turns: bool  # inferences are recorded


NO_GAP = Gap(None, 0.0)
# The newest prefix that was scanned and its tail: several rules ask for it in a row.
_SCANNED: list[tuple[tuple[Step, ...], Tail]] = [
    ((), Tail((), hands_over=False, gaps={}, turns={}, has_turns=False))
]


def tail_of(run: Run, limits: Limits) -> Tail:
    """The newest actions of each agent since a person last gave an instruction.

    An agent that is asked again may do the same again.
    """
    steps, tail = _SCANNED[0]
    if steps is not run.steps:
        tail = scan(run, limits.loop_window_actions)
        _SCANNED[0] = (run.steps, tail)
    return tail


@dataclass(slots=True)
class Lane:
    """One agent's actions while the run is scanned backwards."""

    actions: list[Step] = field(default_factory=list[Step])
    turns: int = 0
    thought_ns: int = 0  # since the oldest action found so far
    waited_s: float | None = None  # likewise

    def add_inference(self, step: Step) -> None:
        """An inference before the actions found so far."""
        self.turns += 1
        self.thought_ns += step.last_ns - step.began_at_ns

    def add_wait(self, step: Step, seconds: float) -> None:
        """A call that only waits: as long as it lasted, or as it says."""
        lasted_s = (step.last_ns - step.began_at_ns) / 1e9
        self.waited_s = (self.waited_s or 0.0) + max(seconds, lasted_s)

    def add_action(self, step: Step) -> Gap | None:
        """An action; returns the gap between it and the next one, which is known already."""
        gap = None
        if self.actions:
            between_ns = self.actions[-1].began_at_ns - step.last_ns - self.thought_ns
            gap = Gap(self.waited_s, max(0, between_ns) / 1e9)
        self.thought_ns, self.waited_s = 0, None
        self.actions.append(step)
        return gap


def scan(run: Run, actions_max: int) -> Tail:
    """The tail of a run, read from its newest step backwards."""
    lanes: defaultdict[str | None, Lane] = defaultdict(Lane)
    gaps: dict[str, Gap] = {}
    turns: dict[str, int] = {}
    hands_over = has_turns = False
    for step in islice(reversed(run.steps), STEPS_MAX):
        if step.action is None and step.kind is not StepKind.INFERENCE:
            hands_over = hands_over or step.kind is StepKind.HAND_OFF
            if is_instruction(step):
                break
            continue
        lane = lanes[step.agent]
        if step.action is None:
            has_turns = True
            lane.add_inference(step)
        elif step.action.waits_s is not None and only_waits(step.action):
            lane.add_wait(step, step.action.waits_s)
        elif len(lane.actions) < actions_max:
            turns[step.span_id] = lane.turns
            later = lane.actions[-1].span_id if lane.actions else ""
            if (gap := lane.add_action(step)) is not None:
                gaps[later] = gap
        elif len(lanes) == 1 and step.agent == run.agent:
            break  # a run of one agent, which is most of them, and its lane is full
    found = [lane.actions for lane in lanes.values() if lane.actions]
    for actions in found:
        actions.reverse()
    return Tail(tuple(found), hands_over, gaps, turns, has_turns)


def is_instruction(step: Step) -> bool:
    """True for a message of a person, which makes repeated calls legitimate."""
    return step.kind is StepKind.MESSAGE and step.name in PEOPLE and not step.automatic


def only_waits(action: Action) -> bool:
    """True for a call that waits and does nothing else; `sleep 5; ls` also lists."""
    return is_waiting(action.tool) or action.outcome in (None, Outcome.EMPTY)


def key_of(action: Action) -> tuple[str, str]:
    """Equal for the same call; request ids and clocks among its arguments do not matter.

    Of a read its page does not matter either; each page of what is written is work of its own.
    """
    stem = action.arguments.stem
    if stem and stem.startswith(PAGINATED) and not answers_a_question(action):
        stem = None
    return action.tool, stem or action.arguments.digest


def keys_of(action: Action) -> frozenset[int]:
    """How `Step.shown` names the result of a call: by the call's id, or by its own digest."""
    known = (action.call_id, action.result.digest if action.result else None)
    return frozenset(hash_public(key) for key in known if key)


def is_one_batch(tail: Tail, step: Step, earlier: Step) -> bool:
    """True for calls that were chosen together, so that the later one could not learn anything.

    Calls of one model turn are a batch if they overlap or follow at once. Without recorded turns,
    overlapping calls that begin within BATCH_S are. Later begins are judged even if the reported
    ends overlap, because only the sender knows when a call really ended.
    """
    if earlier.ended_at_ns is None:
        return True
    apart_ns = step.began_at_ns - earlier.ended_at_ns
    if tail.has_turns:
        same_turn = tail.turns.get(step.span_id) == tail.turns.get(earlier.span_id)
        return same_turn and apart_ns < AT_ONCE_NS
    return apart_ns < 0 and step.began_at_ns - earlier.began_at_ns < BATCH_S * 1e9


def is_spaced(tail: Tail, step: Step) -> bool:
    """True where the agent waited before a call: by a wait, a sleep, or a long idle gap."""
    action, gap = step.action, tail.gaps.get(step.span_id, NO_GAP)
    if action is not None and (action.polls or action.waits_s is not None):
        return True
    return gap.waited_s is not None or gap.idle_s >= (IDLE_S if tail.has_turns else PAUSE_S)


def changed_something(action: Action) -> bool:
    """True for a call that can have an effect, did not fail, and does not deny a change."""
    return (
        action.tier.has_effect
        and action.outcome not in (None, Outcome.FAILED)
        and action.state not in NO_CHANGE
    )


def did_a_part(action: Action) -> bool:
    """True for a call with an effect that reports another part of a larger amount as done."""
    if not action.tier.has_effect:
        return False
    bounded = action.is_portion or action.tier is Tier.DESTRUCTIVE
    return action.state is AnswerState.PART_DONE or (
        bounded and action.state is AnswerState.COUNTED
    )


def answers_a_question(action: Action) -> bool:
    """True where an answer is content: of reads, and of tools whose names say no effect."""
    return not action.tier.has_effect or not names_effect(action.tool)


def returned_nothing_new(action: Action, earlier: Action) -> bool:
    """True where the result of a call says no more than that of an earlier, equal call.

    A call that fails again returned nothing new, whatever its message; one that works at last did.
    A result that was not recorded is no evidence of progress. Of a write, which answers with new
    ids and counts each time, the wording of most of the answer is compared. A tool whose name says
    nothing of its effect counts as a write, to be safe, but its answer is no receipt.
    """
    if action.outcome is Outcome.FAILED:
        return True
    if action.result is None or earlier.result is None:
        return earlier.outcome is not Outcome.FAILED
    if earlier.outcome is Outcome.FAILED or did_a_part(action) or did_a_part(earlier):
        return False
    if action.result.digest == earlier.result.digest:
        return True
    return (
        not answers_a_question(action)
        and share_new(action.result.sketch, earlier.result.sketch) <= NEW_SHARE_OF_WRITES
    )


@lru_cache(maxsize=4_096)  # prefixes of one run ask for the same pairs again
def share_new(sketch: frozenset[int], earlier: frozenset[int]) -> float:
    """The share of an answer's items, numbers aside, that an earlier answer did not have."""
    return len(sketch - earlier) / len(sketch) if sketch else 0.0


@lru_cache(maxsize=8_192)
def is_reworded(sketch: frozenset[int], other: frozenset[int], similarity_min: float) -> bool:
    """True where two calls, whose arguments name the same, share that part of their words.

    Each must not name something in its sentences that the other does not, and one or two words
    replaced by as many others ("price of alpha", "price of beta") ask about another thing.
    """
    this, that = asked_of(sketch), asked_of(other)
    if not (this.names <= that.names or that.names <= this.names):
        return False
    only_this, only_that = len(this.words - that.words), len(that.words - this.words)
    shared = len(this.words) - only_this
    if only_this == only_that and 0 < only_this <= REPLACED_WORDS_MAX:
        return False
    if not this.words and not that.words:
        return True  # the same names in another order
    return shared >= similarity_min * (shared + only_this + only_that)


def lane_prefix(run: Run, step: Step) -> str:
    """Keeps findings about several workers of one run apart."""
    return f"{step.agent}/" if step.agent and step.agent != run.agent else ""


def loop_finding(
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
