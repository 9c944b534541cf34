"""unapproved_action: a tool was called without the approval that the policy requires."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aftershock.approval import Approval, Gate
from aftershock.fingerprints.fingerprint import UNSEEN
from aftershock.model import Finding, Level, Run, Step
from aftershock.rules.forbidden import forbidden
from aftershock.rules.rule import CALLS, Family, Lifetime, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "unapproved_action"
WANTING = frozenset({Gate.ASK, Gate.DENY})
LINES_MAX = 5  # approvals listed in the facts: the newest
OUTCOMES = {
    Gate.ALLOW: "allowed it",
    Gate.WARN: "allowed it with a warning",
    Gate.DENY: "denied it",
}

Answers = list[tuple[Step, Approval]]


@rule(Family.CONTROL, Lifetime.ACTION, after=CALLS)
def unapproved_action(run: Run, limits: Limits) -> Iterator[Finding]:
    """The newest call, if its gate requires an approval and none was valid when it began.

    The newest denial is valid until somebody allows the call again. An approval that names
    arguments covers only these. An unanswered request allows nothing.

    Without a policy, what a person said counts: the second change after a message that asked to
    stop, or to change nothing.
    """
    step = run.newest
    if step is None or step.action is None:
        return
    if step.action.tier.has_effect:
        yield from forbidden(run, step, limits)
    if step.action.gate not in WANTING:
        return
    action = step.action
    recorded = [
        (one, one.approval)
        for one in (*run.dropped_approvals, *run.steps)
        if one.approval is not None and one.approval.tool == action.tool
    ]
    recorded.sort(key=lambda pair: pair[0].last_ns)
    why = "although the policy denies it" if action.gate is Gate.DENY else why_not(step, recorded)
    if why is None:
        return
    yield Finding(
        kind=KIND,
        run_id=run.id,
        subject=f"{action.tool}/{step.span_id}",
        level=Level.ALARM,
        began_at_ns=step.began_at_ns,
        as_of_ns=run.now_ns,
        evidence=evidence_of(step, recorded, limits),
        summary=f"{action.tool} was called {why}.",
        agent=step.agent or run.agent,
        trace_id=step.trace_id,
        facts=tuple(line_for(one, approval, step) for one, approval in recorded[-LINES_MAX:]),
        lasting=True,
    )


def why_not(step: Step, recorded: Answers) -> str | None:
    """Why no approval of its tool, oldest first, covers a call; None if one does."""
    action = step.action
    assert action is not None, "only calls have gates"
    answers = [(one, approval) for one, approval in recorded if answered(one, approval, step)]
    denials = [pair for pair in answers if not pair[1].lets_pass and covers(*pair, step)]
    since_ns = denials[-1][0].last_ns if denials else 0
    allowing = [pair for pair in answers if pair[1].lets_pass and pair[0].last_ns > since_ns]
    fitting = [pair for pair in allowing if covers(*pair, step)]
    if any(not expired(approval, step) for _, approval in fitting):
        return None
    if fitting:
        return f"although the approval of {clock(fitting[-1][0].last_ns)[:5]} UTC had expired"
    if denials:
        by = denials[-1][1].by
        return f"although {by} had denied it" if by else "although it had been denied"
    if allowing:
        by = allowing[-1][1].by
        given = f"{by} had approved it" if by else "it was approved"
        return f"although {given} for other arguments only"
    if any(
        covers(one, approval, step) and not answered(one, approval, step)
        for one, approval in recorded
    ):
        return "before anybody had approved it"
    return "although nobody had approved it"


def answered(one: Step, approval: Approval, step: Step) -> bool:
    """True if the request had been answered when the call began.

    An answer that came with the record of the call itself was given before the call.
    """
    if approval.outcome is Gate.ASK or one.ended_at_ns is None:
        return False
    return one.span_id == step.span_id or one.ended_at_ns <= step.began_at_ns


def covers(one: Step, approval: Approval, step: Step) -> bool:
    """True for an answer about any arguments, or about these.

    Where the call's arguments are not known, or were hashed with another key, an approval is not
    held to be for others.
    """
    digest = step.action.arguments.digest if step.action is not None else UNSEEN
    if approval.arguments is None or approval.arguments == digest:
        return True
    unknown = digest.startswith(UNSEEN) or one.fingerprint_key != step.fingerprint_key
    return approval.lets_pass and unknown


def expired(approval: Approval, step: Step) -> bool:
    """True if an approval had expired when the call began."""
    return approval.expires_at_ns is not None and approval.expires_at_ns <= step.began_at_ns


def evidence_of(step: Step, recorded: Answers, limits: Limits) -> tuple[str, ...]:
    """The call, then the considered approvals, newest first."""
    spans = (step.span_id, *(one.span_id for one, _ in reversed(recorded)))
    return tuple(dict.fromkeys(spans))[: limits.evidence_max]


def line_for(one: Step, approval: Approval, step: Step) -> str:
    """What was answered, by whom, when, for what, and how long it held."""
    if not answered(one, approval, step):
        whom = f" of {approval.by}" if approval.by else ""
        line = f"{clock(one.began_at_ns)} an approval was asked{whom}, not answered by then"
    else:
        line = f"{clock(one.last_ns)} {approval.by or 'somebody'} {OUTCOMES[approval.outcome]}"
    parts = [line]
    if not covers(one, approval, step):
        parts.append("for other arguments")
    if approval.expires_at_ns is not None:
        parts.append(f"until {clock(approval.expires_at_ns)}")
    if approval.because:
        parts.append(f"because {approval.because}")
    return ", ".join(parts)


def clock(at_ns: int) -> str:
    """A moment of a day: 02:10:31 UTC."""
    seconds = min(max(at_ns // 1_000_000_000, 0), 253_402_300_799)  # what a calendar holds
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S} UTC"
