"""Bounds of one body: what a small request can cost before it is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from aftershock_collector.otlp.decode import decode_logs, decode_metrics, decode_traces
from aftershock_collector.otlp.protobuf import fields_within
from aftershock_collector.otlp.wire import Unreadable

PROTOBUF = "application/x-protobuf"
SECONDS_MAX = 2.0  # the same bodies took 10 to 26 s of the writer's thread


def varint(number: int) -> bytes:
    """A number as protobuf writes lengths."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + varint(len(content)) + content


EMPTIES = b"\x12\x00" * 1_000_000


@pytest.mark.parametrize("decode", [decode_traces, decode_logs, decode_metrics])
@pytest.mark.parametrize(
    "body", [b"\x0a\x00" * 1_000_000, field(1, EMPTIES), field(1, field(2, EMPTIES))]
)
def test_a_body_of_empty_groups_or_items_is_refused_before_they_are_listed(
    decode: Callable[[bytes, str], Any], body: bytes
) -> None:
    began_s = time.process_time()
    with pytest.raises(Unreadable, match="smaller batches"):
        decode(body, PROTOBUF)

    assert time.process_time() - began_s < SECONDS_MAX


@pytest.mark.parametrize("text", ["{},", '{"a":1},', "[],"])
def test_a_json_body_of_empty_objects_is_refused_before_it_is_parsed(text: str) -> None:
    body = f'{{"resourceSpans":[{text * 1_000_000}{{}}]}}'.encode()

    with pytest.raises(Unreadable, match="smaller batches"):
        decode_traces(body, "application/json")


def test_counting_stops_above_the_bound_and_at_malformed_bytes() -> None:
    assert fields_within(b"\x0a\x00" * 10, 1, 100) == 10
    assert fields_within(b"\x0a\x00" * 10, 1, 3) == 4
    assert fields_within(b"\x08\x96\x01" + b"\x11" + bytes(8) + b"\x0a\x00", 1, 9) == 1
    assert fields_within(b"\x0a\x00\x0b\x0a\x00", 1, 9) == 1
    assert fields_within(b"\x0a" + b"\xff" * 20, 1, 9) <= 1
