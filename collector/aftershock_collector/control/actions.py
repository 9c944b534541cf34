"""What an action can do and to what, by the operator's policy, else by parsing its command."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from aftershock.model import Tier
from aftershock.policy.policy import Policy, ToolDescription, describe, rule_of
from aftershock.policy.sql_tiers import tier_of_sql
from aftershock.policy.tiers import is_shell, tier_of_name
from aftershock_collector.control.shell import read_script
from aftershock_collector.reading.sql import read_sql

COMMAND_KEYS = ("command", "cmd")
SQL_KEYS = ("sql", "query", "statement")

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # what it cannot parse is an answer here


def describe_action(policy: Policy, tool: str, arguments: Mapping[str, Any]) -> ToolDescription:
    """A call described; shell commands and SQL are parsed, and the policy wins over both."""
    known = describe(policy, tool, arguments)
    rule = rule_of(policy, tool)
    parsed = parse(tool, arguments)
    if parsed is None:
        return known
    tier, targets = parsed
    return replace(
        known,
        tier=known.tier if rule.tier is not None else tier,
        targets=known.targets if rule.targets is not None else targets,
    )


def parse(tool: str, arguments: Mapping[str, Any]) -> tuple[Tier, tuple[str, ...]] | None:
    """Tier and targets of a call that carries a command or SQL. None: it carries none."""
    for key in COMMAND_KEYS:
        text: Any = arguments.get(key)
        if isinstance(text, list):  # as Codex has it: the words of one command
            text = " ".join(map(quoted, cast("list[Any]", text)))
        if isinstance(text, str) and text.strip() and (is_shell(tool) or runs_commands(tool)):
            found = read_script(text)
            return found.tier, found.targets
    for key in SQL_KEYS:
        text = arguments.get(key)
        if isinstance(text, str) and (key == "sql" or is_sql(text)):
            statements = read_sql(text)
            return statements.tier, ()
    return None


def runs_commands(tool: str) -> bool:
    """True for tools whose name says no more than that they run something."""
    return tier_of_name(tool) in {None, Tier.WRITE}


def is_sql(text: str) -> bool:
    """True for a text that is SQL, and no search in prose."""
    if tier_of_sql(text) is not None:
        return True
    words = text.split(None, 1)
    first = words[0].upper() if len(words) > 1 else ""
    begins = first in {
        "SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "ALTER", "CREATE", "TRUNCATE", "WITH",
        "MERGE", "GRANT", "REVOKE", "EXPLAIN",
    }  # fmt: skip
    return begins and read_sql(text).understood


def quoted(word: Any) -> str:
    """A word so that a shell reads it as one."""
    text = str(word)
    return text if text.isalnum() else "'" + text.replace("'", "'\\''") + "'"
