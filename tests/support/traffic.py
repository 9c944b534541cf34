"""Agent traffic as OTLP protobuf: runs of known behaviour, for the simulation and the benchmarks."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aftershock import attributes as names
from aftershock.policy.policy import EMPTY
from aftershock.recorder.tool_calls import describe_call, describe_result

SECOND = 10**9
EPOCH_NS = 1_790_000_000 * SECOND
SERVICE = "shop-agents"

Value = str | int | bool | Sequence[str] | Sequence[int]


@dataclass(slots=True)
class Traffic:
    """One run as it would be sent: spans in order of their end, start events as they happen."""

    run_id: str
    spans: list[Span] = field(default_factory=list[Span])
    started: list[LogRecord] = field(default_factory=list[LogRecord])


def attribute(key: str, value: Value) -> KeyValue:
    return KeyValue(key=key, value=any_value(value))


def any_value(value: Value) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))


def span_request(spans: Iterable[Span]) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.append(attribute(names.SERVICE_NAME, SERVICE))
    scope = group.scope_spans.add()
    scope.scope.name = "opentelemetry.util.genai.handler"
    scope.spans.extend(spans)
    return request.SerializeToString()


def log_request(records: Iterable[LogRecord]) -> bytes:
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.append(attribute(names.SERVICE_NAME, SERVICE))
    group.scope_logs.add().log_records.extend(records)
    return request.SerializeToString()


class Agent:
    """Writes down what an agent does, second by second."""

    def __init__(
        self, dice: random.Random, name: str, *, began_ns: int = EPOCH_NS, content: bool = True
    ) -> None:
        self.dice = dice
        self.content = content  # False: fingerprints only, as Aftershock's agents send by default
        self.name = name
        self.trace_id = dice.randbytes(16)
        self.root_id = dice.randbytes(8)
        self.began_ns = self.now_ns = began_ns
        self.traffic = Traffic(self.trace_id.hex())

    def think(self) -> None:
        """One inference."""
        self._span(
            "chat gpt-x",
            {
                names.OPERATION: "chat",
                "gen_ai.provider.name": "openai",
                names.REQUEST_MODEL: "gpt-x",
                names.RESPONSE_MODEL: "gpt-x-2026-09",
                "gen_ai.response.id": self.dice.randbytes(12).hex(),
                "gen_ai.response.finish_reasons": ["tool_calls"],
                names.INPUT_TOKENS: self.dice.randrange(500, 4_000),
                names.OUTPUT_TOKENS: self.dice.randrange(20, 300),
                "gen_ai.usage.cache_read.input_tokens": 0,
                "gen_ai.output.type": "text",
                names.SERVER_ADDRESS: "api.openai.com",
                names.SERVER_PORT: 443,
                names.CONVERSATION_ID: self.trace_id.hex(),
                names.RUN_ID: self.trace_id.hex(),
                names.AGENT_NAME: self.name,
            },
            Span.SPAN_KIND_CLIENT,
        )

    def call(
        self, tool: str, arguments: dict[str, str | int], result: str, error: str = ""
    ) -> None:
        """One tool call, with its start event."""
        given: dict[str, Value] = {
            names.OPERATION: "execute_tool",
            names.TOOL_NAME: tool,
            names.TOOL_CALL_ID: "call_" + self.dice.randbytes(9).hex(),
            "gen_ai.tool.type": "function",
            "gen_ai.tool.description": "A tool of the simulated agent.",
            names.AGENT_NAME: self.name,
            names.CONVERSATION_ID: self.trace_id.hex(),
            names.RUN_ID: self.trace_id.hex(),
        }
        if self.content:
            given[names.TOOL_ARGUMENTS] = json.dumps(arguments)
        else:
            given |= cast("dict[str, Value]", describe_call(tool, arguments, EMPTY))
        identity = self.dice.randbytes(8)
        record = LogRecord(
            time_unix_nano=self.now_ns,
            event_name=names.EVENT_STARTED,
            trace_id=self.trace_id,
            span_id=identity,
            attributes=[attribute(key, value) for key, value in given.items()],
        )
        self.traffic.started.append(record)
        if self.content:
            given[names.TOOL_RESULT] = result
        else:
            given |= cast("dict[str, Value]", describe_result(result, failed=bool(error)))
        if error:
            given[names.ERROR_TYPE] = error
        self._span(f"execute_tool {tool}", given, Span.SPAN_KIND_INTERNAL, identity, bool(error))

    def finish(self) -> Traffic:
        """The agent's own span: the run is over."""
        root = Span(
            trace_id=self.trace_id,
            span_id=self.root_id,
            name=f"invoke_agent {self.name}",
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=self.began_ns,
            end_time_unix_nano=self.now_ns,
            attributes=[
                attribute(names.OPERATION, "invoke_agent"),
                attribute(names.AGENT_NAME, self.name),
                attribute(names.RUN_ID, self.trace_id.hex()),
            ],
        )
        self.traffic.spans.append(root)
        return self.traffic

    def _span(
        self,
        name: str,
        given: dict[str, Value],
        kind: Span.SpanKind.ValueType,
        identity: bytes | None = None,
        failed: bool = False,
    ) -> None:
        began = self.now_ns
        self.now_ns += self.dice.randrange(SECOND // 4, 2 * SECOND)
        span = Span(
            trace_id=self.trace_id,
            span_id=identity or self.dice.randbytes(8),
            parent_span_id=self.root_id,
            name=name,
            kind=kind,
            start_time_unix_nano=began,
            end_time_unix_nano=self.now_ns,
            attributes=[attribute(key, value) for key, value in given.items()],
        )
        if failed:
            span.status.code = span.status.STATUS_CODE_ERROR
        self.now_ns += SECOND // 100
        self.traffic.spans.append(span)


def healthy_run(dice: random.Random, *, began_ns: int = EPOCH_NS, content: bool = True) -> Traffic:
    """Reads different things, learns each time, writes once, checks, stops."""
    agent = Agent(dice, "clerk", began_ns=began_ns, content=content)
    for number in range(dice.randrange(2, 6)):
        agent.think()
        word = dice.choice(["socks", "shoes", "hats", "coats"])
        agent.call("search", {"q": f"{word} {number}"}, f"{word}: {dice.randrange(10**6)} found")
    agent.call("update_price", {"item": "socks", "price": 4}, "updated")
    agent.think()
    return agent.finish()


def looping_run(dice: random.Random, *, began_ns: int = EPOCH_NS, content: bool = True) -> Traffic:
    """Asks the same question and gets the same answer, again and again."""
    agent = Agent(dice, "poller", began_ns=began_ns, content=content)
    agent.call("search", {"q": "refund policy"}, "Refunds take 14 days.")
    for _ in range(dice.randrange(5, 9)):
        agent.think()
        agent.call("get_status", {"order": "A-1"}, '{"state": "open", "reason": "stock"}')
    return agent.finish()


def failing_run(dice: random.Random, *, began_ns: int = EPOCH_NS, content: bool = True) -> Traffic:
    """Varies the arguments and runs into the same class of error each time."""
    agent = Agent(dice, "retrier", began_ns=began_ns, content=content)
    for number in range(dice.randrange(5, 8)):
        agent.think()
        agent.call(
            "fetch_page",
            {"url": f"https://shop.example/{dice.randrange(10**6)}"},
            f"HTTP 503 for request {number}",
            error="HTTPStatusError",
        )
    return agent.finish()


def any_runs(dice: random.Random, count: int, *, content: bool = True) -> Iterator[Traffic]:
    """A mix, each run beginning a little after the one before."""
    for number in range(count):
        kind = dice.choice([healthy_run, healthy_run, looping_run, failing_run])
        yield kind(dice, began_ns=EPOCH_NS + number * SECOND, content=content)
