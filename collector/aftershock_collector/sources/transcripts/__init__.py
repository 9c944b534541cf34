"""Session files of coding agents: what each holds, as steps of one run.

A format is a function that reads one line of one agent's files into a `Session`. It knows names;
what they amount to (which answer belongs to which call, what an inference cost) is decided there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

Line = Mapping[str, Any]


class Usage(NamedTuple):
    """Tokens of one inference. `fresh` were neither read from a cache nor written to one."""

    fresh: int = 0
    cached: int = 0
    written: int = 0
    returned: int = 0

    @property
    def sent(self) -> int:
        """All that the model was shown."""
        return self.fresh + self.cached + self.written


def mapping_in(given: Line, key: str) -> dict[str, Any]:
    """A nested object; an empty one where there is none."""
    value = given.get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def mappings_in(given: Line, key: str) -> list[dict[str, Any]]:
    """A nested list's objects; whatever else stands in it is passed over."""
    value = given.get(key)
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def texts_of(value: Any) -> str:
    """A text, or the texts of a list of parts, one under the other."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        value = [value]
    parts = cast("list[Any]", value) if isinstance(value, list) else []
    found = [
        part if isinstance(part, str) else cast("dict[str, Any]", part).get("text")
        for part in parts
        if isinstance(part, str | dict)
    ]
    return "\n".join(text for text in found if isinstance(text, str))
