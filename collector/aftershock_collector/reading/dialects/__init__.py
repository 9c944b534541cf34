"""What every dialect hands over: one span's own words, before fingerprints and policy.

A dialect is a function `Span -> Reading | None`; None means "not my words, or not a step". It knows
names; what the words amount to is decided once, in `read`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from math import inf
from typing import Any, NamedTuple, cast

from aftershock.approval import Approval
from aftershock.fingerprints.shown import Shown
from aftershock.gate import any_json
from aftershock.limits import Limits
from aftershock.model import Decision, Instruction, Output, StepKind, Tokens
from aftershock.names import shortened
from aftershock.policy.instructions import instruction_of

TEXT_CHARS_MAX = Limits().text_chars_max
TEXTS_MAX = 256  # of one list: targets, required facts, alternatives
LIST_CHARS_MAX = 8_192  # of all texts of one list: recorded lists hold a tenth of that
DURATION_MS_MAX = 1e10  # four months
TOKENS_MAX = 2**53  # more is not a count; it would overflow what reads it


# Who answered for a call, as approvals name it.
PERSON = "user"
POLICY = "policy"  # the agent's own settings

NS_PER_MS = 1_000_000


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
    output: Output | None = None  # of an inference
    instruction: Instruction | None = None  # of a message of a person
    compacted: bool = False
    automatic: bool = False  # of a message: a harness sent it, and no person
    error_text: str = ""
    approval: Approval | None = None  # of an approval, or that came with the call itself
    # Of agents that tell of one step in several records, spans and log events:
    session: str | None = None  # the run; None: the trace is
    identity: str | None = None  # what all records of the step have in common; None: one has all
    parent: str | None = None  # the identity of the step that this one is part of
    succeeded: bool = False  # said without a result
    lasted_ns: int = 0  # of a log event that tells of what is over
    is_open: bool = False  # a log event that tells of a beginning
    provides: str | None = None  # of a fact: its kind
    is_part: bool = False  # of a frame: it is no agent's, such as a chain


PART = Reading(StepKind.AGENT, "", is_part=True)


def with_instruction(
    message: Reading, attributes: Mapping[str, Any], key: str = "prompt"
) -> Reading:
    """A message of a person with what it asks, where its text was sent under this key."""
    text = text_in(attributes, key)
    return message._replace(instruction=None if text is None else instruction_of(text))


def approved(call: Reading, approval: Approval) -> Reading:
    """A call that has just been allowed. Without an id it could never be known to have ended."""
    if call.call_id is None:
        return call._replace(kind=StepKind.APPROVAL, arguments=None, approval=approval)
    return call._replace(approval=approval, is_open=True)


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


def flag_in(attributes: Mapping[str, Any], key: str) -> bool | None:
    """A truth value; some senders write it as text. None: it is neither true nor false."""
    value = attributes.get(key)
    return {"true": True, "false": False}.get(str(value).lower())


def lasted_in(attributes: Mapping[str, Any], key: str = "duration_ms") -> int:
    """A duration in milliseconds, as nanoseconds; zero where there is none."""
    value = attributes.get(key)
    try:
        milliseconds = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return 0
    return round(milliseconds * NS_PER_MS) if 0 <= milliseconds < DURATION_MS_MAX else 0


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
    return any_json.value_of(value)
