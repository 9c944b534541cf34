"""Messages are read in one way only, and what is added to them changes nothing else."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.proxy.events import EventReader
from aftershock.proxy.json_rpc import Unreadable, items_of, read, with_meta

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
CARRIED = {"traceparent": "00-a-b-01", "tracestate": 'x="1"'}


@given(VALUES, VALUES, st.sampled_from([None, 0, 2]), st.booleans())
def test_a_trace_is_added_and_everything_else_stays(
    arguments: Any, meta: Any, indent: int | None, escaped: bool
) -> None:
    message = {
        "id": 1,
        "params": {"name": "x", "arguments": arguments, "_meta": meta},
        "method": "m",
    }
    text = json.dumps(message, indent=indent, ensure_ascii=escaped)

    found = json.loads(with_meta(text, CARRIED))

    kept = cast("dict[str, Any]", meta) if isinstance(meta, dict) else {}
    assert found["params"].pop("_meta") == {**kept, **CARRIED}
    del message["params"]["_meta"]  # type: ignore[attr-defined]
    assert found == message


def test_numbers_and_escapes_stay_letter_for_letter() -> None:
    rest = (
        r'"arguments" : {"price": 1.10, "big": 123456789012345678901, "e": 1E400, "s": "\/\u00e9"}'
    )
    text = '{"jsonrpc":"2.0","params":{%s,"name":"x"}, "id": 5, "method":"tools\\/call"}'

    found = with_meta(text % rest, {"traceparent": "t"})

    assert found == text % ('"_meta": {"traceparent": "t"}, ' + rest)


@pytest.mark.slow
@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 1]))
def test_a_batch_is_taken_apart_as_it_was_written(items: list[Any], indent: int | None) -> None:
    assert [json.loads(one) for one in items_of(json.dumps(items, indent=indent))] == items


@pytest.mark.parametrize(
    "raw",
    [
        b'{"method": "tools/list", "method": "tools/call"}',
        b'{"method": "tools/call", "params": {"name": "get_x", "name": "delete_x"}}',
        b"{'method': 1}",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b'{"id": 1',
        b"[" * 100_000,
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read(raw)


@given(st.lists(st.text(max_size=20), max_size=6), st.data())
def test_events_are_read_however_the_stream_is_cut(texts: list[str], data: st.DataObject) -> None:
    newline = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    lines = [json.dumps(text) for text in texts]
    stream = "".join(
        f": a comment{newline}id: 1{newline}data: {line}{newline}{newline}" for line in lines
    ).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader, found = EventReader(), list[bytes]()
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[begin:end])

    assert found == [line.encode() for line in lines]
