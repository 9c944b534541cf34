"""One collector's view of all agents: what arrives is counted and narrated, what lives surveyed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry

from aftershock.model import Report, Step
from aftershock_collector.engine.engine import Engine
from aftershock_collector.export.activity_log import narrate
from aftershock_collector.export.agent_counters import Counting
from aftershock_collector.export.agent_gauges import AgentGauges
from aftershock_collector.export.first_seen import FirstSeen

SURVEY_EVERY_NS = 5_000_000_000  # as often as metrics are scraped where people watch an incident

Hear = Callable[[bytes], None]  # takes OTLP logs


class AgentTelemetry:
    """Belongs to the thread that judges; only scrapes come from another one."""

    def __init__(
        self, engine: Engine, registry: CollectorRegistry, hear: Hear | None = None
    ) -> None:
        self._engine = engine
        self._hear = hear
        self._firsts = FirstSeen()
        self._counting = Counting(registry)
        self._survey = AgentGauges()
        self._surveyed_ns = 0
        registry.register(self._survey)

    def saw(self, steps: Iterable[Step], now_ns: int) -> list[Step]:
        """Steps that the engine has just taken in; returns those that were not there before."""
        firsts = self._firsts.of(steps, self._engine.window)
        self._counting.count(firsts, self._engine.policy)
        if self._hear is not None:
            told = narrate(firsts, self._engine.window, now_ns)
            if told is not None:
                self._hear(told)
        return firsts

    def concluded(self, report: Report) -> None:
        """The engine has judged."""
        self._counting.note(report, self._engine.window)
        if report.now_ns - self._surveyed_ns >= SURVEY_EVERY_NS:
            self._surveyed_ns = report.now_ns
            self._survey.take(self._engine.judges(), report.now_ns)

    def dropped(self) -> dict[str, int]:
        """What found no room since the last time, by reason."""
        told = dict(self._counting.dropped)
        self._counting.dropped.clear()
        return told
