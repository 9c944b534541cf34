"""Putting a wrapping around a function of somebody else's module."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "_aftershock"


def replace(module: str, path: str, wrapping: Callable[[Any], Any]) -> None:
    """Wrap `function` or `Class.method`, unless it is wrapped or this version does not have it."""
    owner: Any = import_module(module)
    place, _, name = path.rpartition(".")
    if place:
        owner = getattr(owner, place, None)
    function: Any = getattr(owner, "__dict__", {}).get(name)
    if function is not None and not hasattr(function, MARK):
        wrapped = wrapping(function)
        setattr(wrapped, MARK, True)
        setattr(owner, name, wrapped)
