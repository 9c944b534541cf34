"""Recorded runs through the product's own import path: bytes → spans → steps → findings."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aftershock.model import Finding, Step
from aftershock.policy.policy import EMPTY, Policy
from aftershock_collector.engine.engine import Engine
from aftershock_collector.reading.decoder import PROTOBUF, Readers, Signal, decode
from aftershock_collector.reading.dialects.neutral import traces_of

ROOT = Path(__file__).parents[2]


def data_folder() -> Path:
    """Where the recordings lie."""
    return Path(os.environ.get("AFTERSHOCK_EVAL_DATA") or ROOT.parent / "shared" / "data")


def load(name: str) -> list[dict[str, Any]]:
    """Every record of one file of `traces/`."""
    with gzip.open(data_folder() / "traces" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def steps_of(record: dict[str, Any], policy: Policy = EMPTY) -> list[Step]:
    """A record's steps, read as an import reads them, in the order of the record."""
    body = traces_of(record).body
    return decode(body, Signal.TRACES, PROTOBUF, Readers.by(policy), arrived_ns=0).steps


@dataclass(frozen=True, slots=True)
class Judged:
    """One recorded run, and after each of its steps the findings that became true or grew."""

    record: dict[str, Any]
    steps: tuple[Step, ...]
    found: tuple[tuple[Finding, ...], ...]

    @property
    def labels(self) -> dict[str, Any]:
        """What people said of the run."""
        return self.record["labels"]

    def findings(self, kinds: Sequence[str]) -> Iterator[tuple[int, Finding]]:
        """Findings of some kinds with the place of the step after which they were reported."""
        for place, found in enumerate(self.found):
            for finding in found:
                if finding.kind in kinds:
                    yield place, finding


def judge_record(
    record: dict[str, Any], policy: Policy = EMPTY, steps: Sequence[Step] | None = None
) -> Judged:
    """Give a record's steps to the engine one by one, as a live run would."""
    given = tuple(steps_of(record, policy) if steps is None else steps)
    engine = Engine(policy, live=False)
    found: list[tuple[Finding, ...]] = []
    for step in given:
        engine.observe([step])
        report = engine.conclude(step.last_ns)
        found.append(tuple(claim.finding for claim in (*report.opened, *report.updated)))
    return Judged(record, given, tuple(found))
