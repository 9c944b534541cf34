"""Assumptions of calls against live metrics, over real sockets: true, false, not known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from aftershock_collector.config.model import Infrastructure
from aftershock_collector.metrics.queries import Prometheus
from tests.support.commands import Main, printed_data
from tests.support.gauges import send_gauges
from tests.support.guarded import GuardedProcess, guarded_process
from tests.support.live_collector import LiveCollector, live_collector
from tests.support.prometheus_server import needs_prometheus, prometheus

GATE = {"mode": "enforce"}
HEADROOM = {"metric": "db_used / db_most", "of": {"db.namespace": "{database}"}, "below": 0.8}
TOOLS = {"scale": {"tier": "provision", "assumes": [HEADROOM]}}
DOCUMENT: dict[str, Any] = {"gate": GATE, "tools": TOOLS}


def until(holds: Callable[[], bool]) -> bool:
    """Until what was sent has been read."""
    deadline_s = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return holds()


def examined(collector: LiveCollector, database: str = "orders") -> str:
    """What the collector says of the assumption, asked with the call's arguments."""
    action = {"tool": "scale", "arguments": {"database": database}}
    (text,) = collector.post("/v1/preflight", {"action": action, "run": {"id": "r"}})["examined"]
    return str(text)


def test_a_call_runs_where_what_it_assumes_is_so_and_not_where_it_is_not(tmp_path: Path) -> None:
    with (
        live_collector(tmp_path, DOCUMENT) as collector,
        guarded_process(collector.url, **DOCUMENT) as process,
    ):
        send_gauges(collector, {"db_used": 20, "db_most": 40}, db__namespace="orders")
        assert until(lambda: "is 0.5" in examined(collector))
        passed = process.call("scale", database="orders")
        send_gauges(collector, {"db.used": 36}, db__namespace="orders")
        assert until(lambda: "is 0.9" in examined(collector))
        held = process.call("scale", database="orders")

    assert passed.passes
    assert "is assumed to be below 0.8, and is 0.5 (measured" in passed.progress.examined[0]
    assert "source: live metrics" in passed.progress.examined[0]
    assert not held.passes
    assert ["false_assumption"] == [reason.code for reason in held.admission.reasons]
    assert "and is 0.9" in held.admission.reasons[0].lines[0]


@needs_prometheus
def test_what_only_a_prometheus_server_has_is_known_with_its_own_age(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    used = Gauge("db_used", "", ["datname"], registry=registry).labels("orders")
    Gauge("db_most", "", ["datname"], registry=registry).labels("orders").set(40)
    used.set(36)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    (tmp_path / "prometheus").mkdir()
    address = f"127.0.0.1:{server.server_port}"
    with prometheus(tmp_path / "prometheus", scraped={"postgres": address}) as url:
        asked = Infrastructure(prometheus=Prometheus(url, step_s=1.0, timeout_s=5.0, queries=()))
        with live_collector(tmp_path, DOCUMENT, infrastructure=asked) as collector:
            assert until(lambda: "is 0.9 (measured" in examined(collector))
            used.set(20)
            assert until(lambda: "is 0.5 (measured" in examined(collector))
            assert "it is not measured" in examined(collector, database="billing")
    server.shutdown()
    thread.join()


@pytest.mark.parametrize(("gate", "passes"), [("deny", False), ("warn", True)])
def test_what_nobody_measures_is_not_known_and_the_policy_says_what_follows(
    tmp_path: Path, gate: str, passes: bool
) -> None:
    document = {**DOCUMENT, "gate": {**GATE, "unknown_assumptions": gate}}
    with (
        live_collector(tmp_path, document) as collector,
        guarded_process(collector.url, **document) as process,
    ):
        found = process.call("scale", database="orders")
        unnamed = process.call("scale")
        send_gauges(collector, {"db_used": 1, "db_most": 40}, ago_s=300, db__namespace="orders")
        assert until(lambda: "last measured" in examined(collector))
        old = process.call("scale", database="orders")

    assert found.passes is unnamed.passes is old.passes is passes
    assert "not known, because it is not measured" in found.admission.reasons[0].lines[0]
    assert "does not name what it is about" in unnamed.admission.reasons[0].lines[0]
    assert "last measured 30" in old.admission.reasons[0].lines[0]


def test_of_several_series_the_least_favourable_counts(tmp_path: Path) -> None:
    with (
        live_collector(tmp_path, DOCUMENT) as collector,
        guarded_process(collector.url, **DOCUMENT) as process,
    ):
        for pool, used in (("a", 1), ("b", 39)):
            values = {"db_used": used, "db_most": 40}
            send_gauges(collector, values, labels={"pool": pool}, db__namespace="orders")
        assert until(lambda: "is 0.975" in examined(collector))

        assert not process.call("scale", database="orders").passes


def test_what_is_assumed_and_not_known_is_shown_to_whoever_approves(main: Main, home: Path) -> None:
    document = {**DOCUMENT, "gate": {**GATE, "wait": "100ms"}}
    with (
        live_collector(home, document) as collector,
        guarded_process(collector.url, **document) as process,
    ):
        process.call("scale", database="orders")
        (asked,) = printed_data(main, "approvals")
        _, text, _ = main("approvals", "show", str(asked["number"]))
        main("approvals", "approve", str(asked["number"]), "--by", "ann")
        again = process.call("scale", database="orders")

    assert "not known, because it is not measured" in asked["examined"][0]
    assert "assumes  db_used / db_most of db/orders is assumed to be below 0.8" in text
    assert again.passes


def test_a_hook_is_held_back_by_what_is_not_so(tmp_path: Path) -> None:
    document = {
        "gate": GATE,
        "tools": {"Bash": {"assumes": [{**HEADROOM, "of": {"db.namespace": "orders"}}]}},
    }
    event = {"session_id": "s", "hook_event_name": "PreToolUse", "tool_name": "Bash"}
    body = {"agent": "claude-code", "event": event | {"tool_input": {"command": "./migrate"}}}
    with live_collector(tmp_path, document) as collector:
        unknown = collector.post("/v1/guard/hook", body)["stdout"]
        send_gauges(collector, {"db_used": 39, "db_most": 40}, db__namespace="orders")
        assert until(lambda: "deny" in collector.post("/v1/guard/hook", body)["stdout"])
        held = collector.post("/v1/guard/hook", body)["stdout"]

    assert "ask" == json.loads(unknown)["hookSpecificOutput"]["permissionDecision"]
    assert "What Bash assumes is not so." in held


# --- Faults of ours ------------------------------------------------------------------------------


@contextmanager
def answering(status: int, body: Any) -> Generator[str]:
    """A collector that answers everything in one way."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def called(url: str, **gate: Any) -> tuple[bool, GuardedProcess]:
    """Whether a call passes, whose assumption that place must be asked about."""
    process = GuardedProcess(url, gate={**GATE, **gate}, tools=TOOLS)
    process.channel.tried.set()  # it has no orders
    found = process.call("scale", database="orders")
    process.channel.stop()
    return found.passes, process


@pytest.mark.parametrize(("named", "passes"), [("allow", True), ("ask", False), ("deny", False)])
@pytest.mark.parametrize("fault", ["away", "500", "no json", "odd"])
def test_where_the_collector_does_not_say_what_is_so_the_policy_decides(
    fault: str, named: str, passes: bool
) -> None:
    if fault == "away":
        assert called("http://127.0.0.1:9", when_unreachable={"provision": named})[0] is passes
        return
    answers: dict[str, tuple[int, Any]] = {
        "500": (500, {}), "no json": (200, b"<html>"), "odd": (200, {"reasons": [7]}),
    }  # fmt: skip
    with answering(*answers[fault]) as url:
        assert called(url, when_unreachable={"provision": named})[0] is passes


@pytest.mark.parametrize(("named", "passes"), [("warn", True), ("deny", False)])
def test_a_collector_that_does_not_examine_assumptions_leaves_them_unknown(
    named: str, passes: bool
) -> None:
    """One of an earlier version: its answer lacks them."""
    with answering(200, {"decision": "allow", "reasons": [], "unknown": []}) as url:
        found, process = called(url, unknown_assumptions=named)

    assert found is passes
    assert not process.failures
