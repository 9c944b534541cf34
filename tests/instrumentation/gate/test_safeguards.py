"""Explanations, assumptions about facts, and what of a canary is decided without a collector."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aftershock.approval import Gate
from aftershock.fingerprints.fingerprint import fingerprint_result
from aftershock.gate.admission import ALLOWED, answer_text
from aftershock.gate.assumptions import Measured, Truth, examine
from aftershock.gate.canary import Canary, CanaryState, judge, next_step
from aftershock.guard.ledger import decision_step, fact_step
from aftershock.model import Decision, Fact, Outcome
from aftershock.policy.policy import Policy, PolicyError
from aftershock.policy.safeguards import CanaryCall, MetricAssumption
from tests.instrumentation.gate.test_decide import NOW, S, Scene, codes

WHY = "p95 is 340 ms and the pool has room for two more"


def decided(scene: Scene, chosen: str | None, because: str | None) -> None:
    decision = Decision("what now?", chosen, (), because)
    scene.ledger.add("run", "bot", decision_step("run", f"d{scene.now_ns}", decision, scene.now_ns))
    scene.now_ns += S


# --- Explanations --------------------------------------------------------------------------------


def test_a_call_that_must_be_explained_is_held_back_and_its_agent_reads_how() -> None:
    scene = Scene({}, tools={"scale": {"tier": "provision", "explain": "require"}})

    held = scene.wants("scale", n=2)

    assert Gate.DENY is held.gate
    text = answer_text("scale", held)
    assert "scale needs an explanation that a person can read, and was given no explanation" in text
    assert "Call `explain` first, or give it as the argument `because`" in text
    assert scene.wants("get_x") is ALLOWED


@pytest.mark.parametrize("because", [None, "", "ok", "as you said"])
def test_a_decision_without_words_of_its_own_explains_nothing(because: str | None) -> None:
    scene = Scene({"explain": "require"})
    decided(scene, "scale", because)

    assert ["explanation"] == codes(scene.wants("scale", n=2))


def test_a_recorded_decision_with_its_reason_explains_the_call_it_names_and_no_other() -> None:
    scene = Scene({"explain": "require"})
    decided(scene, "scale", WHY)

    assert scene.wants("scale", n=2) is ALLOWED
    scene.does("scale", "done", n=2)
    assert ["explanation"] == codes(scene.wants("delete_database", name="a"))


def test_an_argument_may_give_the_explanation() -> None:
    named = {"explain": {"argument": "description"}}
    scene = Scene({"explain": ["write"]}, tools={"Bash": {"tier": "write", **named}})

    assert scene.wants("Bash", command="x", description=WHY) is ALLOWED
    held = scene.wants("Bash", command="x", description="try", because=WHY)
    assert "was given no more than 'try'" in held.reasons[0].text
    assert "`description`" in held.reasons[0].advice
    assert scene.wants("update_x", because=WHY) is ALLOWED
    assert ["explanation"] == codes(scene.wants("update_x", because=7))


def test_a_tools_own_word_on_explanations_wins_over_its_tiers() -> None:
    tools = {"update_log": {"explain": False}, "update_*": {"explain": "require"}}
    scene = Scene({"explain": ["destructive"]}, tools=tools)

    assert scene.wants("update_log") is ALLOWED
    assert ["explanation"] == codes(scene.wants("update_x"))
    assert ["explanation"] == codes(scene.wants("delete_x"))
    assert scene.wants("send_x") is ALLOWED


# --- Assumptions ---------------------------------------------------------------------------------


def shown(scene: Scene, value: str, *, kind: str = "window", outcome: Outcome = Outcome.OK) -> None:
    digest = fingerprint_result(value).digest
    fact = Fact(kind, "prod", "get_window", scene.now_ns, outcome, f"f{scene.now_ns}", digest)
    scene.ledger.add("run", "bot", fact_step("run", fact))
    scene.now_ns += S


ASSUMES = {"tier": "write", "assumes": [{"fact": "window", "subject": "{env}", "equals": "closed"}]}


def test_what_the_run_was_shown_last_says_whether_an_assumption_is_so() -> None:
    scene = Scene({}, tools={"change": ASSUMES})

    unread = scene.wants("change", env="prod")
    assert (Gate.ASK, ["unknown_assumption"]) == (unread.gate, codes(unread))
    assert "never read" in unread.reasons[0].lines[0]
    shown(scene, "open")
    false = scene.wants("change", env="prod")
    assert (Gate.DENY, ["false_assumption"]) == (false.gate, codes(false))
    assert "read 1 s ago, source: get_window" in false.reasons[0].lines[0]
    shown(scene, "closed")
    assert scene.wants("change", env="prod") is ALLOWED
    assert ["unknown_assumption"] == codes(scene.wants("change", env="staging"))
    scene.now_ns += 300 * S
    assert ["unknown_assumption"] == codes(scene.wants("change", env="prod"))


def test_what_was_read_in_vain_is_not_known_and_the_policy_says_what_follows() -> None:
    scene = Scene({"unknown_assumptions": "deny"}, tools={"change": ASSUMES})
    shown(scene, "closed", outcome=Outcome.FAILED)

    assert Gate.DENY is scene.wants("change", env="prod").gate


@pytest.mark.parametrize(
    ("measured", "truth"),
    [
        (None, Truth.UNKNOWN),
        (Measured(0.79, 1, "live metrics"), Truth.TRUE),
        (Measured(0.8, 1, "live metrics"), Truth.FALSE),
        (Measured(0.1, 121, "live metrics"), Truth.UNKNOWN),
        (Measured(float("nan"), 1, "live metrics"), Truth.FALSE),
    ],
)
def test_absence_and_age_are_never_true(measured: Measured | None, truth: Truth) -> None:
    found = examine(MetricAssumption("used / most", "db/orders", 0.8, None, 120), measured)

    assert found.truth is truth
    assert "used / most of db/orders is assumed to be below 0.8" in found.text


# --- Canaries ------------------------------------------------------------------------------------

CALL = CanaryCall("scale", ("service/a",), "n", 4.0, 2.0, observe_s=60)


def step(call: CanaryCall = CALL, *, ago_s: float = 100, **more: Any) -> Canary:
    at_ns = NOW - int(ago_s * S)
    made = Canary(call, "run", "bot", at_ns, at_ns + int(call.observe_s * S), number=1)
    return replace(made, **{"measured": True, **more})


def why(call: CanaryCall, *steps: Canary, now: float | None = None) -> list[tuple[Gate, str]]:
    current = None if now is None else Measured(now, 1, "live metrics")
    return [(r.gate, r.text) for r in judge(call, steps, current, NOW, Gate.ASK)]


@pytest.mark.parametrize(
    ("now", "amount", "passes"),
    [(4, 8, True), (4, 9, False), (4, 2, True), (4, 1, False), (0, 2, True), (0, 3, False),
     (1, 0, False), (3, 6, True), (3, 7, False)],
)  # fmt: skip
def test_one_step_changes_the_amount_by_at_most_the_factor(
    now: float, amount: float, passes: bool
) -> None:
    found = why(replace(CALL, amount=amount), now=now)

    assert (found == []) is passes
    assert all(gate is Gate.DENY and "at most a factor of 2" in text for gate, text in found)


def test_an_amount_that_nobody_knows_is_asked_about() -> None:
    assert [Gate.ASK] == [gate for gate, _ in why(CALL)]
    assert [Gate.ASK] == [gate for gate, _ in why(replace(CALL, amount=None), now=2)]
    assert [] == why(replace(CALL, amount=8.0), step()), "the newest step says what it is now"


def test_the_next_step_waits_until_the_one_before_was_observed_whatever_its_target() -> None:
    other = replace(CALL, targets=("service/b",))

    ((gate, text),) = why(other, step(ago_s=20), now=4)

    assert (gate, "observed for another 40 s" in text) == (Gate.DENY, True)
    assert [] == why(other, step(ago_s=61), now=4)


def test_a_step_whose_call_still_runs_is_observed_until_it_has_ended() -> None:
    ((_, text),) = why(CALL, step(ago_s=600, is_open=True), now=4)

    assert "for another 60 s" in text
    assert [] == why(CALL, step(ago_s=4_000, is_open=True), now=4), "it never ended: an hour"


def test_a_step_that_nothing_measured_needs_a_person() -> None:
    ((gate, text),) = why(CALL, step(measured=False), now=4)

    assert (gate, "Nothing measured service/a" in text) == (Gate.ASK, True)


def test_damage_stops_the_rollout_but_for_the_way_back_until_a_person_releases_it() -> None:
    bad = step(replace(CALL, amount=8.0), state=CanaryState.STOPPED, before=4.0, damage="p95 rose")
    back = step(replace(CALL, amount=4.0), ago_s=1)

    assert "was stopped: p95 rose" in why(replace(CALL, amount=9.0), bad)[0][1]
    assert [] == why(replace(CALL, amount=4.0), bad, now=8)
    assert "was stopped" in why(replace(CALL, amount=6.0), back, bad, now=4)[0][1]
    released = replace(bad, state=CanaryState.RELEASED)
    assert [] == why(replace(CALL, amount=9.0), released, now=8)


def test_a_change_is_made_in_its_first_environment_first() -> None:
    deploy = CanaryCall("deploy", ("service/a",), first="staging", change="v2")
    prod, staging = replace(deploy, environment="prod"), replace(deploy, environment="staging")
    older = step(replace(staging, change="v1"))

    assert [] == why(staging)
    assert "goes to staging first" in why(prod, older)[0][1]
    assert "goes to staging first" in why(prod, step(staging, measured=False))[-1][1]
    assert [] == why(prod, step(staging))
    assert [Gate.ASK] == [gate for gate, _ in why(replace(deploy, environment="*"), step(staging))]


def test_the_model_reads_what_to_do_next() -> None:
    assert next_step(step()) == (
        "Canary 1: service/a is observed for 60 s. Wait 60 s, then see how it is and go on to at "
        "most 8."
    )


@pytest.mark.parametrize(
    ("tool", "place"),
    [
        ({"assumes": [{"metric": "a"}]}, "tools.t.assumes.0"),
        ({"assumes": [{"metric": "a b", "below": 1}]}, "tools.t.assumes.0.metric"),
        ({"assumes": [{"fact": "a"}]}, "tools.t.assumes.0"),
        ({"assumes": [{"fact": "a", "equals": "b", "below": 1}]}, "tools.t.assumes.0.below"),
        ({"assumes": [{"below": 1}]}, "tools.t.assumes.0"),
        ({"canary": {"factor": 2}}, "tools.t.canary"),
        ({"canary": {"argument": "n", "factor": 1}}, "tools.t.canary.factor"),
        ({"canary": {"first": "staging"}}, "tools.t.canary"),
        ({"explain": "yes"}, "tools.t.explain"),
        ({"explain": {"argument": ""}}, "tools.t.explain.argument"),
        ({"dry_run": "yes"}, "tools.t.dry_run"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(tool: Any, place: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.from_mapping({"tools": {"t": tool}})
    assert ".".join(map(str, caught.value.path)) == place
