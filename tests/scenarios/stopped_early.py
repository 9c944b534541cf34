"""stopped_early: runs that a limit ended, that gave no answer, or that claim what failed."""

from __future__ import annotations

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run


def cut() -> str:
    """The token limit cut the last answer."""
    return play(run().thinks(900, finish_reason="length").ends())


def unanswered() -> str:
    """A person asked, and the run ended with a tool call."""
    played = run().receives_message("user", "what is my balance?").thinks(90)
    return play(played.calls("get_balance", account=7).returns({"balance": 5}).ends())


def claimed() -> str:
    """The only write failed, and the answer says that it is done."""
    played = run().calls("set_record", name="www").fails("403 Forbidden: the zone is locked")
    return play(played.thinks(90, text="The record is set.").ends())


def answered() -> str:
    """Legitimate: the last step is an answer."""
    played = run().receives_message("user", "what is my balance?").thinks(90)
    played.calls("get_balance", account=7).returns({"balance": 5})
    return play(played.thinks(90, finish_reason="stop").after(1).ends())


SCENARIOS: Scenarios = {
    "cut": cut,
    "unanswered": unanswered,
    "claimed": claimed,
    "answered": answered,
}
