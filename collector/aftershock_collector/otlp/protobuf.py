"""OTLP's messages with one level open at a time: nested messages and texts are left as bytes.

Parsed this way a span keeps the very bytes that arrived, one malformed attribute spoils one span
and not its batch, and only what is asked for is made into Python objects. The classes are derived
from the official descriptors, so field numbers and types have one source.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, EncodeError
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

__all__ = ["DecodeError", "EncodeError", "fields_within"]

_PACKAGE = "aftershock.opened"
_OFFICIAL: tuple[Any, ...] = (common_pb2, resource_pb2, trace_pb2, logs_pb2, metrics_pb2)
_FIELD = descriptor_pb2.FieldDescriptorProto


def _opened(message: descriptor_pb2.DescriptorProto) -> list[descriptor_pb2.DescriptorProto]:
    """A message and those nested in it, side by side, each referring to no other."""
    nested = [found for inner in message.nested_type for found in _opened(inner)]
    for field in message.field:
        if field.type in (_FIELD.TYPE_MESSAGE, _FIELD.TYPE_STRING):
            field.type = _FIELD.TYPE_BYTES
        elif field.type == _FIELD.TYPE_ENUM:
            field.type = _FIELD.TYPE_INT32
        field.ClearField("type_name")
        field.ClearField("options")
    del message.nested_type[:]
    del message.enum_type[:]
    message.ClearField("options")
    return [message, *nested]


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="aftershock/opened.proto", package=_PACKAGE, syntax="proto3"
    )
    for module in _OFFICIAL:
        for descriptor in module.DESCRIPTOR.message_types_by_name.values():
            copy = descriptor_pb2.DescriptorProto()
            descriptor.CopyToProto(copy)
            file.message_type.extend(_opened(copy))
    packed = file.message_type.add(name="PackedNumbers")
    packed.field.add(name="values", number=1, type=_FIELD.TYPE_INT64, label=_FIELD.LABEL_REPEATED)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message.name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{_PACKAGE}.{message.name}")
        )
        for message in file.message_type
    }


_made = _classes()
AnyValue: Any = _made["AnyValue"]
ArrayValue: Any = _made["ArrayValue"]
KeyValueList: Any = _made["KeyValueList"]
KeyValue: Any = _made["KeyValue"]
PackedNumbers: Any = _made["PackedNumbers"]  # not OTLP's: see values.py
Scope: Any = _made["InstrumentationScope"]
Resource: Any = _made["Resource"]
TracesData: Any = _made["TracesData"]
ResourceSpans: Any = _made["ResourceSpans"]
ScopeSpans: Any = _made["ScopeSpans"]
Span: Any = _made["Span"]
Event: Any = _made["Event"]
Link: Any = _made["Link"]
Status: Any = _made["Status"]
LogsData: Any = _made["LogsData"]
ResourceLogs: Any = _made["ResourceLogs"]
ScopeLogs: Any = _made["ScopeLogs"]
LogRecord: Any = _made["LogRecord"]
MetricsData: Any = _made["MetricsData"]
ResourceMetrics: Any = _made["ResourceMetrics"]
ScopeMetrics: Any = _made["ScopeMetrics"]
Metric: Any = _made["Metric"]
Gauge: Any = _made["Gauge"]
Sum: Any = _made["Sum"]
Histogram: Any = _made["Histogram"]
ExponentialHistogram: Any = _made["ExponentialHistogram"]
Summary: Any = _made["Summary"]
NumberDataPoint: Any = _made["NumberDataPoint"]
HistogramDataPoint: Any = _made["HistogramDataPoint"]
ExponentialHistogramDataPoint: Any = _made["ExponentialHistogramDataPoint"]
Buckets: Any = _made["Buckets"]
SummaryDataPoint: Any = _made["SummaryDataPoint"]
ValueAtQuantile: Any = _made["ValueAtQuantile"]


def fields_within(raw: bytes, number: int, most: int) -> int:
    """How often a length-delimited field stands in a message; stops counting above `most`.

    Reads tags and lengths only, so that a message of millions of empty fields costs nothing.
    Malformed bytes end the count: the parser reports them.
    """
    at, found, size = 0, 0, len(raw)
    while at < size and found <= most:
        tag, at = _varint(raw, at)
        match tag & 7:
            case 0:
                _, at = _varint(raw, at)
            case 1:
                at += 8
            case 2:
                length, at = _varint(raw, at)
                at += length
                found += tag >> 3 == number
            case 5:
                at += 4
            case _:
                return found
    return found


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends; beyond the end of the bytes counts as 0."""
    value = shift = 0
    while at < len(raw) and shift < 70:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return 0, len(raw)
