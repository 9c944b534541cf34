"""A parsed policy file → entries. Every mistake is an error that names the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aftershock.approval import Gate
from aftershock.limits import RENAMED_LIMITS, Model
from aftershock.model import Tier
from aftershock.policy.entries import (
    ANY,
    LIMIT_TYPES,
    AgentRule,
    PolicyError,
    ToolRule,
    Wanted,
)
from aftershock.policy.readers import (
    read_amount,
    read_list,
    read_mapping,
    read_one_of,
    read_seconds,
    read_target,
    read_text,
    read_yes_or_no,
)
from aftershock.policy.safeguard_parsing import read_assumed, read_canary, read_explain

if TYPE_CHECKING:
    from collections.abc import Mapping

BUDGET_KEYS = frozenset({"steps", "tokens", "tool_errors", "cost_usd", "wall_time", "warn_at"})
SHARED_BUDGETS = frozenset({"per_user", "per_day"})
TOOL_KEYS = frozenset(
    {
        "tier", "targets", "requires", "provides", "polls", "explain", "gate", "max_time",
        "untrusted", "undo", "assumes", "dry_run", "canary",
    }
)  # fmt: skip


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
        read_explain(body, path),
        read_one_of(Gate, body, "gate", path),
        read_patience(body, path),
        read_seconds(body, "max_time", path),
        read_yes_or_no(body, "untrusted", path),
        read_text(body["undo"], (*path, "undo")) if "undo" in body else None,
        read_assumed(body, path),
        read_yes_or_no(body, "dry_run", path),
        read_canary(body, path),
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
