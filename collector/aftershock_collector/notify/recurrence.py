"""A scheduled job that fails in the same way each time: one thing to the person on call."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from aftershock_collector.store.incidents import Incident, Severity

NS = 1_000_000_000
REMEMBERED_S = 26 * 3_600.0  # a page a day for a job that nobody mends
REMEMBERED_MAX = 1_000
PAGES = 2  # of one series; the second says that it was no accident
GAP_MIN_S = 600.0  # what comes back sooner is no schedule
GAPS_RATIO_MAX = 1.5  # between the longest and the shortest gap of one series
NUMBERS = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An earlier incident, as far as later ones are compared with it."""

    number: int
    opened_at_ns: int
    same: tuple[str, ...]
    paged: bool


def same_of(incident: Incident) -> tuple[str, ...]:
    """What two incidents of one job have in common: agents, rule, and the title without numbers."""
    return (*incident.agents, *incident.kinds[:1], NUMBERS.sub("#", incident.title))


class Recurrence:
    """Incidents of the last day about states. Belongs to one thread."""

    def __init__(self) -> None:
        self._earlier: deque[Occurrence] = deque(maxlen=REMEMBERED_MAX)

    def remember(self, incident: Incident) -> None:
        """An incident that was opened, whether it paged or not."""
        if incident.severity is Severity.ERROR:
            opened_ns, paged = incident.opened_at_ns, incident.muted is None
            self._earlier.append(Occurrence(incident.number, opened_ns, same_of(incident), paged))

    def scheduled(self, incident: Incident) -> str | None:
        """Why an incident needs no page of its own; None where it does.

        It continues a series at regular intervals of which PAGES paged within the last day. What
        an agent did always pages.
        """
        if incident.severity is not Severity.ERROR:
            return None
        opened_ns, same = incident.opened_at_ns, same_of(incident)
        series = [
            one
            for one in self._earlier
            if one.same == same
            and one.number != incident.number
            and 0 < opened_ns - one.opened_at_ns < REMEMBERED_S * NS
        ]
        paged = [one.number for one in series if one.paged]
        times = [*(one.opened_at_ns for one in series[-PAGES:]), opened_ns]
        gaps = [later - before for before, later in pairwise(times)]
        if len(paged) < PAGES or min(gaps) < GAP_MIN_S * NS:
            return None
        if max(gaps) > GAPS_RATIO_MAX * min(gaps):
            return None
        numbers = " and ".join(map(str, paged[-PAGES:]))
        return f"a scheduled job with the same result: incidents {numbers} paged within a day"
