"""crashed_run: what is found, and what is legitimate."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.crashed_run import crashed_run
from tests.support.scenario import run


def test_a_run_that_ends_with_an_exception_pages() -> None:
    crashed = run().calls("get_order", id=1).returns("open").ends("KeyError")
    (finding,) = crashed.says(crashed_run)

    assert finding.level is Level.ALARM
    assert finding.summary == "The run ended with KeyError, after get_order."


def test_a_run_that_ends_well_or_goes_on_is_silent() -> None:
    assert run().calls("get_order", id=1).fails("HTTP 404").ends().says(crashed_run) == []
    assert run().calls("get_order", id=1).fails("HTTP 404").says(crashed_run) == []
