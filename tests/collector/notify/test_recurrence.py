"""A scheduled job that fails in the same way is paged twice a day, whatever else pages always."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from aftershock.model import Claim, Closing, Report
from aftershock_collector.notify.incident_book import IncidentBook
from aftershock_collector.store.incidents import Incident
from aftershock_collector.store.interface import State
from tests.support import incident

HOUR_S = 3_600.0


def looped(run: int, agent: str = "nightly-report") -> Claim:
    """The loop of one run, told with a number of its own."""
    finding = incident.loop().finding
    name = f"run-{run}"
    return replace(
        incident.loop(),
        finding=replace(
            finding,
            run_id=name,
            trace_id=name,
            agent=agent,
            summary=f"build was called {run + 7} times with the same arguments.",
        ),
    )


def play(book: IncidentBook, claim: Claim, at_s: float) -> Incident:
    """A finding that opens and closes; the incident as it was opened."""
    (opened, *_) = book.apply(Report(incident.at(at_s), opened=(claim,)))
    over = replace(claim, closed_at_ns=incident.at(at_s + 60), closing=Closing.RUN_ENDED)
    book.apply(Report(incident.at(at_s + 60), closed=(over,)))
    assert opened.state is State.OPENED
    return opened.incident


def paged(times_s: Sequence[float]) -> list[bool]:
    """Whether each of the same failures, at these times, reaches a person."""
    book = IncidentBook()
    return [
        play(book, looped(run), at_s).muted is None for run, at_s in enumerate(times_s, start=1)
    ]


def test_a_job_that_fails_each_hour_pages_twice_a_day() -> None:
    found = paged([hour * HOUR_S + (hour % 3) * 40 for hour in range(28)])

    assert found[:2] == [True, True]
    assert not any(found[2:26])
    assert any(found[26:])


@pytest.mark.parametrize(
    "times_s",
    [
        pytest.param([0, 120, 240, 360, 480], id="minutes apart"),
        pytest.param([0, 3_600, 5_000, 5_900, 9_700], id="no schedule"),
        pytest.param([day * 24 * HOUR_S for day in range(5)], id="once a day"),
    ],
)
def test_what_is_no_schedule_pages_each_time(times_s: list[float]) -> None:
    assert all(paged(times_s))


def test_another_agent_is_another_series() -> None:
    book = IncidentBook()
    for run in range(3):
        play(book, looped(run), run * HOUR_S)

    assert play(book, looped(9, agent="other"), 3 * HOUR_S).muted is None
    assert play(book, looped(10), 3 * HOUR_S + 30).muted == (
        "a scheduled job with the same result: incidents 1 and 2 paged within a day"
    )


def test_what_an_agent_did_is_paged_although_its_loop_was_not() -> None:
    book = IncidentBook()
    for run in range(2):
        play(book, looped(run), run * HOUR_S)
    (silent,) = book.apply(Report(incident.at(2 * HOUR_S), opened=(looped(3),)))
    finding = replace(incident.missing_fact().finding, run_id="run-3", trace_id="run-3")
    acted = replace(incident.missing_fact(), finding=finding)
    (loud,) = book.apply(Report(incident.at(2 * HOUR_S + 5), opened=(acted,)))

    assert silent.incident.muted is not None
    assert (loud.state, loud.incident.muted) == (State.OPENED, None)


def test_the_series_outlives_a_restart() -> None:
    before = IncidentBook()
    recent = [play(before, looped(run), run * HOUR_S) for run in range(2)]
    after = IncidentBook()
    after.resume(2, [], recent)

    assert play(after, looped(5), 2 * HOUR_S).muted is not None
