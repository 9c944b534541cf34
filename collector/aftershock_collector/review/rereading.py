"""Recorded spans read under another policy, without what the policy of their day wrote on them.

In the agent's process a policy writes tier, targets and facts on each call. These win over the
collector's own policy, so another policy would seem to change nothing. Where two policies differ
about a tool, what the spans carry is ignored and each policy is read from its own file.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from aftershock.attributes import (
    ACTION_EXPLAIN,
    ACTION_GATE,
    ACTION_TARGETS,
    ACTION_TIER,
    CONTEXT_REQUIRED,
    FACTS,
    POLLS,
)
from aftershock.model import Change, Step
from aftershock.policy.policy import ANY, Policy, rule_of
from aftershock_collector.otlp.wire import LogEvent, Span
from aftershock_collector.reading.read import read, read_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from aftershock.model import Action

Item = TypeVar("Item", Span, LogEvent)

# What a policy says of a tool, and the attribute that an agent's process writes it to.
WORDS = {
    "tier": ACTION_TIER,
    "targets": ACTION_TARGETS,
    "requires": CONTEXT_REQUIRED,
    "provides": FACTS,
    "polls": POLLS,
    "explain": ACTION_EXPLAIN,
    "gate": ACTION_GATE,
}


class Rereader:
    """Reads what was recorded as one of two policies has it."""

    def __init__(self, policy: Policy, against: Policy, *, is_other: bool) -> None:
        self.policy = policy
        self.unfilled = 0  # calls without recorded arguments: a {placeholder} stayed open
        self._against = against
        self._is_other = is_other

    def span(self, span: Span) -> Step | None:
        """The step that a span stands for."""
        return self._reread(span, read)

    def event(self, event: LogEvent) -> Step | None:
        """The step that a log event reports."""
        return self._reread(event, read_event)

    def _reread(
        self, item: Item, reader: Callable[[Item, Policy], Step | Change | None]
    ) -> Step | None:
        step = reader(item, self.policy)
        if not isinstance(step, Step) or step.action is None:
            return step if isinstance(step, Step) else None
        words = forgotten(step.action.tool, self.policy, self._against, is_other=self._is_other)
        kept = {key: value for key, value in item.attributes.items() if key not in words}
        if len(kept) == len(item.attributes):
            return step
        fresh = reader(item._replace(attributes=kept), self.policy)
        assert isinstance(fresh, Step), "the words of a policy make no step"
        assert fresh.action is not None, "the words of a policy make no action"
        filled = filled_from(fresh, fresh.action, step, step.action)
        if filled.action is not None and is_open(filled.action, rule_of(self.policy, filled.name)):
            self.unfilled += 1
        return filled


@lru_cache(maxsize=4_096)  # every tool of a fleet
def forgotten(tool: str, policy: Policy, against: Policy, *, is_other: bool) -> frozenset[str]:
    """Attributes of a tool's calls that a policy overrules, because the two differ about them.

    An attribute that today's policy does not set may come from the tool's author: it stays. One
    that today's policy sets and the other does not was removed there on purpose: it goes.
    """
    mine, theirs = rule_of(policy, tool), rule_of(against, tool)
    return frozenset(
        attribute
        for key, attribute in WORDS.items()
        if getattr(mine, key) != getattr(theirs, key)
        and (is_other or getattr(mine, key) is not None)
    )


def filled_from(fresh: Step, action: Action, recorded: Step, known: Action) -> Step:
    """A call as the policy has it; subjects that need its arguments come from its record."""
    subjects = {wanted.kind: wanted.subject for wanted in known.requires}
    read_about = {fact.kind: fact.subject for fact in recorded.facts}
    requires = tuple(
        replace(wanted, subject=subjects.get(wanted.kind, wanted.subject))
        if ANY in wanted.subject
        else wanted
        for wanted in action.requires
    )
    facts = tuple(
        replace(fact, subject=read_about.get(fact.kind, fact.subject))
        if ANY in fact.subject
        else fact
        for fact in fresh.facts
    )
    open_target = any(ANY in target for target in action.targets)
    targets = known.targets if open_target and known.targets else action.targets
    return replace(fresh, facts=facts, action=replace(action, requires=requires, targets=targets))


def is_open(action: Action, rule: object) -> bool:
    """True where a requirement was written with a {placeholder} that nothing filled."""
    templates = {want.kind: want.subject for want in getattr(rule, "requires", None) or ()}
    return any(
        ANY in wanted.subject and "{" in templates.get(wanted.kind, "")
        for wanted in action.requires
    )
