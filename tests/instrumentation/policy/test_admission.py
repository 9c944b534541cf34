"""The `gate` section of a policy."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock.approval import Gate
from aftershock.model import Tier
from aftershock.policy.admission import GATE_OFF, Mode
from aftershock.policy.policy import Policy, PolicyError


def gate(**section: Any) -> Any:
    return Policy.from_mapping({"gate": section}).gate


def test_a_policy_without_the_section_holds_nothing_back() -> None:
    assert Policy.from_mapping({"tools": {"x": {"gate": "deny"}}}).gate == GATE_OFF
    assert gate(tiers="deny").mode is Mode.OFF


def test_one_word_stands_for_every_tier_with_an_effect() -> None:
    rules = gate(mode="enforce", tiers="ask")

    assert Gate.ALLOW is rules.for_tier(Tier.READ)
    assert {Gate.ASK} == {rules.for_tier(tier) for tier in Tier if tier.has_effect}


def test_without_a_collector_an_effect_is_never_silently_allowed() -> None:
    rules = gate(mode="enforce")

    assert Gate.ALLOW is rules.when_unreachable(Tier.READ)
    assert {Gate.ASK} == {rules.when_unreachable(tier) for tier in Tier if tier.has_effect}
    assert Gate.WARN is gate(when_unreachable={"write": "warn"}).when_unreachable(Tier.WRITE)


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ({"mod": "enforce"}, "gate.mod"),
        ({"mode": "on"}, "gate.mode"),
        ({"tiers": "sometimes"}, "gate.tiers"),
        ({"tiers": {"delete": "ask"}}, "gate.tiers.delete"),
        ({"tiers": {"write": "maybe"}}, "gate.tiers.write"),
        ({"loops": True}, "gate.loops"),
        ({"preflight": ["all"]}, "gate.preflight.0"),
        ({"wait": "soon"}, "gate.wait"),
        ({"always_open": [""]}, "gate.always_open.0"),
        ({"raises": "yes"}, "gate.raises"),
    ],
)
def test_a_mistake_is_an_error_that_names_its_key(section: dict[str, Any], place: str) -> None:
    with pytest.raises(PolicyError, match=rf"^{place}:"):
        gate(**section)
