"""The loop detectors that others use, on the recordings as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Record = dict[str, Any]
Detector = Callable[[Record], bool]
RECURSION_LIMIT = 25  # LangGraph's default


def tools_of(record: Record) -> list[dict[str, Any]]:
    """The tool calls of a recording."""
    return [step for step in record["steps"] if step["kind"] == "tool"]


def call_of(step: dict[str, Any]) -> tuple[str, str | None]:
    """Tool and hash of its arguments."""
    return step["name"], step.get("ah")


def same_call_thrice(record: Record) -> bool:
    """The well-known rule: the same (tool, arguments) three times in the last nine calls."""
    calls = [call_of(step) for step in tools_of(record)]
    return any(calls[max(0, at - 8) : at + 1].count(calls[at]) >= 3 for at in range(len(calls)))


def stuck_detector(record: Record) -> bool:
    """OpenHands' detector, re-implemented: four equal turns, three equal failures, or A-B ×3."""
    steps = tools_of(record)
    turns = [(call_of(step), step.get("rh")) for step in steps]
    for at in range(len(steps)):
        newest = turns[: at + 1]
        if len(newest) >= 4 and len(set(newest[-4:])) == 1:
            return True
        last = steps[max(0, at - 2) : at + 1]
        if len(last) == 3 and all_fail_alike(last):
            return True
        pairs = newest[-6:]
        if len(pairs) == 6 and len(set(pairs)) == 2 and pairs == [*pairs[:2] * 3]:
            return True
    return False


def all_fail_alike(steps: Sequence[dict[str, Any]]) -> bool:
    """The same call, and every time an error."""
    return len({call_of(step) for step in steps}) == 1 and all(step.get("error") for step in steps)


def too_many_steps(record: Record) -> bool:
    """A recursion limit: more model and tool steps than LangGraph allows by default."""
    return sum(step["kind"] != "message" for step in record["steps"]) > RECURSION_LIMIT


def length(record: Record) -> int:
    """The confounder: long runs loop more."""
    return len(record["steps"])


BASELINES: dict[str, Detector] = {
    "same (tool, args) ≥ 3 in 9": same_call_thrice,
    "OpenHands-like stuck detector": stuck_detector,
    "recursion limit 25": too_many_steps,
}
