"""Facts about the infrastructure: what became different outside the agents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aftershock.model.steps import Tier


class ChangeKind(StrEnum):
    """What kind of thing became different."""

    METRIC = "metric"
    ALERT = "alert"  # somebody's rule fired
    WARNING = "warning"  # the platform complains: OOMKilled, BackOff, FailedScheduling
    DEPLOY = "deploy"
    FLAG = "flag"  # a feature flag was turned
    OPERATION = "operation"  # what an agent's call did, as the log of what it acted on says
    EVENT = "event"  # any other reported event: a maintenance window, a failover

    @property
    def is_trouble(self) -> bool:
        """True for symptoms; the other kinds are actions by somebody, and may be a reason."""
        return self in {ChangeKind.METRIC, ChangeKind.ALERT, ChangeKind.WARNING}


@dataclass(frozen=True, slots=True)
class Change:
    """Something outside the agents became different."""

    id: str
    kind: ChangeKind
    entity: str
    name: str  # metric name, alert name, reason of the event
    began_at_ns: int
    ended_at_ns: int | None = None
    size: float | None = None  # robust units (metric) or None where there is no scale
    detail: str = ""
    trace_id: str | None = None  # the trace that it carries: an agent's, if one made the change
    span_id: str | None = None
    url: str | None = None  # where a person reads about it
    vouched: bool = True  # False: nobody asked its sender who that is, so anybody may have said it
    tier: Tier | None = None  # of what a log says was done; None: no log says it
