"""Every rule has its scenarios, and what a person reads of them stays as it is in the golden files.

After a change that is meant: `python -m tests.test_scenarios` writes the files anew; read the diff.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from aftershock.rules import KINDS
from tests.scenarios.playing import Scenarios

FOLDER = Path(__file__).parent / "scenarios"
RULES = sorted(KINDS)


def scenarios_of(rule: str) -> Scenarios:
    return import_module(f"tests.scenarios.{rule}").SCENARIOS


def golden_of(rule: str) -> Path:
    return FOLDER / f"{rule}.timeline.txt"


def played(rule: str) -> str:
    """All scenarios of a rule, each under its title."""
    parts = [f"--- {title}\n{scenario()}" for title, scenario in scenarios_of(rule).items()]
    return "\n".join(parts)


@pytest.mark.parametrize("rule", RULES)
def test_scenarios_read_as_their_golden_timelines(rule: str) -> None:
    assert golden_of(rule).read_text(encoding="utf-8") == played(rule)


@pytest.mark.parametrize("rule", RULES)
def test_the_first_scenario_shows_the_finding_and_another_one_shows_none(rule: str) -> None:
    first, *others = scenarios_of(rule).values()

    assert f" {rule}: " in first()
    assert any(f" {rule}: " not in other() for other in others)


def main() -> None:
    for rule in RULES:
        golden_of(rule).write_text(played(rule), encoding="utf-8")


if __name__ == "__main__":
    main()
