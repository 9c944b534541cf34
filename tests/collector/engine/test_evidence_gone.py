"""What decided an attribution is gone: weaker evidence that is left over takes nothing back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftershock.model import Change, ChangeKind, Impact
from aftershock_collector.engine.evidence import is_unmeasured
from tests.support import incident

KNOWN = incident.impact()
LATER_NS = KNOWN.judged_at_ns + 60 * incident.S


def newest(*, metric: str, until_ns: int, probability: float | None = 0.3) -> Impact:
    """A later attribution with one chart, which is not sure any more."""
    chart = replace(KNOWN.charts[0], metric=metric, times_ns=(until_ns,), values=(1.0,))
    return replace(KNOWN, probability=probability, charts=(chart,), judged_at_ns=LATER_NS)


def test_a_service_that_is_gone_with_its_series_takes_nothing_back() -> None:
    assert KNOWN.change is not None
    alert = Change("a", ChangeKind.ALERT, KNOWN.entity, "ServiceErrorRatio", LATER_NS)
    left = newest(metric="ServiceErrorRatio", until_ns=LATER_NS)

    assert is_unmeasured(KNOWN, replace(left, change=alert))
    assert is_unmeasured(KNOWN, newest(metric=KNOWN.change.name, until_ns=KNOWN.judged_at_ns))
    assert is_unmeasured(KNOWN, newest(metric="x", until_ns=LATER_NS, probability=None))


def test_newer_points_of_what_decided_do_contradict() -> None:
    assert KNOWN.change is not None

    assert not is_unmeasured(KNOWN, newest(metric=KNOWN.change.name, until_ns=LATER_NS))


@pytest.mark.parametrize("kind", [ChangeKind.ALERT, ChangeKind.WARNING])
def test_what_an_event_decided_has_no_series_to_wait_for(kind: ChangeKind) -> None:
    assert KNOWN.change is not None
    known = replace(KNOWN, change=replace(KNOWN.change, kind=kind))

    assert not is_unmeasured(known, newest(metric="x", until_ns=LATER_NS))
