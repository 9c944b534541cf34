"""Words that the code does not use, and the field's word for each: `python -m tests.vocabulary`.

A banned word may not be an identifier, nor a part of one (`told` bans `told` and `tokens_told`).
Names of tests are sentences and may use any word. The glossary in docs/ explains the words we use.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("instrumentation", "collector", "dashboards", "alerts", "deploy", "tests")

# A part of an identifier, and what to say instead.
BANNED = {
    "told": "reported, recorded, configured, parsed or given: say which",
    "tell": "report, notify or describe: say which",
    "tells": "reports, notifies or describes: say which",
    "telling": "notify or views",
    "take": "receive, accept, record or consume: say which",
    "taken": "received, accepted, recorded or consumed: say which",
    "takes": "receives, accepts, records or consumes: say which",
    "hear": "on_change, or receive",
    "heard": "received, or observed",
    "hears": "receives",
    "say": "write, emit or report: say which",
    "said": "text, emitted or reported: say which",
    "look": "scoring round, or query",
    "looks": "scoring rounds",
    "looked": "scored, or queried",
    "watch": "observation window, or observe",
    "watched": "observed",
    "watches": "observation windows",
    "verdict": "attribution (the machine's) or feedback (a person's)",
    "verdicts": "attributions (the machine's) or feedback (a person's)",
    "vote": "feedback",
    "votes": "feedback",
    "voted": "gave feedback",
    "voting": "feedback",
    "cause": "assessment (in feedback), or reason",
    "nobody": "null hypothesis, or no agent action",
    "rival": "alternative",
    "rivals": "alternatives",
    "accuse": "rank_suspects",
    "accused": "suspected",
    "accusation": "suspects",
    "docket": "suspect index",
    "trust": "set_prior",  # httpx's trust_env is its own name
    "story": "wording, or activity log",
    "narration": "activity log",
    "narrate": "activity log",
    "firsts": "first seen",
    "survey": "gauges",
    "deed": "action, or change",
    "deeds": "actions, or changes",
    "lesson": "observation, or sample",
    "lessons": "baseline",
    "customs": "learned expectations",
    "offer": "ingest request",
    "offers": "ingest requests",
    "careful": "sanitized",
    "announcer": "lifecycle events",
    "late": "deferred",
    "losses": "drop counters",
    "tidy": "evict, or clean up",
    "note": "record",
    "noted": "recorded",
    "news": "new information, or changes",
    "docketed": "indexed",
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
            found[line, name] = f"{line}: {name}: {part} → {BANNED[part]}"
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
