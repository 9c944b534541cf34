"""Explanations, dry runs and canaries as functions under `@aftershock.tool` and models see them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

import aftershock
from aftershock import attributes as names
from aftershock.guard.dry_runs import BUSY, TOO_LONG, DryRuns, run_command
from tests.instrumentation.conftest import Recorder, own
from tests.support.commands import printed_data, run_main
from tests.support.gauges import send_gauges
from tests.support.live_collector import live_collector

WHY = "p95 is 340 ms and there is room for two more"


def test_a_model_explains_a_call_with_a_tool_of_ours(policy: Any, recorder: Recorder) -> None:
    policy("gate: {mode: enforce, explain: require, budget: deny}")

    @aftershock.tool
    def scale(n: int) -> str:
        return f"{n} run"

    with aftershock.run(agent="bot"):
        held = scale(n=3)
        recorded = aftershock.explain("scale", WHY, "the window is closed")
        done = scale(n=3)

    assert "Call `explain` first" in held
    assert recorded == "Recorded. Now call scale, if you still want it."
    assert done == "3 run"
    assert own(recorder.span("decision"))[names.DECISION_CHOSEN] == "scale"
    span = own(next(one for one in recorder.spans if names.GUARDRAIL_DECISION_CODE in own(one)))
    assert span[names.GUARDRAIL_DECISION_CODE] == "explanation"


def test_a_call_inside_a_decision_is_explained_by_it(policy: Any, recorder: Recorder) -> None:
    policy("gate: {mode: enforce, explain: require}")

    @aftershock.tool
    async def scale(n: int) -> str:
        return f"{n} run"

    async def scene() -> list[str]:
        async with aftershock.run(agent="bot") as run:
            with run.decision("how many?") as without:
                without.chose("scale")
                first = await scale(n=3)
            with run.decision("how many?", because=WHY):
                return [first, await scale(n=3)]

    held, done = asyncio.run(scene())

    assert "needs an explanation" in held
    assert done == "3 run"
    assert recorder.spans


def asked_of(home: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The one request that an agent made."""
    monkeypatch.setenv("AFTERSHOCK_HOME", str(home))
    (asked,) = printed_data(lambda *argv: run_main(capsys, *argv), "approvals")
    return asked


@pytest.mark.parametrize("kind", ["sync", "async", "fails"])
def test_whoever_approves_is_shown_the_authors_dry_run_without_its_secrets(
    policy: Any,
    recorder: Recorder,
    tmp_path: Path,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
    *,
    kind: str,
) -> None:
    def plan(n: int) -> str:
        if kind == "fails":
            raise ValueError("no connection")
        return f"workers: 4 -> {n}\nmail ann@example.com"

    async def plan_async(n: int) -> str:
        await asyncio.sleep(0)
        return plan(n)

    @aftershock.tool(tier="provision", dry_run=plan_async if kind == "async" else plan)
    def scale(n: int) -> str:
        return f"{n} run"

    with live_collector(tmp_path) as collector:
        monkeypatch.setenv("AFTERSHOCK_COLLECTOR", collector.url)
        policy("gate: {mode: enforce, tiers: {provision: ask}, wait: 100ms, explain: require}")
        with aftershock.run(agent="bot"):
            aftershock.explain("scale", WHY, "the window is closed, ask bob@example.com")
            answer = scale(n=6)
        asked = asked_of(tmp_path, capsys, monkeypatch)

    assert "no person has answered yet" in answer
    assert "because p95 is 340 ms" in asked["explanation"]
    assert "bob@example.com" not in asked["explanation"]
    shown = "It failed: ValueError: no connection" if kind == "fails" else "workers: 4 -> 6"
    assert asked["dry_run"].startswith(shown)
    assert "ann@example.com" not in asked["dry_run"]
    assert recorder.spans


def test_the_operators_file_may_switch_a_dry_run_off(
    policy: Any, recorder: Recorder, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    @aftershock.tool(tier="provision", dry_run=tried.append)
    def scale(n: int) -> str:
        return f"{n} run"

    with live_collector(tmp_path) as collector:
        monkeypatch.setenv("AFTERSHOCK_COLLECTOR", collector.url)
        gate = "gate: {mode: enforce, tiers: {provision: ask}, wait: 100ms}"
        policy(f"{gate}\ntools: {{scale: {{dry_run: false}}}}")
        scale(n=6)
        asked = asked_of(tmp_path, capsys, monkeypatch)

    assert (tried, asked["dry_run"]) == ([], "")
    assert recorder.spans


def test_a_command_is_tried_where_its_program_has_a_mode_for_that(
    policy: Any, recorder: Recorder, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program is one of ours that prints what it was called with."""
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "called with $@"\ncat\n')
    program.chmod(0o755)

    @aftershock.tool
    def bash(command: str) -> str:
        return command

    with live_collector(tmp_path) as collector:
        monkeypatch.setenv("AFTERSHOCK_COLLECTOR", collector.url)
        gate = "gate: {mode: enforce, tiers: {destructive: ask}, wait: 100ms}"
        policy(f"{gate}\ntools: {{bash: {{dry_run: true}}}}")
        bash(command=f"{program} delete pod x")
        asked = asked_of(tmp_path, capsys, monkeypatch)

    assert "called with delete pod x --dry-run=server" in asked["dry_run"]
    assert recorder.spans


def test_a_dry_run_that_takes_too_long_is_ended_with_what_it_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aftershock.guard.dry_runs.COMMAND_S", 0.3)

    text = run_command(["sh", "-c", "echo first; sleep 60 & sleep 60"])

    assert "first" in text
    assert text.endswith(TOO_LONG)


def test_what_a_command_prints_is_bounded_and_how_it_ended_is_said() -> None:
    assert len(run_command(["sh", "-c", "yes"])) < 6_100
    assert "… (cut)" in run_command(["sh", "-c", "yes"])
    assert run_command(["sh", "-c", "exit 3"]).endswith("Exit code 3.")
    assert "could not be tried" in run_command(["/nowhere/kubectl"])


def test_dry_runs_that_hang_are_given_up_and_are_few() -> None:
    runs, slow = DryRuns(), (lambda: time.sleep(2))

    given_up = [runs.done(slow, 0.01) for _ in range(5)]

    assert given_up == [TOO_LONG] * 4 + [BUSY]
    assert asyncio.run(runs.done_async(slow, 0.01)) == BUSY


def test_the_result_of_a_step_says_what_the_model_does_next(
    policy: Any, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @aftershock.tool(tier="provision", target={"service.name": "a"})
    def scale(n: int) -> str:
        return f"{n} run"

    with live_collector(tmp_path) as collector:
        monkeypatch.setenv("AFTERSHOCK_COLLECTOR", collector.url)
        policy(
            "gate: {mode: enforce, unknown_assumptions: warn}\n"
            "tools: {scale: {canary: {argument: n, factor: 2, current: workers},"
            " assumes: [{metric: workers, above: 1}]}}"
        )
        send_gauges(collector, {"workers": 4}, service__name="a")
        first = scale(n=6)
        second = scale(n=8)

    assert first.startswith("6 run\n\n[Canary 1: service/a is observed for 60 s. Wait 60 s, then")
    assert "is observed for another" in second
    span = own(next(one for one in recorder.spans if names.GATE_CANARY in own(one)))
    assert span[names.GATE_CANARY] == 1
    assert "workers of service/a is assumed to be above 1" in span[names.GATE_ASSUMPTIONS][0]


def test_what_was_recorded_before_the_first_call_counts(policy: Any, recorder: Recorder) -> None:
    policy(
        "gate: {mode: enforce, missing_facts: deny}\n"
        "tools: {scale: {tier: provision, requires: [{fact: window}]}}"
    )

    @aftershock.tool
    def scale() -> str:
        return "done"

    with aftershock.run(agent="bot") as run:
        run.saw("window", value="none")
        assert scale() == "done"
    assert recorder.spans
