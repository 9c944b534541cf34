"""LangChain's tools: arguments before they run, results before their span ends.

The official instrumentation makes the span. Its callbacks see arguments and result only with
content capture on, so the callback managers around it are wrapped, which every tool runs through.
"""

from __future__ import annotations

from typing import Any

import wrapt

from aftershock.recorder import paused_runs
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.pending_spans import EXPECTED, ExpectedCall
from aftershock.recorder.settings import policy
from aftershock.recorder.tool_calls import (
    describe_call,
    plain,
    set_error,
    set_result,
)

MODULE = "langchain_core.callbacks.manager"
CALL = "_aftershock_call"  # where a run manager keeps its call: as long-lived as the call itself

_wrapped = False


def wrap_tools() -> None:
    """Wrap the callback managers, once."""
    global _wrapped  # noqa: PLW0603 (one process, one wrapping)
    if _wrapped:
        return
    _wrapped = True
    for place, wrapper in (
        ("CallbackManager.on_tool_start", begin),
        ("AsyncCallbackManager.on_tool_start", begin_async),
        ("CallbackManagerForToolRun.on_tool_end", end),
        ("AsyncCallbackManagerForToolRun.on_tool_end", end),
        ("CallbackManagerForToolRun.on_tool_error", fail),
        ("AsyncCallbackManagerForToolRun.on_tool_error", fail),
    ):
        wrapt.wrap_function_wrapper(MODULE, place, wrapper)


def expected(args: tuple[Any, ...], kwargs: dict[str, Any]) -> ExpectedCall | None:
    """The call that `on_tool_start(serialized, input_str, …, inputs=…)` is about."""
    try:
        serialized: dict[str, Any] = (args[0] if args else kwargs.get("serialized")) or {}
        text: Any = args[1] if len(args) > 1 else kwargs.get("input_str")
        tool = str(serialized.get("name") or "unknown")
        inputs = kwargs.get("inputs")
        arguments = plain(text if inputs is None else inputs)
        return ExpectedCall(tool, lambda: describe_call(tool, arguments, policy()))
    except Exception:  # noqa: BLE001 (ours: the tool runs undescribed)
        record_failure("describing a LangChain tool call")
        return None


def begin(wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Announce a call to the span that is about to begin."""
    call = expected(args, kwargs)
    token = EXPECTED.set(call)
    try:
        manager = wrapped(*args, **kwargs)
    finally:
        EXPECTED.reset(token)
    keep(manager, call)
    return manager


async def begin_async(
    wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """The same, awaited."""
    call = expected(args, kwargs)
    token = EXPECTED.set(call)
    try:
        manager = await wrapped(*args, **kwargs)
    finally:
        EXPECTED.reset(token)
    keep(manager, call)
    return manager


def keep(manager: Any, call: ExpectedCall | None) -> None:
    """Let the run manager carry its call to the end."""
    if call is not None and call.span is not None:
        setattr(manager, CALL, call)


def end(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Describe what came back while the span is still open (works for the async one too)."""
    call: ExpectedCall | None = getattr(instance, CALL, None)
    if call is not None:
        output: Any = args[0] if args else kwargs.get("output")
        failed = getattr(output, "status", None) == "error"
        set_result(call.span, shown(output), failed=failed)
    return wrapped(*args, **kwargs)


def fail(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Describe what was raised while the span is still open."""
    call: ExpectedCall | None = getattr(instance, CALL, None)
    error: Any = args[0] if args else kwargs.get("error")
    if call is not None and isinstance(error, BaseException):
        if is_pause(error):
            paused_runs.pause(call.span)
        else:
            set_error(call.span, error)
    return wrapped(*args, **kwargs)


def shown(output: Any) -> Any:
    """What the model is shown of a result: a message's content; of a command, its update."""
    if hasattr(output, "content"):
        return output.content
    update = getattr(output, "update", None)
    return update if update is not None else output


def is_pause(error: BaseException) -> bool:
    """LangGraph waits for a person by raising; that is not a failure of the tool."""
    return any(kind.__name__ == "GraphBubbleUp" for kind in type(error).__mro__)
