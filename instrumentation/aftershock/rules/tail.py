"""The newest part of a run as loop rules see it: each agent's newest actions, and their gaps.

It is a function of the newest STEPS_MAX steps. Runs are judged step by step, so the tail of a run
with one more step is made from the tail before it.
"""

from __future__ import annotations

import re
from itertools import pairwise
from operator import is_
from typing import TYPE_CHECKING, NamedTuple

from aftershock.model import (
    LOOP_REPORTED,
    Action,
    AnswerState,
    Instruction,
    Outcome,
    Run,
    Step,
    StepKind,
)
from aftershock.policy.tiers import is_bookkeeping, is_waiting, receives
from aftershock.rules.actions import Call, answers_a_question, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aftershock.limits import Limits

# Steps looked through for a worker's newest actions: 32 actions with a thought and a message each,
# or four workers side by side. A worker that was silent for longer is not in a loop.
STEPS_MAX = 128
WAITED = re.compile(r"\bwait(?:ing|ed)\b", re.IGNORECASE)
PEOPLE = frozenset({"user", "human"})
GOING_ON = frozenset(
    {
        AnswerState.PENDING,
        AnswerState.SCHEDULED,
        AnswerState.PART_DONE,
        AnswerState.WAITS_FOR_PERSON,
    }
)
AT_ONCE_NS = 200_000_000  # between calls of one model turn: no model answers as fast
BATCH_S = 2.0  # within which calls of one batch begin, where turns are not recorded
IDLE_S = 10.0  # without an inference: the agent waits
BACK_OFF_GAPS_MIN = 3
STEADY_S = 8.0  # a model that thinks does not take equally long each time
STEADY_FACTOR = 1.1
BACK_OFF_FACTOR = 1.4  # of a pause to the one before it: twice as long, less some jitter
PAUSE_S = 20.0  # the same where inferences are not recorded: models rarely think for so long


class Gap(NamedTuple):
    """What lies between an action and the one before it of the same agent."""

    waited_s: float | None  # by calls that only wait; None: there are none
    idle_s: float  # without an action or an inference


NO_GAP = Gap(None, 0.0)


class Place(NamedTuple):
    """What is known of an action in its lane."""

    call: Call  # see `key_of`
    gap: Gap | None  # since the action before it; None: that is unknown
    turn: int  # inferences of the agent before it: equal within one model turn


class Lane(NamedTuple):
    """One agent's newest actions, oldest first, and what it did since; waits are no actions."""

    actions: tuple[Step, ...] = ()
    turns: int = 0
    thought_ns: int = 0
    waited_s: float | None = None


NO_LANE = Lane()


class Tail(NamedTuple):
    """The newest part of a run since a person last gave an instruction."""

    by_agent: Mapping[str | None, Lane]
    places: Mapping[str, Place]  # of each lane's actions, by span id
    length: int = 0  # in steps, at most STEPS_MAX
    hand_offs: int = 0
    inferences: int = 0
    report: Step | None = None  # the newest one by the agent itself that it is in a loop
    has_records: bool = False  # the agents also keep notes and plans
    instruction: Instruction | None = None  # what the message that began it asks, while it is near

    @property
    def has_turns(self) -> bool:
        """True where inferences are recorded."""
        return self.inferences > 0

    @property
    def lanes(self) -> tuple[tuple[Step, ...], ...]:
        """The newest actions of each agent that made any; who began first comes first."""
        found = [lane.actions for lane in self.by_agent.values() if lane.actions]
        if len(found) > 1:
            found.sort(key=lambda actions: (actions[0].began_at_ns, actions[0].span_id))
        return tuple(found)

    def without_records(self, lane: Sequence[Step]) -> Sequence[Step]:
        """A lane's actions but notes, thoughts and plans: these neither hide a loop nor end it."""
        return [step for step in lane if not only_keeps_records(step)] if self.has_records else lane

    @property
    def working_lanes(self) -> Sequence[Sequence[Step]]:
        """The lanes without notes."""
        return [work for lane in self.lanes if (work := self.without_records(lane))]

    def gap_before(self, step: Step) -> Gap:
        """What lies before an action of a lane; nothing where that is unknown."""
        place = self.places.get(step.span_id)
        return NO_GAP if place is None or place.gap is None else place.gap


NO_TAIL = Tail({}, {})


class Known(NamedTuple):
    """The tail of a run that was judged."""

    steps: tuple[Step, ...]  # all of the run's
    window: tuple[Step, ...]
    actions_max: int
    tail: Tail


# The newest two: the newest step may come again, with its end.
_KNOWN: list[Known] = []


def tail_of(run: Run, limits: Limits) -> Tail:
    """The newest actions of each agent since a person last gave an instruction.

    An agent that is asked again may do the same again.
    """
    most, known = limits.loop_window_actions, _KNOWN[:]
    for one in known:
        if one.steps is run.steps and one.actions_max == most:
            return one.tail
    window = run.steps[-STEPS_MAX:]
    tail = None
    for one in known:
        if one.actions_max == most and (tail := continued(one, window)) is not None:
            break
    if tail is None:
        tail = scan(window, most)
    _KNOWN[:] = [Known(run.steps, window, most, tail), *known[:1]]
    return tail


def continued(known: Known, window: tuple[Step, ...]) -> Tail | None:
    """The tail of a window that is another one and one more step; None: it is not."""
    is_full = len(known.window) == STEPS_MAX
    kept = known.window[1:] if is_full else known.window
    if len(window) != len(kept) + 1 or not all(map(is_, kept, window)):
        return None
    tail = without(known.tail, known.window[0]) if is_full else known.tail
    return with_step(tail, window[-1], known.actions_max)


def scan(window: Sequence[Step], actions_max: int) -> Tail:
    """The tail of a run from its newest steps alone."""
    tail = NO_TAIL
    for step in window:
        tail = with_step(tail, step, actions_max)
    return tail


def with_step(tail: Tail, step: Step, actions_max: int) -> Tail:
    """The tail with one more step."""
    action = step.action
    by_agent, places, length, hand_offs, inferences, report, has_records, asked = tail
    if length + 1 >= STEPS_MAX:
        asked = None  # the message is older than the window
    if action is None and step.kind is not StepKind.INFERENCE:
        if is_instruction(step):
            return NO_TAIL._replace(instruction=step.instruction)
        if step.kind is StepKind.HAND_OFF:
            hand_offs += 1
        elif step.kind is StepKind.FACT and step.name == LOOP_REPORTED:
            report = step
        return Tail(by_agent, places, length + 1, hand_offs, inferences, report, has_records, asked)
    actions, turns, thought_ns, waited_s = by_agent.get(step.agent, NO_LANE)
    if action is None:
        inferences += 1
        lane = Lane(actions, turns + 1, thought_ns + step.last_ns - step.began_at_ns, waited_s)
    elif action.waits_s is not None and only_waits(action):
        lasted_s = (step.last_ns - step.began_at_ns) / 1e9
        lane = Lane(actions, turns, thought_ns, (waited_s or 0.0) + max(action.waits_s, lasted_s))
    else:
        gap, places = None, dict(places)
        if actions:
            between_ns = step.began_at_ns - actions[-1].last_ns - thought_ns
            gap = Gap(waited_s, max(0, between_ns) / 1e9)
        if len(actions) >= actions_max:
            actions = without_oldest(actions, places)
        has_records = has_records or only_keeps_records(step)
        places[step.span_id] = Place(key_of(action), gap, turns)
        lane = Lane((*actions, step), turns)
    by_agent = {**by_agent, step.agent: lane}
    return Tail(by_agent, places, length + 1, hand_offs, inferences, report, has_records, asked)


def without(tail: Tail, oldest: Step) -> Tail:
    """The tail without the oldest step of its full window."""
    if tail.length < STEPS_MAX:
        return tail  # a person spoke since
    tail = tail._replace(length=tail.length - 1)
    if oldest.kind is StepKind.INFERENCE:
        return tail._replace(inferences=tail.inferences - 1)
    if oldest.kind is StepKind.HAND_OFF:
        return tail._replace(hand_offs=tail.hand_offs - 1)
    if oldest is tail.report:
        return tail._replace(report=None)
    lane = tail.by_agent.get(oldest.agent, NO_LANE)
    if not lane.actions or lane.actions[0] is not oldest:
        return tail
    places = dict(tail.places)
    lane = lane._replace(actions=without_oldest(lane.actions, places))
    return tail._replace(by_agent={**tail.by_agent, oldest.agent: lane}, places=places)


def without_oldest(actions: tuple[Step, ...], places: dict[str, Place]) -> tuple[Step, ...]:
    """A lane's actions but the oldest one: what lies before the next one is unknown then."""
    places.pop(actions[0].span_id, None)
    if len(actions) > 1 and (place := places.get(actions[1].span_id)) is not None:
        places[actions[1].span_id] = place._replace(gap=None)
    return actions[1:]


def only_keeps_records(step: Step) -> bool:
    """True for a call that only keeps the agent's own thoughts and plans."""
    return step.action is not None and is_bookkeeping(step.action.tool)


def is_instruction(step: Step) -> bool:
    """True for a message of a person, which makes repeated calls legitimate."""
    return step.kind is StepKind.MESSAGE and step.name in PEOPLE and not step.automatic


def only_waits(action: Action) -> bool:
    """True for a call that waits and does nothing else; `sleep 5; ls` also lists."""
    return is_waiting(action.tool) or action.outcome in (None, Outcome.EMPTY)


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
        this, other = tail.places.get(step.span_id), tail.places.get(earlier.span_id)
        same_turn = (this and this.turn) == (other and other.turn)
        return same_turn and apart_ns < AT_ONCE_NS
    return apart_ns < 0 and step.began_at_ns - earlier.began_at_ns < BATCH_S * 1e9


def backs_off(tail: Tail, steps: Sequence[Step]) -> bool:
    """True for calls with steady pauses between them, or ever longer ones: a program waits."""
    idle_s = [tail.gap_before(step).idle_s for step in steps[1:]]
    if len(idle_s) < BACK_OFF_GAPS_MIN:
        return False
    newest = idle_s[-BACK_OFF_GAPS_MIN:]
    if min(newest) >= STEADY_S and max(newest) <= STEADY_FACTOR * min(newest):
        return True
    pairs = pairwise(newest)
    return all(later >= BACK_OFF_FACTOR * max(earlier, 0.1) for earlier, later in pairs)


def waited_in_vain(step: Step, action: Action) -> bool:
    """True for a call that itself waited for something until its time was up.

    It says so, or it is a read that came back late with nothing, or with what is still going on,
    or one that receives what comes.
    """
    if step.last_ns - step.began_at_ns < IDLE_S * 1e9:
        return False
    if receives(action.tool):
        return True
    if answers_a_question(action) and (action.outcome is Outcome.EMPTY or action.state in GOING_ON):
        return True
    return WAITED.search(action.error_class or "") is not None


def is_spaced(tail: Tail, step: Step) -> bool:
    """True where the agent waited before a call: by a wait, a sleep, or a long idle gap."""
    action, gap = step.action, tail.gap_before(step)
    if action is not None and (action.polls or action.waits_s is not None):
        return True
    if action is not None and waited_in_vain(step, action):
        return True
    return gap.waited_s is not None or gap.idle_s >= (IDLE_S if tail.has_turns else PAUSE_S)
