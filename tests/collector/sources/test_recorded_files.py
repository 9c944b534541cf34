from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from aftershock.model import Outcome, Step, StepKind, Tier
from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.decode import decode_logs, decode_traces
from aftershock_collector.otlp.otlp_json import protobuf_of
from aftershock_collector.otlp.wire import LogEvent, Span, Unreadable
from aftershock_collector.reading.dialects.neutral import EPOCH_NS
from aftershock_collector.reading.isotime import duration_ns_of, time_ns_of
from aftershock_collector.reading.openinference_json import NO_TIME
from aftershock_collector.reading.read import read
from aftershock_collector.sources import recorded_files
from aftershock_collector.sources.recorded_files import PROTOBUF, read_file

ROOT = Path(__file__).parents[3]
OPENINFERENCE = ROOT / "tests" / "data" / "openinference-trail.json.gz"
NEUTRAL = ROOT / "tests" / "data" / "neutral-tau.jsonl.gz"
SHARED = ROOT.parent / "shared" / "data"
RECORDED_OPENINFERENCE = sorted((SHARED / "otel-openinference").glob("*.json.gz"))
RECORDED_NEUTRAL = sorted((SHARED / "traces").glob("*.jsonl.gz"))
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


class Found(NamedTuple):
    spans: list[Span]
    logs: list[LogEvent]
    lost: Counter[str]

    @property
    def steps(self) -> list[Step]:
        return [step for span in self.spans if (step := read(span, EMPTY)) is not None]


def found_in(path: Path) -> Found:
    """Everything a file holds, decoded as the service would."""
    found = Found([], [], Counter())
    for batch in read_file(path):
        found.lost.update(batch.rejected)
        if batch.signal == "traces":
            decoded = decode_traces(batch.body, PROTOBUF)
            found.spans.extend(decoded.items)
            found.lost.update(decoded.rejected)
        elif batch.signal == "logs":
            logs = decode_logs(batch.body, PROTOBUF)
            found.logs.extend(logs.items)
            found.lost.update(logs.rejected)
    return found


def nested(spans: list[Any]) -> Iterator[Any]:
    for span in spans:
        yield span
        yield from nested(span["child_spans"])


def read_json(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


def read_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


# --- OpenInference ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        OPENINFERENCE,
        *(
            RECORDED_OPENINFERENCE
            or [pytest.param(None, marks=pytest.mark.skip("../shared/data is not here"))]
        ),
    ],
    ids=lambda path: path.name[:8] if path else "none",
)
def test_every_span_and_log_of_an_openinference_file_is_stored_or_counted(path: Path) -> None:
    raw = list(nested(read_json(path)["spans"]))
    found = found_in(path)

    assert len(found.spans) + found.lost.total() == len(raw)
    assert found.lost == Counter()
    assert len(found.logs) == sum(len(span["logs"]) for span in raw)
    kinds = Counter(span["span_attributes"].get("openinference.span.kind") for span in raw)
    steps = Counter(step.kind for step in found.steps)
    assert steps == +Counter(
        {
            StepKind.AGENT: kinds["AGENT"],
            StepKind.INFERENCE: kinds["LLM"],
            StepKind.TOOL_CALL: kinds["TOOL"],
        }
    )


def test_a_span_of_an_openinference_file_keeps_what_it_said() -> None:
    raw = {span["span_id"]: span for span in nested(read_json(OPENINFERENCE)["spans"])}
    found = found_in(OPENINFERENCE)

    for span in found.spans:
        recorded = raw[span.span_id]
        assert (span.trace_id, span.parent_id) == (recorded["trace_id"], recorded["parent_span_id"])
        assert (span.name, span.attributes) == (recorded["span_name"], recorded["span_attributes"])
        assert (span.resource, span.scope) == (
            recorded["resource_attributes"],
            recorded["scope_name"],
        )
        assert span.status_message == recorded["status_message"]
        assert span.began_at_ns == time_ns_of(recorded["timestamp"])
        assert span.ended_at_ns - span.began_at_ns == duration_ns_of(recorded["duration"])
        assert [event.name for event in span.events] == [one["Name"] for one in recorded["events"]]
    paged = [step for step in found.steps if step.name == "page_down"]
    assert {step.error for step in paged} == {"TypeError"}
    assert {step.action.outcome for step in paged if step.action} == {Outcome.FAILED}
    assert len({step.action.arguments.digest for step in paged if step.action}) == 1


def test_a_damaged_openinference_span_costs_no_other(tmp_path: Path) -> None:
    document = read_json(OPENINFERENCE)
    spans = list(nested(document["spans"]))
    spans[-1]["timestamp"] = "yesterday"
    spans[-2]["span_id"] = "zz"
    spans[0]["child_spans"].append("not a span")
    found = found_in(write(tmp_path / "damaged.json", document))

    assert len(found.spans) == len(spans) - 2
    assert found.lost.total() == 3
    assert found.lost[NO_TIME] == 1


# --- Neutral recordings ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        NEUTRAL,
        *(
            [
                pytest.param(path, marks=[pytest.mark.slow] * path.name.startswith("agentdojo"))
                for path in RECORDED_NEUTRAL
            ]
            or [pytest.param(None, marks=pytest.mark.skip("../shared/data is not here"))]
        ),
    ],
    ids=lambda path: path.name.partition(".")[0] if path else "none",
)
def test_every_recorded_step_becomes_a_step_of_its_run_in_its_place(path: Path) -> None:
    runs = {run["id"]: run for run in read_lines(path)}
    found = found_in(path)
    by_run: dict[str, list[Step]] = {}
    for step in found.steps:
        by_run.setdefault(step.run_id, []).append(step)

    assert found.lost == Counter()
    assert {run: len(steps) for run, steps in by_run.items()} == {
        run: len(recorded["steps"]) for run, recorded in runs.items()
    }
    assert len({(step.run_id, step.span_id) for step in found.steps}) == len(found.steps)
    for run, steps in by_run.items():
        recorded = runs[run]["steps"]
        assert [step.kind is StepKind.TOOL_CALL for step in steps] == [
            step["kind"] == "tool" for step in recorded
        ]
        assert [step.name for step in steps if step.action] == [
            step["name"] for step in recorded if step["kind"] == "tool"
        ]


def test_what_a_recording_says_of_a_call_is_kept() -> None:
    steps = {
        (step.run_id.rpartition("/")[2], step.span_id): step for step in found_in(NEUTRAL).steps
    }
    outcomes: dict[str, Counter[str]] = {}
    for (variant, _), step in steps.items():
        if step.action is not None and step.action.outcome is not None:
            outcomes.setdefault(variant, Counter())[step.action.outcome] += 1

    assert outcomes["failed_read"][Outcome.FAILED] == 1
    assert outcomes["truncated_read"][Outcome.TRUNCATED] == 1
    assert outcomes["control"][Outcome.FAILED] + outcomes["control"][Outcome.TRUNCATED] == 0
    tiers = {step.name: step.action.tier for step in steps.values() if step.action}
    assert tiers["get_reservation_details"] is Tier.READ
    assert tiers["update_reservation_flights"] is Tier.WRITE


def recorded(*steps: Any) -> dict[str, Any]:
    return {"id": "run-1", "steps": list(steps)}


def test_steps_without_times_stand_a_second_apart_in_their_order(tmp_path: Path) -> None:
    run = recorded(*({"kind": "llm", "name": str(n)} for n in range(3)))
    steps = found_in(write(tmp_path / "f.jsonl", run)).steps

    assert [step.began_at_ns - EPOCH_NS for step in steps] == [0, 10**9, 2 * 10**9]
    assert [step.name for step in steps] == ["0", "1", "2"]


def test_times_of_the_data_are_kept_and_gaps_filled_from_the_neighbours(tmp_path: Path) -> None:
    at = time_ns_of("2026-06-29T05:29:33.262Z") or 0
    run = recorded(
        {"kind": "message", "name": "user", "result": "fix it"},
        {"kind": "llm", "name": "m", "t": "2026-06-29T05:29:33.262Z", "dur": "PT2.5S"},
        {"kind": "tool", "name": "Bash", "args": {"command": "ls"}, "result": "a"},
        {
            "kind": "tool",
            "name": "Bash",
            "t": "2026-06-29T05:29:40Z",
            "t_end": "2026-06-29T05:30:00Z",
        },
    )
    steps = found_in(write(tmp_path / "f.jsonl", run)).steps

    assert [step.began_at_ns - at for step in steps] == [-(10**9), 0, 2_500_000_000, 6_738_000_000]
    assert steps[1].ended_at_ns == at + 2_500_000_000
    assert steps[3].ended_at_ns == time_ns_of("2026-06-29T05:30:00Z")


def test_messages_and_hand_offs_of_a_recording_are_steps(tmp_path: Path) -> None:
    boss = "Orchestrator (-> WebSurfer)"
    run = recorded(
        {"kind": "llm", "name": "human", "agent": "human", "result": "find it"},
        {"kind": "llm", "name": "Orchestrator (thought)", "agent": "Orchestrator (thought)"},
        {"kind": "llm", "name": boss, "agent": boss, "result": "search"},
        {"kind": "tool", "name": "search", "agent": "WebSurfer", "args": {}},
    )
    steps = found_in(write(tmp_path / "f.jsonl", run)).steps

    assert [(step.kind, step.name, step.agent) for step in steps] == [
        (StepKind.MESSAGE, "human", None),
        (StepKind.INFERENCE, "Orchestrator (thought)", "Orchestrator"),
        (StepKind.HAND_OFF, "WebSurfer", "Orchestrator"),
        (StepKind.TOOL_CALL, "search", "WebSurfer"),
    ]


def test_a_result_that_the_recorder_cut_was_not_truncated_for_the_agent(tmp_path: Path) -> None:
    result = '{"items": [' + "1, " * 660
    cut = {"kind": "tool", "name": "get", "result": result, "full_len": 9_000}
    run = recorded(cut, cut | {"full_len": len(result)}, {"kind": "dream"}, 7)
    found = found_in(write(tmp_path / "f.jsonl", run))

    assert [step.action.outcome for step in found.steps if step.action] == [
        Outcome.OK, Outcome.TRUNCATED,
    ]  # fmt: skip
    assert found.lost == Counter({"step of no known kind": 1, "malformed step": 1})


def test_importing_a_recording_twice_gives_the_same_spans() -> None:
    assert found_in(NEUTRAL) == found_in(NEUTRAL)


# --- OTLP ------------------------------------------------------------------------------------


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


def test_iso_moments_are_exact_and_utc_where_they_do_not_say() -> None:
    assert time_ns_of("2025-03-19T16:32:08.062589Z") == 1_742_401_928_062_589_000
    assert time_ns_of("2025-03-19T16:32:08.062589") == 1_742_401_928_062_589_000
    assert time_ns_of("2025-03-19T17:32:08+01:00") == 1_742_401_928_000_000_000
    assert [time_ns_of(text) for text in ("yesterday", 5, None)] == [None, None, None]
