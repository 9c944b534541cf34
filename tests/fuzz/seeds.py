"""What fuzzing begins with: one valid input of each kind, and recordings."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from aftershock import attributes as names
from tests.bench.loads import distinct_alerts, distinct_counters, distinct_series
from tests.support.traffic import any_runs, healthy_run, log_request, looping_run, span_request

DATA = Path(__file__).parents[1] / "data"
FOUND = Path(__file__).parent / "found"  # inputs that once failed: folders by target
SHORT = 20_000  # bytes; larger inputs make fuzzing slow

POLICY = b"""
tools:
  scale_*: {tier: provision, targets: ["k8s/{namespace}/{name}"], gate: ask,
            requires: [{fact: maintenance, subject: "{namespace}", max_age: 5m}]}
  get_*: {tier: read, polls: true, provides: [{fact: maintenance, subject: "*"}]}
agents: {sre*: {budget: {steps: 40, cost_usd: 2.5}, limits: {repeats_alarm: 4}}}
limits: {stall_s: 60}
on_call: {webhook: {url: "http://localhost:9000"}}
collector: {keep: 3d, http: "127.0.0.1:4318"}
infrastructure: {topology: {service/a: [db/b]}, scrape: [{url: "http://localhost:1/metrics"}]}
"""
ANSWER = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [{"metric": {"job": "shop"}, "values": [[1.79e9, "0.5"], [1.79e9 + 15, "NaN"]]}],
    },
}
EXPOSITION = b"""# TYPE http_requests counter
http_requests_total{code="500",job="shop"} 3 1790000000
# TYPE latency histogram
latency_bucket{le="0.1"} 2
latency_bucket{le="+Inf"} 3
latency_sum 0.4
latency_count 3
# TYPE lag summary
lag{quantile="0.99"} NaN
lag_count 2
# EOF
"""
TEXTS = (
    b'Authorization: Bearer abc.def.ghi\npassword = "hunter2" jo%40example.org',
    b"postgres://user:p@ss@db/orders?sslkey=x 4111 1111 1111 1111 +49 170 1234567",
    "ｊｏ＠example.org -----BEGIN RSA PRIVATE KEY-----\nMII\n".encode(),
)


def spans_as_json() -> Iterator[bytes]:
    for content in (True, False):
        body = span_request(healthy_run(random.Random(2), content=content).spans[:4])
        yield MessageToJson(TracesData.FromString(body), indent=None).encode()


def attributes_as_json() -> Iterator[bytes]:
    """Every name that is read, with a value of each kind."""
    every = [value for name, value in vars(names).items() if name.isupper() and _is_name(value)]
    yield json.dumps({names.OPERATION: "execute_tool", **dict.fromkeys(every, "a\tb\t5")}).encode()
    for operation in ("execute_tool", "chat", "invoke_agent", "decision", "retrieval"):
        for value in ("text", ["a", "b"], 7, 0.5, True, {"a": [1]}, '{"a": 1}'):
            given = {names.OPERATION: operation, **dict.fromkeys(every[::3], value)}
            yield json.dumps(given | {names.OPERATION: operation}).encode()
    for event in (names.EVENT_STARTED, names.EVENT_FACT, names.EVENT_APPROVAL, names.EVENT_CHANGE):
        yield json.dumps(dict.fromkeys(every, "read") | {"event.name": event}).encode()
    for kind in ("TOOL", "LLM", "AGENT", "RETRIEVER"):
        given = {"openinference.span.kind": kind, "input.value": '{"kwargs": {"a": 1}}'}
        yield json.dumps(given | {"llm.input_messages.0.message.content": "hi"}).encode()


def _is_name(value: object) -> bool:
    return isinstance(value, str) and "." in value and "\\" not in value


def recordings() -> Iterator[bytes]:
    for place in sorted(DATA.glob("*.gz")):
        yield gzip.compress(gzip.decompress(place.read_bytes())[:SHORT])
        yield from gzip.decompress(place.read_bytes()).splitlines()[:2]
    yield span_request(looping_run(random.Random(3)).spans[:3])


def traces() -> Iterator[bytes]:
    for content in (True, False):
        for run in any_runs(random.Random(4), 3, content=content):
            yield span_request(run.spans[:4])


def logs() -> Iterator[bytes]:
    for run in any_runs(random.Random(5), 3):
        yield log_request(run.started[:4])


def metrics() -> Iterator[bytes]:
    for load in (distinct_series, distinct_counters):
        data = MetricsData.FromString(next(load(1.0)).content)
        del data.resource_metrics[1:]
        del data.resource_metrics[0].scope_metrics[0].metrics[1:]
        yield data.SerializeToString()


def alerts() -> Iterator[bytes]:
    document = json.loads(next(distinct_alerts(1.0)).content)
    document["alerts"] = [
        {**document["alerts"][0], "labels": {"alertname": "Down", "service": "shop"}}
    ]
    yield json.dumps(document).encode()
    yield json.dumps(document["alerts"]).encode()


SEEDS: Mapping[str, Callable[[], Iterator[bytes]]] = {
    "otlp_traces": traces,
    "otlp_logs": logs,
    "otlp_metrics": metrics,
    "otlp_json": spans_as_json,
    "alerts": alerts,
    "spans": attributes_as_json,
    "log_events": attributes_as_json,
    "policy": lambda: iter([POLICY]),
    "promql_answer": lambda: iter([json.dumps(ANSWER).encode()]),
    "exposition": lambda: iter([EXPOSITION]),
    "redaction": lambda: iter(TEXTS),
    "fingerprints": attributes_as_json,
    "recorded_file": recordings,
    "packed_body": lambda: iter([gzip.compress(b"a" * 99), gzip.compress(b"b") * 3]),
}


def seeds_of(target: str) -> list[bytes]:
    """Valid inputs of a target, and those that once failed."""
    return [*SEEDS[target](), *(p.read_bytes() for p in sorted((FOUND / target).glob("*")))]
