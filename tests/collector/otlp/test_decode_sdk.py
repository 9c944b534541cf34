"""decode: what the real SDKs send over HTTP comes out whole."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from aftershock_collector.otlp.decode import (
    decode_log,
    decode_logs,
    decode_metrics,
    decode_traces,
)
from aftershock_collector.otlp.wire import SampleKind
from tests.collector.otlp.bodies import (
    PROTOBUF,
    T0,
    receiver,
)


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
