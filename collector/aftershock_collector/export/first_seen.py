"""Each step's beginning and end once, however often they arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from aftershock.model import Step, StepKind
from aftershock.runs.fold import Window, key_of

MARKS_MAX = 200_000  # 15 MB; an exporter that sends again does so within minutes

WindowOf = Callable[[str], Window | None]


class FirstSeen:
    """Picks steps that are new; names their agent and targets as their run knows them."""

    def __init__(self, marks_max: int = MARKS_MAX) -> None:
        self._marks_max = marks_max
        self._newer: set[int] = set()
        self._older: set[int] = set()  # forgotten as a whole, once there are as many newer ones

    def of(self, steps: Iterable[Step], window_of: WindowOf) -> list[Step]:
        """Steps that begin or end for the first time, in the order of their arrival."""
        return [
            placed(step, window_of(step.run_id))
            for step in steps
            if step.kind is not StepKind.HEARTBEAT and self._is_first(step)
        ]

    def _is_first(self, step: Step) -> bool:
        key = step.run_id, *key_of(step)
        ended = step.ended_at_ns is not None
        mark = hash((*key, ended))
        if mark in self._newer or mark in self._older:
            return False
        if len(self._newer) >= self._marks_max // 2:
            self._newer, self._older = set(), self._newer
        self._newer.add(mark)
        if ended:
            self._newer.add(hash((*key, False)))  # its beginning comes too late to be news
        return True


def placed(step: Step, window: Window | None) -> Step:
    """A step as its run holds it: its agent named, or else its run's, its targets known."""
    if window is None:
        return step
    known = step if step.kind is StepKind.AGENT else window.find(step) or step
    agent = known.agent or window.agent
    service = known.service or window.service
    environment = known.environment or window.environment
    if (agent, service, environment) == (known.agent, known.service, known.environment):
        return known
    return replace(known, agent=agent, service=service, environment=environment)
