"""SECURITY.md names every attack that was tried, and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ATTACKS = 28


def test_every_attack_has_a_state_and_what_is_mended_has_tests() -> None:
    rows = dict(re.findall(r"^\| (P\d+) \|(.*)\|$", TEXT, re.MULTILINE))

    assert list(rows) == [f"P{number}" for number in range(1, ATTACKS + 1)]
    for name, row in rows.items():
        _, state, tests = row.split("|")
        assert state.strip().startswith(("mended", "partly", "open", "limit")), name
        assert not state.strip().startswith("mended") or "`tests/" in tests, name


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", TEXT))

    assert named
    assert {path for path in named if not (ROOT / path).exists()} == set()
