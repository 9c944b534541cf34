"""repeated_action: polls of what is over, goes round, or is being prepared."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import run

TEXTS = {
    "running": "job: r-7\nstate: RUNNING\nprogress: 33%",
    "failed": "job: r-7\nstate: FAILED\nprogress: 33%\nerror: out of memory",
    "done": "job: r-7\nstate: FINISHED\nprogress: 100%",
    "unhealthy": "job: r-7\nhealth: unhealthy\nfailing probes: 2",
}


def polled(*answers: str, every_s: float = 20) -> list[Level]:
    polling = run()
    for answer in answers:
        polling.after(every_s).calls("render_status", job="r-7").returns(TEXTS.get(answer, answer))
    return [finding.level for finding in polling.says(repeated_action)]


def test_polls_of_work_that_was_going_on_and_has_failed_page_at_the_sixth_more() -> None:
    assert polled(*["running"] * 2, *["failed"] * 6) == []
    assert polled(*["running"] * 2, *["failed"] * 7) == [Level.ALARM]


def test_what_has_ended_well_what_may_recover_and_what_had_failed_before_is_only_watched() -> None:
    for answer in ("done", "unhealthy"):
        assert polled("running", *[answer] * 9) == []
    assert polled(*["failed"] * 9) == []
