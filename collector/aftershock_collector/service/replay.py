"""Recorded files through the same spine as live traffic, with the data's own time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from aftershock.model import Claim
from aftershock.policy.policy import Policy
from aftershock_collector.engine.baseline import Baseline
from aftershock_collector.engine.engine import Engine
from aftershock_collector.reading.decoder import PROTOBUF, Batch, Readers, Signal, decode
from aftershock_collector.sources.recorded_files import RecordedBody, read_file
from aftershock_collector.store.interface import Store


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
    """Reads files into a store and judges what they hold. Sends no pages."""

    def __init__(self, store: Store, policy: Policy, now_ns: int) -> None:
        self._store = store
        self._policy = policy
        self._now_ns = now_ns  # our clock, for retention only
        self._baseline = Baseline(
            policy.limits
        )  # of all files: what is usual in one file is usual in all

    def read(self, path: Path) -> Imported:
        """Import one file; raises Unreadable or OSError where it cannot be read at all."""
        imported = Imported(path)
        engine = Engine(self._policy, live=False, baseline=self._baseline)
        for batch in read_file(path):
            imported.dropped.update(batch.rejected)
            items = decode_recorded(batch, self._policy, self._now_ns)
            imported.dropped.update(items.rejected)
            kept = self._store.append(items.spans, items.events, items.changes, self._now_ns)
            steps = items.steps
            imported.spans += kept.spans
            imported.events += kept.events
            imported.known += kept.duplicates
            imported.steps += len(steps)
            imported.runs |= {step.run_id for step in steps}
            engine.observe(steps)
            if engine.is_full:
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


def decode_recorded(recorded: RecordedBody, policy: Policy, now_ns: int) -> Batch:
    """What one request of a file held. Metrics are not kept: they live in a running collector."""
    if not recorded.signal:
        return Batch()
    signal = Signal(recorded.signal)
    if signal is Signal.METRICS:
        return Batch(rejected=Counter({"metrics live in a running collector only": 1}))
    batch = decode(recorded.body, signal, PROTOBUF, Readers.by(policy), now_ns)
    if batch.passed_over:
        batch.rejected["records that say nothing about agents"] += batch.passed_over
    return batch
