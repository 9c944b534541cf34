"""The stable shape of `aftershock why --json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aftershock_collector.store.serialization import to_plain
from aftershock_collector.views.timeline_json import finding_json, impact_json
from aftershock_collector.wording import outcome_words, step_words

if TYPE_CHECKING:
    from aftershock.model import Fact, Impact, Step
    from aftershock_collector.review.comparison import Call, Compared
    from aftershock_collector.review.explanation import Explanation, Need
    from aftershock_collector.review.spending import Saving


def as_json(explanation: Explanation) -> dict[str, Any]:
    """Everything that supports one claim: times in ns, ids as they arrived."""
    impact = explanation.claim.finding.impact
    between = explanation.between
    return {
        "finding": finding_json(explanation.claim)
        | {"impact": None if impact is None else attribution_json(impact)},
        "calls": [call_json(call) for call in explanation.calls],
        "lost": explanation.lost,
        "between": {
            "steps": dict(between.words),
            "other_kinds": between.others,
            "effects": between.effects,
        },
        "needs": [need_json(need) for need in explanation.needs],
        "spent": None if explanation.saving is None else saving_json(explanation.saving),
    }


def saving_json(saving: Saving) -> dict[str, Any]:
    """What stopping the run in time would have saved."""
    spent = saving.spent
    return {
        "since_ns": saving.since_ns,
        "until_ns": saving.until_ns,
        "certain": saving.certain,
        "span": saving.span_id,
        "steps": spent.steps,
        "tokens": spent.tokens if saving.tokens_known else None,
        "cost_usd": spent.cost_usd or None,
        "tool_errors": spent.tool_errors,
        "duration_ns": saving.duration_ns,
    }


def attribution_json(impact: Impact) -> dict[str, Any]:
    """An attribution with its charts."""
    return impact_json(impact) | {
        "charts": to_plain(impact.charts),
    }


def call_json(call: Call) -> dict[str, Any]:
    """One step of the evidence, beside the one it is compared with."""
    action = call.step.action
    return {
        "number": call.number,
        **step_json(call.step),
        "kind": call.step.kind.value,
        "effect": action is not None and action.tier.has_effect,
        "error": None if action is None else action.error_class,
        "arguments": None if action is None else compared_json(call.arguments),
        "answer": None if action is None else compared_json(call.answer),
        "content": {"arguments": call.content.arguments, "answer": call.content.result},
    }


def compared_json(found: Compared) -> dict[str, Any]:
    """How it compares; differences only where content was recorded."""
    return {
        "likeness": found.likeness.value,
        "beside": found.beside,
        "share_new": found.share_new,
        "differences": [one._asdict() for one in found.differences],
        "more": found.more,
    }


def need_json(need: Need) -> dict[str, Any]:
    """One fact that the action needed, and the tools that provide it."""
    wanted = need.requirement
    return {
        "fact": wanted.kind,
        "subject": wanted.subject,
        "max_age_s": wanted.max_age_s,
        "learnt_support": wanted.learnt_support,
        "learnt_confidence": wanted.learnt_confidence,
        "state": need.state.name.lower(),
        "why": need.why or None,
        "reads": [read_json(fact) for fact in need.reads],
        "providers": [
            {
                "tool": provider.tool,
                "called_before": [step_json(step) for step in provider.before],
                "called_after": [step_json(step) for step in provider.after],
            }
            for provider in need.providers
        ],
    }


def read_json(fact: Fact) -> dict[str, Any]:
    """A fact that the run had been shown."""
    return {
        "subject": fact.subject,
        "source": fact.source,
        "outcome": fact.outcome.value,
        "at_ns": fact.observed_at_ns,
        "span": fact.span_id,
    }


def step_json(step: Step) -> dict[str, Any]:
    """One step in short."""
    return {
        "span": step.span_id,
        "what": step_words(step),
        "began_at_ns": step.began_at_ns,
        "ended_at_ns": step.ended_at_ns,
        "outcome": outcome_words(step) or None,
    }
