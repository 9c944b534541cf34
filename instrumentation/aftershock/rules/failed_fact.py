"""failed_fact: a required fact was asked for, nothing usable came back, and the agent went on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.model import Level, Outcome
from aftershock.rules.context import Known, context_finding, listed, requirements_of
from aftershock.rules.rule import CALLS, Family, Lifetime, rule
from aftershock.rules.unseeing import acted_unseeing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits
    from aftershock.model import Finding, Run

KIND = "failed_fact"
WORDS = {
    Outcome.FAILED: "failed",
    Outcome.EMPTY: "came back empty",
    Outcome.TRUNCATED: "came back cut off",
    Outcome.OK: "succeeded",
}


@rule(Family.CONTEXT, Lifetime.ACTION, after=CALLS, about_facts=True, uses_evidence=True)
def failed_fact(run: Run, limits: Limits) -> Iterator[Finding]:
    """One finding for the newest action, listing every fact that was asked for in vain.

    An empty answer can be correct (no window, no alert), so it warns. A failed or truncated one
    pages. What the agent itself looked up of the thing that it then acts on counts as required.
    """
    asked = requirements_of(run)
    if asked is None:
        yield from acted_unseeing(run, limits)
        return
    step, action, known = asked
    gaps = [one for one in known if one.facts and one.usable is None]
    if gaps:
        empty = all(gap.facts[-1].outcome is Outcome.EMPTY for gap in gaps)
        yield context_finding(
            run,
            limits,
            step,
            action,
            kind=KIND,
            gaps=gaps,
            summary=f"{action.tool} was called although reading the {listed(gaps)} had not worked.",
            lines=[line_for(gap) for gap in gaps],
            evidence=[fact.span_id for gap in gaps for fact in gap.facts[-3:]],
            level=Level.WARN if empty else None,
        )


def line_for(gap: Known) -> str:
    """What was asked for, which tool was asked, and how its answer ended."""
    last = gap.facts[-1]
    times = "" if len(gap.facts) == 1 else f" {len(gap.facts)} times"
    return f"{gap.title}: asked of {last.source}{times}; it {WORDS[last.outcome]}"
