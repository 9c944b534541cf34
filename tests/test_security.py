"""SECURITY.md names every attack that was tried, and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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


def test_each_of_the_ten_later_attacks_has_a_state_and_is_repeated_by_a_test() -> None:
    rows = re.findall(r"^\| A(\d+) \|[^|]*\| (?:mended|held)", TEXT, re.MULTILINE)
    repeated = (ROOT / "tests/collector/access/test_hostile_senders.py").read_text("utf-8")

    assert rows == [str(number) for number in range(1, 11)]
    assert [] == [number for number in rows if f"def test_a{number}_" not in repeated]


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", TEXT))

    assert named
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_every_line_about_an_attacker_names_tests() -> None:
    rows = re.findall(r"^\| (a [^|]+|a forged [^|]+) \|(.*)\|$", TEXT, re.MULTILINE)

    assert len(rows) >= 9
    for who, row in rows:
        assert "`tests/" in row.rpartition("|")[2], who


def test_no_state_is_open_and_partly_and_limits_say_why() -> None:
    rows = dict(re.findall(r"^\| (P\d+) \|(.*)\|$", TEXT, re.MULTILINE))
    for name, row in rows.items():
        state = row.split("|")[1].strip()
        assert not state.startswith("open"), name
        assert state.startswith("mended") or len(state) > len("partly: "), name


@pytest.mark.parametrize(
    "name", ["P1", "P3", "P4", "P11", "P12", "P13", "P14", "P18", "P19", "P25", "P28"]
)
def test_an_attack_that_tests_repeat_is_named_in_them(name: str) -> None:
    rows = dict(re.findall(r"^\| (P\d+) \|(.*)\|$", TEXT, re.MULTILINE))
    named = re.findall(r"`(tests/[^`]+)`", rows[name])
    marks = (f"_{name.lower()}_", f"# --- {name}:")

    assert any(mark in (ROOT / path).read_text("utf-8") for path in named for mark in marks)


def test_images_have_no_more_rights_than_they_need() -> None:
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    dockerfile = (ROOT / "deploy/aftershock/Dockerfile").read_text("utf-8")
    release = (ROOT / ".github/workflows/release.yml").read_text("utf-8")

    assert "cap_drop: [ALL]" in compose
    assert "read_only: true" in compose
    assert re.search(r"^USER (?!root|0)", dockerfile, re.MULTILINE)
    assert "attest-build-provenance" in release
    assert "attest-sbom" in release
