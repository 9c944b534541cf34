"""Alerts and recording rules → Prometheus' rule files; links are derived, never typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class Severity(StrEnum):
    """Who is notified."""

    CRITICAL = "critical"  # pages somebody now
    WARNING = "warning"  # a message in working hours
    INFO = "info"  # shown on dashboards only
    NONE = "none"  # proves that the path from rule to receiver works


class Team(StrEnum):
    """Who owns it."""

    AGENTS = "agents"
    PLATFORM = "platform"
    INFRASTRUCTURE = "infrastructure"


@dataclass(frozen=True, slots=True)
class Places:
    """Base URLs that links lead to."""

    aftershock: str  # serves runbooks and run timelines
    grafana: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule; its runbook has its name.

    Attributes:
        after: how long it must hold before anybody is notified.
        summary: static, so that notifications of one alert read alike.
        description: with values.
        dashboard: uid of the dashboard that shows it, with the labels that it has as variables.
    """

    name: str
    expression: str
    after: str
    severity: Severity
    team: Team
    summary: str
    description: str
    dashboard: str
    variables: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    def rule(self, places: Places) -> Json:
        """As a rule file holds it."""
        chosen = "&".join(
            f"var-{name}={{{{ $labels.{name} | urlquery }}}}" for name in self.variables
        )
        dashboard = f"{places.grafana}/d/{self.dashboard}" + (f"?{chosen}" if chosen else "")
        made: Json = {"alert": self.name, "expr": self.expression}
        if self.after:
            made["for"] = self.after
        labels = {"severity": self.severity.value, "team": self.team.value, "source": "prometheus"}
        return made | {
            "labels": labels | dict(self.labels),
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{places.aftershock}/runbooks/{self.name}",
                "dashboard_url": dashboard,
            },
        }


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording rule, named level:metric:operations."""

    name: str
    expression: str

    def rule(self, _places: Places) -> Json:
        """As a rule file holds it."""
        return {"record": self.name, "expr": self.expression}


@dataclass(frozen=True, slots=True)
class Group:
    """One rule file with one group of rules."""

    name: str
    title: str
    rules: Sequence[Alert | Recording]

    def document(self, places: Places) -> Json:
        """The whole file."""
        return {
            "groups": [{"name": self.name, "rules": [rule.rule(places) for rule in self.rules]}]
        }
