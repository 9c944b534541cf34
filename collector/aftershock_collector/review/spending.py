"""What a run spent after a finding was certain: what stopping it then would have saved.

A finding does not say when it became an alarm, so the run is judged again, step by step, with the
rules and the limits that judge live traffic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aftershock.model import Level, Spent, Step, StepKind
from aftershock.policy.policy import limits_for
from aftershock.policy.prices import spent_with
from aftershock.rules import RULES, Lifetime, judge, kinds_of, rules_after
from aftershock.runs.fold import Window, key_of, place_of
from aftershock.runs.reconcile import NO_CLAIMS, Claims, advance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aftershock.model import Claim
    from aftershock.policy.policy import Policy

CHUNK_STEPS = 128  # added to a window before it is judged: well under what it holds
# About an action that is done: stopping the run does not undo it.
ACTION_RULES = kinds_of(rule for rule in RULES if rule.lifetime is Lifetime.ACTION)


@dataclass(frozen=True, slots=True)
class FindingHistory:
    """The step that opened a finding, and the step that made it an alarm (None: none did)."""

    opened_by: Step
    alarm_from: Step | None


@dataclass(frozen=True, slots=True)
class Saving:
    """What a run spent from the step that opened a finding until the finding or the run ended."""

    since_ns: int
    until_ns: int
    certain: bool  # False: it never became an alarm, so this counts from its opening
    spent: Spent
    tokens_known: bool  # False: no step of the run recorded any
    span_id: str | None  # the step that made it so; None: the run as recorded does not show it

    @property
    def duration_ns(self) -> int:
        """Nanoseconds between the two."""
        return self.until_ns - self.since_ns


def histories_of(steps: Iterable[Step], policy: Policy) -> dict[str, list[FindingHistory]]:
    """Finding id → its histories, oldest first: one for each time that it opened.

    The run is judged step by step, as live traffic is.
    """
    lives: dict[str, list[FindingHistory]] = {}
    before: Claims = NO_CLAIMS
    for step, claims in states(steps, policy):
        for identity, claim in claims.items():
            known = before.get(identity)
            if claim is known or claim.closing is not None:
                continue
            alarm = claim.finding.level is Level.ALARM
            histories = lives.setdefault(identity, [])
            if known is None or known.closing is not None:
                histories.append(FindingHistory(step, step if alarm else None))
            elif alarm and histories[-1].alarm_from is None:
                histories[-1] = FindingHistory(histories[-1].opened_by, step)
        before = claims
    return lives


def states(steps: Iterable[Step], policy: Policy) -> Iterator[tuple[Step, Claims]]:
    """Each step in event order, with the claims that hold after it, as the engine judges."""
    ordered = sorted(once(steps), key=place_of)
    if not ordered:
        return
    window = Window(ordered[0].run_id, policy.limits)
    # Agents are added first: judging a step needs to know whose it is.
    window.add(step for step in ordered if step.kind is StepKind.AGENT)
    done = [step for step in ordered if step.kind is not StepKind.AGENT]
    limits = limits_for(policy, window.agent)
    claims: Claims = NO_CLAIMS
    judged = 0  # steps of the window; in event order, none of them reads differently later
    for start in range(0, len(done), CHUNK_STEPS):
        judged -= window.add(done[start : start + CHUNK_STEPS]).fell_out
        for length in range(judged + 1, len(window) + 1):
            rules, kinds = rules_after(window.kind_at(length - 1))
            if rules:
                run = window.prefix(length)
                claims = advance(claims, judge(run, limits, rules), run.now_ns, kinds)
                yield run.steps[-1], claims
        judged = len(window)


def once(steps: Iterable[Step]) -> list[Step]:
    """Each step once, ended where its end is known."""
    by_end = sorted(steps, key=lambda step: step.ended_at_ns or 0)
    return list({key_of(step): step for step in by_end}.values())


def history_of(
    claim: Claim, histories: Mapping[str, Sequence[FindingHistory]]
) -> FindingHistory | None:
    """The newest history that had begun when the claim was opened, else the first; None: none."""
    lives = histories.get(claim.finding.id, ())
    begun = [one for one in lives if one.opened_by.began_at_ns <= claim.opened_at_ns]
    return begun[-1] if begun else next(iter(lives), None)


def saving_of(
    claim: Claim,
    steps: Sequence[Step],
    histories: Mapping[str, Sequence[FindingHistory]],
    policy: Policy,
) -> Saving | None:
    """What a finding's run spent while it was open; None where stopping the run saves nothing.

    Stopping a run undoes neither an action that is done nor the degradation that it caused.
    """
    finding = claim.finding
    if finding.kind in ACTION_RULES or finding.impact is not None or not steps:
        return None
    history = history_of(claim, histories)
    step = None if history is None else history.alarm_from or history.opened_by
    since_ns = claim.opened_at_ns if step is None else step.last_ns
    began_ns = since_ns if step is None else step.began_at_ns
    newest_ns = max(one.last_ns for one in steps)
    until_ns = newest_ns if claim.closed_at_ns is None else claim.closed_at_ns
    limits = limits_for(policy, finding.agent)
    spent = Spent()
    for one in once(steps):
        if began_ns < one.began_at_ns <= until_ns:
            spent = spent_with(spent, one, limits)
    unseen_alarm = step is None and finding.level is Level.ALARM
    return Saving(
        since_ns=since_ns,
        until_ns=max(since_ns, until_ns),
        certain=unseen_alarm or (history is not None and history.alarm_from is not None),
        spent=spent,
        tokens_known=any(one.tokens is not None for one in steps),
        span_id=None if step is None else step.span_id,
    )
