"""stalled_run: silence counts only where signs of life were to be expected."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.stalled_run import stalled_run
from tests.support.scenario import run


def test_a_call_that_began_and_never_ended_alarms() -> None:
    hung = run().thinks().calls("run_migration").after(121)
    (finding,) = hung.says(stalled_run)

    assert finding.level == Level.ALARM
    assert finding.evidence == ("span-001",)
    assert finding.summary == (
        "run_migration was started, and there has been no sign of life for 2 min."
    )


def test_silence_shorter_than_the_limit_is_fine() -> None:
    assert run().calls("run_migration").after(100).says(stalled_run) == []


def test_a_heartbeat_is_a_sign_of_life() -> None:
    assert run().calls("run_migration").after(100).heartbeat().after(100).says(stalled_run) == []


def test_silence_after_heartbeats_alarms_even_between_steps() -> None:
    assert len(run().thinks().after(30).heartbeat().after(121).says(stalled_run)) == 1


def test_a_run_of_which_only_ends_are_known_may_be_over() -> None:
    assert run().thinks().after(9_999).says(stalled_run) == []


def test_a_run_that_is_over_does_not_stall() -> None:
    assert run().calls("run_migration").ends().after(9_999).says(stalled_run) == []


def test_a_run_without_steps_says_nothing() -> None:
    assert run().after(9_999).says(stalled_run) == []


def test_who_waits_for_a_person_is_not_stalled_until_its_heartbeats_end() -> None:
    parked = run().thinks().asks("drop_table").after(9_999)
    dead = run().thinks().asks("drop_table").after(60).heartbeat().after(121)

    assert parked.says(stalled_run) == []
    (finding,) = dead.says(stalled_run)
    assert finding.summary.startswith("an approval of drop_table was asked for, and there has been")
