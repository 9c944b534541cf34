"""Calls that a framework makes: recorded, and behind the gate, whichever framework it is.

A framework's own instrumentation may have begun the call's span already: then that span is
described. Else the call gets one of ours, unless the call of another tool is around it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Span
from opentelemetry.trace import get_current_span

from aftershock import attributes as names
from aftershock.recorder import implicit_run, settings
from aftershock.recorder.activation import activate
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.guarded_calls import PLAIN, Form, admitted
from aftershock.recorder.guarding import gate, is_nested, passing_attributes
from aftershock.recorder.invocation_metrics import EXECUTE_TOOL
from aftershock.recorder.pending_spans import PENDING, ExpectedCall
from aftershock.recorder.requested_calls import REQUESTED, same_tool
from aftershock.recorder.span_wrapping import (
    Around,
    Current,
    Instead,
    Step,
    wrap_async_generator,
    wrap_generator,
)
from aftershock.recorder.tool_calls import Attributes, describe_call, plain, set_error, set_result
from aftershock.recorder.tool_decorator import open_tool

if TYPE_CHECKING:
    from aftershock.gate.decide import Call
    from aftershock.recorder.process_gate import ProcessGate

Named = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FrameworkCall:
    """A call as its framework's adapter describes it."""

    tool: str
    arguments: Callable[[], Named]  # may raise: then nobody knows them
    form: Form = PLAIN
    is_recorded: bool = False  # elsewhere, by an instrumentation that begins its span later
    call_id: str | None = None  # as the model gave it; None: it is not known here


def run(call: FrameworkCall, make: Callable[[], Any]) -> Any:
    """What the call returns, or what its model reads instead."""
    process = gate_for(call)
    if process is None:
        step = None
    else:
        passage = process.enter(described(process, call), settings.policy())
        step = admitted(process, passage, call.form, span_of(call.tool))
        if isinstance(step, Instead):
            return step.answer
    running = Running(call, step)
    with Current(running):
        result = make()
    return running.over(result)


async def run_async(call: FrameworkCall, make: Callable[[], Awaitable[Any]]) -> Any:
    """The same for an awaited call."""
    step = await passage_of(call)
    if isinstance(step, Instead):
        return step.answer
    running = Running(call, step)
    with Current(running):
        result = await make()
    return running.over(result)


async def passage_of(call: FrameworkCall) -> Around | Instead | None:
    """What is around an awaited call that passes its gate, or in its place. None: no gate."""
    process = gate_for(call)
    if process is None:
        return None
    passage = await process.enter_async(described(process, call), settings.policy())
    return admitted(process, passage, call.form, span_of(call.tool))


def gate_for(call: FrameworkCall) -> ProcessGate | None:
    """The gate that this call must pass; None inside a call of the same tool that has passed."""
    activate()
    join(call)
    process = gate()
    return None if process is None or is_nested(call.tool) else process


def join(call: FrameworkCall) -> str | None:
    """Go on with the run that requested this call, and return the call's id. Raises nothing."""
    try:
        call_id = call.call_id
        if call_id is None and REQUESTED.waits and not call.is_recorded:
            call_id = REQUESTED.id_of(call.tool, plain(call.arguments()))
        if call_id is not None:
            implicit_run.resume([call_id])
    except Exception:  # noqa: BLE001 (ours)
        record_failure("joining a call to its run")
        return None
    return call_id


def described(process: ProcessGate, call: FrameworkCall) -> Call:
    """The call as its guard sees it; where it cannot be read, the gates of its name still hold."""
    try:
        return process.call_of(call.tool, call.arguments())
    except Exception:  # noqa: BLE001 (ours)
        record_failure("describing a framework's call to the guard")
        return process.unknown_call(call.tool)


def tool_around() -> Span | None:
    """The live span of a tool's call that this code runs in."""
    span = get_current_span()
    if not isinstance(span, Span) or not span.is_recording():
        return None
    return span if (span.attributes or {}).get(names.OPERATION) == EXECUTE_TOOL else None


def span_of(tool: str) -> Span | None:
    """The span that the framework itself began for this call."""
    around = tool_around()
    named = "" if around is None else str((around.attributes or {}).get(names.TOOL_NAME))
    return around if named and same_tool(named, tool) else None


class Running:
    """A call while it runs: its steps are in place while its own code runs, and end as it ends."""

    __slots__ = ("_call", "_is_recorded", "_passing", "_steps")

    def __init__(self, call: FrameworkCall, passing: Around | None) -> None:
        self._call = call
        self._passing = passing
        self._steps: list[Around] = [] if passing is None else [passing]
        self._is_recorded = False

    def enter(self) -> list[tuple[Around, Any]]:
        """Every step is in place."""
        before = [(step, step.enter()) for step in self._steps]
        if self._is_recorded:
            return before
        self._is_recorded = True
        recording = opened(self._call)  # now: its span says how the call came through the gate
        if recording is not None:
            self._steps.append(recording)
            before.append((recording, recording.enter()))
        return before

    def leave(self, before: list[tuple[Around, Any]]) -> None:
        """As it was before."""
        del self
        for step, own in reversed(before):
            step.leave(own)

    def over(self, result: Any) -> Any:
        """The call has returned: what the framework gets. A stream in it is a part of the call."""
        form = self._call.form
        stream = form.stream_in(result)
        if stream is None:
            self.returned(result)
            return self.handed_on(result)
        return form.with_stream(result, self._lasting(stream))

    def returned(self, result: Any) -> None:
        """Everything ends with this result, or with these items of a stream."""
        for step in reversed(self._steps):
            step.returned(result)

    def raised(self, error: BaseException) -> None:
        """Everything ends with this error."""
        for step in reversed(self._steps):
            step.raised(error)

    def abandoned(self, items: list[Any]) -> None:
        """A stream was closed early: it did what it did until then."""
        self.returned(items)

    def handed_on(self, result: Any) -> Any:
        """What the framework gets: the result, with what a gate tells the model."""
        return result if self._passing is None else self._passing.handed_on(result)

    def _lasting(self, stream: Any) -> Any:
        """The same generator, at whose end the call ends."""

        async def opening(_args: Any, _kwargs: Any) -> Around:
            return self

        if inspect.isasyncgen(stream):
            return wrap_async_generator(lambda: stream, opening)()
        return wrap_generator(lambda: stream, lambda _args, _kwargs: self)()


class Recording:
    """The record of a call: on the framework's own span, or on one of ours that ends with it."""

    __slots__ = ("_form", "_own", "_span")

    def __init__(self, span: Any, own: Step | None, form: Form) -> None:
        self._span, self._own, self._form = span, own, form

    def enter(self) -> Any:
        """Our span is current."""
        return None if self._own is None else self._own.enter()

    def leave(self, before: Any) -> None:
        """As it was before."""
        if self._own is not None:
            self._own.leave(before)

    def returned(self, result: Any) -> None:
        """Describe what came back, as the model is shown it."""
        self._end(
            lambda: set_result(self._span, self._form.shown(result), failed=self._fails(result))
        )

    def raised(self, error: BaseException) -> None:
        """Describe what was raised, unless it only waits for somebody."""
        if self._form.is_pause(error):
            self._end(lambda: None)
        elif self._own is not None:
            self._own.raised(error)
        else:
            set_error(self._span, error)

    def handed_on(self, result: Any) -> Any:
        """The result as it is."""
        del self
        return result

    def abandoned(self, items: list[Any]) -> None:
        """Frameworks collect what a tool yields themselves."""
        self.returned(items)

    def _fails(self, result: Any) -> bool:
        return self._form.has_failed(result)

    def _end(self, describe: Callable[[], None]) -> None:
        if self._own is not None:
            self._own.end(describe)
            return
        try:
            describe()
        except Exception:  # noqa: BLE001 (ours)
            record_failure("describing how a call ended")


def opened(call: FrameworkCall) -> Around | None:
    """Begin to record a call; None where that happens elsewhere. Raises nothing."""
    if call.is_recorded:
        return None
    try:
        arguments = {key: plain(value) for key, value in call.arguments().items()}
        rules = settings.policy()
        expected = ExpectedCall(call.tool, lambda: describe_call(call.tool, arguments, rules))
        if (span := span_of(call.tool)) is not None:
            if names.ARGUMENTS_DIGEST not in (span.attributes or {}):
                PENDING.defer(span, expected.describe)
            span.set_attributes(passing_attributes(call.tool))
            return Recording(span, None, call.form)
        if tool_around() is not None:
            return None
        context = implicit_run.context_for_step()
        if context is None and not get_current_span().is_recording():
            return None
        call_id = join(call)
        more: Attributes = {} if call_id is None else {names.TOOL_CALL_ID: call_id}
        own = open_tool(expected, arguments, context, more=more)
        return None if own is None else Recording(own.span, own, call.form)
    except Exception:  # noqa: BLE001 (ours: the call runs unrecorded)
        record_failure("recording a framework's call")
        return None
