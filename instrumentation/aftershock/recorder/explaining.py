"""`explain`: the tool by which a model says what it knows and why it is about to act."""

from __future__ import annotations

from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.recording import decision


def explain(tool: str, why: str, knows: str) -> str:
    """Explain a call before you make it. Call this before a tool that changes something.

    Give the name of the tool, why you want to call it, and what you know that speaks for it, in
    words that a person understands.
    """
    # The text above is what a model reads: frameworks make the tool's description of it.
    try:
        with decision(f"Call {tool}?", because=why, assumes=[knows]) as made:
            made.chose(tool)
    except Exception:  # noqa: BLE001 (ours: a tool of ours must not stop the agent)
        record_failure("explaining a call")
        return "The explanation could not be recorded."
    return f"Recorded. Now call {tool}, if you still want it."
