"""What the documentation repeats of the table of exporters' metrics."""

from __future__ import annotations

from aftershock_collector.metrics.known_metrics import KNOWN, Kept, KnownMetric
from docs.markdown import code, table


def known_metrics() -> str:
    """One table for each exporter: what its metrics show, and of which labels."""
    systems = dict.fromkeys(metric.system for metric in KNOWN)
    return "\n\n".join(
        f"### {system}\n\n"
        + table(("Shows", "Metrics", "Only"), [_row(m) for m in KNOWN if m.system == system])
        for system in systems
    )


def _row(metric: KnownMetric) -> tuple[str, str, str]:
    shows = "not used" if metric.family is None else metric.family.value
    if metric.inverted:
        shows += ", larger is better"
    names = ", ".join(code(name) for name in metric.names)
    return shows, names, "; or ".join(_only(each) for each in metric.kept)


def _only(kept: Kept) -> str:
    return " and ".join(
        f"{code(label)} {', '.join(code(value) for value in values)}"
        for label, values in kept.items()
    )
