"""Records as JSON text and back again, without loss.

Field names are keys, enums their values, tuples are lists; a number that JSON cannot write (not
finite) is its name as text. A missing key takes the field's default and an unknown key is ignored,
so that neighbouring versions read each other.
"""

from __future__ import annotations

from functools import cache
from math import isfinite
from typing import Any, TypeVar, cast

import msgspec

Record = TypeVar("Record")

_ENCODER = msgspec.json.Encoder()


def to_text(record: object) -> str:
    """A dataclass of the model, or of the store, as JSON text."""
    return _ENCODER.encode(to_plain(record)).decode()


def from_text(kind: type[Record], text: str) -> Record:
    """The record that `to_text` wrote.

    Raises:
        ValueError: the text is no record of this type.
    """
    try:
        return cast("Record", _decoder(kind).decode(text))
    except (msgspec.MsgspecError, AssertionError, TypeError) as error:
        raise ValueError(f"not a stored {kind.__name__}: {error}") from error


def to_plain(record: object) -> Any:
    """A record as dicts, lists, texts and numbers that every JSON reader accepts."""
    return _finite(msgspec.to_builtins(record))


def from_plain(kind: type[Record], plain: object) -> Record:
    """The record that `to_plain` wrote. Raises ValueError where it is no record of this type."""
    try:
        return msgspec.convert(plain, kind, strict=False)
    except (msgspec.MsgspecError, AssertionError, TypeError) as error:
        raise ValueError(f"not a stored {kind.__name__}: {error}") from error


def _finite(plain: Any) -> Any:
    if isinstance(plain, float):
        return plain if isfinite(plain) else str(plain)
    if isinstance(plain, dict):
        return {key: _finite(value) for key, value in cast("dict[str, Any]", plain).items()}
    if isinstance(plain, list | tuple):
        return [_finite(value) for value in cast("list[Any]", plain)]
    return plain


def to_bytes(record: object) -> bytes:
    """A record as MessagePack: smaller and faster than text, for what no person reads."""
    return msgspec.msgpack.encode(record)


def from_bytes(kind: type[Record], body: bytes) -> Record:
    """The record that `to_bytes` wrote. Raises ValueError where it is no record of this type."""
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.MsgspecError, AssertionError, TypeError) as error:
        raise ValueError(f"not a stored {kind.__name__}: {error}") from error


@cache
def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    # Not strict: "inf" and "nan" are numbers. What is read here, `to_text` wrote.
    return msgspec.json.Decoder(kind, strict=False)
