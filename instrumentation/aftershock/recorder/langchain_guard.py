"""LangChain's and LangGraph's tools behind the gate; a held-back call is an error message."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import wrapt

from aftershock.recorder.framework_calls import FrameworkCall, run, run_async
from aftershock.recorder.guarded_calls import Form, with_text
from aftershock.recorder.langchain_tools import is_pause, shown

MODULE = "langchain_core.tools"

_wrapped = False


def guard_tools() -> None:
    """Wrap how tools are run, once."""
    global _wrapped  # noqa: PLW0603 (one process, one wrapping)
    if not _wrapped:
        _wrapped = True
        wrapt.wrap_function_wrapper(MODULE, "BaseTool.run", guarded_run)
        wrapt.wrap_function_wrapper(MODULE, "BaseTool.arun", guarded_arun)


def guarded_run(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`BaseTool.run` behind the gate."""
    return run(call_of(instance, args, kwargs), partial(wrapped, *args, **kwargs))


async def guarded_arun(
    wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """`BaseTool.arun` behind the gate."""
    return await run_async(call_of(instance, args, kwargs), partial(wrapped, *args, **kwargs))


def call_of(tool: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> FrameworkCall:
    """The call that `run(tool_input, …)` makes. Its span begins, and is described, inside it."""
    name = str(tool.name)
    form = Form(
        refusal=partial(refusal, name, kwargs.get("tool_call_id")),
        shown=shown,
        has_failed=lambda result: getattr(result, "status", None) == "error",
        is_pause=is_pause,
        with_notice=with_notice,
    )
    given: Any = args[0] if args else kwargs.get("tool_input")
    return FrameworkCall(name, partial(arguments_of, tool, given), form, is_recorded=True)


def arguments_of(tool: Any, given: Any) -> Mapping[str, Any]:
    """Arguments by name; what LangGraph injects is none of them."""
    if not isinstance(given, dict):
        return {"input": given}
    filter_injected: Any = getattr(tool, "_filter_injected_args", None)
    named = cast("dict[str, Any]", given)
    return named if filter_injected is None else filter_injected(named)


def with_notice(result: Any, notice: str) -> Any:
    """A message, or what becomes one, with a notice at its end. None: it holds no plain text."""
    content: Any = getattr(result, "content", result)
    text = with_text(content, notice)
    if text is None or content is result:
        return text
    return result.model_copy(update={"content": text})


def refusal(tool: str, call_id: str | None, text: str) -> Any:
    """What the model reads in place of a result, in the form that LangChain hands on."""
    if call_id is None:
        return text
    from langchain_core.messages import ToolMessage  # noqa: PLC0415 (theirs)

    return ToolMessage(text, tool_call_id=call_id, name=tool, status="error")
