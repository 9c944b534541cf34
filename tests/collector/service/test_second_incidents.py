"""Twenty agents that break a service, and break it again ten minutes later: forty pages."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from aftershock.model import Closing
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.engine.engine import Engine
from aftershock_collector.notify.notifications import Notifications, Settings
from aftershock_collector.otlp.decode import decode_traces
from aftershock_collector.reading.decoder import PROTOBUF
from aftershock_collector.reading.read import read
from aftershock_collector.service.worker import Worker
from aftershock_collector.sources.requests import Observations
from aftershock_collector.store.incidents import Incident
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.telemetry import Telemetry
from tests.collector.service.test_restart import METRICS, POLICY, S, at
from tests.support.traffic import Agent, span_request

pytestmark = pytest.mark.slow

STEP_S = 10.0
FIRST_S, SECOND_S = 1_200.0, 1_800.0  # the actions
LASTS_S = 240.0  # until somebody has repaired it
END_S = 2_200.0


class Night:
    """One agent, one shop, one collector with a webhook."""

    def __init__(self, home: Path, seed: int) -> None:
        self.dice = np.random.default_rng(seed)
        self.seed = seed
        self.store = SqliteStore.open(home / "aftershock.db")
        self.reader = Reader.open(home / "aftershock.db")
        on_call = OnCall(webhook_url="http://127.0.0.1:9/page")
        self.worker = Worker(
            Engine(POLICY), self.store, self.reader, Telemetry(), Notifications(Settings(on_call))
        )
        self.worker.resume(at(0.0))

    def play(self) -> list[Incident]:
        """Both incidents; returns what became of them."""
        factor = self.dice.uniform(4.0, 9.0)
        seconds = 0.0
        while seconds < END_S:
            for began_s in (FIRST_S, SECOND_S):
                if began_s <= seconds < began_s + STEP_S:
                    self.act(began_s)
            since_s = [seconds - began_s for began_s in (FIRST_S, SECOND_S)]
            is_broken = any(5 < one < LASTS_S for one in since_s)
            for entity, metric, family, unit, usual, spread in METRICS:
                value = abs(usual + spread * float(self.dice.standard_normal()))
                value *= factor if is_broken and entity == "service/checkout" else 1.0
                series = self.worker.engine.correlator.series
                series.append(entity, metric, family, unit, at(seconds), value)
            self.worker.tick(at(seconds) + S)
            seconds += STEP_S
        return self.reader.incidents()

    def act(self, seconds: float) -> None:
        """The agent scales checkout, in a run of its own."""
        dice = random.Random(self.seed * 10_000 + int(seconds))
        agent = Agent(dice, "sre-bot", began_ns=at(seconds))
        agent.call("scale", {"replicas": 12}, "scaled")
        spans = decode_traces(span_request(agent.traffic.spans), PROTOBUF).items
        steps = [read(span, POLICY) for span in spans]
        arrived_ns = at(seconds + 2)
        self.store.append(list(zip(spans, steps, strict=True)), [], [], arrived_ns)
        found = [step for step in steps if step is not None]
        self.worker.consume(Observations(arrived_ns, steps=found))

    def opened(self) -> list[int | None]:
        """Incidents whose page was queued for the webhook."""
        due = SqliteOutbox(self.store).due(at(END_S + 100), limit=1_000, receiver="webhook")
        return [one.incident for one in due if one.state == "opened"]


@pytest.mark.parametrize("seed", range(20))
def test_the_second_incident_of_an_agent_is_an_incident_and_a_page_of_its_own(
    tmp_path: Path, seed: int
) -> None:
    night = Night(tmp_path, seed)
    incidents = night.play()
    claims = [claim for one in incidents for claim in night.reader.claims_of(one.number)]

    assert sorted(one.number for one in incidents) == [1, 2]
    assert sorted(night.opened(), key=str) == [1, 2]
    unseen = {Closing.ACKNOWLEDGED, Closing.EXPIRED, Closing.FEEDBACK}
    assert {claim.closing for claim in claims} - {None} <= unseen
