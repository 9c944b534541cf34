"""One line of the list of runs, put together from rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aftershock.attributes import EVENT_STARTED
from aftershock.policy.prices import COUNTED

Select = Callable[[str, Iterable[Any]], list[Any]]
Row = tuple[int, str, str | None, str | None, int, int]

_OPEN_EVENTS = """
    SELECT count(*) FROM events WHERE run = ? AND name = ? AND NOT EXISTS (
        SELECT 1 FROM spans WHERE spans.trace_id = events.trace_id
        AND spans.span_id = events.span_id)
"""
_COUNTED = frozenset(kind.value for kind in COUNTED)
_KINDS = ", ".join(f"'{kind}'" for kind in sorted(_COUNTED))
# Spans that tell of a step of which another span tells as well.
_COUNTED_AGAIN = f"""
    SELECT count(*) - count(DISTINCT step) FROM spans
    WHERE run = ? AND step IS NOT NULL AND kind IN ({_KINDS})
"""  # noqa: S608  (names of our own)
# Steps that only events report: calls that have not ended, and agents that send logs, no spans.
_COUNTED_EVENTS = f"""
    SELECT count(DISTINCT step) FROM events WHERE run = ?
    AND kind IN ({_KINDS})
    AND NOT (step = lower(hex(span_id)) AND EXISTS (SELECT 1 FROM spans
        WHERE spans.trace_id = events.trace_id AND spans.span_id = events.span_id))
    AND NOT EXISTS (SELECT 1 FROM spans WHERE spans.run = events.run AND spans.step = events.step)
"""  # noqa: S608  (names of our own)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs."""

    run_id: str
    agent: str | None
    service: str | None
    began_at_ns: int
    last_ns: int  # newest step or heartbeat
    ended_at_ns: int | None  # None: not known to be over
    steps: Mapping[str, int]  # by kind
    failed: int  # steps that reported an error
    open: int  # steps that started and have not ended
    warnings: int  # findings, open or closed, of level warn
    alarms: int
    agents: tuple[str, ...] = ()  # every agent that took part, the one that began it first
    done: int = 0  # steps as budgets count them: what the agents did


def summary_of(row: Row, select: Select) -> RunSummary:
    """A row of `runs` with what its spans, events and findings add up to."""
    run, run_id, agent, service, began, last = row
    kinds = select(
        "SELECT kind, count(*), sum(failed), count(ended_at_ns), max(ended_at_ns)"
        " FROM spans WHERE run = ? GROUP BY kind",
        (run,),
    )
    ((begun,),) = select(_OPEN_EVENTS, (run, EVENT_STARTED))
    ((only_events,),) = select(_COUNTED_EVENTS, (run,))
    ((again,),) = select(_COUNTED_AGAIN, (run,))
    done = only_events - again + sum(count for kind, count, *_ in kinds if kind in _COUNTED)
    others = select(
        "SELECT agent FROM run_agents WHERE run = ? AND agent IS NOT ? ORDER BY agent",
        (run, agent),
    )
    frames = [row for row in kinds if row[0] == "agent" and row[1] == row[3]]
    levels = dict(
        select("SELECT level, count(*) FROM claims WHERE run_id = ? GROUP BY level", (run_id,))
    )
    return RunSummary(
        run_id=run_id,
        agent=agent,
        service=service,
        began_at_ns=began,
        last_ns=last,
        ended_at_ns=frames[0][4] if frames else None,
        steps={kind: count for kind, count, *_ in kinds},
        failed=sum(failed for _, _, failed, *_ in kinds),
        open=begun + sum(count - ended for _, count, _, ended, _ in kinds),
        warnings=levels.get("warn", 0),
        alarms=levels.get("alarm", 0),
        agents=(*([agent] if agent else []), *(name for (name,) in others)),
        done=done,
    )
