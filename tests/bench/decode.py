"""Microseconds per agent span for decoding and for reading: `python -m tests.bench.decode`.

Two kinds of traffic: content on the spans (fingerprinted here) and Aftershock's own fingerprints
(made in the agent's process). CPU time, the best of several batches that were never seen before.
"""

from __future__ import annotations

import random
import time

from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from aftershock import attributes as names
from aftershock.fingerprints.fingerprint import fingerprint_arguments, fingerprint_result
from aftershock.policy.policy import EMPTY
from aftershock.wire import encode_hashes
from aftershock_collector.otlp.decode import decode_traces
from aftershock_collector.reading.read import read
from tests.support.traffic import any_runs, attribute, span_request

SPANS = 512  # of a batch: what exporters send by default
BATCHES = 12


def spans_of(dice: random.Random) -> list[OtlpSpan]:
    found: list[OtlpSpan] = []
    for traffic in any_runs(dice, SPANS):
        found += traffic.spans
    return found[:SPANS]


def fingerprinted(span: OtlpSpan) -> OtlpSpan:
    """A tool span as Aftershock's instrumentation sends it: without content."""
    given = {pair.key: pair.value.string_value for pair in span.attributes}
    if names.TOOL_ARGUMENTS not in given:
        return span
    kept = [
        pair
        for pair in span.attributes
        if pair.key not in {names.TOOL_ARGUMENTS, names.TOOL_RESULT}
    ]
    arguments = fingerprint_arguments(given[names.TOOL_ARGUMENTS])
    result = fingerprint_result(given[names.TOOL_RESULT])
    del span.attributes[:]
    span.attributes.extend(kept)
    for key, value in (
        (names.ARGUMENTS_DIGEST, arguments.digest),
        (names.RESULT_DIGEST, result.digest),
        (names.RESULT_OUTCOME, "ok"),
        (names.ACTION_TIER, "read"),
    ):
        span.attributes.append(attribute(key, value))
    for key, sketch in (
        (names.ARGUMENTS_SKETCH, arguments.sketch),
        (names.RESULT_SKETCH, result.sketch),
    ):
        span.attributes.append(attribute(key, encode_hashes(sketch)))
    return span


def main() -> None:
    dice = random.Random(7)
    for title, own in (("content on spans", False), ("own fingerprints", True)):
        decoding: list[float] = []
        reading: list[float] = []
        attributes = size = 0
        for _ in range(BATCHES):
            spans = [fingerprinted(span) if own else span for span in spans_of(dice)]
            attributes = sum(len(span.attributes) for span in spans) / len(spans)
            body = span_request(spans)
            size = len(body) // len(spans)
            began = time.process_time()
            items = decode_traces(body, "application/x-protobuf").items
            decoded = time.process_time()
            for item in items:
                read(item, EMPTY)
            reading.append((time.process_time() - decoded) / len(items) * 1e6)
            decoding.append((decoded - began) / len(items) * 1e6)
        print(
            f"{title}: {attributes:.1f} attributes, {size} bytes a span: "
            f"decode {min(decoding):.1f} µs, read {min(reading):.1f} µs"
        )


if __name__ == "__main__":
    main()
