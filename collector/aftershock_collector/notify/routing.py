"""Which receivers an incident's page goes to, and when: routes, severities, waits, quiet hours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from aftershock_collector.config.on_call import OnCall, QuietHours, Route, zone_of
from aftershock_collector.notify.receiver import Content, Receiver
from aftershock_collector.store.incidents import Incident, Severity
from aftershock_collector.wording import NS


class Routing:
    """The receivers of pages, asked for each incident."""

    def __init__(self, on_call: OnCall, receivers: Sequence[Receiver]) -> None:
        self._on_call = on_call
        self._receivers = tuple(r for r in receivers if r.content is Content.PAGES)

    def receivers_for(self, agents: Sequence[str], severity: str) -> list[Receiver]:
        """Those of the agents' route, or all; each only for the severities that it wants."""
        route = route_of(self._on_call.routes, agents)
        named = None if route is None or not route.receivers else route.receivers
        return [
            receiver
            for receiver in self._receivers
            if (named is None or receiver.name in named)
            and self._on_call.wants(receiver.name, severity)
        ]

    def wait_ns(self, receiver: str, severity: str, now_ns: int) -> int:
        """How long a page waits for siblings or for the end of quiet hours; 0 if critical."""
        if severity == Severity.CRITICAL:
            return 0
        wait_ns = int(self._on_call.wait_of(receiver) * NS)
        quiet = self._on_call.quiet_hours
        return wait_ns if quiet is None else max(wait_ns, quiet_ns(quiet, now_ns))


def route_of(routes: Iterable[Route], agents: Sequence[str]) -> Route | None:
    """The first route that matches one of an incident's agents."""
    for route in routes:
        if any(fnmatchcase(agent, route.agent) for agent in agents or ("",)):
            return route
    return None


def team_of(routes: Iterable[Route], incident: Incident) -> str | None:
    """The team that owns the incident's agents."""
    route = route_of(routes, incident.agents)
    return None if route is None else route.team


def quiet_ns(quiet: QuietHours, now_ns: int) -> int:
    """Nanoseconds until quiet hours end; 0 outside of them."""
    now = datetime.fromtimestamp(now_ns / NS, UTC).astimezone(zone_of(quiet.timezone))
    minutes = now.hour * 60 + now.minute
    begins, ends = quiet.begins_min, quiet.ends_min
    inside = begins <= minutes < ends if begins < ends else minutes >= begins or minutes < ends
    if not inside:
        return 0
    over = now.replace(hour=ends // 60, minute=ends % 60, second=0, microsecond=0)
    if over <= now:
        over += timedelta(days=1)
    return int((over.timestamp() - now_ns / NS) * NS)
