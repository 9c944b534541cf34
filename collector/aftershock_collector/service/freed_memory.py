"""Freed memory: gives what was freed back to the system, where the C library can."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of malloc.h
ARENAS_MAX = 4  # of malloc: each thread's own would keep what it freed for itself
MMAP_BYTES = 1 << 20  # a block of this size or more is given back at once, always


def prepare_malloc() -> None:
    """Let the C library keep less of what is freed.

    By itself it raises its thresholds to the largest block that was freed: after a body of 16 MB,
    what such bodies take is never given back.
    """
    mallopt = _of_c("mallopt")
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS_MAX)
        mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)
        mallopt(M_TRIM_THRESHOLD, MMAP_BYTES)


def give_back() -> None:
    """Return whole free pages to the system: some milliseconds for each 100 MB."""
    trim = _of_c("malloc_trim")
    if trim is not None:
        trim(0)


def _of_c(name: str) -> Callable[..., int] | None:
    """A function of the C library; None where it has none of that name (musl, macOS)."""
    return getattr(ctypes.CDLL(None), name, None)  # of what this process is linked to
