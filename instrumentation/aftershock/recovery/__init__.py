"""Recovery: tools that fail in a way a model can read, try again sensibly, and remember facts.

from aftershock.recovery import recovering

@aftershock.tool
@recovering()
def get_status(service: str) -> str: ...
"""

from __future__ import annotations

from aftershock.recovery.breaker import Breaker
from aftershock.recovery.failures import FailureKind, ToolFailed, ToolFailure
from aftershock.recovery.memory import WorkingMemory
from aftershock.recovery.retrying import recovering

__all__ = [
    "Breaker", "FailureKind", "ToolFailed", "ToolFailure", "WorkingMemory", "recovering",
]  # fmt: skip
