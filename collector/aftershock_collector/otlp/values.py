"""Attributes: OTLP key-values → Python values, bounded, every cut counted; and the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from opentelemetry.proto.common.v1.common_pb2 import AnyValue as AnyValueMessage
from opentelemetry.proto.common.v1.common_pb2 import ArrayValue as ArrayValueMessage
from opentelemetry.proto.common.v1.common_pb2 import KeyValue as KeyValueMessage
from opentelemetry.proto.common.v1.common_pb2 import KeyValueList as KeyValueListMessage

from aftershock_collector.otlp.protobuf import (
    AnyValue,
    ArrayValue,
    DecodeError,
    KeyValue,
    KeyValueList,
    PackedNumbers,
)

ATTRIBUTES_MAX = 4_096  # of one item; recorded spans with whole chat histories carry up to 600
TEXT_BYTES_MAX = 65_536  # of one value: rules look at less, and the store keeps the rest
KEY_BYTES_MAX = 1_024  # of an attribute; conventions' names have up to 60
ITEMS_MAX = 4_096  # of one list or map value
DEPTH_MAX = 16  # of lists and maps within each other; protobuf itself stops at 100
KNOWN_MAX = 8_192  # key-values that were seen before: names, models, tools; 4 MB at worst
KNOWN_BYTES_MAX = 127  # longer ones seldom come again

TRUNCATED = f"text over {TEXT_BYTES_MAX} bytes"
LONG_KEY = f"key over {KEY_BYTES_MAX} bytes"
INVALID_TEXT = "text that is not UTF-8"
TOO_MANY = f"attributes over {ATTRIBUTES_MAX}"
TOO_LONG = f"list over {ITEMS_MAX} items"
TOO_DEEP = f"value nested over {DEPTH_MAX} deep"
REPEATED = "attribute given twice"

# Protobuf tags: of the parts of a KeyValue, and of the parts of an AnyValue.
_KEY, _VALUE = 0x0A, 0x12
_TEXT, _NUMBER = 0x0A, 0x18
_LONG = 130  # from here on the length takes two bytes

# Most key-values of a stream come again and again: bytes → (key, value), scalars only, because
# what is handed out twice must not be changeable. A cache of a pure function, emptied when full.
known_pairs: dict[bytes, tuple[str, Any]] = {}


def text_of(raw: bytes, trimmed: Counter[str]) -> str:
    """Decode a text, cutting what is too long and replacing what is not UTF-8."""
    if len(raw) > TEXT_BYTES_MAX:
        trimmed[TRUNCATED] += 1
        return raw[:TEXT_BYTES_MAX].decode("utf-8", "ignore")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        trimmed[INVALID_TEXT] += 1
        return raw.decode("utf-8", "replace")


def value_of(raw: bytes, trimmed: Counter[str], depth: int = 0) -> Any:
    """Decode an AnyValue; an empty one is None. Raises DecodeError on malformed bytes."""
    if not raw:
        return None
    size = len(raw)
    if raw[0] == _TEXT and size < _LONG and raw[1:2] == bytes((size - 2,)):
        return text_of(raw[2:], trimmed)
    message = AnyValue.FromString(raw)
    kind = message.WhichOneof("value")
    if kind is None:
        return None
    value: Any = getattr(message, kind)
    match kind:
        case "string_value":
            return text_of(value, trimmed)
        case "bytes_value":
            if len(value) > TEXT_BYTES_MAX:
                trimmed[TRUNCATED] += 1
            return value[:TEXT_BYTES_MAX]
        case "array_value":
            return _list_of(value, trimmed, depth)
        case "kvlist_value":
            items = _items_of(KeyValueList, value, trimmed, depth)
            return None if items is None else dict(_pair_of(one, trimmed, depth) for one in items)
        case _:  # bool, int, double: protobuf made them Python values already
            return value


def _list_of(raw: bytes, trimmed: Counter[str], depth: int) -> list[Any] | None:
    numbers = _whole_numbers(raw, trimmed)
    if numbers is not None:
        return numbers
    items = _items_of(ArrayValue, raw, trimmed, depth)
    return None if items is None else [value_of(one, trimmed, depth + 1) for one in items]


def _items_of(opened: Any, raw: bytes, trimmed: Counter[str], depth: int) -> list[bytes] | None:
    if depth >= DEPTH_MAX:
        trimmed[TOO_DEEP] += 1
        return None
    items: list[bytes] = list(opened.FromString(raw).values)
    if len(items) > ITEMS_MAX:
        trimmed[TOO_LONG] += 1
        del items[ITEMS_MAX:]
    return items


def _whole_numbers(raw: bytes, trimmed: Counter[str]) -> list[int] | None:
    """The items of an array of whole numbers, such as a sketch; None: it holds something else.

    Each item is a message of one tag and one number. Read as packed numbers instead, which is ten
    times faster, it is the two numbers `tag, value`; any other item would begin with another tag.
    """
    if (
        raw[2:3] != bytes((_NUMBER,)) or b"\x0a\x00" in raw
    ):  # 0A 00 is an empty item, which packs to nothing
        return None
    try:
        numbers: Sequence[int] = PackedNumbers.FromString(raw).values
    except DecodeError:
        return None
    tags, values = list(numbers[::2]), list(numbers[1::2])
    if len(tags) != len(values) or tags.count(_NUMBER) != len(tags):
        return None
    if len(values) > ITEMS_MAX:
        trimmed[TOO_LONG] += 1
        del values[ITEMS_MAX:]
    return values


def _pair_of(raw: bytes, trimmed: Counter[str], depth: int) -> tuple[str, Any]:
    message = KeyValue.FromString(raw)
    key: bytes = message.key
    value: bytes = message.value
    if len(key) > KEY_BYTES_MAX:
        trimmed[LONG_KEY] += 1
        key = key[:KEY_BYTES_MAX]
    return text_of(key, trimmed), value_of(value, trimmed, depth + 1) if value else None


def _first_seen(raw: bytes, trimmed: Counter[str]) -> tuple[str, Any]:
    size = len(raw)
    if size > KNOWN_BYTES_MAX:
        return _pair_of(raw, trimmed, -1)
    pair = _short(raw, size)
    if pair is None:
        cuts = trimmed.total()
        pair = _pair_of(raw, trimmed, -1)
        if isinstance(pair[1], list | dict) or trimmed.total() != cuts:
            return pair  # remembered, its cuts would be counted only once
    if len(known_pairs) >= KNOWN_MAX:
        known_pairs.clear()
    known_pairs[raw] = pair
    return pair


def _short(raw: bytes, size: int) -> tuple[str, str | int] | None:
    """By far the most frequent key-values, taken apart by hand: a short text, a small number.

    Each part is a tag, one byte of length, and the bytes; a number has seven bits a byte.
    None: it is something else, or malformed, and protobuf has to look at it.
    """
    try:
        end = raw[1] + 2
        if raw[0] != _KEY or raw[end] != _VALUE or raw[end + 1] != size - end - 2:
            return None
        tag, length = raw[end + 2], size - end - 3
        if tag == _TEXT and raw[end + 3] == length - 1:
            return raw[2:end].decode(), raw[end + 4 :].decode()
        if tag == _NUMBER and 0 < length <= 4 and raw[-1] < 0x80:
            number = raw[-1]
            for byte in raw[-2 : end + 2 : -1]:
                if byte < 0x80:
                    return None  # two numbers
                number = number << 7 | byte & 0x7F
            return raw[2:end].decode(), number
    except (IndexError, UnicodeDecodeError):
        return None
    return None


def attributes_of(raws: Sequence[bytes], trimmed: Counter[str]) -> dict[str, Any]:
    """Decode the attributes of one item; where a key comes twice the last one counts."""
    if len(raws) > ATTRIBUTES_MAX:
        trimmed[TOO_MANY] += 1
        raws = raws[:ATTRIBUTES_MAX]
    known = known_pairs.get
    attributes: dict[str, Any] = {}
    for raw in raws:
        key, value = known(raw) or _first_seen(raw, trimmed)
        attributes[key] = value
    if len(attributes) != len(raws):
        trimmed[REPEATED] += 1
    return attributes


def key_values(attributes: Mapping[str, Any]) -> list[KeyValueMessage]:
    """The way back: attributes as OTLP key-values, for what arrives in another shape."""
    return [KeyValueMessage(key=_utf8(key), value=_any(value)) for key, value in attributes.items()]


def _any(value: Any, depth: int = 0) -> AnyValueMessage:
    if isinstance(value, bool):
        return AnyValueMessage(bool_value=value)
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return AnyValueMessage(int_value=value)
    if isinstance(value, float):
        return AnyValueMessage(double_value=value)
    if isinstance(value, str):
        return AnyValueMessage(string_value=_utf8(value))
    if value is None or depth >= DEPTH_MAX:
        return AnyValueMessage()
    if isinstance(value, list | tuple):
        items = [_any(item, depth + 1) for item in cast("Sequence[Any]", value)]
        return AnyValueMessage(array_value=ArrayValueMessage(values=items))
    if isinstance(value, dict):
        pairs = [
            KeyValueMessage(key=_utf8(str(key)), value=_any(item, depth + 1))
            for key, item in cast("dict[Any, Any]", value).items()
        ]
        return AnyValueMessage(kvlist_value=KeyValueListMessage(values=pairs))
    return AnyValueMessage(string_value=_utf8(str(value)))  # a number that 64 bits cannot hold


def _utf8(text: str) -> str:
    """A text that UTF-8 can hold: JSON may spell half of a surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
