from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE as CUMULATIVE,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA as DELTA
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from aftershock_collector.otlp import decode, values
from aftershock_collector.otlp.decode import (
    decode_log,
    decode_logs,
    decode_metrics,
    decode_span,
    decode_traces,
)
from aftershock_collector.otlp.wire import SampleKind, Unreadable

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
T0 = 1_790_000_000_000_000_000
DECODERS = (decode_traces, decode_logs, decode_metrics)


def otlp_span(**changes: Any) -> OtlpSpan:
    fields: dict[str, Any] = {
        "trace_id": b"T" * 16,
        "span_id": b"S" * 8,
        "name": "chat gpt-x",
        "start_time_unix_nano": T0,
        "end_time_unix_nano": T0 + 5,
    }
    return OtlpSpan(**(fields | changes))


def traces(*spans: OtlpSpan) -> bytes:
    data = TracesData()
    data.resource_spans.add().scope_spans.add(spans=spans)
    return data.SerializeToString()


def with_attributes(*pairs: KeyValue) -> bytes:
    return traces(otlp_span(attributes=pairs))


def pair(key: str, **value: Any) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(**value))


@contextmanager
def receiver() -> Generator[tuple[str, list[bytes]]]:
    """A real HTTP server that keeps the bodies it was sent."""
    bodies: list[bytes] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.headers["Content-Type"] == PROTOBUF
            self.send_response(200)
            self.end_headers()

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Keep)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        server.server_close()


# --- What real SDKs send ---------------------------------------------------------------------


def test_spans_of_the_real_exporter_decode_to_what_the_sdk_recorded() -> None:
    with receiver() as (url, bodies):
        provider = TracerProvider(resource=Resource({"service.name": "agents", "n": 3}))
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
        tracer = provider.get_tracer("opentelemetry.genai", "1.3b0")
        given: dict[str, Any] = {
            "text": "façade",
            "long": "x" * 300,
            "yes": True,
            "whole": 2**40,
            "negative": -7,
            "zero": 0,
            "real": 0.25,
            "texts": ["a", "b" * 200],
            "sketch": [1, 2**32 - 1, -5, 300],
            "truths": [True, False],
            "reals": [0.5, 1.0],
            "empty": [],
        }
        with tracer.start_as_current_span("outer") as outer:
            link = trace.Link(outer.get_span_context(), {"why": "because"})
            kind = trace.SpanKind.CLIENT
            with tracer.start_as_current_span("inner", kind=kind, links=[link]) as inner:
                inner.set_attributes(given)
                inner.record_exception(ValueError("no such pod"))
                inner.set_status(trace.StatusCode.ERROR, "it failed")
        provider.shutdown()

    (span,) = decode_traces(bodies[0], PROTOBUF).items
    (parent,) = decode_traces(bodies[1], PROTOBUF).items

    assert span.trace_id == trace.format_trace_id(inner.get_span_context().trace_id)
    assert span.span_id == trace.format_span_id(inner.get_span_context().span_id)
    assert span.parent_id == parent.span_id
    assert parent.parent_id is None
    assert (span.name, span.kind, span.status_code, span.status_message) == (
        "inner", 3, 2, "it failed",
    )  # fmt: skip
    assert span.attributes == given
    assert [type(value) for value in span.attributes.values()] == [
        type(value) for value in given.values()
    ]
    assert (span.resource, span.scope) == (
        {"service.name": "agents", "n": 3},
        "opentelemetry.genai",
    )
    assert span.events[0].name == "exception"
    assert span.events[0].attributes["exception.message"] == "no such pod"
    assert span.links == ((parent.trace_id, parent.span_id, {"why": "because"}),)
    assert 0 < parent.began_at_ns <= span.began_at_ns <= span.ended_at_ns <= parent.ended_at_ns
    official = TracesData.FromString(bodies[0]).resource_spans[0]
    assert span.body == official.scope_spans[0].spans[0].SerializeToString()
    assert span.resource_body == official.resource.SerializeToString()
    assert span.scope_body == official.scope_spans[0].scope.SerializeToString()


def test_log_events_of_the_real_exporter_decode_to_what_was_said() -> None:
    with receiver() as (url, bodies):
        provider = LoggerProvider(resource=Resource({"service.name": "agents"}))
        provider.add_log_record_processor(
            SimpleLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs"))
        )
        provider.get_logger("aftershock").emit(
            timestamp=T0,
            event_name="aftershock.step.started",
            body={"nested": [1, {"deep": None}]},
            attributes={"gen_ai.tool.name": "scale"},
        )
        provider.shutdown()

    (event,) = decode_logs(bodies[0], PROTOBUF).items

    assert (event.name, event.time_ns) == ("aftershock.step.started", T0)
    assert event.text == {"nested": [1, {"deep": None}]}
    assert event.attributes == {"gen_ai.tool.name": "scale"}
    assert (event.trace_id, event.span_id, event.scope) == (None, None, "aftershock")
    assert decode_log(event.body, event.resource_body, event.scope_body) == event


def test_metrics_of_the_real_exporter_decode_to_what_was_measured() -> None:
    with receiver() as (url, bodies):
        exporter = OTLPMetricExporter(f"{url}/v1/metrics")
        view = View(instrument_name="e", aggregation=ExponentialBucketHistogramAggregation())
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
        provider = MeterProvider([reader], Resource({"service.name": "shop"}), views=[view])
        meter = provider.get_meter("shop")
        meter.create_counter("c", "1").add(3, {"route": "/"})
        meter.create_up_down_counter("u").add(-2)
        meter.create_gauge("g", "By").set(0.5)
        histogram = meter.create_histogram("h", "s", explicit_bucket_boundaries_advisory=[1, 2])
        for seconds in (0.5, 1.5, 9.0):
            histogram.record(seconds)
        for seconds in (0.0, 1.0, 2.0, 4.0):
            meter.create_histogram("e").record(seconds)
        provider.shutdown()

    samples = {sample.name: sample for sample in decode_metrics(bodies[0], PROTOBUF).items}

    assert (samples["c"].kind, samples["c"].value, samples["c"].unit) == (SampleKind.SUM, 3, "1")
    assert (samples["c"].monotonic, samples["c"].delta) == (True, False)
    assert samples["c"].attributes == {"route": "/"}
    assert samples["c"].resource == {"service.name": "shop"}
    assert (samples["u"].value, samples["u"].monotonic) == (-2, False)
    assert (samples["g"].kind, samples["g"].value) == (SampleKind.GAUGE, 0.5)
    assert (samples["h"].bounds, samples["h"].buckets) == ((1, 2), (1, 1, 1))
    assert (samples["h"].observations, samples["h"].total) == (3, 11)
    assert (samples["h"].minimum, samples["h"].maximum) == (0.5, 9)
    exponential = samples["e"].exponential
    assert exponential is not None
    assert (exponential.zero_count, sum(exponential.positive)) == (1, 3)
    assert samples["e"].observations == 4
    started = samples["c"].started_at_ns
    assert started is not None
    assert 0 < started <= samples["c"].time_ns


# --- What is kept, and what is not -----------------------------------------------------------


def test_a_stored_span_decodes_again_to_the_same_span() -> None:
    span = otlp_span(attributes=[pair("a", int_value=5), pair("b", string_value="x" * 400)])
    (decoded,) = decode_traces(traces(span), PROTOBUF).items

    assert decode_span(decoded.body, decoded.resource_body, decoded.scope_body) == decoded


def test_the_bytes_of_a_span_stay_as_they_came_even_where_they_are_unusual() -> None:
    unusual = otlp_span().SerializeToString() + b"\xfa\x7f\x03abc"  # a field of the future
    length = bytes((len(unusual),))
    scope = b"\x12" + length + unusual
    group = b"\x12" + bytes((len(scope),)) + scope
    (decoded,) = decode_traces(b"\x0a" + bytes((len(group),)) + group, PROTOBUF).items

    assert decoded.body == unusual


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"trace_id": b""}, decode.NO_TRACE_ID),
        ({"trace_id": bytes(16)}, decode.NO_TRACE_ID),
        ({"trace_id": b"T" * 15}, decode.NO_TRACE_ID),
        ({"span_id": bytes(8)}, decode.NO_SPAN_ID),
        ({"span_id": b"S" * 16}, decode.NO_SPAN_ID),
        ({"start_time_unix_nano": 0}, decode.NO_START),
        ({"end_time_unix_nano": 0}, decode.NO_END),
        ({"start_time_unix_nano": 2**63}, decode.NO_START),
        ({"end_time_unix_nano": 2**64 - 1}, decode.NO_END),
    ],
)
def test_a_bad_span_is_rejected_with_its_reason_and_costs_no_other(
    changes: dict[str, Any], reason: str
) -> None:
    decoded = decode_traces(traces(otlp_span(), otlp_span(**changes), otlp_span()), PROTOBUF)

    assert len(decoded.items) == 2
    assert decoded.rejected == Counter({reason: 1})


def test_an_end_before_the_start_is_read_as_an_end_at_the_start_and_counted() -> None:
    decoded = decode_traces(traces(otlp_span(end_time_unix_nano=T0 - 1)), PROTOBUF)

    assert decoded.items[0].ended_at_ns == T0
    assert decoded.trimmed == Counter({decode.END_BEFORE_START: 1})


def test_a_parent_id_of_zeros_is_no_parent_and_one_of_a_wrong_length_is_counted() -> None:
    spans = [otlp_span(parent_span_id=bytes(8)), otlp_span(parent_span_id=b"abc")]
    decoded = decode_traces(traces(*spans), PROTOBUF)

    assert [span.parent_id for span in decoded.items] == [None, None]
    assert decoded.trimmed == Counter({decode.BAD_PARENT: 1})


def test_long_texts_are_cut_and_counted_while_the_body_stays_whole() -> None:
    text = "é" * values.TEXT_BYTES_MAX
    (span,) = decode_traces(with_attributes(pair("k", string_value=text)), PROTOBUF).items
    decoded = decode_traces(with_attributes(pair("k", string_value=text)), PROTOBUF)

    assert decoded.trimmed == Counter({values.TRUNCATED: 1})
    assert span.attributes["k"] == "é" * (values.TEXT_BYTES_MAX // 2)
    assert text.encode() in span.body


def test_too_many_attributes_are_cut_and_counted() -> None:
    pairs = [pair(f"k{n}", int_value=n) for n in range(values.ATTRIBUTES_MAX + 5)]
    decoded = decode_traces(with_attributes(*pairs), PROTOBUF)

    assert len(decoded.items[0].attributes) == values.ATTRIBUTES_MAX
    assert decoded.trimmed == Counter({values.TOO_MANY: 1})


def test_of_an_attribute_given_twice_the_last_counts_and_it_is_said() -> None:
    decoded = decode_traces(
        with_attributes(pair("k", string_value="a"), pair("k", string_value="b")), PROTOBUF
    )

    assert decoded.items[0].attributes == {"k": "b"}
    assert decoded.trimmed == Counter({values.REPEATED: 1})


def test_text_that_is_not_utf8_is_replaced_and_counted_each_time() -> None:
    body = with_attributes(pair("k", string_value="abc")).replace(b"abc", b"a\xffc")
    for _ in range(2):
        decoded = decode_traces(body, PROTOBUF)

        assert decoded.items[0].attributes == {"k": "a\ufffdc"}
        assert decoded.trimmed == Counter({values.INVALID_TEXT: 1})


def test_values_nested_too_deep_are_cut_and_counted() -> None:
    value = AnyValue(string_value="bottom")
    for _ in range(40):
        value = AnyValue(array_value=ArrayValue(values=[value]))
    decoded = decode_traces(with_attributes(KeyValue(key="k", value=value)), PROTOBUF)

    depth = 0
    found: Any = decoded.items[0].attributes["k"]
    while isinstance(found, list):
        depth, found = depth + 1, cast("list[Any]", found)[0]
    assert (depth, found) == (values.DEPTH_MAX, None)
    assert decoded.trimmed == Counter({values.TOO_DEEP: 1})


def test_a_malformed_attribute_costs_its_span_only() -> None:
    good = otlp_span(name="good")
    bad = otlp_span(attributes=[pair("key", string_value="abcdefgh")])
    body = traces(good, bad).replace(b"\x12\x0a\x0a\x08abcdefgh", b"\x12\x0a\x0a\x7fabcdefgh")
    decoded = decode_traces(body, PROTOBUF)

    assert [span.name for span in decoded.items] == ["good"]
    assert decoded.rejected == Counter({"malformed span": 1})


def test_one_spans_attributes_can_be_changed_without_touching_the_next() -> None:
    body = with_attributes(pair("k", array_value=ArrayValue(values=[AnyValue(string_value="a")])))
    (first,) = decode_traces(body, PROTOBUF).items
    first.attributes["k"].append("b")
    first.attributes["new"] = 1
    (second,) = decode_traces(body, PROTOBUF).items

    assert second.attributes == {"k": ["a"]}


def test_the_caches_stay_bounded() -> None:
    for start in range(0, 3 * values.KNOWN_MAX, 1_000):
        pairs = [pair("k" + str(n), string_value=str(n)) for n in range(start, start + 1_000)]
        decode_traces(with_attributes(*pairs), PROTOBUF)

    assert len(values.known_pairs) <= values.KNOWN_MAX


# --- Bodies that cannot be read --------------------------------------------------------------


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(
    ("body", "content_type", "hint"),
    [
        (b"\xff\xff\xff", PROTOBUF, "Content-Encoding"),
        (b'{"resourceSpans": [', JSON, "not JSON"),
        (b"\x1f\x8b\x08", JSON, "Content-Encoding"),
        (b"[" * 100_000, JSON, "not JSON"),
        (b"9" * 5_000, JSON, "not JSON"),
        (b"[]", JSON, "not an object"),
        (b"x", "text/plain", "application/x-protobuf"),
    ],
)
def test_an_unreadable_body_says_what_to_do(
    decoder: Any, body: bytes, content_type: str, hint: str
) -> None:
    with pytest.raises(Unreadable, match=hint):
        decoder(body, content_type)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_unreadable(body: bytes) -> None:
    for decoder in DECODERS:
        for content_type in (PROTOBUF, JSON):
            try:
                decoder(body, content_type)
            except Unreadable:
                continue


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_requests_raise_nothing_but_unreadable(data: st.DataObject) -> None:
    for decoder, whole in zip(DECODERS, (TRACES, LOGS, METRICS), strict=True):
        body = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 6))):
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
        del body[data.draw(st.integers(0, len(body))) :]
        try:
            decoder(bytes(body), PROTOBUF)
        except Unreadable:
            continue


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["key", "value", "attributes", "spanId", "name", "arrayValue", "values", "intValue",
             "doubleValue", "startTimeUnixNano", "status", "code", "gauge", "dataPoints", "body"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(JSONS)
@example({"status": {"code": ""}})
def test_no_json_raises_anything_but_unreadable(item: Any) -> None:
    for decoder, names in zip(
        DECODERS,
        (
            ("resourceSpans", "scopeSpans", "spans"),
            ("resourceLogs", "scopeLogs", "logRecords"),
            ("resourceMetrics", "scopeMetrics", "metrics"),
        ),
        strict=True,
    ):
        for document in (
            item,
            {names[0]: item},
            {names[0]: [{"resource": item, names[1]: [{names[2]: [item]}]}]},
            {names[0]: [{names[1]: [{"scope": item, names[2]: [item]}]}]},
        ):
            try:
                decoder(json.dumps(document).encode(), JSON)
            except Unreadable:
                continue


SCALARS = (
    st.builds(AnyValue, string_value=st.text())
    | st.builds(AnyValue, bool_value=st.booleans())
    | st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1))
    | st.builds(AnyValue, double_value=st.floats(allow_nan=False))
    | st.builds(AnyValue, bytes_value=st.binary())
    | st.just(AnyValue())
)
ANY_VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4).map(
            lambda items: AnyValue(array_value=ArrayValue(values=items))
        )
        | st.dictionaries(st.text(), inner, max_size=3).map(
            lambda pairs: AnyValue(
                kvlist_value=KeyValueList(
                    values=[KeyValue(key=k, value=v) for k, v in pairs.items()]
                )
            )
        )
    ),
    max_leaves=8,
)


def plain(value: AnyValue) -> Any:
    """What an AnyValue means, told by the official classes."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {item.key: plain(item.value) for item in value.kvlist_value.values}
    return getattr(value, kind)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(), ANY_VALUES, max_size=5))
def test_attributes_mean_what_the_official_classes_say(given: dict[str, AnyValue]) -> None:
    body = with_attributes(*(KeyValue(key=key, value=value) for key, value in given.items()))
    expected = {key: plain(value) for key, value in given.items()}

    for _ in range(2):  # the second time from what was remembered
        (span,) = decode_traces(body, PROTOBUF).items
        assert span.attributes == expected
        assert [type(value) for value in span.attributes.values()] == [
            type(value) for value in expected.values()
        ]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=50))
def test_lists_of_whole_numbers_are_read_exactly(numbers: list[int]) -> None:
    items = [AnyValue(int_value=number) for number in numbers]
    body = with_attributes(pair("sketch", array_value=ArrayValue(values=items)))

    assert decode_traces(body, PROTOBUF).items[0].attributes == {"sketch": numbers}


# --- OTLP/JSON -------------------------------------------------------------------------------


def as_otlp_json(message: TracesData | LogsData | MetricsData) -> bytes:
    """The same request by the rules of OTLP/JSON: ids in hex, where protobuf's JSON has base64."""

    def hexed(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            pairs = cast("dict[str, Any]", value)
            return {name: hexed(inner, name) for name, inner in pairs.items()}
        if isinstance(value, list):
            return [hexed(inner) for inner in cast("list[Any]", value)]
        return (
            base64.b64decode(value).hex() if key in {"traceId", "spanId", "parentSpanId"} else value
        )

    return json.dumps(hexed(MessageToDict(message, use_integers_for_enums=True))).encode()


def everything() -> tuple[bytes, bytes, bytes]:
    """A request of each signal with about every field in use."""
    spans = TracesData()
    group = spans.resource_spans.add(schema_url="https://opentelemetry.io/schemas/1.37.0")
    group.resource.attributes.append(pair("service.name", string_value="agents"))
    scoped = group.scope_spans.add()
    scoped.scope.name = "genai"
    scoped.spans.append(
        otlp_span(
            parent_span_id=b"P" * 8,
            kind=3,
            status={"code": 2, "message": "it failed"},
            attributes=[
                pair("text", string_value="x"), pair("whole", int_value=-(2**60)),
                pair("real", double_value=1.5), pair("yes", bool_value=True),
                pair("raw", bytes_value=b"\x00\x01"),
                pair("list", array_value=ArrayValue(values=[AnyValue(int_value=1)])),
            ],
            events=[OtlpSpan.Event(name="exception", time_unix_nano=T0)],
            links=[OtlpSpan.Link(trace_id=b"L" * 16, span_id=b"l" * 8)],
        )
    )  # fmt: skip
    logs = LogsData()
    record = logs.resource_logs.add().scope_logs.add().log_records.add(
        time_unix_nano=T0, severity_number=13, event_name="aftershock.fact",
        trace_id=b"T" * 16, span_id=b"S" * 8,
    )  # fmt: skip
    record.body.string_value = "said"
    metrics = MetricsData()
    found = metrics.resource_metrics.add().scope_metrics.add()
    gauge = found.metrics.add(name="gauge").gauge
    gauge.data_points.add(time_unix_nano=T0, as_int=-3)
    total = found.metrics.add(name="sum", unit="1").sum
    total.is_monotonic, total.aggregation_temporality = True, DELTA
    total.data_points.add(time_unix_nano=T0, start_time_unix_nano=T0 - 9, as_double=2.5)
    histogram = found.metrics.add(name="histogram").histogram
    histogram.aggregation_temporality = CUMULATIVE
    histogram.data_points.add(
        time_unix_nano=T0, count=3, sum=4.0, bucket_counts=[1, 2], explicit_bounds=[1.0]
    )
    exponential = found.metrics.add(name="exponential").exponential_histogram
    exponential.aggregation_temporality = CUMULATIVE
    exponential.data_points.add(
        time_unix_nano=T0, count=3, scale=-1, zero_count=1,
        positive={"offset": -2, "bucket_counts": [2]},
    )  # fmt: skip
    summary = found.metrics.add(name="summary").summary
    summary.data_points.add(
        time_unix_nano=T0, count=3, sum=4.0,
        quantile_values=[{"quantile": 0.5, "value": 1.0}, {"quantile": 0.9, "value": float("nan")}],
    )  # fmt: skip
    return spans.SerializeToString(), logs.SerializeToString(), metrics.SerializeToString()


TRACES, LOGS, METRICS = everything()


@pytest.mark.parametrize(
    ("decoder", "body", "kind"),
    [
        (decode_traces, TRACES, TracesData),
        (decode_logs, LOGS, LogsData),
        (decode_metrics, METRICS, MetricsData),
    ],
)
def test_json_means_the_same_as_protobuf(decoder: Any, body: bytes, kind: Any) -> None:
    from_protobuf = decoder(body, PROTOBUF)
    from_json = decoder(as_otlp_json(kind.FromString(body)), "application/json; charset=utf-8")

    assert from_json == from_protobuf
    assert from_json.items
    assert not from_json.rejected


def test_a_bad_item_of_a_json_body_is_rejected_and_costs_no_other() -> None:
    document = json.loads(as_otlp_json(TracesData.FromString(traces(otlp_span(), otlp_span()))))
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans[0]["traceId"] = "not hex"
    spans += [7, None, {"attributes": {}}, {"spanId": "00", "traceId": "00"}]
    decoded = decode_traces(json.dumps(document).encode(), JSON)

    assert len(decoded.items) == 1
    assert decoded.rejected == Counter({"malformed span": 4, decode.NO_TRACE_ID: 1})


def test_json_may_spell_enums_by_name_and_half_a_surrogate_pair() -> None:
    document = json.loads(as_otlp_json(TracesData.FromString(traces(otlp_span()))))
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span |= {"kind": "SPAN_KIND_CLIENT", "name": "half \ud83d", "startTimeUnixNano": str(T0)}
    (decoded,) = decode_traces(json.dumps(document).encode(), JSON).items

    assert (decoded.kind, decoded.name, decoded.began_at_ns) == (3, "half ?", T0)


# --- Metrics ---------------------------------------------------------------------------------


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
