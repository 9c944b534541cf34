"""Samples → points: gauges as they are, counters as rates, histograms as quantiles and ratios.

Label sets of one metric become one number per entity, and so do the processes of one service: a
point is written whenever the process that leads (the first one heard) reports, from what every
process said last.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from math import isfinite
from typing import NamedTuple

from aftershock_collector.metrics.call_graph import CallGraph
from aftershock_collector.metrics.classification import (
    Class,
    classify,
    counted,
    failed,
)
from aftershock_collector.metrics.cumulative import LabelSet, Last, LastReports
from aftershock_collector.metrics.distributions import Buckets, buckets_of, merged, quantile, since
from aftershock_collector.metrics.entities import Place, called_pair, caller_of, place_of
from aftershock_collector.metrics.known_metrics import Fold
from aftershock_collector.metrics.reporting import Expected, ReportTimes
from aftershock_collector.metrics.series import SERIES_MAX, Family, SeriesStore
from aftershock_collector.otlp.wire import Sample, SampleKind

METRICS_MAX = 64  # measured of one entity: ln(64) is already a heavy price for looking
LABEL_SETS_PER_SERIES = 16  # remembered for rates: routes × codes of a usual service
INSTANCES_MAX = 256  # of one entity in one metric
SHARES_MAX = 60_000  # of all metrics: three processes of each, or one large service; 40 MB
_FRESH_INTERVALS = 3.5  # a process that missed three reports no longer counts
_QUANTILES = ((0.5, "p50", 5), (0.99, "p99", 50))  # share, name, calls that it needs
_MERGED_INTERVALS = 8  # newest intervals put together where one has too few calls


class Point(NamedTuple):
    """One number of one series: the arguments of `SeriesStore.append`, in order."""

    entity: str
    metric: str
    family: Family
    unit: str
    time_ns: int
    value: float


class _Share:
    """What one instance measured in its newest interval, over all of its label sets."""

    __slots__ = (
        "bad",
        "born_after_ns",
        "buckets",
        "count",
        "elapsed_ns",
        "outcomes",
        "quantiles",
        "time_ns",
        "value",
    )

    def __init__(self, time_ns: int) -> None:
        self.time_ns = time_ns
        self.elapsed_ns = 0
        self.value: float | None = None  # a gauge, or the increase of a counter
        self.count: float = 0.0  # observations or events of this interval
        self.bad: float = 0.0  # of which failed
        self.born_after_ns: list[int] = []  # reports without this metric: it was zero there
        self.outcomes = False  # its labels separate failures from successes
        self.buckets: Buckets | None = None
        self.quantiles: dict[str, float] = {}


class _Metric:
    """One metric of one entity: who reports it, and what they said last."""

    __slots__ = ("expected", "known", "leader", "leader_every_ns", "recent", "shares")

    def __init__(self) -> None:
        self.leader = ""
        self.leader_every_ns = 0
        self.shares: OrderedDict[str, _Share] = OrderedDict()
        self.expected = Expected()
        self.recent: deque[Buckets] = deque(maxlen=_MERGED_INTERVALS)
        self.known: dict[str, int] = {}  # instance → time of the report before this one


class Measurer:
    """Turns samples into points. Remembers, within bounds, what rates need."""

    def __init__(self, series_max: int = SERIES_MAX) -> None:
        self.dropped: Counter[str] = Counter()
        self._series_max = series_max
        self._metrics: OrderedDict[tuple[str, str], _Metric] = OrderedDict()
        self._per_entity: Counter[str] = Counter()
        self._last = LastReports(series_max * LABEL_SETS_PER_SERIES)
        self._shares = 0  # of all metrics
        self._aliases: dict[str, str] = {}
        self.calls = CallGraph()
        self._reports = ReportTimes()

    def record(self, samples: Iterable[Sample], store: SeriesStore) -> int:
        """Measure samples into a store; returns how many points they became."""
        points = self.measure(samples)
        for point in points:
            store.append(*point)
        for name, entity in self._aliases.items():
            store.alias(name, entity)
        self._aliases.clear()
        return len(points)

    def measure(self, samples: Iterable[Sample]) -> list[Point]:
        """Points of one request or scrape. Whatever says nothing is counted in `dropped`."""
        open_shares: dict[tuple[str, str, str], tuple[_Share, Class, set[LabelSet]]] = {}
        points: list[Point] = []
        for sample in sorted(samples, key=lambda each: each.time_ns):
            kind = classify(sample.name, sample.unit, sample.kind, sample.monotonic)
            if kind is None:
                self.dropped["metric_not_measured"] += 1
                continue
            place = place_of(sample.name, sample.resource, sample.attributes, called=kind.called)
            if place is None:
                self.dropped["sample_without_entity"] += 1
                continue
            self._learn(sample, kind, place)
            if not counted(kind, sample.attributes) or not self._admit(place, sample.name):
                continue
            labels = _label_set(sample, place)
            key = (place.entity, sample.name, place.instance)
            opened = open_shares.get(key)
            if opened is not None and labels in opened[2]:
                points += self._close(key, opened[0], opened[1])  # its next interval has begun
                opened = None
            if opened is None:
                opened = open_shares[key] = (self._share(key, kind, sample.time_ns), kind, set())
            opened[2].add(labels)
            self._add(opened[0], kind, sample, place, labels)
        for key, (share, kind, _) in open_shares.items():
            points += self._close(key, share, kind)
        for (entity, _, instance), (share, _, _) in open_shares.items():
            self._reports.record(entity, instance, share.time_ns)
        return points

    def _learn(self, sample: Sample, kind: Class, place: Place) -> None:
        """A metric about calls says who calls whom."""
        pair = called_pair(sample.name, sample.attributes)
        if pair is None and kind.called and (caller := caller_of(sample.resource)) is not None:
            pair = caller, place.entity
        if pair is not None:
            self.calls.record(*pair, sample.time_ns)

    def _share(self, key: tuple[str, str, str], kind: Class, time_ns: int) -> _Share:
        """An empty interval; of errors reported for the first time, with the reports before."""
        entity, name, instance = key
        share = _Share(time_ns)
        if kind.family is Family.ERRORS and instance not in self._metrics[entity, name].known:
            share.born_after_ns = self._reports.before(entity, instance, time_ns)
        return share

    # --- One sample ----------------------------------------------------------------------------

    def _admit(self, place: Place, name: str) -> bool:
        """Make room for a metric of an entity, or say that there is none."""
        for alias in place.aliases:
            self._aliases[alias] = place.entity
        key = (place.entity, name)
        if key in self._metrics:
            self._metrics.move_to_end(key)
            return True
        if self._per_entity[place.entity] >= METRICS_MAX:
            self.dropped["metrics_of_entity_full"] += 1
            return False
        if len(self._metrics) >= self._series_max:
            self._forget_oldest()
        self._metrics[key] = _Metric()
        self._per_entity[place.entity] += 1
        return True

    def _forget_oldest(self) -> None:
        """Make room: forget the metric that was silent for longest."""
        (entity, _), gone = self._metrics.popitem(last=False)
        self._shares -= len(gone.shares)
        self._per_entity[entity] -= 1
        if not self._per_entity[entity]:
            del self._per_entity[entity]
        self.dropped["metrics_full"] += 1

    def _add(
        self, share: _Share, kind: Class, sample: Sample, place: Place, labels: LabelSet
    ) -> None:
        """Add one label set to what its instance measured in this interval."""
        share.time_ns = max(share.time_ns, sample.time_ns)
        outcome = failed(sample.attributes)
        share.outcomes |= outcome is not None or kind.outcomes
        if sample.kind is SampleKind.GAUGE or (
            sample.kind is SampleKind.SUM and not sample.monotonic
        ):
            if sample.value is not None and isfinite(sample.value):
                self._add_gauge(share, kind, sample.value)
            return
        if sample.kind is SampleKind.SUMMARY:
            for wanted, name, _ in _QUANTILES:
                near = [v for q, v in sample.quantiles if abs(q - wanted) < 0.095 and isfinite(v)]
                if near:
                    share.quantiles[name] = max(near[-1], share.quantiles.get(name, near[-1]))
        increase = self._increase(share, sample, place, labels)
        if increase is None:
            return
        count, buckets = increase
        share.count += count
        share.bad += count if outcome else 0.0
        if sample.kind is SampleKind.SUM:
            share.value = (share.value or 0.0) + count
        if buckets is not None:
            share.buckets = buckets if share.buckets is None else merged(share.buckets, buckets)

    def _add_gauge(self, share: _Share, kind: Class, value: float) -> None:
        """Shares (of a limit, of requests) do not add up; amounts do."""
        value *= kind.factor
        if kind.inverted:
            value = 1.0 - value
        if share.value is None:
            share.value = value
        elif kind.unit == "1" or kind.fold is Fold.MAX:
            share.value = max(share.value, value)
        else:
            share.value += value

    def _increase(
        self, share: _Share, sample: Sample, place: Place, labels: LabelSet
    ) -> tuple[float, Buckets | None] | None:
        """What this label set adds to its interval; None where that cannot be known yet."""
        histogram = sample.kind in {SampleKind.HISTOGRAM, SampleKind.EXPONENTIAL_HISTOGRAM}
        buckets = buckets_of(sample) if histogram else None
        value = float(
            (sample.value if sample.kind is SampleKind.SUM else sample.observations) or 0.0
        )
        if not isfinite(value):
            self.dropped["not_finite"] += 1
            return None
        if sample.delta:
            if sample.started_at_ns:
                share.elapsed_ns = max(share.elapsed_ns, sample.time_ns - sample.started_at_ns)
            return value, buckets
        last = self._last.get(labels)
        if last is not None and sample.time_ns <= last.time_ns:
            self.dropped["counter_out_of_order"] += 1
            return None
        gone = self._last.remember(labels, Last(sample.time_ns, value, buckets))
        self.dropped.update({"label_sets_full": gone} if gone else {})
        if last is None:
            # A label set that appears while its metric is already known counts from zero: the
            # first errors of a service are the ones that matter.
            known = place.instance in self._metrics[place.entity, sample.name].known
            if not known and share.born_after_ns:
                known = True  # its absence in earlier reports meant zero
            return (value, buckets) if known and not self._last.forgotten else None
        if value < last.value:  # a reset: the process started again
            return value, buckets
        if buckets is None or last.buckets is None:
            return value - last.value, buckets
        grown = since(buckets, last.buckets)
        return (value - last.value, grown) if grown is not None else (value, buckets)

    # --- One interval --------------------------------------------------------------------------

    def _close(self, key: tuple[str, str, str], share: _Share, kind: Class) -> list[Point]:
        """An instance has reported: fold it with the others where it leads."""
        entity, name, instance = key
        metric = self._metrics.get((entity, name))
        if metric is None:  # pushed out by others in the same request
            return []
        before_ns = metric.known.get(instance)
        if before_ns is None and share.born_after_ns:
            before_ns = share.born_after_ns[-1]
        if before_ns is not None and share.time_ns > before_ns and not share.elapsed_ns:
            share.elapsed_ns = share.time_ns - before_ns
        metric.known[instance] = max(share.time_ns, before_ns or 0)
        self._shares += instance not in metric.shares
        metric.shares[instance] = share
        metric.shares.move_to_end(instance)
        while len(metric.shares) > INSTANCES_MAX:
            gone, _ = metric.shares.popitem(last=False)
            metric.known.pop(gone, None)
            self._shares -= 1
            self.dropped["instances_full"] += 1
        while self._shares > SHARES_MAX:
            self._forget_oldest()
        leader = metric.shares.get(metric.leader)
        patience_ns = int(_FRESH_INTERVALS * max(metric.leader_every_ns, share.elapsed_ns))
        if leader is None or (
            instance != metric.leader and share.time_ns - leader.time_ns > patience_ns > 0
        ):
            metric.leader = instance
        if instance != metric.leader:
            return []
        metric.leader_every_ns = share.elapsed_ns or metric.leader_every_ns
        fresh_ns = share.time_ns - int(_FRESH_INTERVALS * metric.leader_every_ns)
        for other in [i for i, s in metric.shares.items() if s.time_ns < fresh_ns]:
            del metric.shares[other]
            metric.known.pop(other, None)
            self._shares -= 1
        born = _zeros(entity, name, kind, share)
        return born + _points(entity, name, kind, share.time_ns, metric)


def _label_set(sample: Sample, place: Place) -> LabelSet:
    labels = frozenset((key, str(value)) for key, value in sample.attributes.items())
    return hash((place.entity, place.instance, sample.name, labels))


def _zeros(entity: str, name: str, kind: Class, share: _Share) -> list[Point]:
    """Errors that are reported for the first time were zero in the reports before."""
    series = f"{name} rate" if kind.rate else name
    if kind.inverted or not share.value:
        return []
    return [Point(entity, series, kind.family, kind.unit, at, 0.0) for at in share.born_after_ns]


def _points(entity: str, name: str, kind: Class, time_ns: int, metric: _Metric) -> list[Point]:
    """All instances of one metric as the series that it is measured by."""
    shares = list(metric.shares.values())
    made: list[Point] = []
    timed = [share for share in shares if share.elapsed_ns > 0]
    if kind.rate:
        if rates := [(s.value or 0.0) / s.elapsed_ns * 1e9 for s in timed]:
            value = _folded(kind.fold, rates)
            made.append(Point(entity, f"{name} rate", kind.family, kind.unit, time_ns, value))
    elif values := [share.value for share in shares if share.value is not None]:
        value = _folded(kind.fold, values)
        made.append(Point(entity, name, kind.family, kind.unit, time_ns, value))
    else:
        made += _latencies(entity, name, kind, time_ns, metric)
        if rates := [s.count / s.elapsed_ns * 1e9 for s in timed]:
            made.append(
                Point(entity, f"{name} rate", Family.TRAFFIC, "{request}/s", time_ns, sum(rates))
            )
    count = sum(share.count for share in shares)
    counts_requests = kind.family in {Family.LATENCY, Family.TRAFFIC}
    stopped = metric.expected.stopped(count) if counts_requests and timed else None
    if stopped is not None:
        made.append(Point(entity, f"{name} stopped", Family.ERRORS, "1", time_ns, stopped))
    if count and counts_requests and any(share.outcomes for share in shares):
        ratio = sum(share.bad for share in shares) / count
        made.append(Point(entity, f"{name} errors", Family.ERRORS, "1", time_ns, ratio))
    return made


def _latencies(entity: str, name: str, kind: Class, time_ns: int, metric: _Metric) -> list[Point]:
    """Quantiles of the newest calls; of few calls in an interval, with the intervals before."""
    whole: Buckets | None = None
    shares = list(metric.shares.values())
    for share in shares:
        if share.buckets is not None:
            whole = share.buckets if whole is None else merged(whole, share.buckets)
    if whole is not None:
        metric.recent.append(whole)
    made: list[Point] = []
    for wanted, word, calls_min in _QUANTILES:
        enough = None if whole is None else _enough(metric.recent, calls_min)
        value = None if enough is None else quantile(enough, wanted)
        if value is None and whole is None:
            reported = [share.quantiles[word] for share in shares if word in share.quantiles]
            value = max(reported) if reported else None
        if value is not None:
            made.append(
                Point(
                    entity, f"{name} {word}", kind.family, kind.unit, time_ns, value * kind.factor
                )
            )
    return made


def _enough(recent: Iterable[Buckets], calls_min: int) -> Buckets | None:
    """The newest interval, with as many before it as make `calls_min`; None where they do not.

    A p99 of five calls is the slowest of them, and says nothing of the service.
    """
    whole: Buckets | None = None
    for each in reversed(list(recent)):
        if whole is None and not each.total:
            return None  # nothing was called: older calls are no news
        whole = each if whole is None else merged(whole, each)
        if whole.total >= calls_min:
            return whole
    return None


def _folded(fold: Fold, values: list[float]) -> float:
    """One number of several instances."""
    if fold is Fold.MAX:
        return max(values)
    return sum(values) if fold is Fold.SUM else sum(values) / len(values)
