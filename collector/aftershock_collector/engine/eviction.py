"""Eviction: how large live runs are, and which of them leave memory first. The store keeps them.

A flood must hurt the flooder. So of all senders the one that holds most gives up a run, and of its
services and agents again the one that holds most; there, ended runs before open ones, large before
small.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from aftershock.model import Action, Fingerprint, Step

STEP_BYTES = 1_400  # of a step with nothing in it: objects, ids, its places in the window
ACTION_BYTES = 600
TEXT_BYTES = 60  # of any text, beside its characters
HASH_BYTES = 100  # of one hash in a set: a number and its share of the table


class LiveRun(NamedTuple):
    """What decides when a run is evicted."""

    run_id: str
    holder: Sequence[str]  # sender, service, agent: from the widest to the narrowest
    ended: bool
    size_bytes: int


def runs_to_evict(runs: Sequence[LiveRun], runs_max: int, bytes_max: int) -> list[LiveRun]:
    """Choose runs so that the others fit, each holder within its fair share.

    Args:
        runs: all live runs, the least recently active first.
        runs_max: how many may stay.
        bytes_max: how large all that stay may be together.
    """
    evicted = list(_over(runs, 0, runs_max, lambda _run: 1))
    gone = {run.run_id for run in evicted}
    left = [run for run in runs if run.run_id not in gone]
    return evicted + list(_over(left, 0, bytes_max, lambda run: run.size_bytes))


def _over(
    runs: Sequence[LiveRun], level: int, allowed: int, weigh: Callable[[LiveRun], int]
) -> Iterator[LiveRun]:
    """Runs of one holder that exceed what it is allowed, from the narrower holders with most."""
    total = sum(map(weigh, runs))
    if total <= allowed:
        return
    if level == len(runs[0].holder):
        # Equal weights keep their order: then the least recently active goes first.
        for run in sorted(runs, key=lambda run: (not run.ended, -weigh(run))):
            if total <= allowed:
                return
            total -= weigh(run)
            yield run
    by_holder: dict[str, list[LiveRun]] = {}
    for run in runs:
        if level < len(run.holder):
            by_holder.setdefault(run.holder[level], []).append(run)
    weights = {holder: sum(map(weigh, held)) for holder, held in by_holder.items()}
    # The small are served first. Of equals, the newest open one gives way: a flood under ever new
    # names must not push out what was there before it.
    newest_first = list(by_holder)[::-1]
    order = sorted(
        newest_first,
        key=lambda holder: (weights[holder], not all(run.ended for run in by_holder[holder])),
    )
    for place, holder in enumerate(order):
        share = min(weights[holder], allowed // (len(order) - place))
        allowed -= share
        yield from _over(by_holder[holder], level + 1, share, weigh)


def size_of(step: Step) -> int:
    """Bytes that a step takes in memory, estimated; within a factor of two."""
    size = STEP_BYTES + _texts(step.targets)
    for fact in step.facts:
        size += TEXT_BYTES * 4 + len(fact.subject) + len(fact.kind)
    size += HASH_BYTES * (len(step.shown or ()) + len(step.words or ()))
    for text in (step.name, step.error, step.conversation):
        size += len(text or "")
    if step.action is not None:
        size += _action(step.action)
    if step.decision is not None:
        decision = step.decision
        size += _texts((*decision.over, *decision.assumes, decision.question))
        size += len(decision.because or "") + len(decision.chosen or "")
    if step.approval is not None:
        size += TEXT_BYTES * 5 + len(step.approval.because or "")
    return size


def _action(action: Action) -> int:
    size = ACTION_BYTES + _fingerprint(action.arguments) + _texts(action.targets)
    if action.result is not None:
        size += _fingerprint(action.result)
    for want in action.requires:
        size += TEXT_BYTES * 4 + len(want.subject) + len(want.kind)
    size += _texts(action.subjects) + _texts(action.ids) + HASH_BYTES * len(action.words or ())
    return size + len(action.error_class or "")


def _fingerprint(fingerprint: Fingerprint) -> int:
    return HASH_BYTES * len(fingerprint.sketch)


def _texts(texts: Collection[str]) -> int:
    return TEXT_BYTES * len(texts) + sum(map(len, texts))
