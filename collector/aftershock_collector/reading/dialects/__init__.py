"""What every dialect hands over: one span's own words, before fingerprints and policy.

A dialect is a function `Span -> Reading | None`; None means "not my words, or not a step". It knows
names; what the words amount to is decided once, in `read`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import accumulate
from math import inf
from typing import Any, NamedTuple, cast

from aftershock.fingerprints.shown import Shown
from aftershock.limits import Limits
from aftershock.model import Decision, StepKind, Tokens
from aftershock.names import shortened

# Lenient about raw newlines in texts; made once, because `json.loads` makes one at each call.
_DECODER = json.JSONDecoder(strict=False)

TEXT_CHARS_MAX = Limits().text_chars_max
TEXTS_MAX = 256  # of one list: targets, required facts, alternatives
LIST_CHARS_MAX = 8_192  # of all texts of one list: recorded lists hold a tenth of that
TOKENS_MAX = 2**53  # more is not a count; it would overflow what reads it


class Reading(NamedTuple):
    """One span as its dialect understands it. None: the span does not say."""

    kind: StepKind
    name: str
    agent: str | None = None
    conversation: str | None = None
    arguments: Any = None  # of a tool call: as sent, or the JSON text of it
    result: Any = None
    call_id: str | None = None
    error: str | None = None  # an error that the span's status does not tell
    tokens: Tokens | None = None
    targets: tuple[str, ...] = ()
    decision: Decision | None = None
    shown: Shown | None = None  # of an inference, or of what was said
    cost_usd: float | None = None  # of an inference
    compacted: bool = False
    automatic: bool = False  # of a message: a harness sent it, and no person


def text_in(attributes: Mapping[str, Any], *keys: str) -> str | None:
    """The first of these attributes that is a text with something in it, as long as a step may."""
    for key in keys:
        value = attributes.get(key)
        if value and isinstance(value, str):
            return value if len(value) <= TEXT_CHARS_MAX else value[:TEXT_CHARS_MAX]
    return None


def name_in(attributes: Mapping[str, Any], *keys: str) -> str | None:
    """The first of these attributes that is a text, as a name."""
    for key in keys:
        value = attributes.get(key)
        if value and isinstance(value, str):
            return shortened(value)
    return None


def value_in(attributes: Mapping[str, Any], *keys: str) -> Any:
    """The first of these attributes that is there."""
    for key in keys:
        value = attributes.get(key)
        if value is not None:
            return value
    return None


def count_in(attributes: Mapping[str, Any], *keys: str) -> int | None:
    """The first of these attributes that is a count; some senders write numbers as text."""
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 17:
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= TOKENS_MAX:
            return value
    return None


def texts_in(attributes: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts, without what is none; a single text is a list of one.

    The list ends before the text with which it would be longer than LIST_CHARS_MAX.
    """
    value = attributes.get(key)
    if value is None:
        return ()
    items = cast("list[Any]", value)[:TEXTS_MAX] if isinstance(value, list) else [value]
    texts = [item[:TEXT_CHARS_MAX] for item in items if item and isinstance(item, str)]
    ends = accumulate(map(len, texts))
    return tuple([text for text, end in zip(texts, ends, strict=True) if end <= LIST_CHARS_MAX])


def names_in(attributes: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of names, likewise."""
    return tuple(map(shortened, texts_in(attributes, key)))


def tokens_in(
    attributes: Mapping[str, Any], sent: tuple[str, ...], returned: tuple[str, ...]
) -> Tokens | None:
    """Tokens of an inference; None where neither number is there."""
    given, got = count_in(attributes, *sent), count_in(attributes, *returned)
    if given is None and got is None:
        return None
    return Tokens(given or 0, got or 0)


def cost_in(attributes: Mapping[str, Any], *keys: str) -> float | None:
    """The first of these attributes that is an amount of money."""
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < inf:
            return float(value)
    return None


def parsed(value: Any) -> Any:
    """The value that a JSON text spells; anything else as it is."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return _DECODER.decode(value)
    except (ValueError, RecursionError):
        return value
