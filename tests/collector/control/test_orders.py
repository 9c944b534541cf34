"""Stop, pause and resume: from a command to the calls of other processes, over real sockets."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from aftershock.guard.connection import Refused
from aftershock_collector.config.model import Address
from tests.support.commands import Main
from tests.support.guarded import GuardedProcess, guarded_process
from tests.support.live_collector import live_collector

ON = {"mode": "enforce", "always_open": ["git_commit"]}


def connected(process: GuardedProcess) -> None:
    """Have a process's first call made, so that it listens."""
    assert process.call("get_x").passes


def test_no_call_starts_after_the_acknowledgement_of_a_stop(tmp_path: Path) -> None:
    with live_collector(tmp_path) as collector, guarded_process(collector.url, gate=ON) as process:
        connected(process)

        answer = collector.order("stop", run="run")
        stopped = process.call("get_x")

        assert len(answer["acknowledged"]) == 1
        assert answer["missing"] == []
        assert not stopped.passes
        assert "ann (127.0.0.1) stopped run run: a test." in stopped.admission.reasons[0].text
        assert process.call("git_commit").passes, "what saves work stays open"
        assert process.call("get_x", run="another").passes
        collector.order("resume", run="run")
        assert process.call("get_x").passes


def test_paused_calls_wait_and_none_is_lost(tmp_path: Path) -> None:
    with live_collector(tmp_path) as collector, guarded_process(collector.url, gate=ON) as process:
        connected(process)
        collector.order("pause", all=True)
        done: list[int] = []

        def call(number: int) -> None:
            if process.call("get_x").passes:
                done.append(number)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        held = list(done)

        collector.order("resume", all=True)
        for thread in threads:
            thread.join(10)

        assert held == []
        assert sorted(done) == list(range(8))


def test_an_async_call_that_is_paused_leaves_the_loop_free(tmp_path: Path) -> None:
    async def scene(process: GuardedProcess) -> tuple[bool, bool]:
        held = asyncio.create_task(process.call_async("get_x"))
        await asyncio.sleep(0.2)  # other tasks run meanwhile
        waits = not held.done()
        await asyncio.to_thread(collector.order, "resume", all=True)
        return waits, (await asyncio.wait_for(held, 10)).passes

    with live_collector(tmp_path) as collector, guarded_process(collector.url, gate=ON) as process:
        connected(process)
        collector.order("pause", all=True)

        assert asyncio.run(scene(process)) == (True, True)


def test_a_process_that_starts_after_a_stop_calls_nothing(tmp_path: Path) -> None:
    with live_collector(tmp_path) as collector:
        collector.order("stop", agent="b*")
        with guarded_process(collector.url, gate=ON) as process:
            assert not process.call("get_x").passes
            assert process.call("get_x", agent="cat").passes


def test_an_order_survives_a_restart_of_the_collector(tmp_path: Path) -> None:
    with live_collector(tmp_path) as collector:
        http = collector.http
        with guarded_process(collector.url, gate=ON) as process:
            connected(process)
            collector.order("stop", all=True)
    with live_collector(tmp_path, http=Address(http.host, http.port)) as collector:
        assert not process.call("get_x").passes, "while it was away the last orders hold"
        with guarded_process(collector.url, gate=ON) as fresh:
            assert not fresh.call("get_x").passes


def test_a_process_that_ended_is_not_waited_for(tmp_path: Path) -> None:
    with live_collector(tmp_path) as collector:
        with guarded_process(collector.url, gate=ON) as process:
            connected(process)
        collector.order("pause", run="unrelated")  # ends the poll; the thread sees the stop
        deadline_s = time.monotonic() + 20
        known = ["the process"]
        while known and time.monotonic() < deadline_s:
            answer = collector.order("resume", run="unrelated", wait_s=0.1)
            known = [*answer["missing"], *answer["acknowledged"]]
            time.sleep(0.5)

        assert known == []


@pytest.mark.parametrize(
    "body",
    [
        {"verb": "stop", "by": "a", "because": "b"},
        {"verb": "stop", "by": "a", "because": "b", "all": True, "run": "r"},
        {"verb": "kill", "by": "a", "because": "b", "all": True},
        {"verb": "stop", "because": "b", "all": True},
        {"verb": "stop", "by": "a", "all": True},
        {"verb": "stop", "by": "a", "because": "b", "all": "yes"},
    ],
)
def test_an_order_that_is_not_clear_is_refused(tmp_path: Path, body: dict[str, object]) -> None:
    with live_collector(tmp_path) as collector, pytest.raises(Refused):
        collector.post("/v1/orders", body)


def test_the_command_is_acknowledged_and_says_so(
    tmp_path: Path, main: Main, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live_collector(home) as collector, guarded_process(collector.url, gate=ON) as process:
        monkeypatch.setenv("AFTERSHOCK_COLLECTOR", collector.url)
        connected(process)

        code, out, err = main("stop", "--agent", "bot", "--by", "ann", "--because", "enough")

        assert (code, err) == (0, "")
        assert "stop agent bot: acknowledged by 1 of 1 connected process" in out
        assert not process.call("get_x").passes


def test_an_order_given_while_no_collector_runs_holds_once_one_does(
    main: Main, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSHOCK_COLLECTOR", "http://127.0.0.1:9")
    code, _, err = main("stop", "--all", "--by", "ann", "--because", "enough")

    assert code == 1
    assert "no collector answered" in err
    with live_collector(home) as collector, guarded_process(collector.url, gate=ON) as process:
        assert not process.call("get_x").passes


def test_an_order_needs_a_scope_and_a_reason(main: Main) -> None:
    assert main("stop", "--by", "ann", "--because", "x")[0] == 2
    assert main("stop", "--all", "--agent", "x", "--by", "ann", "--because", "x")[0] == 2
    assert main("pause", "--all", "--by", "ann")[0] == 2
