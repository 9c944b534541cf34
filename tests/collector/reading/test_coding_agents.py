"""Telemetry that coding agents recorded of themselves, in scripted sessions, as Steps and Runs."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aftershock.approval import Approval, Gate
from aftershock.limits import Limits
from aftershock.model import AnswerState, Outcome, Run, Step, StepKind, Tier, Tokens
from aftershock.policy.policy import EMPTY, Policy
from aftershock.policy.prices import COUNTED
from aftershock.rules.unapproved_action import unapproved_action
from aftershock.runs.fold import Window
from aftershock_collector.otlp.decode import decode_log
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.reading.decoder import Readers, Signal, decode
from aftershock_collector.reading.read import read, read_event
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.collector.reading.items import T0, event, reported
from tests.collector.store.rows import NOW

DATA = Path(__file__).parents[2] / "data" / "coding-agents"
CLAUDE, DETAILS, CODEX = "claude-code-2.1.197", "claude-code-2.1.197-details", "codex-0.169.0"
NEWER, GEMINI, QWEN = "claude-code-2.1.329", "gemini-cli-0.61.0", "qwen-code-0.15.10"
EVENTS = "com.anthropic.claude_code.events"


@cache
def items(name: str, session: str) -> tuple[Span | LogEvent, ...]:
    document = json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))
    found: list[Span | LogEvent] = []
    for request in document["sessions"][session]:
        body = json.dumps(request["body"]).encode()
        signal = Signal(request["signal"])
        batch = decode(body, signal, "application/json", Readers.by(EMPTY), 1)
        assert not batch.rejected
        assert not batch.failures
        found += [item for item, _ in batch.spans] + [item for item, _ in batch.events]
    return tuple(found)


def steps_of(given: Iterable[Span | LogEvent], policy: Policy = EMPTY) -> list[Step]:
    steps = [
        read(one, policy) if isinstance(one, Span) else read_event(one, policy) for one in given
    ]
    return [step for step in steps if isinstance(step, Step)]


def run_of(steps: Iterable[Step]) -> Run:
    window: Window | None = None
    for step in steps:
        if window is None:
            window = Window(step.run_id, Limits())
        assert step.run_id == window.run_id, "one session is one run"
        window.add([step])
    assert window is not None
    return window.whole(0)


def session(name: str, which: str = "plain") -> Run:
    return run_of(steps_of(items(name, which)))


def calls(run: Run) -> list[Step]:
    return [step for step in run.steps if step.kind is StepKind.TOOL_CALL]


@pytest.mark.parametrize(
    ("name", "agent", "inferences", "tools"),
    [
        (CLAUDE, "claude-code", 9, 8),
        (NEWER, "claude-code", 9, 8),
        (CODEX, "codex", 9, 8),
        (GEMINI, "gemini-cli", 6, 6),
        (QWEN, "qwen-code", 9, 8),
    ],
)
def test_a_session_becomes_a_run_in_which_each_call_counts_once(
    name: str, agent: str, inferences: int, tools: int
) -> None:
    run = session(name)
    kinds = [step.kind for step in run.steps]

    assert run.agent == agent
    assert kinds.count(StepKind.MESSAGE) == 1
    assert kinds.count(StepKind.INFERENCE) == inferences
    assert kinds.count(StepKind.TOOL_CALL) == tools
    assert all(step.ended_at_ns is not None for step in run.steps)
    spent = [step.tokens for step in run.steps if step.kind is StepKind.INFERENCE]
    assert all(tokens is not None and tokens.input >= 100 for tokens in spent)
    assert all(step.action and step.action.outcome in set(Outcome) for step in calls(run))


@pytest.mark.parametrize("name", [CLAUDE, DETAILS, NEWER, CODEX])
def test_records_give_the_same_run_in_any_order_and_however_often_they_come(name: str) -> None:
    which = "details" if name == DETAILS else "plain"
    steps = steps_of(items(name, which))
    expected = run_of(steps)
    for seed in range(10):
        mixed = steps + random.Random(seed).sample(steps, len(steps) // 2)
        random.Random(seed).shuffle(mixed)
        assert run_of(mixed) == expected


def test_a_denied_call_is_the_same_in_any_order() -> None:
    steps = steps_of(items(CLAUDE, "hook_denies_status"))
    expected = run_of(steps)
    for seed in range(10):
        mixed = list(steps)
        random.Random(seed).shuffle(mixed)
        assert run_of(mixed) == expected


def test_spans_and_events_of_claude_code_are_one_call() -> None:
    both = items(DETAILS, "details")
    from_events = run_of(steps_of(one for one in both if isinstance(one, LogEvent)))
    from_spans = run_of(steps_of(one for one in both if isinstance(one, Span)))
    together = run_of(steps_of(both))
    ids = [[step.span_id for step in calls(run)] for run in (from_events, from_spans, together)]

    assert ids[0] == ids[1] == ids[2]
    assert [step.action and step.action.arguments.digest for step in calls(from_events)] == [
        step.action and step.action.arguments.digest for step in calls(from_spans)
    ]
    assert [len(step.records) for step in calls(together)] == [3] * 8
    costs = [step.cost_usd for step in together.steps if step.kind is StepKind.INFERENCE]
    assert sum(cost or 0 for cost in costs) == pytest.approx(0.0113, rel=0.01)
    assert together.ended_at_ns is not None


@pytest.mark.parametrize(
    ("name", "which"), [(DETAILS, "details"), (CLAUDE, "plain"), (CODEX, "plain"), (QWEN, "plain")]
)
def test_the_list_of_runs_counts_a_step_once_that_spans_and_events_tell_of(
    name: str, which: str, store: SqliteStore, store_path: Path
) -> None:
    given = items(name, which)
    spans = [(one, read(one, EMPTY)) for one in given if isinstance(one, Span)]
    events = [(one, read_event(one, EMPTY)) for one in given if isinstance(one, LogEvent)]
    store.append(
        [(span, step if isinstance(step, Step) else None) for span, step in spans],
        [(event, step if isinstance(step, Step) else None) for event, step in events],
        [],
        NOW,
    )
    with Reader.open(store_path) as reader:
        (summary,) = reader.runs()

    whole = run_of(steps_of(given))
    assert summary.done == sum(step.kind in COUNTED for step in whole.steps) > 5


def test_what_a_command_of_claude_code_starts_belongs_to_its_call() -> None:
    steps = steps_of(items(CLAUDE, "plain"))
    known = {step.span_id for step in steps if step.kind is StepKind.TOOL_CALL}
    inner = [step for step in steps if step.kind is StepKind.OUTGOING]

    assert len(inner) == 8
    assert {step.parent_id for step in inner} == known


@pytest.mark.parametrize(
    ("name", "which", "classes"),
    [
        (DETAILS, "failing_commands", ["Shell command failed"] * 2),
        (
            CODEX,
            "failing_commands (logs)",
            ["cat: <path>: No such file or directory", "exit_code_3"],
        ),
        (GEMINI, "failing_commands (logs)", ["exit_code_1", "exit_code_3"]),
    ],
)
def test_a_command_that_fails_has_failed_whatever_the_agent_calls_it(
    name: str, which: str, classes: list[str]
) -> None:
    actions = [step.action for step in calls(session(name, which))]

    assert [action and action.outcome for action in actions] == [Outcome.FAILED] * 2
    assert [action and action.error_class for action in actions] == classes


@pytest.mark.parametrize(
    ("name", "which", "by"),
    [
        (CLAUDE, "hook_denies_status", "hook"),
        (GEMINI, "hook_denies_status (logs)", "policy"),
        (QWEN, "hook_denies_status (logs)", "policy"),
    ],
)
def test_a_denied_call_had_no_effect_and_did_not_fail(name: str, which: str, by: str) -> None:
    denied = [one for one in calls(session(name, which)) if one.approval and one.error]

    assert len(denied) >= 4
    for step in denied:
        assert step.approval is not None
        assert step.action is not None
        assert (step.approval.outcome, step.approval.by) == (Gate.DENY, by)
        assert (step.action.tier, step.action.outcome) == (Tier.READ, None)
        assert step.action.state is AnswerState.REFUSED


def test_repeated_reads_of_codex_are_equal_reads() -> None:
    reads = calls(session(CODEX))[2:]

    assert {step.action and step.action.tier for step in reads} == {Tier.READ}
    assert len({step.action and step.action.arguments.digest for step in reads}) == 1
    assert (
        len({step.action.result.digest for step in reads if step.action and step.action.result})
        == 1
    )


def test_the_loop_that_gemini_noticed_itself_is_a_fact() -> None:
    facts = [step for step in session(GEMINI).steps if step.kind is StepKind.FACT]

    assert [step.facts[0].kind for step in facts] == ["loop_detected"] * 2


@pytest.mark.parametrize("name", [CODEX, GEMINI, QWEN, DETAILS])
def test_what_people_wrote_and_tools_answered_is_not_kept_and_steps_stay_the_same(
    name: str,
) -> None:
    document = json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))
    kept = 0
    for request in (one for reqs in document["sessions"].values() for one in reqs):
        if request["signal"] != "logs":
            continue
        body = json.dumps(request["body"]).encode()
        batch = decode(body, Signal.LOGS, "application/json", Readers.by(EMPTY), 1)
        for stored, step in batch.events:
            again = decode_log(stored.body, stored.resource_body, stored.scope_body)
            assert "deploy window" not in str(again.attributes)
            assert "Find out" not in str(again.attributes)
            assert read_event(again, EMPTY) == step
            kept += 1
    assert kept > 10


# --- Decisions -------------------------------------------------------------------------------

GATED = Policy.from_mapping({"tools": {"Bash": {"gate": "ask"}}})


def decision(source: str, **changes: Any) -> LogEvent:
    own = {
        "event.name": "tool_decision",
        "session.id": "s1",
        "tool_name": "Bash",
        "tool_use_id": "toolu_1",
        "decision": "accept",
        "source": source,
        "tool_parameters": '{"full_command": "kubectl delete pod web-1"}',
    }
    return event("tool_decision", own | changes, scope=EVENTS)


def result(**changes: Any) -> LogEvent:
    own = {
        "session.id": "s1",
        "tool_name": "Bash",
        "tool_use_id": "toolu_1",
        "success": "true",
        "duration_ms": "5000",
        "tool_parameters": '{"full_command": "kubectl delete pod web-1"}',
    }
    return event("tool_result", own | changes, scope=EVENTS, time_ns=T0 + 4 * 10**9)


def test_a_call_begins_when_it_is_allowed_and_stays_open_until_it_ends() -> None:
    allowed = reported(decision("user_temporary"))
    whole = run_of([reported(result()), allowed]).steps[0]

    assert (allowed.began_at_ns, allowed.ended_at_ns) == (T0, None)
    assert allowed.approval is not None
    assert allowed.approval.by == "user"
    assert (whole.began_at_ns, whole.ended_at_ns) == (T0, T0 + 4 * 10**9)
    assert whole.action is not None
    assert (whole.action.tier, whole.action.outcome) == (Tier.DESTRUCTIVE, Outcome.OK)


@pytest.mark.parametrize(("source", "alarms"), [("user_permanent", 0), ("config", 1), ("hook", 1)])
def test_only_a_person_answers_where_the_operator_wants_one_asked(source: str, alarms: int) -> None:
    run = run_of(steps_of([decision(source), result()], GATED))

    assert len(list(unapproved_action(run, Limits()))) == alarms


def test_a_call_that_a_person_rejected_is_not_an_unapproved_action() -> None:
    rejected = decision("user_reject", decision="reject")
    run = run_of(steps_of([rejected], GATED))

    assert run.steps[0].approval == Approval(
        "Bash", Gate.DENY, "user", "user_reject", _digest(run.steps[0])
    )
    assert list(unapproved_action(run, Limits())) == []


def test_an_allowed_call_without_an_id_is_an_approval_alone() -> None:
    step = reported(decision("user_temporary", tool_use_id=""))

    assert (step.kind, step.ended_at_ns) == (StepKind.APPROVAL, T0)


def test_cached_tokens_were_sent_too() -> None:
    own = {"session.id": "s1", "model": "m[1m]", "input_tokens": "7", "cache_read_tokens": 90,
           "cache_creation_tokens": 3, "output_tokens": 5, "duration_ms": 2, "cost_usd": 0.5}  # fmt: skip
    step = reported(event("api_request", own, scope=EVENTS))

    assert (step.name, step.tokens, step.cost_usd) == ("m", Tokens(100, 5), 0.5)
    assert step.began_at_ns == T0 - 2_000_000


def test_a_compaction_is_told() -> None:
    own = {"session.id": "s1", "success": "true", "trigger": "auto", "pre_tokens": 9}

    assert reported(event("compaction", own, scope=EVENTS)).compacted
    failed = event("compaction", own | {"success": "false"}, scope=EVENTS)
    assert read_event(failed, EMPTY) is None


def test_events_of_the_same_name_from_elsewhere_are_not_read() -> None:
    own = {"session.id": "s1", "tool_name": "Bash", "tool_use_id": "1", "success": "true"}

    assert read_event(event("tool_result", own), EMPTY) is None


def _digest(step: Step) -> str:
    assert step.action is not None
    return step.action.arguments.digest
