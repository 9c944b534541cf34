"""Words about an incident: whether it is open, acknowledged, snoozed, muted or closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock_collector.wording import clean, clock

if TYPE_CHECKING:
    from aftershock_collector.store.incidents import Incident

NAME_CHARS_MAX = 60


def state_words(incident: Incident, now_ns: int) -> str:
    """The state of an incident in a few words, with who changed it."""
    if incident.closed_at_ns is not None:
        return f"closed: {clean(incident.closing)}" if incident.closing else "closed"
    if incident.muted is not None:
        return f"muted: {clean(incident.muted)}"
    if incident.snoozed is not None and incident.snoozed_at(now_ns):
        until = clock(incident.snoozed.until_ns or now_ns)
        return f"snoozed until {until} by {clean(incident.snoozed.by, NAME_CHARS_MAX)}"
    if incident.acknowledged is not None:
        return f"acknowledged by {clean(incident.acknowledged.by, NAME_CHARS_MAX)}"
    return "open"
