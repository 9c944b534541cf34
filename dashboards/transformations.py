"""From answers to rows, columns and series: Grafana's transformations, as panels need them."""

from __future__ import annotations

from typing import Any

from dashboards.queries import REFS

Json = dict[str, Any]

TIMES = ("Time", "timestamp")  # what Loki's time is called, without and with its newer frames


def columns(shown: dict[str, str]) -> tuple[Json, ...]:
    """Log events as a table: attributes become columns, renamed and in this order."""
    names = {**dict.fromkeys(TIMES, "Time"), **shown}
    if "Line" in names:
        names["body"] = names["Line"]
    order = {name: place for place, name in enumerate(names)}
    return (
        {
            "id": "extractFields",
            "options": {"source": "labels", "format": "json", "replace": False},
        },
        {"id": "filterFieldsByName", "options": {"include": {"names": list(names)}}},
        {"id": "organize", "options": {"indexByName": order, "renameByName": names}},
    )


def rows_of(state: str, by: str, at: str = "") -> tuple[Json, ...]:
    """Log events as states over time, oldest first: one row for each value of `by`.

    `at` names an attribute that holds another time than that of the event, in ms since the epoch.
    """
    keep = [at] if at else list(TIMES)
    names = {name: "Time" for name in keep if name != "Time"}  # a renamed state would name its row
    times = [
        {"id": "convertFieldType", "options": {"conversions": [converted(at, kind)]}}
        for kind in ("number", "time")
        if at
    ]
    return (
        {
            "id": "extractFields",
            "options": {"source": "labels", "format": "json", "replace": False},
        },
        {"id": "filterFieldsByName", "options": {"include": {"names": [*keep, state, by]}}},
        *times,
        {"id": "organize", "options": {"renameByName": names}},
        {"id": "merge", "options": {}},
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "Time"}]}},
        {
            "id": "partitionByValues",
            "options": {"fields": [by], "keepFields": False, "naming": {"asLabels": False}},
        },
    )


def converted(field: str, kind: str) -> Json:
    """One field read as another type."""
    return {"targetField": field, "destinationType": kind}


def series_of(name: str, answers: int = 1) -> tuple[Json, ...]:
    """Rows of an answer as series of their own, called by one column: colours go by name."""
    values = [{"fieldName": f"Value #{ref}", "handlerKey": "field.value"} for ref in REFS[:answers]]
    named = {"fieldName": name, "handlerKey": "field.name"}
    return ({"id": "rowsToFields", "options": {"mappings": [named, *values]}},)


def joined(by: str, shown: dict[str, str]) -> tuple[Json, ...]:
    """Several answers as one table with a row for each value of `by`; A, B, C … are columns."""
    names = {by: shown[by]}
    names |= {f"Value #{ref}": name for ref, name in shown.items() if ref in REFS}
    names |= {
        name: title for name, title in shown.items() if name not in names and name not in REFS
    }
    order = {name: place for place, name in enumerate(names)}
    return (
        {"id": "joinByField", "options": {"byField": by, "mode": "outer"}},
        {"id": "filterFieldsByName", "options": {"include": {"names": list(names)}}},
        {"id": "organize", "options": {"indexByName": order, "renameByName": names}},
    )


def merged(shown: dict[str, str]) -> tuple[Json, ...]:
    """Several answers with the same labels as one table."""
    order = {name: place for place, name in enumerate(shown)}
    return (
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": {"include": {"names": list(shown)}}},
        {"id": "organize", "options": {"indexByName": order, "renameByName": shown}},
    )
