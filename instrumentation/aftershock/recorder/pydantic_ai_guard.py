"""Tools of pydantic-ai, recorded and behind the gate, of whichever toolset they are."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import wrapt

from aftershock.recorder.framework_calls import FrameworkCall, run_async
from aftershock.recorder.guarded_calls import Form, with_text

MODULE = "pydantic_ai.tool_manager"
PAUSES = frozenset({"CallDeferred", "ApprovalRequired"})  # raised to wait for somebody
OUTPUT = "output"  # the kind of the tools by which a model gives its answer: nothing runs


def guard_tools() -> None:
    """Wrap the one place that calls tools, once."""
    from pydantic_ai.tool_manager import ToolManager  # noqa: PLC0415 (it was imported just now)

    if not hasattr(ToolManager.__dict__["_raw_execute"], "__wrapped__"):
        wrapt.wrap_function_wrapper(MODULE, "ToolManager._raw_execute", guarded_execute)


async def guarded_execute(
    wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """The call of a validated tool behind the gate; what was refused is its result."""
    validated: Any = args[0] if args else kwargs["validated"]
    make = partial(wrapped, *args, **kwargs)
    if validated.tool.tool_def.kind == OUTPUT:
        return await make()
    call = FrameworkCall(
        str(validated.call.tool_name),
        lambda: validated.validated_args or {},
        FORM,
        call_id=validated.call.tool_call_id,
    )
    return await run_async(call, make)


def is_pause(error: BaseException) -> bool:
    """The run waits for a person or another process; that is not a failure of the tool."""
    return type(error).__name__ in PAUSES


def shown(result: Any) -> Any:
    """What the model is shown: a `ToolReturn` carries more."""
    return result.return_value if type(result).__name__ == "ToolReturn" else result


def with_notice(result: Any, notice: str) -> Any:
    """A text, or a `ToolReturn` of one, with a notice at its end. None: it is neither."""
    text = with_text(shown(result), notice)
    if text is None or isinstance(result, str):
        return text
    return dataclasses.replace(result, return_value=text)


FORM = Form(shown=shown, is_pause=is_pause, with_notice=with_notice)
