"""Words that the code does not use, and the field's words instead: `python -m tests.vocabulary`.

A banned word may not be an identifier, nor a part of one (`told` bans `told` and `tokens_told`).
Names of tests are sentences and may use any word. The glossary explains the words that we use.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("instrumentation", "collector", "dashboards", "alerts", "deploy", "tests")

# A part of an identifier → the words to use instead. docs/concepts/glossary.md has the same table.
BANNED: dict[str, tuple[str, ...]] = {
    "told": ("reported", "recorded", "configured", "parsed", "given"),
    "tell": ("report", "notify", "describe"),
    "tells": ("reports", "notifies", "describes"),
    "telling": ("notify", "views"),
    "take": ("receive", "accept", "record", "consume"),
    "taken": ("received", "accepted", "recorded", "consumed"),
    "takes": ("receives", "accepts", "records", "consumes"),
    "hear": ("receive", "observe"),
    "heard": ("received", "observed"),
    "hears": ("receives", "observes"),
    "say": ("write", "emit", "report"),
    "said": ("text", "emitted", "reported"),
    "look": ("scoring round", "query"),
    "looks": ("scoring rounds", "queries"),
    "looked": ("scored", "queried"),
    "watch": ("observation window", "observe"),
    "watched": ("observed",),
    "watches": ("observation windows",),
    "verdict": ("attribution", "feedback"),
    "verdicts": ("attributions", "feedback"),
    "vote": ("feedback",),
    "votes": ("feedback",),
    "voted": ("feedback",),
    "voting": ("feedback",),
    "cause": ("assessment", "reason"),
    "nobody": ("null hypothesis", "no agent action"),
    "rival": ("alternative",),
    "rivals": ("alternatives",),
    "accuse": ("rank suspects",),
    "accused": ("suspect",),
    "accusation": ("suspects",),
    "docket": ("suspect index",),
    "docketed": ("indexed",),
    "acquit": ("rule out",),
    "acquitted": ("ruled out",),
    "trust": ("prior",),
    "story": ("wording", "activity log"),
    "narration": ("activity log",),
    "narrate": ("activity log",),
    "firsts": ("first seen",),
    "survey": ("gauges",),
    "deed": ("action", "change"),
    "deeds": ("actions", "changes"),
    "course": ("finding history",),
    "courses": ("finding histories",),
    "lesson": ("sample", "observation window"),
    "lessons": ("baseline",),
    "customs": ("expectations",),
    "offer": ("ingest request",),
    "offers": ("ingest requests",),
    "careful": ("sanitized",),
    "announcer": ("lifecycle events",),
    "late": ("deferred",),
    "losses": ("drop counters",),
    "tidy": ("evict",),
    "note": ("record",),
    "noted": ("recorded",),
    "news": ("changes",),
}
# Words among them that need no explanation; the glossary explains all others.
PLAIN = {
    "accept",
    "accepted",
    "accepts",
    "configured",
    "consume",
    "consumed",
    "consumes",
    "deferred",
    "describe",
    "describes",
    "emit",
    "emitted",
    "evict",
    "first seen",
    "gauges",
    "given",
    "indexed",
    "notifies",
    "notify",
    "observe",
    "observed",
    "observes",
    "parsed",
    "queried",
    "queries",
    "query",
    "rank suspects",
    "reason",
    "receive",
    "received",
    "receives",
    "record",
    "recorded",
    "records",
    "report",
    "reported",
    "reports",
    "rule out",
    "ruled out",
    "sample",
    "sanitized",
    "scored",
    "text",
    "views",
    "wording",
    "write",
}
ALLOWED = {
    "trust_env",
    "take_along_axis",
    "__cause__",
    "look_up",
    "watchdog",
    "test_tidy",
    "notes",
    "NOTES",
}
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def parts_of(identifier: str) -> set[str]:
    """The words that an identifier is made of, in lower case."""
    return {part.lower() for part in PART.findall(identifier)}


def identifiers(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of everything that a module defines, reads or passes."""
    yield 1, path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        line = getattr(node, "lineno", 1)
        match node:
            case ast.Name():
                yield line, node.id
            case ast.Attribute():
                yield line, node.attr
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield line, node.name
            case ast.arg():
                yield line, node.arg
            case ast.keyword(arg=str(name)) | ast.alias(asname=str(name)):
                yield line, name
            case _:
                pass


def banned_in(path: Path) -> list[str]:
    """`line: identifier: use …` for each banned identifier of a module, once a line."""
    found: dict[tuple[int, str], str] = {}
    for line, name in identifiers(path):
        if name in ALLOWED or name.startswith("test_"):
            continue
        for part in sorted(parts_of(name) & BANNED.keys()):
            found[line, name] = f"{line}: {name}: {part} → {' or '.join(BANNED[part])}"
    return [found[key] for key in sorted(found)]


def checked_files() -> list[Path]:
    """Every module of the repository that the rule holds for."""
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


if __name__ == "__main__":
    places = [Path(name).resolve() for name in sys.argv[1:]]
    total = 0
    for module in checked_files():
        if places and not any(place == module or place in module.parents for place in places):
            continue
        for problem in banned_in(module):
            total += 1
            print(f"{module.relative_to(ROOT)}:{problem}")
    print(f"{total} banned identifiers")
