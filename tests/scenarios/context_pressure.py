"""context_pressure: a window that fills up, and one that was emptied."""

from __future__ import annotations

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run


def filling() -> str:
    played = run()
    for number, tokens in enumerate((40_000, 80_000, 104_000, 121_000)):
        played.thinks(tokens, model="gpt-4o").calls("read_file", path=f"{number}.md")
        played.returns(f"chapter {number}")
    return play(played.ends())


def compacted() -> str:
    played = run().thinks(110_000, model="gpt-4o").calls("read_file", path="a.md").returns("text")
    return play(played.forgets(declared=True).thinks(9_000, model="gpt-4o").ends())


def roomy() -> str:
    """Legitimate: the same history, and a model that reads more at once."""
    played = run()
    for tokens in (80_000, 121_000):
        played.thinks(tokens, model="gpt-4.1")
    return play(played.ends())


SCENARIOS: Scenarios = {
    "it fills up": filling,
    "it was summarised": compacted,
    "a larger window": roomy,
}
