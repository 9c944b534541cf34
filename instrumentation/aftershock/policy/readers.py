"""Readers of single values of a policy; each mistake is an error that names the key."""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aftershock.entity import entity_key
from aftershock.policy.entries import COUNTS, PolicyError, Templates, parse_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

Choice = TypeVar("Choice", bound=StrEnum)


def read_mapping(
    value: Any, path: tuple[str | int, ...], known: frozenset[str] | set[str] | None = None
) -> dict[str, Any]:
    """A mapping with text keys, none of them unknown."""
    if not isinstance(value, dict):
        raise PolicyError(path, "must be a mapping")
    mapping = cast("dict[Any, Any]", value)
    for key in mapping:
        if not isinstance(key, str):
            raise PolicyError((*path, str(key)), "keys must be text")
        if known is not None and key not in known:
            raise PolicyError((*path, key), f"unknown key; known are {', '.join(sorted(known))}")
    return cast("dict[str, Any]", mapping)


def read_list(value: Any, path: tuple[str | int, ...]) -> list[Any]:
    """A list, as it is."""
    if not isinstance(value, list):
        raise PolicyError(path, "must be a list")
    return cast("list[Any]", value)


def read_text(value: Any, path: tuple[str | int, ...]) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise PolicyError(path, "must be a text")
    return value


def read_seconds(body: Mapping[str, Any], key: str, path: tuple[str | int, ...]) -> float | None:
    """A duration in seconds; None if the key is not set."""
    if (value := body.get(key)) is None:
        return None
    try:
        return parse_seconds(value)
    except (TypeError, ValueError) as error:
        raise PolicyError((*path, key), str(error)) from None


def read_one_of(
    choices: type[Choice], body: Mapping[str, Any], key: str, path: tuple[str | int, ...]
) -> Choice | None:
    """One of the allowed values, or None if the key is not set."""
    value = body.get(key)
    if value is not None and value not in list(choices):
        raise PolicyError((*path, key), f"must be one of {', '.join(choices)}")
    return None if value is None else choices(value)


def read_yes_or_no(body: Mapping[str, Any], key: str, path: tuple[str | int, ...]) -> bool | None:
    """True, false, or None if the key is not set."""
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        raise PolicyError((*path, key), "must be true or false")
    return value


def read_target(value: Any, path: tuple[str | int, ...]) -> Templates:
    """Resource attributes that name one target."""
    body = read_mapping(value, path)
    target = tuple((name, read_text(text, (*path, name))) for name, text in body.items())
    if entity_key(dict(target)) is None:
        raise PolicyError(path, "names nothing; give for instance service.name or db.namespace")
    return target


def read_amount(body: Mapping[str, Any], key: str, path: tuple[str | int, ...]) -> float | None:
    """A number that is zero or more; None if the key is not set."""
    value = body.get(key)
    if value is None:
        return None
    if key == "wall_time":
        return read_seconds(body, key, path)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < inf:
        raise PolicyError((*path, key), "must be a number, zero or more")
    if key in COUNTS and (value != int(value) or (key == "context_window" and not value)):
        raise PolicyError((*path, key), "must be a whole number")
    return float(value)


def read_number(body: Mapping[str, Any], key: str, path: tuple[str | int, ...]) -> float | None:
    """Any finite number; None if the key is not set."""
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -inf < value < inf:
        raise PolicyError((*path, key), "must be a number")
    return float(value)
