"""Requests to models and their answers as messages, whichever API they are written in.

Readers raise nothing for what a body holds, but KeyError, TypeError, ValueError, IndexError or
AttributeError for one that has another shape than those of its API.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from opentelemetry.util.genai.types import (
    OutputMessage,
    TextPart,
    ToolCallResponsePart,
)

from aftershock.gate import any_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(slots=True)
class Request:
    """What a model was asked. `messages` and `instructions` are OpenTelemetry's."""

    api: Api
    model: str
    streams: bool
    messages: list[Any]
    instructions: list[Any] = field(default_factory=list[Any])
    salt: str = ""  # for calls that the API gives no ids: what was said before them


@dataclass(slots=True)
class Answer:
    """What it answered. None: not reported."""

    parts: list[Any]
    id: str | None = None
    model: str | None = None
    finish_reasons: tuple[str, ...] = ()
    sent: int | None = None
    returned: int | None = None
    cached: int | None = None
    written: int | None = None  # to the cache
    reasoned: int | None = None

    @property
    def messages(self) -> list[Any]:
        """As OpenTelemetry's output messages."""
        return [OutputMessage("assistant", self.parts)]


class Api(NamedTuple):
    """How one API is read."""

    provider: str
    operation: str
    request: Callable[[Api, str, Any], Request]
    answer: Callable[[Request, Any], Answer]
    joined: Callable[[Iterable[Any]], Any]  # the events of a stream, as the body of an answer


def given_ids(request: Request) -> list[str]:
    """Ids of the calls whose results this request brings for the first time."""
    found: list[str] = []
    for message in reversed(request.messages):
        results = [part for part in message.parts if isinstance(part, ToolCallResponsePart)]
        if not results:
            return found
        found += [part.id for part in results if part.id]
    return found


def as_list(given: Any) -> list[Any]:
    """A list as it is; of everything else none."""
    return cast("list[Any]", given) if isinstance(given, list) else []


def section(body: Any, key: str) -> Any:
    """An object inside an object; an empty one where there is none."""
    found: Any = body.get(key)
    return {} if found is None else found


def arguments_of(given: Any) -> Any:
    """Arguments that an API sends as a text of JSON."""
    if not isinstance(given, str):
        return given
    try:
        return any_json.loads(given) if given else {}
    except ValueError:
        return given


def text_of(content: Any) -> str:
    """A text, or the texts of a list of parts."""
    if isinstance(content, str):
        return content
    texts = [one if isinstance(one, str) else one.get("text") for one in as_list(content)]
    return "\n".join(text for text in texts if isinstance(text, str))


def texts(content: Any) -> list[Any]:
    """The text of a message, as a part where there is one."""
    text = text_of(content)
    return [TextPart(text)] if text else []
