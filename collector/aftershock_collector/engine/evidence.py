"""Evidence: what a run is judged by besides its own steps. Frozen; the Correlator hands it over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aftershock.model import Change, ChangeKind, Impact, Step
from aftershock.policy.policy import ANY
from aftershock.runs.expectations import LearnedExpectations

NOTHING_LEARNED = LearnedExpectations()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything from outside a run that its judgement may use, at one moment."""

    now_ns: int  # our clock
    impacts: tuple[Impact, ...] = ()  # of this run's actions: the newest attribution of each
    learned: LearnedExpectations = NOTHING_LEARNED  # that were known when the run began
    # What others changed, oldest first, by the key of what was changed.
    changes: Mapping[str, Sequence[Change]] = field(default_factory=dict[str, Sequence[Change]])

    def changes_before(
        self, keys: Iterable[str], time_ns: int, changes_max: int
    ) -> tuple[Change, ...]:
        """The newest changes of these keys that began by a moment (event time), oldest first."""
        found = {
            (change.began_at_ns, change.id, change.entity): change
            for key in keys
            for change in self.changes.get(key, ())
            if change.began_at_ns <= time_ns
        }
        return tuple(found[place] for place in sorted(found)[-changes_max:])


def names_of(entity: str) -> set[str]:
    """Keys of an entity (`service/checkout`): itself, and the name at its end, as facts use it."""
    return {entity, entity.rpartition("/")[2]} - {""}


def depends_on_others(step: Step) -> bool:
    """True for an action with an effect that relies on what others can change."""
    action = step.action
    return action is not None and action.tier.has_effect and bool(action.requires or action.targets)


def dependencies_of(steps: Sequence[Step]) -> set[str]:
    """Keys that the newest of some steps, an action, relies on: required, read, acted upon."""
    action = steps[-1].action
    if action is None:
        return set()
    kinds = {requirement.kind for requirement in action.requires}
    keys = {want.subject for want in action.requires if want.learnt_support is None}
    if kinds:
        keys |= {fact.subject for step in steps for fact in step.facts if fact.kind in kinds}
    for target in action.targets:
        keys |= names_of(target)
    return keys - {ANY, ""}


def is_unmeasured(known: Impact, newest: Impact) -> bool:
    """True where what decided an attribution has not been measured since: its service is gone, say.

    Weaker evidence that is left over, such as an alert, takes nothing back.
    """
    if newest.probability is None:
        return True
    change = known.change
    if change is None or change.kind is not ChangeKind.METRIC or newest.recovered_at_ns is not None:
        return False
    return not any(
        (chart.entity, chart.metric) == (change.entity, change.name)
        and max(chart.times_ns, default=0) > known.judged_at_ns
        for chart in newest.charts
    )
