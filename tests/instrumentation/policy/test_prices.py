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
        ("gpt-4-0613", 8_192),
        ("gpt-4-1106-preview", 128_000),
        ("claude-opus-5-5", 1_000_000),
        ("our-own-model", None),
        ("", None),
    ],
)
def test_a_models_window_is_known_by_its_name(name: str, window: int | None) -> None:
    assert window == window_of(name, LIMITS)


def test_the_narrower_pattern_stands_first() -> None:
    for model in KNOWN:
        assert models_called(model.pattern, ())[0] == model


@pytest.mark.parametrize(
    ("name", "usd"),
    [
        ("claude-opus-4-20250514", 15.0),
        ("claude-opus-4-5@20251101", 5.0),
        ("us.anthropic/claude-sonnet-4-5-20250929-v1:0", 3.0),
        ("claude-opus-5-5", 4.0),  # as Claude Code 2.1.332 itself counts it
        ("gpt-5.1-codex", 1.25),
        ("gpt-5-2025-08-07", 1.25),
        ("gpt-3.5-turbo-0125", 0.5),
        ("gemini-2.0-flash-001", 0.1),
        ("claude-3-5-haiku-latest", 0.8),
    ],
)
def test_a_snapshot_costs_what_its_model_costs(name: str, usd: float) -> None:
    assert cost_of(inference(name), LIMITS) == usd


@pytest.mark.parametrize(
    "name",
    [
        "claude-opus-4-9",
        "claude-opus-6",
        "gpt-5.7",
        "gpt-5.1-codex-ultra",
        "gpt-4o-realtime-preview",
        "o3-next",
        "gemini-2.5-flash-preview-tts",
    ],
)
def test_a_newer_or_another_model_of_a_family_has_no_price(name: str) -> None:
    assert cost_of(inference(name), LIMITS) is None
    assert window_of(name, LIMITS) is None


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
