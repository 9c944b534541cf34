"""What is decided about a call by the policy and by what its run did before."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock.approval import Gate
from aftershock.gate.admission import ALLOWED, Admission, answer_text, joined
from aftershock.gate.decide import Call, decide
from aftershock.guard.ledger import Ended, Ledger, fact_step, inference_step
from aftershock.model import Fact, Outcome, Spent, Tokens
from aftershock.policy.policy import Policy, limits_for
from aftershock.runs.day_spending import DAY_NS, DaySpent, Scope

S = 1_000_000_000
NOW = 1_700_000_000 * S


class Scene:
    """One run under one policy; calls come a second apart."""

    def __init__(self, gate: dict[str, Any], **document: Any) -> None:
        self.policy = Policy.from_mapping({"gate": {"mode": "enforce", **gate}, **document})
        self.ledger = Ledger(lambda: self.policy, lambda agent: limits_for(self.policy, agent))
        self.now_ns = NOW

    def wants(self, tool: str, **arguments: Any) -> Admission:
        call = Call(tool, arguments, "run", "bot")
        limits = limits_for(self.policy, "bot")
        return decide(call, self.policy, limits, lambda: self.ledger.run("run", "bot", self.now_ns))

    def does(
        self, tool: str, result: Any = None, *, error: str | None = None, **arguments: Any
    ) -> None:
        ended = Ended(
            Call(tool, arguments, "run", "bot"), self.now_ns, self.now_ns + S // 10, result, error
        )
        self.ledger.add("run", "bot", ended)
        self.now_ns += S


def codes(found: Admission) -> list[str]:
    return [str(reason.code) for reason in found.reasons]


def test_a_call_of_which_no_rule_speaks_is_allowed_without_asking_what_the_run_did() -> None:
    policy = Policy.from_mapping({"gate": {"mode": "enforce", "tiers": {"destructive": "deny"}}})

    def past() -> None:
        raise AssertionError("nothing depends on it")

    found = decide(Call("get_pods", {}), policy, limits_for(policy, None), past)

    assert found is ALLOWED


def test_the_gate_of_a_tool_wins_over_that_of_its_tier() -> None:
    scene = Scene({"tiers": {"destructive": "deny"}}, tools={"delete_cache": {"gate": "warn"}})

    assert Gate.DENY is scene.wants("delete_database").gate
    assert Gate.WARN is scene.wants("delete_cache").gate


def test_a_call_without_its_facts_is_held_back_until_they_were_read() -> None:
    tools = {
        "scale": {"tier": "provision", "requires": [{"fact": "window", "subject": "{env}"}]},
        "get_window": {"provides": [{"fact": "window", "subject": "{env}"}]},
    }
    scene = Scene({"missing_facts": "deny"}, tools=tools)

    first = scene.wants("scale", env="prod")
    scene.does("get_window", "none planned this week", env="staging")
    other_subject = scene.wants("scale", env="prod")
    scene.does("get_window", error="TimeoutError: no answer", env="prod")
    in_vain = scene.wants("scale", env="prod")
    scene.does("get_window", "none planned this week", env="prod")

    assert ["missing_fact"] == codes(first)
    assert "get_window provides it" in answer_text("scale", first)
    assert ["missing_fact"] == codes(other_subject)
    assert ["failed_fact"] == codes(in_vain)
    assert scene.wants("scale", env="prod") is ALLOWED
    scene.now_ns += 3_600 * S
    assert ["stale_fact"] == codes(scene.wants("scale", env="prod"))


def test_a_fact_that_the_app_recorded_counts() -> None:
    tools = {"scale": {"tier": "provision", "requires": [{"fact": "window"}]}}
    scene = Scene({"missing_facts": "deny"}, tools=tools)
    fact = Fact("window", "*", "calendar", NOW - S, Outcome.OK, "f")
    scene.ledger.add("run", "bot", fact_step("run", fact))

    assert scene.wants("scale") is ALLOWED


def test_a_call_that_would_continue_a_loop_is_shown_what_it_repeated() -> None:
    scene = Scene({"loops": "deny"})
    for _ in range(4):
        assert scene.wants("search", q="x").lets_pass
        scene.does("search", "nothing here", q="x")

    found = scene.wants("search", q="x")

    assert ["loop"] == codes(found)
    text = answer_text("search", found)
    assert "Repeated 4 times: search." in text
    assert "The arguments were the same each time." in text
    assert "The answer was the same each time." in text
    assert Gate.DENY is scene.wants("search", q="x").gate, "asking again changes nothing"
    assert scene.wants("search", q="something else entirely") is ALLOWED


def test_a_write_in_between_makes_a_repetition_legitimate() -> None:
    scene = Scene({"loops": "deny"})
    for number in range(6):
        assert scene.wants("run_tests", suite="all").lets_pass
        scene.does("run_tests", "3 failed", suite="all")
        scene.does("edit_file", f"changed line {number}", path="a.py", line=number)


def test_a_loop_after_a_pause_is_a_poll() -> None:
    scene = Scene({"loops": "deny"})
    for _ in range(3):
        scene.does("get_state", "pending approval by nobody in particular", job="x")
    scene.now_ns += 60 * S

    assert scene.wants("get_state", job="x").lets_pass


def test_a_tool_that_keeps_failing_in_the_same_way_is_held_back_with_any_arguments() -> None:
    scene = Scene({"loops": "deny"})
    for number in range(6):
        scene.does("query", error=f"PermissionError: table {number} is not yours", table=number)

    found = scene.wants("query", table=99)

    assert ["loop"] == codes(found)
    assert "It failed the same way each time" in answer_text("query", found)


def test_a_budget_is_checked_before_the_call_that_would_exceed_it() -> None:
    agents = {"bot": {"budget": {"steps": 5}}}
    scene = Scene({"budget": "deny"}, agents=agents)
    found: list[Admission] = []
    for number in range(6):
        found.append(scene.wants("get_page", number=number))
        scene.does("get_page", f"page {number}", number=number)

    assert [Gate.ALLOW] * 3 + [Gate.WARN] * 2 + [Gate.DENY] == [one.gate for one in found]
    assert "5 of 5 steps" in found[4].reasons[0].text
    assert "6 of 5 steps" in found[5].reasons[0].text


def test_tokens_of_inferences_and_failed_calls_count_too() -> None:
    agents = {"bot": {"budget": {"tokens": 1000, "tool_errors": 1, "cost_usd": 0.01}}}
    scene = Scene({"budget": "deny"}, agents=agents)
    scene.ledger.add("run", "bot", inference_step("run", "i", "gpt-4o", Tokens(900, 200), NOW))
    scene.does("get_x", error="ValueError: no")
    scene.does("get_y", error="ValueError: no")

    text = answer_text("get_z", scene.wants("get_z"))

    assert "1,100 of 1,000 tokens" in text
    assert "2 of 1 failed tool calls" in text


def test_a_budget_holds_for_steps_that_left_the_window() -> None:
    agents = {"bot": {"budget": {"steps": 900}}}
    scene = Scene({"budget": "deny"}, agents=agents)
    for number in range(900):
        scene.does("get_page", f"page {number}", number=number)

    assert Gate.DENY is scene.wants("get_page", number=901).gate


def test_an_unexplained_action_is_held_back_where_the_policy_wants_an_explanation() -> None:
    scene = Scene({"unexplained": "ask"}, tools={"scale": {"tier": "provision", "explain": True}})

    assert ["unexplained_action"] == codes(scene.wants("scale"))


def test_the_stricter_of_two_policies_wins_whichever_comes_first() -> None:
    lax = Scene({"tiers": "warn"}).wants("delete_x")
    strict = Scene({"tiers": "deny"}).wants("delete_x")

    assert Gate.DENY is joined(lax, strict).gate
    assert Gate.DENY is joined(strict, lax).gate
    assert joined(ALLOWED, ALLOWED) is ALLOWED


@pytest.mark.parametrize("gate", ["warn", "ask", "deny"])
def test_a_finding_that_would_only_warn_holds_nothing_back(gate: str) -> None:
    """An empty answer can be correct: no window, no alert."""
    tools = {
        "scale": {"tier": "provision", "requires": [{"fact": "window"}]},
        "get_window": {"provides": [{"fact": "window"}]},
    }
    scene = Scene({"missing_facts": gate}, tools=tools)
    scene.does("get_window", "[]")

    assert Gate.WARN is scene.wants("scale").gate


def test_a_run_that_has_not_read_what_the_policy_names_may_only_read() -> None:
    tools = {"get_window": {"provides": [{"fact": "window"}]}}
    scene = Scene({"read_first": ["window", "limits"], "always_open": ["write_diary"]}, tools=tools)

    first = scene.wants("restart_service")
    read, saved = scene.wants("get_window"), scene.wants("write_diary")
    scene.does("get_window", error="TimeoutError: no answer")
    in_vain = scene.wants("restart_service")
    scene.does("get_window", "none planned this week")
    half = scene.wants("restart_service")
    limits = Fact("limits", "*", "app", scene.now_ns, Outcome.OK, "s")
    scene.ledger.add("run", "bot", fact_step("run", limits))
    informed = scene.wants("restart_service")

    text = answer_text("restart_service", first)
    assert (["read_first"], Gate.DENY) == (codes(first), first.gate)
    assert "it does not know window, limits yet" in text
    assert "window: get_window provides it" in text
    assert "limits: the app records it" in text
    assert read.lets_pass
    assert saved.lets_pass
    assert ["read_first"] == codes(in_vain)
    assert "it does not know limits yet" in answer_text("restart_service", half)
    assert informed is ALLOWED


def test_a_budget_of_the_day_is_judged_with_what_other_runs_used() -> None:
    document = {
        "agents": {"bot": {"budget_per_day": {"steps": 5, "warn_at": 0.6}}},
        "budget": {"per_user": {"cost_usd": 1}, "per_day": {"tokens": 1_000}},
    }
    policy = Policy.from_mapping({"gate": {"mode": "enforce", "budget": "deny"}, **document})
    ledger = Ledger(lambda: policy, lambda agent: limits_for(policy, agent))
    used = {(Scope.AGENT, "bot"): DaySpent(Spent(steps=1))}

    def today(scope: Scope, name: str, day: int) -> DaySpent:
        assert day == NOW // DAY_NS
        return used.get((scope, name), DaySpent())

    def wants() -> Admission:
        call = Call("get_x", {}, "run", "bot", user="ann")
        limits = limits_for(policy, "bot")
        return decide(call, policy, limits, lambda: ledger.run("run", "bot", NOW), today)

    assert wants() is ALLOWED
    used[Scope.AGENT, "bot"] = DaySpent(Spent(steps=2))
    (nearly,) = wants().reasons
    assert (nearly.gate, nearly.text) == (
        Gate.WARN,
        "The budget of agent bot for today: 3 of 5 steps with this call.",
    )
    used[Scope.AGENT, "bot"] = DaySpent(Spent(steps=5))
    assert wants().gate is Gate.DENY
    used.clear()
    used[Scope.USER, "ann"] = DaySpent(Spent(cost_usd=1.2))
    used[Scope.ALL, ""] = DaySpent(Spent(tokens=1_200))
    assert [reason.text for reason in wants().reasons] == [
        "The budget of all agents for today: 1,200 of 1,000 tokens with this call.",
        "The budget of this user for today: $1.20 of $1.00 with this call.",
    ]


def test_the_tool_that_tells_the_budget_is_never_over_it() -> None:
    scene = Scene({"budget": "deny"}, agents={"bot": {"budget": {"steps": 0}}})

    assert scene.wants("my_budget") is ALLOWED
    assert scene.wants("get_x").gate is Gate.DENY


def test_a_budget_says_at_which_share_it_warns() -> None:
    scene = Scene({"budget": "deny"}, agents={"bot": {"budget": {"steps": 10, "warn_at": 0.2}}})

    assert scene.wants("get_x") is ALLOWED
    scene.does("get_x", "a")
    assert scene.wants("get_y").gate is Gate.WARN
