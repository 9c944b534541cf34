"""One task's steps in event order, within a bounded window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Imported at run time, as the store resolves the types of fields.
from aftershock.model.changes import Change
from aftershock.model.findings import Impact
from aftershock.model.steps import NOTHING_SPENT, Requirement, Spent, Step


@dataclass(frozen=True, slots=True)
class Run:
    """The newest bounded window of one task's steps, in event order."""

    id: str
    steps: tuple[Step, ...]
    now_ns: int  # end of the newest step; the tick's time where silence is being judged
    agent: str | None = None
    began_at_ns: int | None = None
    ended_at_ns: int | None = None  # None: the run is not known to be over
    settled: bool = True  # steps from before now_ns are no longer expected to arrive
    error: str | None = None  # of the outermost agent, where the run ended with one
    received_at_ns: int | None = None  # newest sign of life, heartbeats included
    dropped_steps: int = 0  # older steps that fell out of the window
    dropped_spent: Spent = NOTHING_SPENT  # what those had used up
    dropped_approvals: tuple[Step, ...] = ()  # approvals among those; they remain valid
    impacts: tuple[Impact, ...] = ()  # what `explain` attached to this run's actions
    answer_requires: tuple[Requirement, ...] = ()  # learned: what such runs read before the end
    longest_s: Mapping[str, float] = field(default_factory=dict[str, float])  # of calls, learned
    changes: tuple[Change, ...] = ()  # made by others to what the newest action depends on

    @property
    def newest(self) -> Step | None:
        """The last step in event order."""
        return self.steps[-1] if self.steps else None
