"""Whether an action helped: its target was in trouble before, and the trouble ended after it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aftershock_collector.impact.evidence import TROUBLED_NATS, Evidence, Movement
from aftershock_collector.impact.onset import BAND_SCALES
from aftershock_collector.metrics.series import Family, Times, Values

BACK_POINTS = 3  # in a row inside the band, newest first
UNCHANGED_POINTS = 5  # still outside after this many: the action changed nothing
_LOOK_BACK_POINTS = 60  # how far back the trouble's beginning is searched
_PROOF = (Family.ERRORS, Family.LATENCY, Family.RESOURCES)


class Improvement(NamedTuple):
    """How a series that was in trouble went on after an action."""

    metric: str
    probability: float  # that it would not have ended then by itself
    at_ns: int  # first point back inside the band
    before: float  # value that the action found
    after: float  # value since


def improvement(evidence: Evidence, effect_ns: int) -> Improvement | None:
    """The clearest end of trouble after the action; None where nothing that was bad ended.

    Trouble that lasted T before the action, and ended within w after it, would have ended in that
    time by itself with a chance of about w / (T + w): the longer it lasted, the clearer the help.
    """
    found = [
        each for movement in evidence.movements if (each := _ended(movement, effect_ns)) is not None
    ]
    return max(found, key=lambda each: each.probability, default=None)


def unchanged(evidence: Evidence, effect_ns: int) -> bool:
    """True where trouble that was there before the action went on as it was."""
    return any(
        _in_trouble(movement)
        and movement.worse < TROUBLED_NATS
        and _outside_since(movement, effect_ns) >= UNCHANGED_POINTS
        for movement in evidence.movements
    )


def _in_trouble(movement: Movement) -> bool:
    reference = movement.reference
    return reference.before >= TROUBLED_NATS and reference.level > _edge(movement)


def _edge(movement: Movement) -> float:
    return movement.median + BAND_SCALES * movement.scale


def _outside_since(movement: Movement, effect_ns: int) -> int:
    """Newest points after the action, in a row, that are outside the band."""
    series = movement.cut.series
    values = series.values[series.times_ns > effect_ns]
    inside = np.flatnonzero(values <= _edge(movement))
    return len(values) - (int(inside[-1]) + 1 if len(inside) else 0)


def _ended(movement: Movement, effect_ns: int) -> Improvement | None:
    series = movement.cut.series
    if series.family not in _PROOF or not _in_trouble(movement):
        return None
    edge = _edge(movement)
    outside = np.flatnonzero(series.values > edge)
    if not len(outside):
        return None
    first = int(outside[-1]) + 1
    back = series.times_ns[first:]
    if len(back) < BACK_POINTS or back[0] <= effect_ns:
        return None
    began_ns = _began(series.times_ns, series.values, edge, effect_ns)
    waited_ns = int(back[0]) - effect_ns
    lasted_ns = max(effect_ns - began_ns, 0)
    return Improvement(
        series.metric,
        lasted_ns / (lasted_ns + waited_ns) if lasted_ns else 0.0,
        int(back[0]),
        movement.reference.level,
        float(np.median(series.values[first:])),
    )


def _began(times: Times, values: Values, edge: float, effect_ns: int) -> int:
    """When the trouble that the action found began: two points inside end the walk back."""
    index = int(times.searchsorted(effect_ns, side="right")) - 1
    began, inside = index, 0
    for step in range(index, max(-1, index - _LOOK_BACK_POINTS), -1):
        inside = inside + 1 if values[step] <= edge else 0
        if inside == 2:
            break
        if not inside:
            began = step
    return int(times[began])
