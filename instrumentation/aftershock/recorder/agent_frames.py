"""Agents of frameworks: a frame with the agent's name around each of their runs.

Frameworks without spans of their own give their agents names all the same. A frame lasts as long as
the call that runs the agent, or as the task that goes on after that call has returned.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import trace
from opentelemetry.trace import get_current_span

from aftershock.attributes import AGENT_NAME, OPERATION, WORKFLOW_NAME
from aftershock.recorder.activation import activate
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.hand_offs import hand_off, will_pass_on
from aftershock.recorder.invocation_metrics import INVOKE_AGENT, INVOKE_WORKFLOW
from aftershock.recorder.span_wrapping import Step, never_raising, wrap
from aftershock.recorder.wrapping import replace

if TYPE_CHECKING:
    from types import TracebackType

    from opentelemetry.context import Context

Arguments = tuple[Any, ...]
NameOf = Callable[[Arguments, dict[str, Any]], Any]


def own_name(args: Arguments, _kwargs: dict[str, Any]) -> Any:
    """The name of the agent whose method is called."""
    return getattr(args[0], "name", None)


def role(args: Arguments, _kwargs: dict[str, Any]) -> Any:
    """The role of the agent whose method is called: CrewAI's agents have no other name."""
    return getattr(args[0], "role", None)


def first_role(args: Arguments, _kwargs: dict[str, Any]) -> Any:
    """The role of the agent that begins."""
    agents: Any = getattr(args[0], "agents", None)
    return agents[0].role if agents else None


def passes_on(args: Arguments, _kwargs: dict[str, Any]) -> bool:
    """Whether the leader of a team of Agno's gives its task away: a member answers in its place."""
    return bool(getattr(args[0], "respond_directly", False))


def starting_agent(args: Arguments, kwargs: dict[str, Any]) -> Any:
    """The name of the agent that is given first."""
    agent: Any = args[1] if len(args) > 1 else kwargs.get("starting_agent")
    return getattr(agent, "name", None)


def root_agent(args: Arguments, _kwargs: dict[str, Any]) -> Any:
    """The name of the agent that a workflow begins with."""
    return getattr(args[0], "root_agent", None)


# Module → its methods that run an agent, and what names that agent.
FRAMES: dict[str, tuple[tuple[str, NameOf], ...]] = {
    "agents.run": (
        ("AgentRunner.run", starting_agent),
        ("AgentRunner.run_streamed", starting_agent),
    ),
    "agno.agent._run": (
        ("_run", own_name),
        ("_run_stream", own_name),
        ("_arun", own_name),
        ("_arun_stream", own_name),
    ),
    "agno.team._run": (
        ("_run", own_name),
        ("_run_stream", own_name),
        ("_arun", own_name),
        ("_arun_stream", own_name),
    ),
    "crewai.agent.core": (("Agent.execute_task", role), ("Agent.aexecute_task", role)),
    "crewai.crew": (("Crew.kickoff", first_role), ("Crew.akickoff", first_role)),
    "llama_index.core.agent.workflow.base_agent": (("BaseWorkflowAgent.run", own_name),),
    "llama_index.core.agent.workflow.multi_agent_workflow": (("AgentWorkflow.run", root_agent),),
    "pydantic_ai.agent": (("Agent.iter", own_name),),
    "smolagents.agents": (("MultiStepAgent._run_stream", own_name),),
    "strands.agent.agent": (("Agent.stream_async", own_name),),
}
# Module → its methods in which several agents work on one task, and what names the whole.
WORKFLOWS: dict[str, tuple[tuple[str, NameOf], ...]] = {
    "autogen_agentchat.teams._group_chat._base_group_chat": (
        ("BaseGroupChat.run_stream", own_name),
    ),
}
# Module → the method of an agent that is called at each of its turns, in the task of that turn.
TURNS: dict[str, tuple[str, ...]] = {"agents.agent": ("AgentBase.get_all_tools",)}
# Module → the method that chooses who acts next, where agents hand their task on by a message.
CHOICES: dict[str, tuple[str, ...]] = {
    "autogen_agentchat.teams._group_chat._swarm_group_chat": (
        "SwarmGroupChatManager.select_speaker",
    ),
}

AGENTS_MAX = 1_000  # frames in which the task was handed on
# Span id of a frame → the agent that acts in it now.
_acting: OrderedDict[int, str] = OrderedDict()


def acting_in(frame_id: int) -> str | None:
    """The agent that acts in a frame, where the task was handed on in it."""
    return _acting.get(frame_id)


def wrap_functions(module: str) -> None:
    """Wrap the methods of a module that was imported. Once."""
    for path, name_of in FRAMES.get(module, ()):
        replace(module, path, partial(framed, name_of=name_of))
    for path, name_of in WORKFLOWS.get(module, ()):
        replace(module, path, partial(framed, name_of=name_of, operation=INVOKE_WORKFLOW))
    for path in TURNS.get(module, ()):
        replace(module, path, turning)
    for path in CHOICES.get(module, ()):
        replace(module, path, choosing)


def framed(method: Any, name_of: NameOf, operation: str = INVOKE_AGENT) -> Any:
    """A method that runs an agent or a workflow, with a frame around it."""
    named = AGENT_NAME if operation == INVOKE_AGENT else WORKFLOW_NAME

    def opening(args: Arguments, kwargs: dict[str, Any]) -> Step | None:
        activate()
        name = str(name_of(args, kwargs) or "").strip()
        above: Any = getattr(get_current_span(), "attributes", None) or {}
        if not name or (above.get(OPERATION) == operation and above.get(named) == name):
            return None
        span = trace.get_tracer("aftershock").start_span(
            f"{operation} {name}", attributes={OPERATION: operation, named: name}
        )
        if passes_on(args, kwargs):
            will_pass_on(span, name)
        return Frame(span) if span.is_recording() else None

    return wrap(method, never_raising(opening))


def turning(method: Any) -> Any:
    """A method of the agent whose turn it is."""

    def opening(args: Arguments, _kwargs: dict[str, Any]) -> None:
        span: Any = get_current_span()
        own: Any = getattr(span, "attributes", None) or {}
        name = str(getattr(args[0], "name", None) or "")
        if own.get(OPERATION) != INVOKE_AGENT or not name:
            return
        frame_id = span.get_span_context().span_id
        before = acting_in(frame_id) or str(own.get(AGENT_NAME) or "")
        if before == name:
            return
        if before:
            hand_off(before, name, span)
        _acting[frame_id] = name
        while len(_acting) > AGENTS_MAX:
            _acting.popitem(last=False)

    return wrap(method, never_raising(opening))


def choosing(method: Any) -> Any:
    """A method of a swarm's manager that says who acts next: another one than before took over."""

    @wraps(method)
    async def call(manager: Any, *args: Any, **kwargs: Any) -> Any:
        before = getattr(manager, "_current_speaker", None)
        chosen = await method(manager, *args, **kwargs)
        try:
            now = getattr(manager, "_current_speaker", None)
            if before and now and before != now:
                hand_off(str(before), str(now), get_current_span())
        except Exception:  # noqa: BLE001 (ours)
            record_failure("recording a hand-off")
        return chosen

    return call


class Frame(Step):
    """The frame of one run of an agent."""

    __slots__ = ()

    def returned(self, result: Any) -> None:
        """The call is over; the agent may still run, in a task or inside an `async with`."""
        if hasattr(result, "__aenter__"):
            return
        task = task_of(result)
        if task is None:
            super().returned(result)
        else:
            task.add_done_callback(self._done)

    def handed_on(self, result: Any) -> Any:
        """The result; of a context manager one that ends the frame."""
        return Managed(result, self) if hasattr(result, "__aenter__") else result

    def _done(self, task: asyncio.Future[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None:
            super().returned(None)
        else:
            self.raised(error)


def task_of(result: Any) -> asyncio.Future[Any] | None:
    """What still runs of a result: itself, or what it holds."""
    held: dict[str, Any] = getattr(result, "__dict__", {})
    for one in (result, *held.values()):
        if isinstance(one, asyncio.Future) and not one.done():
            return cast("asyncio.Future[Any]", one)
    return None


class Managed:
    """An async context manager of a framework, with a frame from its entry to its exit."""

    def __init__(self, inner: Any, frame: Frame) -> None:
        self._inner, self._frame = inner, frame
        self._before: Context | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def __aenter__(self) -> Any:
        self._before = self._frame.enter()
        try:
            return await self._inner.__aenter__()
        except BaseException as error:
            self._frame.leave(self._before)
            self._frame.raised(error)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:
        try:
            return await self._inner.__aexit__(kind, error, traceback)
        finally:
            if self._before is not None:
                self._frame.leave(self._before)
            if error is None:
                self._frame.end(lambda: None)
            else:
                self._frame.raised(error)
