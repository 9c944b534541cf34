"""The implicit run: steps without an agent around them are one run, not one trace each.

A bare loop (`while answer has tool calls: run them, ask again`) has no frame, a span around all of
its steps. Its first step opens one in its own context (thread or task). It closes when the model
answers without requesting a tool after it had requested some, after IDLE_S without a step, or with
the process. The frame is passed to our own steps as their parent and never attached, so it cannot
leak into the app.
"""

from __future__ import annotations

import time
import weakref
from collections import OrderedDict, deque
from contextvars import ContextVar
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    format_span_id,
    get_current_span,
    set_span_in_context,
)

from aftershock.attributes import AGENT_NAME, OPERATION, RUN_ID, SERVICE_NAME, USER_ID
from aftershock.recorder.drop_counters import record_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.trace import Span

REQUESTED_MAX = 2_000  # calls whose results may come from another thread or task
IDLE_S = 300.0  # a loop that pauses longer between two steps is taken for two


class ImplicitRun:
    """One bare loop: its frame, and the time of its newest step."""

    __slots__ = ("__weakref__", "answered", "ended", "received_ns", "requested", "root")

    def __init__(self, root: Span, now_ns: int) -> None:
        self.root = root
        self.received_ns = now_ns
        self.requested = False  # the model has requested a tool
        self.answered = False  # and has then answered without requesting one
        self.ended = False

    def end(self) -> None:
        """Close the frame at the moment of its last step. Once."""
        if not self.ended:
            self.ended = True
            self.root.end(end_time=self.received_ns)

    def __del__(self) -> None:
        # The thread or task is gone. Collection may happen while a lock is held: end it later.
        if not self.ended:
            _abandoned.append((self.root, self.received_ns))


_abandoned: deque[tuple[Span, int]] = deque(maxlen=10_000)
_current: ContextVar[ImplicitRun | None] = ContextVar("aftershock_implicit_run", default=None)
_opening: ContextVar[bool] = ContextVar("aftershock_opening", default=False)
_requested: OrderedDict[str, ImplicitRun] = OrderedDict()  # id of a call → the run that asks
_open: weakref.WeakSet[ImplicitRun] = weakref.WeakSet()
_wrapped = False
_lock = RLock()  # a WeakSet is not safe to change while another thread reads it


def current() -> ImplicitRun | None:
    """The implicit run that this thread or task is in."""
    run = _current.get()
    return None if run is None or run.ended else run


def context_for_step(context: Context | None = None, agent: str | None = None) -> Context | None:
    """The context that a step should begin in: the given one, unless no span is in it.

    None where no frame is needed or none can be made. `agent`: default: the program's name.
    """
    if get_current_span(context).get_span_context().is_valid:
        return context
    run = current()
    now_ns = time.time_ns()
    if run is not None and now_ns - run.received_ns > IDLE_S * 1e9:
        run.end()
        run = None
    if run is None:
        root = open_root(now_ns, agent)
        if not root.is_recording():
            return context
        run = ImplicitRun(root, now_ns)
        _current.set(run)
        with _lock:
            _open.add(run)
    run.received_ns = max(run.received_ns, now_ns)
    return set_span_in_context(run.root, context)


def place_of(context: Context | None) -> tuple[str, str | None, str]:
    """The run, the agent and the span id of a context."""
    span = get_current_span(context)
    above: Mapping[str, Any] = getattr(span, "attributes", None) or {}
    agent = above.get(AGENT_NAME)
    span_id = format_span_id(span.get_span_context().span_id)
    return str(above.get(RUN_ID) or ""), None if agent is None else str(agent), span_id


def user_of(context: Context | None) -> str | None:
    """On whose behalf the agent of a context works, as far as it is known."""
    above: Mapping[str, Any] = getattr(get_current_span(context), "attributes", None) or {}
    user = above.get(USER_ID)
    return None if user is None else str(user)


def open_root(now_ns: int, agent: str | None = None) -> Span:
    """The frame, named after the program where the agent has no name."""
    resource: Any = getattr(trace.get_tracer_provider(), "resource", None)
    if resource is None:  # no provider: nothing is recorded
        return INVALID_SPAN
    tracer = trace.get_tracer("aftershock")
    agent = agent or str(resource.attributes.get(SERVICE_NAME, "agent"))
    token = _opening.set(True)
    try:
        return tracer.start_span(
            f"invoke_agent {agent}",
            context=Context(),
            attributes={OPERATION: "invoke_agent", AGENT_NAME: agent},
            start_time=now_ns,
        )
    finally:
        _opening.reset(token)


def opening() -> bool:
    """True while the frame of an implicit run begins: only its steps prove that it is alive."""
    return _opening.get()


def step_ended(frame_id: int | None, at_ns: int | None) -> None:
    """A step whose parent is the span `frame_id` has ended."""
    run = current()
    if run is not None and at_ns and run.root.get_span_context().span_id == frame_id:
        run.received_ns = max(run.received_ns, at_ns)
        if run.answered:
            run.end()


def answered(*, requests_tools: bool) -> None:
    """The model has answered. Without a request for a tool, after earlier ones, the loop is over.

    It closes when the span of that answer ends.
    """
    run = current()
    if run is not None:
        run.answered = run.requested and not requests_tools
        run.requested = run.requested or requests_tools


def remember(call_ids: Iterable[str | None]) -> None:
    """The model has requested calls: whoever brings their results goes on with this run."""
    run = current()
    if run is None:
        return
    with _lock:
        for call_id in call_ids:
            if call_id:
                _requested[call_id] = run
                _requested.move_to_end(call_id)
        while len(_requested) > REQUESTED_MAX:
            _requested.popitem(last=False)


def resume(call_ids: Iterable[str]) -> None:
    """Results of calls are being sent: this thread or task goes on with the run that asked."""
    if not _requested or get_current_span().get_span_context().is_valid:
        return
    for call_id in call_ids:
        run = _requested.get(call_id)
        if run is not None and not run.ended:
            _current.set(run)
            return


def end() -> None:
    """End the run that this thread or task is in."""
    run = current()
    if run is not None:
        run.end()


def close_idle(now_ns: int) -> None:
    """End the runs without a step for IDLE_S."""
    close(lambda run: now_ns - run.received_ns > IDLE_S * 1e9)
    while _abandoned:
        root, received_ns = _abandoned.popleft()
        root.end(end_time=received_ns)


def close_all() -> None:
    """End every run: the process ends."""
    close_idle(time.time_ns() + int(IDLE_S * 2e9))


def close(over: Callable[[ImplicitRun], bool]) -> None:
    """End the runs for which `over` returns True."""
    with _lock:
        runs = list(_open)
    for run in runs:
        if over(run):
            run.end()
            with _lock:
                _open.discard(run)


def forget() -> None:
    """In a forked child: the parent's runs are the parent's to end."""
    global _lock  # noqa: PLW0603 (the parent may have held it)
    _lock = RLock()
    _abandoned.clear()
    _requested.clear()
    for run in list(_open):
        run.ended = True
    _open.clear()


def frame_bare_steps() -> None:
    """Give steps of the official instrumentations a frame where they have none. Once."""
    global _wrapped  # noqa: PLW0603 (one process, one wrapping)
    if _wrapped:
        return
    _wrapped = True
    import wrapt  # noqa: PLC0415 (only where an instrumentation was loaded)

    def begin(wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            context = context_for_step(kwargs.get("context"))
            if context is not None:
                kwargs = {**kwargs, "context": context}
        except Exception:  # noqa: BLE001 (ours: the step begins without a frame)
            record_failure("framing a step")
        return wrapped(*args, **kwargs)

    for method in ("inference", "tool"):
        place = f"TelemetryHandler.{method}"
        wrapt.wrap_function_wrapper("opentelemetry.util.genai.handler", place, begin)


def follow_threads() -> None:
    """Keep the work that a bare loop gives to other threads, such as parallel tools, in its run."""
    import wrapt  # noqa: PLC0415 (only where an instrumentation was loaded)

    def submit(wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        run = current()
        if run is None or not args:
            return wrapped(*args, **kwargs)
        return wrapped(partial(call_inside, run, args[0]), *args[1:], **kwargs)

    def start(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        run = current()
        if run is not None:
            try:
                instance.run = partial(call_inside, run, instance.run)
            except Exception:  # noqa: BLE001 (a thread without attributes runs outside the run)
                record_failure("following a thread")
        return wrapped(*args, **kwargs)

    wrapt.wrap_function_wrapper("concurrent.futures", "ThreadPoolExecutor.submit", submit)
    wrapt.wrap_function_wrapper("threading", "Thread.start", start)


def call_inside(run: ImplicitRun, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function on another thread as a part of a run."""
    token = _current.set(run)
    try:
        return function(*args, **kwargs)
    finally:
        _current.reset(token)
