"""The flush at exit: done, or given up as soon as it makes no progress."""

from __future__ import annotations

import threading

import pytest

from aftershock.recorder.delivery import Outage
from aftershock.recorder.exit_flush import flush_at_exit


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERSHOCK_EXIT_STALL_S", "0.05")


def test_a_flush_that_is_done_is_waited_for() -> None:
    done = threading.Event()

    assert flush_at_exit(done.set, Outage())
    assert done.is_set()


def test_a_flush_that_hangs_is_given_up_and_nothing_more_is_tried() -> None:
    hanging, outage = threading.Event(), Outage()

    assert not flush_at_exit(hanging.wait, outage)
    assert not outage.may_try()
    assert not flush_at_exit(hanging.set, outage)
    assert not hanging.is_set()
    hanging.set()


def test_a_slow_flush_that_makes_progress_is_waited_for() -> None:
    outage, pause = Outage(), threading.Event()

    def slow() -> None:
        for _ in range(20):
            pause.wait(0.02)
            outage.progress += 1

    assert flush_at_exit(slow, outage)
    assert outage.progress == 20


def test_a_flush_that_fails_does_not_stop_the_exit() -> None:
    assert flush_at_exit(lambda: 1 // 0, Outage())
