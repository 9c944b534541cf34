"""Activation: what was put off until the first sign of an agent in this process.

A process under `aftershock run` that never touches a model, such as a build step, pays for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.recorder.drop_counters import record_failure

if TYPE_CHECKING:
    from collections.abc import Callable

_put_off: list[Callable[[], object]] = []


def put_off(start: Callable[[], object]) -> None:
    """Do this when the first sign of an agent shows."""
    _put_off.append(start)


def activate() -> None:
    """There is an agent: do what was put off. Cheap where nothing was."""
    while _put_off:
        start = _put_off.pop()
        try:
            start()
        except Exception:  # noqa: BLE001 (ours: the app goes on unrecorded)
            record_failure("starting")
