"""Claims, findings, impacts and changes as plain JSON and back again, without loss.

The shape is the dataclasses' own: field names are keys, enums their values, tuples are lists, a
number that JSON cannot spell (not finite) is its name as text. A key that is not there takes the
field's default, and an unknown key is ignored, so that neighbouring versions read each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from aftershock.model import Change, Claim, Feedback, Finding, Impact, Report
from aftershock_collector.impact.suspects import Suspects

Model = TypeVar("Model")
Reader = Callable[[Any], Any]


def claim_text(claim: Claim) -> str:
    """A claim as JSON text."""
    return _text(claim)


def claim_from_text(text: str) -> Claim:
    """The claim that `claim_text` wrote. Raises ValueError where it did not."""
    return from_plain(Claim, json.loads(text))


def finding_text(finding: Finding) -> str:
    """A finding as JSON text."""
    return _text(finding)


def finding_from_text(text: str) -> Finding:
    """The finding that `finding_text` wrote. Raises ValueError where it did not."""
    return from_plain(Finding, json.loads(text))


def impact_text(impact: Impact) -> str:
    """An impact as JSON text."""
    return _text(impact)


def impact_from_text(text: str) -> Impact:
    """The impact that `impact_text` wrote. Raises ValueError where it did not."""
    return from_plain(Impact, json.loads(text))


def change_text(change: Change) -> str:
    """A change as JSON text."""
    return _text(change)


def change_from_text(text: str) -> Change:
    """The change that `change_text` wrote. Raises ValueError where it did not."""
    return from_plain(Change, json.loads(text))


def suspects_text(suspects: Suspects) -> str:
    """An alert's suspects as JSON text."""
    return _text(suspects)


def suspects_from_text(text: str) -> Suspects:
    """The suspects that `suspects_text` wrote. Raises ValueError where it did not."""
    return from_plain(Suspects, json.loads(text))


def feedback_text(feedback: Feedback) -> str:
    """A person's verdict as JSON text."""
    return _text(feedback)


def feedback_from_text(text: str) -> Feedback:
    """The vote that `feedback_text` wrote. Raises ValueError where it did not."""
    return from_plain(Feedback, json.loads(text))


def report_text(report: Report) -> str:
    """A report as JSON text."""
    return _text(report)


def to_plain(value: Any) -> Any:
    """Any value of the model as dicts, lists, texts and numbers."""
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, tuple):
        return [to_plain(item) for item in cast("tuple[Any, ...]", value)]
    assert is_dataclass(value), f"{type(value).__name__} is not of the model"
    return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}


def from_plain(kind: type[Model], plain: Any) -> Model:
    """The model value of a type that `to_plain` wrote. Raises ValueError where it did not."""
    try:
        return _reader(kind)(plain)
    except (TypeError, KeyError, AttributeError, AssertionError) as why:
        raise ValueError(f"not a stored {kind.__name__}: {why!r}") from why


def _text(value: Any) -> str:
    return json.dumps(to_plain(value), ensure_ascii=False, separators=(",", ":"))


@cache
def _reader(kind: Any) -> Reader:
    """How a value of this type is read; made once per type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (UnionType, Union):
        (inner,) = [_reader(one) for one in arguments if one is not NoneType]
        return lambda plain: None if plain is None else inner(plain)
    if origin is tuple:
        inner = _reader(arguments[0])
        return lambda plain: tuple([inner(item) for item in _exactly(list, plain)])
    if origin is dict:
        inner = _reader(arguments[1])
        return lambda plain: {key: inner(item) for key, item in plain.items()}
    if is_dataclass(kind):
        return _dataclass_reader(cast("type[Any]", kind))
    if kind is float:
        return _number
    if issubclass(kind, StrEnum):
        return kind
    return lambda plain: _exactly(kind, plain)


def _dataclass_reader(kind: type[Any]) -> Reader:
    hints = get_type_hints(kind)
    required = {
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    }
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}

    def read(plain: Any) -> Any:
        given = {name: one(plain[name]) for name, one in readers.items() if name in plain}
        if missing := required - given.keys():
            raise KeyError(*sorted(missing))
        return kind(**given)

    return read


def _number(plain: Any) -> float:
    if isinstance(plain, str):
        return float(plain)
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise TypeError(f"{plain!r} is not a number")
    return plain


def _exactly(kind: type[Any], plain: Any) -> Any:
    if type(plain) is not kind:
        raise TypeError(f"{plain!r} is not {kind.__name__}")
    return plain
