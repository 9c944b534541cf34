"""Approvals: what people (or their rules) allow and deny, as log events for the collector.

A request and its answer share one id. `asked` returns a ticket: a text that identifies the request,
so that the answer may come from another thread, another process or another day.
"""

from __future__ import annotations

import os
import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import _logs
from opentelemetry.context import Context
from opentelemetry.trace import get_current_span

from aftershock import attributes as names
from aftershock.approval import Gate
from aftershock.fingerprints.fingerprint import fingerprint_arguments
from aftershock.recorder import implicit_run
from aftershock.recorder.activation import activate
from aftershock.recorder.drop_counters import count_drop, record_failure
from aftershock.recorder.tool_calls import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    Where = Callable[[], Context | None]  # the context that an event belongs to

TEXT_CHARS_MAX = 4_000  # of one name or reason
REQUESTS_MAX = 1_000  # that wait in this process; more than people answer
TICKET = re.compile(r"^([0-9a-f]{16})\.([0-9a-f]{1,16})\.([0-9a-f]{0,64})\.(.+)$", re.DOTALL)
KEPT = (names.AGENT_NAME, names.CONVERSATION_ID)
ELSEWHERE = Context()  # an answer that is given outside its run belongs to no span

logger = _logs.get_logger("aftershock")


class Request(NamedTuple):
    """One request that waits for an answer."""

    id: str
    asked_at_ns: int
    arguments: str | None  # their digest; None: any
    run_id: str
    tool: str | None = None  # None: only a ticket is known

    @property
    def ticket(self) -> str:
        """The request as text."""
        return f"{self.id}.{self.asked_at_ns:x}.{self.arguments or ''}.{self.run_id}"


class Details(NamedTuple):
    """What a developer passes with a request or an answer."""

    by: str | None
    because: str | None
    arguments: Mapping[str, Any] | None
    valid_s: float | None = None
    request: str | None = None


_waiting: OrderedDict[str, Request] = OrderedDict()


def here() -> Context | None:
    """Whatever context is current."""
    return None


def asked(
    tool: str,
    *,
    of: str | None = None,
    because: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    valid_s: float | None = None,
) -> str | None:
    """Somebody was asked whether a tool may be called; it waits until `approved` or `denied`.

    Args:
        tool: The tool's name.
        of: Who was asked: a name, a role, a channel.
        because: Why the agent wants it.
        arguments: Of the one call that is meant, by name; only their digest leaves the process.
            None: whatever the arguments.
        valid_s: Seconds after which an answer comes too late. None: it may take its time.

    Returns:
        A ticket for `request` of the answer, where that is given in another process. None: nothing
        is being recorded.
    """
    return ask(here, tool, Details(of, because, arguments, valid_s))


def approved(
    tool: str,
    *,
    by: str,
    because: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    valid_s: float | None = None,
    request: str | None = None,
) -> None:
    """Calls of a tool were allowed, from now on.

    Args:
        tool: The tool's name.
        by: Who allowed it. Like every text it is redacted: give a name or an id, not an address.
        because: Why; leaves the process only where content capture is on.
        arguments: Of the one call that is allowed, by name, as the tool will get them; only their
            digest leaves the process. None: those of the request that this answers, else any.
        valid_s: Seconds for which it holds. None: as long as the run.
        request: The ticket that `asked` returned. None: the newest request of this run for the
            tool, if one waits in this process.
    """
    answer(here, tool, Gate.ALLOW, Details(by, because, arguments, valid_s, request))


def denied(
    tool: str,
    *,
    by: str,
    because: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    request: str | None = None,
) -> None:
    """Calls of a tool were denied, until somebody allows them. Arguments as for `approved`."""
    answer(here, tool, Gate.DENY, Details(by, because, arguments, None, request))


# --- Events ----------------------------------------------------------------------------------


def ask(where: Where, tool: str, details: Details) -> str | None:
    """Send a request and remember it; returns its ticket. Never raises."""
    try:
        activate()
        context = where() or implicit_run.context_for_step()
        if not get_current_span(context).is_recording():
            return None
        run_id = str(attributes_above(context).get(names.RUN_ID, ""))
        now_ns = time.time_ns()
        request = Request(new_id(), now_ns, digest_of(details.arguments), run_id, tool)
        emit(context, Gate.ASK, request, details, now_ns)
        if len(_waiting) >= REQUESTS_MAX:
            _waiting.popitem(last=False)
            count_drop("approvals_waiting")
        _waiting[request.id] = request
    except Exception:  # noqa: BLE001 (ours)
        record_failure("recording a request for approval")
        return None
    return request.ticket


def answer(where: Where, tool: str, outcome: Gate, details: Details) -> None:
    """Send an answer. Never raises."""
    try:
        activate()
        context = where()
        request = None if details.request is None else read_ticket(details.request)
        if request is None:
            context = context or implicit_run.context_for_step()
            if not get_current_span(context).is_recording():
                return
        digest, now_ns = digest_of(details.arguments), time.time_ns()
        if request is None:
            run_id = str(attributes_above(context).get(names.RUN_ID, ""))
            request = waiting_for(run_id, tool, digest) or Request(new_id(), now_ns, None, run_id)
        elif attributes_above(context).get(names.RUN_ID) != request.run_id:
            context = ELSEWHERE
        _waiting.pop(request.id, None)
        bound = request._replace(tool=tool, arguments=digest or request.arguments)
        emit(context, outcome, bound, details, now_ns)
    except Exception:  # noqa: BLE001 (ours)
        record_failure("recording an approval")


def emit(
    context: Context | None, outcome: Gate, request: Request, details: Details, now_ns: int
) -> None:
    """One approval event."""
    found: dict[str, Any] = {
        names.RUN_ID: request.run_id or None,
        names.TOOL_NAME: request.tool,
        names.APPROVAL_ID: request.id,
        names.APPROVAL_OUTCOME: str(outcome),
        names.APPROVAL_BY: None if details.by is None else str(details.by)[:TEXT_CHARS_MAX],
        names.APPROVAL_BECAUSE: None
        if details.because is None
        else str(details.because)[:TEXT_CHARS_MAX],
        names.ARGUMENTS_DIGEST: request.arguments,
        names.APPROVAL_ASKED_AT: None if outcome is Gate.ASK else request.asked_at_ns,
    }
    if details.valid_s is not None:
        found[names.APPROVAL_EXPIRES_AT] = now_ns + int(details.valid_s * 1e9)
    above = attributes_above(context)
    found |= {key: above[key] for key in KEPT if key in above}
    logger.emit(
        timestamp=now_ns,
        context=context,
        event_name=names.EVENT_APPROVAL,
        attributes={key: value for key, value in found.items() if value is not None},
    )


def attributes_above(context: Context | None) -> Mapping[str, Any]:
    """Attributes of the current span of a context."""
    return getattr(get_current_span(context), "attributes", None) or {}


def digest_of(arguments: Mapping[str, Any] | None) -> str | None:
    """The digest that a call with these arguments will have. None: no arguments are named."""
    if arguments is None:
        return None
    return fingerprint_arguments({str(k): plain(v) for k, v in arguments.items()}).digest


def waiting_for(run_id: str, tool: str, digest: str | None) -> Request | None:
    """The newest request of a run that an answer fits: for these arguments, or for any."""
    asked_before = [
        one for one in list(_waiting.values()) if one.run_id == run_id and one.tool == tool
    ]
    fitting = [one for one in asked_before if digest is None or one.arguments in {digest, None}]
    exact = [one for one in fitting if one.arguments == digest]
    return (exact or fitting or [None])[-1]


def read_ticket(text: str) -> Request | None:
    """The request of a ticket; None for a text that is no ticket of ours."""
    match = TICKET.match(text)
    if match is None:
        return None
    return Request(match[1], int(match[2], 16), match[3] or None, match[4])


def new_id() -> str:
    """As long as a span's id, and as unlikely to be another's."""
    return os.urandom(8).hex()
