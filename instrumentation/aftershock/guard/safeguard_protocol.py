"""Safeguards on the way between the guard and the collector: assumptions and canaries as JSON."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from aftershock.policy.safeguards import CanaryCall, MetricAssumption

if TYPE_CHECKING:
    from collections.abc import Mapping

CANARY_PATH = "/v1/guard/canary"
LISTED_MAX = 64  # assumptions, or targets, of one call
TEXT_CHARS_MAX = 500  # as many as a policy may have
OBSERVE_S_MAX = 7 * 86_400.0


def assumptions_in(listed: Any) -> tuple[MetricAssumption, ...]:
    """Assumptions as JSON has them. Raises KeyError, TypeError or ValueError."""
    return tuple(
        MetricAssumption(
            text(one["metric"]),
            text(one["entity"]),
            number(one.get("below")),
            number(one.get("above")),
            number(one["max_age_s"]) or 0.0,
        )
        for one in bounded(cast("list[Mapping[str, Any]]", listed))
    )


def canary_in(body: Mapping[str, Any]) -> CanaryCall:
    """A step of a rollout from JSON. Raises KeyError, TypeError or ValueError."""
    argument, current, first = (body.get(key) for key in ("argument", "current", "first"))
    factor, observe_s = number(body.get("factor")), number(body["observe_s"])
    if factor is not None and factor <= 1:
        raise ValueError("factor must be above 1")
    if observe_s is None or not 0 <= observe_s <= OBSERVE_S_MAX:
        raise ValueError(f"observe_s must be from 0 to {OBSERVE_S_MAX:.0f}")
    return CanaryCall(
        text(body["tool"]),
        tuple(map(text, bounded(body["targets"]))),
        None if argument is None else text(argument),
        number(body.get("amount")),
        factor,
        None if current is None else text(current),
        None if first is None else text(first),
        text(body.get("environment") or ""),
        text(body.get("change") or ""),
        observe_s,
    )


def bounded(given: list[Any]) -> list[Any]:
    """A list that is not too long. Raises ValueError."""
    if len(given) > LISTED_MAX:
        raise ValueError(f"at most {LISTED_MAX} may be listed")
    return given


def text(given: Any) -> str:
    """A text that is not too long. Raises ValueError."""
    found = str(given)
    if len(found) > TEXT_CHARS_MAX:
        raise ValueError(f"a text may have {TEXT_CHARS_MAX} characters")
    return found


def number(given: Any) -> float | None:
    """A finite number, or None. Raises ValueError or OverflowError."""
    if given is None:
        return None
    found = float(given)
    if not isfinite(found):
        raise ValueError(f"{found} is no number")
    return found
