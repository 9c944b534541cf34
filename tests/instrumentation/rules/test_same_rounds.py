"""Rounds that end in the same failure after the same calls, and rounds that repair something."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import Scenario, run


def levels(played: Scenario) -> set[Level]:
    found = played.says(repeated_action)
    return {finding.level for finding in found if "each time after the same" in finding.summary}


def upgrading(times: int, *, patched: bool = False, pause_s: float = 0) -> Scenario:
    upgrading = run()
    for number in range(times):
        upgrading.after(pause_s).calls("helm_upgrade", chart="search", version="2.9")
        upgrading.fails("UPGRADE FAILED: image cannot be pulled")
        if number < times - 1:
            upgrading.calls("helm_rollback", chart="search", revision=12).returns("ok")
            if patched:
                upgrading.calls("edit_file", path="values.yaml", line=number).returns("saved")
    return upgrading


def test_an_upgrade_that_fails_after_each_rollback_pages_the_fifth_time() -> None:
    assert levels(upgrading(3)) == set()
    assert levels(upgrading(4)) == {Level.WARN}
    assert levels(upgrading(5)) == {Level.ALARM}


def test_rounds_with_another_repair_each_are_no_repetition() -> None:
    assert levels(upgrading(6, patched=True)) == set()


def test_who_pauses_for_long_may_wait_for_a_repair_by_others() -> None:
    assert levels(upgrading(6, pause_s=600)) == set()


def converting(rounds: int) -> Scenario:
    converting = run()
    for _ in range(rounds):
        for number in range(11):
            converting.calls("convert_file", path=f"{number}.wav").returns({"written": number})
        converting.calls("convert_file", path="11.wav").fails("Invalid data found")
    return converting


def test_a_batch_that_begins_anew_after_each_failure_pages_the_third_time() -> None:
    assert levels(converting(1)) == set()
    assert levels(converting(2)) == set()
    assert levels(converting(3)) == {Level.ALARM}
