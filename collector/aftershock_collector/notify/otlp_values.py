"""Plain values → attributes of OTLP messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | bool | int | float | tuple[str, ...]


def pairs(values: Mapping[str, Value | None]) -> list[KeyValue]:
    """Attributes; what was not seen is left out."""
    return [KeyValue(key=k, value=any_value(v)) for k, v in values.items() if v is not None]


def any_value(value: Value) -> AnyValue:
    """A plain value on the wire."""
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, tuple):
        texts = [AnyValue(string_value=text) for text in value]
        return AnyValue(array_value=ArrayValue(values=texts))
    return AnyValue(string_value=value)
