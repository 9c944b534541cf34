"""Where coding agents keep their sessions, and the lines of one session's files.

Formats are recognised by content. Lines are read one by one and bounded, so that a file may be
larger than memory; what cannot be read is counted with its reason.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

from aftershock.gate import any_json
from aftershock_collector.reading.dialects.claude_code import SERVICE as CLAUDE_CODE
from aftershock_collector.reading.dialects.codex import AGENT as CODEX
from aftershock_collector.sources.recorded_files import NOT_JSON, opened
from aftershock_collector.sources.transcripts import Line
from aftershock_collector.sources.transcripts.claude_code import (
    MARKS,
    is_claude_code,
    read_claude_code,
)
from aftershock_collector.sources.transcripts.cline import CLINE, is_cline, read_cline
from aftershock_collector.sources.transcripts.codex import is_codex, read_codex
from aftershock_collector.sources.transcripts.gemini import (
    GEMINI,
    QWEN,
    is_gemini,
    is_qwen,
    read_gemini,
    read_qwen,
)
from aftershock_collector.sources.transcripts.others import (
    COPILOT,
    MESSAGE,
    OPENCODE,
    PART,
    is_copilot,
    is_opencode,
    read_copilot,
    read_opencode,
)
from aftershock_collector.sources.transcripts.session import Price, Session

LINE_BYTES_MAX = 32 << 20  # one message with an image in it has up to 10 MB
DOCUMENT_BYTES_MAX = 128 << 20  # Gemini's older files are one document
FILE_LINES_MAX = 1_000_000  # the longest recorded session has 60,000
UNKNOWN_LINES_MAX = 50  # at the start of a file; then it is of nothing known
FILES_MAX = 100_000
CLINE_FILE = ".messages.json"  # how the names of its sessions' documents end
PEEK_BYTES = 65_536  # of the file beside a sub-agent's; real ones have 400

TOO_LONG = f"line over {LINE_BYTES_MAX >> 20} MiB"
TOO_MANY = f"line after the first {FILE_LINES_MAX:,} of a file"
NOT_OBJECT = "line that is no JSON object"
NOT_READ = "line that our reader failed on"
NO_FORMAT = "file of no known format"


class Format(NamedTuple):
    """The session files of one agent."""

    agent: str
    recognises: Callable[[Line], bool]
    read: Callable[[Line, Session], None]
    marks: tuple[bytes, ...] = ()  # a line without any of these says nothing; none: read all


FORMATS = (
    Format(OPENCODE, is_opencode, read_opencode),
    Format(CLINE, is_cline, read_cline),
    Format(CODEX, is_codex, read_codex),
    Format(COPILOT, is_copilot, read_copilot),
    Format(GEMINI, is_gemini, read_gemini),
    Format(QWEN, is_qwen, read_qwen),
    Format(CLAUDE_CODE, is_claude_code, read_claude_code, MARKS),
)


@dataclass(slots=True)
class SessionFiles:
    """The files of one session: its own, and those of its sub-agents."""

    path: Path
    more: list[Path] = field(default_factory=list[Path])
    session: str = ""  # in a database of many


def places(environment: Mapping[str, str]) -> list[Path]:
    """Where the agents keep sessions on this machine; those that are there."""
    home = Path(environment.get("HOME") or Path.home())
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    found = [
        Path(environment.get("CLAUDE_CONFIG_DIR") or home / ".claude") / "projects",
        Path(environment.get("CODEX_HOME") or home / ".codex") / "sessions",
        home / ".gemini" / "tmp",
        home / ".qwen" / "projects",
        home / ".copilot" / "session-state",
        home / ".cline" / "data" / "sessions",
        data / "opencode" / "opencode.db",
    ]
    return [path for path in found if path.exists()]


def sessions_in(given: Iterable[Path], newer_than_s: float | None) -> Iterator[SessionFiles]:
    """Every session under these files and folders, those of sub-agents with their parents.

    Args:
        given: files, folders, or OpenCode's database.
        newer_than_s: files that were last written before this moment are passed over; seconds
            since the epoch. None: all are read.

    Raises:
        OSError: one of the given paths is not there.
    """
    for path in given:
        files = sorted(files_under(path))[:FILES_MAX] if path.is_dir() else [path]
        found: dict[str, SessionFiles] = {}
        for file in files:
            if newer_than_s is not None and file.stat().st_mtime < newer_than_s:
                continue
            if file.suffix == ".db":
                yield from sessions_of_database(file)
                continue
            owner = owner_of(file)
            known = found.get(owner)
            if known is None:
                found[owner] = SessionFiles(file)
            elif file.stem == owner:
                known.more.append(known.path)
                known.path = file
            else:
                known.more.append(file)
        yield from found.values()


def files_under(folder: Path) -> Iterator[Path]:
    """Files of a folder that may hold a session."""
    for path in folder.rglob("*"):
        part = path.name.startswith("events.") or path.parent.name == "chats"
        part = part or path.name.endswith(CLINE_FILE)
        is_session = (
            path.suffix == ".jsonl"
            or (path.suffix == ".json" and part)
            or path.name == "opencode.db"
        )
        if is_session and path.is_file():  # reading a pipe or a device may never end
            yield path


def owner_of(file: Path) -> str:
    """The session that a file belongs to; a sub-agent's is named by a folder."""
    parts = file.parts
    if "subagents" in parts[:-1]:
        place = parts.index("subagents")
        # Claude Code: <session>/subagents/<agent>; Qwen Code: subagents/<session>/<agent>.
        return parts[place + 1] if place + 2 < len(parts) else parts[place - 1]
    return str(file) if file.stem == "events" else file.stem


def sessions_of_database(path: Path) -> list[SessionFiles]:
    """The sessions of OpenCode's database that have no parent; sub-agents are read with theirs."""
    with _database(path) as database:
        rows = database.execute("SELECT id FROM session WHERE parent_id IS NULL ORDER BY id")
        return [SessionFiles(path, session=str(row[0])) for row in rows]


def read_session(files: SessionFiles, price: Price) -> Session | None:
    """One session's files, read to their end; None where nothing in them is known.

    Raises:
        OSError: a file cannot be opened.
    """
    session = Session("", price)
    if files.session:
        session.service = OPENCODE
        for line in rows_of(files.path, files.session, session.rejected):
            _read_line(FORMATS[0], line, session)
        return session
    known: Format | None = None
    for path in (files.path, *files.more):
        found = _read_file(path, session)
        known = known or found
    if known is None:
        return None
    session.service = known.agent
    session.id = session.id or files.path.stem
    return session


def _read_file(path: Path, session: Session) -> Format | None:
    known: Format | None = None
    unknown = 0
    session.begin_file(agent_type_of(path) if "subagents" in path.parts else "")
    for number, line in enumerate(lines_of(path, session.rejected)):
        if number >= FILE_LINES_MAX:
            session.rejected[TOO_MANY] += 1
            break
        if known is not None and known.marks and not any(mark in line for mark in known.marks):
            continue
        document = _parsed(line, session.rejected)
        if document is None:
            continue
        if known is None:
            known = next((one for one in FORMATS if one.recognises(document)), None)
            unknown += known is None
            if unknown > UNKNOWN_LINES_MAX:
                break
        if known is not None:
            _read_line(known, document, session)
    if known is None:
        session.rejected[NO_FORMAT] += 1
    return known


def agent_type_of(path: Path) -> str:
    """What kind of sub-agent a file is of, as the file beside it says; "": it does not."""
    try:
        text = path.with_suffix(".meta.json").read_bytes()[:PEEK_BYTES]
    except OSError:
        return ""
    found: Any = (_parsed(text, Counter()) or {}).get("agentType")
    return found if isinstance(found, str) else ""


def _parsed(line: bytes, rejected: Counter[str]) -> Line | None:
    try:
        document: Any = any_json.loads(line)
    except ValueError:
        rejected[NOT_JSON] += 1
        return None
    if not isinstance(document, dict):
        rejected[NOT_OBJECT] += 1
        return None
    return cast("dict[str, Any]", document)


def _read_line(known: Format, line: Line, session: Session) -> None:
    try:
        known.read(line, session)
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError):
        session.rejected[NOT_READ] += 1


def lines_of(path: Path, rejected: Counter[str]) -> Iterator[bytes]:
    """Lines, bounded; a file that is one document over many lines is one line."""
    with opened(path) as file:
        if path.suffix == ".json":
            text = file.read(DOCUMENT_BYTES_MAX + 1)
            if len(text) > DOCUMENT_BYTES_MAX:
                rejected[TOO_LONG] += 1
            else:
                yield text
            return
        while line := file.readline(LINE_BYTES_MAX + 1):
            if len(line) > LINE_BYTES_MAX:
                rejected[TOO_LONG] += 1
                while line and not line.endswith(b"\n"):
                    line = file.readline(LINE_BYTES_MAX)
            elif line.strip():
                yield line


def rows_of(path: Path, session: str, rejected: Counter[str]) -> Iterator[Line]:
    """Messages and parts of one of OpenCode's sessions and its sub-agents', in order of time."""
    with _database(path) as database:
        family = (
            "WITH RECURSIVE family(id) AS (SELECT ? UNION SELECT s.id FROM session s "
            "JOIN family f ON s.parent_id = f.id)"
        )
        roles: dict[str, str] = {}
        acted = dict(
            database.execute(
                f"{family} SELECT message_id, MIN(time_created) FROM part "  # noqa: S608
                "JOIN family ON session_id = family.id "
                "WHERE json_extract(data, '$.type') = 'tool' GROUP BY message_id",
                (session,),
            )
        )
        for table, kind in (("message", MESSAGE), ("part", PART)):
            column = "message_id" if table == "part" else "id"
            rows = database.execute(
                f"{family} SELECT t.id, t.{column}, t.time_created, "  # noqa: S608
                f"t.data, t.session_id FROM {table} t "
                "JOIN family ON t.session_id = family.id ORDER BY t.time_created, t.id",
                (session,),
            )
            for identity, message, created, data, own_session in rows:
                document = _parsed(str(data).encode("utf-8", "replace"), rejected)
                if document is None:
                    continue
                if table == "message":
                    roles[identity] = str(document.get("role"))
                yield {
                    "type": kind,
                    "id": identity,
                    "session_id": session,
                    "time_created": created,
                    "role": roles.get(message, ""),
                    "is_subagent": own_session != session,
                    "acted_at": acted.get(message),
                    "data": document,
                }


@contextmanager
def _database(path: Path) -> Generator[sqlite3.Connection]:
    """The database as it is on disk, never written to.

    Raises:
        OSError: it is no such database.
    """
    try:
        where = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(where, uri=True)) as database:
            yield database
    except sqlite3.Error as error:
        raise OSError(f"{path} is no database of OpenCode's: {error}") from error
