"""evidence: all rows of a round are scored together, and each as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aftershock_collector.impact.events import Events
from aftershock_collector.impact.evidence import Moment, Scene
from aftershock_collector.impact.ordering import middle_and_largest
from aftershock_collector.impact.placebos import LENGTHS, nats, views
from aftershock_collector.impact.references import References
from aftershock_collector.impact.relations import Relations
from aftershock_collector.impact.stretches import SPLIT_PRICE
from aftershock_collector.impact.weighing import Evidence, Movement
from aftershock_collector.metrics.series import Family, SeriesStore

S = 1_000_000_000
ENTITIES = ("service/cart", "service/orders", "db/orders")
FAMILIES = (Family.LATENCY, Family.ERRORS, Family.RESOURCES, Family.TRAFFIC, Family.LATENCY)


def store(seed: int, every_s: int, points: int, broken: float) -> SeriesStore:
    """Three entities; the latency of the first is several times its usual from some point on."""
    random = np.random.default_rng(seed)
    made = SeriesStore()
    for entity in ENTITIES:
        for number, family in enumerate(FAMILIES):
            values = random.gamma(4.0, 1.0, points)
            born = int(random.integers(0, points // 2)) if number == 4 else 0
            if entity == ENTITIES[0] and family is Family.LATENCY:
                values[int(broken * points) :] *= 4
            for at in range(born, points):
                value = float(values[at])
                made.append(entity, f"m{number}", family, "s", at * every_s * S, value)
    return made


def scene(series: SeriesStore, references: References, now_ns: int) -> Scene:
    return Scene(
        lambda entities: series.window(entities, 0, now_ns),
        Relations({"service/cart": ["service/orders"]}, series.canonical),
        {"service/cart": [now_ns // 3]},
        now_ns,
        series.canonical,
        Events().around(series.canonical, now_ns),
        references,
        {"db/orders": [(now_ns // 4, now_ns // 4 + 20 * S)]},
    )


def alone(movement: Movement, references: References) -> tuple[float, int]:
    """Nats of the stretch that stands out most, and its length: one series, one by one."""
    post, best, chosen = movement.cut.post, 0.0, 0
    tried = [length for length in LENGTHS if length <= len(post)]
    for length in tried:
        fitted = references.fits.of_length([movement.reference.usual], length)
        median = np.array([movement.median], np.float32)
        scale = np.array([movement.scale], np.float32)
        seen = views(post[None, -length:], median, scale).astype(np.float64)
        price = 0.0 if length == tried[-1] else SPLIT_PRICE * log2(len(tried) + 1)
        value = float(nats(fitted, seen)[0]) - price
        if value > best:
            best, chosen = value, length
    return best, chosen


def numbers(evidence: Evidence) -> tuple[object, ...]:
    rows = [(m.cut.series.metric, m.cut.group, m[2:]) for m in evidence.movements]
    return evidence.after, evidence.before, evidence.arrivals, evidence.worse, rows


worlds = st.tuples(
    st.integers(0, 10_000),
    st.sampled_from([1, 15, 60]),
    st.integers(12, 400),
    st.floats(0.3, 1.0),
)


@settings(max_examples=25, deadline=None)
@given(worlds, st.lists(st.floats(0.05, 0.99), min_size=1, max_size=6))
def test_scored_together_a_moment_says_what_it_says_alone(
    world: tuple[int, int, int, float], acted: Sequence[float]
) -> None:
    series, references = store(*world), References()
    now_ns = (world[2] - 1) * world[1] * S
    moments: list[Moment] = [(e, int(now_ns * share)) for e in ENTITIES for share in acted]

    together = scene(series, references, now_ns).judge(moments)

    for moment in moments:
        references.blocks.clear()
        single = scene(series, references, now_ns).judge([moment])
        assert numbers(single[moment]) == numbers(together[moment])
        for movement in together[moment].movements:
            after, length = alone(movement, references)
            assert movement.after == pytest.approx(after, abs=1e-5)
            assert movement.length == length or movement.after == pytest.approx(0, abs=1e-5)


def test_a_later_round_uses_what_an_earlier_one_laid_out_and_says_the_same() -> None:
    series, references = store(3, 15, 300, 0.9), References()
    moments: list[Moment] = [(entity, 265 * 15 * S) for entity in ENTITIES]
    for last in range(266, 300):
        scene(series, references, last * 15 * S).judge(moments)
    kept = scene(series, references, 299 * 15 * S).judge(moments)
    references.blocks.clear()
    anew = scene(series, references, 299 * 15 * S).judge(moments)

    assert [numbers(kept[m]) for m in moments] == [numbers(anew[m]) for m in moments]
    assert kept["service/cart", 265 * 15 * S].after > 5


def test_memory_is_bounded_by_bytes_and_what_is_forgotten_is_made_again() -> None:
    series, references = store(5, 15, 300, 0.8), References(bytes_max=60_000)
    most = 0
    for first in range(100, 240, 5):
        found = scene(series, references, 299 * 15 * S).judge(
            [(entity, first * 15 * S) for entity in ENTITIES]
        )
        most = max(most, references.size_bytes)
        assert found["service/cart", first * 15 * S].after > 5

    assert most > 60_000  # within a round
    scene(series, references, 299 * 15 * S)
    assert 0 < references.size_bytes <= 60_000


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 20), st.integers(1, 9)),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_the_network_finds_the_median_and_the_largest(points: np.ndarray) -> None:
    middle, largest = middle_and_largest([column.copy() for column in points])
    ordered = np.sort(points, axis=0)
    both = ordered[(len(points) - 1) // 2] + ordered[len(points) // 2]

    assert np.array_equal(middle, both * np.float32(0.5))
    assert np.array_equal(largest, ordered[-1])
