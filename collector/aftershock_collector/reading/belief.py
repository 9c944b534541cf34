"""What of a tool span's own claims is believed beside the operator's file.

The agent that is judged may have written the span. So a claim can make a call count as riskier, and
never as safer. What the collector's aftershock.yaml declares about a tool wins.
"""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

from aftershock.approval import Gate
from aftershock.attributes import (
    ACTION_EXPLAIN,
    ACTION_GATE,
    ACTION_TARGETS,
    ACTION_TIER,
    CONTEXT_REQUIRED,
    FACTS,
)
from aftershock.model import Requirement, Tier
from aftershock.policy.policy import ANY, Policy, ToolDescription, providers_of, rule_of
from aftershock.wire import decode_fact, decode_requirement
from aftershock_collector.otlp.wire import Attributes
from aftershock_collector.reading.dialects import names_in, text_in

Pairs = tuple[tuple[str, str], ...]  # kind, subject

# From harmless to severe. Of two, the later one counts.
TIERS = (Tier.READ, Tier.WRITE, Tier.PROVISION, Tier.DECOMMISSION, Tier.DESTRUCTIVE)
GATES = (Gate.ALLOW, Gate.WARN, Gate.ASK, Gate.DENY)


def tier_of(own: Attributes, tool: str, described: ToolDescription, policy: Policy) -> Tier:
    """The file's tier; where it has none, the severer of the span's and the tool name's."""
    if rule_of(policy, tool).tier is not None:
        return described.tier
    claimed = text_in(own, ACTION_TIER)
    known = [tier for tier in TIERS if tier.value == claimed]
    return max((described.tier, *known), key=TIERS.index)


def gate_of(own: Attributes, described: ToolDescription) -> Gate | None:
    """The stricter of the file's gate and the span's; None: neither names one."""
    claimed = text_in(own, ACTION_GATE)
    named = [gate for gate in GATES if gate in {claimed, described.gate}]
    return named[-1] if named else None


def explain_of(
    own: Attributes, tool: str, described: ToolDescription, policy: Policy
) -> bool | None:
    """Whether the call needs a recorded decision; a span can ask for one, and not excuse it."""
    if rule_of(policy, tool).explain is not None:
        return described.explain
    return True if own.get(ACTION_EXPLAIN) is True else None


def targets_of(own: Attributes, described: ToolDescription) -> tuple[str, ...]:
    """The file's targets; where it has none, the span's.

    A part that the file takes from arguments, which may not have been sent, is the span's, where
    one of its targets fits the rest.
    """
    claimed = names_in(own, ACTION_TARGETS)
    if not described.targets:
        return claimed
    found: dict[str, None] = {}
    for target in described.targets:
        fitting = [one for one in claimed if fnmatchcase(one, target)] if ANY in target else []
        found |= dict.fromkeys(fitting or [target])
    return tuple(found)


def requirements_of(
    own: Attributes, described: ToolDescription, policy: Policy
) -> tuple[Requirement, ...]:
    """Every fact that the file or the span requires, each with the shorter age.

    A subject that the file takes from arguments, which may not have been sent, is the span's.
    """
    claimed = [decode_requirement(text) for text in names_in(own, CONTEXT_REQUIRED)]
    found: list[Requirement] = []
    for want in described.requires:
        also = next((one for one in claimed if _is_about_the_same(one, want)), None)
        if also is None:
            found.append(want)
            continue
        claimed.remove(also)
        ages = [one.max_age_s for one in (want, also) if one.max_age_s is not None]
        subject = also.subject if want.subject == ANY else want.subject
        found.append(replace(want, subject=subject, max_age_s=min(ages, default=None)))
    found += (replace(one, sources=providers_of(policy, one.kind)) for one in claimed)
    return tuple(found)


def _is_about_the_same(claimed: Requirement, declared: Requirement) -> bool:
    same = declared.subject == ANY or claimed.subject in {declared.subject, ANY}
    return claimed.kind == declared.kind and same


def facts_provided(own: Attributes, tool: str, described: ToolDescription, policy: Policy) -> Pairs:
    """Facts that a call provides.

    Where the file names the tools that provide a kind of fact, no other tool does.
    """
    claimed = tuple(map(decode_fact, names_in(own, FACTS)))
    declared = rule_of(policy, tool).provides
    if declared is not None:
        kinds = {want.kind for want in declared}
        return tuple(pair for pair in claimed if pair[0] in kinds) or described.provides
    return tuple(pair for pair in claimed if not providers_of(policy, pair[0]))
