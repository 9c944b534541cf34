"""Safeguards of one call: what a policy declares, with the call's arguments filled in."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aftershock.policy.policy import ANY, Policy, argument_text, fill, fill_target, rule_of
from aftershock.policy.safeguards import CanaryCall, FactAssumption, MetricAssumption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aftershock.model import Tier
    from aftershock.policy.admission import GateRules
    from aftershock.policy.entries import ToolRule

NO_ENTITY = ""  # of an assumption whose entity the call does not name: nothing measures it


def metric_assumptions(
    policy: Policy, tool: str, arguments: Mapping[str, Any], targets: tuple[str, ...]
) -> tuple[MetricAssumption, ...]:
    """What must be measured so before a call; one for each entity that an assumption is about."""
    found: list[MetricAssumption] = []
    for assumed in rule_of(policy, tool).assumes or ():
        if not assumed.metric:
            continue
        if assumed.of:
            filled = fill_target(assumed.of, arguments)
            entities = (filled if filled and is_whole(assumed.of, arguments) else NO_ENTITY,)
        else:
            entities = targets or (NO_ENTITY,)
        found += [
            MetricAssumption(
                assumed.metric, entity, assumed.below, assumed.above, assumed.max_age_s
            )
            for entity in entities
        ]
    return tuple(found)


def is_whole(template: tuple[tuple[str, str], ...], arguments: Mapping[str, Any]) -> bool:
    """True where the call fills every placeholder."""
    return all(fill(text, arguments) != ANY for _, text in template)


def fact_assumptions(
    policy: Policy, tool: str, arguments: Mapping[str, Any]
) -> tuple[FactAssumption, ...]:
    """What the run must have been shown before a call."""
    return tuple(
        FactAssumption(one.fact, fill(one.subject, arguments), one.equals, one.max_age_s)
        for one in rule_of(policy, tool).assumes or ()
        if one.fact
    )


def canary_call(
    policy: Policy, tool: str, arguments: Mapping[str, Any], targets: tuple[str, ...]
) -> CanaryCall | None:
    """A call as a step of a rollout. None: the policy rolls nothing out with this tool."""
    rule = rule_of(policy, tool).canary
    if rule is None:
        return None
    return CanaryCall(
        tool,
        tuple(sorted(targets)),
        rule.argument,
        None if rule.argument is None else number_in(arguments, rule.argument),
        rule.factor,
        rule.current,
        rule.first,
        fill(rule.environment, arguments),
        fill(rule.change, arguments),
        rule.observe_s,
    )


def number_in(arguments: Mapping[str, Any], path: str) -> float | None:
    """An argument as a number, by name or dotted path; None where it is none."""
    try:
        number = float(argument_text(path, arguments))
    except ValueError:
        return None
    return number if number >= 0 and number != float("inf") else None


def requires_explanation(rule: ToolRule, tier: Tier, rules: GateRules) -> bool:
    """True for a call that is held back unless a person can read why it is made."""
    explain = rule.explain
    if explain is None:
        return tier in rules.explain
    return explain.is_required or (explain.is_expected and tier in rules.explain)


@lru_cache(maxsize=1_024)
def needs_run(policy: Policy) -> bool:
    """True where some decision depends on what a run did before."""
    return (
        policy.gate.needs_run
        or bool(policy.gate.explain)
        or any(
            (one.explain is not None and one.explain.is_required)
            or any(assumed.fact for assumed in one.assumes or ())
            for one in policy.tools
        )
    )
