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


FLAPPING = ("Active: activating", "Active: active (running)", "Active: failed (exit-code)")


def test_what_fails_and_is_begun_anew_while_it_is_polled_pages_after_a_quarter_of_an_hour() -> None:
    def flapping(rounds: int, *, every_s: float, ends: str = FLAPPING[2]) -> list[Level]:
        shown = [
            f"{state} pid {2_000 + turn * 7}, restart {turn}"
            for turn in range(rounds)
            for state in (*FLAPPING[:2], ends)
        ]
        return polled(*shown, every_s=every_s)

    assert flapping(4, every_s=100) == []
    assert flapping(11, every_s=28) == [Level.ALARM]
    assert flapping(11, every_s=28, ends="Active: deactivating") == []
    assert flapping(12, every_s=3_600) == []  # a watch over jobs of which each third fails


def test_who_restarts_it_in_between_does_not_wait() -> None:
    restarting = run()
    for turn in range(11):
        restarting.after(60).calls("restart_service", name="ingest").returns(f"pid {turn}")
        for state in FLAPPING:
            restarting.after(28).calls("get_service", name="ingest").returns(f"{state} {turn}")

    assert not [f for f in restarting.says(repeated_action) if "begun anew" in f.summary]


def test_a_clock_in_xml_is_no_progress() -> None:
    queued = [
        f"<item><timestamp>{1_000 * second}</timestamp><why>Waiting for an executor</why></item>"
        for second in range(0, 1_400, 45)
    ]
    assert polled(*queued, every_s=44) == [Level.ALARM]
    done = [f"<item><built>{number}</built><why>Building</why></item>" for number in range(30)]
    assert polled(*done, every_s=44) == []
