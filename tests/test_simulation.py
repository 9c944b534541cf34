"""Seeded chaos on the way from the agents to the collector: the findings stay the same.

Everything is real but the network and the clock: OTLP bytes, the reader, a SQLite file, the
engine. The network shuffles, duplicates and delays; the collector is restarted in between.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aftershock.model import Claim, Closing
from aftershock_collector.engine.engine import Engine
from aftershock_collector.reading.decoder import PROTOBUF, Signal, decode
from aftershock_collector.service.worker import Worker
from aftershock_collector.sources.requests import Observations
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.telemetry import Telemetry
from tests.support.traffic import EPOCH_NS, SECOND, Traffic, any_runs, log_request, span_request

Body = tuple[str, bytes]  # signal, request


class World:
    """One collector on one file, that can be pulled down and put up again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now_ns = EPOCH_NS
        self.up()

    def up(self) -> None:
        self.store = SqliteStore.open(self.path)
        self.reader = Reader.open(self.path)
        self.judging = Worker(Engine(), self.store, self.reader, Telemetry())
        self.judging.resume(self.now_ns)

    def restart(self) -> None:
        self.reader.close()
        self.store.close()
        self.up()

    def receive(self, signal: str, body: bytes) -> None:
        batch = decode(body, Signal(signal), PROTOBUF, self.judging.readers(""), self.now_ns)
        assert batch.failures == []
        self.store.append(batch.spans, batch.events, batch.changes, self.now_ns)
        self.judging.consume(
            Observations(
                arrived_ns=self.now_ns,
                sender="simulation",
                steps=batch.steps,
                changes=batch.changes,
                samples=batch.samples,
            )
        )

    def tick(self, seconds: float = 0.5) -> None:
        self.now_ns += int(seconds * SECOND)
        self.judging.tick(self.now_ns)

    def truths(self) -> set[tuple[str, str, str]]:
        """Every finding that was ever true and was not taken back: run, kind, level."""
        return {truth_of(claim) for claim in self.reader.claims() if standing(claim)}


def standing(claim: Claim) -> bool:
    return claim.closing is not Closing.RETRACTED and claim.finding.kind != "stalled_run"


def truth_of(claim: Claim) -> tuple[str, str, str]:
    finding = claim.finding
    return finding.run_id, finding.kind, finding.level.value


def batches(dice: random.Random, runs: Sequence[Traffic]) -> Iterator[Body]:
    """What the runs send, cut into requests of random size."""
    spans: list[Span] = [span for run in runs for span in run.spans]
    started = [record for run in runs for record in run.started]
    while spans:
        size = dice.randrange(1, 40)
        yield "traces", span_request(spans[:size])
        spans = spans[size:]
    while started:
        size = dice.randrange(1, 40)
        yield "logs", log_request(started[:size])
        started = started[size:]


def in_order(path: Path, runs: Sequence[Traffic]) -> set[tuple[str, str, str]]:
    world = World(path)
    for run in runs:
        world.receive("logs", log_request(run.started))
        world.receive("traces", span_request(run.spans))
        world.tick()
    world.tick()
    return world.truths()


@pytest.mark.parametrize("seed", range(8))
def test_shuffled_duplicated_and_delayed_spans_tell_the_same_story_across_restarts(
    seed: int, tmp_path: Path
) -> None:
    dice = random.Random(seed)
    runs = list(any_runs(dice, 12))
    expected = in_order(tmp_path / "calm.db", runs)
    requests = list(batches(dice, runs))
    requests += dice.sample(requests, len(requests) // 3)
    dice.shuffle(requests)
    world = World(tmp_path / "rough.db")
    for signal, body in requests:
        world.receive(signal, body)
        if dice.random() < 0.5:
            world.tick()
        if dice.random() < 0.1:
            world.restart()
    world.tick()

    assert expected, f"seed {seed}: nothing to find, so nothing was tested"
    assert expected == world.truths(), f"seed {seed}"


@pytest.mark.parametrize("seed", range(4))
def test_lost_requests_lose_findings_and_invent_none(seed: int, tmp_path: Path) -> None:
    """Spans that never arrive can hide a loop; they must not make one of a healthy run."""
    dice = random.Random(100 + seed)
    runs = list(any_runs(dice, 12))
    expected = in_order(tmp_path / "calm.db", runs)
    world = World(tmp_path / "lossy.db")
    for signal, body in batches(dice, runs):
        if signal == "traces" and dice.random() < 0.2:
            continue
        world.receive(signal, body)
        world.tick()

    blamed = {run for run, _, level in world.truths() if level == "alarm"}
    assert blamed <= {run for run, _, level in expected if level == "alarm"}, f"seed {seed}"


def test_receiving_everything_a_second_time_changes_nothing(tmp_path: Path) -> None:
    dice = random.Random(5)
    runs = list(any_runs(dice, 6))
    world = World(tmp_path / "twice.db")
    requests = list(batches(dice, runs))
    for signal, body in requests:
        world.receive(signal, body)
    world.tick()
    before = world.reader.claims()
    counts = world.reader.counts()
    for signal, body in requests:
        world.receive(signal, body)
    world.tick()

    assert before == world.reader.claims()
    assert counts == world.reader.counts()


@pytest.mark.slow
def test_a_run_of_ten_thousand_spans_is_judged_in_a_bounded_window(tmp_path: Path) -> None:
    dice = random.Random(7)
    world = World(tmp_path / "long.db")
    runs = list(any_runs(dice, 700))
    one = Traffic("one")
    for run in runs:
        for span in run.spans[:-1]:
            span.trace_id = runs[0].spans[0].trace_id
            for pair in span.attributes:
                if pair.key == "aftershock.run.id":
                    pair.value.string_value = "one"
            one.spans.append(span)
    for start in range(0, len(one.spans), 512):
        world.receive("traces", span_request(one.spans[start : start + 512]))
        world.tick()
    run = world.judging.engine.run("one", world.now_ns)

    assert len(one.spans) > 10_000 - 3_000
    assert run is not None
    assert len(run.steps) == world.judging.engine.limits.run_steps_max
    assert len(run.steps) + run.dropped_steps == len(one.spans)
    assert any(kind == "repeated_action" for _, kind, _ in world.truths())
