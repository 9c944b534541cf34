"""OTLP in files: documents, lines, requests; files that were cut or are of nothing known."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from aftershock_collector.otlp.otlp_json import protobuf_of
from aftershock_collector.otlp.wire import Unreadable
from aftershock_collector.reading.isotime import duration_ns_of
from aftershock_collector.sources import recorded_files
from aftershock_collector.sources.recorded_files import read_file
from tests.collector.sources.recordings import found_in, write

OTLP = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": "ab" * 16,
                            "spanId": "cd" * 8,
                            "name": "chat",
                            "startTimeUnixNano": "5",
                            "endTimeUnixNano": "6",
                        }
                    ]
                }
            ]
        }
    ]
}
LOGS = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "7"}]}]}]}
METRICS = {
    "resourceMetrics": [
        {
            "scopeMetrics": [
                {
                    "metrics": [
                        {
                            "name": "m",
                            "gauge": {"dataPoints": [{"timeUnixNano": "8", "asInt": "1"}]},
                        }
                    ]
                }
            ]
        }
    ]
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("indent", [None, 2])
def test_one_document_of_otlp_json(tmp_path: Path, packed: bool, indent: int | None) -> None:
    text = json.dumps(OTLP, indent=indent).encode()
    path = tmp_path / "whatever"
    path.write_bytes(gzip.compress(text) if packed else text)

    assert [span.began_at_ns for span in found_in(path).spans] == [5]


def test_json_lines_of_all_signals_with_bad_lines_between(tmp_path: Path) -> None:
    lines = [json.dumps(one) for one in (OTLP, LOGS, METRICS, {"a": 1}, [OTLP, 5], OTLP)]
    path = tmp_path / "f.jsonl"
    path.write_text("\n\n".join([lines[0], "{broken", *lines[1:]]))
    batches = list(read_file(path))
    found = found_in(path)

    assert [batch.signal for batch in batches if batch.body] == [
        "traces", "logs", "metrics", "traces", "traces",
    ]  # fmt: skip
    assert (len(found.spans), len(found.logs)) == (3, 1)
    assert found.lost == Counter({recorded_files.NOT_JSON: 1, recorded_files.NOT_KNOWN: 2})


def requests() -> list[tuple[str, bytes]]:
    """The three requests in protobuf."""
    return [
        (signal, protobuf_of(json.dumps(document).encode(), signal, Counter()))
        for signal, document in (("traces", OTLP), ("logs", LOGS), ("metrics", METRICS))
    ]


@pytest.mark.parametrize(("signal", "body"), requests(), ids=["traces", "logs", "metrics"])
def test_one_request_of_protobuf_is_classified_by_what_is_in_it(
    tmp_path: Path, signal: str, body: bytes
) -> None:
    path = tmp_path / "f.binpb"
    path.write_bytes(body)

    assert [(batch.signal, batch.body) for batch in read_file(path)] == [(signal, body)]


def test_a_request_that_begins_like_json_is_protobuf_all_the_same(tmp_path: Path) -> None:
    document = json.loads(json.dumps(OTLP))
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    empty = protobuf_of(json.dumps(document).encode(), "traces", Counter())
    span["name"] += "x" * (ord("{") - empty[1])
    body = protobuf_of(json.dumps(document).encode(), "traces", Counter())
    path = tmp_path / "f"
    path.write_bytes(body)

    assert body[:2] == b"\n{"
    assert len(found_in(path).spans) == 1


def test_requests_with_their_lengths_before_them(tmp_path: Path) -> None:
    path = tmp_path / "f"
    whole = b"".join(len(body).to_bytes(4, "big") + body for _, body in requests())
    path.write_bytes(gzip.compress(whole + b"\x00\x00\x01\x00abc"))
    batches = list(read_file(path))

    assert [(batch.signal, batch.body) for batch in batches[:3]] == requests()
    assert batches[3:] == [("", b"", Counter({recorded_files.CUT: 1}))]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1, 2]",
        b"\x0a\x02\x08\x01",
        b"hello\n",
        b"\xff" * 99,
        b'{"a": 1}',
        b"[" * 10**6,
    ],
    ids=["empty", "brace", "numbers", "proto", "text", "noise", "other", "deep"],
)
def test_a_file_of_nothing_known_says_which_and_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.bin"
    path.write_bytes(content)

    with pytest.raises(Unreadable, match=r"odd\.bin.*give a file of OTLP"):
        list(read_file(path))


def test_a_gzip_file_that_was_cut_gives_what_is_whole_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "f.jsonl", *([OTLP] * 3_000))
    packed = gzip.compress(path.read_bytes())
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "bad.gz").write_bytes(packed[:15])
    found = found_in(tmp_path / "cut.gz")

    assert 100 < len(found.spans) < 3_000
    assert found.lost[recorded_files.CUT] == 1
    with pytest.raises(Unreadable, match="damaged"):
        list(read_file(tmp_path / "bad.gz"))


def test_lines_beyond_the_limit_are_skipped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded_files, "LINE_BYTES_MAX", 1_000)
    long = OTLP | {"padding": "x" * 5_000}
    found = found_in(write(tmp_path / "f.jsonl", OTLP, long, OTLP))

    assert len(found.spans) == 2
    assert found.lost == Counter({recorded_files.TOO_LONG: 1})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT1M48.75533S", 108_755_330_000),
        ("PT0.000047S", 47_000),
        ("P1DT2H", 93_600 * 10**9),
        ("PT0S", 0),
        ("P", None),
        ("1M", None),
        (None, None),
        ("PT1.S", None),
    ],
)
def test_iso_durations(text: Any, expected: int | None) -> None:
    assert duration_ns_of(text) == expected
