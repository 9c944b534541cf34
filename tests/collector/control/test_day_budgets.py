"""Budgets that runs share in a day: counted by the collector, enforced in every process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from aftershock import attributes as names
from aftershock.gate.decide import Call
from aftershock.guard.ledger import Ended, inference_step
from aftershock.limits import DEFAULTS
from aftershock.runs.day_spending import DAY_NS, Scope
from aftershock_collector.control.day_counts import DELAY_MAX_NS, DayCounts
from tests.support.guarded import GuardedProcess, guarded_process
from tests.support.live_collector import LiveCollector, live_collector
from tests.support.otlp_sender import recorded_spans

ON = {"mode": "enforce", "budget": "deny"}
TEN_A_DAY = {"gate": ON, "agents": {"bot": {"budget_per_day": {"steps": 10}}}}
BOT = {names.AGENT_NAME: "bot"}


def send(collector: LiveCollector, count: int, run: str, **more: str) -> None:
    """Calls of another process of the same agent, as its exporter sends them."""
    body = encode_spans(recorded_spans(count, run, BOT | more)).SerializeToString()
    headers = {"Content-Type": "application/x-protobuf"}
    httpx.post(f"{collector.url}/v1/traces", content=body, headers=headers).raise_for_status()


def soon(holds: Callable[[], bool], within_s: float = 20.0) -> bool:
    deadline_s = time.monotonic() + within_s
    while not holds() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return holds()


def used(process: GuardedProcess, scope: Scope = Scope.AGENT, name: str = "bot") -> int:
    return process.channel.counts.used(scope, name, time.time_ns() // DAY_NS).spent.steps


def counted(collector: LiveCollector, scope: str = "agent", name: str = "bot") -> dict[str, Any]:
    answer = collector.post("/v1/guard/spending", {"of": [{"scope": scope, "name": name}]})
    (found,) = answer["counts"]
    return found


def does(process: GuardedProcess, count: int) -> None:
    """Calls that this process has made, and has not sent anywhere yet."""
    now_ns = time.time_ns()
    for _ in range(count):
        process.ledger.add("run", "bot", Ended(Call("get_x", {}, "run", "bot"), now_ns, now_ns))


def test_what_other_processes_used_counts_from_the_first_call_on(tmp_path: Path) -> None:
    with live_collector(tmp_path) as collector:
        send(collector, 10, "elsewhere")
        assert soon(lambda: counted(collector)["steps"] == 10)
        with guarded_process(collector.url, **TEN_A_DAY) as process:
            held = process.call("get_x")

    assert not held.passes
    assert [reason.text for reason in held.admission.reasons] == [
        "The budget of agent bot for today: 11 of 10 steps with this call."
    ]


def test_what_is_used_elsewhere_reaches_a_process_that_runs(tmp_path: Path) -> None:
    with (
        live_collector(tmp_path) as collector,
        guarded_process(collector.url, **TEN_A_DAY) as process,
    ):
        assert process.call("get_x").passes

        send(collector, 9, "elsewhere")
        assert soon(lambda: used(process) == 9)
        assert process.call("get_x").passes
        send(collector, 1, "elsewhere too")

        assert soon(lambda: not process.call("get_x").passes)
        assert process.call("get_x", agent="another").passes


def test_what_this_process_used_since_then_is_added(tmp_path: Path) -> None:
    with (
        live_collector(tmp_path) as collector,
        guarded_process(collector.url, **TEN_A_DAY) as process,
    ):
        send(collector, 4, "elsewhere")
        assert soon(lambda: counted(collector)["steps"] == 4)
        assert process.call("get_x").passes
        does(process, 6)

        assert used(process) == 10
        assert not process.call("get_x").passes


def test_without_the_collector_its_last_word_holds(tmp_path: Path) -> None:
    with live_collector(tmp_path) as collector:
        send(collector, 8, "elsewhere")
        assert soon(lambda: counted(collector)["steps"] == 8)
        process = GuardedProcess(collector.url, **TEN_A_DAY)
        assert process.call("get_x").passes
    assert soon(lambda: not process.channel.state.reachable)

    does(process, 1)
    passed = process.call("get_x").passes
    does(process, 1)
    held = process.call("get_x")
    process.channel.stop()

    assert passed
    assert not held.passes


def test_without_a_collector_from_the_start_each_process_counts_for_itself() -> None:
    with guarded_process("http://127.0.0.1:9", **TEN_A_DAY) as process:
        assert process.call("get_x").passes
        does(process, 10)
        assert not process.call("get_x").passes


def test_a_user_has_a_budget_whichever_agent_works_for_them(tmp_path: Path) -> None:
    document = {"gate": ON, "budget": {"per_user": {"steps": 3}}}
    with live_collector(tmp_path, document) as collector:
        send(collector, 3, "elsewhere", **{names.USER_ID: "ann"})
        assert soon(lambda: counted(collector, "user", "ann")["steps"] == 3)
        with guarded_process(collector.url, gate=ON, budget=document["budget"]) as process:
            ann = Call("get_x", {}, "run", "another", user="ann")
            ben = Call("get_x", {}, "run", "another", user="ben")

            assert not process.guard.enter(ann, process.policy).passes
            assert process.guard.enter(ben, process.policy).passes


def test_the_operators_budget_holds_where_a_process_has_none(tmp_path: Path) -> None:
    document = {"gate": ON, "budget": {"per_day": {"steps": 2}}}
    with live_collector(tmp_path, document) as collector:
        send(collector, 2, "elsewhere")
        assert soon(lambda: counted(collector, "all", "")["steps"] == 2)
        with guarded_process(collector.url, gate={"mode": "enforce"}) as process:
            held = process.call("get_x")

    assert "The budget of all agents for today" in held.admission.reasons[0].text


def test_a_hook_is_held_back_by_the_budget_of_the_day(tmp_path: Path) -> None:
    document = {"gate": ON, "agents": {"claude-code": {"budget_per_day": {"steps": 2}}}}
    event = {"session_id": "s", "hook_event_name": "PreToolUse", "tool_name": "Read"}
    body = {"agent": "claude-code", "event": event | {"tool_input": {"file_path": "/a"}}}
    with live_collector(tmp_path, document) as collector:
        send(collector, 1, "s", **{names.AGENT_NAME: "claude-code"})
        assert soon(lambda: counted(collector, "agent", "claude-code")["steps"] == 1)
        before = collector.post("/v1/guard/hook", body)
        send(collector, 2, "t", **{names.AGENT_NAME: "claude-code"})
        assert soon(lambda: counted(collector, "agent", "claude-code")["steps"] == 3)
        after = collector.post("/v1/guard/hook", body)

    assert before["stdout"] == ""
    assert "The budget of agent claude-code for today: 4 of 2 steps" in after["stdout"]


def test_a_restart_of_the_collector_forgets_nothing_of_the_day(tmp_path: Path) -> None:
    with live_collector(tmp_path) as collector:
        send(collector, 7, "elsewhere")
        assert soon(lambda: counted(collector)["steps"] == 7)
        wall_time_s = counted(collector)["wall_time_s"]

    with live_collector(tmp_path) as collector:
        assert counted(collector)["steps"] == 7
        assert counted(collector)["wall_time_s"] == pytest.approx(wall_time_s)


def test_what_arrives_twice_counts_once(tmp_path: Path) -> None:
    body = encode_spans(recorded_spans(3, "run", BOT)).SerializeToString()
    headers = {"Content-Type": "application/x-protobuf"}
    with live_collector(tmp_path) as collector:
        for _ in range(3):
            httpx.post(f"{collector.url}/v1/traces", content=body, headers=headers)
        send(collector, 1, "another")

        assert soon(lambda: counted(collector)["steps"] == 4)


@pytest.mark.parametrize("off_ns", [-2 * DELAY_MAX_NS, 3 * DAY_NS])
def test_a_sender_with_a_wrong_clock_begins_no_other_day(off_ns: int) -> None:
    now_ns = 20_000 * DAY_NS + DAY_NS // 2
    counts = DayCounts(DEFAULTS, now_ns)

    counts.record([inference_step("a", "1", "m", None, now_ns + off_ns)], now_ns)
    counts.record([inference_step("b", "2", "m", None, now_ns)], now_ns)

    assert counts.used(Scope.ALL, "", now_ns // DAY_NS).spent.steps == 2
