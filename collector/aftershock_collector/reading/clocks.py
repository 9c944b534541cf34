"""Times that cannot be: what a sender dates into the future happened when it arrived."""

from __future__ import annotations

from dataclasses import replace

from aftershock.model import Step

AHEAD_MAX_NS = 86_400 * 10**9  # a wrong time zone is half a day; more is no clock


def grounded(step: Step, arrived_ns: int) -> Step:
    """The step, moved to its arrival where it lies plainly after that; its length stays."""
    ahead_ns = step.last_ns - arrived_ns
    if ahead_ns <= AHEAD_MAX_NS:
        return step
    began_ns = min(step.began_at_ns - ahead_ns, arrived_ns)
    return replace(
        step,
        began_at_ns=max(0, began_ns),
        ended_at_ns=None if step.ended_at_ns is None else arrived_ns,
        facts=tuple(replace(fact, observed_at_ns=arrived_ns) for fact in step.facts),
    )
