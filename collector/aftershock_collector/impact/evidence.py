"""How far entities moved around moments, in nats: one scan of all series that matter to a round."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import compress, groupby, islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aftershock_collector.impact.events import Around
from aftershock_collector.impact.placebos import POST_MAX, Counts
from aftershock_collector.impact.references import Block, References, Signature, Span
from aftershock_collector.impact.relations import Relations
from aftershock_collector.impact.segments import Cut, counts_up_to, groups_for, newest_of
from aftershock_collector.impact.stretches import Rows, described, newest_points
from aftershock_collector.impact.weighing import (
    NOTHING,
    Evidence,
    Scored,
    score_blocks,
    with_events,
)
from aftershock_collector.metrics.series import Family, Series

TROUBLED_NATS = 4.6  # p .01: a series this far off before a moment was in trouble already
_TROUBLED_SHARE = 0.25  # of the excess that was there: less than this more is not "worse"

Moment = tuple[str, int]  # entity, nanoseconds


class _Loaded(NamedTuple):
    """The series of one entity, as they stand now."""

    series: list[Series]
    last: NDArray[np.int64]
    cadence_ns: NDArray[np.int64]
    silent: NDArray[np.bool_]
    resources: NDArray[np.bool_]
    metrics: tuple[str, ...]


class Scene:
    """All series around the open actions at one time."""

    def __init__(  # noqa: PLR0917
        self,
        fetch: Callable[[Iterable[str] | None], Sequence[Series]],
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
        self._loaded: dict[str, _Loaded | None] = {}  # None: nothing is measured
        self._anchors: dict[Moment, Moment] = {}
        self._counts: dict[Moment, Counts] = {}  # by anchor: of each series, points up to it
        self._points: dict[tuple[str, int], NDArray[np.float32]] = {}  # by entity and resolution
        references.evict()

    def load(self, entities: Iterable[str]) -> None:
        """Fetch the series of these entities, once."""
        wanted = [e for e in dict.fromkeys(entities) if e not in self._loaded]
        if not wanted:
            return
        self._loaded.update(dict.fromkeys(wanted))
        found = sorted(self._fetch(wanted), key=lambda each: each.entity)
        newest = newest_of(found, self.now_ns)
        start = 0
        for entity, group in groupby(found, key=lambda each: each.entity):
            several = list(group)
            part = slice(start, start + len(several))
            start = part.stop
            self._loaded[entity] = _Loaded(
                several,
                newest.last[part],
                newest.cadence_ns[part],
                newest.silent[part],
                np.array([each.family is Family.RESOURCES for each in several]),
                tuple(each.metric for each in several),
            )

    def keys(self, targets: Iterable[str]) -> list[str]:
        """The keys that series of these targets are filed under."""
        return list(dict.fromkeys(self._canonical(target) for target in targets))

    def measured(self, entity: str) -> bool:
        """True where at least one series of the entity is known."""
        self.load([entity])
        return self._loaded.get(entity) is not None

    def resources(self, entity: str) -> list[Series]:
        """What an entity uses of resources, series that ended among them."""
        self.load([entity])
        loaded = self._loaded.get(entity)
        return [] if loaded is None else list(compress(loaded.series, loaded.resources))

    def newest_ns(self, entity: str, metric: str) -> int | None:
        """Time of the newest point of a series; None where there is none."""
        loaded = self._loaded.get(entity)
        if loaded is None or metric not in loaded.metrics:
            return None
        place = loaded.metrics.index(metric)
        last = int(loaded.last[place])
        return int(loaded.series[place].times_ns[last - 1]) if last else None

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
        if not asked:
            return {}
        self.load(entity for entity, _ in asked)
        self._locate(asked)
        anchors = {moment: (self._anchors[moment], moment in grown) for moment in asked}
        weighed = self._weigh(self._blocks(dict.fromkeys(anchors.values())))
        judged: dict[Moment, Evidence] = {}
        for moment in asked:
            evidence = weighed.get(anchors[moment])
            trouble = self.around.after(*moment)
            earlier = self.around.before(*moment) if before else None
            if trouble or earlier:
                evidence = with_events(evidence or NOTHING, trouble, earlier)
            if evidence is not None:
                judged[moment] = evidence
        return judged

    def _locate(self, moments: Iterable[Moment]) -> None:
        """Find each entity's newest point up to its moments: moments between two points are one."""
        unknown: dict[str, list[int]] = {}
        for entity, effect_ns in moments:
            if (entity, effect_ns) not in self._anchors:
                unknown.setdefault(entity, []).append(effect_ns)
        places = [(entity, self._loaded.get(entity)) for entity in unknown]
        searched = [
            (each.times_ns, unknown[entity])
            for entity, loaded in places
            for each in (() if loaded is None else loaded.series)
        ]
        counts, newest_ns = counts_up_to(searched)
        start = 0
        for entity, loaded in places:
            effects = unknown[entity]
            shape = (0 if loaded is None else len(loaded.series)), len(effects)
            part = slice(start, start + shape[0] * shape[1])
            start = part.stop
            first = counts[part].reshape(shape).T.copy()
            anchors = newest_ns[part].reshape(shape).max(axis=0, initial=-1).tolist()
            for effect_ns, at_ns, row in zip(effects, anchors, first, strict=True):
                anchor = entity, at_ns if at_ns >= 0 else effect_ns
                self._anchors[entity, effect_ns] = anchor
                self._counts[anchor] = row

    def _blocks(self, wanted: Iterable[tuple[Moment, bool]]) -> dict[tuple[Moment, bool], Block]:
        """The rows of each moment, as they were laid out earlier where nothing changed.

        Fast series are there at two resolutions.
        """
        found: dict[tuple[Moment, bool], Block] = {}
        missing: list[tuple[tuple[Moment, bool], Signature, list[int], list[Cut]]] = []
        for key, loaded, usable, groups in self._usable(wanted):
            (entity, at_ns), grown = key
            signature = loaded.metrics, usable.tobytes(), groups.tobytes()
            known = self._references.blocks.get((entity, at_ns, grown))
            if known is not None and known.signature == signature:
                found[key] = known
            elif usable.any():
                first = self._counts[entity, at_ns]
                missing.append((key, signature, *_laid_out(loaded, first, usable, groups)))
        frozen = iter(
            self._references.of(
                [(anchor[1], part) for (anchor, _), _, _, cuts in missing for part in cuts],
                self._skipped,
            )
        )
        for key, signature, places, cuts in missing:
            block = Block(signature, places, cuts, list(islice(frozen, len(cuts))))
            self._references.keep_block((*key[0], key[1]), block)
            found[key] = block
        return found

    def _usable(
        self, wanted: Iterable[tuple[Moment, bool]]
    ) -> Iterator[tuple[tuple[Moment, bool], _Loaded, NDArray[np.bool_], Counts]]:
        """Which series of each moment's entity count there, and at which resolution."""
        places = [
            (key, loaded) for key in wanted if (loaded := self._loaded.get(key[0][0])) is not None
        ]
        if not places:
            return
        first = np.concatenate([self._counts[anchor] for (anchor, _), _ in places])
        last = np.concatenate([loaded.last for _, loaded in places])
        silent = np.concatenate([loaded.silent for _, loaded in places])
        usable = (first > 0) & (last > 0) & ~silent
        groups = groups_for(last - first, first)
        start = 0
        for key, loaded in places:
            part = slice(start, start + len(loaded.series))
            start = part.stop
            kept = usable[part] & ~loaded.resources if key[1] else usable[part]
            yield key, loaded, kept, groups[part]

    def _weigh(
        self, blocks: Mapping[tuple[Moment, bool], Block]
    ) -> dict[tuple[Moment, bool], Evidence]:
        """Score all rows together: every series is described once, for all the moments."""
        if not blocks:
            return {}
        laid = list(blocks.values())
        after_moment = [
            (self._last(anchor) - self._counts[anchor])[block.places] // block.groups
            for (anchor, _), block in blocks.items()
        ]
        lengths = np.clip(np.concatenate(after_moment), 0, POST_MAX)
        seen = self._described(blocks, int(lengths.max(initial=0)))
        rows = Rows(self._references.fits, [u for block in laid for u in block.usuals], lengths)
        median = np.concatenate([block.median for block in laid])
        scale = np.concatenate([block.scale for block in laid])
        level = np.concatenate([block.level for block in laid])
        before = np.concatenate([block.before for block in laid])
        after, best = rows.scan(np.arange(len(median)), seen, median, scale)
        worse = after.copy()
        some = np.flatnonzero((before >= TROUBLED_NATS) & (level > median) & (after > 0))
        if len(some):
            higher = np.maximum(scale[some], _TROUBLED_SHARE * (level[some] - median[some]))
            worse[some], _ = rows.scan(some, seen[:, some], level[some], higher)
        scored = score_blocks(laid, after, worse, best)
        return {key: self._evidence(key[0], one) for key, one in zip(blocks, scored, strict=True)}

    def _last(self, anchor: Moment) -> Counts:
        loaded = self._loaded[anchor[0]]
        assert loaded is not None, "a block has series"
        return loaded.last

    def _described(
        self, blocks: Mapping[tuple[Moment, bool], Block], longest: int
    ) -> NDArray[np.float32]:
        """The newest stretches of every row's series: (3, rows, LENGTHS)."""
        asked: dict[tuple[str, int], int] = {}  # entity and resolution → first row
        tables: list[NDArray[np.float32]] = []
        places: list[Counts] = []
        count = 0
        for ((entity, _), _), block in blocks.items():
            place = block.places
            for group, rows in block.resolutions:
                first = asked.get((entity, group))
                if first is None:
                    first = asked[entity, group] = count
                    tables.append(self._newest_points(entity, group))
                    count += len(tables[-1])
                place = place + (first if rows is None else first * rows)
            places.append(place)
        return described(np.concatenate(tables), longest)[:, np.concatenate(places)]

    def _newest_points(self, entity: str, group: int) -> NDArray[np.float32]:
        """The newest points of an entity's series at one resolution, cut once in a round."""
        known = self._points.get((entity, group))
        if known is None:
            loaded = self._loaded[entity]
            assert loaded is not None, "a block has series"
            known = newest_points(loaded.series, loaded.last, group)
            self._points[entity, group] = known
        return known

    def _evidence(self, anchor: Moment, scored: Scored) -> Evidence:
        loaded = self._loaded[anchor[0]]
        assert loaded is not None, "a block has series"

        def cut(row: int, place: int) -> Cut:
            return Cut(
                loaded.series[place],
                int(self._counts[anchor][place]),
                int(loaded.last[place]),
                int(loaded.cadence_ns[place]),
                int(scored.block.groups[row]),
            )

        return scored.evidence(cut, loaded.cadence_ns)

    def _skipped(self, entity: str, moment_ns: int) -> tuple[list[int], Sequence[Span]]:
        """Effect times of recorded actions on the entity and its neighbours; known trouble."""
        around = self.relations.callees(entity) | self.relations.callers(entity)
        places = (entity, *sorted(around))
        acted = [at for place in places for at in self._acted_ns.get(place, ()) if at < moment_ns]
        return acted, self._troubles.get(entity, ())


def _laid_out(
    loaded: _Loaded, first: Counts, usable: NDArray[np.bool_], groups: Counts
) -> tuple[list[int], list[Cut]]:
    """The rows of one block: series of one family beside each other."""
    places: list[int] = []
    cuts: list[Cut] = []
    for place in sorted(np.flatnonzero(usable).tolist(), key=lambda n: loaded.series[n].family):
        for group in dict.fromkeys([1, int(groups[place])]):
            places.append(place)
            cuts.append(
                Cut(
                    loaded.series[place],
                    int(first[place]),
                    int(loaded.last[place]),
                    int(loaded.cadence_ns[place]),
                    group,
                )
            )
    return places, cuts
