"""Approvals as apps record them, and what a collector makes of them."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter, OrderedDict
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

import aftershock
from aftershock import attributes as names
from aftershock.model import Claim, Step
from aftershock.policy.policy import EMPTY
from aftershock.recorder import approvals as recorder_approvals
from aftershock.recorder import drop_counters as counting_drops
from aftershock.recorder.drop_counters import drop_counts
from aftershock_collector.engine.engine import Engine
from aftershock_collector.otlp.decode import decode_logs, decode_traces
from aftershock_collector.reading.read import read, read_event
from tests.instrumentation.conftest import Recorder, own
from tests.instrumentation.running import environment

PROTOBUF = "application/x-protobuf"
NOW_NS = 2_000_000_000 * 10**9


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request waits, and what is lost on purpose is no loss of the tests that come after."""
    monkeypatch.setattr(
        recorder_approvals, "_waiting", OrderedDict[str, recorder_approvals.Request]()
    )
    monkeypatch.setattr(counting_drops, "_counts", Counter[str]())


@aftershock.tool(gate="ask")
def drop_table(name: str, cascade: bool = False) -> str:
    """A tool that people want to look at first."""
    return f"dropped {name} {cascade}"


def approvals(recorder: Recorder) -> list[dict[str, Any]]:
    """Attributes of the approval events, in order."""
    logs = [one.log_record for one in recorder.events]
    return [dict(log.attributes or {}) for log in logs if log.event_name == names.EVENT_APPROVAL]


def steps_of(recorder: Recorder) -> list[Step]:
    """What a collector reads of what was exported, over the bytes of the wire."""
    logs = encode_logs(recorder.events).SerializeToString()
    spans = encode_spans(recorder.spans).SerializeToString()
    found = [read_event(event, EMPTY) for event in decode_logs(logs, PROTOBUF).items]
    found += [read(span, EMPTY) for span in decode_traces(spans, PROTOBUF).items]
    return [step for step in found if isinstance(step, Step)]


def findings_of(recorder: Recorder) -> list[Claim]:
    """What a collector without a policy of its own finds in it."""
    engine = Engine(live=False)
    engine.observe(steps_of(recorder))
    return [one for one in engine.conclude(NOW_NS).opened if "unapproved" in one.finding.kind]


def test_an_approval_is_an_event_of_its_run_without_the_arguments(recorder: Recorder) -> None:
    with aftershock.run(agent="dba-bot", conversation="c-1") as run:
        run.approved(
            "drop_table",
            by="alice",
            because="it is old",
            arguments={"name": "secret_plans"},
            valid_s=600,
        )
        drop_table("secret_plans")

    (event,) = approvals(recorder)
    tool = own(recorder.span("execute_tool drop_table"))
    assert event[names.RUN_ID] == run.id
    assert (event[names.AGENT_NAME], event[names.CONVERSATION_ID]) == ("dba-bot", "c-1")
    assert event[names.TOOL_NAME] == "drop_table"
    assert event[names.APPROVAL_OUTCOME] == "allow"
    assert event[names.APPROVAL_BY] == "alice"
    assert event[names.APPROVAL_EXPIRES_AT] - event[names.APPROVAL_ASKED_AT] == 600 * 10**9
    assert event[names.ARGUMENTS_DIGEST] == tool[names.ARGUMENTS_DIGEST]
    assert tool[names.ACTION_GATE] == "ask"
    assert "secret_plans" not in repr(event)
    assert "it is old" not in repr(event)


def test_an_answer_takes_over_the_request_that_it_answers(recorder: Recorder) -> None:
    with aftershock.run(agent="dba-bot") as run:
        run.asked("drop_table", of="dba", arguments={"name": "a"})
        run.asked("drop_table", of="dba", arguments={"name": "b"})
        run.denied("drop_table", by="alice", arguments={"name": "a"})
        run.approved("drop_table", by="bob")
        run.approved("drop_table", by="carol")

    a, b, denied, approved, fresh = approvals(recorder)
    assert denied[names.APPROVAL_ID] == a[names.APPROVAL_ID]
    assert approved[names.APPROVAL_ID] == b[names.APPROVAL_ID]
    assert approved[names.ARGUMENTS_DIGEST] == b[names.ARGUMENTS_DIGEST]
    assert fresh[names.APPROVAL_ID] not in {a[names.APPROVAL_ID], b[names.APPROVAL_ID]}
    assert names.ARGUMENTS_DIGEST not in fresh
    steps = [step for step in steps_of(recorder) if step.approval is not None]
    assert {step.began_at_ns for step in steps if step.span_id == steps[0].span_id} == {
        steps[0].began_at_ns
    }


def test_an_answer_with_a_ticket_needs_neither_the_run_nor_its_process(recorder: Recorder) -> None:
    with aftershock.run(agent="dba-bot", id="run.with.dots") as run:
        ticket = run.asked("drop_table", arguments={"name": "a"})
    assert ticket is not None
    recorder_approvals._waiting.clear()  # pyright: ignore[reportPrivateUsage]  (another process knows none)
    frames = len(recorder.spans)

    answering = threading.Thread(
        target=lambda: aftershock.approved("drop_table", by="alice", request=ticket)
    )
    answering.start()
    answering.join()
    with aftershock.run(agent="web-server"):
        aftershock.denied("drop_table", by="bob", request=ticket)

    asked, approved, denied = approvals(recorder)
    assert len(recorder.spans) == frames + 1  # the web server's own run, and no implicit one
    assert {one[names.RUN_ID] for one in (asked, approved, denied)} == {"run.with.dots"}
    assert names.AGENT_NAME not in denied
    assert approved[names.APPROVAL_ID] == asked[names.APPROVAL_ID]
    assert approved[names.ARGUMENTS_DIGEST] == asked[names.ARGUMENTS_DIGEST]
    request, answer = [step for step in steps_of(recorder) if step.approval][:2]
    assert (request.began_at_ns, request.ended_at_ns) == (answer.began_at_ns, None)


def test_outside_any_run_an_approval_belongs_to_the_implicit_one_with_the_call(
    recorder: Recorder,
) -> None:
    def bare_loop() -> None:
        aftershock.asked("drop_table")
        aftershock.approved("drop_table", by="alice")
        drop_table("a")

    thread = threading.Thread(target=bare_loop)
    thread.start()
    thread.join()

    run_ids = {one[names.RUN_ID] for one in approvals(recorder)}
    assert run_ids == {own(recorder.span("execute_tool drop_table"))[names.RUN_ID]}
    assert findings_of(recorder) == []


@pytest.mark.parametrize("ticket", ["", "nonsense", "ab.cd..", "f" * 16 + ".zz..run"])
def test_what_is_no_ticket_is_an_answer_of_this_run(recorder: Recorder, ticket: str) -> None:
    with aftershock.run(agent="dba-bot") as run:
        run.approved("drop_table", by="alice", request=ticket)

    (event,) = approvals(recorder)
    assert event[names.RUN_ID] == run.id


def test_nothing_that_an_app_says_raises(recorder: Recorder) -> None:
    odd: Any = object()
    with aftershock.run(agent="dba-bot") as run:
        assert run.asked(odd, of=odd, arguments=odd, valid_s=odd) is None
        run.approved("drop_table", by=odd, because=odd, arguments={"name": odd})
        run.denied("drop_table", by="a", request=odd)

    assert drop_counts()["recording a request for approval"] == 1
    assert [one[names.APPROVAL_OUTCOME] for one in approvals(recorder)] == ["allow"]


def test_requests_that_nobody_answers_are_bounded(recorder: Recorder) -> None:
    with aftershock.run(agent="dba-bot") as run:
        for _ in range(recorder_approvals.REQUESTS_MAX + 5):
            run.asked("drop_table")

    assert len(recorder_approvals._waiting) == recorder_approvals.REQUESTS_MAX  # pyright: ignore[reportPrivateUsage]
    assert drop_counts()["approvals_waiting"] == 5
    assert recorder.spans


def test_a_collector_without_the_policy_judges_by_what_the_span_carries(recorder: Recorder) -> None:
    with aftershock.run(agent="guarded") as guarded:
        guarded.asked("drop_table", arguments={"name": "a"})
        guarded.approved("drop_table", by="alice")
        drop_table("a")
    assert findings_of(recorder) == []

    with aftershock.run(agent="careless") as careless:
        careless.asked("drop_table", arguments={"name": "a"})
        careless.approved("drop_table", by="alice")
        drop_table("b")
    (claim,) = findings_of(recorder)
    assert claim.finding.run_id == careless.id
    assert claim.finding.summary == (
        "drop_table was called although alice had approved it for other arguments only."
    )


def test_without_a_provider_nothing_happens() -> None:
    calls = (
        "aftershock.asked('a'), aftershock.approved('a', by='b'), aftershock.denied('a', by='b')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", f"import aftershock; print({calls})"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (ran.stdout, ran.stderr) == ("None None None\n", "")
