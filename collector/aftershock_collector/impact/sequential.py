"""The probability that is shown and paged: one that held over consecutive scoring rounds.

A round's probability is an estimate from what was measured until then. The maximum over many
rounds is biased upwards: with enough rounds, chance alone passes any threshold. What is shown
therefore rises only to what the newest rounds all reached, and falls only to what none of them
exceeded. One round alone is "possible" at most; to be suspected two must agree, and to be probable
three, over at least `HOLD_S`. The two limits are what a sequential test with those run lengths
gives: a burst shorter
than the hold can be suspected, and is never paged.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from aftershock.grade import PROBABLE_FROM, SUSPECTED_FROM

SHOWN_ROUNDS = 2
PAGED_ROUNDS = 3
ALONE_NATS = 2.5  # that one round alone is worth less: it may be the largest of many
ALONE_MAX = SUSPECTED_FROM - 0.01
HOLD_S = 8.0  # a page needs damage that lasted longer than a blip of 6 s
JUST_BELOW = PROBABLE_FROM - 0.01
ROUNDS_KEPT = 64  # at one round a second, a hold of a minute after a release


@dataclass(frozen=True, slots=True)
class Round:
    """One scoring round of one action."""

    at_ns: int
    probability: float


@dataclass(frozen=True, slots=True)
class Held:
    """The newest rounds of one action, oldest first, and what is shown after them."""

    rounds: tuple[Round, ...] = ()
    shown: float = 0.0
    maximum: float = 0.0  # of all rounds: for ranking only, never shown


def held(
    before: Held, now_ns: int, probability: float, *, hold_s: float = HOLD_S, settling: bool = False
) -> Held:
    """What is shown after one more round.

    Args:
        before: the rounds so far.
        now_ns: of this round.
        probability: of this round.
        hold_s: how long damage must last before it is paged.
        settling: the damage is already fading: not to be paged yet.
    """
    rounds = (*before.rounds, Round(now_ns, probability))[-ROUNDS_KEPT:]
    recent = [each.probability for each in rounds[-SHOWN_ROUNDS:]]
    low = min(recent) if len(recent) == SHOWN_ROUNDS else 0.0
    if not settling:
        low = max(low, _alone(probability))
    shown = min(max(before.shown, low), max(recent))
    if shown >= PROBABLE_FROM > before.shown and (settling or not _lasted(rounds, now_ns, hold_s)):
        shown = JUST_BELOW
    return Held(rounds, shown, max(before.maximum, probability))


def _alone(probability: float) -> float:
    """What one round is worth without another one that agrees: its odds, discounted."""
    odds = probability * exp(-ALONE_NATS)
    return min(ALONE_MAX, odds / (odds + 1.0 - probability)) if odds else 0.0


def _lasted(rounds: tuple[Round, ...], now_ns: int, hold_s: float) -> bool:
    """True where every round of the hold was probable, and there were enough of them."""
    run = 0
    since_ns = now_ns
    for each in reversed(rounds):
        if each.probability < PROBABLE_FROM:
            break
        run += 1
        since_ns = each.at_ns
    return run >= PAGED_ROUNDS and (now_ns - since_ns >= hold_s * 1e9 or run == ROUNDS_KEPT)
