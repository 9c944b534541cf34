"""What leaves the product: attributes and events on the wire, metrics for Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from aftershock import attributes as attributes_module
from aftershock_collector.export.agent_counters import Counting
from aftershock_collector.export.agent_gauges import GAUGES
from aftershock_collector.export.label_sets import HOME
from aftershock_collector.telemetry import Telemetry
from docs.comments import assignments
from docs.markdown import code, sentence, table
from docs.meanings import ATTRIBUTES, EVENTS


def attributes() -> str:
    """Attributes of ours: name, type, where each stands, meaning."""
    rows = [
        (code(one.name), one.type, sentence(one.on), sentence(one.meaning)) for one in ATTRIBUTES
    ]
    return table(("Attribute", "Type", "On", "Meaning"), rows)


def events() -> str:
    """Log events of ours: name, who sends each, meaning."""
    rows = [(code(one.name), sentence(one.sender), sentence(one.meaning)) for one in EVENTS]
    return table(("Event", "Sent by", "Meaning"), rows)


def conventions() -> str:
    """Attributes of OpenTelemetry's conventions that are read or written."""
    names = [
        found.value.strip("'\"")
        for found in assignments(Path(attributes_module.__file__))
        if re.fullmatch(r"'[a-z0-9_]+(\.[a-z0-9_]+)+'", found.value)
    ]
    return ", ".join(code(name) for name in names if not name.startswith("aftershock.")) + "."


def metrics(side: str) -> str:
    """Metrics about agents, or about the collector itself, with type, labels and meaning."""
    about_agents = [(*found, True) for found in _agents()]
    own = [(*found, False) for found in _families(Telemetry().registry)]
    rows = [
        (code(name), kind, ", ".join(map(code, labels)), sentence(text))
        for name, kind, labels, text, is_agents in (*about_agents, *own)
        if is_agents == (side == "agents")
    ]
    return table(("Metric", "Type", "Labels", "Meaning"), rows)


def _agents() -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    registry = CollectorRegistry()
    Counting(registry)
    yield from _families(registry)
    for name, (text, labels) in GAUGES.items():
        yield f"aftershock_{name}", "gauge", (*HOME, *labels), text


def _families(registry: CollectorRegistry) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """Name as scraped, type, labels and help of each metric that is registered."""
    collectors = cast("dict[object, list[str]]", vars(registry)["_collector_to_names"])
    for collector in collectors:
        if not isinstance(collector, MetricWrapperBase):
            continue  # the process's own figures
        labels = cast("tuple[str, ...]", vars(collector)["_labelnames"])
        for family in collector.describe():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            yield name, family.type, labels, family.documentation
