"""stalled_run: silence after a start event, and after heartbeats."""

from __future__ import annotations

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run


def hung_call() -> str:
    """The start event came, and then nothing."""
    return play(run().thinks(100).calls("run_migration", database="orders").after(180))


def died_between_steps() -> str:
    """Heartbeats came while nothing was open, and then they stopped."""
    played = run().calls("get_status", name="a").returns("ok")
    return play(played.after(30).heartbeat().after(30).heartbeat().after(150))


def slow_call() -> str:
    """Legitimate: it lasts five minutes and says so."""
    played = run().calls("run_migration", database="orders")
    for _ in range(10):
        played.after(30).heartbeat()
    return play(played.returns("migrated"))


def came_back() -> str:
    """Silent for two minutes and a half, then it answers: the finding is taken back."""
    played = run().calls("run_migration", database="orders").after(100).heartbeat()
    return play(played.after(150).returns("migrated").thinks(10))


SCENARIOS: Scenarios = {
    "a call that hangs": hung_call,
    "a process that died between steps": died_between_steps,
    "a slow call with heartbeats": slow_call,
    "a call that comes back": came_back,
}
