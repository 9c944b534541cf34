"""OTLP/JSON → OTLP protobuf, so that later stages read one encoding.

The rules of the OTLP specification: lower camel case names (snake case is taken too), ids in hex,
64-bit integers as text or number, enums as numbers (names are taken too), unknown names ignored.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, cast

from google.protobuf.descriptor import FieldDescriptor
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aftershock_collector.otlp import protobuf
from aftershock_collector.otlp.wire import Unreadable

CONTAINERS_MAX = 100_000  # objects and lists of a small body: parsed they take 200 bytes each
CONTAINER_BYTES = 30  # of a large one, on average at least; of recorded ones 40
DEPTH_MAX = 64  # messages within each other; a list value costs two

MALFORMED = {
    "traces": "malformed span",
    "logs": "malformed log record",
    "metrics": "malformed metric",
}

_HEX = frozenset({"trace_id", "span_id", "parent_span_id"})
_WHOLE = frozenset({
    FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_SINT64,
    FieldDescriptor.TYPE_FIXED32, FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_SFIXED32,
    FieldDescriptor.TYPE_SFIXED64,
})  # fmt: skip

_SIGNALS: dict[str, tuple[str, str, str, Any, Any, Any, Any]] = {
    "traces": (
        "resourceSpans", "scopeSpans", "spans", Span,
        protobuf.ScopeSpans, protobuf.ResourceSpans, protobuf.TracesData,
    ),
    "logs": (
        "resourceLogs", "scopeLogs", "logRecords", LogRecord,
        protobuf.ScopeLogs, protobuf.ResourceLogs, protobuf.LogsData,
    ),
    "metrics": (
        "resourceMetrics", "scopeMetrics", "metrics", Metric,
        protobuf.ScopeMetrics, protobuf.ResourceMetrics, protobuf.MetricsData,
    ),
}  # fmt: skip

# Field tables by message name: JSON name → how the field is read.
_fields: dict[str, dict[str, _Field]] = {}


class _Malformed(Exception):  # noqa: N818  (never leaves this module)
    """One item of the body that is not what the specification says."""


def protobuf_of(body: bytes, signal: str, rejected: Counter[str]) -> bytes:
    """Encode a JSON body (traces, logs or metrics) as protobuf; malformed items are counted."""
    if body.count(b"{") + body.count(b"[") > CONTAINERS_MAX + len(body) // CONTAINER_BYTES:
        raise Unreadable(
            f"the body of {len(body)} bytes is made of empty objects: send smaller batches"
        )
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as why:
        raise Unreadable(
            f"the body of {len(body)} bytes is not JSON ({why}): check its Content-Encoding, and "
            "that it was sent whole"
        ) from why
    return protobuf_of_document(document, signal, rejected)


def protobuf_of_document(document: Any, signal: str, rejected: Counter[str]) -> bytes:
    """Encode a parsed JSON body as protobuf."""
    by_resource, by_scope, items, item, in_scope, in_resource, data = _SIGNALS[signal]
    resources: list[bytes] = []
    for group in _list_in(document, by_resource, "the body"):
        scopes: list[bytes] = []
        for scope in _list_in(group, by_scope, by_resource):
            found: list[bytes] = []
            for one in _list_in(scope, items, by_scope):
                try:
                    found.append(_encoded(item, one))
                except _Malformed:
                    rejected[MALFORMED[signal]] += 1
            scopes.append(
                in_scope(
                    **{
                        "scope": _envelope(InstrumentationScope, scope, "scope"),
                        _snake(items): found,
                    }
                ).SerializeToString()
            )
        resources.append(
            in_resource(
                **{"resource": _envelope(Resource, group, "resource"), _snake(by_scope): scopes}
            ).SerializeToString()
        )
    return data(**{_snake(by_resource): resources}).SerializeToString()


def _snake(camel: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in camel)


def _list_in(value: Any, name: str, place: str) -> list[Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"{place} of OTLP/JSON is not an object that holds {name!r}")
    group = cast("dict[str, Any]", value)
    found = group.get(name, group.get(_snake(name)))
    if found is None:
        return []
    if not isinstance(found, list):
        raise Unreadable(f"{name!r} of OTLP/JSON is not a list")
    return cast("list[Any]", found)


def _envelope(kind: Any, group: dict[str, Any], name: str) -> bytes:
    try:
        return _encoded(kind, group.get(name) or {})
    except _Malformed as why:
        raise Unreadable(f"{name!r} of OTLP/JSON cannot be read: {why}") from why


def _encoded(kind: Any, value: Any) -> bytes:
    message = kind()
    try:
        _fill(message, value, _table(message.DESCRIPTOR), 0)
        return message.SerializeToString()
    except (KeyError, ValueError, TypeError, OverflowError, NotBase64, protobuf.EncodeError) as why:
        raise _Malformed(str(why)) from why


class _Field(NamedTuple):
    """How one field is read: `convert` is None where it is a message."""

    name: str
    repeated: bool
    convert: Callable[[Any], Any] | None
    message: Any


def _table(descriptor: Any) -> dict[str, _Field]:
    table = _fields.get(descriptor.full_name)
    if table is None:
        table = {}
        for field in descriptor.fields:
            convert = None if field.message_type else _converter(field)
            found = _Field(field.name, field.is_repeated, convert, field.message_type)
            table[field.json_name] = table[field.name] = found
        _fields[descriptor.full_name] = table
    return table


def _fill(message: Any, value: Any, table: dict[str, _Field], depth: int) -> None:
    if not isinstance(value, dict):
        raise TypeError(f"{message.DESCRIPTOR.name} is not an object")
    if depth > DEPTH_MAX:
        raise ValueError(f"nested over {DEPTH_MAX} deep")
    for name, given in cast("dict[str, Any]", value).items():
        field = table.get(name)
        if field is None or given is None:
            continue
        own, repeated, convert, inner = field
        if repeated:
            if not isinstance(given, list):
                raise TypeError(f"{name} is not a list")
            items, place = cast("list[Any]", given), getattr(message, own)
            if convert is not None:
                place.extend(map(convert, items))
                continue
            below = _table(inner)
            for one in items:
                _fill(place.add(), one, below, depth + 1)
        elif convert is not None:
            setattr(message, own, convert(given))
        else:
            part = getattr(message, own)
            part.SetInParent()
            _fill(part, given, _table(inner), depth + 1)


# --- Scalars -----------------------------------------------------------------------------------


def _converter(field: Any) -> Callable[[Any], Any]:
    """What makes a value of this field from JSON's; it raises where it cannot."""
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return _text
        case FieldDescriptor.TYPE_BYTES:
            return bytes.fromhex if field.name in _HEX else _unpacked
        case FieldDescriptor.TYPE_BOOL:
            return _truth
        case FieldDescriptor.TYPE_ENUM:
            return partial(_enum, field.enum_type)
        case kind:
            return _whole if kind in _WHOLE else _number


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError("not a text")
    # JSON can spell half of a surrogate pair; UTF-8 cannot.
    return given if given.isascii() else given.encode("utf-8", "replace").decode()


def _unpacked(given: Any) -> bytes:
    return b64decode(given, validate=True)


def _truth(given: Any) -> bool:
    if not isinstance(given, bool):
        raise TypeError("neither true nor false")
    return given


def _enum(kind: Any, given: Any) -> int:
    if isinstance(given, str) and not given.isdigit():
        return int(kind.values_by_name[given].number)
    return _whole(given)


def _whole(given: Any) -> int:
    if isinstance(given, bool):
        raise TypeError("not a number")
    if isinstance(given, float) and not given.is_integer():
        raise ValueError("not a whole number")
    return int(given)


def _number(given: Any) -> float:
    if isinstance(given, bool):
        raise TypeError("not a number")
    return float(given)
