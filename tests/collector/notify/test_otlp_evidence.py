"""The series behind an attribution as log events, so that a dashboard can draw it."""

from __future__ import annotations

from dataclasses import replace

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from aftershock import attributes
from aftershock.model import Chart, Claim, Report
from aftershock_collector.notify.otlp_evidence import AGAIN_NS, POINTS_MAX
from aftershock_collector.notify.otlp_findings import encode_logs
from tests.support import incident

S = 1_000_000_000


def judged(points: int, every_s: int = 5) -> Claim:
    """An attribution whose chart has so many points, the last one at 10,000 s."""
    times = tuple((10_000 - every_s * back) * S for back in reversed(range(points)))
    values = tuple(float(number) for number in range(points))
    chart = Chart("service/checkout", "errors", "1/s", times, values, 0.0, -0.5, 0.5)
    claim = incident.blamed()
    impact = replace(incident.impact(), charts=(chart,))
    return replace(claim, finding=replace(claim.finding, impact=impact))


def evidence(report: Report) -> list[LogRecord]:
    request = ExportLogsServiceRequest.FromString(encode_logs(report, service="agents") or b"")
    records = [r for a in request.resource_logs for s in a.scope_logs for r in s.log_records]
    return [r for r in records if r.event_name == attributes.EVENT_EVIDENCE]


def value_of(record: LogRecord, name: str) -> object:
    (pair,) = [pair for pair in record.attributes if pair.key == name]
    return getattr(pair.value, pair.value.WhichOneof("value") or "")


def test_an_opened_attribution_brings_its_series_with_times_of_its_own() -> None:
    found = evidence(Report(1, opened=(judged(4),)))

    assert [9_985 * S, 9_990 * S, 9_995 * S, 10_000 * S] == [r.time_unix_nano for r in found]
    assert [0.0, 1.0, 2.0, 3.0] == [value_of(r, attributes.EVIDENCE_VALUE) for r in found]
    assert {(-0.5, 0.5)} == {
        (value_of(r, attributes.EVIDENCE_LOW), value_of(r, attributes.EVIDENCE_HIGH)) for r in found
    }
    assert "service/checkout" == value_of(found[0], attributes.IMPACT_ENTITY)
    assert "service/checkout errors: 3 1/s" == found[-1].body.string_value


def test_an_update_repeats_the_last_minute_only() -> None:
    found = evidence(Report(1, updated=(judged(60),)))

    assert {record.time_unix_nano for record in found} == {
        (10_000 - 5 * back) * S for back in range(AGAIN_NS // S // 5 + 1)
    }


def test_a_long_series_is_cut_to_its_newest_points() -> None:
    found = evidence(Report(1, opened=(judged(POINTS_MAX + 50),)))

    assert POINTS_MAX == len(found)
    assert 10_000 * S == found[-1].time_unix_nano


def test_what_is_closed_or_has_no_series_brings_none() -> None:
    assert [] == evidence(Report(1, closed=(incident.closed(judged(4)),)))
    assert [] == evidence(Report(1, opened=(incident.missing_fact(),)))
