"""Bypasses: a named person's approval of everything that some agents ask, for a limited time."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Bypass:
    """One bypass. Every call that it lets pass has its own ticket, which names it."""

    by: str
    because: str
    given_at_ns: int
    until_ns: int
    agent: str = "*"  # name or glob
    tool: str = "*"  # name or glob
    number: int = 0  # 0: not stored yet

    def covers(self, agent: str | None, tool: str) -> bool:
        """True for a call of this agent and tool."""
        return fnmatchcase(agent or "", self.agent) and fnmatchcase(tool, self.tool)
