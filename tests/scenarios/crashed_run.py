"""crashed_run: a run that ends with an exception."""

from __future__ import annotations

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run


def crashed() -> str:
    """The agent's own code raises after a call."""
    return play(run().calls("get_order", id="A1").returns({"state": "open"}).ends("KeyError"))


def ended() -> str:
    """Legitimate: a tool failed and the run ended well."""
    return play(run().calls("get_order", id="A1").fails("HTTP 404").thinks(90).ends())


SCENARIOS: Scenarios = {"it ends with an exception": crashed, "it ends well": ended}
