"""Known models: their context windows and list prices.

Prices change and contracts differ. `models` in aftershock.yaml wins over this table, and a cost on
the span wins over both. Cached and batched tokens cost less, so a cost computed here is an upper
bound.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

from aftershock.limits import Limits, Model
from aftershock.model import Outcome, Spent, StepKind

if TYPE_CHECKING:
    from aftershock.model import Step

# Steps that a budget counts.
COUNTED = frozenset({StepKind.INFERENCE, StepKind.TOOL_CALL, StepKind.RETRIEVAL, StepKind.HAND_OFF})

# Tokens, then US dollars per million tokens sent and returned, by the makers' price lists of 2025.
# The first matching pattern wins, so narrower patterns come first.
KNOWN: tuple[Model, ...] = (
    Model("gpt-5-nano*", 400_000, 0.05, 0.40),
    Model("gpt-5-mini*", 400_000, 0.25, 2.0),
    Model("gpt-5*", 400_000, 1.25, 10.0),
    Model("gpt-4.1-nano*", 1_047_576, 0.10, 0.40),
    Model("gpt-4.1-mini*", 1_047_576, 0.40, 1.60),
    Model("gpt-4.1*", 1_047_576, 2.0, 8.0),
    Model("gpt-4o-mini*", 128_000, 0.15, 0.60),
    Model("gpt-4o*", 128_000, 2.50, 10.0),
    Model("gpt-4-turbo*", 128_000, 10.0, 30.0),
    Model("gpt-4-32k*", 32_768, 60.0, 120.0),
    Model("gpt-4", 8_192, 30.0, 60.0),
    Model("gpt-3.5-turbo*", 16_385, 0.50, 1.50),
    Model("o1-mini*", 128_000, 1.10, 4.40),
    Model("o1*", 200_000, 15.0, 60.0),
    Model("o3-mini*", 200_000, 1.10, 4.40),
    Model("o3*", 200_000, 2.0, 8.0),
    Model("o4-mini*", 200_000, 1.10, 4.40),
    Model("claude-opus-4-5*", 200_000, 5.0, 25.0),
    Model("claude-opus-4*", 200_000, 15.0, 75.0),
    Model("claude-sonnet-4*", 200_000, 3.0, 15.0),
    Model("claude-haiku-4*", 200_000, 1.0, 5.0),
    Model("claude-3-opus*", 200_000, 15.0, 75.0),
    Model("claude-3-5-haiku*", 200_000, 0.80, 4.0),
    Model("claude-3-haiku*", 200_000, 0.25, 1.25),
    Model("claude-3*sonnet*", 200_000, 3.0, 15.0),
    Model("gemini-2.5-pro*", 1_048_576, 1.25, 10.0),
    Model("gemini-2.5-flash-lite*", 1_048_576, 0.10, 0.40),
    Model("gemini-2.5-flash*", 1_048_576, 0.30, 2.50),
    Model("gemini-2.0-flash-lite*", 1_048_576, 0.075, 0.30),
    Model("gemini-2.0-flash*", 1_048_576, 0.10, 0.40),
    Model("gemini-1.5-pro*", 2_097_152, 1.25, 5.0),
)

# What a token read from a cache, and one written to it, costs in relation to one that is sent; by
# the same price lists. The first matching pattern wins.
CACHED: tuple[tuple[str, float, float], ...] = (
    ("claude*", 0.1, 1.25),
    ("gpt-5*", 0.1, 1.0),
    ("gpt-4.1*", 0.25, 1.0),
    ("o3*", 0.25, 1.0),
    ("o4*", 0.25, 1.0),
    ("gemini*", 0.25, 1.0),
    ("*", 0.5, 1.0),
)


def window_of(name: str, limits: Limits) -> int | None:
    """The context window of a model in tokens; None if it is not known."""
    if limits.context_window_tokens is not None:
        return limits.context_window_tokens
    for model in models_called(name, limits.models):
        if model.context_window is not None:
            return model.context_window
    return None


def cost_of(step: Step, limits: Limits) -> float | None:
    """US dollars of one inference, by its span or by list price; None if neither is known."""
    if step.cost_usd is not None or step.tokens is None:
        return step.cost_usd
    for model in models_called(step.name, limits.models):
        if model.input_usd is not None and model.output_usd is not None:
            sent, returned = step.tokens.input, step.tokens.output
            return (sent * model.input_usd + returned * model.output_usd) / 1e6
    return None


def cost_of_tokens(  # noqa: PLR0917
    name: str, fresh: int, cached: int, written: int, returned: int, limits: Limits
) -> float | None:
    """US dollars of one inference by list price, with what a cache saved; None: no known price."""
    own = name.lower().rpartition("/")[2]
    read, write = next((r, w) for pattern, r, w in CACHED if fnmatchcase(own, pattern))
    for model in models_called(name, limits.models):
        if model.input_usd is not None and model.output_usd is not None:
            sent = fresh + read * cached + write * written
            return (sent * model.input_usd + returned * model.output_usd) / 1e6
    return None


def spent_with(spent: Spent, step: Step, limits: Limits) -> Spent:
    """What is spent after one more step; an unknown cost counts as zero."""
    if step.kind not in COUNTED:
        return spent
    failed = step.action is not None and step.action.outcome is Outcome.FAILED
    return Spent(
        spent.steps + 1,
        spent.tokens + (step.tokens.total if step.tokens else 0),
        spent.cost_usd + (cost_of(step, limits) or 0.0),
        spent.tool_errors + failed,
    )


@lru_cache(maxsize=1_024)
def models_called(name: str, declared: tuple[Model, ...]) -> tuple[Model, ...]:
    """Entries that match a model, declared ones first; of `provider/name` the name is matched."""
    own = name.lower().rpartition("/")[2]
    return tuple(
        model
        for model in (*declared, *KNOWN)
        if fnmatchcase(own, model.pattern.lower()) or fnmatchcase(name, model.pattern)
    )
