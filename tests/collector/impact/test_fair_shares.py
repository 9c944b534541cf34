"""Floods of actions: whoever holds most of a full table gives up places, and nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftershock.model import Action, Fingerprint, Outcome, Step, StepKind, Tier
from aftershock_collector.engine.engine import Engine
from aftershock_collector.impact import observation, suspects

S = 10**9
T0 = 1_790_000_000 * S


def call(number: int, agent: str, *, declared: bool = False, sender: str = "", at: int = 0) -> Step:
    action = Action(
        "scale", Fingerprint("a"), None, Outcome.OK, Tier.WRITE, (f"service/{agent}",),
        targets_declared=declared,
    )  # fmt: skip
    return Step(
        run_id=f"run of {agent}", span_id=f"{agent}/{number}", kind=StepKind.TOOL_CALL,
        name="scale", began_at_ns=T0 + at, ended_at_ns=T0 + at + S, trace_id=f"{agent}{number}",
        agent=agent, service=f"{agent}s", action=action, sender=sender,
    )  # fmt: skip


def observed(*steps: Step) -> set[str]:
    """Agents whose actions are still observed, and still suspects."""
    engine = Engine()
    for step in steps:
        engine.observe([step], T0 + 2 * S, step.sender)
    correlator = engine.correlator
    kept = correlator.observer._open.values()  # pyright: ignore[reportPrivateUsage]
    candidates = correlator.suspect_index._candidates  # pyright: ignore[reportPrivateUsage]
    assert {one.step.span_id for one in kept} <= set(candidates)
    return {one.step.span_id for one in kept}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "OPEN_MAX", 8)
    monkeypatch.setattr(suspects, "ACTIONS_MAX", 16)


def test_one_agents_flood_ends_no_other_agents_observation() -> None:
    flood = [call(n, "flooder", at=n) for n in range(50)]

    assert "victim/0" in observed(call(0, "victim"), *flood)
    assert "victim/0" in observed(*flood, call(0, "victim"))


def test_a_flood_under_ever_new_names_ends_nobodys_observation_either() -> None:
    flood = [call(0, f"flooder-{n}", at=n) for n in range(50)]

    assert "victim/0" in observed(call(0, "victim"), *flood)


def test_a_senders_flood_ends_no_other_senders_observation_whatever_it_names() -> None:
    flood = [call(n % 3, f"flooder-{n}", sender="b", at=n) for n in range(50)]
    victims = [call(n, "victim", sender="a") for n in range(3)]

    assert {"victim/0", "victim/1", "victim/2"} <= observed(*victims, *flood)


def test_of_one_holder_what_the_operator_declared_stays_longest() -> None:
    declared = call(99, "flooder", declared=True)

    assert "flooder/99" in observed(declared, *(call(n, "flooder", at=n) for n in range(50)))


def test_a_span_id_of_another_run_replaces_no_observed_action() -> None:
    claimed = replace(call(0, "thief"), span_id="victim/0")
    engine = Engine()
    engine.observe([call(0, "victim")], T0 + 2 * S)
    engine.observe([claimed], T0 + 2 * S)
    (kept,) = engine.correlator.observer._open.values()  # pyright: ignore[reportPrivateUsage]

    assert kept.step.agent == "victim"
