"""stopped_early: a run that stopped and was not done: by a limit, without an answer, or claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import AnswerState, Finding, Level, Outcome, OutputState, Run, Step, StepKind
from aftershock.policy.reports import only_reports
from aftershock.policy.tiers import names_effect
from aftershock.rules.actions import REFUSALS, changed_something
from aftershock.rules.denials import done_against_a_no
from aftershock.rules.endings import ending_finding, is_over
from aftershock.rules.left_undone import failed_work, parts_left
from aftershock.rules.rule import Family, Lifetime, Timing, rule
from aftershock.rules.tail import is_instruction
from aftershock.runs.endings import answer_of, is_limit_of_run, last_step, stop_reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aftershock.limits import Limits

KIND = "stopped_early"


@rule(Family.ENDS, Lifetime.ACTION, timing=Timing.CLOCK)
def stopped_early(run: Run, limits: Limits) -> Iterator[Finding]:
    """A run that is over and was not done.

    It warns where the last inference was cut, the last step was a tool call, or the answer is empty
    or only says what the agent is going to do: an agent that needs no answer ends with a tool call
    too. It pages where the answer says that everything is done, and a limit of turns stopped the
    run, or the last call that was to change something failed or was refused, or several calls of a
    batch had failed and were not made up for, or the work begun here had ended badly when it was
    last read, or something was done after a denial; and where a person was asked for leave, said
    not now, and it was done at once. A message about the work and the closing of its ticket are not
    the work. Runs that crashed are another finding.
    """
    step = last_step(run.steps)
    if not is_over(run) or run.error is not None or step is None:
        return
    level, steps = Level.WARN, [step]
    if (reason := stop_reason(step)) is not None:
        claims = step.output is not None and step.output.state is OutputState.DONE
        level = Level.ALARM if claims and is_limit_of_run(reason) else Level.WARN
        what = "called itself done when it was" if level is Level.ALARM else "was"
        summary = f"The run ended because its last answer {what} stopped: {reason}."
    elif step.kind is StepKind.TOOL_CALL and answers(run):
        summary = f"The run ended without an answer, after {step.name}."
    elif (found := unfulfilled(run)) is not None:
        level, steps, summary = found
    else:
        return
    yield ending_finding(run, limits, steps, kind=KIND, level=level, summary=summary)


def unfulfilled(run: Run) -> tuple[Level, list[Step], str] | None:
    """What is wrong with the answer that the run ended with; None: nothing that can be told."""
    answer = answer_of(run.steps)
    if answer is None or answer.output is None:
        return None
    if (against := done_against_a_no(run.steps)) is not None:
        asked, act = against
        summary = f"{act.name} was called although the answer to {asked.name} had just been no."
        return Level.ALARM, [asked, act], summary
    state = answer.output.state
    acted = any(step.action is not None for step in run.steps)
    if state is OutputState.EMPTY and acted:
        return Level.WARN, [answer], "The run ended with an empty answer."
    if state is OutputState.PLANNED and acted:
        return Level.WARN, [answer], "The run ended with the announcement of what comes next."
    if state is OutputState.DONE and (denied := last_denial(run.steps)) is not None:
        summary = f"The run ended as done although {denied.name} had been denied."
        return Level.ALARM, [denied, answer], summary
    if state is OutputState.DONE and (failed := last_attempt(run.steps)) is not None:
        summary = f"The run ended as done, and its last call of {failed.name} had not worked."
        return Level.ALARM, [failed, answer], summary
    return undone(run, answer) if state is OutputState.DONE else None


def undone(run: Run, answer: Step) -> tuple[Level, list[Step], str] | None:
    """What an answer that claims that all is done passes over; None: nothing that is known."""
    if left := parts_left(run.steps):
        summary = (
            f"The run ended as done, and {len(left)} calls of {left[-1].name} had failed for "
            "things that no later call dealt with."
        )
        return Level.ALARM, [*left, answer], summary
    if (wrong := failed_work(run)) is not None:
        summary = f"The run ended as done, and {wrong.name} had last answered that it had failed."
        return Level.ALARM, [wrong, answer], summary
    return None


def last_denial(steps: Sequence[Step]) -> Step | None:
    """The newest call that somebody denied and after which something was done all the same.

    Another way to the same end does not lift a denial; a later approval by the same tool, or a new
    word of a person, may. Who only tells of it, or closes its ticket, has obeyed.
    """
    allowed: set[str] = set()
    acted = False
    for step in reversed(steps):
        if is_instruction(step):
            return None
        action = step.action
        if action is None or action.outcome is None or not action.tier.has_effect:
            continue
        if action.state is AnswerState.DENIED and action.tool not in allowed:
            return step if acted else None
        allowed.add(action.tool)
        does = names_effect(action.tool) and not only_reports(action.tool)
        acted = acted or (does and changed_something(action))
    return None


def last_attempt(steps: Sequence[Step]) -> Step | None:
    """The last call that was to change something, if it did not; None: it worked.

    Messages and tickets that worked say nothing of the work that they are about.
    """
    worked: set[str] = set()
    for step in reversed(steps):
        action = step.action
        if action is None or not (names_effect(action.tool) and was_to_change(step)):
            continue
        if action.tool in worked:
            continue
        if step.ended_at_ns is None or action.outcome is Outcome.FAILED:
            return step
        if action.state in REFUSALS:
            return step
        if not only_reports(action.tool):
            return None
        worked.add(action.tool)
    return None


def was_to_change(step: Step) -> bool:
    """True for a call with an effect, and for one that was denied."""
    action = step.action
    return action is not None and (
        action.tier.has_effect or (step.approval is not None and not step.approval.lets_pass)
    )


def answers(run: Run) -> bool:
    """True where a person asked and the model's inferences are recorded: an answer is expected."""
    kinds = {step.kind for step in run.steps}
    return StepKind.INFERENCE in kinds and StepKind.MESSAGE in kinds
