"""decode: metrics become samples."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE as CUMULATIVE,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from aftershock_collector.otlp.decode import (
    decode_metrics,
)
from tests.collector.otlp.bodies import (
    METRICS,
    PROTOBUF,
    T0,
)


def metric(name: str = "m") -> tuple[MetricsData, Any]:
    data = MetricsData()
    return data, data.resource_metrics.add().scope_metrics.add().metrics.add(name=name)


def test_summaries_keep_only_quantiles_that_are_numbers() -> None:
    samples = {sample.name: sample for sample in decode_metrics(METRICS, PROTOBUF).items}

    assert samples["summary"].quantiles == ((0.5, 1.0),)
    assert (samples["sum"].delta, samples["sum"].started_at_ns) == (True, T0 - 9)
    assert samples["gauge"].value == -3


def test_points_that_say_nothing_are_rejected_with_reasons_unless_they_end_a_series() -> None:
    data, one = metric()
    one.gauge.data_points.add(time_unix_nano=T0)
    one.gauge.data_points.add(time_unix_nano=T0, flags=1)
    one.gauge.data_points.add(time_unix_nano=T0, as_double=float("nan"))
    one.gauge.data_points.add(as_double=1.0)
    one.gauge.data_points.add(time_unix_nano=T0, as_double=1.0)
    decoded = decode_metrics(data.SerializeToString(), PROTOBUF)

    assert [sample.value for sample in decoded.items] == [1.0]
    assert decoded.rejected == Counter(
        {
            "data point without a value": 1,
            "value that is not a finite number": 1,
            "time of 0 or out of range": 1,
        }
    )


def test_a_sum_without_temporality_is_rejected_point_by_point() -> None:
    data, one = metric()
    for value in (1, 2):
        one.sum.data_points.add(time_unix_nano=T0, as_int=value)

    assert decode_metrics(data.SerializeToString(), PROTOBUF).rejected == Counter(
        {"metric that is neither delta nor cumulative": 2}
    )


@pytest.mark.parametrize(
    ("counts", "bounds"), [([1, 2], [1.0, 2.0]), ([1, 2, 3], [2.0, 1.0]), ([1], []), ([], [1.0])]
)
def test_only_buckets_that_fit_their_bounds_are_kept(
    counts: list[int], bounds: list[float]
) -> None:
    data, one = metric()
    one.histogram.aggregation_temporality = CUMULATIVE
    one.histogram.data_points.add(
        time_unix_nano=T0, count=3, bucket_counts=counts, explicit_bounds=bounds
    )
    decoded = decode_metrics(data.SerializeToString(), PROTOBUF)

    assert len(decoded.items) + decoded.rejected.total() == 1
    assert bool(decoded.items) == (len(counts) == len(bounds) + 1 and bounds == sorted(bounds))


@pytest.mark.parametrize(("scale", "offset"), [(-2000, 0), (400, 0), (0, 2**31 - 5), (-10, 50)])
def test_exponential_buckets_that_no_number_can_fall_into_are_rejected(
    scale: int, offset: int
) -> None:
    data, one = metric()
    one.exponential_histogram.aggregation_temporality = CUMULATIVE
    one.exponential_histogram.data_points.add(
        time_unix_nano=T0, count=1, scale=scale, positive={"offset": offset, "bucket_counts": [1]}
    )

    assert decode_metrics(data.SerializeToString(), PROTOBUF).rejected.total() == 1
