"""Reports that wait for a store that cannot write: bounded in number and in what they hold."""

from __future__ import annotations

import pytest

from aftershock.model import Change, ChangeKind, Report
from aftershock_collector.notify.notifications import Notified
from aftershock_collector.service import unrecorded
from aftershock_collector.service.unrecorded import Unrecorded, UnrecordedReports


def report(number: int, changes: int) -> Unrecorded:
    change = Change(f"c{number}", ChangeKind.DEPLOY, "service/shop", "v2", began_at_ns=number)
    return Unrecorded(Report(number, changes=(change,) * changes), Notified())


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unrecorded, "REPORTS_MAX", 5)
    monkeypatch.setattr(unrecorded, "ITEMS_MAX", 100)


def test_of_too_many_reports_the_oldest_give_way_and_are_counted() -> None:
    waiting = UnrecordedReports()
    dropped = sum(waiting.append(report(number, 1)) for number in range(8))

    assert (dropped, len(waiting), waiting.oldest.report.now_ns) == (3, 5, 3)


def test_large_reports_give_way_sooner_and_the_newest_stays_however_large() -> None:
    waiting = UnrecordedReports()
    assert [waiting.append(report(number, 40)) for number in range(4)] == [0, 0, 1, 1]
    assert waiting.append(report(9, 500)) == 2

    assert (len(waiting), waiting.oldest.report.now_ns) == (1, 9)
    waiting.popleft()
    assert [waiting.append(report(number, 40)) for number in range(2)] == [0, 0]
