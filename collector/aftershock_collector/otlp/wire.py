"""What arrived, as it arrived: spans, log events and metric samples, read once and not interpreted.

These are named tuples and not frozen dataclasses because a collector makes one per span: they are
as immutable, and made in a fifth of the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

# Values of opentelemetry.proto.trace.v1: Span.SpanKind and Status.StatusCode.
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
STATUS_UNSET, STATUS_OK, STATUS_ERROR = 0, 1, 2

TIME_MAX_NS = 2**63 - 1  # what the store's integers hold: the year 2262

Attributes = Mapping[str, Any]  # str | bool | int | float | bytes | None, lists and dicts of them


class SpanEvent(NamedTuple):
    """Something that happened inside a span, such as an exception."""

    name: str
    time_ns: int
    attributes: Attributes


class SpanLink(NamedTuple):
    """A span that this span points at."""

    trace_id: str
    span_id: str
    attributes: Attributes


class Span(NamedTuple):
    """One span. Ids are lower-case hex. `attributes` is this span's own dict; the rest is shared.

    `body`, `resource_body` and `scope_body` are the bytes that arrived, unchanged (protobuf; what
    came as JSON was encoded once). `decode.decode_span` turns the three into this span again.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: int
    began_at_ns: int
    ended_at_ns: int
    status_code: int
    status_message: str
    attributes: dict[str, Any]
    resource: Attributes
    scope: str
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    body: bytes = b""
    resource_body: bytes = b""
    scope_body: bytes = b""


class LogEvent(NamedTuple):
    """One log record. `text` is its body: a string, or the nested value that was sent."""

    trace_id: str | None
    span_id: str | None
    name: str  # event_name, or the attribute event.name of older senders; "" for a plain log line
    text: Any
    time_ns: int
    severity: int  # SeverityNumber: 9 info, 13 warn, 17 error; 0 unknown
    attributes: dict[str, Any]
    resource: Attributes
    scope: str
    body: bytes = b""
    resource_body: bytes = b""
    scope_body: bytes = b""


class SampleKind(StrEnum):
    """What the number of a sample is."""

    GAUGE = "gauge"
    SUM = "sum"
    HISTOGRAM = "histogram"
    EXPONENTIAL_HISTOGRAM = "exponential histogram"
    SUMMARY = "summary"


class Exponential(NamedTuple):
    """Buckets of base 2**(2**-scale): bucket i of `positive` ends at base**(offset + i + 1)."""

    scale: int
    zero_count: int
    zero_threshold: float
    positive_offset: int
    positive: tuple[int, ...]
    negative_offset: int
    negative: tuple[int, ...]


class Sample(NamedTuple):
    """One data point of one metric.

    A gauge or a sum has `value`; histograms and summaries have `observations` and `total`.
    `delta` and `monotonic` matter for sums, `delta` for histograms: False means since
    `started_at_ns`.
    """

    name: str
    unit: str
    kind: SampleKind
    attributes: Attributes
    resource: Attributes
    time_ns: int
    started_at_ns: int | None = None  # None: the sender did not say
    value: float | None = None
    monotonic: bool = False
    delta: bool = False
    observations: int | None = None  # how many measurements a histogram or summary holds
    total: float | None = None  # None: not sent (it may not be, for negative measurements)
    minimum: float | None = None
    maximum: float | None = None
    bounds: tuple[float, ...] = ()  # upper, inclusive; one fewer than buckets
    buckets: tuple[int, ...] = ()  # counts, not cumulative
    exponential: Exponential | None = None
    quantiles: tuple[tuple[float, float], ...] = ()  # (quantile 0..1, value)
    scope: str = ""


class Unreadable(ValueError):  # noqa: N818  (it says what the body is)
    """A whole body that cannot be read: the sender gets 400 and nothing of it is kept."""


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Decoded(Generic[Item]):
    """What one request held."""

    items: list[Item]
    rejected: Counter[str] = field(default_factory=Counter[str])  # reason → items not kept
    trimmed: Counter[str] = field(default_factory=Counter[str])  # reason → values cut, item kept
