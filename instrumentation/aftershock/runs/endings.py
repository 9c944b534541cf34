"""How a run ended: its last step, whether that is a complete answer, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from aftershock.model import Outcome, Step, StepKind
from aftershock.policy.tiers import observes

OWN_STEPS = frozenset({StepKind.INFERENCE, StepKind.TOOL_CALL, StepKind.HAND_OFF})
# Finish reasons of models and frameworks that mean "stopped", not "done".
STOPPED = frozenset(
    {
        "length", "max_tokens", "max_output_tokens", "model_length", "max_iterations", "max_turns",
        "max_steps", "recursion_limit", "time_budget", "budget", "content_filter", "cancelled",
    }
)  # fmt: skip

LIMITS_OF_RUN = STOPPED - {"length", "max_tokens", "max_output_tokens", "model_length",
                           "content_filter", "cancelled"}  # fmt: skip


def last_step(steps: Sequence[Step]) -> Step | None:
    """The last thing the agent did; None where nothing is recorded."""
    return next((step for step in reversed(steps) if step.kind in OWN_STEPS), None)


def stop_reason(step: Step) -> str | None:
    """Why an inference was stopped before its end; None: it was not."""
    reason = step.finish_reason.lower() if step.finish_reason else ""
    return reason if reason in STOPPED else None


def is_limit_of_run(reason: str) -> bool:
    """True where not an answer but the whole run was stopped by a limit."""
    return reason in LIMITS_OF_RUN


def answer_of(steps: Sequence[Step]) -> Step | None:
    """The inference that a run ended with; None: it ended in another way."""
    step = last_step(steps)
    if step is None or step.kind is not StepKind.INFERENCE:
        return None
    return None if step.error is not None or stop_reason(step) else step


def reads_of(steps: Sequence[Step]) -> list[Step]:
    """Calls and retrievals that looked something up, oldest first."""
    return [
        step
        for step in steps
        if step.kind is StepKind.RETRIEVAL
        or (step.action is not None and not step.action.tier.has_effect and observes(step.name))
    ]


def failed(step: Step) -> bool:
    """True for a read that did not work; one that found nothing did."""
    return step.error is not None or (
        step.action is not None and step.action.outcome is Outcome.FAILED
    )


def sources_of(steps: Sequence[Step]) -> frozenset[str]:
    """The tools that a run read from with a usable answer, or with one that was not recorded."""
    return frozenset(
        step.name
        for step in reads_of(steps)
        if not failed(step)
        and (step.action is None or step.action.outcome in (None, Outcome.OK, Outcome.TRUNCATED))
    )
