"""The alert's name of each rule: one name in rule, alert, runbook and panel."""

from __future__ import annotations


def alert_name(kind: str) -> str:
    """repeated_action → AgentRepeatedAction."""
    words = [word for word in kind.split("_") if word]
    if words[:1] == ["agent"]:
        words = words[1:]
    return "Agent" + "".join(word.capitalize() for word in words)
