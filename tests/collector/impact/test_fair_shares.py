"""Floods of actions: whoever holds most of a full table gives up places, and nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftershock.model import Action, Fingerprint, Outcome, Step, StepKind, Tier
from aftershock.runs.size import size_of
from aftershock_collector.engine.engine import Engine
from aftershock_collector.impact import observation, suspects
from aftershock_collector.impact.fair_shares import FairShares

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
    monkeypatch.setattr(suspects, "ACTIONS_MAX", 32)  # of a quarter of the bytes


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


def wide(number: int, agent: str, *, sender: str = "") -> Step:
    """An action with as many targets, as long, as a sender may name."""
    step = call(number, agent, sender=sender, at=number)
    assert step.action is not None
    targets = tuple(f"service/{agent}-{number}-{n}-{'x' * 150}" for n in range(256))
    return replace(step, action=replace(step.action, targets=targets))


def test_large_actions_take_several_places_so_that_a_table_is_bounded_in_bytes() -> None:
    index = suspects.SuspectIndex()
    for number in range(50):
        index.record(wide(number, "flooder"))
    kept = [one.step for one in index._candidates.values()]  # pyright: ignore[reportPrivateUsage]

    assert 0 < sum(map(size_of, kept)) <= suspects.ACTIONS_MAX * suspects.ACTION_BYTES
    assert index.dropped["suspects_full"] == 50 - len(kept)


def test_a_flood_of_large_actions_ends_no_other_senders_observation() -> None:
    flood = [wide(n, f"flooder-{n}", sender="b") for n in range(50)]
    victims = [call(n, "victim", sender="a") for n in range(3)]

    assert {"victim/0", "victim/1", "victim/2"} <= observed(*victims, *flood)


def test_an_action_that_becomes_larger_takes_the_places_that_it_needs() -> None:
    shares = FairShares(place_bytes=100)
    step = call(0, "agent")
    shares.hold("a", step, 50)
    shares.hold("b", step, 50)
    shares.hold("a", step, 450)

    assert shares.in_use == 6
    shares.release("a")
    assert shares.in_use == 1
    assert shares.heaviest() == "b"
