"""Secrets in every field of spans, events and alerts: none reaches the store, a page or a receiver.

One whole collector over real sockets, with a webhook, findings as OTLP and an activity log.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from aftershock import attributes as names
from aftershock_collector.config.model import Address, Config, OnCall
from aftershock_collector.service.wiring import running
from tests.support.receiver import Receiver
from tests.support.traffic import attribute

HERE = Address("127.0.0.1", 0)
S = 10**9
T0 = 1_790_000_000 * S
# What is sent → the part of it that must be nowhere.
SECRETS: Mapping[str, str] = {
    "AKIAIOSFODNN7EXAMPLE": "AKIAIOSFODNN7",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a": "16C7e42F292c",
    "xoxb-123456789012-1234567890123-abcdefGHIJKLmnopQRSTuvwx": "1234567890123-abcdef",
    "jane.roe@example.org": "jane.roe",
    "078-05-1120": "078-05-1120",
    "4111 1111 1111 1111": "4111 1111",
    "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD": "sk-proj-abcdef",
    "password=hunter2secret": "hunter2secret",
    "postgres://admin:s3cr3tpw@db/x": "s3cr3tpw",
}


def forms(secret: str) -> Iterator[str]:
    """A secret as senders write it."""
    yield secret
    yield quote(secret, safe="")
    yield secret.replace("@", "\uff20")
    yield base64.b64encode(f"the secret is {secret}".encode()).decode()


def traces(text: str, number: int) -> bytes:
    """A tool call with a text in every field that holds one."""
    trace = number.to_bytes(16)
    own = {
        names.OPERATION: "execute_tool",
        names.TOOL_NAME: "drop_db",
        names.AGENT_NAME: f"bot {text}",
        names.CONVERSATION_ID: text,
        names.TOOL_ARGUMENTS: json.dumps({"name": text}),
        names.TOOL_RESULT: text,
        names.ERROR_TYPE: text,
        names.ERROR_CLASS: text,
        names.RUN_GOAL: text,
        names.SUBJECTS: text,
        names.FACTS: text,
        names.ACTION_TARGETS: f"service/{text}",
        names.INPUT_MESSAGES: json.dumps([{"role": "user", "content": text}]),
        "url.full": f"https://example.org/p?q={text}",
        "custom": text,
        f"key {text}": "value",
    }
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    resource = {names.SERVICE_NAME: f"svc {text}", "process.command_line": text, f"r {text}": "v"}
    resource |= {"telemetry.distro.name": "aftershock", names.ENVIRONMENT_NAME: text}
    group.resource.attributes.extend(attribute(key, value) for key, value in resource.items())
    part = group.scope_spans.add()
    part.scope.name = f"scope {text}"
    part.scope.attributes.append(attribute("scope", text))
    span = Span(
        trace_id=trace, span_id=number.to_bytes(8), name=f"execute_tool {text}", trace_state=text,
        start_time_unix_nano=T0, end_time_unix_nano=T0 + S,
        attributes=[attribute(key, value) for key, value in own.items()],
        status=Status(code=Status.STATUS_CODE_ERROR, message=f"failed: {text}"),
    )  # fmt: skip
    event = span.events.add(name=f"event {text}", time_unix_nano=T0)
    event.attributes.extend([attribute("exception.message", text), attribute(f"e {text}", "v")])
    link = span.links.add(trace_id=trace, span_id=number.to_bytes(8))
    link.attributes.append(attribute("link", text))
    part.spans.append(span)
    return request.SerializeToString()


def logs(text: str, number: int) -> bytes:
    """Each kind of event that is read, with a text in every field."""

    def record(name: str, **own: str) -> LogRecord:
        made = LogRecord(
            time_unix_nano=T0, event_name=name, trace_id=number.to_bytes(16),
            severity_number=SeverityNumber.SEVERITY_NUMBER_ERROR,
            severity_text=text, attributes=[attribute(key, value) for key, value in own.items()],
        )  # fmt: skip
        made.body.string_value = f"ERROR {text}"
        return made

    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.append(attribute(names.SERVICE_NAME, f"svc {text}"))
    call = {names.OPERATION: "execute_tool", names.TOOL_NAME: f"look {text}"}
    open_call = record(names.EVENT_STARTED, **call, **{names.AGENT_NAME: text})
    open_call.span_id = (number + 1_000_000).to_bytes(8)
    answer = {names.TOOL_NAME: "drop_db", names.APPROVAL_OUTCOME: "ask", "custom": text}
    answer |= {names.APPROVAL_BY: text, names.APPROVAL_BECAUSE: text, names.APPROVAL_ID: text}
    group.scope_logs.add().log_records.extend(
        [
            open_call,
            record(names.EVENT_CHANGE, **{names.CHANGE_NAME: text, "custom": text}),
            record(names.EVENT_FACT, **{names.FACT_KIND: text, names.FACT_SUBJECT: text}),
            record(names.EVENT_APPROVAL, **answer),
            record("", **{"exception.type": text, "exception.message": text}),
        ]
    )
    return request.SerializeToString()


def alerts(text: str) -> bytes:
    alert = {
        "labels": {"alertname": f"Down {text}", "service": f"svc {text}", "custom": text},
        "annotations": {"summary": text, "description": text},
        "startsAt": "2026-09-21T00:00:00Z",
    }
    return json.dumps([alert]).encode()


async def send(client: httpx.AsyncClient) -> None:
    """Every secret in every form and field."""
    number = 0
    for secret in SECRETS:
        for form in forms(secret):
            number += 1
            for path, body, kind in (
                ("/v1/traces", traces(form, number), "application/x-protobuf"),
                ("/v1/logs", logs(form, number), "application/x-protobuf"),
                ("/api/v2/alerts", alerts(form), "application/json"),
            ):
                sent = await client.post(path, content=body, headers={"content-type": kind})
                assert sent.status_code == 200


async def pages(client: httpx.AsyncClient) -> bytes:
    """Everything that a person sees."""
    found = [await client.get(path) for path in ("/", "/incidents", "/findings", "/metrics")]
    number = 0
    for secret in SECRETS:
        for _ in forms(secret):
            number += 1
            found.append(await client.get(f"/runs/{number:032x}"))
    return b"\n".join(response.content for response in found)


@pytest.mark.timeout(300)
def test_p18_no_secret_reaches_the_store_a_page_a_receiver_or_an_export(tmp_path: Path) -> None:
    with Receiver() as receiver:
        config = Config(
            tmp_path,
            http=HERE,
            grpc=HERE,
            tick_s=0.05,
            activity_log_url=receiver.url,
            on_call=OnCall(webhook_url=receiver.url, otlp_url=receiver.url, wait_s=0.0),
            document={"tools": {"drop_db": {"gate": "ask", "tier": "destructive"}}},
        )

        async def act() -> bytes:
            async with running(config) as up:
                base = f"http://{up.http}"
                async with httpx.AsyncClient(base_url=base, timeout=120) as client:
                    await send(client)
                    await asyncio.sleep(3)
                    return await pages(client)

        seen = {"pages": asyncio.run(act())}
        seen["received"] = b"\n".join(request.content for request in receiver.requests)
    for path in tmp_path.glob("aftershock.db*"):
        seen[path.name] = path.read_bytes()

    assert seen["received"]
    assert leaks(seen) == []


def leaks(seen: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """(place, part) of every secret that is somewhere, as it is or in one of its forms."""
    found: list[tuple[str, str]] = []
    for place, content in seen.items():
        for secret, part in SECRETS.items():
            parts = {part, quote(part, safe=""), next(reversed([*forms(secret)]))[20:40]}
            found += [(place, one) for one in parts if one.encode() in content]
    return found


if __name__ == "__main__":
    pass
