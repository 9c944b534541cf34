"""Aftershock in the agent's process: record what it decides and does, and what it knew.

import aftershock

aftershock.instrument()
"""

# No `from __future__ import annotations` here: it would be what `aftershock.annotations` is.
# Neither typing nor importlib: the hook of coding agents is a new process for each call.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from aftershock.recorder.approvals import approved, asked, denied
    from aftershock.recorder.budget import my_budget
    from aftershock.recorder.distro import instrument
    from aftershock.recorder.explaining import explain
    from aftershock.recorder.held_back import CallHeldBack
    from aftershock.recorder.providers import flush
    from aftershock.recorder.recording import Decision, Run, decision, run, saw
    from aftershock.recorder.tool_decorator import tool
    from aftershock.recorder.trace_propagation import annotations, sql_comment
    from aftershock.version import VERSION as __version__  # noqa: N811 (the usual name)

__all__ = [
    "CallHeldBack",
    "Decision", "Run", "__version__", "annotations", "approved", "asked", "decision", "denied",
    "explain", "flush", "instrument", "my_budget", "run", "saw", "sql_comment", "tool",
]  # fmt: skip

# Name → module that has it. Imported when first used: the collector needs only the pure modules,
# and a process without an agent needs nothing.
_PLACES = {
    **dict.fromkeys(("Decision", "Run", "decision", "run", "saw"), "aftershock.recorder.recording"),
    **dict.fromkeys(("approved", "asked", "denied"), "aftershock.recorder.approvals"),
    **dict.fromkeys(("annotations", "sql_comment"), "aftershock.recorder.trace_propagation"),
    "CallHeldBack": "aftershock.recorder.held_back",
    "explain": "aftershock.recorder.explaining",
    "my_budget": "aftershock.recorder.budget",
    "tool": "aftershock.recorder.tool_decorator",
    "flush": "aftershock.recorder.providers",
    "instrument": "aftershock.recorder.distro",
}


def __getattr__(name: str) -> "Any":
    """The public names, from where they live."""
    from importlib import import_module  # noqa: PLC0415 (not needed by the hook)

    if name == "__version__":
        return import_module("aftershock.version").VERSION
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
