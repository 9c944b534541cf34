"""A day in fast-forward: `python -m tests.bench.day`.

24 hours of a fleet, on a simulated clock: decoded, stored, judged, pruned, with a restart every two
hours. A fleet sends 1,000 spans a second; one in `--sample` of its runs is played, and what is kept
is bounded to as much less. Prints sizes and times of each hour, and whether they stay flat.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from aftershock.policy.policy import EMPTY
from aftershock_collector.engine.engine import Engine
from aftershock_collector.reading.decoder import PROTOBUF, Readers, Signal, decode
from aftershock_collector.service.worker import Worker
from aftershock_collector.sources.requests import Observations
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.telemetry import Telemetry
from tests.support.traffic import EPOCH_NS, any_runs, span_request

SPANS_PER_S = 1_000
HOURS = 24
RESTART_HOURS = 2
KEEP_HOURS = 6  # as a week is to a month: the file is pruned most of the time
SPANS_PER_RUN = 8
TICK_S = 30  # simulated; a live collector ticks twice a second
HOUR_NS = 3_600 * 10**9
GROWTH_MAX = 1.25  # of the last hours over the middle ones


@dataclass(frozen=True)
class Hour:
    """What one simulated hour took."""

    spans: int
    cpu_s: float
    megabytes: float
    file_mb: float
    rows: int
    restart_s: float


class Fleet:
    """One collector's parts, without its servers; restarted as a whole."""

    def __init__(self, folder: Path, sample: int) -> None:
        self.place = folder / "aftershock.db"
        self.bytes_max = 4_000_000_000 // sample
        self.store = SqliteStore.open(self.place)
        self.worker = self._worker()

    def _worker(self) -> Worker:
        self.reader = Reader.open(self.place)
        return Worker(Engine(), self.store, self.reader, Telemetry())

    def restart(self, now_ns: int) -> float:
        """Seconds until it goes on."""
        began_s = time.process_time()
        self.close()
        self.store = SqliteStore.open(self.place)
        self.worker = self._worker()
        self.worker.resume(now_ns)
        return time.process_time() - began_s

    def close(self) -> None:
        self.reader.close()
        self.store.close()

    def receive(self, body: bytes, now_ns: int) -> int:
        batch = decode(body, Signal.TRACES, PROTOBUF, Readers.by(EMPTY), now_ns)
        self.store.append(batch.spans, batch.events, batch.changes, now_ns)
        self.worker.consume(Observations(now_ns, steps=batch.steps))
        return len(batch.spans)

    def prune(self, now_ns: int) -> None:
        while self.store.prune(now_ns - KEEP_HOURS * HOUR_NS, self.bytes_max).more:
            pass


def hours(folder: Path, sample: int) -> Iterator[Hour]:
    dice, process = random.Random(7), psutil.Process()
    fleet = Fleet(folder, sample)
    runs_per_tick = max(1, TICK_S * SPANS_PER_S // SPANS_PER_RUN // sample)
    with closing(fleet):
        for hour in range(HOURS):
            spans, restart_s, began_s = 0, 0.0, time.process_time()
            for tick in range(3_600 // TICK_S):
                now_ns = EPOCH_NS + hour * HOUR_NS + tick * TICK_S * 10**9
                for run in any_runs(dice, runs_per_tick, content=False):
                    shift_ns = now_ns - EPOCH_NS - 20 * 10**9
                    for span in run.spans:
                        span.start_time_unix_nano += shift_ns
                        span.end_time_unix_nano += shift_ns
                    spans += fleet.receive(span_request(run.spans), now_ns)
                fleet.worker.tick(now_ns)
                if tick % 2 == 0:
                    fleet.prune(now_ns)
            cpu_s = time.process_time() - began_s
            if hour % RESTART_HOURS == RESTART_HOURS - 1:
                restart_s = fleet.restart(EPOCH_NS + (hour + 1) * HOUR_NS)
            with Reader.open(fleet.place) as reader:
                rows = sum(reader.counts().values())
            yield Hour(
                spans,
                cpu_s,
                process.memory_info().rss / 1e6,
                fleet.place.stat().st_size / 1e6,
                rows,
                restart_s,
            )


def growth(seen: list[Hour], name: str) -> float:
    """The last quarter over the second one: the first fills what is kept."""
    values = [getattr(hour, name) for hour in seen]
    quarter = len(values) // 4
    middle = statistics.median(values[quarter : 2 * quarter])
    return statistics.median(values[-quarter:]) / middle if middle else 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=200, help="one in so many runs is played")
    sample: int = parser.parse_args().sample
    seen: list[Hour] = []
    with tempfile.TemporaryDirectory() as name:
        for hour in hours(Path(name), sample):
            seen.append(hour)
            print(
                f"hour {len(seen):2}  {hour.spans:7,} spans  {hour.cpu_s / hour.spans * 1e3:5.2f} "
                f"ms a span  {hour.megabytes:4.0f} MB  file {hour.file_mb:5.0f} MB  "
                f"{hour.rows:8,} rows  restart {hour.restart_s:.1f} s",
                flush=True,
            )
    print(f"one in {sample} runs of a fleet with {SPANS_PER_S:,} spans a second; grown by:")
    flat = True
    for measured in ("cpu_s", "megabytes", "file_mb", "rows"):
        times = growth(seen, measured)
        flat = flat and times <= GROWTH_MAX
        print(f"  {measured:10} x{times:.2f}")
    return 0 if flat else 1


if __name__ == "__main__":
    raise SystemExit(main())
