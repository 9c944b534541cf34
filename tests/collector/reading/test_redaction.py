"""Redaction on arrival: no secret of a foreign SDK is stored, and no two calls become one."""

from __future__ import annotations

import tracemalloc

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status as StatusMessage

from aftershock import attributes as names
from aftershock.model import Instruction
from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.decode import decode_log, decode_span
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.decoder import PROTOBUF, Batch, Readers, Signal, decode
from aftershock_collector.reading.read import read
from aftershock_collector.reading.redaction import safe_resource, safe_scope
from tests.collector.reading.items import reported
from tests.support.traffic import EPOCH_NS, attribute, log_request, span_request

READERS = Readers.by(EMPTY)


def tool_span(number: int, arguments: str, result: str = "sent") -> SpanMessage:
    """A tool call as an SDK without our library sends it, with its content."""
    return SpanMessage(
        trace_id=b"t" * 16,
        span_id=number.to_bytes(8),
        name="execute_tool send_mail",
        start_time_unix_nano=EPOCH_NS,
        end_time_unix_nano=EPOCH_NS + 10**9,
        attributes=[
            attribute(names.OPERATION, "execute_tool"),
            attribute(names.TOOL_NAME, "send_mail"),
            attribute(names.TOOL_ARGUMENTS, arguments),
            attribute(names.TOOL_RESULT, result),
        ],
    )


def received(*spans: SpanMessage) -> Batch:
    return decode(span_request(spans), Signal.TRACES, PROTOBUF, READERS, EPOCH_NS)


def again(span: Span) -> Span:
    """A span from what the store keeps of it."""
    return decode_span(span.body, span.resource_body, span.scope_body)


def test_what_is_stored_holds_no_secret_and_reads_as_before() -> None:
    batch = received(
        tool_span(1, '{"to": "jane@example.com"}', "password=hunter22"),
        tool_span(2, '{"to": "john@example.com"}'),
    )
    steps = [step for _, step in batch.spans]
    reread = [read(again(span), EMPTY) for span, _ in batch.spans]
    stored = b"".join(span.body for span, _ in batch.spans)

    for secret in (b"jane@", b"john@", b"hunter22"):
        assert secret not in stored
    assert [step and step.action for step in steps] == [step and step.action for step in reread]
    digests = {step.action.arguments.digest for step in reread if step and step.action}
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        pytest.param('{"to": "jane@example.com", "page": 3}', "sent", id="the next page"),
        pytest.param('{"to": 1}', '{"status": "rejected", "password": "hunter22"}', id="refused"),
        pytest.param('{"to": 1}', "Error: quota exceeded\npassword=hunter22", id="failed"),
    ],
)
def test_what_a_call_came_to_is_read_from_the_redacted_span_as_well(
    arguments: str, result: str
) -> None:
    ((span, step),) = received(tool_span(1, arguments, result)).spans
    reread = read(again(span), EMPTY)

    assert b"hunter22" not in span.body
    assert b"jane@" not in span.body
    assert step is not None
    assert reread is not None
    assert step.action == reread.action
    assert step.action is not None
    assert step.action.state or step.action.error_class or step.action.arguments.stem


def test_a_span_without_secrets_is_stored_as_it_came() -> None:
    message = tool_span(1, '{"service": "checkout"}')
    ((span, _),) = received(message).spans

    assert span.body == message.SerializeToString()


def test_errors_are_redacted_in_status_and_events() -> None:
    message = tool_span(1, "{}")
    message.status.code = StatusMessage.STATUS_CODE_ERROR
    message.status.message = "no access for jane@example.com"
    event = message.events.add(name="exception", time_unix_nano=EPOCH_NS)
    event.attributes.append(attribute("exception.message", "token=8f14e45fceea167a is expired"))
    ((span, _),) = received(message).spans

    assert span.status_message == "no access for [redacted:email]"
    assert span.events[0].attributes["exception.message"] == "token=[redacted:secret] is expired"


def test_a_log_event_is_redacted_in_body_and_attributes() -> None:
    record = LogRecord(
        time_unix_nano=EPOCH_NS,
        event_name=names.EVENT_FACT,
        trace_id=b"t" * 16,
        attributes=[
            attribute(names.FACT_KIND, "owner"),
            attribute("prompt", "call +1 415 555 0199"),
        ],
    )
    record.body.string_value = "ask jane@example.com"
    batch = decode(log_request([record]), Signal.LOGS, PROTOBUF, READERS, EPOCH_NS)
    ((event, _),) = batch.events

    assert event.text == "ask [redacted:email]"
    assert b"555" not in event.body
    assert b"jane" not in event.body


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ("com.anthropic.claude_code.events", "claude_code.user_prompt"),
        ("codex_otel.log_only", "codex.user_prompt"),
        ("gemini-cli", "gemini_cli.user_prompt"),
    ],
)
def test_what_a_persons_prompt_asks_is_known_without_its_text(scope: str, name: str) -> None:
    """Coding agents send the text where it was asked for; what is stored may be without it."""
    own = {"session.id": "s-1", "conversation.id": "s-1", "event.name": name}
    record = LogRecord(time_unix_nano=EPOCH_NS, event_name=name)
    own["prompt"] = "Run it 15 times, mail jane@example.com"
    record.attributes.extend(attribute(key, value) for key, value in own.items())
    request = ExportLogsServiceRequest.FromString(log_request([record]))
    request.resource_logs[0].scope_logs[0].scope.name = scope
    body = request.SerializeToString()
    ((kept, step),) = decode(body, Signal.LOGS, PROTOBUF, READERS, EPOCH_NS).events
    stored = decode_log(kept.body, kept.resource_body, kept.scope_body)
    without = {key: value for key, value in stored.attributes.items() if key != "prompt"}

    assert step is not None
    assert step.instruction == Instruction(repeats=15, forbids_changes=False)
    assert reported(stored._replace(attributes=without)).instruction == step.instruction


def test_resources_and_scopes_are_redacted_whatever_their_size_and_large_ones_not_remembered() -> (
    None
):
    tracemalloc.start()
    try:
        for number in range(40):
            secret = attribute("owner", f"{number} ann@example.org")
            large = attribute("text", f"{number} " + "word " * 100_000)
            resource = Resource(attributes=[secret, large]).SerializeToString()
            scope = InstrumentationScope(name="s", attributes=[secret, large]).SerializeToString()
            assert b"ann@" not in safe_resource(resource) + safe_scope(scope)
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept_bytes < 5_000_000  # of 40 MB
