"""Records the session files of real coding agents as test data, without what is not ours to ship.

    python -m tests.support.coding_agents.record [AGENT…]

Lines that carry system prompts, tool descriptions and descriptions of the machine are left out.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from tests.support.coding_agents.clis import AGENTS, Session
from tests.support.coding_agents.sessions import played

DATA = Path(__file__).parents[2] / "data" / "coding-agents" / "transcripts"
FILES = {
    "claude-code": ".claude/projects/*/**/*.json*",
    "codex": ".codex/sessions/**/*.jsonl",
    "gemini-cli": ".gemini/tmp/*/chats/*.jsonl",
    "qwen-code": ".qwen/projects/*/**/*.json*",
    "copilot": ".copilot/session-state/*/events.jsonl",
}
DATABASE = ".local/share/opencode/opencode.db"
LEFT_OUT = frozenset(
    {"attachment", "api-request", "api-request-shape", "api-request-blob", "world_state",
     "system.message", "session.shutdown"}
)  # fmt: skip
SHORTENED = frozenset({"base_instructions", "resultDisplay", "thread_settings", "rate_limits"})
TABLES = {
    "session": "id, parent_id",
    "message": "id, session_id, time_created, data",
    "part": "id, message_id, session_id, time_created, data",
}


def lines_of(path: Path) -> Iterator[str]:
    """The lines of one file that are kept."""
    for line in path.read_text().splitlines():
        document: Any = json.loads(line)
        payload: Any = document.get("payload") or {}
        if document.get("type") not in LEFT_OUT and payload.get("role") != "developer":
            yield json.dumps(shortened(document), separators=(",", ":"))


def shortened(value: Any, key: str = "") -> Any:
    """A value without long texts that only describe the program."""
    if key in SHORTENED:
        return None
    if isinstance(value, dict):
        return {name: shortened(one, name) for name, one in cast("Any", value).items()}
    if isinstance(value, list):
        return [shortened(one) for one in cast("list[Any]", value)]
    text = isinstance(value, str) and value.startswith(("<session_context", "<environment_context"))
    return value.split(">")[0] + ">" if text else value


def record(name: str, root: Path) -> dict[str, str]:
    """Path in the home → text, of one session."""
    session = played(AGENTS[name], root)
    if name == "opencode":
        return {f"{DATABASE}.sql": dump(session)}
    found: dict[str, str] = {}
    for path in sorted(session.home.glob(FILES[name])):
        is_lines = path.suffix == ".jsonl"
        text = "\n".join(lines_of(path)) + "\n" if is_lines else path.read_text()
        found[str(path.relative_to(session.home))] = text
    return found


def dump(session: Session) -> str:
    """The rows of OpenCode's database that are read, as SQL."""
    database = sqlite3.connect(session.home / DATABASE)
    lines: list[str] = []
    for table, columns in TABLES.items():
        lines.append(f"CREATE TABLE {table} ({columns});")
        for row in database.execute(f"SELECT {columns} FROM {table} ORDER BY id"):
            values = ", ".join(
                "NULL" if one is None else "'" + str(one).replace("'", "''") + "'"
                if isinstance(one, str) else str(one)
                for one in row
            )  # fmt: skip
            lines.append(f"INSERT INTO {table} VALUES ({values});")
    database.close()
    return "\n".join(lines) + "\n"


def main() -> None:
    for name in sys.argv[1:] or AGENTS:
        AGENTS[name].install()
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            found = record(name, root)
            text = json.dumps(found, indent=0).replace(str(root), "/srv")
            text = text.replace(str(root).replace("/", "-").lstrip("-"), "srv")
        DATA.mkdir(parents=True, exist_ok=True)
        place = DATA / f"{name}-{AGENTS[name].version}.json.gz"
        place.write_bytes(gzip.compress(text.encode(), mtime=0))
        sys.stdout.write(f"{place.name}: {len(found)} files, {place.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
