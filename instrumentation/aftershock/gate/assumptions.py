"""Assumptions of a call: what is known of each now, and the reasons that follow.

What nobody measured, and what was measured too long ago, is not known: never true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from aftershock.approval import Gate
from aftershock.fingerprints.fingerprint import fingerprint_result
from aftershock.gate.admission import Code, Reason
from aftershock.model import Fact, Outcome
from aftershock.policy.policy import subjects_match

if TYPE_CHECKING:
    from aftershock.model import Run
    from aftershock.policy.safeguards import FactAssumption, MetricAssumption

READ_AGAIN = "What you assumed is not so. Read how it is, and decide again."
LEARN_FIRST = "Find out how it is first, or say that you cannot know it."


class Truth(StrEnum):
    """What is known of an assumption."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Measured:
    """The value that counts of a metric now: of several series the least favourable."""

    value: float
    age_s: float
    source: str


@dataclass(frozen=True, slots=True)
class Examined:
    """An assumption, and what is known of it."""

    truth: Truth
    text: str  # with its value, age and source


def examine(one: MetricAssumption, measured: Measured | None) -> Examined:
    """An assumption about a metric. `measured`: nothing, or the least favourable value."""
    wanted = " and ".join(
        f"{word} {limit:g}"
        for word, limit in (("below", one.below), ("above", one.above))
        if limit is not None
    )
    where = f"{one.metric} of {one.entity}" if one.entity else one.metric
    assumed = f"{where} is assumed to be {wanted}"
    if measured is None:
        what = "it is not measured" if one.entity else "the call does not name what it is about"
        return Examined(Truth.UNKNOWN, f"{assumed}: not known, because {what}")
    origin = f"{measured.age_s:.0f} s ago, source: {measured.source}"
    if measured.age_s > one.max_age_s:
        text = f"{assumed}: not known, because it was last measured {origin}"
        return Examined(Truth.UNKNOWN, text)
    holds = (one.below is None or measured.value < one.below) and (
        one.above is None or measured.value > one.above
    )
    text = f"{assumed}, and is {measured.value:.4g} (measured {origin})"
    return Examined(Truth.TRUE if holds else Truth.FALSE, text)


def examine_fact(one: FactAssumption, run: Run | None) -> Examined:
    """An assumption about what the run was shown: of equal facts the newest counts."""
    assumed = f"{one.fact} of {one.subject} is assumed to be {one.equals!r}"
    found = None if run is None else newest_fact(one, run)
    if run is None or found is None:
        return Examined(Truth.UNKNOWN, f"{assumed}: not known, because it was never read")
    age_s = max(0.0, (run.now_ns - found.observed_at_ns) / 1e9)
    origin = f"{age_s:.0f} s ago, source: {found.source}"
    if age_s > one.max_age_s or found.digest is None or found.outcome is not Outcome.OK:
        return Examined(Truth.UNKNOWN, f"{assumed}: not known, as it was last read {origin}")
    if found.digest == fingerprint_result(one.equals).digest:
        return Examined(Truth.TRUE, f"{assumed}, and is (read {origin})")
    return Examined(Truth.FALSE, f"{assumed}, and is not (read {origin})")


def newest_fact(one: FactAssumption, run: Run) -> Fact | None:
    """The newest fact of this kind and subject."""
    facts = [
        fact
        for step in run.steps
        for fact in step.facts
        if fact.kind == one.fact and subjects_match(one.subject, fact.subject)
    ]
    return max(facts, key=lambda fact: fact.observed_at_ns, default=None)


def reasons_of(
    tool: str, examined: Iterable[Examined], if_false: Gate, if_unknown: Gate
) -> Iterator[Reason]:
    """What follows from assumptions: one reason for all that are false, one for the unknown."""
    found = list(examined)
    for truth, code, gate, words, advice in (
        (Truth.FALSE, Code.FALSE_ASSUMPTION, if_false, "is not so", READ_AGAIN),
        (Truth.UNKNOWN, Code.UNKNOWN_ASSUMPTION, if_unknown, "is not known", LEARN_FIRST),
    ):
        lines = tuple(one.text for one in found if one.truth is truth)
        if lines:
            yield Reason(code, gate, f"What {tool} assumes {words}.", advice, lines)
