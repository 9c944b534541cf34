"""How far entities moved around a moment, in nats: one look at all series that matter to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from math import log
from typing import NamedTuple

import numpy as np

from aftershock_collector.impact.competition import settled
from aftershock_collector.impact.events import Around, Heard
from aftershock_collector.impact.placebos import (
    HISTORY_POINTS,
    baselines,
    surprise,
    surprise_before,
)
from aftershock_collector.impact.relations import Relations
from aftershock_collector.impact.segments import Cut, cut, stack
from aftershock_collector.metrics.series import Family, Series

_ROWS_MAX = 128  # judged at once: 4 MB of windows, which a cache can hold
_BEFORE_POINTS = (1, 2)  # what an action is told to have found already wrong
_SKIPPED_POINTS = 5  # after a recorded action: they show what actions do, not what chance does

BRIEF_POINTS = HISTORY_POINTS // 2
CONNECTION = "{connection}"  # held by callers: more of them is more work

Moment = tuple[str, int]  # entity, nanoseconds


class Movement(NamedTuple):
    """What one series did around one moment."""

    cut: Cut
    after: float  # nats
    before: float  # nats; 0 where it was not asked for
    comparable: int  # earlier windows behind `after`
    median: float
    scale: float


class Evidence(NamedTuple):
    """What one entity did around one moment."""

    after: float = 0.0  # of the family that stands out most, less the price of several series
    before: float = 0.0  # of the same family
    demand: float = 0.0  # how unusually much it was asked to do
    movements: tuple[Movement, ...] = ()  # worst first, without traffic
    heard: Heard | None = None  # an alert or a warning that came after the moment
    earlier: Heard | None = None  # one that was there already

    @property
    def history_points(self) -> int:
        """Points before the moment, in the longest series."""
        return max((len(m.cut.history) for m in self.movements), default=0)


NOTHING = Evidence()


class Scene:
    """All series around the open actions at one time."""

    def __init__(  # noqa: PLR0917
        self,
        series: Iterable[Series],
        relations: Relations,
        acted_ns: Mapping[str, Sequence[int]],
        now_ns: int,
        canonical: Callable[[str], str],
        around: Around,
    ) -> None:
        self.relations = relations
        self.around = around
        self.now_ns = now_ns
        self._canonical = canonical
        self._acted_ns: dict[str, list[int]] = {}  # effect times of recorded actions
        for entity, times in acted_ns.items():
            self._acted_ns.setdefault(canonical(entity), []).extend(times)
        self._series: dict[str, list[Series]] = {}
        for each in series:
            self._series.setdefault(each.entity, []).append(each)

    def keys(self, targets: Iterable[str]) -> list[str]:
        """The keys that series of these targets are filed under."""
        return list(dict.fromkeys(self._canonical(target) for target in targets))

    def measured(self, entity: str) -> bool:
        """True where at least one series of the entity is known."""
        return entity in self._series

    def entities(self) -> list[str]:
        """Every entity with a series, and every one that had trouble."""
        return list(dict.fromkeys([*self._series, *self.around.entities()]))

    def judge(
        self,
        moments: Iterable[Moment],
        *,
        before: bool = False,
        brief: bool = False,
        grown: Collection[Moment] = (),
    ) -> dict[Moment, Evidence]:
        """Evidence at each moment.

        Args:
            moments: entities and times; each is judged once.
            before: also ask what was already wrong.
            grown: moments at which the entity was given more room: that it uses more is no harm.
            brief: only how far they moved, from half the history: enough for what only competes.
        """
        cuts: dict[int, list[tuple[Moment, Cut]]] = {}
        asked = list(dict.fromkeys(moments))
        points = BRIEF_POINTS if brief else HISTORY_POINTS
        for moment in asked:
            beside = Family.TRAFFIC if brief else Family.RESOURCES if moment in grown else None
            for part in self._cuts(moment, points, beside):
                cuts.setdefault(len(part.post), []).append((moment, part))
        found: dict[Moment, list[Movement]] = {}
        for length, rows in cuts.items():
            for start in range(0, len(rows), _ROWS_MAX):
                chunk = rows[start : start + _ROWS_MAX]
                moved = self._movements(chunk, length, before=before)
                for (moment, _), movement in zip(chunk, moved, strict=True):
                    found.setdefault(moment, []).append(movement)
        weighed = {moment: _weigh(movements) for moment, movements in found.items()}
        for moment in asked:
            heard = self.around.after(*moment)
            earlier = self.around.before(*moment) if before else None
            if heard or earlier:
                weighed[moment] = _with_events(weighed.get(moment, NOTHING), heard, earlier)
        return weighed

    def _cuts(self, moment: Moment, points: int, beside: Family | None) -> Iterator[Cut]:
        """Every series of the entity but one family, cut at the moment."""
        entity, effect_ns = moment
        for series in self._series.get(entity, ()):
            if series.family is not beside:
                part = cut(series, effect_ns, self.now_ns, points)
                if part is not None and not part.silent:
                    yield part

    def _movements(
        self, rows: Sequence[tuple[Moment, Cut]], length: int, *, before: bool
    ) -> list[Movement]:
        cuts = [part for _, part in rows]
        nearby = {moment: self._nearby(*moment) for moment in {moment for moment, _ in rows}}
        table = stack(cuts, [nearby[moment] for moment, _ in rows], _SKIPPED_POINTS)
        baseline = baselines(table)
        after = np.zeros(len(rows))
        comparable = np.zeros(len(rows), np.int64)
        if length:
            after, comparable = surprise(table, baseline, np.stack([c.post for c in cuts]))
        earlier = np.zeros(len(rows))
        if before:
            nats = [surprise_before(table, baseline, points).nats for points in _BEFORE_POINTS]
            earlier = np.max(nats, axis=0)
        median, scale = baseline.median[:, -1], baseline.scale[:, -1]
        return [
            Movement(part, float(a), float(b), int(c), float(m), float(s))
            for part, a, b, c, m, s in zip(
                cuts, after, earlier, comparable, median, scale, strict=True
            )
        ]

    def _nearby(self, entity: str, effect_ns: int) -> list[int]:
        """Effect times of recorded actions on the entity and its neighbours, before the moment."""
        around = self.relations.callees(entity) | self.relations.callers(entity)
        places = (entity, *sorted(around))
        return [at for place in places for at in self._acted_ns.get(place, ()) if at < effect_ns]


def _weigh(movements: Sequence[Movement]) -> Evidence:
    """The best family, less ln(series in it): with more series one of them moves by chance.

    What was wrong before counts against the family that it was seen in: memory that an old fault
    left high says nothing about latency that rises now.
    """
    families: dict[Family, list[Movement]] = {}
    for movement in movements:
        families.setdefault(movement.cut.series.family, []).append(movement)
    work = families.pop(Family.TRAFFIC, [])
    work += [m for f in families.values() for m in f if m.cut.series.unit == CONNECTION]
    after, before = max(
        (
            (max(m.after for m in f) - log(len(f)), max(m.before for m in f) - log(len(f)))
            for f in families.values()
        ),
        key=lambda pair: settled(*pair),
        default=(0.0, 0.0),
    )
    worst_first = sorted(
        (m for family in families.values() for m in family),
        key=lambda m: (-m.after, m.cut.series.metric),
    )
    demand = max((m.after for m in work), default=0.0)
    return Evidence(after, before, demand, tuple(worst_first))


def _with_events(moved: Evidence, heard: Heard | None, earlier: Heard | None) -> Evidence:
    """Alerts and warnings are one more family."""
    return moved._replace(
        after=max(moved.after, heard.nats if heard else 0.0),
        before=max(moved.before, earlier.nats if earlier else 0.0),
        heard=heard,
        earlier=earlier,
    )
