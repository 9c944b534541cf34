"""The learned baseline: what ended runs showed to be usual, as it was known when a run began.

A run is judged by what was known well before it began. So the order in which the steps of
overlapping runs arrive makes no difference, and one unusual run today does not change today's
expectations.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from aftershock.limits import Limits
from aftershock.model import Step
from aftershock.runs.expectations import (
    LearnedExpectations,
    Sample,
    durations_of,
    expectations_from,
    longest_of,
    samples_of,
)
from aftershock.runs.fold import Window
from aftershock_collector.engine.evidence import NOTHING_LEARNED

RUNS_MAX = 2_000  # newest runs that are learned from: as many as are held live; 25 MB at worst
OBSERVATIONS_MAX = 64  # of one run: a run that does the same a thousand times shows it once
HOUR_NS = 3_600 * 10**9  # expectations are worked out once an hour
SETTLING_NS = 600 * 10**9  # and leave out what ended just before: its steps may still arrive
HOURS_MAX = 64  # whose expectations are kept


class EndedRun(NamedTuple):
    """What one ended run showed."""

    ended_at_ns: int
    observations: tuple[Sample, ...]
    durations: dict[str, tuple[int, float]]  # calls of each tool, and the longest in seconds


class Baseline:
    """The newest ended runs, bounded, and the expectations that follow from them by hour."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._runs: OrderedDict[str, EndedRun] = OrderedDict()
        self._by_hour: OrderedDict[int, LearnedExpectations] = OrderedDict()

    def learn(self, run_id: str, ended_at_ns: int, steps: Sequence[Step]) -> None:
        """Learn from an ended run; again, in place of before, where more of it is known now."""
        observations = tuple(samples_of(steps)[:OBSERVATIONS_MAX])
        durations = dict(islice(durations_of(steps).items(), OBSERVATIONS_MAX))
        if not observations and not durations:
            return
        self._runs[run_id] = EndedRun(ended_at_ns, observations, durations)
        self._runs.move_to_end(run_id)
        while len(self._runs) > RUNS_MAX:
            self._runs.popitem(last=False)

    def learn_from(self, window: Window, ended_at_ns: int) -> None:
        """Learn from an ended run, given its window."""
        self.learn(window.run_id, ended_at_ns, window.whole(ended_at_ns).steps)

    def unsettle(self) -> None:
        """Work the expectations out anew: the whole of a recording is known only now."""
        self._by_hour.clear()

    def learned_at(self, began_at_ns: int) -> LearnedExpectations:
        """What was expected when a run began."""
        if not self._runs:
            return NOTHING_LEARNED
        until_ns = began_at_ns // HOUR_NS * HOUR_NS - SETTLING_NS
        known = self._by_hour.get(until_ns)
        if known is None:
            ended = [run for run in self._runs.values() if run.ended_at_ns <= until_ns]
            known = replace(
                expectations_from(
                    (observation for run in ended for observation in run.observations), self._limits
                ),
                longest_s=longest_of((run.durations for run in ended), self._limits),
            )
            self._by_hour[until_ns] = known
            if len(self._by_hour) > HOURS_MAX:
                self._by_hour.popitem(last=False)
        return known
