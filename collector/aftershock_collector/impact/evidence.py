"""How far entities moved around moments, in nats: one scan of all series that matter to a round."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aftershock_collector.impact.competition import settled
from aftershock_collector.impact.events import Around, SurprisingChange
from aftershock_collector.impact.placebos import (
    LENGTHS,
    POST_MAX,
    fits_of,
    nats,
    views,
)
from aftershock_collector.impact.references import Reference, References, Span
from aftershock_collector.impact.relations import Relations
from aftershock_collector.impact.segments import Cut, Newest, cut, newest_of
from aftershock_collector.metrics.series import Family, Series

SPLIT_PRICE = 0.5  # nats per doubling of the stretches tried: nested stretches are correlated
ARRIVALS_NATS = 3.0  # arrivals this unusual (p .05) say that more work reached an entity
TROUBLED_NATS = 4.6  # p .01: a series this far off before a moment was in trouble already
_TROUBLED_SHARE = 0.25  # of the excess that was there: less than this more is not "worse"

Moment = tuple[str, int]  # entity, nanoseconds


class Movement(NamedTuple):
    """What one series did around one moment. Values in the unit of the series."""

    cut: Cut
    reference: Reference
    after: float  # nats, of the stretch that stands out most
    worse: float  # nats beyond what the moment found; equals `after` where it found no trouble
    length: int  # points of that stretch, which ends now

    @property
    def before(self) -> float:
        """Nats: how unusual the series was just before the moment."""
        return self.reference.before

    @property
    def comparable(self) -> int:
        """Earlier stretches behind `after`."""
        return self.reference.comparable

    @property
    def median(self) -> float:
        """The middle of the frozen band."""
        return self.reference.median

    @property
    def scale(self) -> float:
        """A robust standard deviation, never below what matters to a person."""
        return self.reference.scale


class Evidence(NamedTuple):
    """What one entity did around one moment."""

    after: float = 0.0  # of the family that stands out most, less the price of several series
    before: float = 0.0  # of the same family
    arrivals: float = 0.0  # how unusually much work reached it
    movements: tuple[Movement, ...] = ()  # worst first, without traffic
    trouble: SurprisingChange | None = None  # an alert or a warning that came after the moment
    earlier: SurprisingChange | None = None  # one that was there already
    worse: float = 0.0  # as `after`, beyond what the moment found

    @property
    def history_points(self) -> int:
        """Points before the moment, in the longest series."""
        return max((m.reference.points for m in self.movements), default=0)


NOTHING = Evidence()


class Scene:
    """All series around the open actions at one time."""

    def __init__(  # noqa: PLR0917
        self,
        fetch: Callable[[Iterable[str] | None], Iterable[Series]],
        relations: Relations,
        acted_ns: Mapping[str, Sequence[int]],
        now_ns: int,
        canonical: Callable[[str], str],
        around: Around,
        references: References,
        troubles: Mapping[str, Sequence[Span]],
    ) -> None:
        self.relations = relations
        self.around = around
        self.now_ns = now_ns
        self._fetch = fetch
        self._canonical = canonical
        self._references = references
        self._troubles = troubles
        self._acted_ns: dict[str, list[int]] = {}  # effect times of recorded actions
        for entity, times in acted_ns.items():
            self._acted_ns.setdefault(canonical(entity), []).extend(times)
        self._series: dict[str, list[tuple[Series, Newest]]] = {}
        self._anchors: dict[Moment, Moment] = {}
        self._all: list[str] | None = None

    def load(self, entities: Iterable[str]) -> None:
        """Fetch the series of these entities, once."""
        wanted = [e for e in dict.fromkeys(entities) if e not in self._series]
        if wanted:
            self._series.update({entity: [] for entity in wanted})
            for each in self._fetch(wanted):
                known = self._series.setdefault(each.entity, [])
                known.append((each, newest_of(each, self.now_ns)))

    def keys(self, targets: Iterable[str]) -> list[str]:
        """The keys that series of these targets are filed under."""
        return list(dict.fromkeys(self._canonical(target) for target in targets))

    def measured(self, entity: str) -> bool:
        """True where at least one series of the entity is known."""
        self.load([entity])
        return bool(self._series.get(entity))

    def judge(
        self,
        moments: Iterable[Moment],
        *,
        before: bool = False,
        grown: Collection[Moment] = (),
    ) -> dict[Moment, Evidence]:
        """Evidence at each moment.

        Args:
            moments: entities and times; each is scored once.
            before: also compare with events before the moment.
            grown: moments at which the entity was given more room: that it uses more is no harm.
        """
        asked = list(dict.fromkeys(moments))
        self.load(entity for entity, _ in asked)
        anchors = {moment: (self._anchor(moment), moment in grown) for moment in asked}
        rows = [
            (anchor, part)
            for anchor in dict.fromkeys(anchors.values())
            for part in self._cuts(*anchor)
        ]
        found: dict[tuple[Moment, bool], list[Movement]] = {}
        for (anchor, _), movement in zip(
            rows, self._movements([(moment, part) for (moment, _), part in rows]), strict=True
        ):
            found.setdefault(anchor, []).append(movement)
        weighed = {anchor: _weigh(_finest(movements)) for anchor, movements in found.items()}
        judged: dict[Moment, Evidence] = {}
        for moment in asked:
            evidence = weighed.get(anchors[moment])
            trouble = self.around.after(*moment)
            earlier = self.around.before(*moment) if before else None
            if trouble or earlier:
                evidence = _with_events(evidence or NOTHING, trouble, earlier)
            if evidence is not None:
                judged[moment] = evidence
        return judged

    def _anchor(self, moment: Moment) -> Moment:
        """The entity's newest point up to a moment: moments between two points are one."""
        known = self._anchors.get(moment)
        if known is None:
            entity, effect_ns = moment
            ends = (
                (series.times_ns, int(series.times_ns.searchsorted(effect_ns, side="right")))
                for series, _ in self._series.get(entity, ())
            )
            newest_ns = max((int(times[end - 1]) for times, end in ends if end), default=effect_ns)
            known = self._anchors[moment] = entity, newest_ns
        return known

    def _cuts(self, moment: Moment, grown: bool) -> Iterator[Cut]:
        """Every series of the entity, cut at the moment; fast ones at two resolutions."""
        entity, effect_ns = moment
        for series, newest in self._series.get(entity, ()):
            if newest.silent or (grown and series.family is Family.RESOURCES):
                continue
            part = cut(series, effect_ns, newest)
            if part is None:
                continue
            if part.group > 1 and (fine := cut(series, effect_ns, newest, fine=True)) is not None:
                yield fine
            yield part

    def _movements(self, rows: Sequence[tuple[Moment, Cut]]) -> list[Movement]:
        if not rows:
            return []
        frozen = self._references.of([(moment[1], part) for moment, part in rows], self._skipped)
        posts = np.full((len(rows), POST_MAX), np.nan, np.float32)
        lengths = np.zeros(len(rows), np.int64)
        for row, (_, part) in enumerate(rows):
            if len(part.post):
                posts[row, -len(part.post) :] = part.post
            lengths[row] = len(part.post)
        median = np.array([each.median for each in frozen], np.float32)
        scale = np.array([each.scale for each in frozen], np.float32)
        after, best = _scan(frozen, posts, lengths, median, scale)
        level = np.array([each.level for each in frozen], np.float32)
        troubled = np.array([each.before for each in frozen]) >= TROUBLED_NATS
        troubled &= (level > median) & (after > 0)
        worse = after.copy()
        some = np.flatnonzero(troubled)
        if len(some):
            higher = np.maximum(scale[some], _TROUBLED_SHARE * (level[some] - median[some]))
            worse[some], _ = _scan(
                [frozen[row] for row in some.tolist()],
                posts[some],
                lengths[some],
                level[some],
                higher,
            )
        return [
            Movement(part, frozen[row], float(after[row]), float(worse[row]), int(best[row]))
            for row, (_, part) in enumerate(rows)
        ]

    def _skipped(self, entity: str, moment_ns: int) -> tuple[list[int], Sequence[Span]]:
        """Effect times of recorded actions on the entity and its neighbours; known trouble."""
        around = self.relations.callees(entity) | self.relations.callers(entity)
        places = (entity, *sorted(around))
        acted = [at for place in places for at in self._acted_ns.get(place, ()) if at < moment_ns]
        return acted, self._troubles.get(entity, ())


def _scan(
    frozen: Sequence[Reference],
    posts: NDArray[np.float32],
    lengths: NDArray[np.int64],
    median: NDArray[np.float32],
    scale: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Nats of the stretch, among those that end now, that stands out most; and its length.

    The longest stretch is free; each doubling of the number of shorter ones has its price.
    """
    best = np.zeros(len(frozen))
    chosen = np.zeros(len(frozen), np.int64)
    longest = np.array([max((n for n in LENGTHS if n <= size), default=0) for size in lengths])
    tried = np.array([sum(n <= size for n in LENGTHS) for size in lengths])
    for length in LENGTHS:
        some = np.flatnonzero(lengths >= length)
        if not len(some):
            break
        seen = views(posts[some, -length:], median[some], scale[some]).astype(np.float64)
        value = nats(fits_of([frozen[row].usual for row in some.tolist()], length), seen)
        price = np.where(longest[some] == length, 0.0, SPLIT_PRICE * np.log2(tried[some] + 1))
        value = np.maximum(value - price, 0.0)
        better = value > best[some]
        best[some[better]] = value[better]
        chosen[some[better]] = length
    return best, chosen


def _finest(movements: Iterable[Movement]) -> list[Movement]:
    """One movement for each series: of its resolutions the one that stands out more."""
    kept: dict[str, Movement] = {}
    for movement in movements:
        metric = movement.cut.series.metric
        known = kept.get(metric)
        if known is None or movement.after > known.after:
            kept[metric] = movement
    return list(kept.values())


def _weigh(movements: Sequence[Movement]) -> Evidence:
    """The best family, less ln(series in it): with more series one of them moves by chance.

    More work explains more use of resources, never errors or latency.

    What was wrong before counts against the family that it was seen in: memory that an old fault
    left high says nothing about latency that rises now.
    """
    families: dict[Family, list[Movement]] = {}
    for movement in movements:
        families.setdefault(movement.cut.series.family, []).append(movement)
    arrivals = max((m.after for m in families.pop(Family.TRAFFIC, [])), default=0.0)
    work = arrivals if arrivals >= ARRIVALS_NATS else 0.0
    after, before, worse = max(
        (
            (
                max(m.after for m in found) - price,
                max(m.before for m in found) - price,
                max(m.worse for m in found) - price,
            )
            for family, found in families.items()
            for price in [log(len(found)) + (work if family is Family.RESOURCES else 0.0)]
        ),
        key=lambda each: settled(*each),
        default=(0.0, 0.0, 0.0),
    )
    worst_first = sorted(
        (m for family in families.values() for m in family),
        key=lambda m: (-min(m.after, m.worse), -m.after, m.cut.series.metric),
    )
    return Evidence(after, before, arrivals, tuple(worst_first), worse=worse)


def _with_events(
    moved: Evidence, trouble: SurprisingChange | None, earlier: SurprisingChange | None
) -> Evidence:
    """Alerts and warnings are one more family."""
    received = trouble.nats if trouble else 0.0
    return moved._replace(
        after=max(moved.after, received),
        worse=max(moved.worse, received),
        before=max(moved.before, earlier.nats if earlier else 0.0),
        trouble=trouble,
        earlier=earlier,
    )
