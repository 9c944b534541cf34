"""Asks the real stores, and Grafana, what panels ask them, and counts what comes back."""

from __future__ import annotations

from typing import Any

import httpx

from dashboards.asking import Asked
from dashboards.queries import Form, Query, Source
from tests.stack.standing import Stack

STEP_S = 5


class Refused(Exception):  # noqa: N818
    """A store does not understand a query; says which, and the store's own words."""


def answers(stack: Stack, asked: Asked, start_s: float, end_s: float) -> int:
    """How many series, rows, lines or traces one query returns for a stretch of time.

    Raises:
        Refused: the store calls the query wrong.
    """
    with httpx.Client(timeout=30, trust_env=False) as client:
        path, parameters = request_of(asked, start_s, end_s)
        response = client.get(stack.url(asked.source) + path, params=parameters)
    if not response.is_success:
        raise Refused(f"{asked.dashboard}, {asked.panel}: {asked.expression}\n{response.text}")
    return size_of(response.json(), asked)


def shown(stack: Stack, asked: Asked, start_s: float, end_s: float) -> int:
    """How many frames with data Grafana itself makes of one query.

    Raises:
        Refused: Grafana, or the store behind it, calls the query wrong.
    """
    target = Query(asked.source, asked.expression, asked.form).target("A")
    body = {
        "queries": [{**target, "intervalMs": STEP_S * 1_000, "maxDataPoints": 500}],
        "from": str(int(start_s * 1_000)),
        "to": str(int(end_s * 1_000)),
    }
    with httpx.Client(timeout=30, trust_env=False) as client:
        answer = client.post(f"{stack.url('grafana')}/api/ds/query", json=body)
    result: dict[str, Any] = answer.json().get("results", {}).get("A", {})
    if not answer.is_success or result.get("error"):
        raise Refused(f"{asked.dashboard}, {asked.panel}: {asked.expression}\n{answer.text}")
    frames: list[dict[str, Any]] = result.get("frames") or []
    return sum(any(frame["data"]["values"]) for frame in frames)


def request_of(asked: Asked, start_s: float, end_s: float) -> tuple[str, dict[str, Any]]:
    """The path and the parameters, as each store wants them."""
    if asked.source is Source.TEMPO:
        span = {"start": int(start_s), "end": int(end_s) + 1, "limit": 50}
        return "/api/search", {"q": asked.expression, **span}
    prefix = "/loki/api/v1" if asked.source is Source.LOKI else "/api/v1"
    if asked.form is Form.INSTANT:
        return f"{prefix}/query", {"query": asked.expression, "time": end_s}
    parameters: dict[str, Any] = {"query": asked.expression, "start": start_s, "end": end_s}
    if asked.form is Form.LINES:
        return f"{prefix}/query_range", {**parameters, "limit": 1_000}
    return f"{prefix}/query_range", {**parameters, "step": f"{STEP_S}s"}


def size_of(answer: Any, asked: Asked) -> int:
    """Numbers that are not numbers (0/0) are no data."""
    if asked.source is Source.TEMPO:
        return len(answer.get("traces") or [])
    if answer["data"]["resultType"] == "scalar":
        return 1
    result: list[dict[str, Any]] = answer["data"]["result"]
    if asked.form is Form.LINES:
        return sum(len(stream["values"]) for stream in result)
    return sum(holds_a_number(series) for series in result)


def holds_a_number(series: dict[str, Any]) -> bool:
    """True where at least one sample is one; native histograms count as they are."""
    if "histogram" in series or "histograms" in series:
        return True
    values = series.get("values") or [series["value"]]
    return any(value != "NaN" for _, value in values)
