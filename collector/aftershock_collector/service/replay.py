"""Recorded files through the same spine as live traffic, with the data's own time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from aftershock.model import Change, Claim
from aftershock.policy.policy import Policy
from aftershock_collector.engine.baseline import Baseline
from aftershock_collector.engine.engine import Engine
from aftershock_collector.otlp.decode import decode_logs, decode_traces
from aftershock_collector.reading.read import read, read_event
from aftershock_collector.sources.recorded_files import RecordedBody, read_file
from aftershock_collector.sources.requests import Batch, Signal
from aftershock_collector.store.interface import Store

PROTOBUF = "application/x-protobuf"


@dataclass(slots=True)
class Imported:
    """What became of everything in one file."""

    path: Path
    spans: int = 0
    events: int = 0
    known: int = 0  # stored before: importing a file twice adds nothing
    steps: int = 0  # spans and events that are an agent's doing
    dropped: Counter[str] = field(default_factory=Counter[str])  # reason → items
    runs: set[str] = field(default_factory=set[str])
    findings: list[Claim] = field(default_factory=list[Claim])


class Importer:
    """Reads files into a store and judges what they hold. Pages nobody."""

    def __init__(self, store: Store, policy: Policy, now_ns: int) -> None:
        self._store = store
        self._policy = policy
        self._now_ns = now_ns  # our clock, for retention only
        self._baseline = Baseline(policy.limits)  # of all files: what is custom in one is in others

    def take(self, path: Path) -> Imported:
        """Import one file; raises Unreadable or OSError where it cannot be read at all."""
        imported = Imported(path)
        engine = Engine(self._policy, live=False, baseline=self._baseline)
        for batch in read_file(path):
            imported.dropped.update(batch.rejected)
            items = items_of(batch, self._policy)
            imported.dropped.update(items.rejected)
            kept = self._store.append(items.spans, items.events, items.changes, self._now_ns)
            steps = [step for _, step in (*items.spans, *items.events) if step is not None]
            imported.spans += kept.spans
            imported.events += kept.events
            imported.known += kept.duplicates
            imported.steps += len(steps)
            imported.runs |= {step.run_id for step in steps}
            engine.observe(steps)
            if len(engine) >= engine.limits.runs_max:
                self._settle(engine, imported)
                engine = Engine(self._policy, live=False, baseline=self._baseline)
        self._settle(engine, imported)
        return imported

    def _settle(self, engine: Engine, imported: Imported) -> None:
        """A recording is complete: judge it, and let its runs be over."""
        report = engine.complete()
        imported.dropped.update(report.drops)
        found = {claim.finding.id: claim for claim in (*report.opened, *report.closed)}
        imported.findings += found.values()
        self._store.record(report, (), self._now_ns)


def items_of(batch: RecordedBody, policy: Policy) -> Batch:
    """What one request of a file held, with the steps that it is read as."""
    if batch.signal == Signal.TRACES:
        spans = decode_traces(batch.body, PROTOBUF)
        found = [(span, read(span, policy)) for span in spans.items]
        return Batch(spans=found, rejected=spans.rejected)
    if batch.signal == Signal.LOGS:
        events = decode_logs(batch.body, PROTOBUF)
        items = Batch(rejected=events.rejected)
        for event in events.items:
            seen = read_event(event, policy)
            if isinstance(seen, Change):
                items.changes.append(seen)
            elif seen is not None:
                items.events.append((event, seen))
            else:
                items.rejected["log records that say nothing about agents"] += 1
        return items
    if batch.signal:
        return Batch(rejected=Counter({"metrics live in a running collector only": 1}))
    return Batch()
