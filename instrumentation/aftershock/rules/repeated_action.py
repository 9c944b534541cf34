"""repeated_action: the same call again, nothing new learnt, and nothing changed in between."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from aftershock.fingerprints.fingerprint import names_in
from aftershock.model import Action, Finding, Level, Outcome, Run, Step
from aftershock.rules.actions import (
    changed_something,
    could_have_learnt,
    found,
    is_reworded,
    key_of,
    only_numbers_moved,
    tail_of,
    taught_nothing,
)
from aftershock.rules.rule import CONVERSATION, Family, Lifetime, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "repeated_action"
Call = tuple[str, str]  # tool, digest of its arguments
STUMBLE_ACTIONS_MAX = 3  # a call that failed, what cleared its way, and the call again


@rule(Family.LOOPS, Lifetime.STATE, after=CONVERSATION, waste=True)
def repeated_action(run: Run, limits: Limits) -> Iterator[Finding]:
    """Calls that a worker makes over and over: identical ones, stumbles, and reworded ones.

    A write in between that succeeded, a result with new lines, a declared poller and calls of one
    parallel batch are legitimate.
    """
    for lane in tail_of(run, limits).lanes:
        if len(lane) < limits.repeats_warn:
            continue
        yield from identical_calls(run, lane, limits)
        yield from stumbles(run, lane, limits)
        yield from emptied_writes(run, lane, limits)
        yield from reworded_calls(run, lane, limits)


# --- The same call -----------------------------------------------------------------------------


def identical_calls(run: Run, lane: list[Step], limits: Limits) -> Iterator[Finding]:
    """One finding for each call that was repeated within the newest actions."""
    newest = len(lane) - limits.repeat_window_actions  # places from here on are "now"
    chains = [
        chain
        for places in repeated_calls(lane)
        # Two calls of a chain are less than a window apart: further apart nothing can matter.
        if places[-1] >= newest
        and places[-1] - places[-2] < limits.repeat_window_actions
        and len(chain := last_chain(lane, places, limits)) >= limits.repeats_warn
        and chain[-1] >= newest
    ]
    for chain in chains:
        steps = [lane[place] for place in chain]
        actions = [step.action for step in steps if step.action]
        moved = only_numbers_moved(actions)
        if moved and len(chain) < limits.repeats_alarm:
            continue  # a progress report that was read twice
        # What only counts up may be progress: it takes twice as long to be sure.
        alarm_at = limits.repeats_alarm * (2 if moved else 1)
        alarm = sum(place >= newest for place in chain) >= alarm_at
        taught = "only numbers in its answer moved" if moved else "it taught nothing new"
        yield found(
            run,
            limits,
            kind=KIND,
            subject=f"{actions[0].tool}/{actions[0].arguments.digest[:8]}",
            level=Level.ALARM if alarm else Level.WARN,
            steps=steps,
            summary=f"{actions[0].tool} was called {len(chain)} times with the same arguments "
            f"and {taught}.",
            certain_from=steps[alarm_at - 1] if alarm else None,
        )


def repeated_calls(lane: list[Step]) -> list[list[int]]:
    """Where in a lane each call was made that was made more than once.

    Pollers and calls of which nothing is known are left out.
    """
    places: dict[Call, list[int]] = {}
    for place, step in enumerate(lane):
        action = step.action
        if action is not None and action.arguments.digest and not action.polls:
            places.setdefault((action.tool, action.arguments.digest), []).append(place)
    return [found for found in places.values() if len(found) > 1]


def last_chain(lane: list[Step], places: list[int], limits: Limits) -> list[int]:
    """The newest unbroken series of one call: places where it came again and taught nothing."""
    chain = places[:1]
    for place in places[1:]:
        step, before = lane[place], lane[chain[-1]]
        assert step.action
        if not could_have_learnt(step, before):
            continue  # of one batch, or its answer is not in yet
        open_call = step.action.result is None and step.ended_at_ns is None
        if open_call and len(chain) < limits.repeats_warn:
            continue  # whether it will teach something is not known yet
        between = lane[chain[-1] + 1 : place]
        broken = place - chain[-1] >= limits.repeat_window_actions or any(
            other.action and changed_something(other.action) for other in between
        )
        earlier = (action for at in chain if (action := lane[at].action))
        if not broken and (
            open_call
            or any(taught_nothing(step.action, one, limits.novelty_min) for one in earlier)
        ):
            chain.append(place)
        else:
            chain = [place]
    return chain


# --- The same stumble --------------------------------------------------------------------------


def stumbles(run: Run, lane: list[Step], limits: Limits) -> Iterator[Finding]:
    """A call that fails, is freed of its obstacle and made again: once is fine, thrice a habit."""
    failures = [
        place
        for place, step in enumerate(lane)
        if step.action is not None and step.action.outcome is Outcome.FAILED
    ]
    if len(failures) < limits.errors_warn:
        return
    retries: dict[str, list[tuple[int, int]]] = {}
    for nth, failed_at in enumerate(failures[limits.errors_warn - 1 :], limits.errors_warn):
        place, failed = retry_of(lane, failed_at), lane[failed_at].action
        if place is None or failed is None:
            continue
        earliest = place - limits.errors_window_actions
        alike = [
            at for at in failures[:nth] if at >= earliest and fails_alike(lane[at].action, failed)
        ]
        if len(alike) >= limits.errors_warn:
            retries.setdefault(failed.tool, []).append((failed_at, place))
    newest = len(lane) - limits.repeat_window_actions
    for tool, places in retries.items():
        if places[-1][1] < newest:
            continue
        alarm = sum(place >= newest for _, place in places) >= limits.repeats_alarm
        yield found(
            run,
            limits,
            kind=KIND,
            subject=f"{tool}/stumbles",
            level=Level.ALARM if alarm else Level.WARN,
            steps=[step for first, last in places for step in lane[first : last + 1]],
            summary=f"{tool} keeps failing in the same way before the same call succeeds.",
            certain_from=lane[places[limits.repeats_alarm - 1][1]] if alarm else None,
        )


def retry_of(lane: list[Step], failed_at: int) -> int | None:
    """Where a call that failed was made again and worked, soon after; None where it was not."""
    failed = lane[failed_at].action
    for place in range(failed_at + 1, min(failed_at + STUMBLE_ACTIONS_MAX + 1, len(lane))):
        again = lane[place].action
        if failed and again and key_of(failed) == key_of(again) and changed_something(again):
            return place
    return None


def fails_alike(action: Action | None, other: Action) -> bool:
    """True for failures of one tool with one class of error."""
    return (
        action is not None and action.tool == other.tool and action.error_class == other.error_class
    )


# --- Nearly the same call ----------------------------------------------------------------------


def emptied_writes(run: Run, lane: list[Step], limits: Limits) -> Iterator[Finding]:
    """A write made again at once with most of its content gone."""
    for before, step in pairwise(lane[-limits.repeat_window_actions - 1 :]):
        full, action = before.action, step.action
        if full is None or action is None or action.tool != full.tool:
            continue
        if not action.tier.has_effect or not action.arguments.sketch:
            continue
        words = action.arguments.sketch
        if words < full.arguments.sketch and 2 * len(words) < len(full.arguments.sketch):
            yield found(
                run,
                limits,
                kind=KIND,
                subject=f"{action.tool}/emptied/{action.arguments.digest[:8]}",
                level=Level.WARN,
                steps=[before, step],
                summary=f"{action.tool} was called again without most of its arguments.",
            )


def reworded_calls(run: Run, lane: list[Step], limits: Limits) -> Iterator[Finding]:
    """The same question in other words: for dashboards, since rewording can help.

    A different id, date or page asks something else, however much of the rest is equal.
    """
    by_tool: dict[str, list[Step]] = {}
    for step in lane[-limits.repeat_window_actions :]:
        if (action := step.action) and action.arguments.sketch and not action.polls:
            by_tool.setdefault(action.tool, []).append(step)
    for tool, steps in by_tool.items():
        related = related_calls(steps, limits) if len(steps) > 1 else []
        if len(related) >= limits.repeats_warn:
            yield found(
                run,
                limits,
                kind=KIND,
                subject=f"{tool}/reworded",
                level=Level.WARN,
                steps=related,
                summary=f"{tool} was asked the same thing in {len(related)} different wordings.",
            )


def related_calls(steps: list[Step], limits: Limits) -> list[Step]:
    """Calls of one tool that are a rewording of an earlier one, with the earlier one."""
    naming: dict[frozenset[int], list[int]] = {}  # calls that name the same things
    for place, step in enumerate(steps):
        if step.action is not None:
            naming.setdefault(names_in(step.action.arguments.sketch), []).append(place)
    related: set[int] = set()
    for places in naming.values():
        for at, place in combinations(places, 2):
            earlier, step = steps[at], steps[place]
            assert earlier.action
            assert step.action
            this, other = step.action.arguments, earlier.action.arguments
            if (
                this.digest != other.digest
                and is_reworded(this.sketch, other.sketch, limits.similarity_min)
                and could_have_learnt(step, earlier)
            ):
                related |= {at, place}
    return [steps[place] for place in sorted(related)]
