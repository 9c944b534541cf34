"""Settings that were renamed: old keys of aftershock.yaml and variables, read until 0.3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from aftershock.limits import RENAMED_LIMITS

Section = dict[str, Any]
KeyPath = tuple[str, ...]

# section → old key → new key
RENAMED_KEYS: dict[str, dict[str, str]] = {
    "collector": {"story": "activity_log"},
    "infrastructure": {"look": "observation_window"},
    "limits": RENAMED_LIMITS,
}
RENAMED_VARIABLES = {
    "AFTERSHOCK_STORY": "AFTERSHOCK_ACTIVITY_LOG",
    "AFTERSHOCK_LOOK": "AFTERSHOCK_OBSERVATION_WINDOW",
}
UNTIL = "the old name is read until 0.3"


def adopt_new_names(document: Section) -> Iterator[tuple[KeyPath, str]]:
    """Rename old keys in place, at the top and in each agent's limits.

    Where both names are given, the new one counts. Sections that are no mappings stay as they are:
    the schema reports them.

    Yields:
        The path of each old key, and what to write instead.
    """
    places: list[tuple[KeyPath, str, Any]] = [
        ((section,), section, document.get(section)) for section in RENAMED_KEYS
    ]
    agents = document.get("agents")
    if isinstance(agents, dict):
        for name, agent in cast("Section", agents).items():
            if isinstance(agent, dict):
                limits = cast("Section", agent).get("limits")
                places.append((("agents", name, "limits"), "limits", limits))
    for path, section, found in places:
        if not isinstance(found, dict):
            continue
        body = cast("Section", found)
        for old, new in RENAMED_KEYS[section].items():
            if old in body:
                value = body.pop(old)
                both = " (which is given too, and counts)" if new in body else ""
                body.setdefault(new, value)
                yield (*path, old), f"is now called '{new}'{both}; {UNTIL}"
