"""silent_failure: calls that fail in their answers only."""

from __future__ import annotations

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run


def failed_in_words() -> str:
    """Five messages are sent, and each answer reports a failure."""
    played = run()
    for number in range(5):
        played.calls("send_message", channel=f"team-{number}").returns({"ok": False})
    return play(played.ends())


def repaired() -> str:
    """Legitimate: the second attempt works."""
    played = run().calls("send_message", channel="a").returns({"ok": False})
    return play(played.calls("send_message", channel="b").returns({"ok": True}).after(1).ends())


SCENARIOS: Scenarios = {"five failures in words": failed_in_words, "one that is repaired": repaired}
