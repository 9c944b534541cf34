"""Gauges as an application sends them, over OTLP as JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tests.support.live_collector import LiveCollector


def send_gauges(
    collector: LiveCollector,
    values: Mapping[str, float],
    *,
    ago_s: float = 0.0,
    labels: dict[str, str] | None = None,
    **resource: str,
) -> None:
    """One point of each gauge. `resource`: with `__` for dots, as in `db__namespace`."""
    point = {
        "timeUnixNano": str(time.time_ns() - int(ago_s * 1e9)),
        "attributes": attributes(labels or {}),
    }
    metrics: list[Any] = [
        {"name": name, "gauge": {"dataPoints": [{**point, "asDouble": value}]}}
        for name, value in values.items()
    ]
    named = {key.replace("__", "."): text for key, text in resource.items()}
    collector.post(
        "/v1/metrics",
        {
            "resourceMetrics": [
                {
                    "resource": {"attributes": attributes(named)},
                    "scopeMetrics": [{"metrics": metrics}],
                }
            ]
        },
    )


def attributes(values: dict[str, str]) -> list[dict[str, Any]]:
    """Attributes as OTLP has them."""
    return [{"key": key, "value": {"stringValue": text}} for key, text in values.items()]
