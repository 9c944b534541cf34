"""The series behind an attribution → OTLP log events, one for each point: dashboards draw them.

The points carry their own times, so that a chart shows what came before the action too. Each event
repeats the band that was usual before the action.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber

from aftershock import attributes
from aftershock_collector.otlp.encode import Value, pairs
from aftershock_collector.store.interface import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aftershock.model import Chart, Claim

POINTS_MAX = 120  # of one series: ten minutes at one point every 5 s
AGAIN_NS = 60_000_000_000  # of what an update repeats: rounds are closer together than that


def evidence_of(
    claim: Claim, state: State, now_ns: int, home: Mapping[str, Value | None]
) -> Iterator[LogRecord]:
    """The points of the series that moved most, oldest first.

    An opened attribution has all of them, an updated one those of the last minute: a store keeps a
    point that it is sent twice once.
    """
    finding = claim.finding
    impact = finding.impact
    if impact is None or not impact.charts or state is State.CLOSED:
        return
    chart = impact.charts[0]
    since_ns = chart.times_ns[-1] - AGAIN_NS if state is State.UPDATED else 0
    shared: dict[str, Value | None] = {
        attributes.EVENT_NAME: attributes.EVENT_EVIDENCE,
        attributes.RUN_ID: finding.run_id,
        attributes.AGENT_NAME: finding.agent,
        attributes.IMPACT_ENTITY: chart.entity,
        attributes.EVIDENCE_METRIC: chart.metric,
        attributes.EVIDENCE_UNIT: chart.unit,
        attributes.EVIDENCE_LOW: chart.low,
        attributes.EVIDENCE_HIGH: chart.high,
        **home,
    }
    points = zip(chart.times_ns[-POINTS_MAX:], chart.values[-POINTS_MAX:], strict=True)
    for at_ns, value in points:
        if at_ns >= since_ns:
            yield _point(chart, at_ns, value, now_ns, shared)


def _point(
    chart: Chart, at_ns: int, value: float, now_ns: int, shared: Mapping[str, Value | None]
) -> LogRecord:
    return LogRecord(
        time_unix_nano=at_ns,
        observed_time_unix_nano=now_ns,
        severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
        severity_text="INFO",
        event_name=attributes.EVENT_EVIDENCE,
        body=AnyValue(
            string_value=f"{chart.entity} {chart.metric}: {value:g} {chart.unit}".strip()
        ),
        attributes=pairs({**shared, attributes.EVIDENCE_VALUE: float(value)}),
    )
