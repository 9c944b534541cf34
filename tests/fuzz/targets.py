"""What is fuzzed: everything that reads bytes or texts which somebody else wrote.

A target takes any bytes and returns. It raises where the product does what it never may: fail in
another way than it says, keep what it cannot read again, or let a secret through.
"""

from __future__ import annotations

import json
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from aftershock.fingerprints.fingerprint import fingerprint_arguments, fingerprint_result
from aftershock.policy.policy import EMPTY, Policy
from aftershock.redaction.redact import redact_named, redact_text
from aftershock_collector.config.load import ConfigurationError, check, load
from aftershock_collector.engine.engine import Engine
from aftershock_collector.metrics.exposition import OPENMETRICS, samples_of
from aftershock_collector.metrics.measure import Measurer
from aftershock_collector.metrics.promql import read_answer
from aftershock_collector.metrics.queries import DEFAULT_QUERIES
from aftershock_collector.metrics.series import SeriesStore
from aftershock_collector.otlp.decode import decode_log, decode_span
from aftershock_collector.otlp.values import attributes_of, key_values
from aftershock_collector.otlp.wire import LogEvent, Sample, Span, Unreadable
from aftershock_collector.reading.decoder import PROTOBUF, Batch, Readers, Signal, decode
from aftershock_collector.reading.read import read, read_event
from aftershock_collector.sources.recorded_files import read_file
from aftershock_collector.sources.unpacking import TooLarge, UnpackError, unpack_body

JSON = "application/json"
NOW_NS = 1_790_000_000_000_000_000
UNPACKED_BYTES_MAX = 1_000_000
# Of kinds that redaction promises to catch wherever they stand between spaces.
SECRETS = ("AKIAIOSFODNN7EXAMPLE", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "jo@example.org")
READERS = Readers.by(EMPTY)

Target = Callable[[bytes], None]


def otlp_traces(body: bytes) -> None:
    """OTLP spans in protobuf, read, redacted and judged."""
    _kept(body, Signal.TRACES, PROTOBUF)


def otlp_logs(body: bytes) -> None:
    """OTLP log records in protobuf: start events, facts, changes and every dialect of logs."""
    _kept(body, Signal.LOGS, PROTOBUF)


def otlp_metrics(body: bytes) -> None:
    """OTLP metrics in protobuf, measured."""
    _kept(body, Signal.METRICS, PROTOBUF)


def otlp_json(body: bytes) -> None:
    """The three signals as JSON."""
    for signal in (Signal.TRACES, Signal.LOGS, Signal.METRICS):
        _kept(body, signal, JSON)


def alerts(body: bytes) -> None:
    """Alertmanager's webhook, and what Prometheus itself posts."""
    _kept(body, Signal.ALERTS, JSON)


def _kept(body: bytes, signal: Signal, content_type: str) -> None:
    try:
        batch = decode(body, signal, content_type, READERS, NOW_NS)
    except Unreadable:
        return
    assert not batch.failures, batch.failures
    for span, _ in batch.spans:
        assert decode_span(span.body, span.resource_body, span.scope_body) == span
    for event, _ in batch.events:
        assert decode_log(event.body, event.resource_body, event.scope_body) == event
    _judge(batch)


def _judge(batch: Batch) -> None:
    engine = Engine()
    engine.observe(batch.steps, NOW_NS, "fuzz")
    for change in batch.changes:
        engine.learn(change, NOW_NS)
    engine.correlator.measure(batch.samples)
    engine.conclude(NOW_NS)


def spans(body: bytes) -> None:
    """A span with the attributes that a JSON object gives: what dialects read."""
    _, own = _object(body)
    span = Span(
        "ab" * 16, "cd" * 8, None, str(own.get("name", "s")), 1, NOW_NS, NOW_NS + 1, 2, "failed",
        own, own, "scope",
    )  # fmt: skip
    step = read(span, EMPTY)
    if step is not None:
        _judge(Batch(spans=[(span, step)]))


def log_events(body: bytes) -> None:
    """A log event with the attributes and the body that a JSON object gives."""
    whole, own = _object(body)
    name = own.get("event.name")
    event = LogEvent(
        "ab" * 16, "cd" * 8, name if isinstance(name, str) else "", whole, NOW_NS, 17, own, own, "s"
    )
    found = read_event(event, EMPTY)
    if found is not None:
        engine = Engine()
        if hasattr(found, "kind") and hasattr(found, "run_id"):
            engine.observe([cast("Any", found)], NOW_NS)
        else:
            engine.learn(cast("Any", found), NOW_NS)
        engine.conclude(NOW_NS)


def _object(body: bytes) -> tuple[Any, dict[str, Any]]:
    """What a JSON text spells, and its fields as OTLP would have brought them."""
    try:
        whole: Any = json.loads(body)
    except (ValueError, RecursionError):
        whole = {}
    given: dict[str, Any] = cast("Any", whole) if isinstance(whole, dict) else {}
    raws = [pair.SerializeToString() for pair in key_values(given)]
    return cast("Any", whole), attributes_of(raws, Counter())


def policy(body: bytes) -> None:
    """aftershock.yaml: problems are listed, or it can be used."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "aftershock.yaml"
        place.write_bytes(body)
        problems = check(place, {})
        try:
            config = load(place, {})
        except ConfigurationError:
            assert problems
            return
    assert not problems
    Policy.from_mapping(config.document)


def promql_answer(body: bytes) -> None:
    """What a Prometheus answers to a range query."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return
    with suppress(ValueError):
        for series in read_answer(DEFAULT_QUERIES[0], answer).series:
            times = series.times_ns.tolist()
            assert times == sorted(set(times))


def exposition(body: bytes) -> None:
    """What a scraped target answers."""
    text = body.decode("utf-8", "replace")
    for content_type in ("text/plain", OPENMETRICS):
        samples: list[Sample] = []
        with suppress(ValueError):
            samples = samples_of(text, content_type, {"service.name": "shop"}, NOW_NS)
        Measurer().record(samples, SeriesStore())


def redaction(body: bytes) -> None:
    """Texts of any kind: what is promised to be caught is caught, whatever is around it."""
    text = body.decode("utf-8", "replace")
    redact_named("text", text)
    for secret in SECRETS:
        safe = redact_text(f"{text[:4_000]}\n{secret}\n{text[4_000:]}")
        assert secret not in safe, secret


def fingerprints(body: bytes) -> None:
    """Arguments and results of tools, of any shape."""
    whole, own = _object(body)
    fingerprint_arguments(own)
    fingerprint_arguments(whole)
    fingerprint_result(whole)
    fingerprint_result(body.decode("utf-8", "replace"))


def recorded_file(body: bytes) -> None:
    """A file that somebody imports."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "recorded"
        place.write_bytes(body)
        with suppress(Unreadable):
            for recorded in read_file(place):
                if recorded.signal:
                    _kept(recorded.body, Signal(recorded.signal), PROTOBUF)


def packed_body(body: bytes) -> None:
    """A compressed body."""
    for window_bits in (16 + zlib.MAX_WBITS, zlib.MAX_WBITS):
        with suppress(UnpackError, TooLarge):
            assert len(unpack_body(body, window_bits, UNPACKED_BYTES_MAX)) <= UNPACKED_BYTES_MAX


TARGETS: Mapping[str, Target] = {
    target.__name__: target
    for target in (
        otlp_traces, otlp_logs, otlp_metrics, otlp_json, alerts, spans, log_events, policy,
        promql_answer, exposition, redaction, fingerprints, recorded_file, packed_body,
    )
}  # fmt: skip
