"""Sessions: one client's calls at the gate and on their way, each a span of the client's run."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, attach
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from aftershock import attributes as names
from aftershock.gate.admission import answer_text
from aftershock.gate.binding import digest_of
from aftershock.gate.decide import Call
from aftershock.policy.admission import GateRules, Mode
from aftershock.proxy.json_rpc import as_object, client_name, is_id, key_of, meta_of, params_of
from aftershock.recorder import implicit_run, settings, tool_calls
from aftershock.recorder.drop_counters import count_drop, record_failure
from aftershock.recorder.guarding import PASSING, record_held_back
from aftershock.recorder.implicit_run import place_of
from aftershock.recorder.pending_spans import ExpectedCall
from aftershock.recorder.tool_decorator import as_text, open_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aftershock.guard.passage import Passage
    from aftershock.policy.policy import Policy
    from aftershock.recorder.process_gate import ProcessGate
    from aftershock.recorder.span_wrapping import Step

OPEN_MAX = 1_000  # calls of one session that wait for their answers
WHOLE = re.compile(r"-?[0-9]{1,16}")
CARRIED = ("traceparent", "tracestate")
# error.type
TOOL_ERROR, CANCELLED, NO_ANSWER, STOPPED = "tool_error", "cancelled", "no_answer", "stopped"
UNNAMED = "mcp-client"

_PROPAGATOR = TraceContextTextMapPropagator()


@dataclass(slots=True)
class Settings:
    """How this process records."""

    agent: str | None = None  # what people call the agent; None: as the client calls itself
    is_sole_recorder: bool = False  # calls that carry a trace are steps, too
    transport: str = "pipe"


@dataclass(slots=True)
class OpenCall:
    """A call that passed the gate and has no answer yet."""

    passage: Passage
    began_at_ns: int
    step: Step | None
    state: str | None = None  # of a call that the server continues later


class Client:
    """Who calls: its name, its run, and its calls that the server continues later."""

    def __init__(self, chosen: Settings, name: str | None = None) -> None:
        self.name = chosen.agent or name or UNNAMED
        self.chosen = chosen
        self.continued: OrderedDict[str, OpenCall] = OrderedDict()
        self._variables = copy_context()  # where the client's run is the current one

    def learn_name(self, message: Any) -> None:
        """The client may say here what it is called."""
        if self.chosen.agent is None and (name := client_name(message)):
            self.name = name

    def run(self) -> Context:
        """The context of its run."""
        begin = partial(implicit_run.context_for_step, Context(), self.name)
        return self._variables.run(begin) or Context()

    def end_step(self, step: Step, describe: Callable[[], None]) -> None:
        """End a step of its run, which lasts at least until then."""
        self._variables.run(step.end, describe)

    def close(self) -> None:
        """It calls no more."""
        for found in self.continued.values():
            abandon(self, found, NO_ANSWER)
        self.continued.clear()
        self._variables.run(implicit_run.end)


class Session:
    """Calls of one client with ids of their own. Everything in it is on one event loop."""

    def __init__(self, gate: ProcessGate, client: Client, session_id: str | None = None) -> None:
        self.client = client
        self.waiting: dict[asyncio.Task[Any], Any] = {}  # calls at the gate → their ids
        self._gate = gate
        self._session_id = session_id
        self._open: OrderedDict[str, OpenCall] = OrderedDict()

    @property
    def is_one_request(self) -> bool:
        """True for what HTTP without sessions has: ids that mean something in one request only."""
        return self._session_id is None

    def is_free(self, identifier: Any) -> bool:
        """Whether a call may have this id: the answer to it is the answer to no other one."""
        if not is_id(identifier):
            return False
        key = key_of(identifier)
        waiting = (key_of(one) for one in self.waiting.values() if one is not None)
        return key not in self._open and key not in waiting

    async def enter(
        self, message: Any, headers: Mapping[str, str]
    ) -> tuple[str | None, dict[str, str]]:
        """A call comes to the gate, in a task of its own.

        Returns what the model reads in place of a result, or None and the trace to carry on.
        """
        if (known := self._continues(message)) is not None:
            return await self._enter_again(message, known)
        remote, links = caller_of(message, headers)
        attach(remote or self.client.run())
        params = params_of(message)
        arguments = as_object(params.get("arguments"))
        run_id, agent, _ = place_of(None)
        if remote is not None:
            run_id = format_trace_id(get_current_span().get_span_context().trace_id)
        call = Call(params["name"], arguments, run_id, agent or self.client.name)
        passage = await self._gate.enter_async(call, rules())
        if not passage.passes:
            record_held_back(passage)
            return answer_text(call.tool, passage.admission), {}
        PASSING.set(passage)
        step = self._begin(message, call, links, is_far_end=remote is not None)
        self._add(message, OpenCall(passage, time.time_ns(), step))
        return None, {} if step is None else carried_by(step)

    def answered(self, message: Any) -> None:
        """The server has answered a request: if it was a call, it has ended. Raises nothing."""
        try:
            found = self._answered_call(message["id"])
            if found is None:
                return
            result = message.get("result")
            state = as_object(result).get("requestState")
            if as_object(result).get("resultType") == "input_required" and state:
                self._keep(str(state), found)  # the client will make the same call again
            else:
                self._end(found, result, as_object(message.get("error")))
        except Exception:  # noqa: BLE001 (ours: the answer passes all the same)
            record_failure("recording an answer")

    def _answered_call(self, identifier: Any) -> OpenCall | None:
        """The open call of an id; clients take a whole number that comes back as text."""
        found = self._open.pop(key_of(identifier), None)
        if found is None and isinstance(identifier, str) and WHOLE.fullmatch(identifier):
            found = self._open.pop(str(int(identifier)), None)
        return found

    def cancelled(self, identifier: Any) -> None:
        """The client waits for a call no more: at the gate it is called no more."""
        for task, waiting in list(self.waiting.items()):
            if waiting is not None and key_of(waiting) == key_of(identifier):
                task.cancel()
        self.abandon(identifier, CANCELLED)

    def abandon(self, identifier: Any, reason: str) -> None:
        """The answer to a call is not seen, or not read. Raises nothing."""
        if (found := self._open.pop(key_of(identifier), None)) is not None:
            abandon(self.client, found, reason)

    def close(self, reason: str = NO_ANSWER) -> None:
        """No further answer comes."""
        for found in self._open.values():
            abandon(self.client, found, reason)
        self._open.clear()

    # --- Where a call belongs ---------------------------------------------------------------

    def _continues(self, message: Any) -> OpenCall | None:
        """A call that has passed and is made again with what the server asked for."""
        params = params_of(message)
        state = str(params.get("requestState") or "")
        found = self.client.continued.get(state)
        if found is None or not is_same(found.passage.call, params):
            return None  # another call: it passes the gate as such
        return self.client.continued.pop(state)

    async def _enter_again(
        self, message: Any, known: OpenCall
    ) -> tuple[str | None, dict[str, str]]:
        """It was let pass once; only what a person has ordered since can hold it back."""
        try:
            passage = await self._gate.guard.obey_async(known.passage.call, rules())
        except asyncio.CancelledError:
            abandon(self.client, known, CANCELLED)
            raise
        if not passage.passes:
            abandon(self.client, known, STOPPED)
            return answer_text(passage.call.tool, passage.admission), {}
        self._add(message, known)
        return None, {} if known.step is None else carried_by(known.step)

    # --- The record ---------------------------------------------------------------------------

    def _begin(
        self, message: Any, call: Call, links: list[Link], *, is_far_end: bool
    ) -> Step | None:
        try:
            arguments = {key: tool_calls.plain(value) for key, value in call.arguments.items()}
            policy = settings.policy()
            expected = ExpectedCall(
                call.tool, lambda: tool_calls.describe_call(call.tool, arguments, policy)
            )
            found: tool_calls.Attributes = {
                names.MCP_METHOD: message["method"],
                names.NETWORK_TRANSPORT: self.client.chosen.transport,
            }
            if "id" in message:
                found[names.JSONRPC_ID] = str(message["id"])
            if self._session_id is not None:
                found[names.MCP_SESSION_ID] = self._session_id
            # Its caller's own span stands for a call that carries a trace: one call, one step.
            is_step = self.client.chosen.is_sole_recorder or not is_far_end
            if is_far_end:
                found[names.AGENT_NAME] = self.client.name
            kind = SpanKind.CLIENT if is_step else SpanKind.SERVER
            return open_tool(expected, arguments, None, more=found, kind=kind, links=links)
        except Exception:  # noqa: BLE001 (ours: the call goes on unrecorded)
            record_failure("recording a call")
            return None

    def _add(self, message: Any, found: OpenCall) -> None:
        if "id" not in message:  # a notification: nothing will answer it
            abandon(self.client, found, NO_ANSWER)
            return
        self._open[key_of(message["id"])] = found
        if len(self._open) > OPEN_MAX:
            count_drop("open_calls")
            abandon(self.client, self._open.popitem(last=False)[1], NO_ANSWER)

    def _keep(self, state: str, found: OpenCall) -> None:
        self.client.continued[state] = found
        if len(self.client.continued) > OPEN_MAX:
            count_drop("open_calls")
            abandon(self.client, self.client.continued.popitem(last=False)[1], NO_ANSWER)

    def _end(self, found: OpenCall, result: Any, error: dict[str, Any]) -> None:
        failed = bool(error) or as_object(result).get("isError") is True
        if error:
            result = f"{error.get('code')}: {error.get('message')}"
        self._gate.returned(found.passage, found.began_at_ns, result, failed=failed)
        if (step := found.step) is None:
            return

        def describe() -> None:
            tool_calls.set_result(step.span, result, failed=failed)
            if settings.captures_content():
                step.span.set_attribute(names.TOOL_RESULT, as_text(tool_calls.plain(result)))
            if error:
                step.span.set_attribute(names.RPC_STATUS, str(error.get("code")))
            if failed:
                kind = str(error.get("code")) if error else TOOL_ERROR
                step.span.set_attribute(names.ERROR_TYPE, kind)
                step.span.set_status(Status(StatusCode.ERROR))

        self.client.end_step(step, describe)


def abandon(client: Client, found: OpenCall, reason: str) -> None:
    """End a call whose answer is not seen: its outcome stays unknown."""
    if (step := found.step) is not None:
        client.end_step(step, lambda: step.span.set_attribute(names.ERROR_TYPE, reason))


def is_same(call: Call, params: Mapping[str, Any]) -> bool:
    """Whether these parameters name exactly a call that has passed: 1, 1.0 and true are three."""
    arguments = as_object(params.get("arguments"))
    known = digest_of(None, call.tool, call.arguments, ())
    return known is not None and known == digest_of(None, params["name"], arguments, ())


def carried_by(step: Step) -> dict[str, str]:
    """The trace of a call's span, to be carried to the server."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, step.context)
    return carrier


def caller_of(message: Any, headers: Mapping[str, str]) -> tuple[Context | None, list[Link]]:
    """The trace that a call carries; a second one, where `_meta` and headers differ, as a link."""
    found: list[Context] = []
    for carrier in (meta_of(message), headers):
        texts = {key: carrier[key] for key in CARRIED if isinstance(carrier.get(key), str)}
        context = _PROPAGATOR.extract(texts, Context())
        span = get_current_span(context).get_span_context()
        if span.is_valid:
            found.append(set_span_in_context(NonRecordingSpan(sampled(span)), context))
    spans = [get_current_span(context).get_span_context() for context in found]
    links = [Link(spans[1])] if len(spans) == 2 and spans[0] != spans[1] else []
    return (found[0] if found else None), links


def sampled(span: SpanContext) -> SpanContext:
    """The same span as one that is recorded: what a caller leaves out of its own record, we see."""
    flags = TraceFlags(span.trace_flags | TraceFlags.SAMPLED)
    return SpanContext(span.trace_id, span.span_id, is_remote=True, trace_flags=flags,
                       trace_state=span.trace_state)  # fmt: skip


def rules() -> Policy:
    """The policy that calls are judged by: one whose gate is off only lets orders stop them."""
    policy = settings.policy()
    return policy if policy.gate.mode is not Mode.OFF else without_gates(policy)


@cache
def without_gates(policy: Policy) -> Policy:
    """A policy that describes tools and holds none of them back."""
    gate = GateRules(always_open=policy.gate.always_open)
    return replace(policy, gate=gate, tools=tuple(replace(t, gate=None) for t in policy.tools))
