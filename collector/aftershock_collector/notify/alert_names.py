"""The alert's name of each kind of page: one name in rule, alert, runbook and panel."""

from __future__ import annotations


def alert_name(kind: str) -> str:
    """repeated_action → AgentRepeatedAction, collector_full → AftershockFull."""
    words = [word for word in kind.split("_") if word]
    owner = "Aftershock" if words[:1] == ["collector"] else "Agent"
    if words[:1] in (["agent"], ["collector"]):
        words = words[1:]
    return owner + "".join(word.capitalize() for word in words)
