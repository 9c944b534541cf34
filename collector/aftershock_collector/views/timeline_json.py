"""The stable shapes of `--json`: a timeline, an entry of it, a finding with its life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aftershock_collector.impact.suspects import LINKED
from aftershock_collector.store.serialization import to_plain

if TYPE_CHECKING:
    from aftershock.model import Claim, Feedback, Impact
    from aftershock_collector.impact.suspects import Suspects
    from aftershock_collector.views.timeline import Entry, Timeline


def as_json(timeline: Timeline) -> dict[str, Any]:
    """The stable shape of `aftershock timeline --json`: times in ns, ids as they arrived."""
    return {
        "began_at_ns": timeline.began_ns,
        "ended_at_ns": timeline.ended_ns,
        "runs": [
            {
                "run": run_id,
                "goal": timeline.goals.get(run_id),
                "agents": [lane.agent for lane in timeline.lanes if lane.run_id == run_id],
                "steps": sum(x.done for x in timeline.lanes if x.run_id == run_id),
            }
            for run_id in timeline.runs
        ],
        "entries": [entry_json(entry) for entry in timeline.entries],
        "findings": [finding_json(c, timeline.marks[c.finding.id]) for c in timeline.claims],
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """One line of the timeline."""
    return {
        "at_ns": entry.at_ns,
        "until_ns": entry.until_ns,
        "source": entry.source,
        "kind": entry.kind,
        "run": entry.run_id or None,
        "agent": entry.agent,
        "what": entry.what,
        "outcome": entry.outcome or None,
        "times": entry.times,
        "effect": entry.effect,
        "mark": entry.mark or None,
        "evidence_for": list(entry.marks),
        "spans": list(entry.spans),
    }


def finding_json(claim: Claim, mark: str = "") -> dict[str, Any]:
    """One finding with its life, as `aftershock findings --json` prints it too."""
    finding, impact = claim.finding, claim.finding.impact
    return {
        "id": finding.id,
        "mark": mark or None,
        "kind": finding.kind,
        "level": finding.level.value,
        "run": finding.run_id,
        "agent": finding.agent,
        "trace": finding.trace_id or None,
        "subject": finding.subject,
        "summary": finding.summary,
        "facts": list(finding.facts),
        "evidence": list(finding.evidence),
        "began_at_ns": finding.began_at_ns,
        "as_of_ns": finding.as_of_ns,
        "opened_at_ns": claim.opened_at_ns,
        "closed_at_ns": claim.closed_at_ns,
        "closing": claim.closing.value if claim.closing is not None else None,
        "feedback": None if claim.feedback is None else feedback_json(claim.feedback),
        "impact": None if impact is None else impact_json(impact),
    }


def feedback_json(feedback: Feedback) -> dict[str, Any]:
    """What a person said about a finding."""
    return {
        "assessment": feedback.assessment.value,
        "by": feedback.by,
        "because": feedback.because,
        "given_at_ns": feedback.given_at_ns,
    }


def suspects_json(suspects: Suspects) -> dict[str, Any]:
    """Who may be behind an alert: what `aftershock suspects` prints and webhooks are answered."""
    alert = suspects.alert
    return {
        "alert": {
            "id": alert.id,
            "name": alert.name,
            "entity": alert.entity,
            "began_at_ns": alert.began_at_ns,
        },
        "suspects": [
            {
                "agent": s.agent,
                "tool": s.tool,
                "entity": s.entity,
                "relation": s.relation,
                "certain": s.relation == LINKED,
                "probability": s.probability,
                "acted_at_ns": s.acted_at_ns,
                "seconds_before": round((alert.began_at_ns - s.acted_at_ns) / 1e9, 3),
                "run": s.run_id,
                "span": s.span_id,
                "trace": s.trace_id or None,
            }
            for s in suspects.ranked
        ],
        "more": suspects.more,
        "no_agent_action": suspects.no_agent,
        "judged_at_ns": suspects.judged_at_ns,
    }


def impact_json(impact: Impact) -> dict[str, Any]:
    """An attribution with its alternatives."""
    return {
        "entity": impact.entity,
        "tool": impact.tool,
        "span": impact.span_id,
        "probability": impact.probability,
        "label": impact.label,
        "agent": impact.agent,
        "run": impact.run_id,
        "acted_at_ns": impact.acted_at_ns,
        "judged_at_ns": impact.judged_at_ns,
        "change": None if impact.change is None else to_plain(impact.change),
        "lead_ns": impact.lead_ns,
        "recovered_at_ns": impact.recovered_at_ns,
        "parts": to_plain(impact.parts),
        "comparable": impact.comparable,
        "alternatives": [
            {
                "name": r.name,
                "agent": r.agent,
                "span": r.span_id,
                "run": r.run_id,
                "trace": r.trace_id,
                "probability": r.probability,
            }
            for r in impact.alternatives
        ],
        "context_gap": list(impact.context_gap),
        "missing": list(impact.missing),
        "logged": list(impact.logged),
    }
