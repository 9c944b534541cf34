"""What an attribution shows: charts, explanations that add up, the same on the same input."""

from __future__ import annotations

import numpy as np
import pytest

from aftershock.model import Impact
from aftershock_collector.impact import ActionObserver
from aftershock_collector.metrics.series import SeriesStore
from tests.collector.impact.blame import CATALOG, CHECKOUT, probability
from tests.collector.impact.scene import S, Scene, at, broken, step


def test_charts_hold_the_frozen_band_and_the_points_around_the_action() -> None:
    impact = Scene(broken([CHECKOUT], 7_320)).play(7_900, [step("a", 7_230, CHECKOUT)])["a"]
    chart = impact.charts[0]

    assert impact.change is not None
    assert (chart.entity, chart.metric) == (CHECKOUT, impact.change.name)
    assert chart.low <= chart.median <= chart.high
    assert max(chart.values) > chart.high
    assert len(chart.times_ns) == len(chart.values) <= 160
    assert chart.times_ns[0] < at(7_230) < chart.times_ns[-1]
    assert list(chart.times_ns) == sorted(chart.times_ns)
    before = [v for t, v in zip(chart.times_ns, chart.values, strict=True) if t <= at(7_230)]
    assert float(np.median(before[-30:])) == pytest.approx(chart.median, rel=1e-4)


def test_when_the_looks_are_over_the_chart_goes_on_beyond_the_look_that_was_kept() -> None:
    scene = Scene(broken([CHECKOUT], 7_320), observer=ActionObserver(observation_window_s=300))
    scene.play(7_600, [step("a", 7_230, CHECKOUT)])

    earlier, settled = scene.reported[-2:]

    assert earlier.charts[0].times_ns[-1] <= earlier.judged_at_ns
    assert settled.judged_at_ns <= at(7_590) <= settled.charts[0].times_ns[-1] + 60 * S


def test_the_chart_goes_on_while_somebody_who_was_paged_looks_at_it() -> None:
    """One that ends seconds after the action looks like recovery."""
    scene = Scene(broken([CHECKOUT], 7_320))
    scene.play(7_700, [step("a", 7_230, CHECKOUT)])
    ends = [impact.charts[0].times_ns[-1] for impact in scene.reported if impact.charts]

    assert ends[-1] >= at(7_700 - 60)
    assert len(scene.reported) <= 20  # twice a minute, and not at every round


def test_probabilities_of_all_explanations_add_up_to_one() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    scene.play(7_900, [step(str(n), 7_230 + n, CHECKOUT) for n in range(4)])

    for impact in scene.reported:
        shares = [
            probability(impact),
            *(alternative.probability for alternative in impact.alternatives),
        ]
        assert sum(shares) == pytest.approx(1.0)
        assert all(0 <= share <= 1 for share in shares)


def test_the_same_input_gives_the_same_verdicts() -> None:
    def reported() -> list[Impact]:
        scene = Scene(broken([CHECKOUT], 7_320))
        scene.play(7_900, [step("a", 7_230, CHECKOUT), step("b", 7_240, CATALOG)])
        return scene.reported

    assert reported() == reported()


def test_series_under_another_name_of_the_target_are_found() -> None:
    scene = Scene(broken([CHECKOUT], 7_320))
    scene.store.alias("k8s/shop/checkout", CHECKOUT)

    impact = scene.play(7_900, [step("a", 7_230, "k8s/shop/checkout")])["a"]

    assert (impact.label, impact.entity) == ("probable", CHECKOUT)


def test_an_empty_store_is_no_trouble() -> None:
    observed = ActionObserver()
    observed.open(step("a", 0, CHECKOUT))

    (impact,) = observed.score(at(1), SeriesStore(), {})

    assert impact.missing == (f"nothing is measured on {CHECKOUT}",)
