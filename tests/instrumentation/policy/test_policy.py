"""The policy: what a file says is obeyed, and what it cannot mean is refused with its place."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock.approval import Gate
from aftershock.limits import Budget, Limits, Model
from aftershock.model import Requirement, Tier
from aftershock.policy.policy import (
    EMPTY,
    Policy,
    PolicyError,
    describe,
    limits_for,
    parse_seconds,
    subjects_match,
)

SCALING: dict[str, Any] = {
    "tools": {
        "scale_*": {
            "tier": "provision",
            "targets": [{"k8s.namespace.name": "{namespace}", "k8s.deployment.name": "{name}"}],
            "requires": [
                {"fact": "maintenance_window", "subject": "{namespace}", "max_age": "1h"},
                {"fact": "connection_limit"},
            ],
        },
        "get_calendar": {"provides": [{"fact": "maintenance_window", "subject": "{env}"}]},
        "get_job": {"polls": True},
    }
}


def test_without_a_policy_the_name_decides() -> None:
    assert describe(EMPTY, "get_pods", None).tier == Tier.READ
    assert describe(EMPTY, "frobnicate", {}).tier == Tier.WRITE
    assert describe(EMPTY, "frobnicate", {}).requires == ()


def test_placeholders_are_filled_from_the_arguments() -> None:
    policy = Policy.from_mapping(SCALING)

    described = describe(policy, "scale_deployment", {"namespace": "prod", "name": "shop"})

    assert described.tier == Tier.PROVISION
    assert described.targets == ("k8s/prod/shop",)
    assert described.requires == (
        Requirement("maintenance_window", "prod", 3_600.0, sources=("get_calendar",)),
        Requirement("connection_limit", "*"),
    )
    assert describe(policy, "get_calendar", {"env": "prod"}).provides == (
        ("maintenance_window", "prod"),
    )
    assert describe(policy, "get_job", {}).polls


def test_a_missing_argument_stands_for_any_subject() -> None:
    described = describe(Policy.from_mapping(SCALING), "scale_deployment", {"name": "shop"})

    assert described.targets == ("k8s/*/shop",)
    assert described.requires[0].subject == "*"


def test_placeholders_reach_into_nested_arguments() -> None:
    policy = Policy.from_mapping(
        {"tools": {"t": {"provides": [{"fact": "f", "subject": "{a.b}"}]}}}
    )

    assert describe(policy, "t", {"a": {"b": 7}}).provides == (("f", "7"),)


def test_the_longest_pattern_wins_key_by_key() -> None:
    policy = Policy.from_mapping(
        {"tools": {"*": {"tier": "write", "polls": True}, "scale_*": {"tier": "provision"}}}
    )

    described = describe(policy, "scale_up", {})

    assert (described.tier, described.polls) == (Tier.PROVISION, True)


def test_an_exact_name_wins_over_a_longer_pattern() -> None:
    policy = Policy.from_mapping({"tools": {"g": {"tier": "write"}, "[g]*": {"tier": "read"}}})

    assert describe(policy, "g", {}).tier == Tier.WRITE


def test_limits_of_an_agent_lie_over_those_of_the_file() -> None:
    policy = Policy.from_mapping(
        {
            "limits": {"repeats_alarm": 5, "stall_s": 60},
            "agents": {"sre-*": {"limits": {"repeats_alarm": 4}}},
        }
    )

    assert limits_for(policy, None).repeats_alarm == 5
    assert limits_for(policy, "sre-bot").repeats_alarm == 4
    assert limits_for(policy, "sre-bot").stall_s == 60
    assert limits_for(EMPTY, "sre-bot") == Limits()


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ()),
        ({"tool": {}}, ("tool",)),
        ({"tools": {"a": {"teir": "read"}}}, ("tools", "a", "teir")),
        ({"tools": {"a": {"tier": "evil"}}}, ("tools", "a", "tier")),
        ({"tools": {"a": {"polls": "yes"}}}, ("tools", "a", "polls")),
        ({"tools": {"a": {"requires": [{"fact": ""}]}}}, ("tools", "a", "requires", 0, "fact")),
        (
            {"tools": {"a": {"requires": [{"fact": "f", "max_age": "soon"}]}}},
            ("tools", "a", "requires", 0, "max_age"),
        ),
        (
            {"tools": {"a": {"provides": [{"fact": "f", "max_age": "1h"}]}}},
            ("tools", "a", "provides", 0, "max_age"),
        ),
        ({"tools": {"a": {"targets": [{"x": "y"}]}}}, ("tools", "a", "targets", 0)),
        ({"limits": {"repeats_alram": 3}}, ("limits", "repeats_alram")),
        ({"limits": {"repeats_alarm": 2.5}}, ("limits", "repeats_alarm")),
        ({"limits": {"repeats_alarm": True}}, ("limits", "repeats_alarm")),
        ({"agents": {"a": {"limit": {}}}}, ("agents", "a", "limit")),
        ({"tools": {1: {}}}, ("tools", "1")),
        ({"tools": {"a": {"explain": 1}}}, ("tools", "a", "explain")),
        ({"tools": {"a": {"gate": "maybe"}}}, ("tools", "a", "gate")),
        ({"tools": {"a": {"gate": ["ask"]}}}, ("tools", "a", "gate")),
        ({"agents": {"a": {"budget": {"stepps": 1}}}}, ("agents", "a", "budget", "stepps")),
        ({"agents": {"a": {"budget": {"steps": 1.5}}}}, ("agents", "a", "budget", "steps")),
        ({"agents": {"a": {"budget": {"tokens": -1}}}}, ("agents", "a", "budget", "tokens")),
        ({"agents": {"a": {"budget": {"cost_usd": "2"}}}}, ("agents", "a", "budget", "cost_usd")),
        ({"agents": {"a": {"budget": {"wall_time": "x"}}}}, ("agents", "a", "budget", "wall_time")),
        ({"agents": {"a": {"budget": 7}}}, ("agents", "a", "budget")),
        ({"agents": {"a": {"budget": {"warn_at": 0}}}}, ("agents", "a", "budget", "warn_at")),
        ({"budget": {"per_user": {"warn_at": 80}}}, ("budget", "per_user", "warn_at")),
        ({"budget": {"per_week": {"steps": 1}}}, ("budget", "per_week")),
        ({"agents": {"a": {"context_window": 0}}}, ("agents", "a", "context_window")),
        ({"models": {"m": {"price": 1}}}, ("models", "m", "price")),
        ({"models": {"m": {"input_usd": -1}}}, ("models", "m", "input_usd")),
        ({"limits": {"budget": 1}}, ("limits", "budget")),
    ],
)
def test_what_cannot_be_obeyed_is_refused_with_its_place(
    document: Any, path: tuple[str | int, ...]
) -> None:
    with pytest.raises(PolicyError) as refused:
        Policy.from_mapping(document)

    assert refused.value.path == path


def test_an_agents_budget_and_window_become_its_limits_amount_by_amount() -> None:
    policy = Policy.from_mapping(
        {
            "agents": {
                "*": {"budget": {"steps": 100, "wall_time": "30m"}, "context_window": 8_000},
                "sre-*": {"budget": {"steps": 200, "cost_usd": 2}, "limits": {"stall_s": 9}},
            },
            "models": {"ours-*": {"context_window": 32_000, "input_usd": 1, "output_usd": 2}},
        }
    )
    limits = limits_for(policy, "sre-bot")

    assert limits.budget == Budget(steps=200, cost_usd=2.0, wall_time_s=1_800.0)
    assert limits.context_window_tokens == 8_000
    assert limits.stall_s == 9.0
    assert limits.models == (Model("ours-*", 32_000, 1.0, 2.0),)
    assert limits_for(policy, "other").budget == Budget(steps=100, wall_time_s=1_800.0)
    assert limits_for(policy, None).budget == Budget()


def test_what_a_policy_says_of_explaining_a_call_is_told_key_by_key() -> None:
    policy = Policy.from_mapping(
        {"tools": {"delete_*": {"explain": True}, "delete_draft": {"explain": False}}}
    )

    assert describe(policy, "delete_all", None).explain is True
    assert describe(policy, "delete_draft", None).explain is False
    assert describe(policy, "send", None).explain is None


def test_what_a_gate_does_is_told_key_by_key() -> None:
    policy = Policy.from_mapping(
        {"tools": {"delete_*": {"gate": "ask"}, "delete_cluster": {"gate": "deny"}}}
    )

    assert describe(policy, "delete_all", None).gate is Gate.ASK
    assert describe(policy, "delete_cluster", None).gate is Gate.DENY
    assert describe(policy, "send", None).gate is None


def test_sections_of_the_collector_are_left_to_it() -> None:
    assert Policy.from_mapping({"collector": {"http": 1}, "on_call": None}).tools == ()


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("15m", 900), ("2h", 7_200), (7, 7)]
)
def test_seconds_are_read_from_numbers_and_texts(text: str | float, seconds: float) -> None:
    assert seconds == parse_seconds(text)


@pytest.mark.parametrize("text", ["", "15", "m", "-3s", 0, -1, True])
def test_what_is_not_a_time_is_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match="not a time"):
        parse_seconds(text)


@pytest.mark.parametrize(
    ("wanted", "seen", "same"),
    [
        ("prod", "prod", True),
        ("prod", "staging", False),
        ("*", "prod", True),
        ("prod", "*", True),
        ("prod/*", "prod/shop", True),
        ("prod/*", "staging/shop", False),
    ],
)
def test_subjects_match_where_one_of_them_says_any(wanted: str, seen: str, same: bool) -> None:
    assert same == subjects_match(wanted, seen)
