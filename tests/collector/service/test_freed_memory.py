"""What was freed is given back to the system, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Blocks that malloc takes from its heap; one in a hundred stays, so that the heap cannot shrink.
PROGRAM = """
import psutil
from aftershock_collector.service.freed_memory import give_back, prepare_malloc

prepare_malloc()
blocks = [bytes(60_000) for _ in range(4_000)]
kept = blocks[::100]
del blocks
before = psutil.Process().memory_info().rss
give_back()
print(before - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="malloc_trim is of the GNU C library")
def test_what_was_freed_among_what_is_kept_is_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )

    assert int(done.stdout) > 150_000_000
