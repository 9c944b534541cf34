"""agent_impact: it scaled, and what it scaled broke; and a day on which nothing broke."""

from __future__ import annotations

import random

from aftershock.policy.policy import Policy
from aftershock_collector.engine.engine import Engine
from aftershock_collector.metrics.series import Family
from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import START_NS, S, run

POLICY = Policy.from_mapping(
    {"tools": {"scale_deployment": {"tier": "provision", "targets": [{"service.name": "{name}"}]}}}
)
HISTORY_S = 900


class Metrics:
    """Errors per second of one service, a point a second: around two, and twelve once it broke."""

    def __init__(self, broken_s: int | None) -> None:
        self.broken_s = broken_s
        self.dice = random.Random(1)
        self.next_s = -HISTORY_S

    def up_to(self, engine: Engine, now_ns: int) -> None:
        while START_NS + self.next_s * S <= now_ns:
            broken = self.broken_s is not None and self.next_s >= self.broken_s
            value = (12.0 if broken else 2.0) + self.dice.uniform(-0.5, 0.5)
            time_ns = START_NS + self.next_s * S
            engine.correlator.series.append(
                "service/checkout", "errors", Family.ERRORS, "{error}/s", time_ns, value
            )
            self.next_s += 1


def scaled(broken_s: int | None) -> str:
    played = run(policy=POLICY).calls("get_deployment", name="checkout").returns("3 replicas")
    played.thinks(500).calls("scale_deployment", name="checkout", replicas=12).returns("scaled")
    for _ in range(8):
        played.after(15).thinks(100)
    metrics = Metrics(broken_s)
    return play(played, engine=Engine(POLICY, observation_window_s=120.0), between=metrics.up_to)


def broke() -> str:
    return scaled(broken_s=20)


def harmless() -> str:
    """The same action, and nothing happens."""
    return scaled(broken_s=None)


SCENARIOS: Scenarios = {"errors after scaling": broke, "nothing after scaling": harmless}
