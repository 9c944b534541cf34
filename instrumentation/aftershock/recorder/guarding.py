"""Guarding: what tools of this process pass before they run. One comparison where no gate is on."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import format_span_id

from aftershock import attributes as names
from aftershock.model import Decision, Fact, Outcome, Tokens
from aftershock.policy.admission import Mode
from aftershock.recorder import implicit_run, settings
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.implicit_run import place_of
from aftershock.recorder.invocation_metrics import INFERENCES
from aftershock.recorder.pending_spans import EXPECTED, PENDING, ExpectedCall
from aftershock.recorder.tool_calls import Attributes, describe_call, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan

    from aftershock.gate.decide import Call
    from aftershock.guard.passage import Passage
    from aftershock.policy.policy import Policy
    from aftershock.recorder.process_gate import ProcessGate

HELD_BACK = "held_back"  # error.type of a call that did not run

tracer = trace.get_tracer("aftershock")

# The call of a tool as its guard sees it, with the policy to judge it by.
Describe = Callable[[tuple[Any, ...], dict[str, Any]], "tuple[Call, Policy]"]

# How the call that runs now came through the gate; read by the span that stands for it.
PASSING: ContextVar[Passage | None] = ContextVar("aftershock_passing", default=None)

_gate: ProcessGate | None = None
_found = False


def gate() -> ProcessGate | None:
    """The gate of this process. None: its policy does not want one."""
    global _gate, _found  # noqa: PLW0603 (one process, one gate)
    if not _found:
        _found = True
        try:
            if settings.policy().gate.mode is not Mode.OFF:
                # The rules and the channel: only a process with a gate pays for their import.
                from aftershock.recorder.process_gate import ProcessGate  # noqa: PLC0415

                _gate = ProcessGate()
        except Exception:  # noqa: BLE001 (ours: a broken installation must not stop the app)
            record_failure("making the gate")
    return _gate


def forget() -> None:
    """Read the policy again at the next call."""
    global _gate, _found
    _gate, _found = None, False


def passing_attributes(tool: str) -> dict[str, Any]:
    """What the span of the tool that begins now says of the gate."""
    passage = PASSING.get()
    if passage is None or passage.call.tool != tool or _gate is None:
        return {}
    return _gate.attributes_of(passage)


def is_nested(tool: str) -> bool:
    """True inside a call of the same tool that passed the gate: a framework's around a function."""
    passage = PASSING.get()
    return passage is not None and passage.call.tool == tool


def record_held_back(passage: Passage) -> None:
    """A span, which begins and ends at once, of a call that did not run. Raises nothing."""
    token = PASSING.set(passage)
    try:
        call = passage.call
        context = implicit_run.context_for_step()
        arguments = {key: plain(value) for key, value in call.arguments.items()}
        found: dict[str, Any] = {
            names.OPERATION: "execute_tool",
            names.TOOL_NAME: call.tool,
            names.ERROR_TYPE: HELD_BACK,
            names.RESULT_OUTCOME: str(Outcome.FAILED),
            names.ERROR_CLASS: HELD_BACK,
            **passing_attributes(call.tool),
        }
        targets: Attributes = {names.ACTION_TARGETS: call.targets} if call.targets else {}
        rules = settings.policy()
        expected = ExpectedCall(
            call.tool, lambda: describe_call(call.tool, arguments, rules) | targets
        )
        claimed = EXPECTED.set(expected)
        try:
            span = tracer.start_span(f"execute_tool {call.tool}", context, attributes=found)
        finally:
            EXPECTED.reset(claimed)
        if expected.span is None and span.is_recording():  # a provider without our tracking
            PENDING.defer(span, expected.describe)
        span.end()
    except Exception:  # noqa: BLE001 (ours)
        record_failure("recording a call that was held back")
    finally:
        PASSING.reset(token)


def learn_fact(context: Context | None, found: Mapping[str, Any]) -> None:
    """The app recorded a fact that the agent was shown, as this event."""
    if _gate is None:
        return
    from aftershock.guard.ledger import fact_step  # noqa: PLC0415 (imported by the gate already)

    run_id, agent, span_id = place_of(context)
    fact = Fact(
        str(found[names.FACT_KIND]),
        str(found[names.FACT_SUBJECT]),
        str(found[names.FACT_SOURCE]),
        time.time_ns(),
        Outcome(found[names.FACT_OUTCOME]),
        span_id,
    )
    _gate.learn(run_id, agent, fact_step(run_id, fact))


def learn_span(span: ReadableSpan) -> None:
    """A span ended: an inference used tokens, or a decision was recorded."""
    if _gate is None:
        return
    from aftershock.guard.ledger import decision_step, inference_step  # noqa: PLC0415

    own = span.attributes or {}
    context = span.get_span_context()
    assert context is not None
    run_id, span_id = str(own.get(names.RUN_ID) or ""), format_span_id(context.span_id)
    agent = own.get(names.AGENT_NAME)
    at_ns = span.end_time or time.time_ns()
    operation = own.get(names.OPERATION)
    if operation in INFERENCES:
        sent, returned = own.get(names.INPUT_TOKENS), own.get(names.OUTPUT_TOKENS)
        tokens = Tokens(
            sent if isinstance(sent, int) else 0, returned if isinstance(returned, int) else 0
        )
        model = str(own.get(names.REQUEST_MODEL) or own.get(names.RESPONSE_MODEL) or "")
        step = inference_step(run_id, span_id, model, tokens, at_ns)
    elif operation == names.DECISION_OPERATION:
        chosen = own.get(names.DECISION_CHOSEN)
        decision = Decision("", None if chosen is None else str(chosen))
        step = decision_step(run_id, span_id, decision, at_ns)
    else:
        return
    _gate.learn(run_id, None if agent is None else str(agent), step)


def guarded(
    function: Callable[..., Any],
    recorded: Callable[..., Any],
    tool: str,
    describe: Describe,
) -> Callable[..., Any]:
    """A recorded function behind the gate; sync, async, generator or async generator.

    `describe` gives a call and the policy to judge it by.
    """
    describe = never_failing(tool, describe)
    if inspect.isasyncgenfunction(function):
        return guarded_async_generator(recorded, tool, describe)
    if inspect.isgeneratorfunction(function):
        return guarded_generator(recorded, tool, describe)
    if inspect.iscoroutinefunction(function):
        return guarded_coroutine(recorded, tool, describe)
    return guarded_plain(recorded, tool, describe)


def guarded_plain(
    recorded: Callable[..., Any], tool: str, describe: Describe
) -> Callable[..., Any]:
    """A function behind the gate."""

    @wraps(recorded)
    def call(*args: Any, **kwargs: Any) -> Any:
        process = gate()
        if process is None or is_nested(tool):
            return recorded(*args, **kwargs)
        passage = process.enter(*describe(args, kwargs))
        if not passage.passes:
            record_held_back(passage)
            return process.answer_for(passage)
        began_ns, token = time.time_ns(), PASSING.set(passage)
        try:
            result = recorded(*args, **kwargs)
        except BaseException as error:
            process.raised(passage, began_ns, error)
            raise
        finally:
            PASSING.reset(token)
        process.returned(passage, began_ns, result)
        return result

    return call


def guarded_coroutine(
    recorded: Callable[..., Any], tool: str, describe: Describe
) -> Callable[..., Any]:
    """An async function behind the gate."""

    @wraps(recorded)
    async def call(*args: Any, **kwargs: Any) -> Any:
        process = gate()
        if process is None or is_nested(tool):
            return await recorded(*args, **kwargs)
        passage = await process.enter_async(*describe(args, kwargs))
        if not passage.passes:
            record_held_back(passage)
            return process.answer_for(passage)
        began_ns, token = time.time_ns(), PASSING.set(passage)
        try:
            result = await recorded(*args, **kwargs)
        except BaseException as error:
            process.raised(passage, began_ns, error)
            raise
        finally:
            PASSING.reset(token)
        process.returned(passage, began_ns, result)
        return result

    return call


def guarded_generator(
    recorded: Callable[..., Any], tool: str, describe: Describe
) -> Callable[..., Any]:
    """A generator behind the gate, which it passes when its first item is asked for."""

    @wraps(recorded)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        process = gate()
        if process is None or is_nested(tool):
            unguarded: Generator[Any, Any, Any] = recorded(*args, **kwargs)
            return (yield from unguarded)
        passage = process.enter(*describe(args, kwargs))
        if not passage.passes:
            record_held_back(passage)
            answer = process.answer_for(passage)
            yield answer
            return answer
        began_ns = time.time_ns()
        body: Generator[Any, Any, Any] = recorded(*args, **kwargs)
        try:
            result = yield from body
        except Exception as error:
            process.raised(passage, began_ns, error)
            raise
        process.returned(passage, began_ns, result)
        return result

    return call


def guarded_async_generator(  # noqa: C901 (as long as what a generator can do)
    recorded: Callable[..., Any], tool: str, describe: Describe
) -> Callable[..., Any]:
    """The same for async generators."""

    @wraps(recorded)
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        process, passage = gate(), None
        if process is not None and not is_nested(tool):
            passage = await process.enter_async(*describe(args, kwargs))
            if not passage.passes:
                record_held_back(passage)
                yield process.answer_for(passage)
                return
        began_ns = time.time_ns()
        body: AsyncGenerator[Any, Any] = recorded(*args, **kwargs)
        resume: Callable[[Any], Any] = body.asend
        value: Any = None
        while True:
            try:
                item = await resume(value)
            except StopAsyncIteration:
                break
            except BaseException as error:
                if process is not None and passage is not None:
                    process.raised(passage, began_ns, error)
                raise
            try:
                resume, value = body.asend, (yield item)
            except GeneratorExit:
                await body.aclose()
                raise
            except BaseException as thrown:  # noqa: BLE001 (it is thrown into the body)
                resume, value = body.athrow, thrown
        if process is not None and passage is not None:
            process.returned(passage, began_ns, None)

    return call


def never_failing(tool: str, describe: Describe) -> Describe:
    """A description that, where it fails, is of a call whose arguments nobody knows.

    The gates of its name hold all the same, and an approval covers that one call only.
    """

    def described(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Call, Policy]:
        try:
            return describe(args, kwargs)
        except Exception:  # noqa: BLE001 (ours)
            record_failure("describing a call to the guard")
            assert _gate is not None, "only a gate asks for calls"
            return _gate.unknown_call(tool), settings.policy()

    return described
