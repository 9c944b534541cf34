"""Approvals: what a gate wants before a call, and what was answered when somebody was asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Gate(StrEnum):
    """What a gate does with a call, and what came of asking (the enum of the open proposal)."""

    ALLOW = "allow"
    WARN = "warn"  # let through, and worth a look
    ASK = "ask"  # wants an approval before it; as an outcome: nobody has answered yet
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Approval:
    """What somebody answered, or was asked, about calls of one tool."""

    tool: str
    outcome: Gate
    by: str | None = None  # who answered; while nobody has: who was asked
    because: str | None = None
    arguments: str | None = None  # digest of the only arguments that it is about; None: of any
    expires_at_ns: int | None = None  # it does not hold from then on; None: as long as the run

    @property
    def lets_pass(self) -> bool:
        """True for an answer that allows the call."""
        return self.outcome in {Gate.ALLOW, Gate.WARN}
