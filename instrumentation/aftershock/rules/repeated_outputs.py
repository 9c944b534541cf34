"""The same answer of a model again and again, and no call: a plan that nobody carries out."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Output, OutputState, Run, Step, StepKind
from aftershock.rules.actions import loop_finding
from aftershock.rules.tail import STEPS_MAX, is_instruction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "repeated_action"
SUBSTANTIAL_CHARS = 60  # a label or a yes may well be the right answer to many questions
PLAN_CHARS = 20  # an announcement of what comes next is an answer to nothing
SAME_WORDS_MIN = 0.85  # share of the words of both: a plan in nearly the same words
SHARED_WORK = frozenset({StepKind.TOOL_CALL, StepKind.HAND_OFF, StepKind.RETRIEVAL})


def same_answer_again(run: Run, limits: Limits) -> Iterator[Finding]:
    """The newest answers of an agent, where they are the same and no call lies between them.

    A workflow may well receive equal answers to different questions. So it counts only while the
    messages grow, or where the answer says what the agent is going to do; answers that were
    sampled side by side are one.
    """
    newest = run.newest
    if newest is None or newest.kind is not StepKind.INFERENCE or newest.output is None:
        return
    same = same_outputs(run, newest)
    if len(same) < limits.repeats_alarm or not is_one_conversation(same, newest.output):
        return
    alarm_at = 2 * limits.repeats_alarm
    alarm = len(same) >= alarm_at
    yield loop_finding(
        run,
        limits,
        kind=KIND,
        subject="answer",
        level=Level.ALARM if alarm else Level.WARN,
        steps=same,
        summary=f"The model answered the same {len(same)} times and no call was made in between.",
        certain_from=same[alarm_at - 1] if alarm else None,
    )


def same_outputs(run: Run, newest: Step) -> list[Step]:
    """The agent's answers since its last call that are the same as its newest, oldest first."""
    assert newest.output is not None
    found: list[Step] = []
    for step in islice(reversed(run.steps), STEPS_MAX):
        if is_instruction(step):
            break
        if step.agent != newest.agent:
            continue
        if step.kind in SHARED_WORK:
            break
        if step.output is None or not is_same(step.output, newest.output):
            continue
        if not found or step.last_ns <= found[0].began_at_ns:
            found.insert(0, step)
    return found


def is_same(output: Output, newest: Output) -> bool:
    """True for two answers with nearly the same words."""
    planned = newest.state is OutputState.PLANNED
    least = PLAN_CHARS if planned else SUBSTANTIAL_CHARS
    if min(newest.text.size or 0, output.text.size or 0) < least:
        return False
    if output.text.digest == newest.text.digest:
        return True
    this, that = output.text.sketch, newest.text.sketch
    return len(this & that) >= SAME_WORDS_MIN * len(this | that) > 0


def is_one_conversation(steps: Sequence[Step], newest: Output) -> bool:
    """True where each answer was given after more messages, or says what comes next."""
    sent = [step.tokens.input if step.tokens else 0 for step in steps]
    if any(later < earlier for earlier, later in pairwise(sent)):
        return False
    return newest.state is OutputState.PLANNED or all(b > a for a, b in pairwise(sent))
