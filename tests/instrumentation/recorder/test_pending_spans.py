"""Pending spans: one bound, one rule for forks, and everything gone with the export."""

from __future__ import annotations

import os

import pytest
from opentelemetry.sdk.trace import Span, TracerProvider

from aftershock.recorder import pending_spans
from aftershock.recorder.drop_counters import drop_counts
from aftershock.recorder.pending_spans import PendingSpans


def open_span() -> Span:
    span = TracerProvider().get_tracer("tests").start_span("step")
    assert isinstance(span, Span)
    return span


def id_of(span: Span) -> int:
    return span.get_span_context().span_id


@pytest.fixture
def pending() -> PendingSpans:
    made = PendingSpans()
    made.exported_by_us = True
    return made


def test_deferred_attributes_are_computed_once_and_stay_for_the_export(
    pending: PendingSpans,
) -> None:
    span, calls = open_span(), list[int]()
    pending.defer(span, lambda: calls.append(1) or {"size": 12})

    assert calls == []
    assert pending.attributes(id_of(span)) == {"size": 12}
    exported = pending.pop(id_of(span))
    assert exported is not None
    assert exported.known == {"size": 12}
    assert calls == [1]
    assert pending.get(id_of(span)) is None


def test_without_our_exporter_attributes_are_set_at_once_and_nothing_stays() -> None:
    pending, span = PendingSpans(), open_span()
    pending.began(span, beats=True)
    pending.defer(span, lambda: {"size": 12})
    pending.ended(id_of(span))

    assert dict(span.attributes or {}) == {"size": 12}
    assert pending.get(id_of(span)) is None


def test_a_description_that_fails_costs_only_its_own_attributes(pending: PendingSpans) -> None:
    span = open_span()
    pending.defer(span, lambda: {"a": 1 // 0})
    pending.defer(span, lambda: {"b": 2})

    assert pending.attributes(id_of(span)) == {"b": 2}


def test_a_span_is_live_from_its_begin_to_its_end(pending: PendingSpans) -> None:
    span = open_span()
    pending.began(span, beats=True)
    assert pending.live(id_of(span)) is span
    assert pending.due(0.0) == [span]
    pending.ended(id_of(span))

    assert pending.live(id_of(span)) is None
    assert pending.due(0.0) == []


def test_the_oldest_makes_room_and_is_counted(
    pending: PendingSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending_spans, "PENDING_MAX", 3)
    before = drop_counts().get("pending_spans", 0)
    spans = [open_span() for _ in range(5)]
    for span in spans:
        pending.began(span, beats=False)

    assert [pending.live(id_of(span)) for span in spans] == [None, None, *spans[2:]]
    assert drop_counts()["pending_spans"] == before + 2


@pytest.mark.slow
def test_a_forked_child_begins_with_nothing(pending: PendingSpans) -> None:
    span = open_span()
    pending.began(span, beats=True)
    child = os.fork()
    if child == 0:
        os._exit(0 if pending.get(id_of(span)) is None else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert pending.live(id_of(span)) is span
