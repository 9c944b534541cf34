"""decode: what is kept of a body, and what is left out."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

from aftershock_collector.otlp import decode, values
from aftershock_collector.otlp.decode import (
    decode_span,
    decode_traces,
)
from tests.collector.otlp.bodies import (
    PROTOBUF,
    T0,
    otlp_span,
    pair,
    traces,
    with_attributes,
)


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
