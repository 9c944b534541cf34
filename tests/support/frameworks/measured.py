"""The files of what was measured of programs, from which the documentation's tables are made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.frameworks.cells import Scenes


def record(
    file: Path,
    key: str,
    scenes: Scenes,
    shown: Mapping[str, Callable[[Scenes], bool]],
    *,
    cannot: Mapping[str, str],
    known: Mapping[str, str],
) -> None:
    """Put the row of a program into a file. `known`: what else its row says."""
    rows: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    lacks = scenes.program.lacks
    rows[key] = {
        **known,
        "shape": scenes.program.shape,
        "date": datetime.now(UTC).date().isoformat(),
        "order": list(shown),
        "cells": {cell: None if cell in lacks else bool(shown[cell](scenes)) for cell in shown},
        "cannot": dict(cannot),
    }
    file.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
