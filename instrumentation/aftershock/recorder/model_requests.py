"""Requests to models: inferences of libraries that no instrumentation stands for.

A request whose path and body are those of a model's API is an inference, unless the span of one is
around it already. Its answer is read as it passes, whole or streamed, and is never waited for.
Imported at the first request that may be one; `http_clients.py` sees them.
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from opentelemetry.context import attach, detach
from opentelemetry.trace import get_current_span
from opentelemetry.util.genai.completion_hook import load_completion_hook
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.types import Error

from aftershock.attributes import OPERATION
from aftershock.recorder import implicit_run
from aftershock.recorder.activation import activate
from aftershock.recorder.anthropic_api import MESSAGES
from aftershock.recorder.bedrock_api import CONVERSE
from aftershock.recorder.drop_counters import count_drop, record_failure
from aftershock.recorder.gemini_api import GEMINI
from aftershock.recorder.invocation_metrics import INFERENCES
from aftershock.recorder.model_apis import as_list, given_ids
from aftershock.recorder.model_paths import ENDS
from aftershock.recorder.openai_apis import CHAT, RESPONSES
from aftershock.version import VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from aftershock.recorder.model_apis import Api, Request

# The end of a URL's path → its API.
APIS: dict[str, Api] = dict(zip(ENDS, (CHAT, RESPONSES, MESSAGES, GEMINI, GEMINI), strict=True))
BODY_BYTES_MAX = 16_000_000  # of a request or an answer that is read: a full window with pictures
EVENTS_MAX = 200_000  # of a streamed answer that is read: some for each of its tokens
WINDOW_BITS = zlib.MAX_WBITS | 32  # zlib finds out itself whether it is gzip or deflate
MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError)


def begin(sent: Any) -> Call | None:
    """Begin the inference that a request is. None: it is none. `sent`: as its client holds it."""
    request = None if is_inside_inference() else request_of(sent)
    return None if request is None else begun(request, sent.url.host, sent.url.port)


def begin_converse(operation: str, parameters: Any, endpoint: str) -> Call | None:
    """Begin the inference that an operation of Bedrock's client is. None: it is none."""
    if is_inside_inference():
        return None
    try:
        request = CONVERSE.request(CONVERSE, operation, parameters)
    except MALFORMED:
        return None
    url = urlsplit(endpoint)
    return begun(request, url.hostname, url.port)


def is_inside_inference() -> bool:
    """Whether the span of an inference is around this already."""
    above: Any = getattr(get_current_span(), "attributes", None) or {}
    return above.get(OPERATION) in INFERENCES


def begun(request: Request, host: str | None, port: int | None) -> Call:
    """An inference that has begun, in its run."""
    activate()
    implicit_run.frame_bare_steps()
    implicit_run.resume(given_ids(request))
    return Call(request, host, port)


def request_of(sent: Any) -> Request | None:
    """What a model is asked; None for the body of something else."""
    path = sent.url.path
    try:
        content: bytes = sent.content
    except Exception:  # noqa: BLE001 (a body that is streamed; each library has its own error)
        return None
    if len(content) > BODY_BYTES_MAX:
        count_drop("model_request_too_large")
        return None
    api = next((api for end, api in APIS.items() if path.endswith(end)), None)
    try:
        return None if api is None else api.request(api, path, json.loads(content))
    except MALFORMED:
        return None


@cache
def handler() -> TelemetryHandler:
    """What begins the spans; made once there is an agent, and a provider with it."""
    return TelemetryHandler(
        completion_hook=load_completion_hook(),
        instrumentation_scope_name="aftershock.model_requests",
        instrumentation_scope_version=VERSION,
    )


class Call:
    """One inference on its way. Its methods raise nothing."""

    def __init__(self, request: Request, host: str | None, port: int | None) -> None:
        self._request = request
        self._invocation = handler().inference(
            request.api.provider,
            request_model=request.model,
            server_address=host,
            server_port=port,
            operation_name=request.api.operation,
            _attach_to_context=False,
        )
        self._invocation.input_messages = request.messages
        self._invocation.system_instruction = request.instructions
        self._invocation.request_stream = request.streams or None

    def __enter__(self) -> Self:
        self._token = attach(self._invocation.context)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        detach(self._token)
        if error is not None:
            self.failed(error)

    def failed(self, error: BaseException) -> None:
        """No answer came, or not all of it."""
        try:
            self._invocation.fail(error)
        except Exception:  # noqa: BLE001 (ours)
            record_failure("ending an inference")

    def responded(self, response: Any, streams: Any) -> None:
        """The head of the answer is there: read the rest now, or as it passes."""
        try:
            if response.status_code >= 400:
                self._invocation.fail(Error(None, str(response.status_code)))
            elif response.is_stream_consumed:
                self.ended(response.content, "")
            else:
                encoding = str(response.headers.get("content-encoding") or "")
                response.stream = streams(response.stream, self, encoding)
        except Exception:  # noqa: BLE001 (ours)
            record_failure("reading the answer of a model")

    def ended(self, content: bytes, encoding: str) -> None:
        """The answer is there."""
        self.ended_from(lambda: answered(decoded(content, encoding), self._request.api))

    def ended_with(self, body: Any) -> None:
        """The answer is there, and its client has parsed it."""
        self.ended_from(lambda: body)

    def events(self) -> Events:
        """What collects the events of an answer that its client parses."""
        return Events(self, self._request.api)

    def ended_from(self, read: Callable[[], Any]) -> None:
        """The answer is there; `read` returns its body, or raises one of MALFORMED."""
        try:
            self._describe(read())
        except MALFORMED:
            count_drop("model_answer_unreadable")
        except Exception:  # noqa: BLE001 (ours)
            record_failure("reading the answer of a model")
        try:
            self._invocation.stop()
        except Exception:  # noqa: BLE001 (ours)
            record_failure("ending an inference")

    def _describe(self, body: Any) -> None:
        answer = self._request.api.answer(self._request, body)
        found = self._invocation
        found.output_messages = answer.messages
        found.response_id, found.response_model_name = answer.id, answer.model
        found.finish_reasons = list(answer.finish_reasons)
        found.input_tokens, found.output_tokens = answer.sent, answer.returned
        found.cache_read_input_tokens = answer.cached
        found.cache_write_input_tokens = answer.written
        found.thinking_tokens = answer.reasoned


def decoded(content: bytes, encoding: str) -> bytes:
    """The body of an answer without what packs it."""
    if encoding not in {"gzip", "deflate"}:
        return content
    return zlib.decompressobj(WINDOW_BITS).decompress(content, BODY_BYTES_MAX)


def answered(content: bytes, api: Api) -> Any:
    """The body of an answer, streamed or not. Raises ValueError where it is none."""
    text = content.decode()
    if not text.lstrip().startswith(("{", "[")):
        lines = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
        return api.joined([json.loads(line) for line in lines if line.startswith("{")])
    body: Any = json.loads(text)
    return api.joined(as_list(body)) if isinstance(body, list) else body


class Events:
    """The events of a streamed answer that have passed, as its client parses them."""

    def __init__(self, call: Call, api: Api) -> None:
        self._call, self._api = call, api
        self._passed: list[Any] = []
        self._over = False

    def add(self, event: Any) -> None:
        """One more has passed."""
        if len(self._passed) < EVENTS_MAX:
            self._passed.append(event)

    def end(self, error: BaseException | None = None) -> None:
        """No more will come. Once."""
        if self._over:
            return
        self._over = True
        if error is None:
            self._call.ended_from(lambda: self._api.joined(self._passed))
        else:
            self._call.failed(error)


class Passing:
    """What has passed of a streamed answer."""

    def __init__(self, stream: Any, call: Call, encoding: str) -> None:
        self._stream, self._call, self._encoding = stream, call, encoding
        self._chunks: list[bytes] = []
        self._size = 0
        self._over = False

    def _pass(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size <= BODY_BYTES_MAX:
            self._chunks.append(chunk)

    def _end(self, error: BaseException | None = None) -> None:
        if self._over:
            return
        self._over = True
        if error is None:
            self._call.ended(b"".join(self._chunks), self._encoding)
        else:
            self._call.failed(error)


class PassingStream(Passing):
    """The stream of an answer to a client that blocks."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._stream:
                self._pass(chunk)
                yield chunk
        except Exception as error:
            self._end(error)
            raise
        self._end()

    def close(self) -> None:
        """The app wants no more of it."""
        self._end()
        self._stream.close()


class AsyncPassingStream(Passing):
    """The stream of an answer to a client in an event loop."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                self._pass(chunk)
                yield chunk
        except Exception as error:
            self._end(error)
            raise
        self._end()

    async def aclose(self) -> None:
        """The app wants no more of it."""
        self._end()
        await self._stream.aclose()
