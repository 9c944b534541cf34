"""Why an attribution is as sure as it is: one sentence for each part, with the number behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aftershock_collector.wording import clean, counted, exact_link, odds

if TYPE_CHECKING:
    from aftershock.model import Impact

# Surprise in natural logarithms: about 1 in 7, 1 in 20 and 1 in 150 windows by chance.
SLIGHT, CLEAR, STRONG = 2.0, 3.0, 5.0


class Reason(NamedTuple):
    """One part: its name, what it means for this attribution, and how rare that is."""

    name: str
    sentence: str
    odds: str
    notable: bool  # it moved the probability


def reasons(impact: Impact) -> list[Reason]:
    """The four parts, in the order in which they are weighed. Empty where nothing was compared."""
    if impact.probability is None or (exact_link(impact) and not impact.comparable):
        return []
    parts, entity = impact.parts, clean(impact.entity, 60)
    compared = counted(impact.comparable, "window") + " compared" if impact.comparable else ""
    found = (
        ("after the call", parts.own, after(parts.own, entity, impact.comparable)),
        ("before the call", parts.before, before(parts.before, entity)),
        ("its own dependencies", parts.callee, callee(parts.callee, entity)),
        ("without an action", parts.alternative, elsewhere(parts.alternative)),
    )
    return [
        Reason(
            name,
            sentence,
            ", ".join(filter(None, [odds(size), compared if n == 0 else ""])),
            notable=n == 0 or size >= SLIGHT,
        )
        for n, (name, size, sentence) in enumerate(found)
    ]


def after(size: float, entity: str, comparable: int) -> str:
    """How unusual the target became."""
    if size < SLIGHT:
        return f"{entity} stayed in its usual range after the call."
    much = "far more unusual" if size >= STRONG else "more unusual"
    if comparable < 1:
        return f"{entity} became {much} after the call than before it."
    least = "" if size >= CLEAR else "most of "
    windows = counted(comparable, "earlier window")
    return f"{entity} became {much} after the call than in {least}{windows} without an action."


def before(size: float, entity: str) -> str:
    """How unusual it already was: that speaks against the action."""
    if size < SLIGHT:
        return f"{entity} was calm before the call."
    return f"{entity} was already unusual before the call, which speaks against the action."


def callee(size: float, entity: str) -> str:
    """What a service that the target calls explains."""
    if size < SLIGHT:
        return f"Nothing that {entity} calls explains the change."
    return f"A service that {entity} calls moved as well, which explains a part of the change."


def elsewhere(size: float) -> str:
    """The worst movement that no action explains."""
    if size < SLIGHT:
        return "Nothing moved elsewhere without an action."
    return "Something else moved that no action explains, which speaks for another reason."
