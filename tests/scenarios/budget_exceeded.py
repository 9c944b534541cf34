"""budget_exceeded: warned of before, told when it is over."""

from __future__ import annotations

from aftershock.policy.policy import Policy
from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run

POLICY = Policy.from_mapping(
    {"agents": {"agent": {"budget": {"cost_usd": 0.5, "steps": 12, "wall_time": "40s"}}}}
)


def spending() -> str:
    played = run(policy=POLICY)
    for number in range(7):
        played.thinks(40_000, model="gpt-4o", output=500)
        played.calls("search", q=f"question {number}").returns(f"answer {number}")
    return play(played.after(20).thinks(10).ends())


def frugal() -> str:
    """Legitimate: within all of it."""
    played = run(policy=POLICY).thinks(4_000, model="gpt-4o", output=100)
    return play(played.calls("search", q="a").returns("found").ends())


SCENARIOS: Scenarios = {"over in money, steps and time": spending, "within its budget": frugal}
