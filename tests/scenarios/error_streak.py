"""error_streak: one tool and one class of error, whatever the arguments."""

from __future__ import annotations

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run


def forbidden() -> str:
    played = run()
    for pod in "abcdef":
        played.thinks(200)
        played.calls("get_logs", pod=f"checkout-{pod}").fails(f'Error: pods "{pod}" is forbidden')
    return play(played.ends())


def recovered() -> str:
    """Legitimate: it fails, and then it works."""
    played = run()
    for pod in "abc":
        played.calls("get_logs", pod=pod).fails("Error: connection reset by peer")
    return play(played.calls("get_logs", pod="d").returns("started").thinks(100).ends())


def got_over() -> str:
    """Legitimate: twice is bad luck."""
    played = run()
    for pod in "ab":
        played.calls("get_logs", pod=pod).fails("Error: connection reset by peer")
    return play(played.calls("get_logs", pod="c").returns("started").ends())


SCENARIOS: Scenarios = {
    "forbidden six times": forbidden,
    "three failures, then a success": recovered,
    "two failures, then a success": got_over,
}
