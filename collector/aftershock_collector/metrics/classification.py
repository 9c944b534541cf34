"""What a metric can show, from its name, unit and kind: latency, errors, resources or traffic.

Names are matched as OpenTelemetry and Prometheus write them, with dots read as underscores.
A metric whose rise is neither better nor worse is not measured at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from aftershock.attributes import ERROR_TYPE
from aftershock_collector.metrics.known_metrics import Fold, Kept, KnownMetric, known
from aftershock_collector.metrics.series import Family
from aftershock_collector.otlp.wire import SampleKind
from aftershock_collector.wording import LARGER_IS_BETTER


class Class(NamedTuple):
    """How a metric is measured."""

    family: Family
    unit: str  # of the measured value
    factor: float  # from the sender's unit
    fold: Fold
    called: bool  # a caller's view: it belongs to what was called
    rate: bool = False  # a counter: measured as what it gains in a second
    inverted: bool = False  # larger is better: measured as 1 - value
    outcomes: bool = False  # conventions promise that error.type marks what failed
    kept: tuple[Kept, ...] = ()  # label sets that count; empty: all


_DURATIONS = re.compile(r"duration|latency|response_time|wait_time|use_time|elapsed|_time$|_m?s$")
_SECONDS = re.compile(r"_seconds(_total)?$|_secs?$")
_MILLISECONDS = re.compile(r"_milliseconds$|_millis$|_ms$")
_NOT_MEASURED = re.compile(
    r"(^|_)gc_|_created$|_info$|^scrape_|_uptime|_start_time|^target_|_timestamp|last_|_build"
    r"|virtual_memory|memory_virtual|_vms(_|$)"  # reserved addresses: threads move them
)
_ERRORS = re.compile(
    r"error|failure|failed|timeouts?(_total)?$|refused|reject|exception|rollback|deadlock"
    r"|_oom|restarts?(_total)?$|unavailable|throttl|aborted"
)
_REQUESTS = re.compile(
    r"(requests?|calls?|queries|operations?|commits?|transactions?|handled|messages?|jobs?|tasks?"
    r"|started|completed|processed)(_count)?(_total)?$"
)
_CPU = re.compile(r"(^|_)cpu(_|$)")
_CPU_SPENT = re.compile(r"cpu_(seconds|time|usage_seconds|user|system)")
_MEMORY = re.compile(r"memory|resident|(^|_)rss|heap|working_set")
_LIMIT = re.compile(r"_(max|limit|limits|capacity|wanted|desired|requested|total|free|available)$")
_CONNECTIONS = re.compile(r"connections?(_|$)|(^|_)pool_|activity_count|sessions?_active")
_QUEUE = re.compile(
    r"queue|backlog|(^|_)lag|pending|in_?flight|in_progress|active_requests|waiting|saturation"
)
_UTILISATION = re.compile(r"utili[sz]ation|usage_(ratio|percent)|_percent$")
_ERROR_RATIO = re.compile(r"error_(ratio|rate|percent)|failure_(ratio|rate)")
_OUTCOMES = re.compile(r"^(http|rpc|db)_(server|client)_.*duration$")
_CALLED = re.compile(r"^(http|rpc)_client_|^db_client_(operation|response)_")
_TO_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "min": 60.0}


@lru_cache(maxsize=8_192)  # far more metric names than one fleet has
def classify(name: str, unit: str, kind: SampleKind, monotonic: bool) -> Class | None:
    """How to measure this metric; None where it cannot be called better or worse."""
    plain = name.replace(".", "_").replace("/", "_").lower()
    called = _CALLED.search(plain) is not None
    table = known(plain)
    if table is not None:
        return _as_known(table, plain, unit, kind, monotonic)
    if _NOT_MEASURED.search(plain):
        return None
    if kind in _DISTRIBUTIONS:
        if unit == "By" or not (_DURATIONS.search(plain) or _SECONDS.search(plain)):
            return None
        named, factor = _seconds(plain, unit)
        outcomes = _OUTCOMES.search(plain) is not None
        return Class(Family.LATENCY, named, factor, Fold.SUM, called, outcomes=outcomes)
    if monotonic:
        return _counter(plain, called)
    return _gauge(plain, unit, called)


_DISTRIBUTIONS = {SampleKind.HISTOGRAM, SampleKind.EXPONENTIAL_HISTOGRAM, SampleKind.SUMMARY}


def _as_known(
    table: KnownMetric, plain: str, unit: str, kind: SampleKind, monotonic: bool
) -> Class | None:
    """As the table of exporters says, whatever kind of metric a version of them sends."""
    family, named, factor, fold = table.family, table.unit, 1.0, table.fold
    if family is None or (kind in _DISTRIBUTIONS and named != "s"):
        return None
    if named == "s":
        parsed, factor = _seconds(plain, unit)
        factor = factor if parsed == "s" else 1.0
        fold = Fold.SUM if kind in _DISTRIBUTIONS else fold
    elif monotonic is False and named.endswith("/s"):
        named = named.removesuffix("/s")
    return Class(
        family, named, factor, fold, False,
        rate=monotonic, inverted=table.inverted, kept=table.kept,
    )  # fmt: skip


def counted(kind: Class, attributes: Mapping[str, Any]) -> bool:
    """True where the labels are of those that this metric is about: what is idle is no load."""
    if kind.family is Family.RESOURCES and idle(attributes):
        return False
    return not kind.kept or any(
        all(str(attributes.get(label, "")) in values for label, values in each.items())
        for each in kind.kept
    )


def _counter(plain: str, called: bool) -> Class | None:
    if _CPU.search(plain) and (_CPU_SPENT.search(plain) or _SECONDS.search(plain)):
        return Class(Family.RESOURCES, "1", 1.0, Fold.MEAN, called, rate=True)
    if _ERRORS.search(plain):
        return Class(Family.ERRORS, "{error}/s", 1.0, Fold.SUM, called, rate=True)
    if _REQUESTS.search(plain):
        return Class(Family.TRAFFIC, "{request}/s", 1.0, Fold.SUM, called, rate=True)
    return None


class _Gauge(NamedTuple):
    """What gauges with such a name are; the first that matches wins."""

    name: re.Pattern[str]
    family: Family | None  # None: a limit or a wish, which does not move with trouble
    unit: str = "1"
    fold: Fold = Fold.MAX


_GAUGES = (
    _Gauge(LARGER_IS_BETTER, Family.ERRORS, "1", Fold.MEAN),
    _Gauge(_ERROR_RATIO, Family.ERRORS, "1", Fold.MEAN),
    _Gauge(_LIMIT, None),
    _Gauge(_UTILISATION, Family.RESOURCES),
    _Gauge(_CONNECTIONS, Family.RESOURCES, "{connection}", Fold.SUM),
    _Gauge(_CPU, Family.RESOURCES),
    _Gauge(re.compile(r"(^|_)load_?(1|average)"), Family.RESOURCES),
    _Gauge(_MEMORY, Family.RESOURCES, "By", Fold.MEAN),
    _Gauge(_QUEUE, Family.RESOURCES, "{item}", Fold.SUM),
    _Gauge(_ERRORS, Family.ERRORS, "{error}", Fold.SUM),
    _Gauge(re.compile(r"latency|duration|response_time"), Family.LATENCY, "s"),
)


def _gauge(plain: str, unit: str, called: bool) -> Class | None:
    for named in _GAUGES:
        if not named.name.search(plain):
            continue
        if named.family is None:
            return None
        if named.family is Family.LATENCY:
            seconds, factor = _seconds(plain, unit)
            return Class(named.family, seconds, factor, named.fold, called)
        percent = unit == "%" or plain.endswith("percent")
        factor = 0.01 if percent and named.unit == "1" else 1.0
        inverted = LARGER_IS_BETTER.search(plain) is not None
        return Class(named.family, named.unit, factor, named.fold, called, inverted=inverted)
    return None


def _seconds(plain: str, unit: str) -> tuple[str, float]:
    """(unit, factor): seconds where the unit is known, else as it was sent."""
    if unit in _TO_SECONDS:
        return "s", _TO_SECONDS[unit]
    if _SECONDS.search(plain):
        return "s", 1.0
    return ("s", 1e-3) if _MILLISECONDS.search(plain) else (unit, 1.0)


# --- Outcomes ----------------------------------------------------------------------------------

_STATUS = (
    "http.response.status_code",
    "http_response_status_code",  # as Prometheus has it
    "http.status_code",
    "rpc.grpc.status_code",
    "status_code",
    "code",
    "status",
    "http_status",
    "grpc_code",
    "outcome",
    "result",
)
_BAD = re.compile(
    r"^5(\d\d|xx)$|error|fail|exception|timeout|deadline|unavailable|internal|unknown|data_?loss"
    r"|exhausted|aborted|reject"
)
_BAD_GRPC = frozenset({"2", "4", "8", "10", "13", "14", "15"})
_IDLE = frozenset({"idle", "iowait", "steal", "guest", "guest_nice", "free", "cached", "buffers"})
_STATES = ("mode", "state", "cpu.mode", "system.cpu.state", "db.client.connection.state")


def failed(attributes: Mapping[str, Any]) -> bool | None:
    """Whether these labels mark failures; None where they name no outcome."""
    if attributes.get(ERROR_TYPE):
        return True
    for key in _STATUS:
        value = attributes.get(key)
        if value is not None:
            text = str(value).lower()
            return (
                text in _BAD_GRPC
                if "grpc" in key and text.isdigit()
                else _BAD.search(text) is not None
            )
    return None


def idle(attributes: Mapping[str, Any]) -> bool:
    """True where these labels count what is *not* used: idle CPU, free memory and connections."""
    return any(str(attributes.get(key, "")).lower() in _IDLE for key in _STATES)
