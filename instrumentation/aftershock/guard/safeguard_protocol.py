"""Safeguards on the way between the guard and the collector: assumptions and canaries as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from aftershock.policy.safeguards import CanaryCall, MetricAssumption

if TYPE_CHECKING:
    from collections.abc import Mapping

CANARY_PATH = "/v1/guard/canary"


def assumptions_in(listed: Any) -> tuple[MetricAssumption, ...]:
    """Assumptions as JSON has them. Raises KeyError, TypeError or ValueError."""
    return tuple(
        MetricAssumption(
            str(one["metric"]),
            str(one["entity"]),
            optional(one, "below"),
            optional(one, "above"),
            float(one["max_age_s"]),
        )
        for one in cast("list[Mapping[str, Any]]", listed)
    )


def canary_in(body: Mapping[str, Any]) -> CanaryCall:
    """A step of a rollout from JSON. Raises KeyError, TypeError or ValueError."""
    argument, current, first = (body.get(key) for key in ("argument", "current", "first"))
    return CanaryCall(
        str(body["tool"]),
        tuple(map(str, body["targets"])),
        None if argument is None else str(argument),
        optional(body, "amount"),
        optional(body, "factor"),
        None if current is None else str(current),
        None if first is None else str(first),
        str(body.get("environment") or ""),
        str(body.get("change") or ""),
        float(body["observe_s"]),
    )


def optional(body: Mapping[str, Any], key: str) -> float | None:
    """A number, or None."""
    value = body.get(key)
    return None if value is None else float(value)
