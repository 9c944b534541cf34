"""Rollouts in steps: over real sockets, from two processes, across restarts and damage."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from aftershock.approval import Gate
from aftershock.gate.canary import Canary, CanaryState
from aftershock.grade import Effect, Grade
from aftershock.model import Impact, Parts, Step
from aftershock.policy.policy import Policy
from aftershock.policy.safeguards import CanaryCall
from aftershock_collector.config.model import Address
from aftershock_collector.control.safeguarding import Safeguarding, Wanted
from aftershock_collector.store.canaries import SqliteCanaries
from aftershock_collector.store.writer import SqliteStore
from tests.collector.control.test_assumptions import until
from tests.support import incident
from tests.support.commands import Main, printed_data
from tests.support.gauges import send_gauges
from tests.support.guarded import GuardedProcess, guarded_process
from tests.support.live_collector import LiveCollector, live_collector

S = 1_000_000_000
GATE: dict[str, Any] = {"mode": "enforce"}
CANARY = {"argument": "n", "factor": 2, "current": "workers", "observe": "1s"}
TOOLS = {
    "scale": {
        "tier": "provision",
        "targets": [{"service.name": "{name}"}],
        "canary": CANARY,
    }
}
DOCUMENT: dict[str, Any] = {"gate": GATE, "tools": TOOLS}
LONG: dict[str, Any] = {
    "gate": GATE, "tools": {"scale": {**TOOLS["scale"], "canary": {**CANARY, "observe": "1h"}}},
}  # fmt: skip


def with_workers(collector: LiveCollector, count: int, name: str = "a") -> None:
    """The service says how many workers it has, and the collector has read it."""

    def known() -> bool:
        body = {
            "action": {"tool": "scale", "arguments": {"name": name, "n": 10_000}},
            "run": {"id": "r"},
        }
        texts = [one["text"] for one in collector.post("/v1/preflight", body)["reasons"]]
        return any(f"is {count}, and one step" in text for text in texts)

    send_gauges(collector, {"workers": count}, service__name=name)
    assert until(known)


def texts(passage: Any) -> str:
    return " ".join(f"{one.text} {one.advice}" for one in passage.admission.reasons)


def test_a_rollout_goes_on_step_by_step_and_its_agent_is_told_what_comes_next(
    tmp_path: Path,
) -> None:
    with (
        live_collector(tmp_path, DOCUMENT) as collector,
        guarded_process(collector.url, **DOCUMENT) as process,
    ):
        with_workers(collector, 4)
        too_much = process.call("scale", name="a", n=12)
        first = process.call("scale", name="a", n=8)
        too_soon = process.call("scale", name="b", n=8)

    assert "Call it with a value from 2 to 8" in texts(too_much)
    assert first.passes
    assert first.progress.canary == 1
    assert "Wait 1 s, then see how it is and go on to at most 16." in first.progress.notice
    assert not too_soon.passes
    assert "Canary 1 of scale on service/a is observed for another 1 s." in texts(too_soon)


def test_two_processes_cannot_both_begin_the_next_step(tmp_path: Path) -> None:
    with (
        live_collector(tmp_path, LONG) as collector,
        guarded_process(collector.url, **LONG) as one,
        guarded_process(collector.url, **LONG) as other,
    ):
        with_workers(collector, 4)
        passed = [process.call("scale", name="a", n=8).passes for process in (one, other)]

    assert passed == [True, False]


def test_a_restart_of_the_collector_forgets_no_step(main: Main, home: Path) -> None:
    with live_collector(home, LONG) as collector:
        http = collector.http
        process = GuardedProcess(collector.url, **LONG)
        with_workers(collector, 4)
        assert process.call("scale", name="a", n=8).passes
    with live_collector(home, LONG, http=Address(http.host, http.port)) as collector:
        again = process.call("scale", name="a", n=16)
        listed = httpx.get(f"{collector.url}/approvals").text
        process.channel.stop()
    (kept,) = printed_data(main, "canary")
    _, text, _ = main("canary")

    assert "is observed for another" in texts(again)
    assert (kept["state"], kept["before"], kept["amount"]) == ("observed", 4.0, 8.0)
    assert "Canary 1: scale of bot on service/a n 4 → 8" in text
    assert "Canaries of the last day" in listed


def test_what_a_rollout_must_know_and_nobody_says_is_asked_about(main: Main, home: Path) -> None:
    document = {**LONG, "gate": {**GATE, "wait": "100ms"}}
    with (
        live_collector(home, document) as collector,
        guarded_process(collector.url, **document) as process,
    ):
        first = process.call("scale", name="a", n=8)
        (asked,) = printed_data(main, "approvals")
        main("approvals", "approve", str(asked["number"]), "--by", "ann")
        second = process.call("scale", name="a", n=8)

    assert not first.passes
    assert "It is not known what `n` of service/a is now." in asked["reasons"]
    assert second.passes
    assert second.progress.canary == 1


def test_an_approval_is_not_spent_on_a_step_whose_turn_it_is_not(main: Main, home: Path) -> None:
    """Another process begins a step while a person reads the request."""
    document = {**LONG, "gate": {**GATE, "tiers": {"provision": "ask"}, "wait": "100ms"}}
    with (
        live_collector(home, document) as collector,
        guarded_process(collector.url, **document) as process,
        guarded_process(collector.url, **LONG) as other,
    ):
        with_workers(collector, 4)
        other.channel.state = other.channel.state._replace(policy=None)
        process.call("scale", name="a", n=8)
        (asked,) = printed_data(main, "approvals")
        main("approvals", "approve", str(asked["number"]), "--by", "ann")
        body: dict[str, Any] = {
            "run": {"id": "other"}, "nonce": "n", "assumes": [],
            "canary": {"tool": "scale", "targets": ["service/b"], "observe_s": 60},
        }  # fmt: skip
        assert "canary" in collector.post("/v1/guard/canary", body)
        held = process.call("scale", name="a", n=8)
        (kept,) = printed_data(main, "approvals", "--ended")

    assert "is observed for another" in texts(held)
    assert kept["state"] == "approved"


@pytest.mark.parametrize(("named", "passes"), [("allow", True), ("deny", False)])
def test_without_a_collector_the_policy_decides_about_a_step(named: str, passes: bool) -> None:
    gate = {**GATE, "when_unreachable": {"provision": named}}
    with guarded_process("http://127.0.0.1:9", gate=gate, tools=TOOLS) as process:
        found = process.call("scale", name="a", n=8)

    assert found.passes is passes
    assert found.progress.unreachable


def test_an_observing_gate_begins_no_step(main: Main, home: Path) -> None:
    document = {**LONG, "gate": {"mode": "observe"}}
    with (
        live_collector(home, document) as collector,
        guarded_process(collector.url, **document) as process,
    ):
        with_workers(collector, 4)
        found = process.call("scale", name="a", n=100)

    assert found.passes
    assert "at most a factor" in texts(found)
    assert printed_data(main, "canary") == []


def test_a_hook_goes_through_a_rollout_as_well(tmp_path: Path) -> None:
    document = {"gate": GATE, "tools": {"Bash": {"canary": {"observe": "1h"}}}}
    event = {"session_id": "s", "hook_event_name": "PreToolUse", "tool_name": "Bash"}
    body = {"agent": "claude-code", "event": event | {"tool_input": {"command": "./roll-out"}}}
    with live_collector(tmp_path, document) as collector:
        first, second = (collector.post("/v1/guard/hook", body)["stdout"] for _ in range(2))

    assert first == ""
    assert "Canary 1 of Bash on an unknown target is observed for another" in second


def test_a_request_that_cannot_be_read_is_refused_with_what_is_wrong(tmp_path: Path) -> None:
    with live_collector(tmp_path) as collector:
        cases: list[tuple[str, Any, str]] = [
            ("/v1/guard/canary", {"nonce": "n"}, "canary and nonce are needed"),
            ("/v1/guard/canary", {"assumes": [], "canary": {"tool": "x"}}, "cannot be read"),
            ("/v1/preflight", {"action": {"tool": "x"}, "assumes": [1]}, "cannot be read"),
            ("/v1/preflight", {"action": {"tool": "x"}, "assumes": 7}, "cannot be read"),
        ]
        for path, body, what in cases:
            answer = httpx.post(f"{collector.url}{path}", json=body)
            assert (answer.status_code, what in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    "hostile",
    [
        {"observe_s": float("inf")}, {"observe_s": "nan"}, {"observe_s": -5}, {"observe_s": 1e300},
        {"observe_s": None}, {"amount": float("nan")}, {"amount": 10**400}, {"factor": -1},
        {"factor": "inf"}, {"tool": "x" * 50_000}, {"targets": ["a"] * 10_000}, {"change": "c" * 9_999},
    ],
)  # fmt: skip
def test_what_no_policy_can_want_of_a_rollout_is_refused(
    tmp_path: Path, hostile: dict[str, Any]
) -> None:
    """Found live: infinity was a failure of ours, and minus five seconds were observed."""
    canary: dict[str, Any] = {"tool": "x", "targets": ["service/a"], "observe_s": 60, **hostile}
    body: dict[str, Any] = {"assumes": [], "canary": canary, "nonce": "n", "run": {"id": "r"}}
    with live_collector(tmp_path) as collector:
        answer = httpx.post(
            f"{collector.url}/v1/guard/canary",
            content=json.dumps(body),
            headers={"content-type": "application/json"},
        )

        assert (answer.status_code, "cannot be read" in answer.json()["message"]) == (400, True)


# --- What arrives afterwards, without a network ----------------------------------------------------


CALL = CanaryCall("scale", ("service/a",), "n", 8.0, 2.0, observe_s=60)


class Scene:
    """Safeguards on a store that can be opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.up()

    def up(self) -> None:
        self.store = SqliteStore.open(self.path)
        self.canaries = SqliteCanaries(self.store)
        self.safeguarding = Safeguarding(Policy(), self.canaries, time.time_ns())

    def begun(self) -> Canary:
        now_ns = time.time_ns()
        step = Canary(CALL, "run", "bot", now_ns, now_ns + 60 * S, before=4.0, nonce="n")
        found, _ = self.canaries.begin(step, None, Gate.WARN)
        assert found is not None
        self.store.close()
        self.up()
        return found

    def now(self, number: int = 1) -> Canary:
        (found,) = (c for c in self.canaries.newest(time.time_ns()) if c.number == number)
        return found


def impact(label: Grade, probability: float | None, acted_at_ns: int, run: str = "run") -> Impact:
    return Impact(
        "1" * 16, "2" * 32, run, "bot", "scale", acted_at_ns, "db/orders", probability, label,
        Parts(0, 0, 0, 0), (), acted_at_ns, effect=Effect.UNCLEAR,
    )  # fmt: skip


def call_step(began_ns: int, ended_ns: int | None) -> Step:
    made = next(one for one in incident.steps() if one.action is not None)
    assert made.action is not None
    acted = replace(made.action, tool="scale")
    return replace(made, run_id="run", began_at_ns=began_ns, ended_at_ns=ended_ns, action=acted)


def test_damage_that_is_attributed_to_a_step_stops_its_rollout_also_after_a_restart(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path / "a.db")
    begun = scene.begun()
    at_ns = begun.begun_at_ns

    scene.safeguarding.record_impacts([impact(Grade.NO_EVIDENCE, 0.1, at_ns)])
    assert (scene.now().measured, scene.now().state) == (True, CanaryState.OBSERVED)
    scene.safeguarding.record_impacts([impact(Grade.PROBABLE, 0.93, at_ns, run="another")])
    assert scene.now().state is CanaryState.OBSERVED
    scene.safeguarding.record_impacts([impact(Grade.PROBABLE, 0.93, at_ns)])

    stopped = scene.now()
    assert stopped.state is CanaryState.STOPPED
    assert stopped.damage == "damage to db/orders is attributed to it (93 %)"
    assert scene.canaries.release(1, "ann", "it was the migration", time.time_ns())[0]
    scene.safeguarding.record_impacts([impact(Grade.PROBABLE, 0.94, at_ns)])
    assert scene.now().state is CanaryState.RELEASED
    assert not scene.canaries.release(1, "ann", "again", time.time_ns())[0]
    scene.store.close()


def test_what_has_too_little_data_measures_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "a.db")
    at_ns = scene.begun().begun_at_ns

    scene.safeguarding.record_impacts([impact(Grade.NOT_ENOUGH_DATA, None, at_ns)])

    assert scene.now().seen_at(at_ns + 61 * S).state is CanaryState.UNMEASURED
    scene.store.close()


def test_a_step_is_observed_from_the_end_of_its_call_on(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "a.db")
    at_ns = scene.begun().begun_at_ns

    scene.safeguarding.record_steps([call_step(at_ns, None)], at_ns)
    assert scene.now().seen_at(at_ns + 600 * S).state is CanaryState.OBSERVED
    scene.safeguarding.record_steps([call_step(at_ns, at_ns + 700 * S)], at_ns + 700 * S)

    assert scene.now().seen_at(at_ns + 759 * S).state is CanaryState.OBSERVED
    assert scene.now().seen_at(at_ns + 761 * S).state is not CanaryState.OBSERVED
    scene.store.close()


def test_the_same_call_may_ask_again_whether_it_has_begun(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "a.db")
    first = scene.begun()

    again, reasons = scene.canaries.begin(replace(first, number=0), None, Gate.DENY)
    other, refused = scene.canaries.begin(replace(first, number=0, nonce="m"), None, Gate.DENY)

    assert (again, reasons) == (first, [])
    assert (other, [one.code for one in refused]) == (None, ["canary"])
    assert Wanted().canary is None
    scene.store.close()


def test_a_person_releases_a_step_by_command(main: Main, home: Path) -> None:
    with live_collector(home):
        pass
    store = SqliteStore.open(home / "aftershock.db")
    at_ns = time.time_ns() - 100 * S
    step = Canary(CALL, "run", "bot", at_ns, at_ns + 60 * S, nonce="n")
    SqliteCanaries(store).begin(step, None, Gate.WARN)
    store.close()

    assert main("canary", "release", "1", "--by", "ann")[0] == 2
    assert main("canary", "release", "9", "--by", "ann", "--because", "x")[0] == 1
    code, text, _ = main("canary", "release", "1", "--by", "ann", "--because", "I looked")
    (kept,) = printed_data(main, "canary")

    assert (code, text) == (0, "canary 1 is released by ann: scale may go on\n")
    assert (kept["state"], kept["by"], kept["because"]) == ("released", "ann", "I looked")
