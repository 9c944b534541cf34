"""Runs of OpenAI's SDK that go on in another thread or task than they began in.

Its instrumentation begins an inference before it reads the messages, so they are read here first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import wrapt

from aftershock.fingerprints.shown import field_of
from aftershock.recorder import implicit_run
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.model_apis import as_list

if TYPE_CHECKING:
    from collections.abc import Iterator

CHAT = "openai.resources.chat.completions"
RESPONSES = "openai.resources.responses.responses"
METHODS = (
    (CHAT, "Completions"),
    (CHAT, "AsyncCompletions"),
    (RESPONSES, "Responses"),
    (RESPONSES, "AsyncResponses"),
)


def join_runs() -> None:
    """Wrap the methods that ask a model. Once, after they are instrumented."""
    for module, name in METHODS:
        wrapper = resumed_async if name.startswith("Async") else resumed
        for method in ("create", "parse"):
            wrapt.wrap_function_wrapper(module, f"{name}.{method}", wrapper)


def resumed(wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A request, made in the run whose results it brings."""
    resume(kwargs)
    return wrapped(*args, **kwargs)


async def resumed_async(
    wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """The same in an event loop."""
    resume(kwargs)
    return await wrapped(*args, **kwargs)


def resume(request: dict[str, Any]) -> None:
    """Go on with the run whose results a request brings. Raises nothing."""
    try:
        implicit_run.resume(given_ids(request))
    except Exception:  # noqa: BLE001 (ours: it is taken for the begin of a run)
        record_failure("joining a request to its run")


def given_ids(request: dict[str, Any]) -> Iterator[str]:
    """Ids of the calls whose results are the newest messages of a request."""
    given: Any = request.get("messages") or request.get("input")
    for message in reversed(as_list(given)):
        call_id = field_of(message, "tool_call_id")
        if str(field_of(message, "type") or "").endswith("call_output"):
            call_id = field_of(message, "call_id")
        if not call_id:
            return
        yield str(call_id)
