"""repeated_action: the same call again, nothing new learnt, and nothing changed in between."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from aftershock.model import Finding, Level, Outcome, Run, Step
from aftershock.rules.actions import (
    changed_something,
    could_have_learnt,
    found,
    key_of,
    lanes_of,
    only_numbers_moved,
    similarity,
    taught_nothing,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.limits import Limits

KIND = "repeated_action"
STUMBLE_ACTIONS_MAX = 3  # a call that failed, what cleared its way, and the call again


def repeated_action(run: Run, limits: Limits) -> Iterator[Finding]:
    """Calls that a worker makes over and over: identical ones, stumbles, and reworded ones.

    A write in between that succeeded, a result with new lines, a declared poller and calls of one
    parallel batch are legitimate.
    """
    for lane in lanes_of(run, limits.loop_window_actions):
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
        for places in places_by_call(lane).values()
        if len(places) > 1 and places[-1] >= newest
        if len(chain := last_chain(lane, places, limits)) >= limits.repeats_warn
        and chain[-1] >= newest
    ]
    recent = {chain[-1]: [place for place in chain if place >= newest] for chain in chains}
    repeats = sum(len(places) - 1 for places in recent.values())
    for chain in chains:
        steps = [lane[place] for place in chain]
        actions = [step.action for step in steps if step.action]
        moved = only_numbers_moved(actions)
        alarm_at = limits.repeats_alarm * (2 if moved else 1)
        alarm = len(recent[chain[-1]]) >= alarm_at or (
            repeats >= limits.repeats_alarm and not moved
        )
        if moved and len(chain) < limits.repeats_alarm:
            continue  # a progress report that was read twice
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
            certain_from=steps[min(alarm_at, len(steps)) - 1] if alarm else None,
        )


def places_by_call(lane: list[Step]) -> dict[tuple[str, str], list[int]]:
    """Places of each call in a lane; pollers and calls of which nothing is known are left out."""
    places: dict[tuple[str, str], list[int]] = {}
    for place, step in enumerate(lane):
        action = step.action
        if action is not None and action.arguments.digest and not action.polls:
            places.setdefault(key_of(action), []).append(place)
    return places


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
    by_tool: dict[str, list[Step]] = {}
    for place, step in enumerate(lane):
        action = step.action
        if action is None or not changed_something(action) or not action.arguments.digest:
            continue
        start = max(0, place - STUMBLE_ACTIONS_MAX)
        for at in range(place - 1, start - 1, -1):
            before = lane[at].action
            if before and before.outcome is Outcome.FAILED and key_of(before) == key_of(action):
                window = lane[max(0, place - limits.errors_window_actions) : place]
                same = [
                    one
                    for one in window
                    if one.action
                    and one.action.tool == action.tool
                    and one.action.outcome is Outcome.FAILED
                    and one.action.error_class == before.error_class
                ]
                if len(same) >= limits.errors_alarm:
                    by_tool.setdefault(action.tool, []).extend(lane[at : place + 1])
                break
    now = {step.span_id for step in lane[-limits.errors_window_actions :]}
    for tool, steps in by_tool.items():
        if steps[-1].span_id in now:
            yield found(
                run,
                limits,
                kind=KIND,
                subject=f"{tool}/stumbles",
                level=Level.WARN,
                steps=steps,
                summary=f"{tool} keeps failing in the same way before the same call succeeds.",
            )


# --- Nearly the same call ----------------------------------------------------------------------


def emptied_writes(run: Run, lane: list[Step], limits: Limits) -> Iterator[Finding]:
    """A write made again at once with most of its content gone."""
    for before, step in list(pairwise(lane))[-limits.repeat_window_actions :]:
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
    """The same question in other words: for dashboards, since rewording can help."""
    now = lane[-limits.repeat_window_actions :]
    by_tool: dict[str, list[Step]] = {}
    for step in now:
        if step.action and not step.action.polls and step.action.arguments.sketch:
            by_tool.setdefault(step.action.tool, []).append(step)
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
    related: dict[int, Step] = {}
    for place, step in enumerate(steps):
        for at, earlier in enumerate(steps[:place]):
            one, other = step.action, earlier.action
            if (
                one
                and other
                and one.arguments.digest != other.arguments.digest
                and could_have_learnt(step, earlier)
                and similarity(one.arguments.sketch, other.arguments.sketch)
                >= limits.similarity_min
            ):
                related[at], related[place] = earlier, step
    return [related[place] for place in sorted(related)]
