"""hung_tool: a call that lasts ten times longer than its tool ever did."""

from __future__ import annotations

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run


def hung() -> str:
    """Three calls of a second, then one that does not end, with heartbeats."""
    played = run().calls("get_logs", pod="a").returns("a").calls("get_logs", pod="b").returns("b")
    played.calls("get_logs", pod="c").returns("c").calls("get_logs", pod="d")
    for _ in range(6):
        played.after(30).heartbeat()
    return play(played)


def slow() -> str:
    """Legitimate: nothing is known of the tool yet."""
    played = run().calls("run_suite", target="all")
    for _ in range(6):
        played.after(30).heartbeat()
    return play(played.returns("passed"))


SCENARIOS: Scenarios = {"a call that hangs": hung, "a slow first call": slow}
