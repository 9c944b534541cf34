"""Neutral recordings of steps: their order, their times, what each says."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from aftershock.model import Outcome, Step, StepKind, Tier
from aftershock_collector.reading.dialects.neutral import EPOCH_NS
from aftershock_collector.reading.isotime import time_ns_of
from tests.collector.sources.recordings import ROOT, SHARED, found_in, recorded, write

NEUTRAL = ROOT / "tests" / "data" / "neutral-tau.jsonl.gz"
RECORDED_NEUTRAL = sorted((SHARED / "traces").glob("*.jsonl.gz"))
LARGE = ("agentdojo", "whowhen", "tar.", "magentic")  # take 5 s or more each: they are slow tests


def read_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


@pytest.mark.parametrize(
    "path",
    [
        NEUTRAL,
        *(
            [
                pytest.param(path, marks=[pytest.mark.slow] * path.name.startswith(LARGE))
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


def test_iso_moments_are_exact_and_utc_where_they_do_not_say() -> None:
    assert time_ns_of("2025-03-19T16:32:08.062589Z") == 1_742_401_928_062_589_000
    assert time_ns_of("2025-03-19T16:32:08.062589") == 1_742_401_928_062_589_000
    assert time_ns_of("2025-03-19T17:32:08+01:00") == 1_742_401_928_000_000_000
    assert [time_ns_of(text) for text in ("yesterday", 5, None)] == [None, None, None]
