"""Approval events → Approvals: what somebody was asked and answered about calls of a tool."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

from aftershock.approval import Approval, Gate
from aftershock.attributes import (
    APPROVAL_ASKED_AT,
    APPROVAL_BECAUSE,
    APPROVAL_BY,
    APPROVAL_EXPIRES_AT,
    APPROVAL_ID,
    APPROVAL_OUTCOME,
    ARGUMENTS_DIGEST,
    TOOL_NAME,
)
from aftershock_collector.otlp.wire import LogEvent
from aftershock_collector.reading.dialects import name_in, text_in

OUTCOMES = {gate.value: gate for gate in Gate}
SPAN_ID_CHARS = 16
TIME_NS_MAX = 2**63  # exclusive: what an OTLP whole number holds


class ApprovalEvent(NamedTuple):
    """One approval event. A request and its answer have the same id and the same begin."""

    id: str | None  # as long as a span's id; None: the event has none
    approval: Approval
    began_at_ns: int
    ended_at_ns: int | None  # None: nobody has answered


def approval_in(event: LogEvent) -> ApprovalEvent | None:
    """The approval of an event; None where it names no tool or no known outcome."""
    own = event.attributes
    tool = name_in(own, TOOL_NAME)
    outcome = OUTCOMES.get(text_in(own, APPROVAL_OUTCOME) or "")
    if tool is None or outcome is None:
        return None
    waits = outcome is Gate.ASK
    asked_at_ns = None if waits else _time_ns(own.get(APPROVAL_ASKED_AT))
    began_at_ns = event.time_ns if asked_at_ns is None else min(asked_at_ns, event.time_ns)
    approval = Approval(
        tool=tool,
        outcome=outcome,
        by=name_in(own, APPROVAL_BY),
        because=text_in(own, APPROVAL_BECAUSE),
        arguments=name_in(own, ARGUMENTS_DIGEST),
        expires_at_ns=_time_ns(own.get(APPROVAL_EXPIRES_AT)),
    )
    return ApprovalEvent(_id_of(event), approval, began_at_ns, None if waits else event.time_ns)


def _id_of(event: LogEvent) -> str | None:
    """The approval's own id, in the form of a span's, so that it can stand among evidence."""
    given = name_in(event.attributes, APPROVAL_ID)
    if given is None:
        return None
    if len(given) == SPAN_ID_CHARS and all(mark in "0123456789abcdef" for mark in given):
        return given
    return blake2b(given.encode("utf-8", "replace"), digest_size=SPAN_ID_CHARS // 2).hexdigest()


def _time_ns(value: Any) -> int | None:
    """A moment in nanoseconds since the epoch; some senders write numbers as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 < value < TIME_NS_MAX else None
