"""Tables: rows to read and to click on, events with their columns, and headlines in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dashboards import links
from dashboards.panels import WIDTH, Panel
from dashboards.queries import Query
from dashboards.style import BY_THRESHOLD, PLAIN, linked, override
from dashboards.transformations import columns

Json = dict[str, Any]

# An id is shown as the word of its link: nobody reads 32 hex digits.
AS_LINK: Json = {"type": "data-links"}
NO_CELL = "–"  # a table's rows say this of one cell; its description says what no rows mean
HEADLINES_MAX = 3  # incidents that are said in words; the others are in the tables below


def table(
    title: str,
    says: str,
    *asks: Query,
    empty: str,
    steps: Sequence[Json],
    unit: str = "short",
    sort: str = "",
    descending: bool = True,
    overrides: Sequence[Json] = (),
    onward: tuple[Json, ...] = (),
    quiet: str = "",
) -> Panel:
    """Rows to read and to click on."""
    by = [{"displayName": sort, "desc": descending}] if sort else []
    custom = {
        "align": "auto",
        "cellOptions": {"type": "auto"},
        "filterable": True,
        "inspect": True,
        "wrapText": True,
        "wrapHeaderText": True,
    }
    return Panel(
        type="table",
        title=title,
        says=f"{says} Empty: {empty}.",
        asks=asks,
        empty=NO_CELL,
        unit=unit,
        width=WIDTH,
        defaults={"color": BY_THRESHOLD, "thresholds": PLAIN, "custom": custom},
        options={"showHeader": True, "cellHeight": "sm", "frameIndex": 0, "sortBy": by},
        overrides=tuple(overrides),
        steps=tuple(steps),
        onward=onward,
        quiet=quiet,
    )


def events_table(
    title: str,
    says: str,
    *asks: Query,
    empty: str,
    shown: dict[str, str],
    run_to: Json,
    descending: bool = True,
    overrides: Sequence[Json] = (),
    onward: tuple[Json, ...] = (),
    quiet: str = "",
) -> Panel:
    """Log events, a row each: when, the attributes that `shown` names, the run and its trace."""
    return table(
        title,
        says,
        *asks,
        empty=empty,
        steps=columns({**shown, "aftershock_run_id": "Run", "trace_id": "Trace"}),
        sort="Time",
        descending=descending,
        overrides=(
            override("Time", custom_width=195),
            *overrides,
            linked("Run", run_to, custom_cellOptions=AS_LINK, custom_width=120),
            linked("Trace", links.to_trace(), custom_cellOptions=AS_LINK, custom_width=90),
        ),
        onward=onward,
        quiet=quiet,
    )


def headline(
    title: str,
    says: str,
    *asks: Query,
    empty: str,
    shown: dict[str, str],
    run_to: Json,
    overrides: Sequence[Json] = (),
    onward: tuple[Json, ...] = (),
    quiet: str = "",
) -> Panel:
    """The newest events in words, each a tall row: what somebody who was woken reads first."""
    made = events_table(
        title,
        says,
        *asks,
        empty=empty,
        shown=shown,
        run_to=run_to,
        overrides=overrides,
        onward=onward,
        quiet=quiet,
    ).sized(WIDTH, 7)
    newest: Json = {"id": "limit", "options": {"limitField": HEADLINES_MAX}}
    last: Json = {
        "id": "sortBy",
        "options": {"fields": {}, "sort": [{"field": "Time", "desc": True}]},
    }
    return replace(
        made,
        steps=(*made.steps, last, newest),
        options={**made.options, "cellHeight": "lg"},
    )
