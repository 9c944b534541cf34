"""Amazon's client: where requests to models of Bedrock are seen.

Loaded wherever `botocore` is imported, so it imports nothing itself until such a request is made.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.wrapping import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aftershock.recorder.model_requests import Call, Events

OPERATIONS = frozenset({"Converse", "ConverseStream"})


def wrap_functions(module: str) -> None:
    """Wrap how clients make requests. Once."""
    replace(module, "BaseClient._make_api_call", wrapped)


def wrapped(make: Any) -> Any:
    """`client._make_api_call(operation, parameters)`, as an inference where it is one."""

    @wraps(make)
    def recorded(client: Any, operation_name: str, api_params: Any) -> Any:
        call = (
            None if operation_name not in OPERATIONS else begun(client, operation_name, api_params)
        )
        if call is None:
            return make(client, operation_name, api_params)
        with call:
            answer = make(client, operation_name, api_params)
        return passed_on(call, answer)

    return recorded


def begun(client: Any, operation: str, parameters: Any) -> Call | None:
    """Begin the inference that a request is. None: it is none. Raises nothing."""
    try:
        from aftershock.recorder.model_requests import begin_converse  # noqa: PLC0415 (as said)

        return begin_converse(operation, parameters, client.meta.endpoint_url)
    except Exception:  # noqa: BLE001 (ours: the request goes out unrecorded)
        record_failure("reading a request to a model")
        return None


def passed_on(call: Call, answer: Any) -> Any:
    """The answer as the app gets it; a streamed one is read as it passes."""
    if "stream" in answer:
        answer["stream"] = PassingEvents(answer["stream"], call.events())
    else:
        call.ended_with(answer)
    return answer


class PassingEvents:
    """The events of a streamed answer, on their way to the app."""

    def __init__(self, stream: Any, events: Events) -> None:
        self._stream, self._events = stream, events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            for event in self._stream:
                self._events.add(event)
                yield event
        except Exception as error:
            self._events.end(error)
            raise
        finally:  # the app may also want no more of it
            self._events.end()

    def close(self) -> None:
        """The app wants no more of it."""
        self._events.end()
        self._stream.close()
