"""Label sets of metrics: bounded in number and in length, whatever agents are called."""

from __future__ import annotations

import re
import time
from collections import Counter as Tally
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from prometheus_client import Counter, Histogram

SETS_MAX = 1_000  # of one metric: fifty agents with twenty tools each
IDLE_S = 600.0  # without a count: whoever counts again begins at zero, which `rate` understands
VALUE_CHARS_MAX = 120
OTHER = "(other)"  # stands for every label of a set that found no room
UNKNOWN = "unknown"

Metric = TypeVar("Metric", Counter, Histogram)

TRACE_ID = re.compile(r"[0-9a-f]{32}")
SPAN_ID = re.compile(r"[0-9a-f]{16}")


class Home(NamedTuple):
    """Whose it is: the labels that every metric about agents begins with."""

    agent: str
    service: str
    environment: str


HOME = Home._fields


def home_of(agent: str | None, service: str | None, environment: str | None) -> Home:
    """An agent without a name goes by its process's; absence is an empty label."""
    return Home(agent or service or UNKNOWN, service or "", environment or "")


def cut(value: str) -> str:
    """A label's value, as long as one may be."""
    return value if len(value) <= VALUE_CHARS_MAX else value[: VALUE_CHARS_MAX - 1] + "…"


def exemplar_of(trace_id: str, span_id: str) -> dict[str, str] | None:
    """What leads from a sample to its trace; None for runs that came without W3C ids."""
    if not TRACE_ID.fullmatch(trace_id) or not SPAN_ID.fullmatch(span_id):
        return None
    return {"trace_id": trace_id, "span_id": span_id}


class Bounded(Generic[Metric]):
    """A metric with labels, of which only so many sets are kept apart.

    When they are full, a newcomer gets the place of the service, and there of the agent, that holds
    more than it would, or of a set that nobody counted with for long. So a flood of names fills its
    own share.
    """

    def __init__(
        self,
        metric: Metric,
        dropped: Tally[str],
        sets_max: int = SETS_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metric = metric
        self._dropped = dropped
        self._sets_max = sets_max
        self._clock = clock
        self._children: OrderedDict[tuple[str, ...], Metric] = OrderedDict()  # least used first
        self._used_s: dict[tuple[str, ...], float] = {}
        self._services: Tally[str] = Tally()
        self._agents: dict[str, Tally[str]] = {}  # by service

    def at(self, *labels: str) -> Metric:
        """What counts for one set of labels, which begin with those of a Home."""
        child = self._children.get(labels)
        if child is not None:
            self._children.move_to_end(labels)
            self._used_s[labels] = self._clock()
            return child
        if len(self._children) >= self._sets_max and not self._make_room(labels[0], labels[1]):
            self._dropped["metric_labels_full"] += 1
            return self._metric.labels(*(OTHER,) * len(labels))
        child = self._children[labels] = self._metric.labels(*map(cut, labels))
        self._used_s[labels] = self._clock()
        self._services[labels[1]] += 1
        self._agents.setdefault(labels[1], Tally())[labels[0]] += 1
        return child

    def _make_room(self, agent: str, service: str) -> bool:
        """Give up one set for a newcomer; False: it has its share, and nobody is idle."""
        heaviest, held = max(self._services.items(), key=lambda pair: pair[1])
        if heaviest != service and held > self._services[service] + 1:
            ((most, _),) = self._agents[heaviest].most_common(1)
            return self._give_up(heaviest, most)
        agents = self._agents.get(service, Tally[str]())
        other, held = max(agents.items(), key=lambda pair: pair[1], default=("", 0))
        if other != agent and held > agents[agent] + 1:
            return self._give_up(service, other)
        oldest = next(iter(self._children))
        if self._clock() - self._used_s[oldest] < IDLE_S:
            return False
        return self._give_up(oldest[1], oldest[0])

    def _give_up(self, service: str, agent: str) -> bool:
        """Remove the least recently used set of an agent."""
        labels = next(one for one in self._children if one[1] == service and one[0] == agent)
        del self._children[labels], self._used_s[labels]
        self._metric.remove(*map(cut, labels))
        for tally, name in ((self._services, service), (self._agents[service], agent)):
            tally[name] -= 1
            if not tally[name]:
                del tally[name]
        return True
