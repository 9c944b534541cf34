"""Activation: work that is postponed until the first sign of an agent in this process.

A process under `aftershock run` that never touches a model, such as a build step, pays for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.recorder.drop_counters import record_failure

if TYPE_CHECKING:
    from collections.abc import Callable

_postponed: list[Callable[[], object]] = []


def postpone(start: Callable[[], object]) -> None:
    """Call `start` at the first sign of an agent."""
    _postponed.append(start)


def activate() -> None:
    """There is an agent: start what was postponed. Cheap where nothing was."""
    while _postponed:
        start = _postponed.pop()
        try:
            start()
        except Exception:  # noqa: BLE001 (ours: the app goes on unrecorded)
            record_failure("starting")
