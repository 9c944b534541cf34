"""HTTP clients: where requests to models are seen, whichever library makes them.

Loaded wherever such a client is imported, so it imports nothing itself until a request's path ends
like that of a model's API.
"""

from __future__ import annotations

from functools import partial, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.model_paths import ENDS

if TYPE_CHECKING:
    from aftershock.recorder.model_requests import Call


def wrap_functions(module: str) -> None:
    """Wrap how the clients of `httpx`, or of a copy of it, send requests. Once."""
    library: Any = import_module(module)
    if hasattr(library.Client.send, "__wrapped__"):
        return
    library.Client.send = wrapped(library.Client.send, partial(passing, library))
    library.AsyncClient.send = wrapped_async(
        library.AsyncClient.send, partial(passing_async, library)
    )


def wrapped(send: Any, streams: Any) -> Any:
    """`Client.send(request)`, as an inference where it is one."""

    @wraps(send)
    def recorded(client: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        call = begun(request)
        if call is None:
            return send(client, request, *args, **kwargs)
        with call:
            response = send(client, request, *args, **kwargs)
        call.responded(response, streams)
        return response

    return recorded


def wrapped_async(send: Any, streams: Any) -> Any:
    """The same of an `AsyncClient`."""

    @wraps(send)
    async def recorded(client: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        call = begun(request)
        if call is None:
            return await send(client, request, *args, **kwargs)
        with call:
            response = await send(client, request, *args, **kwargs)
        call.responded(response, streams)
        return response

    return recorded


def begun(request: Any) -> Call | None:
    """Begin the inference that a request is. None: it is none. Raises nothing."""
    try:
        if request.method != "POST" or not request.url.path.endswith(ENDS):
            return None
        from aftershock.recorder.model_requests import begin  # noqa: PLC0415 (only an agent pays)

        return begin(request)
    except Exception:  # noqa: BLE001 (ours: the request goes out unrecorded)
        record_failure("reading a request to a model")
        return None


def passing(library: Any, *given: Any) -> Any:
    """The stream of an answer, read as it passes."""
    from aftershock.recorder.model_requests import PassingStream  # noqa: PLC0415 (as above)

    return type("PassingStream", (PassingStream, library.SyncByteStream), {})(*given)


def passing_async(library: Any, *given: Any) -> Any:
    """The same in an event loop."""
    from aftershock.recorder.model_requests import AsyncPassingStream  # noqa: PLC0415 (as above)

    return type("AsyncPassingStream", (AsyncPassingStream, library.AsyncByteStream), {})(*given)
