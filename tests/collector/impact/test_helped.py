"""helped: trouble that ended after an action, and trouble that went on."""

from __future__ import annotations

from aftershock.grade import Effect
from aftershock_collector.wording import attribution_words
from tests.collector.impact.scene import Scene, broken, step

CHECKOUT = "service/checkout"
HOUR = 3_600.0


def test_an_action_that_ends_trouble_is_reported_to_have_helped() -> None:
    scene = Scene(broken([CHECKOUT], 2 * HOUR, 2.2 * HOUR + 60))

    impact = scene.play(2.2 * HOUR + 900, [step("a", 2.2 * HOUR, CHECKOUT)])["a"]

    assert impact.effect is Effect.HELPED
    assert (impact.probability or 0.0) < 0.5
    assert attribution_words(impact).endswith(
        "helped service/checkout: trouble that was there before ended after it."
    )


def test_an_action_in_trouble_that_goes_on_changed_nothing() -> None:
    scene = Scene(broken([CHECKOUT], 2 * HOUR))

    impact = scene.play(2.2 * HOUR + 900, [step("a", 2.2 * HOUR, CHECKOUT)])["a"]

    assert impact.effect is Effect.UNCHANGED
    assert (impact.probability or 0.0) < 0.5
    assert attribution_words(impact).endswith(
        "came after trouble of service/checkout began, and did not change it."
    )


def test_without_trouble_nothing_is_claimed() -> None:
    impact = Scene().play(2.2 * HOUR + 900, [step("a", 2.2 * HOUR, CHECKOUT)])["a"]

    assert impact.effect is Effect.UNCLEAR
