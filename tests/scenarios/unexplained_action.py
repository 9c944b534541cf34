"""unexplained_action: risky, and nobody can say why."""

from __future__ import annotations

from aftershock.policy.policy import Policy
from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run

POLICY = Policy.from_mapping({"tools": {"terminate_*": {"explain": True}}})


def demanded() -> str:
    played = run(policy=POLICY).calls("list_instances").returns("i-0abc12 idle").thinks(300)
    return play(played.calls("terminate_instance", id="i-0abc12").returns("terminated").ends())


def forgotten() -> str:
    played = run().decides("delete_snapshot snap-01ab, it is two years old", "what can go?")
    played.calls("delete_snapshot", id="snap-01ab").returns("deleted").thinks(300)
    return play(played.calls("terminate_instance", id="i-0abc12").returns("terminated").ends())


def explained() -> str:
    """Legitimate: it said so first."""
    played = run(policy=POLICY).decides("terminate_instance i-0abc12, it is idle", "what can go?")
    return play(played.calls("terminate_instance", id="i-0abc12").returns("terminated").ends())


def never_asked() -> str:
    """Legitimate: nobody records or wants decisions here."""
    return play(run().calls("delete_snapshot", id="snap-01ab").returns("deleted").ends())


SCENARIOS: Scenarios = {
    "the policy wants a decision": demanded,
    "it recorded one before, and not now": forgotten,
    "decided first": explained,
    "no decisions anywhere": never_asked,
}
