"""What is shown of an action after a scoring round: its probability, where it held."""

from __future__ import annotations

import re
from dataclasses import replace

from aftershock.grade import PROBABLE_FROM, SUSPECTED_FROM, Grade, grade_of
from aftershock.model import ChangeKind, Impact
from aftershock_collector.impact.aftermath import fading
from aftershock_collector.impact.attribution import enough, impact_of, lacking, unmeasured
from aftershock_collector.impact.gap import unread
from aftershock_collector.impact.open_actions import OpenAction
from aftershock_collector.impact.scoring import ScoringRound, Standing
from aftershock_collector.impact.sequential import HOLD_S, held

ROUND_PACE = 64  # the next round waits for 1/64 of the time since the action: 9 s after ten minutes
RELEASE_HOLD_S = 60.0  # caches and pools fill within a minute: a cold start is no damage
GROWING = 0.1  # probability from which a window is extended: a slow leak may still grow
LEADS_WHILE = 0.5  # share of the likeliest action's probability with which another one still leads
_RELEASES = re.compile(r"deploy|release|roll_?out|rollback|restart|upgrade|redeploy", re.IGNORECASE)


def conclude(standing: Standing, seen: ScoringRound, now_ns: int, blind: tuple[str, ...]) -> None:
    """Add a round to an action, and keep the attribution that is shown after it."""
    opened = standing.opened
    opened.rounds += 1
    opened.asked = False
    opened.until_ns = max([opened.until_ns, *_others_until_ns(standing)])
    opened.next_ns = now_ns + max(0, now_ns - opened.effect_ns) // ROUND_PACE
    best = opened.best
    if best is not None and best.label is Grade.CERTAIN:
        return
    absent = tuple(
        f"nothing is measured on {target}"
        for target in opened.targets
        if not any(map(seen.scene.measured, seen.scene.keys([target])))
    )
    absent += blind
    if not standing.measured:
        opened.best = best or unmeasured(opened, now_ns, absent)
        return
    if not enough(standing.evidence):
        # After a restart history is short: lack of data takes nothing back.
        if best is None or best.probability is None:
            opened.best = _impact(standing, None, seen, now_ns, absent)
        return
    if best is not None and standing.probability < best.strength and _is_silent(opened, best, seen):
        return  # weaker evidence that is left over takes nothing back
    worst = None if standing.onset is None else standing.evidence.movements[0]
    hold_s = RELEASE_HOLD_S if _RELEASES.search(opened.action.tool) else HOLD_S
    settling = fading(worst, standing.onset)
    opened.held = held(opened.held, now_ns, standing.probability, hold_s=hold_s, settling=settling)
    opened.together = held(
        opened.together, now_ns, 1.0 - standing.no_agent, hold_s=hold_s, settling=settling
    )
    shown = opened.held.shown
    any_agent = opened.together.shown if leads(standing) else None
    # An alert brings no points of its own that would ask for the round that must confirm it.
    opened.asked = standing.evidence.trouble is not None and standing.probability > shown + 0.01
    faded = best is not None and best.probability is not None and standing.probability < shown
    if best is not None and faded:
        opened.best = replace(
            best,
            probability=shown,
            label=grade_of(shown),
            judged_at_ns=now_ns,
            any_agent=any_agent,
        )
        return
    opened.best = replace(_impact(standing, shown, seen, now_ns, absent), any_agent=any_agent)


def _is_silent(opened: OpenAction, best: Impact, seen: ScoringRound) -> bool:
    """True where nothing came since of the series that an attribution rests on: it is gone, say.

    An action that another one's trace rules out has no rounds any more: that counts at once.
    """
    change = best.change
    if change is None or change.kind is not ChangeKind.METRIC or best.strength < SUSPECTED_FROM:
        return False
    newest_ns = [seen.scene.newest_ns(key, change.name) for key in seen.scene.keys([change.entity])]
    return bool(opened.held.rounds) and max((at or 0 for at in newest_ns), default=0) <= (
        best.judged_at_ns
    )


def leads(standing: Standing) -> bool:
    """True for the one of several candidates that stands for all of them.

    It is the likeliest. Once it was paged it stays the one, unless another one is paged by its own:
    what chance makes likeliest in a round must not end a page and open the next one. Before that it
    stays while it is nearly as likely. When the damage is over, only those who acted later lead.
    """
    if not standing.shares:
        return False
    opened, own = standing.opened, standing.probability
    if has_led(opened) and _is_paged(opened):
        return not any(other.held.shown >= PROBABLE_FROM for other, _ in standing.shares)
    most = max(share for _, share in standing.shares)
    if has_led(opened):
        return own >= LEADS_WHILE * most
    before = [
        (other, share)
        for other, share in standing.shares
        if has_led(other) and not _acted_after(other, opened)
    ]
    if opened.held.shown < PROBABLE_FROM and any(_is_paged(other) for other, _ in before):
        return False
    return own >= most and not any(share >= LEADS_WHILE * own for _, share in before)


def has_led(opened: OpenAction) -> bool:
    """True where an action stood for all candidates in its newest round."""
    return opened.best is not None and opened.best.any_agent is not None


def _is_paged(opened: OpenAction) -> bool:
    """True where an action stands for all in a page, be its damage over or not."""
    return _recovered_ns(opened) is not None or opened.together.shown >= PROBABLE_FROM


def _acted_after(opened: OpenAction, other: OpenAction) -> bool:
    """True where the other acted when the damage of this one was over."""
    recovered_ns = _recovered_ns(opened)
    return recovered_ns is not None and other.effect_ns > recovered_ns


def _recovered_ns(opened: OpenAction) -> int | None:
    return None if opened.best is None else opened.best.recovered_at_ns


def _others_until_ns(standing: Standing) -> list[int]:
    """Until when the actions are observed that may be behind the same damage.

    None of them is let go before the others: whoever were left alone would look certain.
    """
    if standing.onset is None or 1.0 - standing.no_agent < GROWING:
        return []
    onset_ns = standing.onset.high_ns
    return [other.until_ns for other, _ in standing.shares if other.effect_ns <= onset_ns]


def _impact(
    standing: Standing,
    probability: float | None,
    seen: ScoringRound,
    now_ns: int,
    absent: tuple[str, ...],
) -> Impact:
    opened = standing.opened
    assert opened.troubles is not None, "found before the round was concluded"
    return impact_of(
        standing,
        probability,
        now_ns,
        gap=unread(opened.troubles, opened.facts, opened.skew_ns),
        missing=absent + lacking(standing, topology=bool(seen.scene.relations)),
    )
