"""repeated_action: an agent repeats a call, or a question, and receives nothing new."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from aftershock.model import (
    Action,
    AnswerState,
    Finding,
    Level,
    Outcome,
    Run,
    Step,
)
from aftershock.policy.tiers import delivers, is_motion, is_shell, only_runs
from aftershock.rules.actions import (
    Call,
    answers_a_question,
    changed_something,
    hashes_of,
    key_of,
    loop_finding,
    returned_nothing_new,
)
from aftershock.rules.attempts import failed_by_own_word, fruitless_attempts
from aftershock.rules.duties import (
    done_by_two,
    done_twice,
    is_done_again,
    is_duty,
    is_paid_twice,
    sent_again,
)
from aftershock.rules.feeding import is_fed
from aftershock.rules.motions import dead_clicks
from aftershock.rules.polling import STEADY_INTERVAL_S, starting_over, stuck_poll
from aftershock.rules.reading_again import reads_again
from aftershock.rules.repeated_outputs import same_answer_again
from aftershock.rules.rewording import emptied_writes, reworded_calls
from aftershock.rules.rule import ANSWERS, CONVERSATION, FACTS, Family, Lifetime, rule
from aftershock.rules.same_answers import same_answers
from aftershock.rules.same_rounds import failed_rounds
from aftershock.rules.tail import (
    Place,
    Tail,
    backs_off,
    is_one_batch,
    is_spaced,
    only_keeps_records,
    tail_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aftershock.limits import Limits

KIND = "repeated_action"
WAITING = frozenset({AnswerState.PENDING, AnswerState.SCHEDULED, AnswerState.WAITS_FOR_PERSON})
READS_MORE = 1  # a read harms nobody, and agents often stop by themselves after the third


@rule(Family.LOOPS, Lifetime.STATE, after=CONVERSATION | FACTS | ANSWERS, waste=True)
def repeated_action(run: Run, limits: Limits) -> Iterator[Finding]:
    """Calls that an agent repeats without progress, judged for each agent on its own.

    Identical calls count while their answers hold nothing new and no write came in between. Calls
    with pauses between them are polls and are judged by time. Different calls of one tool count if
    their answers are equal, empty or refused. So does an answer of the model that is given again
    and again without a call. An agent that itself reports a loop is a second opinion: it warns, and
    what would warn pages.
    """
    tail = tail_of(run, limits)
    report = tail.report or reported_by_tool(tail, limits)
    seen = [*new_repetitions(run, limits), *same_answer_again(run, limits)]
    if report is None:
        yield from seen
        return
    yield from (replace(finding, level=Level.ALARM) for finding in seen)
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject="reported",
        level=Level.ALARM if loops_again(tail, report) else Level.WARN,
        steps=[report],
        summary="The agent itself reported that it is in a loop."
        if report.action is None
        else f"{report.name} answered that the agent is in a loop.",
    )


def reported_by_tool(tail: Tail, limits: Limits) -> Step | None:
    """The newest recent call whose answer says that the agent repeats itself."""
    for lane in tail.lanes:
        for step in reversed(lane[-limits.repeat_window_actions :]):
            if step.action is not None and step.action.state is AnswerState.LOOP_SEEN:
                return step
    return None


def loops_again(tail: Tail, report: Step) -> bool:
    """True where a tool answers once more that the agent is in a loop, and it went on."""
    answered = [
        step
        for lane in tail.lanes
        for step in lane
        if step.action is not None and step.action.state is AnswerState.LOOP_SEEN
    ]
    return len(answered) > 1 and answered[-1] is report


# The newest tail whose calls repeated nothing, whether its inferences count, and the limits.
_CLEAN: list[tuple[Mapping[str, Place], bool, Limits | None]] = [({}, False, None)]


def new_repetitions(run: Run, limits: Limits) -> list[Finding]:
    """What the calls show; a step that is no call changes nothing of it where that is nothing."""
    tail = tail_of(run, limits)
    places, timed, known = _CLEAN[0]
    if places is tail.places and timed == tail.has_turns and known is limits:
        return []
    found = list(repetitions(run, limits))
    if not found:
        _CLEAN[0] = (tail.places, tail.has_turns, limits)
    return found


def repetitions(run: Run, limits: Limits) -> Iterator[Finding]:
    """What the calls of each agent show; notes are told apart from the work that they are about."""
    tail = tail_of(run, limits)
    for lane in tail.lanes:
        work = tail.without_records(lane)
        yield from repetitions_in(run, tail, work, limits)
        if len(work) < len(lane):
            notes = {step.span_id for step in lane if only_keeps_records(step)}
            found = repetitions_in(run, tail, lane, limits)
            yield from (finding for finding in found if finding.evidence[-1] in notes)


def repetitions_in(run: Run, tail: Tail, lane: Sequence[Step], limits: Limits) -> Iterator[Finding]:
    """What the calls of one agent show."""
    if len(tail.by_agent) > 1:
        yield from done_by_two(run, lane, limits)
    if len(lane) >= limits.repeats_warn:
        identical = list(identical_calls(run, tail, lane, limits))
        yield from identical
        known = {finding.subject for finding in identical}
        failed = failed_by_own_word(run, lane, limits)
        yield from (finding for finding in failed if finding.subject not in known)
        yield from same_answers(run, tail, lane, limits)
        yield from fruitless_attempts(run, lane, limits)
        yield from failed_rounds(run, tail, lane, limits)
        yield from dead_clicks(run, lane, limits)
        yield from starting_over(run, lane, limits)
        yield from sent_again(run, lane, limits)
        yield from done_twice(run, lane, limits)
        yield from reads_again(run, lane, limits)
        yield from emptied_writes(run, lane, limits)
        yield from reworded_calls(run, tail, lane, limits)


# --- The same call -----------------------------------------------------------------------------


def identical_calls(
    run: Run, tail: Tail, lane: Sequence[Step], limits: Limits
) -> Iterator[Finding]:
    """One finding for each call that was repeated within the newest actions."""
    newest = len(lane) - limits.repeat_window_actions  # places from here on are "now"
    for places in repeated_calls(tail, lane):
        # Two calls of a chain are less than a window apart: further apart nothing can matter.
        if places[-1] < newest or places[-1] - places[-2] >= limits.repeat_window_actions:
            continue
        chain = last_chain(tail, lane, places, limits)
        if len(chain) < limits.repeats_warn or chain[-1] < newest:
            continue
        steps = [lane[place] for place in chain]
        if is_paid_twice(steps):
            continue  # `done_twice` tells of it
        retried = steps[-1].action and steps[-1].action.outcome is Outcome.FAILED
        paced = is_spaced(tail, steps[-1]) or (retried and backs_off(tail, steps))
        paced = paced or is_round_of_polls(tail, lane, chain)
        if paced and not is_done_again(steps) and not is_new_request(tail, steps):
            yield from stuck_poll(run, tail, steps, limits)
        else:
            now = sum(place >= newest for place in chain)
            yield from repeated_call(run, tail, steps, now, limits)


def repeated_call(
    run: Run, tail: Tail, steps: list[Step], now: int, limits: Limits
) -> Iterator[Finding]:
    """A call that was repeated without a pause; `now` of its calls are among the newest."""
    action = steps[-1].action
    assert action is not None
    paused = 0
    if not is_done_again(steps) and not is_new_request(tail, steps):
        paused = sum(is_spaced(tail, step) for step in steps[1:])
    asked = asked_times(tail)
    alarm_at = max(alarm_from(action, limits), asked + 1)
    if len(steps) - paused < limits.repeats_warn:
        return
    counted = len(steps) - paused
    # What is changed before each delivery of nothing, and what was asked for, fills the window.
    if not asked and not is_delivery_of_nothing(action):
        counted = min(now, counted)
    alarm = counted >= alarm_at and not is_duty(steps)
    digests = {step.action.arguments.digest for step in steps if step.action}
    same = "with the same arguments" if len(digests) == 1 else "for another page or request id"
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject=f"{action.tool}/{key_of(action)[1][:8]}",
        level=Level.ALARM if alarm else Level.WARN,
        steps=steps,
        summary=f"{action.tool} was called {len(steps)} times {same} and it returned nothing new.",
        certain_from=steps[alarm_at - 1] if alarm else None,
    )


def is_round_of_polls(tail: Tail, lane: Sequence[Step], chain: list[int]) -> bool:
    """True for a look that is one of several in each round, with a long pause between the rounds.

    Only the first look of a round has the pause before it; all of them are polls.
    """
    for start, end in pairwise(chain):
        between = lane[start + 1 : end + 1]
        if lane[end].began_at_ns - lane[start].last_ns < STEADY_INTERVAL_S * 1e9:
            return False
        if any(step.action and not answers_a_question(step.action) for step in between):
            return False
        gaps = map(tail.gap_before, between)
        if max(gap.idle_s + (gap.waited_s or 0.0) for gap in gaps) < STEADY_INTERVAL_S:
            return False
    return True


def asked_times(tail: Tail) -> int:
    """How often a person asks for the same thing; 0: it was not said."""
    return (tail.instruction.repeats or 0) if tail.instruction else 0


def is_new_request(tail: Tail, steps: list[Step]) -> bool:
    """True for a change that is asked for again after short pauses, under a new request id.

    Nobody waits by that; what is done every few minutes or hours is a job of its own each time.
    """
    action = steps[-1].action
    assert action is not None
    if answers_a_question(action) or action.polls or action.outcome is Outcome.FAILED:
        return False
    digests = {step.action.arguments.digest for step in steps if step.action}
    if len(digests) < len(steps):
        return False
    idle = map(tail.gap_before, steps[1:])
    return all(gap.idle_s + (gap.waited_s or 0.0) < STEADY_INTERVAL_S for gap in idle)


def alarm_from(action: Action, limits: Limits) -> int:
    """How many equal calls page: more of a read, of a retry, and of a poll that does not wait."""
    if action.outcome is Outcome.FAILED or is_delivery_of_nothing(action):
        return limits.retries_alarm
    is_content = answers_a_question(action)
    if is_content and action.state in WAITING:
        return 2 * limits.repeats_alarm
    return limits.repeats_alarm + (READS_MORE if is_content else 0)


def repeated_calls(tail: Tail, lane: Sequence[Step]) -> list[list[int]]:
    """Positions in a lane of each call that was made more than once.

    Calls whose arguments were not recorded are left out.
    """
    calls = [tail.places[step.span_id].call for step in lane]
    if len(set(calls)) == len(calls):
        return []
    places: dict[Call, list[int]] = {}
    for place, call in enumerate(calls):
        if call[1]:
            places.setdefault(call, []).append(place)
    return [found for found in places.values() if len(found) > 1]


def last_chain(tail: Tail, lane: Sequence[Step], places: list[int], limits: Limits) -> list[int]:
    """The newest unbroken series of one call: positions where it returned nothing new.

    Without a pause, an answer that was already returned some calls before is not new either:
    several servers may take turns. A shell command may print the same again, such as the result
    of a test.
    """
    chain = places[:1]
    first = lane[places[0]].action
    answers = {first.result.digest if first and first.result else None}
    for place in places[1:]:
        step, before = lane[place], lane[chain[-1]]
        assert step.action
        assert before.action
        if is_one_batch(tail, step, before):
            continue
        if step.action.result is None and step.ended_at_ns is None:
            continue  # its answer is not known yet
        broken = place - chain[-1] >= limits.repeat_window_actions or any(
            other.action
            and changed_something(other.action)
            and not is_without_effect(other.action, step.action, before.action)
            for other in lane[chain[-1] + 1 : place]
        )
        if is_motion(step.action.tool) and saw_something_new(lane, chain[-1], place):
            broken = True
        broken = broken or (changed_something(step.action) and is_fed(lane, chain[-1], place))
        if broken:
            answers.clear()
        answer = step.action.result.digest if step.action.result else None
        known = answer in answers and may_be_known(tail, step)
        answers.add(answer)
        if not broken and (known or returned_nothing_new(step.action, before.action)):
            chain.append(place)
        else:
            chain = [place]
    return chain


def may_be_known(tail: Tail, step: Step) -> bool:
    """True for a read whose answer is nothing new where some call before it had the same."""
    action = step.action
    assert action is not None
    by_command = is_shell(action.tool) or only_runs(action.tool)
    is_read = not action.tier.has_effect and not by_command
    return is_read and not is_spaced(tail, step)


def saw_something_new(lane: Sequence[Step], start: int, end: int) -> bool:
    """True where a look between two places of a lane showed what no equal look before them did."""
    for step in lane[start + 1 : end]:
        action = step.action
        if action is None or action.result is None or not answers_a_question(action):
            continue
        same = (one.action for one in reversed(lane[:start]) if one.action)
        earlier = next((one for one in same if key_of(one) == key_of(action)), None)
        if earlier is None or not returned_nothing_new(action, earlier):
            return True
    return False


def is_without_effect(write: Action, action: Action, earlier: Action) -> bool:
    """True for a write after which a read about the same thing still shows nothing.

    Likewise for what is applied and, after each change of the same file, finds nothing changed.
    Writes that leave something there as it was are ordinary: a check after each deploy, say.
    """
    if is_delivery_of_nothing(action) and is_delivery_of_nothing(earlier):
        return not hashes_of(write).isdisjoint(hashes_of(action))
    return (
        action.outcome is Outcome.EMPTY
        and earlier.outcome is Outcome.EMPTY
        and bool(write.subjects & action.subjects)
    )


def is_delivery_of_nothing(action: Action) -> bool:
    """True for a call that hands something on and says that it is there already as it is.

    Of a formatter or a check that is good news.
    """
    return action.state is AnswerState.UNCHANGED and delivers(action.tool)
