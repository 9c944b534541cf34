"""Tools that an MCP client calls, recorded and behind the gate; a refusal is an error result.

`Client.call_tool`, groups of sessions and the MCP tools of agent frameworks all end in
`ClientSession.call_tool`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import wrapt

from aftershock.recorder.framework_calls import FrameworkCall, run_async
from aftershock.recorder.guarded_calls import Form

MODULE = "mcp.client.session"


def guard_tools() -> None:
    """Wrap how sessions call tools, once."""
    from mcp.client.session import ClientSession  # noqa: PLC0415 (it was imported just now)

    if not hasattr(ClientSession.call_tool, "__wrapped__"):
        wrapt.wrap_function_wrapper(MODULE, "ClientSession.call_tool", guarded_call)


async def guarded_call(
    wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """`call_tool(name, arguments, …)` behind the gate."""
    name: Any = args[0] if args else kwargs.get("name")
    given: Any = args[1] if len(args) > 1 else kwargs.get("arguments")
    call = FrameworkCall(str(name), lambda: given or {}, FORM)
    return await run_async(call, partial(wrapped, *args, **kwargs))


def shown(result: Any) -> Any:
    """What the model is shown of a result: structured content, else its texts."""
    for name in ("structured_content", "structuredContent"):
        if (structured := getattr(result, name, None)) is not None:
            return structured
    texts = [getattr(part, "text", None) for part in getattr(result, "content", ())]
    return "\n".join(text for text in texts if isinstance(text, str))


def has_failed(result: Any) -> bool:
    """Whether the server reports a failure, in the SDK's first or second version."""
    return bool(getattr(result, "is_error", False) or getattr(result, "isError", False))


def refusal(text: str) -> Any:
    """An error result, as a server would send it."""
    from mcp.types import CallToolResult  # noqa: PLC0415 (theirs)

    body: Mapping[str, Any] = {"content": [{"type": "text", "text": text}], "isError": True}
    return CallToolResult.model_validate(body)


def with_notice(result: Any, notice: str) -> Any:
    """A result with one more text beside what the server sent."""
    from mcp.types import TextContent  # noqa: PLC0415 (theirs)

    added = TextContent(type="text", text=notice)
    return result.model_copy(update={"content": [*result.content, added]})


FORM = Form(refusal, shown, has_failed, with_notice=with_notice)
