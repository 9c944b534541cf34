"""Lessons: what runs that are over show of custom, and what was custom when another one began.

A run is judged by what was known well before it began. So it makes no difference in which order
the steps of runs that overlap arrive, and a custom that is broken today does not bend at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from aftershock.limits import Limits
from aftershock.model import Step
from aftershock.runs.expectations import LearnedExpectations, Lesson, expectations_from, lessons_of
from aftershock.runs.fold import Window

RUNS_MAX = 2_000  # newest runs that are learnt from: as many as are held live; 15 MB at worst
LESSONS_MAX = 64  # of one run: a run that does the same a thousand times shows it once
HOUR_NS = 3_600 * 10**9  # customs are settled once an hour
SETTLING_NS = 600 * 10**9  # and leave out what ended just before: its steps may still be on the way
PRACTICES_MAX = 64  # hours whose customs are kept
NOTHING_LEARNED = LearnedExpectations()


class Past(NamedTuple):
    """One run that is over."""

    ended_at_ns: int
    lessons: tuple[Lesson, ...]


class Baseline:
    """The newest runs that are over, bounded."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._runs: OrderedDict[str, Past] = OrderedDict()
        self._practices: OrderedDict[int, LearnedExpectations] = OrderedDict()

    def learn(self, run_id: str, ended_at_ns: int, steps: Sequence[Step]) -> None:
        """A run is over. It is learnt from once more where more of it is known now."""
        lessons = tuple(lessons_of(steps)[:LESSONS_MAX])
        if not lessons:
            return
        self._runs[run_id] = Past(ended_at_ns, lessons)
        self._runs.move_to_end(run_id)
        while len(self._runs) > RUNS_MAX:
            self._runs.popitem(last=False)

    def learn_from(self, window: Window, ended_at_ns: int) -> None:
        """The same of a run as the engine holds it."""
        self.learn(window.run_id, ended_at_ns, window.whole(ended_at_ns).steps)

    def unsettle(self) -> None:
        """Customs are to be worked out anew: all that a recording holds is known only now."""
        self._practices.clear()

    def learned_at(self, began_at_ns: int) -> LearnedExpectations:
        """What was custom when a run began."""
        if not self._runs:
            return NOTHING_LEARNED
        until_ns = began_at_ns // HOUR_NS * HOUR_NS - SETTLING_NS
        known = self._practices.get(until_ns)
        if known is None:
            past = (one for one in self._runs.values() if one.ended_at_ns <= until_ns)
            known = expectations_from(
                (lesson for one in past for lesson in one.lessons), self._limits
            )
            self._practices[until_ns] = known
            if len(self._practices) > PRACTICES_MAX:
                self._practices.popitem(last=False)
        return known
