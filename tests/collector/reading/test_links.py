"""A trace comes back in annotations, labels, logs and SQL comments, over real sockets."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from aftershock import attributes as names
from aftershock.model import Change, ChangeKind, Impact
from aftershock.policy.policy import EMPTY
from aftershock_collector.access.tokens import Scope, Tokens
from aftershock_collector.config.model import Address, Config
from aftershock_collector.otlp.wire import LogEvent
from aftershock_collector.reading.alerts import change_of_alert
from aftershock_collector.reading.links import Link, link_in, link_in_text, read_error
from aftershock_collector.reading.read import read_event
from aftershock_collector.service.wiring import running
from aftershock_collector.store.reader import Reader
from tests.collector.service.test_suspects import PROTOBUF, SPAN, TRACE, S, tool_span
from tests.support.receiver import eventually
from tests.support.traffic import attribute, span_request

PARENT = f"00-{TRACE}-{SPAN}-01"
ANY = Address("127.0.0.1", 0)


def event(
    text: Any = "",
    attributes: dict[str, str] | None = None,
    *,
    severity: int = 17,
    resource: dict[str, str] | None = None,
) -> LogEvent:
    source = resource or {"service.name": "checkout"}
    return LogEvent(None, None, "", text, 5 * S, severity, attributes or {}, source, "")


def kubernetes(**annotations: str) -> dict[str, Any]:
    return {
        "kind": "Event",
        "type": "Warning",
        "reason": "FailedScheduling",
        "message": "0/3 nodes are available",
        "metadata": {"uid": "u1", "namespace": "prod"},
        "involvedObject": {
            "kind": "Deployment", "name": "checkout", "namespace": "prod", "annotations": annotations,
        },
        "firstTimestamp": "2026-01-15T12:00:00Z",
    }  # fmt: skip


def test_a_trace_is_found_wherever_senders_put_it() -> None:
    assert Link(TRACE, SPAN) == link_in({}, {"traceparent": PARENT})
    assert Link(TRACE, SPAN) == link_in({"k8s.pod.annotations.traceparent": PARENT})
    assert Link(TRACE, None) == link_in({"trace_id": TRACE})
    assert Link(TRACE, SPAN) == link_in({"traceID": TRACE, "spanID": SPAN.upper()})
    assert Link(TRACE, SPAN) == link_in_text(f"STATEMENT: UPDATE t /*traceparent='{PARENT}'*/")
    assert link_in({"traceparent": f"00-{'0' * 32}-{SPAN}-01"}) is None
    assert link_in({"trace_id": "not hex"}, {"other": PARENT}) is None
    assert link_in_text("traceparent='nonsense'") is None


def test_kubernetes_and_alertmanager_bring_it_back() -> None:
    observed = read_event(event(kubernetes(traceparent=PARENT)), EMPTY)
    plain = read_event(event(kubernetes()), EMPTY)
    alert = change_of_alert(
        {
            "labels": {"alertname": "Down", "trace_id": TRACE},
            "annotations": {"summary": "x"},
            "startsAt": "2026-01-15T12:00:00Z",
        },
        1_768_480_000_000_000_000,
    )
    assert isinstance(observed, Change)
    assert isinstance(plain, Change)
    assert isinstance(alert, Change)

    assert (TRACE, SPAN) == (observed.trace_id, observed.span_id)
    assert (None, TRACE) == (plain.trace_id, alert.trace_id)


def test_an_error_of_a_service_that_names_a_trace_is_trouble_without_raw_text() -> None:
    secret = f"duplicate key 'ada@example.org' /*traceparent='{PARENT}'*/"
    found = read_error(event(secret, {"exception.type": "UniqueViolation"}))

    assert found is not None
    assert (ChangeKind.WARNING, "service/checkout", "UniqueViolation", TRACE, SPAN) == (
        found.kind, found.entity, found.name, found.trace_id, found.span_id,
    )  # fmt: skip
    assert "ada" not in found.detail
    again = read_error(event("another", {"exception.type": "UniqueViolation", "trace_id": TRACE}))
    assert again is not None
    assert found.id == again.id


def test_a_trace_that_only_the_text_of_an_error_names_may_be_what_somebody_typed() -> None:
    quoted = read_error(event(f"cannot parse: /*traceparent='{PARENT}'*/"))
    named = read_error(event("cannot parse", {"trace_id": TRACE}))

    assert quoted is not None
    assert named is not None
    assert (False, True) == (quoted.vouched, named.vouched)


@pytest.mark.parametrize(
    "other",
    [
        event("fine", {"trace_id": TRACE}, severity=9),
        event("no word of trouble", {"trace_id": TRACE}, severity=0),
        event("ERROR without a trace"),
        event("ERROR", {"trace_id": TRACE}, resource={"x": "y"}),
    ],
)
def test_other_logs_stay_with_those_who_keep_logs(other: LogEvent) -> None:
    assert read_error(other) is None


def test_a_database_log_without_severity_is_read_by_its_word() -> None:
    line = f"ERROR: deadlock detected\nSTATEMENT: UPDATE a /*traceparent='{PARENT}'*/"

    assert read_error(event(line, severity=0)) is not None


@given(
    st.text(max_size=300), st.dictionaries(st.text(max_size=12), st.text(max_size=60), max_size=4)
)
def test_nothing_that_is_sent_raises(text: str, attributes: dict[str, str]) -> None:
    assert link_in(attributes) is None or len(link_in(attributes) or ()) == 2
    assert read_error(event(text + "traceparent='", attributes)) is None


def log_request(service: str, record: LogRecord) -> bytes:
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.append(attribute(names.SERVICE_NAME, service))
    group.scope_logs.add().log_records.append(record)
    return request.SerializeToString()


@pytest.mark.parametrize("overtakes", [False, True])
def test_a_sql_comment_in_a_database_log_makes_the_action_certain(
    tmp_path: Path, overtakes: bool
) -> None:
    now_ns = time.time_ns()
    config = Config(home=tmp_path, http=ANY, grpc=ANY, tick_s=0.05)
    _, secret = Tokens(config.tokens).create("platform", [Scope.INGEST])  # it vouches for the trace
    headers = PROTOBUF | {"authorization": f"Bearer {secret}"}

    def impacts() -> list[Impact]:
        with Reader.open(config.store) as reader:
            return [i for i in reader.impacts_named("") if i.label == "certain"]

    def changes() -> int:
        with Reader.open(config.store) as reader:
            return reader.counts()["changes"]

    def record(trace_id: str = "", text: str = "") -> LogRecord:
        return LogRecord(
            time_unix_nano=now_ns - S,
            severity_number=17,  # pyright: ignore[reportArgumentType]
            body=AnyValue(string_value=text),
            trace_id=bytes.fromhex(trace_id),
        )

    async def live() -> None:
        async with running(config) as collector, httpx.AsyncClient() as client:

            async def post(signal: str, body: bytes) -> None:
                url = f"http://{collector.http}/v1/{signal}"
                await client.post(url, content=body, headers=headers)

            acted = tool_span(now_ns - 2 * S, "migrate", "write", SPAN)
            text = f"ERROR: deadlock detected STATEMENT: UPDATE a /*traceparent='{PARENT}'*/"
            reported = log_request("postgres", record(text=text))
            if overtakes:
                await post("logs", reported)
            await post("traces", span_request([acted]))
            await post("logs", log_request("unknown", record("ee" * 16, "ERROR: of somebody else")))
            await post("logs", log_request("shop-agents", record(TRACE, "ERROR: its own log")))
            if not overtakes:
                await post("logs", reported)
            await asyncio.to_thread(eventually, impacts)

    asyncio.run(live())
    (impact,) = impacts()
    assert ("migrate", SPAN, 1.0) == (impact.tool, impact.span_id, impact.probability)
    assert impact.change is not None
    assert ("service/postgres", "UPDATE a") == (impact.change.entity, impact.change.name)
    assert 1 == changes()
