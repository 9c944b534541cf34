"""Where a click leads: to the dashboards by uid, with agent, run and time range kept."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

Json = dict[str, Any]

# Alerts and pages link to these: they are a contract.
FLEET: Final = "aftershock-fleet"
RUN: Final = "aftershock-run"
INCIDENT: Final = "aftershock-incident"
LOOPS: Final = "aftershock-loops"
CONTEXT: Final = "aftershock-context"
PIPELINE: Final = "aftershock-pipeline"
TAG: Final = "aftershock"


def field(name: str) -> str:
    """The value of another column in the same row."""
    return f'${{__data.fields["{name}"]:percentencode}}'


def number(name: str) -> str:
    """A number of another column in the same row, as it is and not as it is shown."""
    return f'${{__data.fields["{name}"].numeric}}'


def to(uid: str, title: str, **variables: str) -> Json:
    """A link to a dashboard; variables that are given replace those that are kept."""
    kept = ["${environment:queryparam}"]
    if "agent" not in variables:
        kept.append("${agent:queryparam}")
    values = [f"var-{name}={value}" for name, value in variables.items()]
    return {"title": title, "url": f"/d/{uid}?{'&'.join((*kept, *values, '${__url_time_range}'))}"}


def plain(uid: str, title: str) -> Json:
    """A link that keeps nothing but the time range."""
    return {"title": title, "url": f"/d/{uid}?${{__url_time_range}}"}


def at(uid: str, title: str, since: str, until: str, **variables: str) -> Json:
    """A link to a dashboard with a time range of its own."""
    kept = ["${environment:queryparam}", *(f"var-{k}={v}" for k, v in variables.items())]
    return {"title": title, "url": f"/d/{uid}?{'&'.join((*kept, f'from={since}', f'to={until}'))}"}


def to_trace() -> Json:
    """A link to the whole trace whose id is this column's value."""
    source = {"type": "tempo", "uid": "tempo"}
    query = {"refId": "A", "datasource": source, "queryType": "traceql", "query": "@id"}
    pane = {
        "datasource": "tempo",
        "queries": [query],
        "range": {"from": "@from", "to": "@to"},
    }
    shown = quote(json.dumps({"trace": pane}, separators=(",", ":")), safe="@")
    for mark, value in (("@id", "${__value.raw}"), ("@from", "${__from}"), ("@to", "${__to}")):
        shown = shown.replace(mark, value)
    return {"title": "Open the trace", "url": f"/explore?schemaVersion=1&panes={shown}"}


def bar() -> list[Json]:
    """The links at the top of each dashboard: to its siblings."""
    return [
        {
            "asDropdown": True,  # six links would take a second line, and a phone's screen
            "icon": "external link",
            "includeVars": True,
            "keepTime": True,
            "tags": [TAG],
            "targetBlank": False,
            "title": "Aftershock",
            "tooltip": "",
            "type": "dashboards",
            "url": "",
        }
    ]
