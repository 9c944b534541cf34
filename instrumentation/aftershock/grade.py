"""How sure an attribution is, and what the action did: one scale, for every room."""

from __future__ import annotations

from enum import StrEnum

PROBABLE_FROM = 0.8
SUSPECTED_FROM = 0.5
POSSIBLE_FROM = 0.2


class Grade(StrEnum):
    """The word for a probability. CERTAIN is an exact link: the action's own trace came back."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    SUSPECTED = "suspected"
    POSSIBLE = "possible"
    NO_EVIDENCE = "no metric evidence"  # never "innocent": metrics do not show every fault
    NOT_ENOUGH_DATA = "not enough data"


class Effect(StrEnum):
    """What an action did to its target."""

    DEGRADED = "degraded"
    HELPED = "helped"  # trouble that was there before ended after it
    UNCHANGED = "changed nothing"  # trouble that was there before went on
    UNCLEAR = "unclear"


def grade_of(probability: float | None) -> Grade:
    """The grade of a probability; None means that too little was measured to give one."""
    if probability is None:
        return Grade.NOT_ENOUGH_DATA
    if probability >= PROBABLE_FROM:
        return Grade.PROBABLE
    if probability >= SUSPECTED_FROM:
        return Grade.SUSPECTED
    return Grade.POSSIBLE if probability >= POSSIBLE_FROM else Grade.NO_EVIDENCE


def percent(probability: float) -> str:
    """91 %. Never 0 % or 100 %: an estimate cannot be that sure."""
    if probability < 0.01:
        return "< 1 %"
    return "> 99 %" if probability > 0.99 else f"{probability * 100:.0f} %"
