"""Words about a run as a whole: whether it still runs, how long it lasts, how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock_collector.wording import NS, clock, lasted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aftershock_collector.store.run_summary import RunSummary

ALIVE_NS = 120 * NS  # heartbeats come every 30 s; a run without a sign for four of them is silent


def is_alive(ended_at_ns: int | None, last_ns: int, now_ns: int) -> bool:
    """True where a run has not ended and has given a sign of life lately."""
    return ended_at_ns is None and last_ns <= now_ns < last_ns + ALIVE_NS


def duration_words(run: RunSummary, now_ns: int) -> str:
    """How long a run lasted, or has lasted until now: `12 s …` while it runs."""
    if is_alive(run.ended_at_ns, run.last_ns, now_ns) and (run.open or run.ended_at_ns is None):
        return f"{lasted(now_ns - run.began_at_ns)} …"
    ended = run.ended_at_ns or run.last_ns
    words = lasted(ended - run.began_at_ns)
    return f"{words}, silent since {clock(run.last_ns)}" if is_silent(run, now_ns) else words


def is_silent(run: RunSummary, now_ns: int) -> bool:
    """True where something that the run began has not ended, and no sign of life arrives."""
    silent = run.last_ns + ALIVE_NS <= now_ns
    return run.ended_at_ns is None and run.open > 0 and silent


def agents_words(agents: Iterable[str]) -> str:
    """Every agent of a run, the one that began it first."""
    return ", ".join(agents) or "–"
