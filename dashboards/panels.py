"""The house library of panels: each says what it shows, in which unit, and what nothing means.

A builder takes what differs and fills in what all panels of its kind share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from dashboards.queries import REFS, Query
from dashboards.style import BY_THRESHOLD, NEUTRAL, PALETTE, PLAIN, named

Json = dict[str, Any]

WIDTH = 24  # of Grafana's grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel; `quiet` says why it may rightly show nothing after the demo's incident."""

    type: str
    title: str
    says: str  # the description, for whoever has never seen it
    asks: tuple[Query, ...]
    empty: str  # what is shown where there is nothing
    unit: str = "short"
    width: int = 12
    height: int = 8
    options: Json
    defaults: Json
    overrides: tuple[Json, ...] = ()
    steps: tuple[Json, ...] = ()  # transformations
    onward: tuple[Json, ...] = ()
    quiet: str = ""

    def sized(self, width: int, height: int) -> Self:
        """The same panel, larger or smaller."""
        return replace(self, width=width, height=height)

    def json(self, number: int, x: int, y: int) -> Json:
        """As Grafana reads it."""
        grid = {"h": self.height, "w": self.width, "x": x, "y": y}
        made: Json = {
            "id": number,
            "type": self.type,
            "title": self.title,
            "description": self.says,
            "gridPos": grid,
            "datasource": self.asks[0].source.ref,
            "targets": [query.target(ref) for ref, query in zip(REFS, self.asks, strict=False)],
            "options": self.options,
            "fieldConfig": {
                "defaults": {"unit": self.unit, "noValue": self.empty, **self.defaults},
                "overrides": list(self.overrides),
            },
            "links": [{**BEHIND, **link} for link in self.onward],
        }
        if self.steps:
            made["transformations"] = list(self.steps)
        return made


BEHIND: Json = {
    "asDropdown": False, "icon": "external link", "includeVars": False, "keepTime": False,
    "tags": [], "targetBlank": False, "tooltip": "", "type": "link",
}  # fmt: skip
NEWEST: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}
TOOLTIP: Json = {"mode": "multi", "sort": "desc", "hideZeros": True}


def stat(
    title: str,
    says: str,
    *asks: Query,
    empty: str,
    unit: str = "short",
    thresholds: Json = PLAIN,
    onward: tuple[Json, ...] = (),
    decimals: int | None = None,
    overrides: Sequence[Json] = (),
    quiet: str = "",
) -> Panel:
    """One number that can be read from across the room."""
    defaults: Json = {"color": BY_THRESHOLD, "thresholds": thresholds, "links": list(onward)}
    if decimals is not None:
        defaults["decimals"] = decimals
    return Panel(
        type="stat",
        title=title,
        says=says,
        asks=asks,
        empty=empty,
        unit=unit,
        width=4,
        height=4,
        defaults=defaults,
        options={
            "reduceOptions": NEWEST,
            "orientation": "auto",
            "textMode": "auto",
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "wideLayout": True,
            "showPercentChange": False,
            "percentChangeColorMode": "standard",
        },
        overrides=tuple(overrides),
        onward=onward,
        quiet=quiet,
    )


def chart(
    title: str,
    says: str,
    *asks: Query,
    empty: str,
    unit: str = "short",
    thresholds: Json = PLAIN,
    stacked: bool = False,
    bars: bool = False,
    limit_shown: bool = False,
    minimum: float | None = 0,
    maximum: float | None = None,
    joined_s: float = 0,
    overrides: Sequence[Json] = (),
    onward: tuple[Json, ...] = (),
    quiet: str = "",
) -> Panel:
    """Series over time; gaps stay gaps, because absence is not zero.

    `joined_s`: points that are no further apart are joined, for what comes less often than it is
    asked for.
    """
    custom: Json = {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "linear",
        "lineWidth": 1 if stacked or bars else 2,
        "fillOpacity": 70 if bars else 30 if stacked else 5,
        "showPoints": "auto",
        "spanNulls": int(joined_s * 1_000) or False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if limit_shown else "off"},
        "axisSoftMin": 0,
        "axisWidth": 90,  # the same second is at the same place in every chart
    }
    if unit == "percentunit":
        custom["axisSoftMax"] = 0.1  # nothing but zeros would have an axis to 10,000 %
    defaults: Json = {"color": PALETTE, "thresholds": thresholds, "custom": custom}
    defaults["links"] = list(onward)
    if minimum is not None:
        defaults["min"] = minimum
    if maximum is not None:
        defaults["max"] = maximum
    return Panel(
        type="timeseries",
        title=title,
        says=says,
        asks=asks,
        empty=empty,
        unit=unit,
        defaults=defaults,
        options={
            "legend": {
                "calcs": ["max"],
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": True,
            },
            "tooltip": TOOLTIP,
        },
        overrides=tuple(overrides),
        onward=onward,
        quiet=quiet,
    )


def bars(
    title: str,
    says: str,
    *asks: Query,
    empty: str,
    unit: str = "short",
    thresholds: Json = PLAIN,
    minimum: float | None = 0,
    maximum: float | None = None,
    overrides: Sequence[Json] = (),
    steps: Sequence[Json] = (),
    onward: tuple[Json, ...] = (),
    quiet: str = "",
) -> Panel:
    """One bar for each series, longest value first where the query sorts."""
    colour = PALETTE if thresholds is PLAIN else BY_THRESHOLD
    defaults: Json = {"color": colour, "thresholds": thresholds, "links": list(onward)}
    if steps:
        defaults["displayName"] = "${__field.name}"  # without the labels
    if minimum is not None:
        defaults["min"] = minimum
    if maximum is not None:
        defaults["max"] = maximum
    return Panel(
        type="bargauge",
        title=title,
        says=says,
        asks=asks,
        empty=empty,
        unit=unit,
        defaults=defaults,
        options={
            "reduceOptions": NEWEST,
            "orientation": "horizontal",
            "displayMode": "basic",
            "valueMode": "color",
            "namePlacement": "left",
            "showUnfilled": True,
            "sizing": "manual",  # one bar alone would fill the panel, without its name
            "minVizHeight": 16,
            "minVizWidth": 8,
            "maxVizHeight": 32,
            "text": {"titleSize": 14, "valueSize": 18},  # else as large as the panel has room
            "legend": {
                "calcs": [],
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": False,
            },
        },
        overrides=tuple(overrides),
        steps=tuple(steps),
        onward=onward,
        quiet=quiet,
    )


def states(
    title: str,
    says: str,
    *asks: Query,
    empty: str,
    colours: dict[str, str],
    words: Mapping[str, str] | None = None,
    steps: Sequence[Json],
    onward: tuple[Json, ...] = (),
    quiet: str = "",
) -> Panel:
    """What was the case, and when: one row for each series."""
    return Panel(
        type="state-timeline",
        title=title,
        says=says,
        asks=asks,
        empty=empty,
        unit="string",
        width=WIDTH,
        height=6,
        defaults={
            "color": NEUTRAL,
            "thresholds": PLAIN,
            "mappings": named(colours, words),
            "custom": {"fillOpacity": 85, "lineWidth": 0},
            "links": list(onward),
            **({"displayName": "${__series.name}"} if steps else {}),  # one frame, one row
        },
        options={
            "mergeValues": True,
            "alignValue": "left",
            "rowHeight": 0.85,
            "showValue": "auto",
            "legend": {
                "calcs": [],
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": True,
            },
            "tooltip": {"mode": "single", "sort": "none"},
        },
        steps=tuple(steps),
        onward=onward,
        quiet=quiet,
    )


def log(title: str, says: str, *asks: Query, empty: str, onward: tuple[Json, ...] = ()) -> Panel:
    """Log events in the order in which they happened."""
    return Panel(
        type="logs",
        title=title,
        says=says,
        asks=asks,
        empty=empty,
        unit="string",
        width=WIDTH,
        height=12,
        defaults={"links": list(onward)},
        options={
            "showTime": True,
            "showLabels": False,
            "showCommonLabels": False,
            "wrapLogMessage": True,
            "prettifyLogMessage": False,
            "enableLogDetails": True,
            "showLogContextToggle": False,
            "dedupStrategy": "none",
            "sortOrder": "Ascending",
        },
        onward=onward,
    )
