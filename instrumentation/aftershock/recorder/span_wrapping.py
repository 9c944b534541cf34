"""Wrapping functions in something that lasts as long as their calls, such as a span.

Sync, async, generators and async generators. A span is current only while its own code runs: it is
put in place before each step of a generator and taken away at each yield, so that it neither leaks
into the caller nor fails to detach in another task. What the function returns or raises passes
through unchanged, but for what a gate tells the model.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from opentelemetry.context import attach, get_current
from opentelemetry.trace import INVALID_SPAN, Status, StatusCode, set_span_in_context

from aftershock.attributes import ERROR_TYPE
from aftershock.recorder.drop_counters import record_failure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

ITEMS_MAX = 256  # of what a generator yielded that take part in its fingerprint


_abandoned: deque[Span] = deque(maxlen=10_000)


class Around(Protocol):
    """What lasts as long as a call: its span, or its way behind the gate."""

    def enter(self) -> Any:
        """Be in place for the call's own code; returns what `leave` needs."""

    def leave(self, before: Any) -> None:
        """Be out of place for the code of others."""

    def returned(self, result: Any) -> None:
        """The call returned, or a generator yielded this list and then ended."""

    def handed_on(self, result: Any) -> Any:
        """What the caller gets, of a call that returns once: the result, or one with a notice."""

    def raised(self, error: BaseException) -> None:
        """The call raised."""

    def abandoned(self, items: list[Any]) -> None:
        """A generator was closed early, having yielded `items`."""


class Instead(NamedTuple):
    """What a call answers without running."""

    answer: Any


class Step:
    """One open span. It ends once, however it ends."""

    __slots__ = ("context", "ended", "span")

    def __init__(self, span: Span, context: Context | None = None) -> None:
        self.span = span
        self.context = set_span_in_context(span, context)
        self.ended = False

    def enter(self) -> Context:
        """Make the span current; returns the context that `leave` puts back."""
        before = get_current()
        attach(self.context)
        return before

    def leave(self, before: Context) -> None:
        """Put the context back that was current before, unless other code has changed it.

        Setting instead of detaching works in whatever task or thread a generator is closed.
        """
        if get_current() is self.context:
            attach(before)

    def returned(self, result: Any) -> None:
        """The code returned `result`: end."""
        self.end(lambda: self.describe(result))

    def handed_on(self, result: Any) -> Any:
        """The result as it is."""
        del self
        return result

    def raised(self, error: BaseException) -> None:
        """The code raised `error`: end."""
        self.end(lambda: self.describe_error(error))

    def abandoned(self, items: list[Any]) -> None:
        """A generator was closed early, having yielded `items`: end."""
        self.end(lambda: self.describe_abandoned(items))

    def describe(self, result: Any) -> None:
        """Describe the result: of interest for tools only."""

    def describe_abandoned(self, items: list[Any]) -> None:
        """Describe what was yielded before the close: of interest for tools only."""

    def describe_error(self, error: BaseException) -> None:
        """Mark the span as failed."""
        self.span.set_attribute(ERROR_TYPE, error_type(error))
        self.span.set_status(Status(StatusCode.ERROR, str(error)))

    def end(self, describe: Callable[[], None]) -> None:
        """Describe how it ended, and end."""
        if self.ended:
            return
        self.ended = True
        try:
            describe()
        except Exception:  # noqa: BLE001 (ours)
            record_failure("describing how a step ended")
        self.span.end()

    def __del__(self) -> None:
        # Collected without an end: an async generator whose loop is gone. Collection may happen
        # while a lock is held, so the span is ended later.
        if not self.ended:
            _abandoned.append(self.span)


class Current:
    """A step is in place inside; what is raised inside ends the step and passes on."""

    __slots__ = ("_before", "_step")

    def __init__(self, step: Around) -> None:
        self._step = step

    def __enter__(self) -> None:
        self._before = self._step.enter()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._step.leave(self._before)
        if error is not None:
            self._step.raised(error)


class UnrecordedStep(Step):
    """A step that is not recorded, for code that runs the same way with and without one."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(INVALID_SPAN, get_current())

    def enter(self) -> Context:
        """Leave everything as it is."""
        return self.context

    def leave(self, before: Context) -> None:
        """Leave everything as it is."""


def close_abandoned() -> None:
    """End the spans of steps that were collected without an end."""
    while _abandoned:
        _abandoned.popleft().end()


def error_type(error: BaseException) -> str:
    """The name of an exception's class, with its module unless it is a builtin."""
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


Arguments = tuple[Any, ...]
Named = dict[str, Any]
Opening = Callable[[Arguments, Named], Around | Instead | None]
OpeningAsync = Callable[[Arguments, Named], Awaitable[Around | Instead | None]]


def never_raising(opening: Callable[[Arguments, Named], Step | None]) -> Opening:
    """An opening whose failure is counted; the call then runs unrecorded."""

    def guarded(args: Arguments, kwargs: Named) -> Step | None:
        try:
            return opening(args, kwargs)
        except Exception:  # noqa: BLE001 (ours)
            record_failure("opening a step")
            return None

    return guarded


def wrap(
    function: Callable[..., Any], opening: Opening, opening_async: OpeningAsync | None = None
) -> Callable[..., Any]:
    """The function with a step around each call.

    `opening` returns the step, None for a call without one, or what to answer instead of calling.
    `opening_async` does so for async functions, where that must wait for something.
    """
    if inspect.isasyncgenfunction(function):
        return wrap_async_generator(function, opening_async or at_once(opening))
    if inspect.isgeneratorfunction(function):
        return wrap_generator(function, opening)
    if inspect.iscoroutinefunction(function):
        return wrap_coroutine(function, opening_async or at_once(opening))
    return wrap_plain(function, opening)


def at_once(opening: Opening) -> OpeningAsync:
    """An opening that waits for nothing, for async functions."""

    async def opened(args: Arguments, kwargs: Named) -> Around | Instead | None:
        return opening(args, kwargs)

    return opened


def wrap_plain(function: Callable[..., Any], opening: Opening) -> Callable[..., Any]:
    """A step around a call."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        step = opening(args, kwargs)
        if step is None:
            return function(*args, **kwargs)
        if isinstance(step, Instead):
            return step.answer
        with Current(step):
            result = function(*args, **kwargs)
        step.returned(result)
        return step.handed_on(result)

    return call


def wrap_coroutine(function: Callable[..., Any], opening: OpeningAsync) -> Callable[..., Any]:
    """A step around an awaited call."""

    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        step = await opening(args, kwargs)
        if step is None:
            return await function(*args, **kwargs)
        if isinstance(step, Instead):
            return step.answer
        with Current(step):
            result = await function(*args, **kwargs)
        step.returned(result)
        return step.handed_on(result)

    return call


def wrap_generator(function: Callable[..., Any], opening: Opening) -> Callable[..., Any]:
    """A step from the first item that is asked for to the last, or to the close."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        step = opening(args, kwargs)
        if isinstance(step, Instead):
            yield step.answer
            return step.answer
        body: Generator[Any, Any, Any] = function(*args, **kwargs)
        if step is None:
            return (yield from body)
        items: list[Any] = []
        resume: Callable[[Any], Any] = body.send
        value: Any = None
        while True:
            before = step.enter()
            try:
                item = resume(value)
            except StopIteration as stop:
                step.leave(before)
                step.returned(items if stop.value is None else stop.value)
                return stop.value
            except BaseException as error:
                step.leave(before)
                step.raised(error)
                raise
            step.leave(before)
            if len(items) < ITEMS_MAX:
                items.append(item)
            try:
                resume, value = body.send, (yield item)
            except GeneratorExit:
                before = step.enter()
                try:
                    body.close()
                finally:
                    step.leave(before)
                    step.abandoned(items)
                raise
            except BaseException as thrown:  # noqa: BLE001 (it is thrown into the body)
                resume, value = body.throw, thrown

    return call


def wrap_async_generator(function: Callable[..., Any], opening: OpeningAsync) -> Callable[..., Any]:
    """The same for async generators."""

    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        step = await opening(args, kwargs)
        if isinstance(step, Instead):
            yield step.answer
            return
        step = step or UnrecordedStep()
        body: AsyncGenerator[Any, Any] = function(*args, **kwargs)
        items: list[Any] = []
        resume: Callable[[Any], Any] = body.asend
        value: Any = None
        while True:
            before = step.enter()
            try:
                item = await resume(value)
            except StopAsyncIteration:
                step.leave(before)
                step.returned(items)
                return
            except BaseException as error:
                step.leave(before)
                step.raised(error)
                raise
            step.leave(before)
            if len(items) < ITEMS_MAX:
                items.append(item)
            try:
                resume, value = body.asend, (yield item)
            except GeneratorExit:
                before = step.enter()
                try:
                    await body.aclose()
                finally:
                    step.leave(before)
                    step.abandoned(items)
                raise
            except BaseException as thrown:  # noqa: BLE001 (it is thrown into the body)
                resume, value = body.athrow, thrown

    return call
