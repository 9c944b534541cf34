"""The entries of a policy: what it says of tools and agents whose names match a pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from aftershock.limits import Budget, Limits
from aftershock.policy.safeguards import Templates

if TYPE_CHECKING:
    from aftershock.approval import Gate
    from aftershock.model import Tier
    from aftershock.policy.safeguards import Assumed, CanaryRule, Explain

ANY = "*"  # an unknown subject: it matches every other
SECONDS = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h|d)$")
UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
NUMBERS: dict[str, type[int | float]] = {"int": int, "float": float}
LIMIT_TYPES = {one.name: NUMBERS[kind] for one in fields(Limits) if (kind := one.type) in NUMBERS}
COUNTS = frozenset({"steps", "tokens", "tool_errors", "context_window"})  # whole numbers


class PolicyError(ValueError):
    """An invalid policy; `path` leads to the key, so that the error can name its line."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{'.'.join(map(str, path)) or 'policy'}: {message}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fact that a tool requires or provides, before its placeholders are filled."""

    kind: str
    subject: str = ANY
    max_age_s: float | None = None


@dataclass(frozen=True, slots=True)
class ToolRule:
    """One entry under `tools`. None: the key is not set."""

    pattern: str
    tier: Tier | None = None
    targets: tuple[Templates, ...] | None = None
    requires: tuple[Wanted, ...] | None = None
    provides: tuple[Wanted, ...] | None = None
    polls: bool | None = None
    explain: Explain | None = None
    gate: Gate | None = None
    patience_s: float | None = None  # of polls: how long the answer may stay the same
    max_time_s: float | None = None  # of one call
    untrusted: bool | None = None  # its results are others' words, such as web pages and mails
    undo: str | None = None  # how a person undoes it; may hold {placeholders}
    assumes: tuple[Assumed, ...] | None = None
    dry_run: bool | None = None  # whoever approves is shown what the call would do
    canary: CanaryRule | None = None


@dataclass(frozen=True, slots=True)
class AgentRule:
    """One entry under `agents`. None: the key is not set."""

    pattern: str
    limits: tuple[tuple[str, float], ...] = ()
    budget: tuple[tuple[str, float], ...] = ()
    budget_per_day: tuple[tuple[str, float], ...] = ()
    context_window: int | None = None


def parse_seconds(value: float | str) -> float:
    """Seconds from a number, or from a text such as 500ms, 30s, 15m, 2h, 7d. Raises ValueError."""
    if isinstance(value, str):
        match = SECONDS.match(value.strip())
        if match is None:
            raise ValueError(f"{value!r} is not a time; write 30s, 15m, 2h or 7d")
        return float(match[1]) * UNIT_SECONDS[match[2]]
    if isinstance(value, bool) or value <= 0:
        raise ValueError(f"{value!r} is not a time; it must be above zero")
    return float(value)


def apply_overrides(limits: Limits, overrides: tuple[tuple[str, float], ...]) -> Limits:
    """Limits with some of them replaced."""
    changes: dict[str, Any] = {name: LIMIT_TYPES[name](value) for name, value in overrides}
    return replace(limits, **changes) if changes else limits


def with_amounts(budget: Budget, amounts: tuple[tuple[str, float], ...]) -> Budget:
    """A budget with some of its amounts replaced."""
    changes: dict[str, Any] = {
        name: int(value) if name in COUNTS else value for name, value in amounts
    }
    return replace(budget, **changes)
