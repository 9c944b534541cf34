"""Label sets of metrics: bounded in number and in length, whatever agents are called."""

from __future__ import annotations

import re
from collections import Counter as Tally
from typing import Generic, NamedTuple, TypeVar

from prometheus_client import Counter, Histogram

SETS_MAX = 1_000  # of one metric: fifty agents with twenty tools each
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
    """A metric with labels, of which only so many sets are kept apart."""

    def __init__(self, metric: Metric, dropped: Tally[str], sets_max: int = SETS_MAX) -> None:
        self._metric = metric
        self._dropped = dropped
        self._sets_max = sets_max
        self._children: dict[tuple[str, ...], Metric] = {}

    def at(self, *labels: str) -> Metric:
        """What counts for one set of labels."""
        child = self._children.get(labels)
        if child is not None:
            return child
        if len(self._children) >= self._sets_max:
            self._dropped["metric_labels_full"] += 1
            return self._metric.labels(*(OTHER,) * len(labels))
        child = self._children[labels] = self._metric.labels(*map(cut, labels))
        return child
