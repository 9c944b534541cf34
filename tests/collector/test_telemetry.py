"""What the collector says about itself: counted always, logged once."""

from __future__ import annotations

import logging

import pytest

from aftershock.model import Claim, Closing, Finding, Level, Report
from aftershock_collector.telemetry import Telemetry

NOW = 10**18


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value(f"aftershock_{name}", labels)


def test_drops_are_counted_by_reason_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = Telemetry()
    for _ in range(100):
        telemetry.drop({"runs_full": 2})
    telemetry.drop({"changes_full": 1})

    assert value(telemetry, "dropped_total", reason="runs_full") == 200
    assert len(caplog.records) == 2


def test_what_was_not_said_is_said_with_the_next_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry = Telemetry()
    for _ in range(3):
        telemetry.store_unavailable("full", "database or disk is full")
    monkeypatch.setattr("aftershock_collector.telemetry.LOG_EVERY_S", 0.0)
    telemetry.store_unavailable("full", "database or disk is full")
    telemetry.store_recovered(2.5)

    assert [record.getMessage() for record in caplog.records] == [
        "the store cannot write (full): database or disk is full",
        "the store cannot write (full): database or disk is full (2 more since)",
        "the store writes again after 2.5 s",
    ]
    assert value(telemetry, "store_errors_total", reason="full") == 4
    assert value(telemetry, "store_writable") == 1


def test_what_was_found_is_a_line_and_a_flood_of_it_is_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    claims = [
        Claim(
            Finding(
                kind="repeated_action", run_id="4c1af5ffb743", subject=f"restart/{place}",
                level=level, began_at_ns=NOW, as_of_ns=NOW, evidence=("a",), agent="sre-\x1b[1mbot",
                summary="restart was called 4 times with the same arguments.",
            ),
            opened_at_ns=NOW,
        )
        for place in range(50)
        for level in (Level.WARN, Level.ALARM)
    ]  # fmt: skip

    Telemetry().concluded(Report(NOW, opened=tuple(claims)), runs=1, series=0)

    words = "repeated_action of sre- [1mbot, run 4c1af5ff: restart was called 4 times"
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.INFO, f"found warn {words} with the same arguments."),
        (logging.WARNING, f"found alarm {words} with the same arguments."),
    ]


def test_our_own_errors_are_counted_and_logged_whole(
    caplog: pytest.LogCaptureFixture,
) -> None:
    telemetry = Telemetry()
    for _ in range(5):
        telemetry.failed("judge", RuntimeError("our bug"))

    assert value(telemetry, "failures_total", place="judge") == 5
    (record,) = caplog.records
    assert (logging.ERROR, "our bug") == (
        record.levelno,
        str(record.exc_info and record.exc_info[1]),
    )


def test_what_is_left_out_by_design_is_no_loss_and_warns_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    telemetry = Telemetry()

    telemetry.drop({"metric_not_measured": 3})

    assert value(telemetry, "set_aside_total", reason="metric_not_measured") == 3
    assert value(telemetry, "dropped_total", reason="metric_not_measured") is None
    assert caplog.records == []


def test_findings_are_counted_by_kind_as_they_close() -> None:
    telemetry = Telemetry()
    finding = Finding("action_cycle", "r", "s", Level.ALARM, NOW, NOW, ("a",), "in a circle")
    closed = Claim(finding, NOW, NOW, Closing.RUN_ENDED)
    telemetry.concluded(Report(NOW, (), (), (closed,), (), {"runs_full": 1}), 7, 9)

    assert value(telemetry, "findings_closed_total", kind="action_cycle", reason="run_ended") == 1
    assert value(telemetry, "dropped_total", reason="runs_full") == 1
    assert (7, 9) == (value(telemetry, "runs_live"), value(telemetry, "series_live"))


def test_two_collectors_in_one_process_keep_their_own_counts() -> None:
    first, second = Telemetry(), Telemetry()
    first.drop({"x": 1})

    assert value(second, "dropped_total", reason="x") is None
    assert b"aftershock_dropped_total" in first.exposition()[0]
