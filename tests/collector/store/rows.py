"""Rows as the writer gets them, made from the traffic of whole runs."""

from __future__ import annotations

import random

from aftershock.model import Change, ChangeKind, Finding, Level, Step
from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.decode import decode_logs, decode_traces
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.reading.read import read, read_event
from tests.support.traffic import Traffic, any_runs, log_request, span_request

PROTOBUF = "application/x-protobuf"
DAY = 86_400 * 10**9
NOW = 1_800_000_000 * 10**9
Spans = list[tuple[Span, Step | None]]
Events = list[tuple[LogEvent, Step | None]]


def spans_of(*runs: Traffic) -> Spans:
    body = span_request(span for run in runs for span in run.spans)
    return [(span, read(span, EMPTY)) for span in decode_traces(body, PROTOBUF).items]


def events_of(run: Traffic) -> Events:
    items = decode_logs(log_request(run.started), PROTOBUF).items
    return [(event, step) for event in items if isinstance(step := read_event(event, EMPTY), Step)]


def some_runs(count: int, seed: int = 1) -> list[Traffic]:
    return list(any_runs(random.Random(seed), count))


def change(identity: str = "c1", began: int = NOW, ended: int | None = None) -> Change:
    return Change(identity, ChangeKind.ALERT, "db/orders", "SlowQueries", began, ended)


def finding(run: str = "r1", level: Level = Level.WARN, summary: str = "again") -> Finding:
    return Finding("repeated_action", run, "search", level, NOW, NOW, ("s1",), summary)
