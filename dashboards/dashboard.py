"""Rows of panels → one dashboard as Grafana reads it from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.links import TAG, bar
from dashboards.panels import WIDTH, Panel
from dashboards.queries import Query, Source

Json = dict[str, Any]

SCHEMA = 42  # of dashboards: what Grafana 13 writes; 12 reads it too
ALL: Json = {"text": "All", "value": "$__all"}


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading; what is collapsed asks nothing until it is opened."""

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class Annotation:
    """Events that are drawn into every chart."""

    name: str
    ask: Query
    colour: str
    title: str
    text: str
    tags: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard with its stable uid."""

    uid: str
    title: str
    says: str
    rows: tuple[Row, ...]
    variables: tuple[Json, ...]
    annotations: tuple[Annotation, ...] = ()
    since: str = "now-1h"
    refresh: str = "10s"

    def panels(self) -> Iterator[Panel]:
        """All panels, in reading order."""
        for row in self.rows:
            yield from row.panels

    def json(self) -> Json:
        """The whole dashboard."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.says,
            "tags": [TAG],
            "schemaVersion": SCHEMA,
            "version": 1,
            "editable": True,
            "fiscalYearStartMonth": 0,
            "graphTooltip": 1,  # one crosshair through all panels
            "refresh": self.refresh,
            "time": {"from": self.since, "to": "now"},
            "timepicker": {"refresh_intervals": ["5s", "10s", "30s", "1m", "5m", "15m"]},
            "timezone": "browser",
            "weekStart": "",
            "links": bar(),
            "templating": {"list": list(self.variables)},
            "annotations": {"list": [BUILT_IN, *map(annotation, self.annotations)]},
            "panels": laid_out(self.rows),
        }


BUILT_IN: Json = {
    "builtIn": 1,
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "semi-dark-blue",
    "name": "Annotations & Alerts",
    "type": "dashboard",
}


def annotation(drawn: Annotation) -> Json:
    """A query for events, with how each is drawn."""
    return {
        "name": drawn.name,
        "datasource": drawn.ask.source.ref,
        "enable": True,
        "hide": False,
        "iconColor": drawn.colour,
        "expr": drawn.ask.expression,
        "queryType": "range",
        "maxLines": 1_000,
        "instant": False,
        "titleFormat": drawn.title,
        "textFormat": drawn.text,
        "tagKeys": drawn.tags,
    }


def laid_out(rows: Sequence[Row]) -> list[Json]:
    """Panels from left to right and from top to bottom, each with its place and number."""
    made: list[Json] = []
    number, y = 0, 0
    for row in rows:
        number += 1
        heading: Json = {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": row.collapsed,
            "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y},
            "panels": [],
        }
        made.append(heading)
        placed, bottom = placed_from(row.panels, number + 1, y + 1)
        number += len(placed)
        if row.collapsed:
            heading["panels"] = placed
            y += 1
        else:
            made += placed
            y = bottom
    return made


def placed_from(panels: Sequence[Panel], number: int, y: int) -> tuple[list[Json], int]:
    """Panels below y, and where they end."""
    made: list[Json] = []
    x, tallest = 0, 0
    for panel in panels:
        if x + panel.width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        made.append(panel.json(number + len(made), x, y))
        x += panel.width
        tallest = max(tallest, panel.height)
    return made, y + tallest


# --- Variables ------------------------------------------------------------------------------------


def listed(name: str, label: str, says: str, query: str, everything: str | None = ".*") -> Json:
    """What can be chosen from a list that Prometheus knows; several at once, or all.

    All matches what has no such label too, unless `everything` is None.
    """
    made: Json = {} if everything is None else {"allValue": everything}
    return made | {
        "name": name,
        "label": label,
        "description": says,
        "type": "query",
        "datasource": Source.PROMETHEUS.ref,
        "query": {"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-Variable"},
        "definition": query,
        "refresh": 2,  # with the time range: agents come and go
        "regex": "",
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allowCustomValue": True,
        "current": ALL,
        "options": [],
        "hide": 0,
        "skipUrlSync": False,
    }


def typed(name: str, label: str, says: str) -> Json:
    """What is typed, or set by a link: ids are never labels, so no list knows them."""
    empty: Json = {"selected": True, "text": "", "value": ""}
    return {
        "name": name,
        "label": label,
        "description": says,
        "type": "textbox",
        "query": "",
        "current": empty,
        "options": [empty],
        "hide": 0,
        "skipUrlSync": False,
    }


ENVIRONMENT = listed(
    "environment",
    "Environment",
    "deployment.environment.name of the agents' processes",
    "label_values(aftershock_agent_steps_total, environment)",
)
AGENT = listed(
    "agent",
    "Agent",
    "gen_ai.agent.name, or the service's name where an agent has none",
    "label_values({__name__=~`aftershock_agent_(steps_total|runs_open)`,"
    "environment=~`${environment:regex}`}, agent)",
)
RUN = typed("run", "Run", "The beginning of a run's id; empty: all runs. Tables of runs set it")
