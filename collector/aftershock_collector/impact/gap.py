"""Context gap: trouble near a target, begun before the action, that the agent had not read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log
from typing import NamedTuple

import numpy as np

from aftershock.model import Fact, Outcome
from aftershock_collector.impact.onset import BAND_SCALES
from aftershock_collector.impact.placebos import BASELINE_POINTS, HISTORY_MIN
from aftershock_collector.impact.segments import floors
from aftershock_collector.impact.weighing import Evidence, Movement
from aftershock_collector.wording import age, times_usual

GAP_NATS = 4.6  # p .01: what anyone looking at the graph would have called trouble
GAP_POINTS_MIN = 2  # outside the band, up to the action: one point alone is a hiccup
GAPS_MAX = 5  # sentences; the worst first
_REFINEMENTS_MAX = 5  # the baseline moves back to where trouble began, then looks again


class Trouble(NamedTuple):
    """A series that was already bad when an agent acted."""

    entity: str
    nats: float
    began_at_ns: int
    words: str


def troubles(evidence: Mapping[str, Evidence], effect_ns: int) -> list[Trouble]:
    """Trouble on each entity just before the action, worst first."""
    found: list[Trouble] = []
    for entity, each in evidence.items():
        if each.earlier is not None:
            change, nats = each.earlier
            lasted = age(effect_ns - change.began_at_ns)
            words = f"{entity} {change.kind.value} {change.name} had been there for {lasted}"
            found.append(Trouble(entity, nats, change.began_at_ns, words))
        worst = max(each.movements, key=lambda m: m.before, default=None)
        if worst is None:
            continue
        nats = worst.before - log(len(each.movements))
        trouble = _describe(entity, worst, nats, effect_ns) if nats >= GAP_NATS else None
        if trouble is not None:
            found.append(trouble)
    return sorted(found, key=lambda trouble: (-trouble.nats, trouble.entity))


def unread(found: Iterable[Trouble], facts: Iterable[Fact], skew_ns: int) -> tuple[str, ...]:
    """Sentences on trouble that no fact of the run, observed since it began, was about."""
    known = [fact for fact in facts if fact.outcome is Outcome.OK]
    return tuple(
        trouble.words
        for trouble in found
        if not any(
            _names(fact.subject, trouble.entity)
            and fact.observed_at_ns + skew_ns >= trouble.began_at_ns
            for fact in known
        )
    )[:GAPS_MAX]


def _names(subject: str, entity: str) -> bool:
    """True where a fact's subject is this entity, by its key or by its last name."""
    return subject == entity or subject == entity.rpartition("/")[2]


def _describe(entity: str, movement: Movement, nats: float, effect_ns: int) -> Trouble | None:
    """Walk back from the action to where the series left its band."""
    history, moments = movement.cut.history, movement.cut.history_ns
    share, absolute = floors(movement.cut.series)
    onset = len(history) - 1
    median = 0.0
    for _ in range(_REFINEMENTS_MAX):
        usual = history[max(0, onset - BASELINE_POINTS) : onset]
        if len(usual) < HISTORY_MIN:
            return None
        median = float(np.median(usual))
        spread = 1.4826 * float(np.median(np.abs(usual - median)))
        edge = median + BAND_SCALES * max(spread, share * abs(median), absolute)
        inside = np.flatnonzero(history <= edge)
        began = int(inside[-1]) + 1 if len(inside) else 0
        if began >= onset:
            onset = min(began, onset)
            break
        onset = began
    if len(history) - onset < GAP_POINTS_MIN:
        return None
    worst = float(history[onset:].max())
    how = times_usual(worst, median) or "above its usual range"
    began_ns = int(moments[onset])
    lasted = max(effect_ns - began_ns, movement.cut.cadence_ns)
    return Trouble(
        entity,
        nats,
        began_ns,
        f"{entity} {movement.cut.series.metric} was already {how} for {age(lasted)}",
    )
