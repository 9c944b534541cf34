"""Approvals: what a gate requires before a call, and the answers that people gave."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Gate(StrEnum):
    """What a gate does with a call, or its answer (the enum of the open OpenTelemetry proposal)."""

    ALLOW = "allow"
    WARN = "warn"  # allowed, with a warning
    ASK = "ask"  # requires an approval first; as an outcome: no answer yet
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for approval of calls of one tool, or its answer."""

    tool: str
    outcome: Gate
    by: str | None = None  # who answered, or, while it is open, who was asked
    because: str | None = None
    arguments: str | None = None  # digest of the arguments that it covers; None: all arguments
    expires_at_ns: int | None = None  # None: it is valid until the run ends

    @property
    def lets_pass(self) -> bool:
        """True for an answer that allows the call."""
        return self.outcome in {Gate.ALLOW, Gate.WARN}
