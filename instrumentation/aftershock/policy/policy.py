"""The typed view of a policy: what each tool may do and must know, and the limits of each agent."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from aftershock.entity import entity_key
from aftershock.fingerprints.portions import is_portion
from aftershock.limits import DEFAULTS, Budget, Limits
from aftershock.model import Requirement, Tier
from aftershock.policy.admission import GATE_OFF, GateRules, read_gate
from aftershock.policy.entries import (
    ANY,
    AgentRule,
    PolicyError,
    Templates,
    ToolRule,
    apply_overrides,
    parse_seconds,
    with_amounts,
)
from aftershock.policy.parsing import (
    read_agent,
    read_limits,
    read_mapping,
    read_model,
    read_shared_budgets,
    read_tool,
)
from aftershock.policy.setters import setting_of
from aftershock.policy.tiers import guess_tier, wait_of
from aftershock.policy.time_limits import allowed_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aftershock.approval import Gate

__all__ = [
    "ANY", "EMPTY", "AgentRule", "Policy", "PolicyError", "ToolDescription", "ToolRule",
    "describe", "limits_for", "parse_seconds", "placeholders_of", "providers_of", "rule_of",
    "subjects_match", "tier_of",
]  # fmt: skip

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
# Sections of the same file that other readers read.
OTHER_KEYS = frozenset(
    {"limits", "budget", "approvals_from", "gate", "collector", "infrastructure", "on_call"}
)
MERGED = tuple(one.name for one in fields(ToolRule) if one.name != "pattern")


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
    waits_s: float | None = None  # seconds that the call itself waits; None: it does not wait
    patience_s: float | None = None
    max_time_s: float | None = None
    is_portion: bool = False  # its arguments say at most how much of an amount it does
    sets: str | None = None  # digest of the thing that it sets to a value; None: it sets nothing
    allowed_s: float | None = None  # that the call itself says it may last; None: it does not


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity, because caches use it as key
class Policy:
    """Everything that `aftershock.yaml` says about tools and agents."""

    tools: tuple[ToolRule, ...] = ()
    agents: tuple[AgentRule, ...] = ()
    limits: Limits = DEFAULTS
    approvals_from: frozenset[str] = frozenset()  # services whose approvals count; empty: all
    gate: GateRules = GATE_OFF

    @staticmethod
    def from_mapping(document: Mapping[str, Any]) -> Policy:
        """The policy that a parsed file holds. Raises PolicyError where it is not understood.

        Sections that only the collector reads are ignored.
        """
        section = read_mapping(document, (), {"tools", "agents", "models"} | OTHER_KEYS)
        tools = read_mapping(section.get("tools") or {}, ("tools",))
        agents = read_mapping(section.get("agents") or {}, ("agents",))
        models = read_mapping(section.get("models") or {}, ("models",))
        overrides = read_limits(section.get("limits") or {}, ("limits",))
        priced = tuple(read_model(name, body, ("models", name)) for name, body in models.items())
        each_user, everybody = read_shared_budgets(section.get("budget"), ("budget",))
        return Policy(
            tuple(read_tool(name, body, ("tools", name)) for name, body in tools.items()),
            tuple(read_agent(name, body, ("agents", name)) for name, body in agents.items()),
            replace(
                apply_overrides(Limits(), overrides),
                models=priced,
                budget_per_user=with_amounts(Budget(), each_user),
                budget_of_all=with_amounts(Budget(), everybody),
            ),
            frozenset(section.get("approvals_from") or ()),
            read_gate(section.get("gate"), ("gate",)),
        )


EMPTY = Policy()


def describe(policy: Policy, tool: str, arguments: Mapping[str, Any] | None) -> ToolDescription:
    """A call described by the policy, or else guessed from the tool's name and command."""
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
        None if rule.explain is None else rule.explain.is_expected,
        rule.gate,
        wait_of(tool, given),
        rule.patience_s,
        rule.max_time_s,
        tier.has_effect and is_portion(given),
        setting_of(tool, given) if tier.has_effect else None,
        allowed_of(given),
    )


def tier_of(policy: Policy, tool: str, arguments: Mapping[str, Any]) -> Tier:
    """The tier of a call alone: a tenth of what its whole description costs."""
    return rule_of(policy, tool).tier or guess_tier(tool, arguments)


@lru_cache(maxsize=4_096)  # every tool of every agent of one fleet, with room
def rule_of(policy: Policy, tool: str) -> ToolRule:
    """The merged rules that match a tool; for each key the longest pattern wins."""
    merged: dict[str, Any] = {}
    matching = [rule for rule in policy.tools if fnmatchcase(tool, rule.pattern)]
    for rule in sorted(matching, key=specificity):
        for key in MERGED:
            if (value := getattr(rule, key)) is not None:
                merged[key] = value
    return ToolRule(tool, **merged)


@lru_cache(maxsize=4_096)
def placeholders_of(policy: Policy, tool: str) -> frozenset[str]:
    """The arguments that the policy uses in what it says of a tool."""
    rule = rule_of(policy, tool)
    texts = [text for target in rule.targets or () for _, text in target]
    texts += [want.subject for want in (*(rule.requires or ()), *(rule.provides or ()))]
    return frozenset(
        name for text in (*texts, rule.undo or "") for name in PLACEHOLDER.findall(text)
    )


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
    """The limits of an agent: the file's, overridden by matching agents in order of specificity."""
    limits = policy.limits
    if agent is None:
        return limits
    matching = [rule for rule in policy.agents if fnmatchcase(agent, rule.pattern)]
    for rule in sorted(matching, key=specificity):
        limits = apply_overrides(limits, rule.limits)
        if rule.budget:
            limits = replace(limits, budget=with_amounts(limits.budget, rule.budget))
        if rule.budget_per_day:
            day = with_amounts(limits.budget_per_day, rule.budget_per_day)
            limits = replace(limits, budget_per_day=day)
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


def fill(template: str, arguments: Mapping[str, Any]) -> str:
    """A template with its placeholders filled; a missing argument becomes `*`."""
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
