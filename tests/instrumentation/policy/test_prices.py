"""Known models: by name, by provider's name, and after what is declared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftershock.limits import Limits, Model
from aftershock.model import Outcome, Spent, Step, StepKind, Tokens
from aftershock.policy.price_list import KNOWN
from aftershock.policy.prices import cost_of, models_called, spent_with, window_of
from tests.support.scenario import run

LIMITS = Limits()


def inference(model: str, sent: int = 1_000_000, returned: int = 0) -> Step:
    return Step("r", "s", StepKind.INFERENCE, model, 0, 1, tokens=Tokens(sent, returned))


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("gpt-4o-mini-2024-07-18", 128_000),
        ("openai/gpt-4.1", 1_047_576),
        ("anthropic/Claude-Sonnet-4-20250514", 200_000),
        ("gpt-4-0613", None),
        ("our-own-model", None),
        ("", None),
    ],
)
def test_a_models_window_is_known_by_its_name(name: str, window: int | None) -> None:
    assert window == window_of(name, LIMITS)


def test_the_narrower_pattern_stands_first() -> None:
    for model in KNOWN:
        name = model.pattern.replace("*", "")
        assert models_called(name, ())[0] == model


def test_cost_is_what_the_span_tells_else_by_declared_price_else_by_list_price() -> None:
    declared = replace(LIMITS, models=(Model("gpt-4o*", input_usd=1.0, output_usd=2.0),))

    assert cost_of(inference("gpt-4o"), LIMITS) == 2.5
    assert cost_of(inference("gpt-4o", 1_000_000, 1_000_000), declared) == 3.0
    assert cost_of(replace(inference("gpt-4o"), cost_usd=0.0), LIMITS) == 0.0
    assert cost_of(inference("our-own-model"), LIMITS) is None


def test_a_declared_window_leaves_the_list_price() -> None:
    declared = replace(LIMITS, models=(Model("gpt-4o*", context_window=5),))

    assert window_of("gpt-4o", declared) == 5
    assert cost_of(inference("gpt-4o"), declared) == 2.5


def test_what_steps_use_up_adds_up() -> None:
    played = (
        run().thinks(100, output=10).calls("search", q="a").fails().decides().receives_message()
    )
    spent = Spent()
    for step in played.steps:
        spent = spent_with(spent, step, LIMITS)

    assert spent == Spent(steps=2, tokens=110, cost_usd=0.0, tool_errors=1)
    assert played.steps[1].action
    assert played.steps[1].action.outcome is Outcome.FAILED
