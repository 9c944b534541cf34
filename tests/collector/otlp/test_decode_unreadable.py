"""decode: bodies that cannot be read are refused, and nothing else is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from aftershock_collector.otlp.decode import (
    decode_traces,
)
from aftershock_collector.otlp.wire import Unreadable
from tests.collector.otlp.bodies import (
    DECODERS,
    JSON,
    LOGS,
    METRICS,
    PROTOBUF,
    TRACES,
    pair,
    with_attributes,
)


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
