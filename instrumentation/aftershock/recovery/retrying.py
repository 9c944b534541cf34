"""Trying again: with back-off, as the server asks for, and only where that cannot do harm.

What has an effect is repeated only after a failure that says that it was not done; what reads is
repeated after a timeout, too. tenacity waits and counts (`aftershock[recovery]`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry.trace import get_current_span

from aftershock import attributes as names
from aftershock.policy.policy import describe
from aftershock.recorder import settings
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.held_back import CallHeldBack
from aftershock.recorder.langchain_tools import is_pause
from aftershock.recorder.tool_decorator import Shape
from aftershock.recovery.breaker import Breaker
from aftershock.recovery.failures import FailureKind, ToolFailed, ToolFailure, read_failure

if TYPE_CHECKING:
    from tenacity import RetryCallState

FunctionType = TypeVar("FunctionType")

# Classes of a connection that was never there: nothing was sent, so that nothing was done.
NEVER_SENT = frozenset({"ConnectionRefusedError", "ConnectError", "ConnectTimeout"})
# What a read may be repeated after.
PASSING = frozenset({FailureKind.RATE_LIMITED, FailureKind.TIMEOUT, FailureKind.UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a tool recovers."""

    tool: str | None
    attempts: int
    first_wait_s: float
    wait_max_s: float
    is_idempotent: bool | None
    breaker: Breaker | None
    raises: bool


def recovering(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    attempts: int = 3,
    first_wait_s: float = 0.5,
    wait_max_s: float = 20.0,
    idempotent: bool | None = None,
    breaker: Breaker | None = None,
    raises: bool = False,
) -> Any:
    """Let a tool fail in a way that a model can read, after trying again where that helps.

    Args:
        function: A function, sync or async, or a LangChain tool that is made of one (then a new
            tool is returned). `@recovering` and `@recovering(…)` both work. Below
            `@aftershock.tool`, so that all attempts are one call.
        name: What the tool is called; default: the function's name.
        attempts: Calls at most, the first one included. Never more than one after a failure of
            permission, of the arguments, or that is not known to pass.
        first_wait_s: About how long to wait before the second call, in seconds; each further wait
            is about twice as long. A server's `Retry-After` wins.
        wait_max_s: What one wait lasts at most, in seconds. A server that asks for more is not
            called again: the model reads when it may be.
        idempotent: True: calling it twice does what calling it once does, so that timeouts and
            lost connections are tried again. Default: true for tools that read.
        breaker: Leaves what fails all the time alone, by tool and target. Default: one of this
            tool's own; share one between tools of one service.
        raises: A failure for good raises ToolFailed instead of being the result.

    Raises ModuleNotFoundError where tenacity is missing, and TypeError for another kind of tool.
    """
    import_module("tenacity")  # what is missing is named now, and not at the first failure
    chosen = Recovery(
        name, attempts, first_wait_s, wait_max_s, idempotent, breaker or Breaker(), raises
    )

    def decorate(function: Any) -> Any:
        if callable(function) and not hasattr(function, "args_schema"):
            return recovering_function(function, chosen)
        return recovering_tool(function, chosen)

    return decorate if function is None else decorate(function)


def recovering_function(function: Callable[..., Any], chosen: Recovery) -> Callable[..., Any]:
    """A function that recovers."""
    title = chosen.tool or function.__name__
    shape = Shape(function)

    def call_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Attempts:
        return Attempts(title, chosen, shape.named(args, kwargs))

    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            call = call_of(args, kwargs)
            if (refused := call.refused()) is not None:
                return call.answer(refused)
            from tenacity import AsyncRetrying  # noqa: PLC0415 (an extra)

            try:
                again = AsyncRetrying(**call.settings())
                return await again(call.watching_async(function), *args, **kwargs)
            except Exception as error:  # noqa: BLE001 (what the tool raised, to be read)
                return call.answer(call.failure(error), error)

        return call_async

    @wraps(function)
    def call_plain(*args: Any, **kwargs: Any) -> Any:
        call = call_of(args, kwargs)
        if (refused := call.refused()) is not None:
            return call.answer(refused)
        from tenacity import Retrying  # noqa: PLC0415 (an extra)

        try:
            return Retrying(**call.settings())(call.watching(function), *args, **kwargs)
        except Exception as error:  # noqa: BLE001 (what the tool raised, to be read)
            return call.answer(call.failure(error), error)

    return call_plain


def recovering_tool(tool: Any, chosen: Recovery) -> Any:
    """A LangChain tool that recovers; its failure is an error message."""
    functions = {key: getattr(tool, key, None) for key in ("func", "coroutine")}
    if not any(functions.values()):
        raise TypeError(f"{tool!r} is not made of a function: decorate what it calls instead")
    raising = replace(chosen, tool=chosen.tool or tool.name, raises=True)
    changed: dict[str, Any] = {
        key: in_langchain(recovering_function(function, raising))
        for key, function in functions.items()
        if function is not None
    }
    return tool.model_copy(update={**changed, "handle_tool_error": True})


def in_langchain(function: Callable[..., Any]) -> Callable[..., Any]:
    """A failure for good as the exception that LangChain makes an error message of."""
    from langchain_core.tools import ToolException  # noqa: PLC0415 (theirs)

    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            try:
                return await function(*args, **kwargs)
            except ToolFailed as error:
                raise ToolException(str(error)) from error

        return call_async

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ToolFailed as error:
            raise ToolException(str(error)) from error

    return call


class Attempts:
    """The attempts at one call."""

    def __init__(self, tool: str, chosen: Recovery, arguments: Mapping[str, Any]) -> None:
        self._tool = tool
        self._chosen = chosen
        self._made = 0
        self._newest: tuple[BaseException, ToolFailure] | None = None
        try:
            known = describe(settings.policy(), tool, arguments)
            self._target = " ".join(known.targets)
            reads = not known.tier.has_effect
        except Exception:  # noqa: BLE001 (ours: the tool is treated as one with an effect)
            record_failure("describing a call that recovers")
            self._target, reads = "", False
        self._is_idempotent = reads if chosen.is_idempotent is None else chosen.is_idempotent

    def refused(self) -> ToolFailure | None:
        """The failure of a call that is not made, because it failed again and again."""
        assert self._chosen.breaker is not None
        left_s = self._chosen.breaker.waits_s(self._tool, self._target)
        if left_s is None:
            return None
        on = f" on {self._target}" if self._target else ""
        text = f"{self._tool} failed again and again{on}"
        return ToolFailure(self._tool, FailureKind.CIRCUIT_OPEN, text, 0, left_s)

    def watching(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose outcomes the breaker is told of."""

        def attempt(*args: Any, **kwargs: Any) -> Any:
            self._made += 1
            try:
                result = function(*args, **kwargs)
            except Exception as error:
                self._failed(error)
                raise
            self._succeeded()
            return result

        return attempt

    def watching_async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same for an async function."""

        async def attempt(*args: Any, **kwargs: Any) -> Any:
            self._made += 1
            try:
                result = await function(*args, **kwargs)
            except Exception as error:
                self._failed(error)
                raise
            self._succeeded()
            return result

        return attempt

    def settings(self) -> dict[str, Any]:
        """How tenacity tries again."""
        from tenacity import retry_if_exception, stop_after_attempt  # noqa: PLC0415 (an extra)

        return {
            "retry": retry_if_exception(self._is_worth_another),
            "stop": stop_after_attempt(self._chosen.attempts),
            "wait": self._wait_s,
            "reraise": True,
        }

    def failure(self, error: BaseException) -> ToolFailure:
        """The failure for good."""
        return replace(self._read(error), attempts=self._made)

    def answer(self, failure: ToolFailure, error: BaseException | None = None) -> Any:
        """What the caller gets. What is not a failure of the tool passes through as it was."""
        if error is not None and passes_through(error):
            raise error
        if self._chosen.raises:
            raise ToolFailed(failure) from error
        return failure.text

    def _failed(self, error: BaseException) -> None:
        if passes_through(error):
            return
        assert self._chosen.breaker is not None
        self._chosen.breaker.failed(self._tool, self._target, self._read(error).kind)
        self._record()

    def _succeeded(self) -> None:
        assert self._chosen.breaker is not None
        self._chosen.breaker.succeeded(self._tool, self._target)
        if self._made > 1:
            self._record()

    def _record(self) -> None:
        get_current_span().set_attribute(names.ATTEMPTS, self._made)

    def _read(self, error: BaseException) -> ToolFailure:
        if self._newest is None or self._newest[0] is not error:
            self._newest = error, read_failure(self._tool, error)
        return self._newest[1]

    def _is_worth_another(self, error: BaseException) -> bool:
        if passes_through(error) or not isinstance(error, Exception):
            return False
        failure = self._read(error)
        if (failure.retry_after_s or 0.0) > self._chosen.wait_max_s:
            return False
        # A server that refuses, or names a time, has not done it either.
        not_done = (
            failure.kind is FailureKind.RATE_LIMITED
            or (failure.kind is FailureKind.UNAVAILABLE and failure.retry_after_s is not None)
            or any(kind.__name__ in NEVER_SENT for kind in type(error).__mro__)
        )
        return not_done or (self._is_idempotent and failure.kind in PASSING)

    def _wait_s(self, state: RetryCallState) -> float:
        from tenacity import wait_random_exponential  # noqa: PLC0415 (an extra)

        error = None if state.outcome is None else state.outcome.exception()
        asked_s = None if error is None else self._read(error).retry_after_s
        if asked_s is not None:
            return asked_s
        first_s, most_s = self._chosen.first_wait_s, self._chosen.wait_max_s
        # At least half of it: full jitter may wait for nothing at all.
        doubled_s = min(most_s, first_s * 2 ** (state.attempt_number - 1))
        return doubled_s / 2 + wait_random_exponential(doubled_s / 2, doubled_s / 2)(state)


def passes_through(error: BaseException) -> bool:
    """True for what is no failure: a call that was held back, a graph that waits for a person."""
    return isinstance(error, CallHeldBack | ToolFailed) or is_pause(error)
