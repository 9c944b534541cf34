"""One collector's view of all agents: arrivals are counted and logged, live runs are gauged."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry

from aftershock.model import Report, Step
from aftershock_collector.engine.engine import Engine
from aftershock_collector.export.activity_log import encode_steps
from aftershock_collector.export.agent_counters import Counting
from aftershock_collector.export.agent_gauges import AgentGauges
from aftershock_collector.export.first_seen import FirstSeen
from aftershock_collector.impact.fair_shares import Holding, most_of

GAUGES_EVERY_NS = 5_000_000_000  # as often as metrics are scraped where people watch an incident

SendLogs = Callable[[bytes], None]  # sends a serialized ExportLogsServiceRequest


class AgentTelemetry:
    """Metrics and log events about agents. Belongs to the worker thread; any thread may scrape."""

    def __init__(
        self, engine: Engine, registry: CollectorRegistry, send_logs: SendLogs | None = None
    ) -> None:
        self._engine = engine
        self._send_logs = send_logs
        self._first_seen = FirstSeen()
        self._counting = Counting(registry)
        self._gauges = AgentGauges()
        self._gauged_ns = 0
        registry.register(self._gauges)

    def record_steps(self, steps: Iterable[Step], now_ns: int) -> list[Step]:
        """Count and log steps that the engine has just observed; returns those that are new."""
        new_steps = self._first_seen.of(steps, self._engine.window)
        self._counting.count(new_steps, self._engine.policy)
        if self._send_logs is not None:
            logs = encode_steps(new_steps, self._engine.window, now_ns)
            if logs is not None:
                self._send_logs(logs)
        return new_steps

    def record_report(self, report: Report) -> None:
        """Count what a report changed, and renew the gauges every GAUGES_EVERY_NS."""
        self._counting.record(report, self._engine.window)
        if report.now_ns - self._gauged_ns >= GAUGES_EVERY_NS:
            self._gauged_ns = report.now_ns
            self._gauges.update(self._engine.judges(), report.now_ns)

    def dropped(self) -> dict[str, int]:
        """Label sets and findings that found no room since the last call: reason → count."""
        found = dict(self._counting.dropped)
        self._counting.dropped.clear()
        return found

    def most(self) -> Holding | None:
        """Whose label sets found no room since the last call, most of all."""
        lost_by = self._counting.lost_by
        found = most_of((*holder, float(lost)) for holder, lost in lost_by.items())
        lost_by.clear()
        return found
