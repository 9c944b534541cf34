"""Steps inside steps: whose they are, and what the calls that a tool makes in turn reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aftershock.model import Step, StepKind

NESTING_MAX = 64  # spans around a span; deeper is a circle
Place = tuple[str, str]  # a run and a span of it


def with_agents(steps: Sequence[Step]) -> list[Step]:
    """Steps that do not say whose they are belong to the agent around them, else to the run's."""
    around = {(s.run_id, s.span_id): s for s in steps}
    owner: dict[str, str | None] = {}
    for step in steps:
        if step.kind is StepKind.AGENT and step.agent is not None:
            owner.setdefault(step.run_id, step.agent)
    return [
        step if step.agent is not None else replace(step, agent=agent_around(step, around, owner))
        for step in steps
    ]


def agent_around(
    step: Step, around: dict[tuple[str, str], Step], owner: dict[str, str | None]
) -> str | None:
    """The agent of the nearest step around this one that has one."""
    outer: Step | None = step
    for _ in range(NESTING_MAX):
        outer = around.get((outer.run_id, outer.parent_id or ""))
        if outer is None:
            break
        if outer.agent is not None:
            return outer.agent
    return owner.get(step.run_id)


def outgoing_by_span(steps: Iterable[Step]) -> dict[Place, Step]:
    """Every outgoing call."""
    return {(s.run_id, s.span_id): s for s in steps if s.kind is StepKind.OUTGOING}


def caller_of(step: Step, made: Mapping[Place, Step]) -> tuple[str, str | None]:
    """The run and the span that made an outgoing call, outside of other outgoing calls."""
    for _ in range(NESTING_MAX):
        step = made.get((step.run_id, step.parent_id or ""), step)
    return step.run_id, step.parent_id


def with_reached(steps: Sequence[Step]) -> list[Step]:
    """Tools that declare no target act on what their own calls reached."""
    made = outgoing_by_span(steps)
    reached: dict[tuple[str, str | None], dict[str, None]] = defaultdict(dict)
    for step in made.values():
        reached[caller_of(step, made)] |= dict.fromkeys(step.targets)
    return [
        replace(
            step, action=replace(step.action, targets=tuple(reached[step.run_id, step.span_id]))
        )
        if step.action is not None and not step.action.targets
        else step
        for step in steps
    ]
