"""What a dashboard asks when it is opened: each query with its variables filled in.

Tests ask the real stores with these; they are what Grafana itself would send.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dashboards.dashboard import Dashboard
from dashboards.queries import Form, Query, Source

VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(__\w+|\w+)")
# What Grafana fills in by itself, for an hour seen on a usual screen.
BUILT_IN: Mapping[str, str] = {
    "__range": "3600s",
    "__rate_interval": "60s",
    "__interval": "15s",
    "__auto": "15s",
}
NOTHING_CHOSEN: Mapping[str, str] = {
    "environment": ".*",
    "agent": ".*",
    "collector": ".*",
    "target": ".+",
    "run": "",
    "entity": "",
    "alert": "",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of one panel, ready to be sent."""

    dashboard: str
    panel: str
    source: Source
    form: Form
    expression: str
    quiet: str = ""  # why it may rightly be answered with nothing after the demo's incident


def queries(
    dashboard: Dashboard, chosen: Mapping[str, str] | None = None, **built_in: str
) -> list[Asked]:
    """Every query of every panel and annotation.

    Args:
        dashboard: whose queries.
        chosen: variables by name, as regular expressions; the others are as if nothing was chosen.
        built_in: other values for `__range` and its like, with their unit.
    """
    values = {**BUILT_IN, **NOTHING_CHOSEN, **(chosen or {}), **built_in}
    return [
        Asked(dashboard.uid, panel, ask.source, ask.form, filled(ask.expression, values), quiet)
        for panel, ask, quiet in everything(dashboard)
    ]


def everything(dashboard: Dashboard) -> Iterator[tuple[str, Query, str]]:
    """Panel or annotation, what it asks, and why it may be quiet."""
    for panel in dashboard.panels():
        for ask in panel.asks:
            yield panel.title, ask, panel.quiet
    for annotation in dashboard.annotations:
        yield f"annotation {annotation.name}", annotation.ask, ""


def filled(expression: str, values: Mapping[str, str]) -> str:
    """An expression with its variables' values.

    Raises:
        KeyError: a variable that no dashboard has.
    """
    return VARIABLE.sub(lambda found: values[found[1] or found[2]], expression)
