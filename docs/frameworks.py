"""The tables of frameworks and of what others record, as `make frameworks-table` measured them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parent.parent / "tests" / "data"
WORDS = {True: "yes", False: "**no**", None: "–"}


def table() -> str:
    """A row for each program that we record, and beneath why a cell says no."""
    return rows_of("frameworks.json", {"Framework": "framework", "Version": "version"})


def instrumented() -> str:
    """The same of programs that others record."""
    named = {"Instrumentation": "instrumentation", "Version": "version", "Framework": "framework"}
    return rows_of("instrumented.json", named)


def rows_of(file: str, named: Mapping[str, str]) -> str:
    """A table of what was measured. `named`: heading → key of the first columns."""
    rows: dict[str, Any] = json.loads((MEASURED / file).read_text("utf-8"))
    cells = list(next(iter(rows.values()))["order"])
    headings = (*named, "Program", *cells, "Measured")
    lines = [f"| {' | '.join(headings)} |", f"| {' | '.join('---' for _ in headings)} |"]
    reasons: list[str] = []
    keys = tuple(named.values())
    for row in sorted(
        rows.values(), key=lambda row: (row[keys[0]], row["framework"], row["shape"])
    ):
        shown: list[str] = []
        for cell in cells:
            word = WORDS[row["cells"][cell]]
            why = row["cannot"].get(cell)
            if row["cells"][cell] is False and why:
                if why not in reasons:
                    reasons.append(why)
                word += f" {reasons.index(why) + 1})"
            shown.append(word)
        first = [row[key] for key in keys]
        lines.append(f"| {' | '.join((*first, row['shape'], *shown, row['date']))} |")
    lines += ["", *(f"{number}) {why}\n" for number, why in enumerate(reasons, 1))]
    return "\n".join(lines).rstrip() + "\n"
