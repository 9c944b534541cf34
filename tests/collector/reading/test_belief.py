"""Belief: a span's claims about its own call can make it riskier and never safer."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock import attributes as names
from aftershock.approval import Gate
from aftershock.model import Action, Requirement, Tier
from aftershock.policy.policy import EMPTY, Policy, ToolDescription
from aftershock_collector.otlp.wire import INTERNAL, STATUS_UNSET, LogEvent, Span
from aftershock_collector.reading.belief import targets_of
from aftershock_collector.reading.read import read, read_event

FILE = Policy.from_mapping(
    {
        "tools": {
            "get_x": {"tier": "destructive", "gate": "ask", "explain": True, "polls": False},
            "drop_cache": {"tier": "read", "gate": "allow"},
            "scale": {
                "targets": [{"service.name": "checkout"}],
                "requires": [{"fact": "window", "subject": "{zone}", "max_age": "60s"}],
            },
            "get_calendar": {"provides": [{"fact": "window", "subject": "{zone}"}]},
        }
    }
)


def span(tool: str, claims: dict[str, Any]) -> Span:
    own = {names.OPERATION: "execute_tool", names.TOOL_NAME: tool, **claims}
    return Span(
        "ab" * 16, "cd" * 8, None, tool, INTERNAL, 1, 2, STATUS_UNSET, "", own, {}, ""
    )  # fmt: skip


def action(tool: str, policy: Policy = FILE, **claims: Any) -> Action:
    step = read(span(tool, {getattr(names, key): value for key, value in claims.items()}), policy)
    assert step is not None
    assert step.action is not None
    return step.action


@pytest.mark.parametrize("claimed", [tier.value for tier in Tier])
def test_the_files_tier_wins_over_the_spans(claimed: str) -> None:
    assert action("get_x", ACTION_TIER=claimed).tier is Tier.DESTRUCTIVE
    assert action("drop_cache", ACTION_TIER=claimed).tier is Tier.READ


@pytest.mark.parametrize(
    ("tool", "claimed", "counts"),
    [
        ("delete_pod", "read", Tier.DESTRUCTIVE),
        ("scale_up", "write", Tier.PROVISION),
        ("get_status", "destructive", Tier.DESTRUCTIVE),
        ("get_status", "harmless", Tier.READ),
    ],
)
def test_without_a_file_the_severer_of_name_and_claim_counts(
    tool: str, claimed: str, counts: Tier
) -> None:
    assert action(tool, EMPTY, ACTION_TIER=claimed).tier is counts


@pytest.mark.parametrize(
    ("claimed", "counts"), [("allow", Gate.ASK), ("warn", Gate.ASK), ("deny", Gate.DENY)]
)
def test_a_span_can_close_its_gate_further_and_not_open_it(claimed: str, counts: Gate) -> None:
    assert action("get_x", ACTION_GATE=claimed).gate is counts


def test_a_gate_that_only_the_span_names_counts() -> None:
    assert action("drop_cache", EMPTY, ACTION_GATE="ask").gate is Gate.ASK


@pytest.mark.parametrize("policy", [FILE, EMPTY])
def test_a_call_cannot_declare_itself_a_poll(policy: Policy) -> None:
    assert not action("get_x", policy, POLLS=True).polls


def test_a_span_can_ask_for_a_decision_and_not_excuse_itself_from_one() -> None:
    assert action("get_x", ACTION_EXPLAIN=False).explain is True
    assert action("drop_cache", ACTION_EXPLAIN=True).explain is True
    assert action("drop_cache", ACTION_EXPLAIN=False).explain is None


def test_the_files_targets_win_and_the_spans_fill_in_where_it_has_none() -> None:
    assert action("scale", ACTION_TARGETS=["db/other"]).targets == ("service/checkout",)
    assert action("drop_cache", ACTION_TARGETS=["db/other"]).targets == ("db/other",)


def test_required_facts_add_up_and_the_shorter_age_counts() -> None:
    claims = ["window\tzone-a\t3600", "owner\t\t"]

    assert action("scale", CONTEXT_REQUIRED=claims).requires == (
        Requirement("window", "zone-a", 60.0, sources=("get_calendar",)),
        Requirement("owner", "*"),
    )
    assert action("scale", CONTEXT_REQUIRED=[]).requires == action("scale").requires


@pytest.mark.parametrize(
    ("approvals_from", "counts"), [([], True), (["tickets"], False), (["agents"], True)]
)
def test_answers_count_only_from_the_services_that_the_file_names(
    approvals_from: list[str], counts: bool
) -> None:
    policy = Policy.from_mapping({"approvals_from": approvals_from})
    own = {names.TOOL_NAME: "drop_table", names.RUN_ID: "run-1", names.APPROVAL_OUTCOME: "allow"}
    answer = LogEvent(
        None, None, names.EVENT_APPROVAL, None, 1, 9, own, {"service.name": "agents"}, ""
    )
    asked = answer._replace(attributes=own | {names.APPROVAL_OUTCOME: "ask"})

    assert (read_event(answer, policy) is not None) is counts
    assert read_event(asked, policy) is not None


def test_a_fact_that_the_file_gives_providers_is_provided_by_no_other_tool() -> None:
    fake = read(span("get_x", {names.FACTS: ["window\tzone-a", "mood\tgood"]}), FILE)
    true = read(span("get_calendar", {names.FACTS: ["window\tzone-a"]}), FILE)
    assert fake is not None
    assert true is not None

    assert [fact.kind for fact in fake.facts] == ["mood"]
    assert [(fact.kind, fact.subject) for fact in true.facts] == [("window", "zone-a")]


def test_a_target_that_the_file_takes_from_arguments_which_were_not_sent_is_the_spans() -> None:
    """Content is off by default: without this no attribution has a target."""
    file = ToolDescription(Tier.WRITE, targets=("service/*", "db/orders"))
    claimed = {"aftershock.action.targets": ["service/checkout", "db/users"]}

    assert targets_of(claimed, file) == ("service/checkout", "db/orders")
    assert targets_of({}, file) == ("service/*", "db/orders")
    assert targets_of(claimed, ToolDescription(Tier.WRITE)) == ("service/checkout", "db/users")
