"""unexplained_action: the agent took a risky action without recording a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Action, Finding, Level, Run, Step, Tier
from aftershock.rules.rule import CALLS, Family, Lifetime, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "unexplained_action"
RISKY = frozenset({Tier.DESTRUCTIVE, Tier.PROVISION, Tier.DECOMMISSION})


@rule(Family.CONTEXT, Lifetime.ACTION, after=CALLS)
def unexplained_action(run: Run, limits: Limits) -> Iterator[Finding]:
    """The newest action, if a decision is expected and none explains it. It only warns.

    The policy says when a decision is expected (`explain`). Without it, a decision is expected for
    risky actions of an agent that recorded one earlier in this run.
    """
    step = run.newest
    if step is None or step.action is None or not step.action.tier.has_effect:
        return
    action = step.action
    if action.explain is False or (action.explain is None and action.tier not in RISKY):
        return
    decided = [one for one in run.steps if one.decision is not None and came_before(one, step)]
    if action.explain is None and not decided:
        return
    if decided and explains(run, decided[-1], step, action):
        return
    yield Finding(
        kind=KIND,
        run_id=run.id,
        subject=f"{action.tool}/{step.span_id}",
        level=Level.WARN,
        began_at_ns=step.began_at_ns,
        as_of_ns=run.now_ns,
        evidence=(step.span_id, *(one.span_id for one in decided[-1:]))[: limits.evidence_max],
        summary=f"{action.tool} ({action.tier}) was called without a recorded decision.",
        agent=step.agent or run.agent,
        trace_id=step.trace_id,
        facts=lines_for(decided[-1]) if decided else (),
        lasting=True,
    )


def came_before(decision: Step, step: Step) -> bool:
    """True for a decision that was recorded before the action."""
    return decision.began_at_ns <= step.began_at_ns and decision.span_id != step.span_id


def explains(run: Run, decision: Step, step: Step, action: Action) -> bool:
    """True if a decision names the tool, or no other tool with an effect was called since.

    A decision explains the calls of one tool that follow it, not the calls of further tools.
    """
    chosen = decision.decision.chosen if decision.decision else None
    if chosen and action.tool.casefold() in chosen.casefold():
        return True
    done = {
        one.action.tool
        for one in run.steps
        if one.action is not None
        and one.began_at_ns >= decision.began_at_ns
        and one.span_id != step.span_id
        and one.action.tier.has_effect
    }
    return done <= {action.tool}


def lines_for(decision: Step) -> tuple[str, ...]:
    """The last decision as text."""
    made = decision.decision
    if made is None:
        return ()
    chosen = f", and chose {made.chosen}" if made.chosen else ""
    return (f"the last decision was about {made.question or 'something else'}{chosen}",)
