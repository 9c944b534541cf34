"""Calls side by side: in what the arguments of each differ, and what was new in each answer.

Fingerprints say whether something is the same, nearly the same or new. Where spans carry content,
the differences themselves are shown; nothing here needs it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from aftershock.fingerprints.asked import asked_of
from aftershock.fingerprints.fingerprint import text_of
from aftershock.model import Outcome
from aftershock_collector.reading.dialects import parsed
from aftershock_collector.reading.read import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aftershock.model import Action, Fingerprint, Step
    from aftershock_collector.otlp.wire import Span

DIFFERENCES_MAX = 6  # of one call's arguments or answer; the rest is counted
VALUE_CHARS_MAX = 20_000  # of one answer that is compared line by line: what fingerprints read
DEPTH_MAX = 8  # of nested arguments; deeper is compared as one text
DIGITS = re.compile(r"\d+")


class Likeness(StrEnum):
    """How one call's arguments or answer relate to those of an earlier call."""

    FIRST = "first"  # there is none to compare it with
    SAME = "same"
    NUMBERS = "numbers"  # the same but for its numbers
    DIFFERENT = "different"
    UNKNOWN = "unknown"  # not recorded, or not over


class Content(NamedTuple):
    """What a span recorded of a call. None: nothing, which is the default."""

    arguments: Any = None
    result: Any = None


class Difference(NamedTuple):
    """One thing that differs. None: it is not there at all."""

    where: str  # the argument's path; "" for a line of an answer
    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Arguments or an answer beside those of an earlier call."""

    likeness: Likeness
    beside: int | None = None  # number of that call
    share_new: float | None = None  # words that differ; lines that no earlier answer had
    differences: tuple[Difference, ...] = ()  # only where content was recorded
    more: int = 0  # differences that are not listed


@dataclass(frozen=True, slots=True)
class Call:
    """One step of the evidence, compared with the calls of the same tool before it."""

    number: int  # from 1, in event order
    step: Step
    arguments: Compared = field(default_factory=lambda: Compared(Likeness.UNKNOWN))
    answer: Compared = field(default_factory=lambda: Compared(Likeness.UNKNOWN))
    content: Content = field(default_factory=Content)


def content_of(span: Span) -> Content:
    """What a span recorded of its call, in whichever dialect."""
    for dialect in DIALECTS:
        reading = dialect(span)
        if reading is not None:
            return Content(parsed(reading.arguments), reading.result)
    return Content()


def side_by_side(steps: Sequence[Step], contents: Mapping[str, Content]) -> tuple[Call, ...]:
    """Steps in event order, each compared with what was called before it.

    A call is compared with the newest one of equal arguments, or else with the newest one of the
    same tool; its answer with every earlier answer of that tool.
    """
    calls: list[Call] = []
    for number, step in enumerate(steps, 1):
        content = contents.get(step.span_id, Content())
        action = step.action
        if action is None:
            calls.append(Call(number, step, content=content))
            continue
        earlier = [one for one in calls if one.step.action and one.step.action.tool == action.tool]
        calls.append(
            Call(
                number,
                step,
                compare_arguments(action, content, earlier),
                compare_answers(action, content, earlier),
                content,
            )
        )
    return tuple(calls)


# --- Arguments -------------------------------------------------------------------------------


def compare_arguments(action: Action, content: Content, earlier: Sequence[Call]) -> Compared:
    """One call's arguments beside those of an earlier call of the same tool."""
    if not earlier:
        return Compared(Likeness.FIRST)
    equal = [one for one in earlier if arguments_of(one).digest == action.arguments.digest]
    other = (equal or earlier)[-1]
    if equal:
        return Compared(Likeness.SAME, other.number, 0.0)
    sketch, before = action.arguments.sketch, arguments_of(other).sketch
    differences = differing_arguments(other.content.arguments, content.arguments)
    shown = differences[:DIFFERENCES_MAX]
    if not sketch and not differences:
        return Compared(Likeness.UNKNOWN, other.number)
    moved = sketch ^ before
    return Compared(
        Likeness.NUMBERS if moved and moved == asked_of(moved).numbers else Likeness.DIFFERENT,
        other.number,
        share(moved, sketch | before),
        tuple(shown),
        len(differences) - len(shown),
    )


def arguments_of(call: Call) -> Fingerprint:
    """The fingerprint of a call's arguments."""
    assert call.step.action is not None, "only calls of tools are compared"
    return call.step.action.arguments


def differing_arguments(before: Any, now: Any) -> list[Difference]:
    """Arguments by their path that are not equal; empty where either was not recorded."""
    if before is None or now is None:
        return []
    old, new = leaves_of(before), leaves_of(now)
    return [
        Difference(path, old.get(path), new.get(path))
        for path in dict.fromkeys((*old, *new))
        if old.get(path) != new.get(path)
    ]


def leaves_of(value: Any, path: str = "", depth: int = 0) -> dict[str, str]:
    """Every text, number and truth inside a value, by its dotted path."""
    if isinstance(value, dict) and value and depth < DEPTH_MAX:
        items = [(str(key), item) for key, item in cast("dict[Any, Any]", value).items()]
    elif isinstance(value, list) and value and depth < DEPTH_MAX:
        items = [(str(at), item) for at, item in enumerate(cast("list[Any]", value))]
    else:
        return {path: value if isinstance(value, str) else spelled(value)}
    found: dict[str, str] = {}
    for key, item in items:
        found |= leaves_of(item, f"{path}.{key}" if path else key, depth + 1)
    return found


def spelled(value: Any) -> str:
    """A value as JSON, or as Python says it."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return str(value)


# --- Answers ---------------------------------------------------------------------------------


def compare_answers(action: Action, content: Content, earlier: Sequence[Call]) -> Compared:
    """What one call's answer says that no earlier answer of that tool did."""
    if action.result is None:
        return compare_errors(action, earlier)
    known = [
        (one, one.step.action.result)
        for one in earlier
        if one.step.action is not None and one.step.action.result is not None
    ]
    if not known:
        return Compared(Likeness.FIRST)
    for one, result in reversed(known):
        if result.digest == action.result.digest:
            return Compared(Likeness.SAME, one.number, 0.0)
    answers = [text_of(one.content.result) for one, _ in known if one.content.result is not None]
    text = None if content.result is None else text_of(content.result)
    for one, result in reversed(known):
        if result.sketch == action.result.sketch:
            moved = moved_numbers(one.content.result, text)
            shown = moved[:DIFFERENCES_MAX]
            left = len(moved) - len(shown)
            return Compared(Likeness.NUMBERS, one.number, 0.0, tuple(shown), left)
    union = frozenset[int]().union(*(result.sketch for _, result in known))
    newer = [] if text is None or not answers else new_parts(answers, text)
    sketch = action.result.sketch
    return Compared(
        Likeness.DIFFERENT,
        known[-1][0].number,
        share(sketch - union, sketch),
        tuple(Difference("", None, part) for part in newer[:DIFFERENCES_MAX]),
        max(0, len(newer) - DIFFERENCES_MAX),
    )


def compare_errors(action: Action, earlier: Sequence[Call]) -> Compared:
    """A call that failed without an answer is known by the class of its error."""
    if action.outcome is not Outcome.FAILED or not action.error_class:
        return Compared(Likeness.UNKNOWN)
    failures = [
        one
        for one in earlier
        if one.step.action is not None and one.step.action.outcome is Outcome.FAILED
    ]
    for one in reversed(failures):
        if one.step.action and one.step.action.error_class == action.error_class:
            return Compared(Likeness.SAME, one.number)
    return Compared(Likeness.DIFFERENT if failures else Likeness.FIRST)


def share(part: frozenset[int], whole: frozenset[int]) -> float | None:
    """How much of a sketch a part of it is; None where there is no sketch."""
    return len(part) / len(whole) if whole else None


def parts_of(text: str) -> list[str]:
    """Lines of an answer; clauses of one that has hardly any, as fingerprints have it."""
    text = text[:VALUE_CHARS_MAX]
    if text.count("\n") < 4:
        text = text.replace(",", "\n").replace(". ", "\n")
    return [part for line in text.split("\n") if (part := line.strip())]


def new_parts(earlier: Sequence[str], text: str) -> list[str]:
    """Parts of an answer that no earlier one had, whatever their numbers."""
    known = {DIGITS.sub("#", part) for one in earlier for part in parts_of(one)}
    return [part for part in parts_of(text) if DIGITS.sub("#", part) not in known]


def moved_numbers(before: Any, text: str | None) -> list[Difference]:
    """Parts of which only the numbers differ, as they were and as they are."""
    if before is None or text is None:
        return []
    old: dict[str, list[str]] = {}
    for part in parts_of(text_of(before)):
        old.setdefault(DIGITS.sub("#", part), []).append(part)
    found: list[Difference] = []
    for part in parts_of(text):
        same = old.get(DIGITS.sub("#", part))
        if same and (was := same.pop(0)) != part:
            found.append(Difference("", was, part))
    return found
