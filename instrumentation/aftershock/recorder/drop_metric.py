"""The drop counters as an OpenTelemetry metric.

Apart from the counters, because a process without an agent counts and loads no OpenTelemetry.
"""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from aftershock.attributes import DROP_REASON, RECORDER_DROPS
from aftershock.recorder.drop_counters import drop_counts


def report_drops(meter: Meter) -> None:
    """Let a meter export the counts: `aftershock.recorder.drops` by `aftershock.drop.reason`."""
    meter.create_observable_counter(
        RECORDER_DROPS,
        [observe_drops],
        unit="{drop}",
        description="What the recorder dropped at a bound or failed to do.",
    )


def observe_drops(_: CallbackOptions) -> Iterator[Observation]:
    """One observation for each reason."""
    for reason, count in drop_counts().items():
        yield Observation(count, {DROP_REASON: reason})
