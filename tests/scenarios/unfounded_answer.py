"""unfounded_answer: answers of runs whose reads failed, and honest ones."""

from __future__ import annotations

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run


def read_in_vain() -> str:
    """The only look-up failed, and the agent answered."""
    played = run().receives_message("user", "what is my balance?").thinks(90)
    played.calls("get_balance", account=7).fails("HTTP 503")
    return play(played.thinks(90, finish_reason="stop").after(1).ends())


def found_out() -> str:
    """Legitimate: the second look-up worked."""
    played = run().receives_message("user", "what is my balance?").thinks(90)
    played.calls("get_balance", account=7).fails("HTTP 503")
    played.calls("get_balance", account=7).returns({"balance": 5})
    return play(played.thinks(90, finish_reason="stop").after(1).ends())


SCENARIOS: Scenarios = {"read in vain": read_in_vain, "found out": found_out}
