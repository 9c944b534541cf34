"""The completion hook: what a model's answer chose to do, seen with content capture off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aftershock import implicit
from aftershock.attributes import INFERENCE_TOOLS, OPERATION
from aftershock.fingerprint import fingerprint_arguments
from aftershock.losses import note_failure
from aftershock.tracking import INFERENCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

TOOLS_MAX = 64  # of one answer


class Completion:
    """Called by the official instrumentations before an inference's span ends."""

    def on_completion(self, *, outputs: Iterable[Any], span: Any = None, **_others: Any) -> None:
        """Say which tools the answer asks for, by name and fingerprint."""
        try:
            own: Mapping[str, Any] = getattr(span, "attributes", None) or {}
            if own.get(OPERATION) not in INFERENCES:
                return
            chosen = [
                f"{part.name}\t{fingerprint_arguments(part.arguments).digest}"
                for part in asked(outputs)
            ][:TOOLS_MAX]
            if chosen and span.is_recording():
                span.set_attribute(INFERENCE_TOOLS, chosen)
            implicit.answered(asks_for_tools=bool(chosen))
        except Exception:  # noqa: BLE001 (ours)
            note_failure("reading a completion")


def asked(outputs: Iterable[Any]) -> Iterator[Any]:
    """The tool calls in an answer's messages."""
    for message in outputs:
        for part in getattr(message, "parts", ()):
            if getattr(part, "type", None) == "tool_call":
                yield part
