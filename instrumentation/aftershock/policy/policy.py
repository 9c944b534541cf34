"""The typed view of a policy: what each tool may do and must know, and the limits of each agent."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aftershock.approval import Gate
from aftershock.entity import entity_key
from aftershock.limits import RENAMED_LIMITS, Budget, Limits, Model
from aftershock.model import Requirement, Tier
from aftershock.policy.tiers import guess_tier

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY = "*"  # a subject that could not be told: matches every other
SECONDS = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h|d)$")
UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
OTHER_KEYS = frozenset({"limits", "collector", "infrastructure", "on_call"})
DEFAULTS = Limits()
NUMBERS: dict[str, type[int | float]] = {"int": int, "float": float}
LIMIT_TYPES = {one.name: NUMBERS[kind] for one in fields(Limits) if (kind := one.type) in NUMBERS}
COUNTS = frozenset({"steps", "tokens", "tool_errors", "context_window"})  # whole numbers
BUDGET_KEYS = frozenset({"steps", "tokens", "tool_errors", "cost_usd", "wall_time"})
TOOL_KEYS = ("tier", "targets", "requires", "provides", "polls", "explain", "gate")

Choice = TypeVar("Choice", bound=StrEnum)
Templates = tuple[tuple[str, str], ...]  # resource attribute, text with {placeholders}


class PolicyError(ValueError):
    """A policy that cannot be obeyed; `path` leads to the key, so that its line can be named."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{'.'.join(map(str, path)) or 'policy'}: {message}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fact that a tool requires or provides, before its placeholders are filled."""

    kind: str
    subject: str = ANY
    max_age_s: float | None = None


@dataclass(frozen=True, slots=True)
class ToolRule:
    """What a policy says about tools whose name matches. None: it says nothing."""

    pattern: str
    tier: Tier | None = None
    targets: tuple[Templates, ...] | None = None
    requires: tuple[Wanted, ...] | None = None
    provides: tuple[Wanted, ...] | None = None
    polls: bool | None = None
    explain: bool | None = None
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class AgentRule:
    """Limits and budget of agents whose name matches. None: it says nothing."""

    pattern: str
    limits: tuple[tuple[str, float], ...] = ()
    budget: tuple[tuple[str, float], ...] = ()
    context_window: int | None = None


@dataclass(frozen=True, slots=True)
class ToolDescription:
    """What is known about one call before it runs."""

    tier: Tier
    targets: tuple[str, ...] = ()
    requires: tuple[Requirement, ...] = ()
    provides: tuple[tuple[str, str], ...] = ()  # kind, subject
    polls: bool = False
    explain: bool | None = None
    gate: Gate | None = None


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: it is a key of caches
class Policy:
    """Everything that `aftershock.yaml` says about tools and agents."""

    tools: tuple[ToolRule, ...] = ()
    agents: tuple[AgentRule, ...] = ()
    limits: Limits = DEFAULTS

    @staticmethod
    def from_mapping(document: Mapping[str, Any]) -> Policy:
        """The policy that a parsed file holds. Raises PolicyError where it is not understood.

        Sections that only the collector reads are left alone.
        """
        section = read_mapping(document, (), {"tools", "agents", "models"} | OTHER_KEYS)
        tools = read_mapping(section.get("tools") or {}, ("tools",))
        agents = read_mapping(section.get("agents") or {}, ("agents",))
        models = read_mapping(section.get("models") or {}, ("models",))
        overrides = read_limits(section.get("limits") or {}, ("limits",))
        priced = tuple(read_model(name, body, ("models", name)) for name, body in models.items())
        return Policy(
            tuple(read_tool(name, body, ("tools", name)) for name, body in tools.items()),
            tuple(read_agent(name, body, ("agents", name)) for name, body in agents.items()),
            replace(apply_overrides(Limits(), overrides), models=priced),
        )


EMPTY = Policy()


def describe(policy: Policy, tool: str, arguments: Mapping[str, Any] | None) -> ToolDescription:
    """What the policy, or else the tool's name and command, says about this call."""
    rule = rule_of(policy, tool)
    given = arguments or {}
    tier = rule.tier or guess_tier(tool, given)
    return ToolDescription(
        tier,
        tuple(filter(None, (fill_target(target, given) for target in rule.targets or ()))),
        tuple(
            Requirement(
                want.kind,
                fill(want.subject, given),
                want.max_age_s,
                sources=providers_of(policy, want.kind),
            )
            for want in rule.requires or ()
        ),
        tuple((want.kind, fill(want.subject, given)) for want in rule.provides or ()),
        bool(rule.polls),
        rule.explain,
        rule.gate,
    )


@lru_cache(maxsize=4_096)  # every tool of every agent of one fleet, with room
def rule_of(policy: Policy, tool: str) -> ToolRule:
    """The rules that match a tool, laid over each other: the longest pattern wins, key by key."""
    merged: dict[str, Any] = {}
    matching = [rule for rule in policy.tools if fnmatchcase(tool, rule.pattern)]
    for rule in sorted(matching, key=specificity):
        for key in TOOL_KEYS:
            if (value := getattr(rule, key)) is not None:
                merged[key] = value
    return ToolRule(tool, **merged)


@lru_cache(maxsize=1_024)
def providers_of(policy: Policy, kind: str) -> tuple[str, ...]:
    """Names or patterns of the tools that provide a kind of fact."""
    return tuple(
        rule.pattern
        for rule in policy.tools
        if any(given.kind == kind for given in rule.provides or ())
    )


@lru_cache(maxsize=1_024)
def limits_for(policy: Policy, agent: str | None) -> Limits:
    """The limits that hold for an agent: the file's, then the matching agents' by specificity."""
    limits = policy.limits
    if agent is None:
        return limits
    matching = [rule for rule in policy.agents if fnmatchcase(agent, rule.pattern)]
    for rule in sorted(matching, key=specificity):
        limits = apply_overrides(limits, rule.limits)
        if rule.budget:
            limits = replace(limits, budget=with_amounts(limits.budget, rule.budget))
        if rule.context_window is not None:
            limits = replace(limits, context_window_tokens=rule.context_window)
    return limits


def specificity(rule: ToolRule | AgentRule) -> tuple[bool, int]:
    """Sorts rules from the vaguest to the most exact; a name without wildcards is exact."""
    return (not any(mark in rule.pattern for mark in "*?["), len(rule.pattern))


def subjects_match(wanted: str, seen: str) -> bool:
    """True where a fact about one subject answers a requirement about another."""
    if wanted == seen or ANY in (wanted, seen):
        return True
    return (ANY in wanted and fnmatchcase(seen, wanted)) or (
        ANY in seen and fnmatchcase(wanted, seen)
    )


def parse_seconds(value: float | str) -> float:
    """Seconds from a number, or from a text such as 500ms, 30s, 15m, 2h, 7d. Raises ValueError."""
    if isinstance(value, str):
        match = SECONDS.match(value.strip())
        if match is None:
            raise ValueError(f"{value!r} is not a time; write 30s, 15m, 2h or 7d")
        return float(match[1]) * UNIT_SECONDS[match[2]]
    if isinstance(value, bool) or value <= 0:
        raise ValueError(f"{value!r} is not a time; it must be above zero")
    return float(value)


def fill(template: str, arguments: Mapping[str, Any]) -> str:
    """A template with its placeholders filled; what no argument tells becomes `*`."""
    if "{" not in template:
        return template
    return PLACEHOLDER.sub(lambda match: argument_text(match[1], arguments), template)


def argument_text(path: str, arguments: Mapping[str, Any]) -> str:
    """One argument as text, by name or by dotted path; `*` where it is not there."""
    value: Any = arguments
    for name in (path,) if path in arguments else path.split("."):
        value = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    return ANY if value is None or isinstance(value, dict | list) or value == "" else str(value)


def fill_target(target: Templates, arguments: Mapping[str, Any]) -> str | None:
    """The entity key of a target template."""
    return entity_key({name: fill(template, arguments) for name, template in target})


def apply_overrides(limits: Limits, overrides: tuple[tuple[str, float], ...]) -> Limits:
    """Limits with some of them replaced."""
    changes: dict[str, Any] = {name: LIMIT_TYPES[name](value) for name, value in overrides}
    return replace(limits, **changes) if changes else limits


def with_amounts(budget: Budget, amounts: tuple[tuple[str, float], ...]) -> Budget:
    """A budget with some of its amounts replaced."""
    changes: dict[str, Any] = {
        name: int(value) if name in COUNTS else value for name, value in amounts
    }
    return replace(budget, **changes)


# --- Reading a parsed file -------------------------------------------------------------------


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
    """A text that says something."""
    if not isinstance(value, str) or not value:
        raise PolicyError(path, "must be a text")
    return value


def read_tool(name: str, value: Any, path: tuple[str | int, ...]) -> ToolRule:
    """One entry under `tools`."""
    body = read_mapping({} if value is None else value, path, set(TOOL_KEYS))
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
        read_yes_or_no(body, "polls", path),
        read_yes_or_no(body, "explain", path),
        read_one_of(Gate, body, "gate", path),
    )


def read_one_of(
    choices: type[Choice], body: Mapping[str, Any], key: str, path: tuple[str | int, ...]
) -> Choice | None:
    """One of the values that there are, or nothing said."""
    value = body.get(key)
    if value is not None and value not in list(choices):
        raise PolicyError((*path, key), f"must be one of {', '.join(choices)}")
    return None if value is None else choices(value)


def read_yes_or_no(body: Mapping[str, Any], key: str, path: tuple[str | int, ...]) -> bool | None:
    """True, false, or nothing said."""
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
        max_age = entry.get("max_age")
        try:
            seconds = None if max_age is None else parse_seconds(max_age)
        except (TypeError, ValueError) as error:
            raise PolicyError((*here, "max_age"), str(error)) from None
        subject = read_text(entry.get("subject", ANY), (*here, "subject"))
        wanted.append(Wanted(read_text(entry.get("fact"), (*here, "fact")), subject, seconds))
    return tuple(wanted)


def read_agent(name: str, value: Any, path: tuple[str | int, ...]) -> AgentRule:
    """One entry under `agents`."""
    known = {"limits", "budget", "context_window"}
    body = read_mapping({} if value is None else value, path, known)
    window = read_amount(body, "context_window", path)
    return AgentRule(
        name,
        read_limits(body.get("limits") or {}, (*path, "limits")),
        read_budget(body.get("budget") or {}, (*path, "budget")),
        None if window is None else int(window),
    )


def read_budget(value: Any, path: tuple[str | int, ...]) -> tuple[tuple[str, float], ...]:
    """What a run may use up: fields of Budget and their amounts."""
    body = read_mapping(value, path, BUDGET_KEYS)
    found = [(key, amount) for key in body if (amount := read_amount(body, key, path)) is not None]
    return tuple(("wall_time_s" if key == "wall_time" else key, amount) for key, amount in found)


def read_model(name: str, value: Any, path: tuple[str | int, ...]) -> Model:
    """One entry under `models`."""
    keys = ("context_window", "input_usd", "output_usd")
    body = read_mapping({} if value is None else value, path, set(keys))
    window, sent, returned = (read_amount(body, key, path) for key in keys)
    return Model(name, None if window is None else int(window), sent, returned)


def read_amount(body: Mapping[str, Any], key: str, path: tuple[str | int, ...]) -> float | None:
    """A number of something that is counted, paid or waited for; None where it is not given."""
    value = body.get(key)
    if value is None:
        return None
    if key == "wall_time":
        try:
            return parse_seconds(value)
        except (TypeError, ValueError) as error:
            raise PolicyError((*path, key), str(error)) from None
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
