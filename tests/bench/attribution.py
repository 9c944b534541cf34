"""What attribution costs: a point appended, and a scoring round with every action open.

`make bench` and `make eval-impact` print it. Actions are spread over the last ten minutes, so that
no two of them share a moment by luck.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import numpy as np

from aftershock_collector.impact import ActionObserver
from aftershock_collector.metrics.series import Family, SeriesStore
from tests.evaluation.recordings import S, step
from tests.evaluation.rules import Line

SERIES = 541  # of the largest system in the recordings
ENTITIES = 45
POINTS = 310
ACTIONS = (1, 64, 256)
BAR_ACTIONS = 64
ROUND_MS_MAX = 60.0
POINT_US_MAX = 2.0
ROUNDS = 8
REPETITIONS = 5
MINUTE_NS = 60 * S
TOPOLOGY = {f"service/{n}": [f"service/{2 * n + 1}", f"service/{2 * n + 2}"] for n in range(22)}


def names() -> list[tuple[str, str]]:
    """(entity, metric) of every series."""
    return [(f"service/{n % ENTITIES}", f"metric {n // ENTITIES}") for n in range(SERIES)]


def appended_us() -> float:
    """Microseconds of processor time for one point: the best of several."""
    spent: list[float] = []
    for _ in range(REPETITIONS):
        store = SeriesStore()
        began = time.process_time()
        for minute in range(POINTS):
            for entity, metric in names():
                store.append(entity, metric, Family.LATENCY, "s", minute * MINUTE_NS, 0.25)
        spent.append((time.process_time() - began) / (POINTS * SERIES) * 1e6)
    return min(spent)


def rounds_ms(actions: int) -> list[float]:
    """Milliseconds of processor time of each scoring round with so many open actions."""
    values = np.random.default_rng(SERIES).gamma(4.0, 1.0, (SERIES, POINTS))
    store = SeriesStore()
    for (entity, metric), series in zip(names(), values, strict=True):
        for minute, value in enumerate(series):
            store.append(entity, metric, Family.LATENCY, "s", minute * MINUTE_NS, float(value))
    observer = ActionObserver()
    first_ns = (POINTS - ROUNDS) * MINUTE_NS
    for number in range(actions):
        acted_ns = first_ns - MINUTE_NS - number * 9 * MINUTE_NS // max(actions, 1)
        observer.open(step(acted_ns, f"service/{number % ENTITIES}", str(number)))
    spent: list[float] = []
    for now_ns in range(first_ns, first_ns + ROUNDS * MINUTE_NS, MINUTE_NS):
        began = time.process_time()
        observer.score(now_ns + S, store, TOPOLOGY)
        spent.append((time.process_time() - began) * 1e3)
    return spent


def cost() -> Iterator[Line]:
    """The figures, with their bars."""
    point = appended_us()
    yield Line(
        "µs per point appended", f"{point:.2f}", f"≤ {POINT_US_MAX:g}", point <= POINT_US_MAX
    )
    for actions in ACTIONS:
        spent = rounds_ms(actions)
        typical = statistics.median(spent)
        name = f"ms per round at {SERIES} series, {actions} open, median (first {spent[0]:.0f})"
        met = typical <= ROUND_MS_MAX if actions <= BAR_ACTIONS else None
        yield Line(name, f"{typical:.0f}", f"≤ {ROUND_MS_MAX:g}" if met is not None else "", met)


def main() -> None:
    for line in cost():
        print(line, flush=True)


if __name__ == "__main__":
    main()
