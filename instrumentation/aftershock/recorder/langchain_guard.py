"""LangChain's and LangGraph's tools behind the gate; a held-back call is an error message."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import wrapt

from aftershock.recorder import settings
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.guarding import PASSING, gate, is_nested, record_held_back
from aftershock.recorder.langchain_tools import is_pause, shown

if TYPE_CHECKING:
    from aftershock.guard.passage import Passage
    from aftershock.recorder.process_gate import ProcessGate

MODULE = "langchain_core.tools"

_wrapped = False


def guard_tools() -> None:
    """Wrap how tools are run, once."""
    global _wrapped  # noqa: PLW0603 (one process, one wrapping)
    if not _wrapped:
        _wrapped = True
        wrapt.wrap_function_wrapper(MODULE, "BaseTool.run", run)
        wrapt.wrap_function_wrapper(MODULE, "BaseTool.arun", run_async)


def run(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`BaseTool.run` behind the gate."""
    process = gate()
    if process is None or is_nested(instance.name):
        return wrapped(*args, **kwargs)
    passage = process.enter(call_of(process, instance, args, kwargs), settings.policy())
    if not passage.passes:
        return held_back(process, passage, kwargs)
    began_ns, token = time.time_ns(), PASSING.set(passage)
    try:
        result = wrapped(*args, **kwargs)
    except BaseException as error:
        failed(process, passage, began_ns, error)
        raise
    finally:
        PASSING.reset(token)
    returned(process, passage, began_ns, result)
    return result


async def run_async(
    wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """`BaseTool.arun` behind the gate."""
    process = gate()
    if process is None or is_nested(instance.name):
        return await wrapped(*args, **kwargs)
    call = call_of(process, instance, args, kwargs)
    passage = await process.enter_async(call, settings.policy())
    if not passage.passes:
        return held_back(process, passage, kwargs)
    began_ns, token = time.time_ns(), PASSING.set(passage)
    try:
        result = await wrapped(*args, **kwargs)
    except BaseException as error:
        failed(process, passage, began_ns, error)
        raise
    finally:
        PASSING.reset(token)
    returned(process, passage, began_ns, result)
    return result


def call_of(
    process: ProcessGate, tool: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """The call that `run(tool_input, …)` makes; what LangGraph injects is no argument of it."""
    given: Any = args[0] if args else kwargs.get("tool_input")
    try:
        if isinstance(given, dict):
            filter_injected: Any = getattr(tool, "_filter_injected_args", None)
            named = cast("dict[str, Any]", given)
            named = named if filter_injected is None else filter_injected(named)
            return process.call_of(str(tool.name), named)
        return process.call_of(str(tool.name), {"input": given})
    except Exception:  # noqa: BLE001 (ours: the gates of its name hold all the same)
        record_failure("describing a LangChain call to the guard")
        return process.unknown_call(str(tool.name))


def held_back(process: ProcessGate, passage: Passage, kwargs: Mapping[str, Any]) -> Any:
    """What the model reads in place of a result, in the form that LangChain hands on."""
    record_held_back(passage)
    text = process.answer_for(passage)
    call_id: Any = kwargs.get("tool_call_id")
    if call_id is None:
        return text
    from langchain_core.messages import ToolMessage  # noqa: PLC0415 (theirs)

    name = passage.call.tool
    return ToolMessage(text, tool_call_id=call_id, name=name, status="error")


def returned(process: ProcessGate, passage: Passage, began_ns: int, result: Any) -> None:
    """Remember what came back, as the model is shown it."""
    is_error = getattr(result, "status", None) == "error"
    process.returned(passage, began_ns, shown(result), failed=is_error)


def failed(process: ProcessGate, passage: Passage, began_ns: int, error: BaseException) -> None:
    """Remember what was raised; LangGraph waits for a person by raising."""
    if not is_pause(error):
        process.raised(passage, began_ns, error)
