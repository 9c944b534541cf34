"""Recorded files → OTLP bodies: OTLP as JSON, JSON lines or protobuf, and two foreign formats.

The format is detected from the content, never from the name; gzip is unpacked. Foreign formats are
converted to OTLP here, so that later stages read OTLP only. Lines are read one by one, so that a
file may be larger than memory.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple, cast

from aftershock_collector.otlp.decode import decode_logs, decode_metrics, decode_traces
from aftershock_collector.otlp.otlp_json import protobuf_of_document
from aftershock_collector.otlp.wire import Decoded, Unreadable
from aftershock_collector.reading.dialects.neutral import is_neutral, traces_of
from aftershock_collector.reading.openinference_json import is_openinference, requests_of

LINE_BYTES_MAX = 64 << 20  # a request or a recorded run; real ones stay under 5 MB
DOCUMENT_BYTES_MAX = 256 << 20  # a document that is not in lines has to be read whole

PEEK_BYTES = 1_024  # enough to tell text from bytes

PROTOBUF = "application/x-protobuf"
NOT_JSON = "line that is not JSON"
NOT_KNOWN = "document of no known shape"
TOO_LONG = f"line over {LINE_BYTES_MAX} bytes"
BROKEN = "request that cannot be read"
CUT = "file that ends in the middle of a request"

_SIGNALS = {"resourceSpans": "traces", "resourceLogs": "logs", "resourceMetrics": "metrics"}
_DECODERS: dict[str, Callable[[bytes, str], Decoded[Any]]] = {
    "traces": decode_traces,
    "logs": decode_logs,
    "metrics": decode_metrics,
}
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ADVICE = (
    "give a file of OTLP (protobuf, JSON or JSON lines), OpenInference span JSON, or neutral JSON "
    "lines; .gz is fine"
)


class RecordedBody(NamedTuple):
    """One OTLP request. `rejected` counts what could not be converted to it, by reason."""

    signal: str  # traces | logs | metrics; "" where nothing was readable
    body: bytes  # protobuf
    rejected: Counter[str]


def read_file(path: Path) -> Iterator[RecordedBody]:
    """Every request of a file, in order.

    Raises:
        Unreadable: nothing in the file has a known format; the message says what to do.
        OSError: the file cannot be opened.
    """
    seen = False
    rejected: Counter[str] = Counter()
    try:
        with opened(path) as file:
            start = file.peek(PEEK_BYTES)[:PEEK_BYTES]
            read = _read_json if _is_json(start) else _read_protobuf
            for batch in read(file, path):
                seen = seen or bool(batch.body)
                rejected += batch.rejected
                yield batch
    except (EOFError, gzip.BadGzipFile, zlib.error) as why:
        if not seen:
            raise Unreadable(f"{path} is damaged ({why}): copy or record it again") from why
        yield RecordedBody("", b"", Counter({CUT: 1}))
    if not seen:
        reasons = "; ".join(f"{reason}: {count}" for reason, count in rejected.most_common(3))
        raise Unreadable(f"{path} holds nothing that can be read ({reasons or 'empty'}): {_ADVICE}")


@contextmanager
def opened(path: Path) -> Generator[BufferedReader]:
    """A file to read; gzip is unpacked."""
    with path.open("rb") as raw:
        if raw.peek(2)[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=raw) as inner:
                yield BufferedReader(cast("Any", inner), 1 << 16)
        else:
            yield raw


def _is_json(start: bytes) -> bool:
    """JSON text has no control characters; protobuf, which may start with the same byte, has."""
    return start.lstrip()[:1] in (b"{", b"[") and not _CONTROL.search(start)


# --- JSON ------------------------------------------------------------------------------------


def _read_json(file: BufferedReader, path: Path) -> Iterator[RecordedBody]:
    """One document per line, or one document over many lines."""
    first = file.readline(LINE_BYTES_MAX + 1)
    while first and not first.strip():
        first = file.readline(LINE_BYTES_MAX + 1)
    try:
        document = json.loads(first)
    except RecursionError:
        document = None
    except ValueError:
        yield from _batches(_whole(first, file, path))
        return
    yield from _batches(document)
    while line := file.readline(LINE_BYTES_MAX + 1):
        if len(line) > LINE_BYTES_MAX:
            yield _nothing(TOO_LONG)
            while line and not line.endswith(b"\n"):
                line = file.readline(LINE_BYTES_MAX)
        elif line.strip():
            try:
                document = json.loads(line)
            except (ValueError, RecursionError):
                yield _nothing(NOT_JSON)
            else:
                yield from _batches(document)


def _whole(first: bytes, file: BufferedReader, path: Path) -> Any:
    text = first + file.read(DOCUMENT_BYTES_MAX - len(first) + 1)
    if len(text) > DOCUMENT_BYTES_MAX:
        raise Unreadable(
            f"{path} is one JSON document of over {DOCUMENT_BYTES_MAX} bytes: "
            "write it as JSON lines, one request a line"
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as why:
        raise Unreadable(f"{path} is not JSON ({why}): {_ADVICE}") from why


def _batches(document: Any) -> Iterator[RecordedBody]:
    """The requests that one document holds."""
    if isinstance(document, list):
        for one in cast("list[Any]", document):
            yield from _batches(one) if isinstance(one, dict) else (_nothing(NOT_KNOWN),)
    elif is_neutral(document):
        run = traces_of(document)
        yield RecordedBody("traces", run.body, run.rejected)
    elif is_openinference(document):
        converted = requests_of(document)
        yield RecordedBody("traces", converted.traces, converted.rejected)
        if converted.logs is not None:
            yield RecordedBody("logs", converted.logs, Counter())
    else:
        yield from _otlp(document)


def _otlp(document: Any) -> Iterator[RecordedBody]:
    held = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    signals = [signal for name, signal in _SIGNALS.items() if name in held]
    if not signals:
        yield _nothing(NOT_KNOWN)
    for signal in signals:
        rejected: Counter[str] = Counter()
        try:
            body = protobuf_of_document(held, signal, rejected)
        except Unreadable:
            yield _nothing(BROKEN)
        else:
            yield RecordedBody(signal, body, rejected)


def _nothing(reason: str) -> RecordedBody:
    return RecordedBody("", b"", Counter({reason: 1}))


# --- Protobuf --------------------------------------------------------------------------------


def _read_protobuf(file: BufferedReader, path: Path) -> Iterator[RecordedBody]:
    """One request, or many with a 4-byte length before each (the Collector's file exporter)."""
    # A request starts with this tag; as the first byte of a length it would mean over 160 MB.
    if file.peek(1)[:1] == b"\x0a":
        body = file.read(DOCUMENT_BYTES_MAX + 1)
        if len(body) > DOCUMENT_BYTES_MAX:
            raise Unreadable(f"{path} is one request of over {DOCUMENT_BYTES_MAX} bytes: split it")
        yield _classified(body)
        return
    while head := file.read(4):
        size = int.from_bytes(head, "big")
        body = file.read(size) if len(head) == 4 and size <= LINE_BYTES_MAX else b""
        if len(head) < 4 or len(body) < size:
            yield _nothing(CUT)
            return
        yield _classified(body)


def _classified(body: bytes) -> RecordedBody:
    """Traces, logs or metrics: bytes carry no signal, so the decoder that finds most items wins."""
    found = dict.fromkeys(_DECODERS, 0)
    for signal, decode in _DECODERS.items():
        try:
            found[signal] = len(decode(body, PROTOBUF).items)
        except Unreadable:
            continue
    best = max(found, key=lambda signal: found[signal])
    return RecordedBody(best, body, Counter()) if found[best] else _nothing(BROKEN)
