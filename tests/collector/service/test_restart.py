"""A collector that is killed at any moment of an incident takes nothing back."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from aftershock.model import Claim, Closing, Level
from aftershock.policy.policy import Policy
from aftershock_collector.engine.engine import Engine
from aftershock_collector.metrics.series import Family
from aftershock_collector.otlp.decode import decode_traces
from aftershock_collector.reading.decoder import PROTOBUF
from aftershock_collector.reading.read import read
from aftershock_collector.service.worker import Worker
from aftershock_collector.sources.requests import Observations
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.telemetry import Telemetry
from tests.support.traffic import Agent, span_request

S = 10**9
T0 = 1_790_000_000 * S
ACTED_S = 1_200.0
STEP_S = 10.0
POLICY = Policy.from_mapping(
    {"tools": {"scale": {"tier": "provision", "targets": [{"service.name": "checkout"}]}}}
)
METRICS = (
    ("service/checkout", "duration p99", Family.LATENCY, "s", 0.2, 0.02),
    ("service/checkout", "errors", Family.ERRORS, "1", 0.002, 0.001),
    ("service/catalog", "duration p99", Family.LATENCY, "s", 0.2, 0.02),
)


class Collector:
    """The judging part of a collector on a real store; `kill` leaves everything as it is."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.dice = np.random.default_rng(3)
        self.kill(0.0)

    def kill(self, seconds: float) -> None:
        """Another process begins, with nothing but what the store has."""
        self.store = SqliteStore.open(self.home / "aftershock.db")
        self.reader = Reader.open(self.home / "aftershock.db")
        self.worker = Worker(Engine(POLICY), self.store, self.reader, Telemetry())
        self.worker.resume(at(seconds))

    def play(self, began_s: float, until_s: float) -> None:
        """Series arrive and the collector judges; checkout breaks after the action."""
        seconds = began_s
        while seconds < until_s:
            for entity, metric, family, unit, usual, spread in METRICS:
                value = usual + spread * float(self.dice.standard_normal())
                is_broken = entity == "service/checkout" and seconds > ACTED_S + 5
                factor = 6.0 if is_broken else 1.0
                series = self.worker.engine.correlator.series
                series.append(entity, metric, family, unit, at(seconds), abs(value) * factor)
            self.worker.tick(at(seconds) + S)
            seconds += STEP_S

    def act(self) -> None:
        """The agent scales checkout."""
        agent = Agent(random.Random(5), "sre-bot", began_ns=at(ACTED_S))
        agent.call("scale", {"replicas": 12}, "scaled")
        spans = decode_traces(span_request(agent.traffic.spans), PROTOBUF).items
        steps = [read(span, POLICY) for span in spans]
        arrived_ns = at(ACTED_S + 2)
        self.store.append(list(zip(spans, steps, strict=True)), [], [], arrived_ns)
        found = [step for step in steps if step is not None]
        self.worker.consume(Observations(arrived_ns, steps=found))

    def impacts(self) -> list[Claim]:
        with Reader.open(self.home / "aftershock.db") as reader:
            return [claim for claim in reader.claims() if claim.finding.kind == "agent_impact"]


def at(seconds: float) -> int:
    return T0 + int(seconds * S)


@pytest.mark.parametrize("killed_s", [5, 15, 25, 35, 45, 65, 95, 155, 245, 395])
def test_a_collector_killed_at_any_moment_of_an_incident_withdraws_nothing(
    tmp_path: Path, killed_s: int
) -> None:
    collector = Collector(tmp_path)
    collector.play(0.0, ACTED_S)
    collector.act()
    collector.play(ACTED_S, ACTED_S + killed_s)
    before = collector.impacts()
    collector.kill(ACTED_S + killed_s)
    collector.play(ACTED_S + killed_s + 4, ACTED_S + killed_s + 400)
    (claim,) = collector.impacts()

    assert (claim.finding.level, claim.closing) == (Level.ALARM, None)
    assert claim.finding.impact is not None
    assert claim.finding.impact.entity == "service/checkout"
    assert [(c.finding.id, c.opened_at_ns) for c in before] in (
        [], [(claim.finding.id, claim.opened_at_ns)],
    )  # fmt: skip


def test_without_any_series_after_the_restart_the_attribution_stands(tmp_path: Path) -> None:
    collector = Collector(tmp_path)
    collector.play(0.0, ACTED_S)
    collector.act()
    collector.play(ACTED_S, ACTED_S + 300)
    (before,) = collector.impacts()
    collector.kill(ACTED_S + 300)
    for tick in range(400):
        collector.worker.tick(at(ACTED_S + 300 + 2 * tick))
    (after,) = collector.impacts()

    assert (before.finding.level, after.closing) == (Level.ALARM, None)
    assert after.closing is not Closing.CONTRADICTED
    assert after.finding.impact is not None
    assert after.finding.impact.charts
