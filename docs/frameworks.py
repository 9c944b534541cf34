"""The table of frameworks, from what `make frameworks-table` measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parent.parent / "tests" / "data" / "frameworks.json"
WORDS = {True: "yes", False: "**no**", None: "–"}


def table() -> str:
    """A row for each program, and beneath why a cell says no."""
    rows: dict[str, Any] = json.loads(MEASURED.read_text("utf-8"))
    cells = list(next(iter(rows.values()))["order"])
    lines = [
        f"| Framework | Version | Program | {' | '.join(cells)} | Measured |",
        f"| --- | --- | --- | {' | '.join('---' for _ in cells)} | --- |",
    ]
    reasons: list[str] = []
    for row in sorted(rows.values(), key=lambda row: (row["framework"], row["shape"])):
        shown: list[str] = []
        for cell in cells:
            word = WORDS[row["cells"][cell]]
            why = row["cannot"].get(cell)
            if row["cells"][cell] is False and why:
                if why not in reasons:
                    reasons.append(why)
                word += f" {reasons.index(why) + 1})"
            shown.append(word)
        named = (row["framework"], row["version"], row["shape"], *shown, row["date"])
        lines.append(f"| {' | '.join(named)} |")
    lines += ["", *(f"{number}) {why}\n" for number, why in enumerate(reasons, 1))]
    return "\n".join(lines).rstrip() + "\n"
