"""The common style: one colour for each finding, tier, outcome and activity, wherever it appears.

Colours are names of Grafana's own palette, so that light and dark themes both work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

# Family of rules → finding → colour: shades of one hue for what belongs together.
FAMILIES: Mapping[str, Mapping[str, str]] = {
    "loops": {
        "repeated_action": "semi-dark-orange",
        "action_cycle": "dark-orange",
        "error_streak": "light-orange",
        "stalled_run": "super-light-orange",
    },
    "ends": {
        "silent_failure": "semi-dark-green",
        "hung_tool": "dark-green",
        "crashed_run": "green",
        "stopped_early": "light-green",
        "unfounded_answer": "super-light-green",
    },
    "context": {
        "missing_fact": "semi-dark-purple",
        "failed_fact": "dark-purple",
        "stale_fact": "light-purple",
        "dropped_fact": "super-light-purple",
        "ungrounded_argument": "purple",
        "unexplained_action": "semi-dark-yellow",
    },
    "limits": {
        "context_pressure": "light-blue",
        "budget_exceeded": "semi-dark-blue",
        "failure_cascade": "dark-blue",
    },
    "control": {"unapproved_action": "dark-red"},
    "impact": {"agent_impact": "red"},
}
KINDS: Mapping[str, str] = {
    kind: hue for family in FAMILIES.values() for kind, hue in family.items()
}

ACTIVITIES: Mapping[str, str] = {
    "inference": "semi-dark-blue",
    "tool": "semi-dark-orange",
    "decision": "semi-dark-purple",
    "waiting": "#8e8e8e33",  # nothing happens: hardly seen, so that what happens is
}
TIERS: Mapping[str, str] = {
    "read": "semi-dark-green",
    "write": "semi-dark-yellow",
    "provision": "semi-dark-orange",
    "destructive": "semi-dark-red",
    "decommission": "dark-red",
}
OUTCOMES: Mapping[str, str] = {
    "ok": "semi-dark-green",
    "empty": "semi-dark-yellow",
    "truncated": "light-orange",
    "unknown": "text",
    "failed": "semi-dark-red",
}
LEVELS: Mapping[str, str] = {"warn": "semi-dark-yellow", "alarm": "semi-dark-red"}
STATES: Mapping[str, str] = {
    "opened": "semi-dark-red",
    "updated": "semi-dark-red",
    "closed": "semi-dark-green",
}
ACTION, FINDING = "semi-dark-orange", "semi-dark-red"  # of annotations

NEUTRAL: Json = {"mode": "fixed", "fixedColor": "text"}
PALETTE: Json = {"mode": "palette-classic"}
BY_THRESHOLD: Json = {"mode": "thresholds"}


def steps(*pairs: tuple[float, str], first: str = "semi-dark-green") -> Json:
    """Thresholds: the first colour, and another from each value on."""
    made: list[Json] = [{"color": first, "value": None}]
    made += [{"color": colour, "value": value} for value, colour in pairs]
    return {"mode": "absolute", "steps": made}


ANY = steps((1, "semi-dark-red"))  # one is one too many
WAITING = steps((1, "semi-dark-yellow"))
SHARE = steps((0.05, "semi-dark-yellow"), (0.2, "semi-dark-red"))  # of what failed
FULLNESS = steps((0.8, "semi-dark-yellow"), (1.0, "semi-dark-red"))  # of what may be used up
COMPLETE = steps((0.8, "semi-dark-yellow"), (1.0, "semi-dark-green"), first="semi-dark-red")
SURE = steps((0.5, "semi-dark-yellow"), (0.8, "semi-dark-red"))  # suspected, probable
PLAIN = steps(first="text")


def named(colours: Mapping[str, str], words: Mapping[str, str] | None = None) -> list[Json]:
    """Value mappings: each value is shown in its colour, as itself or as the word for it."""
    options: Json = {
        name: {"color": colour, "index": place, "text": (words or {}).get(name, name)}
        for place, (name, colour) in enumerate(colours.items())
    }
    return [{"type": "value", "options": options}]


def _list_of(length: int) -> Json:
    """A value mapping: a JSON list of so many strings without its brackets and quotes."""
    found = ", ?".join(['"([^"]*)"'] * length)
    shown = ", ".join(f"${place}" for place in range(1, length + 1))
    return {"pattern": rf"/^\[{found}\]$/", "result": {"text": shown, "index": length}}


# Loki keeps a list as JSON; longer ones than these are shown as they are.
LISTS: list[Json] = [{"type": "regex", "options": _list_of(length)} for length in range(1, 7)]


def series(colours: Mapping[str, str]) -> tuple[Json, ...]:
    """Overrides: each series with such a name has its colour."""
    return tuple(
        override(name, color={"mode": "fixed", "fixedColor": colour})
        for name, colour in colours.items()
    )


def override(name: str, **properties: Any) -> Json:
    """What differs for one field; underscores stand for the dots of `custom.width`."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [
            {"id": key.replace("custom_", "custom."), "value": value}
            for key, value in properties.items()
        ],
    }


def coloured(name: str, colours: Mapping[str, str], **more: Any) -> Json:
    """A column whose words have their colours."""
    cell = {"type": "color-text"}
    return override(name, mappings=named(colours), custom_cellOptions=cell, **more)


def linked(name: str, *links: Json, **more: Any) -> Json:
    """A column that leads somewhere."""
    return override(name, links=list(links), **more)


def whole(name: str, **more: Any) -> Json:
    """A column of sentences or lists, on as many lines as they take."""
    return override(name, mappings=LISTS, custom_wrapText=True, **more)
