"""Whether an action helped: its target was in trouble before, and the trouble ended after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aftershock_collector.impact.placebos import HISTORY_MIN
from aftershock_collector.impact.weighing import Evidence, Movement

TROUBLE_POINTS = 3  # outside the usual band up to the action: fewer are a hiccup
BACK_POINTS = 3  # in a row inside the band, newest first
UNCHANGED_POINTS = 5  # still outside after this many: the action changed nothing
WORSE_FACTOR = 1.5  # more than this much above what the action found is not "unchanged"


class Improvement(NamedTuple):
    """How a series that was in trouble went on after an action. Values in its unit."""

    metric: str
    probability: float  # that it would not have ended then by itself
    at_ns: int  # first point back inside the band
    before: float  # what the action found
    after: float  # what it has been since


class _Trouble(NamedTuple):
    """A run of points outside the usual band, up to the action."""

    edge: float
    level: float
    began_ns: int


def improvement(evidence: Evidence, effect_ns: int) -> Improvement | None:
    """The clearest end of trouble after the action; None where nothing that was bad ended.

    Trouble that lasted T before the action, and ended within w after it, would have ended in that
    time by itself with a chance of about w / (T + w): the longer it lasted, the clearer the help.
    """
    found = [_ended(movement, effect_ns) for movement in _troubled(evidence)]
    return max((f for f in found if f is not None), key=lambda f: f.probability, default=None)


def unchanged(evidence: Evidence, effect_ns: int) -> bool:
    """True where trouble that was there before the action went on as it was."""
    for movement in _troubled(evidence):
        trouble = _trouble(movement)
        if trouble is None:
            continue
        series = movement.cut.series
        values = series.values[series.times_ns > effect_ns]
        newest = values[-UNCHANGED_POINTS:]
        if len(newest) == UNCHANGED_POINTS and bool((newest > trouble.edge).all()):
            return float(np.median(newest)) <= WORSE_FACTOR * trouble.level
    return False


def _troubled(evidence: Evidence) -> Sequence[Movement]:
    """What moved, where anything was beyond its usual range before."""
    return evidence.movements if evidence.outside else ()


def _trouble(movement: Movement) -> _Trouble | None:
    """The run outside the band of the whole history: a long run is still its smaller part."""
    if not movement.reference.outside:
        return None
    history, moments = movement.cut.history, movement.cut.history_ns
    if len(history) < 2 * HISTORY_MIN:
        return None
    edge = movement.reference.edge
    inside = np.flatnonzero(history <= edge)
    # One point inside does not end a run: noise crosses the edge now and then.
    start = 0
    if len(inside):
        start = int(inside[-1]) + 1
        if len(history) - start < TROUBLE_POINTS and len(inside) > 1:
            start = int(inside[-2]) + 1
    if len(history) - start < TROUBLE_POINTS:
        return None
    return _Trouble(edge, float(np.median(history[start:])), int(moments[start]))


def _ended(movement: Movement, effect_ns: int) -> Improvement | None:
    trouble = _trouble(movement)
    if trouble is None:
        return None
    series = movement.cut.series
    outside = np.flatnonzero(series.values > trouble.edge)
    first = int(outside[-1]) + 1 if len(outside) else 0
    back = series.times_ns[first:]
    if len(back) < BACK_POINTS or back[0] <= effect_ns:
        return None
    waited_ns = int(back[0]) - effect_ns
    lasted_ns = max(effect_ns - trouble.began_ns, 0)
    return Improvement(
        series.metric,
        lasted_ns / max(lasted_ns + waited_ns, 1),
        int(back[0]),
        trouble.level,
        float(np.median(series.values[first:])),
    )
