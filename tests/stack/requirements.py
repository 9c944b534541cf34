"""What a test needs beside Python: without it the test is skipped, and says so loudly.

TESTS_REQUIRE_PROGRAMS names programs, with commas between them, whose absence is a failure
and not a reason to skip: continuous integration sets it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.stack.programs import locate

REQUIRED = "TESTS_REQUIRE_PROGRAMS"


def need(*names: str) -> list[Path]:
    """Where the programs are; skips the test, or fails it, where one is missing."""
    found = {name: locate(name) for name in names}
    lost = [name for name, place in found.items() if place is None]
    if lost:
        required = set(os.environ.get(REQUIRED, "").split(","))
        words = f"missing: {', '.join(lost)} (python -m tests.stack.programs build)"
        if required.intersection(lost):
            pytest.fail(f"{words}; {REQUIRED} wants them")
        pytest.skip(words)
    return [place for place in found.values() if place is not None]
