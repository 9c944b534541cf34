"""Recorded files that the tests read, and what is found in one."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from aftershock.model import Step
from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.decode import decode_logs, decode_traces
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.reading.read import read
from aftershock_collector.sources.recorded_files import PROTOBUF, read_file

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data"


class Found(NamedTuple):
    spans: list[Span]
    logs: list[LogEvent]
    lost: Counter[str]

    @property
    def steps(self) -> list[Step]:
        return [step for span in self.spans if (step := read(span, EMPTY)) is not None]


def found_in(path: Path) -> Found:
    """Everything a file holds, decoded as the service would."""
    found = Found([], [], Counter())
    for batch in read_file(path):
        found.lost.update(batch.rejected)
        if batch.signal == "traces":
            decoded = decode_traces(batch.body, PROTOBUF)
            found.spans.extend(decoded.items)
            found.lost.update(decoded.rejected)
        elif batch.signal == "logs":
            logs = decode_logs(batch.body, PROTOBUF)
            found.logs.extend(logs.items)
            found.lost.update(logs.rejected)
    return found


def write(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def recorded(*steps: Any) -> dict[str, Any]:
    return {"id": "run-1", "steps": list(steps)}
