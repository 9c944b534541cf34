"""repeated_action: what a poll may wait for, and what does not come."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock.model import Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import Scenario, run


def levels(polling: Scenario) -> list[Level]:
    return [finding.level for finding in polling.says(repeated_action)]


def searched(error: str, times: int, every_s: float = 600) -> list[Level]:
    looking = run()
    for _ in range(times):
        looking.after(every_s).calls("sftp_stat", path="/drop/prices.csv").fails(error)
    return levels(looking)


@pytest.mark.parametrize(
    "error", ["sftp: stat prices.csv: No such file", "404 Not Found: s3://drop/prices.csv"]
)
def test_what_somebody_else_delivers_may_come_four_hours_late(error: str) -> None:
    assert searched(error, 20) == []
    assert searched(error, 26) == [Level.ALARM]


@pytest.mark.parametrize(
    "error", ["bash: sftp: command not found", "ssh: no such host db-3", "503 try later"]
)
def test_what_is_broken_is_not_delivered(error: str) -> None:
    assert searched(error, 20) == [Level.ALARM]


def test_who_asks_every_few_seconds_waits_as_long_as_for_any_error() -> None:
    assert searched("No such file or directory", 40, every_s=60) == [Level.ALARM]


def polled(begun: tuple[str, Any] | None, answer: Any, times: int = 14) -> list[Level]:
    """Levels of hourly polls of the request A-7, after what was to begin it was answered so."""
    polling = run()
    if begun is not None:
        polling.calls(begun[0], request="A-7").returns(begun[1])
    for _ in range(times):
        polling.after(3_600).calls("read_request", request="A-7").returns(answer)
    return levels(polling)


@pytest.mark.parametrize(
    ("tool", "answer"),
    [
        ("create_request", {"erreur": "groupe sans membre", "id": None}),
        ("submit_job", {"fehler": "Warteschlange gibt es nicht"}),
        ("order_part", "Error: supplier is blocked"),
    ],
)
def test_a_poll_of_what_could_not_be_begun_pages(tool: str, answer: Any) -> None:
    assert polled((tool, answer), {"text": "nothing by that number"}) == [Level.ALARM]


@pytest.mark.parametrize(
    ("tool", "answer"),
    [
        ("create_request", {"id": "A-7", "accepted": True}),
        ("create_request", "Error: request A-7 already exists"),
        ("read_owner", "Error: no owner"),
    ],
)
def test_a_poll_of_what_was_begun_or_was_there_is_patient(tool: str, answer: Any) -> None:
    assert polled((tool, answer), {"text": "nothing by that number"}) == []


def test_a_second_attempt_that_worked_begins_it() -> None:
    polling = run().calls("submit_job", job="j-7").fails("503")
    polling.calls("submit_job", job="j-7").returns({"job": "j-7"})
    for _ in range(14):
        polling.after(3_600).calls("read_job", job="j-7").returns({"node": "n-3"})

    assert levels(polling) == []


@pytest.mark.parametrize(
    ("tool", "answer"),
    [
        ("start_print", {"state": "paused", "reason": "no filament"}),
        ("launch_rollout", "status: on hold\nreason: quota"),
        ("start_oven", {"estado": "en pausa", "motivo": "puerta abierta"}),
    ],
)
def test_what_was_set_going_here_and_stands_still_pages_after_hours(tool: str, answer: Any) -> None:
    assert polled((tool, {"accepted": True}), answer) == [Level.ALARM]
    assert polled((tool, {"accepted": True}), answer, times=5) == []


@pytest.mark.parametrize("begun", [None, ("pause_campaign", {"accepted": True})])
def test_what_is_watched_or_was_paused_on_purpose_may_stand_still(begun: Any) -> None:
    assert polled(begun, {"state": "paused"}) == []


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "processing", "note": "expected at 17:30"},
        "state: queued, starts 2026-03-06",
        {"status": "处理中", "message": "预计18:00到账"},
        {"stato": "in attesa", "nota": "previsto per le 16:45"},
    ],
)
def test_what_says_when_it_will_be_ready_is_waited_for_a_day(answer: Any) -> None:
    assert polled(None, answer, times=16) == []
    assert polled(None, answer, times=27) == [Level.ALARM]


@pytest.mark.parametrize(
    "answer",
    [
        {"状态": "排队中", "原因": "没有可用的节点"},
        {"상태": "대기 중"},
        {"状態": "待機中"},
        "W toku: oczekuje na drukarkę",
        "Zending in behandeling",
    ],
)
def test_work_that_is_pending_in_any_language_pages_after_ten_slow_polls(answer: Any) -> None:
    assert polled(None, answer, times=10) == []
    assert polled(None, answer, times=12) == [Level.ALARM]


def test_a_failure_in_the_same_place_is_none_of_what_is_watched() -> None:
    watching = run().calls("run_deployment", environment="production").fails("quota")
    for _ in range(14):
        watching.after(3_600).calls("list_alerts", environment="production").returns({"n": "none"})

    assert levels(watching) == []


@pytest.mark.parametrize(
    "answer",
    ["7  gpu  train  PD  (DependencyNeverSatisfied)", {"reason": "claim cannot be satisfied"}],
)
def test_what_can_never_be_met_is_pending_for_ever(answer: Any) -> None:
    assert polled(None, answer, times=10) == []
    assert polled(None, answer, times=12) == [Level.ALARM]
