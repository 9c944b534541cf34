"""Our log events: starts, heartbeats, facts, approvals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aftershock import attributes as names
from aftershock.approval import Approval, Gate
from aftershock.model import LOOP_REPORTED, Fact, Outcome, StepKind
from aftershock.policy.policy import EMPTY, Policy
from aftershock.runs.fold import key_of
from aftershock_collector.reading.read import read_event
from tests.collector.reading.items import (
    POLICY,
    T0,
    action_of,
    event,
    reported,
    span,
    step_of,
    tool,
)


def test_a_start_event_is_the_step_as_far_as_it_is_known() -> None:
    own = {
        names.OPERATION: "execute_tool",
        names.TOOL_NAME: "get_calendar",
        names.RUN_ID: "run-7",
        names.AGENT_NAME: "sre-bot",
        names.ARGUMENTS_DIGEST: "a" * 16,
        names.FACTS: ["maintenance_window\tpayments"],
    }
    begun = reported(event(names.EVENT_STARTED, own | {names.STEP_PARENT: "ef" * 8}), POLICY)
    ended = step_of(span(own), POLICY)

    assert begun.ended_at_ns is None
    assert begun.action is not None
    assert (begun.action.result, begun.action.outcome, begun.facts) == (None, None, ())
    assert ended.facts != ()
    assert begun == replace(ended, ended_at_ns=None, facts=(), action=begun.action)


def test_a_heartbeat_is_a_sign_of_life() -> None:
    own = {names.RUN_ID: "run-7", names.OPERATION: "execute_tool", names.TOOL_NAME: "wait"}
    step = reported(event(names.EVENT_HEARTBEAT, own))

    assert (step.kind, step.run_id, step.name) == (StepKind.HEARTBEAT, "run-7", "wait")
    assert step.last_ns == T0


def test_a_fact_that_the_app_told() -> None:
    own = {
        names.FACT_KIND: "maintenance_window",
        names.FACT_SUBJECT: "prod",
        names.FACT_SOURCE: "calendar",
        names.FACT_OUTCOME: "empty",
        names.FACT_DIGEST: "d1",
        names.AGENT_NAME: "sre-bot",
    }
    step = reported(event(names.EVENT_FACT, own))

    assert (step.kind, step.name, step.agent) == (StepKind.FACT, "maintenance_window", "sre-bot")
    assert step.facts == (
        Fact("maintenance_window", "prod", "calendar", T0, Outcome.EMPTY, "cd" * 8, "d1"),
    )
    assert read_event(event(names.EVENT_FACT, {}), EMPTY) is None


def test_an_event_outside_any_span_still_has_an_id_of_its_own() -> None:
    own = {names.FACT_KIND: "freeze", names.RUN_ID: "run-7"}
    loose: dict[str, Any] = {"trace_id": None, "span_id": None}
    first = reported(event(names.EVENT_FACT, own, body=b"one", **loose))
    again = reported(event(names.EVENT_FACT, own, body=b"one", **loose))
    other = reported(event(names.EVENT_FACT, own, body=b"two", **loose))

    assert (first.run_id, first) == ("run-7", again)
    assert first.span_id != other.span_id
    assert read_event(event(names.EVENT_FACT, {names.FACT_KIND: "x"}, **loose), EMPTY) is None
    assert read_event(event(names.EVENT_STARTED, own, **loose), EMPTY) is None


def approval(**changes: Any) -> dict[str, Any]:
    own = {
        names.RUN_ID: "run-1",
        names.TOOL_NAME: "drop_table",
        names.APPROVAL_ID: "12" * 8,
        names.APPROVAL_OUTCOME: "allow",
        names.APPROVAL_BY: "alice",
    }
    return {key: value for key, value in {**own, **changes}.items() if value is not None}


def test_a_request_for_approval_is_open_and_its_answer_closes_it() -> None:
    asked = reported(event(names.EVENT_APPROVAL, approval(**{names.APPROVAL_OUTCOME: "ask"})))
    more = {names.APPROVAL_ASKED_AT: asked.began_at_ns, names.ARGUMENTS_DIGEST: "ab" * 8}
    more |= {names.APPROVAL_EXPIRES_AT: str(T0 + 600 * 10**9), names.APPROVAL_BECAUSE: "it is old"}
    later = event(names.EVENT_APPROVAL, approval(**more), time_ns=asked.began_at_ns + 40)
    answered = reported(later)

    assert (asked.kind, asked.run_id, asked.name) == (StepKind.APPROVAL, "run-1", "drop_table")
    assert (asked.ended_at_ns, asked.approval) == (
        None,
        Approval("drop_table", Gate.ASK, "alice"),
    )
    assert answered.ended_at_ns == later.time_ns
    assert answered.approval == Approval(
        "drop_table", Gate.ALLOW, "alice", "it is old", "ab" * 8, T0 + 600 * 10**9
    )
    assert key_of(asked) == key_of(answered)
    assert asked.span_id == "12" * 8
    assert asked.parent_id == later.span_id


def test_an_approval_of_somebody_elses_making_is_read_as_far_as_it_goes() -> None:
    plain = reported(event(names.EVENT_APPROVAL, approval(**{names.APPROVAL_ID: None})))
    named = reported(event(names.EVENT_APPROVAL, approval(**{names.APPROVAL_ID: "ticket 7"})))

    assert plain.began_at_ns == plain.ended_at_ns
    assert len(plain.span_id) == len(named.span_id) == 16
    assert int(named.span_id, 16)
    for wrong in ({names.TOOL_NAME: None}, {names.APPROVAL_OUTCOME: "perhaps"}):
        assert read_event(event(names.EVENT_APPROVAL, approval(**wrong)), EMPTY) is None


def test_a_gate_is_told_by_the_span_or_else_by_the_policy_and_not_of_a_call_put_aside() -> None:
    policy = Policy.from_mapping({"tools": {"drop_table": {"gate": "ask"}}})
    drop = {names.TOOL_NAME: "drop_table"}
    reported_as_such = action_of(tool({**drop, names.ACTION_GATE: "deny"}), policy)
    odd = action_of(tool({**drop, names.ACTION_GATE: "perhaps"}), policy)
    waiting = tool({**drop, names.ERROR_TYPE: "langgraph.errors.GraphInterrupt"})

    assert (reported_as_such.gate, odd.gate) == (Gate.DENY, Gate.ASK)
    assert action_of(tool({**drop, names.ACTION_GATE: "ask"})).gate is Gate.ASK
    assert action_of(waiting, policy).gate is None


def test_the_details_of_an_inference_are_not_a_second_step() -> None:
    own = {names.OPERATION: "chat", names.REQUEST_MODEL: "m"}

    assert read_event(event("gen_ai.client.inference.operation.details", own), EMPTY) is None


def test_an_agents_own_report_of_a_loop_is_a_fact() -> None:
    step = reported(event("gemini_cli.loop_detected", {"loop_type": "consecutive"}))

    assert (step.kind, step.name, step.facts) == (StepKind.FACT, LOOP_REPORTED, ())
