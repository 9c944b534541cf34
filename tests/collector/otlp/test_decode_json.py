"""decode: OTLP/JSON means the same as protobuf."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any, cast

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from aftershock_collector.otlp import decode
from aftershock_collector.otlp.decode import (
    decode_logs,
    decode_metrics,
    decode_traces,
)
from tests.collector.otlp.bodies import (
    JSON,
    LOGS,
    METRICS,
    PROTOBUF,
    T0,
    TRACES,
    otlp_span,
    traces,
)


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
