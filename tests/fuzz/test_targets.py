"""Every target takes its seeds, and every input on which one once failed."""

from __future__ import annotations

import pytest

from tests.fuzz.seeds import SEEDS, seeds_of
from tests.fuzz.targets import TARGETS


def test_every_target_has_seeds() -> None:
    assert SEEDS.keys() == TARGETS.keys()


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_its_seeds_and_what_it_once_failed_on(name: str) -> None:
    seeds = seeds_of(name)

    assert seeds
    for seed in seeds:
        TARGETS[name](seed)
