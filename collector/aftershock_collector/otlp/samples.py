"""OTLP metrics → samples: one per data point, or a counted reason why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from math import isfinite
from typing import Any, NamedTuple

from aftershock_collector.otlp import protobuf
from aftershock_collector.otlp.otlp_json import MALFORMED
from aftershock_collector.otlp.protobuf import DecodeError
from aftershock_collector.otlp.values import attributes_of, text_of
from aftershock_collector.otlp.wire import (
    TIME_MAX_NS,
    Attributes,
    Decoded,
    Exponential,
    Sample,
    SampleKind,
)

BUCKETS_MAX = 1_024  # of one histogram; SDKs stop at 160
QUANTILES_MAX = 128
SCALE_MIN, SCALE_MAX = -10, 20  # what the data model allows
EXPONENT_MAX = 1_100  # powers of two that a double can hold, both ways

DELTA, CUMULATIVE = 1, 2  # AggregationTemporality
_NO_RECORDED_VALUE = 1  # DataPointFlags

NO_TIME = "time of 0 or out of range"
NO_VALUE = "data point without a value"
NOT_FINITE = "value that is not a finite number"
NO_TEMPORALITY = "metric that is neither delta nor cumulative"
NO_DATA = "metric of no known kind"
MALFORMED_POINT = "malformed data point"
MALFORMED_BUCKETS = "histogram whose buckets and bounds do not fit"


class _Rejected(Exception):  # noqa: N818  (never leaves this module)
    """One data point that cannot be kept; says why."""


class _Ended(Exception):  # noqa: N818  (never leaves this module)
    """A data point that says only that its series has ended: silence says the same."""


class _Metric(NamedTuple):
    """What all points of one metric share."""

    name: str
    unit: str
    kind: SampleKind
    resource: Attributes
    scope: str
    monotonic: bool
    delta: bool
    trimmed: Counter[str]


def samples_of(body: bytes, resource: Attributes, scope: str, decoded: Decoded[Sample]) -> None:
    """Decode one Metric and add its samples, or its rejections, to `decoded`."""
    try:
        message = protobuf.Metric.FromString(body)
        field = message.WhichOneof("data")
        if field is None:
            decoded.rejected[NO_DATA] += 1
            return
        kind, opened, read = _KINDS[field]
        data = opened.FromString(getattr(message, field))
        points: list[bytes] = list(data.data_points)
        metric = _Metric(
            text_of(message.name, decoded.trimmed),
            text_of(message.unit, decoded.trimmed),
            kind,
            resource,
            scope,
            bool(getattr(data, "is_monotonic", False)),
            getattr(data, "aggregation_temporality", CUMULATIVE) == DELTA,
            decoded.trimmed,
        )
    except DecodeError:
        decoded.rejected[MALFORMED["metrics"]] += 1
        return
    if getattr(data, "aggregation_temporality", CUMULATIVE) not in (DELTA, CUMULATIVE):
        decoded.rejected[NO_TEMPORALITY] += len(points)
        return
    for point in points:
        try:
            decoded.items.append(read(point, metric))
        except _Rejected as why:
            decoded.rejected[str(why)] += 1
        except _Ended:
            continue
        except DecodeError:
            decoded.rejected[MALFORMED_POINT] += 1


def _sample(metric: _Metric, point: Any, **values: Any) -> Sample:
    """Fill in what every data point has."""
    time_ns: int = point.time_unix_nano
    started_ns: int = point.start_time_unix_nano
    if not 0 < time_ns <= TIME_MAX_NS:
        raise _Rejected(NO_TIME)
    if point.flags & _NO_RECORDED_VALUE:
        raise _Ended
    return Sample(
        name=metric.name,
        unit=metric.unit,
        kind=metric.kind,
        attributes=attributes_of(point.attributes, metric.trimmed),
        resource=metric.resource,
        time_ns=time_ns,
        started_at_ns=started_ns if 0 < started_ns <= time_ns else None,
        monotonic=metric.monotonic,
        delta=metric.delta,
        scope=metric.scope,
        **values,
    )


def _finite(value: float) -> float:
    if not isfinite(value):
        raise _Rejected(NOT_FINITE)
    return value


def _optional(point: Any, field: str) -> float | None:
    return _finite(getattr(point, field)) if point.HasField(field) else None


def _number(body: bytes, metric: _Metric) -> Sample:
    point = protobuf.NumberDataPoint.FromString(body)
    field = point.WhichOneof("value")
    if field is None and not point.flags & _NO_RECORDED_VALUE:
        raise _Rejected(NO_VALUE)
    return _sample(metric, point, value=_finite(float(getattr(point, field or "as_double"))))


def _histogram(body: bytes, metric: _Metric) -> Sample:
    point = protobuf.HistogramDataPoint.FromString(body)
    bounds, buckets = tuple(point.explicit_bounds), tuple(point.bucket_counts)
    fits = len(buckets) == len(bounds) + 1 or (not buckets and not bounds)
    rising = all(low < high for low, high in pairwise(bounds))
    if not (fits and rising and all(map(isfinite, bounds))) or len(buckets) > BUCKETS_MAX:
        raise _Rejected(MALFORMED_BUCKETS)
    return _sample(
        metric,
        point,
        observations=point.count,
        total=_optional(point, "sum"),
        minimum=_optional(point, "min"),
        maximum=_optional(point, "max"),
        bounds=bounds,
        buckets=buckets,
    )


def _exponential(body: bytes, metric: _Metric) -> Sample:
    point = protobuf.ExponentialHistogramDataPoint.FromString(body)
    positive = protobuf.Buckets.FromString(point.positive)
    negative = protobuf.Buckets.FromString(point.negative)
    for side in (positive, negative):
        reach = max(abs(side.offset), abs(side.offset + len(side.bucket_counts)))
        if len(side.bucket_counts) > BUCKETS_MAX or not (
            SCALE_MIN <= point.scale <= SCALE_MAX and reach * 2.0**-point.scale <= EXPONENT_MAX
        ):
            raise _Rejected(MALFORMED_BUCKETS)
    return _sample(
        metric,
        point,
        observations=point.count,
        total=_optional(point, "sum"),
        minimum=_optional(point, "min"),
        maximum=_optional(point, "max"),
        exponential=Exponential(
            point.scale,
            point.zero_count,
            _finite(point.zero_threshold),
            positive.offset,
            tuple(positive.bucket_counts),
            negative.offset,
            tuple(negative.bucket_counts),
        ),
    )


def _summary(body: bytes, metric: _Metric) -> Sample:
    point = protobuf.SummaryDataPoint.FromString(body)
    quantiles = [protobuf.ValueAtQuantile.FromString(raw) for raw in point.quantile_values]
    return _sample(
        metric,
        point,
        observations=point.count,
        total=_finite(point.sum),
        # Prometheus clients say NaN for the quantiles of a window without observations.
        quantiles=tuple(
            (found.quantile, found.value)
            for found in quantiles[:QUANTILES_MAX]
            if isfinite(found.quantile) and isfinite(found.value)
        ),
    )


_KINDS: dict[str, tuple[SampleKind, Any, Callable[[bytes, _Metric], Sample]]] = {
    "gauge": (SampleKind.GAUGE, protobuf.Gauge, _number),
    "sum": (SampleKind.SUM, protobuf.Sum, _number),
    "histogram": (SampleKind.HISTOGRAM, protobuf.Histogram, _histogram),
    "exponential_histogram": (
        SampleKind.EXPONENTIAL_HISTOGRAM,
        protobuf.ExponentialHistogram,
        _exponential,
    ),
    "summary": (SampleKind.SUMMARY, protobuf.Summary, _summary),
}
