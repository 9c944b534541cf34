"""Bodies that an older version stored, rewritten to today's field names."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

# Field of version 0.1 → field of today.
RENAMED: Mapping[str, str] = {
    "rivals": "alternatives",
    "rival": "alternative",
    "vote": "feedback",
    "cause": "assessment",
    "voted_at_ns": "given_at_ns",
    "nobody": "no_agent",
}
RENAMED_TABLES = ("claims", "impacts", "feedback", "suspects")


def renamed(plain: Any) -> Any:
    """A decoded body under today's names, at every depth."""
    if isinstance(plain, dict):
        fields = cast("dict[str, Any]", plain)
        return {RENAMED.get(key, key): renamed(value) for key, value in fields.items()}
    if isinstance(plain, list):
        return [renamed(value) for value in cast("list[Any]", plain)]
    return plain


def page(plain: dict[str, Any]) -> dict[str, Any]:
    """A page of version 1 (about one finding) as a page of version 2."""
    link = plain.get("link")
    return {
        **plain,
        "version": 2,
        "incident": None,
        "revision": 0,
        "sections": [{"label": "", "lines": plain["body"]}],
        "findings": [plain["finding"]],
        "kinds": [plain["kind"]],
        "agents": [plain["agent"]],
        "entities": [plain["entity"]] if plain.get("entity") else [],
        "began_at": plain.get("began_at") or _instant(plain["began_at_ns"]),
        "trace": plain.get("trace"),
        "links": [{"label": "Timeline", "url": link}] if link else [],
    }


def upgrade_to_3(connection: sqlite3.Connection) -> None:
    """The field's words in bodies; pages of findings as pages of incidents."""
    for table in RENAMED_TABLES:
        rows = connection.execute(f"SELECT rowid, body FROM {table}").fetchall()  # noqa: S608
        for row, body in rows:
            statement = f"UPDATE {table} SET body = ? WHERE rowid = ?"  # noqa: S608
            connection.execute(statement, (_text(renamed(json.loads(body))), row))
    rows = connection.execute("SELECT id, state, body FROM deliveries").fetchall()
    for row, state, body in rows:
        plain = json.loads(body)
        if "body" in plain and plain.get("version") == 1:
            text = _text(page(plain))
            connection.execute("UPDATE deliveries SET body = ? WHERE id = ?", (text, row))
        word, _, stretch = state.partition(" ")  # "updated 58982655" was one of its kind
        if stretch:
            revision = int(stretch) if stretch.isdecimal() else row
            statement = "UPDATE deliveries SET state = ?, revision = ? WHERE id = ?"
            connection.execute(statement, (word, revision, row))


def _text(plain: Any) -> str:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _instant(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat().replace("+00:00", "Z")


# Version that a script of `schema.MIGRATIONS` leads to → what happens after the script.
REWRITES: Mapping[int, Callable[[sqlite3.Connection], None]] = {3: upgrade_to_3}
