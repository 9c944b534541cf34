"""Tools of the OpenAI Agents SDK, recorded and behind the gate, whoever calls them.

A tool is a data class that holds the function to call. Reading that field gives the function behind
the gate, so that no internal of the runners is touched, and tools made before count as well.
"""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from inspect import isawaitable
from typing import Any, cast

import wrapt

from aftershock.gate import any_json
from aftershock.recorder.framework_calls import FrameworkCall, run_async

MODULE = "agents.tool"
# Class → the field with the function that is called, and the tool's name where it has none.
FIELDS = {
    "FunctionTool": "on_invoke_tool",
    "CustomTool": "on_invoke_tool",
    "LocalShellTool": "executor",
    "ShellTool": "executor",
}
ArgumentsOf = Callable[[tuple[Any, ...], Mapping[str, Any]], Mapping[str, Any]]


def guard_tools() -> None:
    """Guard every class of tools that this version has, once."""
    import agents.tool as theirs  # noqa: PLC0415 (it was imported just now)

    for name, field in FIELDS.items():
        kind: Any = getattr(theirs, name, None)
        if kind is not None and not isinstance(kind.__dict__.get(field), GuardedField):
            setattr(kind, field, GuardedField(field, shell if field == "executor" else function))


class GuardedField:
    """A field of a tool: what was put into it comes out behind the gate."""

    def __init__(self, name: str, arguments_of: ArgumentsOf) -> None:
        self._name = name
        self._kept = f"_aftershock_{name}"
        self._arguments_of = arguments_of

    def __get__(self, tool: Any, kind: type | None = None) -> Any:
        """The function behind the gate; the same object each time, as the field itself has it."""
        if tool is None:
            raise AttributeError(self._name)  # as of a field without a default
        try:
            held: Any = tool.__dict__[self._name]
        except KeyError:
            raise AttributeError(self._name) from None
        if held is None:  # a shell that runs elsewhere has no function here
            return None
        kept: tuple[weakref.ref[Any], Any, Any] | None = tool.__dict__.get(self._kept)
        if kept is not None and kept[0]() is tool and kept[1] is held:
            return kept[2]
        guarded: Any = wrapt.FunctionWrapper(held, partial(self._call, weakref.ref(tool)))
        guarded._self_inner = held  # noqa: SLF001 (where wrapt keeps what is the wrapper's own)
        tool.__dict__[self._kept] = weakref.ref(tool), held, guarded
        return guarded

    def __set__(self, tool: Any, value: Any) -> None:
        """Keep what is put in, without our own wrapping of it."""
        tool.__dict__[self._name] = getattr(value, "_self_inner", value)

    def _call(
        self,
        tool: weakref.ref[Any],
        wrapped: Any,
        _instance: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Awaitable[Any]:
        named = str(getattr(tool(), "name", "unknown"))
        call_id: Any = getattr(args[0], "tool_call_id", None) if args else None
        call = FrameworkCall(
            named,
            partial(self._arguments_of, args, kwargs),
            call_id=call_id if isinstance(call_id, str) else None,
        )
        return run_async(call, partial(awaited, wrapped, args, kwargs))


async def awaited(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """What a function returns that may be async."""
    result = function(*args, **kwargs)
    return await result if isawaitable(result) else result


def function(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments of `on_invoke_tool(context, input)`, whose input is JSON or a plain text."""
    given: Any = args[1] if len(args) > 1 else kwargs.get("input")
    try:
        parsed: Any = any_json.loads(given) if given else {}
    except (ValueError, TypeError):
        parsed = given
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {"input": parsed}


def shell(args: tuple[Any, ...], _kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The commands of `executor(request)`, as the shell would read them."""
    action: Any = args[0].data.action
    listed: Any = getattr(action, "commands", None)
    if listed is None:  # one command, as a list of words
        import shlex  # noqa: PLC0415 (only where this old tool is used)

        return {"command": shlex.join(map(str, action.command))}
    return {"command": "\n".join(map(str, listed))}
