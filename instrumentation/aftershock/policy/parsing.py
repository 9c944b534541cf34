"""A parsed policy file → entries. Every mistake is an error that names the key."""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aftershock.approval import Gate
from aftershock.entity import entity_key
from aftershock.limits import RENAMED_LIMITS, Model
from aftershock.model import Tier
from aftershock.policy.entries import (
    ANY,
    COUNTS,
    LIMIT_TYPES,
    AgentRule,
    PolicyError,
    Templates,
    ToolRule,
    Wanted,
    parse_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

BUDGET_KEYS = frozenset({"steps", "tokens", "tool_errors", "cost_usd", "wall_time", "warn_at"})
SHARED_BUDGETS = frozenset({"per_user", "per_day"})
TOOL_KEYS = frozenset(
    {
        "tier", "targets", "requires", "provides", "polls", "explain", "gate", "max_time",
        "untrusted", "undo",
    }
)  # fmt: skip

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


def read_tool(name: str, value: Any, path: tuple[str | int, ...]) -> ToolRule:
    """One entry under `tools`."""
    body = read_mapping({} if value is None else value, path, TOOL_KEYS)
    targets = body.get("targets")
    return ToolRule(
        name,
        read_one_of(Tier, body, "tier", path),
        None
        if targets is None
        else tuple(
            read_target(one, (*path, "targets", place))
            for place, one in enumerate(read_list(targets, (*path, "targets")))
        ),
        read_wanted(body, "requires", path),
        read_wanted(body, "provides", path),
        read_polls(body, path),
        read_yes_or_no(body, "explain", path),
        read_one_of(Gate, body, "gate", path),
        read_patience(body, path),
        read_seconds(body, "max_time", path),
        read_yes_or_no(body, "untrusted", path),
        read_text(body["undo"], (*path, "undo")) if "undo" in body else None,
    )


def read_polls(body: Mapping[str, Any], path: tuple[str | int, ...]) -> bool | None:
    """True for a tool that polls, declared as `polls: true` or `polls: {patience: 15m}`."""
    return True if isinstance(body.get("polls"), dict) else read_yes_or_no(body, "polls", path)


def read_patience(body: Mapping[str, Any], path: tuple[str | int, ...]) -> float | None:
    """Seconds that a poll's answer may stay the same; None if they are not declared."""
    if not isinstance(body.get("polls"), dict):
        return None
    here = (*path, "polls")
    return read_seconds(read_mapping(body["polls"], here, {"patience"}), "patience", here)


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


def read_wanted(
    body: Mapping[str, Any], key: str, path: tuple[str | int, ...]
) -> tuple[Wanted, ...] | None:
    """Facts that a tool requires or provides."""
    if key not in body:
        return None
    wanted: list[Wanted] = []
    for place, one in enumerate(read_list(body[key], (*path, key))):
        here = (*path, key, place)
        known = {"fact", "subject"} | ({"max_age"} if key == "requires" else set[str]())
        entry = read_mapping(one, here, known)
        seconds = read_seconds(entry, "max_age", here)
        subject = read_text(entry.get("subject", ANY), (*here, "subject"))
        wanted.append(Wanted(read_text(entry.get("fact"), (*here, "fact")), subject, seconds))
    return tuple(wanted)


def read_agent(name: str, value: Any, path: tuple[str | int, ...]) -> AgentRule:
    """One entry under `agents`."""
    known = {"limits", "budget", "budget_per_day", "context_window"}
    body = read_mapping({} if value is None else value, path, known)
    window = read_amount(body, "context_window", path)
    return AgentRule(
        name,
        read_limits(body.get("limits") or {}, (*path, "limits")),
        read_budget(body.get("budget") or {}, (*path, "budget")),
        read_budget(body.get("budget_per_day") or {}, (*path, "budget_per_day")),
        None if window is None else int(window),
    )


def read_budget(value: Any, path: tuple[str | int, ...]) -> tuple[tuple[str, float], ...]:
    """What a run, or all runs of a day, may use up: fields of Budget and their amounts."""
    body = read_mapping(value, path, BUDGET_KEYS)
    share = read_amount(body, "warn_at", path)
    if share is not None and not 0 < share <= 1:
        raise PolicyError((*path, "warn_at"), "must be a share above 0 and up to 1, such as 0.8")
    found = [(key, amount) for key in body if (amount := read_amount(body, key, path)) is not None]
    return tuple(("wall_time_s" if key == "wall_time" else key, amount) for key, amount in found)


def read_shared_budgets(
    value: Any, path: tuple[str | int, ...]
) -> tuple[tuple[tuple[str, float], ...], ...]:
    """The `budget` section: what each user, and what everybody together, may use up in a day."""
    body = read_mapping({} if value is None else value, path, SHARED_BUDGETS)
    return tuple(read_budget(body.get(key) or {}, (*path, key)) for key in ("per_user", "per_day"))


def read_model(name: str, value: Any, path: tuple[str | int, ...]) -> Model:
    """One entry under `models`."""
    keys = ("context_window", "input_usd", "output_usd")
    body = read_mapping({} if value is None else value, path, set(keys))
    window, sent, returned = (read_amount(body, key, path) for key in keys)
    return Model(name, None if window is None else int(window), sent, returned)


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


def read_limits(value: Any, path: tuple[str | int, ...]) -> tuple[tuple[str, float], ...]:
    """Overrides of fields of Limits, with their types."""
    given = read_mapping(value, path, {*LIMIT_TYPES, *RENAMED_LIMITS})
    body = {RENAMED_LIMITS.get(name, name): number for name, number in given.items()}
    for name, number in body.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or number < 0:
            raise PolicyError((*path, name), "must be a number, zero or more")
        if LIMIT_TYPES[name] is int and number != int(number):
            raise PolicyError((*path, name), "must be a whole number")
    return tuple((name, float(number)) for name, number in body.items())
