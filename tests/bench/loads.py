"""Hostile and honest load on a collector, as requests. A share below 1 sends as much less of it."""

from __future__ import annotations

import gzip
import json
import random
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aftershock import attributes as names
from tests.support.traffic import Agent, Value, attribute, log_request, span_request

LONG = 2_000  # characters that a step keeps of one text
PROTOBUF, JSON = "application/x-protobuf", "application/json"


@dataclass(frozen=True)
class Body:
    """One request."""

    content: bytes
    path: str = "/v1/traces"
    content_type: str = PROTOBUF
    encoding: str = ""


Load = Callable[[float], Iterator[Body]]  # of a share (1.0: all of it)


def text(size: int) -> str:
    """A text that no other is equal to, and that packs to half its size at best."""
    return secrets.token_hex(size // 2)


def unique_span(given: dict[str, Value], trace_id: bytes | None = None) -> Span:
    now = time.time_ns()
    return Span(
        trace_id=trace_id or secrets.token_bytes(16),
        span_id=secrets.token_bytes(8),
        name="s",
        start_time_unix_nano=now - 10**9,
        end_time_unix_nano=now,
        attributes=[attribute(key, value) for key, value in given.items()],
    )


def tool(name: str, **given: Value) -> dict[str, Value]:
    return {names.OPERATION: "execute_tool", names.TOOL_NAME: name, **given}


def large_steps(share: float) -> Iterator[Body]:
    """240 spans, four a request, with every list and text that a step keeps as long as allowed."""
    for _ in range(int(60 * share)):
        yield Body(span_request(_large_step() for _ in range(4)))


def many_large_steps(share: float) -> Iterator[Body]:
    """40,000 such spans with lists as long as a step keeps: what the first load cannot reach."""
    for _ in range(int(1_000 * share)):
        yield Body(span_request(_large_step(4) for _ in range(40)))


def _large_step(items: int = 256) -> Span:
    def many() -> list[str]:
        return [text(LONG) for _ in range(items)]

    lists = (
        names.ACTION_TARGETS, names.CONTEXT_REQUIRED, names.FACTS, names.SUBJECTS,
        names.ARGUMENT_IDS,
    )  # fmt: skip
    given: dict[str, Value] = {name: many() for name in lists}
    given |= dict.fromkeys((names.ARGUMENTS_SKETCH, names.RESULT_SKETCH, names.RESULT_WORDS), "")
    for name in (names.ARGUMENTS_SKETCH, names.RESULT_SKETCH, names.RESULT_WORDS):
        given[name] = text(8_192)
    given |= {name: text(LONG) for name in (names.ARGUMENTS_DIGEST, names.RESULT_DIGEST)}
    given |= {names.ACTION_TIER: "destructive", names.AGENT_NAME: text(LONG)}
    return unique_span(tool(text(LONG), **given, **{names.CONVERSATION_ID: text(LONG)}))


def large_sketches(share: float) -> Iterator[Body]:
    """20,000 calls of one tool, 40 a run, with hashes alone: what is cheapest to send and read."""
    for _ in range(int(500 * share)):
        run = text(32)
        yield Body(span_request(unique_span(_sketched(run)) for _ in range(40)))


def _sketched(run: str) -> dict[str, Value]:
    given: dict[str, Value] = {names.RUN_ID: run, names.AGENT_NAME: run}
    given |= {names.ACTION_TIER: "destructive", names.ACTION_TARGETS: [f"service/{text(16)}"]}
    given |= {name: text(32) for name in (names.ARGUMENTS_DIGEST, names.RESULT_DIGEST)}
    for name in (names.ARGUMENTS_SKETCH, names.RESULT_SKETCH, names.RESULT_WORDS):
        given[name] = text(8_192)
    return tool("deploy", **given)


def large_attributes(share: float) -> Iterator[Body]:
    """Spans of 12 MB in texts of 60 kB: as large as a request may be."""
    for _ in range(int(40 * share)):
        given: dict[str, Value] = {f"a{number}": text(60_000) for number in range(200)}
        yield Body(span_request([unique_span(given)]))


def large_resources(share: float) -> Iterator[Body]:
    """Each request is from another resource, and describes it in 8 MB."""
    for _ in range(int(120 * share)):
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        for number in range(130):
            group.resource.attributes.append(attribute(f"r{number}", text(60_000)))
        scope = group.scope_spans.add()
        scope.scope.name = text(60_000)
        scope.spans.append(unique_span(tool("search")))
        yield Body(request.SerializeToString())


def distinct_names(share: float) -> Iterator[Body]:
    """300,000 spans that repeat nothing: run, agent, tool, service, conversation, target."""
    for _ in range(int(600 * share)):
        spans = [
            unique_span(
                tool(
                    text(400),
                    **{
                        names.AGENT_NAME: text(400),
                        names.RUN_ID: text(LONG),
                        names.CONVERSATION_ID: text(400),
                        names.ACTION_TARGETS: [f"service/{text(400)}"],
                    },
                )
            )
            for _ in range(500)
        ]
        yield Body(span_request(spans))


def distinct_series(share: float) -> Iterator[Body]:
    """400,000 series, each of an entity of its own with a long name."""
    for number in range(int(400 * share)):
        request = ExportMetricsServiceRequest()
        for _ in range(1_000):
            group = request.resource_metrics.add()
            group.resource.attributes.append(attribute("service.name", text(4_000)))
            metric = group.scope_metrics.add().metrics.add(name="process.cpu.utilization", unit="1")
            metric.gauge.data_points.add(time_unix_nano=time.time_ns(), as_double=number / 400)
        yield Body(request.SerializeToString(), "/v1/metrics")


def distinct_counters(share: float) -> Iterator[Body]:
    """200,000 counters and histograms: what was counted before is remembered of each."""
    for number in range(int(200 * share)):
        request = ExportMetricsServiceRequest()
        group = request.resource_metrics.add()
        group.resource.attributes.append(attribute("service.name", "shop"))
        scope = group.scope_metrics.add()
        for _ in range(1_000):
            metric = scope.metrics.add(name="http.server.request.duration", unit="s")
            point = metric.histogram.data_points.add(
                time_unix_nano=time.time_ns(), count=number, sum=1.0
            )
            point.bucket_counts.extend([number] * 20)
            point.explicit_bounds.extend(range(19))
            point.attributes.append(attribute("http.route", text(1_000)))
            point.attributes.append(attribute("service.instance.id", text(1_000)))
            metric.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
        yield Body(request.SerializeToString(), "/v1/metrics")


def distinct_alerts(share: float) -> Iterator[Body]:
    """60,000 alerts with long names and descriptions."""
    for _ in range(int(600 * share)):
        alerts = [
            {
                "status": "firing",
                "fingerprint": text(32),
                "labels": {"alertname": text(LONG), "service": text(LONG)},
                "annotations": {"description": text(LONG)},
                "startsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            }
            for _ in range(100)
        ]
        body = json.dumps({"version": "4", "alerts": alerts}).encode()
        yield Body(body, "/api/v2/alerts", JSON)


def nested_json(share: float) -> Iterator[Body]:
    """JSON as large as a request may be, made of the smallest values."""
    value = json.dumps({"arrayValue": {"values": [{"intValue": "1000000000000000"}] * 4_000}})
    pairs = ",".join(f'{{"key":"k{number}","value":{value}}}' for number in range(95))
    span = (
        f'{{"traceId":"{text(32)}","spanId":"{text(16)}","name":"s","startTimeUnixNano":"1",'
        f'"endTimeUnixNano":"2","attributes":[{pairs}]}}'
    )
    body = f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}'.encode()
    assert 10_000_000 < len(body) < 16_000_000, len(body)
    for _ in range(int(40 * share)):
        yield Body(body, content_type=JSON)


def packed_bombs(share: float) -> Iterator[Body]:
    """200 kB that unpack to 200 MB, and 15 MB that is permitted, a hundred times."""
    bomb = gzip.compress(bytes(200_000_000), 6)
    most = gzip.compress(bytes(15_000_000), 6)
    for _ in range(int(100 * share)):
        yield Body(bomb, encoding="gzip")
        yield Body(most, encoding="gzip")


def distinct_changes(share: float) -> Iterator[Body]:
    """100,000 log events that tell of changes, each about something else."""
    for _ in range(int(200 * share)):
        records = [
            LogRecord(
                time_unix_nano=time.time_ns(),
                event_name=names.EVENT_CHANGE,
                trace_id=secrets.token_bytes(16),
                attributes=[
                    attribute("service.name", text(LONG)),
                    attribute(names.CHANGE_NAME, text(LONG)),
                ],
            )
            for _ in range(500)
        ]
        yield Body(log_request(records), "/v1/logs")


def honest(share: float) -> Iterator[Body]:
    """2,000 live runs of 512 steps each, fingerprints on, as Aftershock's own agents send them."""
    dice = random.Random(5)
    made: list[list[Span]] = []
    for _ in range(20):  # patterns; each is sent again under traces of its own
        began_ns = time.time_ns() - 600 * 10**9
        agent = Agent(dice, "clerk", began_ns=began_ns, content=False)
        while len(agent.traffic.spans) < 512:
            word = text(12)
            agent.think()
            agent.call("search", {"q": f"order {word}"}, f"{word}: {dice.randrange(10**6)} found")
        made.append(agent.traffic.spans[:512])
    runs = int(2_000 * share)
    for part in range(0, 512, 128):
        for number in range(runs):
            pattern = made[number % len(made)]
            body = span_request(pattern[part : part + 128])
            old, new = pattern[0].trace_id, random.Random(number).randbytes(16)
            body = body.replace(old, new).replace(old.hex().encode(), new.hex().encode())
            yield Body(body)


LOADS: dict[str, Load] = {
    load.__name__: load
    for load in (
        large_steps, many_large_steps, large_sketches, large_attributes, large_resources,
        distinct_names, distinct_series, distinct_counters, distinct_alerts, distinct_changes,
        nested_json, packed_bombs, honest,
    )
}  # fmt: skip
