"""The price list: context windows and makers' list prices of known models, of one date.

Add a model above the patterns that would match it as well, and set the date.
"""

from __future__ import annotations

from aftershock.limits import Model

AS_OF = "2025"

# Tokens, then US dollars per million tokens sent and returned, by the makers' price lists.
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
