"""failure_cascade: whatever the agent tries, it fails."""

from __future__ import annotations

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run


def expired() -> str:
    played = run().calls("list_namespaces").returns("prod, staging").thinks(300)
    for tool in ("get_pods", "get_logs", "scale_deployment"):
        played.calls(tool, namespace="prod").fails("Error: Unauthorized: token expired")
    return play(played.ends())


def mixed() -> str:
    """A warning only: other tools still work."""
    played = run()
    for tool in ("get_pods", "get_logs", "query_metrics"):
        played.calls(tool, name="x").fails("Error: no such name")
        played.calls("list_files", path=tool).returns(f"{tool}.md")
    return play(played.ends())


def got_over() -> str:
    """Legitimate: each of them works in the end."""
    played = run()
    for tool in ("get_pods", "get_logs", "query_metrics"):
        played.calls(tool, name="checkuot").fails("Error: no such name")
        played.calls(tool, name="checkout").returns(f"{tool}: fine")
    return play(played.ends())


SCENARIOS: Scenarios = {
    "an expired token": expired,
    "failures among successes": mixed,
    "a typing error in each of three": got_over,
}
