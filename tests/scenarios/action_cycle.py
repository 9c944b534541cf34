"""action_cycle: circles of two to five calls, and hand-offs that go round between agents."""

from __future__ import annotations

from functools import partial

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run

CALLS = ("get_pods", "get_logs", "get_events", "describe_node", "query_metrics")


def circle(period: int) -> str:
    played = run()
    for _ in range(3):
        for tool in CALLS[:period]:
            played.calls(tool, name="checkout").returns(f"{tool}: nothing unusual")
    return play(played.ends())


def hand_offs() -> str:
    """Each of three agents thinks that the task is the next one's."""
    played = run(agent="triage")
    played.as_worker("triage")
    for _ in range(5):
        played.thinks(500).hands_off("billing")
        played.thinks(500).hands_off("shipping")
        played.thinks(500).hands_off("triage")
    return play(played)


def progress() -> str:
    """Legitimate: the same circle, and each round learns something."""
    played = run()
    for item in ("socks", "shoes", "hats", "coats"):
        played.calls("next_item").returns(f"{item} to be checked")
        played.calls("check_stock").returns(f"{item}: plenty, in the {item} hall")
    return play(played.ends())


SCENARIOS: Scenarios = {
    **{f"period {period}": partial(circle, period) for period in (2, 3, 4, 5)},
    "hand-offs between three agents": hand_offs,
    "a circle that gets on": progress,
}
