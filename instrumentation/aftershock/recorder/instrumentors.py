"""Loading instrumentations: each when its library is imported, one per library, none in the way.

Instrumentations import what they instrument. Loading them at start would cost every Python process
seconds; so each waits for its library's import.
"""

from __future__ import annotations

import os
from collections import deque
from functools import cache
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any

from aftershock.recorder.activation import activate, postpone
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.import_hooks import half_imported, when_imported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.metadata import EntryPoint

GROUP = "opentelemetry_instrumentor"
# Where two instrument one library: the first of these that is installed.
FAMILIES = (
    "opentelemetry.instrumentation.genai.",
    "opentelemetry.instrumentation.",
    "openinference.",
)
# Libraries whose import is a sign of an agent. Value: modules whose import is waited for.
AGENT_LIBRARIES: dict[str, tuple[str, ...]] = {
    "openai": ("openai",),
    "anthropic": ("anthropic",),
    "langchain": (
        "langchain_core", "langchain.agents", "langgraph.graph", "langgraph.pregel",
        "langgraph.prebuilt", "langgraph.func", "langgraph.types", "langgraph.config",
        "langgraph.runtime", "langgraph.store.base",
    ),
    "openai_agents": ("agents",),
    "google_genai": ("google.genai",),
    "llama_index": ("llama_index.core",),
    "dspy": ("dspy",),
    "smolagents": ("smolagents",),
    "agno": ("agno",),
    "crewai": ("crewai",),
    "claude_agent_sdk": ("claude_agent_sdk",),
    "litellm": ("litellm",),
    "bedrock": ("boto3",),
}  # fmt: skip
# Libraries whose module has another name than their instrumentation.
MODULES: dict[str, tuple[str, ...]] = {
    "aiohttp_client": ("aiohttp",),
    "psycopg2": ("psycopg2",),
    "grpc_client": ("grpc",),
    "grpc_server": ("grpc",),
    "aio_pika": ("aio_pika",),
    "system_metrics": (),  # not about agents; the infrastructure measures the host
}
AT_ONCE = frozenset({"threading", "asyncio"})  # of the standard library, needed before any import
# LangChain's instrumentation reaches into langgraph, which must not be half imported then.
SETTLED: dict[str, tuple[str, ...]] = {"langchain": ("langchain_core", "langgraph")}
OPTIONS: dict[str, dict[str, Any]] = {
    # A graph without the `langchain` distribution is instrumented all the same.
    "langchain": {"skip_dep_check": True},
    # It would go on sending traces, with prompts, to its own maker.
    "openai_agents": {"disable_openai_trace_export": True},
}

# Modules in which we wrap something ourselves, whether or not they are instrumented: what does it.
HOOKS = {
    "agent_framework._tools": "tool_methods",
    "agents.agent": "agent_frames",
    "agents.run": "agent_frames",
    "agents.tool": "openai_agents_guard",
    "agno.agent._run": "agent_frames",
    "agno.team._run": "agent_frames",
    "agno.tools.function": "tool_methods",
    "anthropic.lib.tools._beta_functions": "tool_methods",
    "autogen_agentchat.teams._group_chat._base_group_chat": "agent_frames",
    "autogen_agentchat.teams._group_chat._swarm_group_chat": "agent_frames",
    "autogen_core.tools._function_tool": "tool_methods",
    "botocore.client": "bedrock_client",
    "crewai.agent.core": "agent_frames",
    "crewai.crew": "agent_frames",
    "crewai.tools.base_tool": "tool_methods",
    "dspy.adapters.types.tool": "tool_methods",
    "google.adk.flows.llm_flows.tools._caller": "tool_methods",
    "google.adk.flows.llm_flows.tools._thread_pool": "tool_methods",
    "google.adk.tools.function_tool": "tool_methods",
    "google.genai._extra_utils": "tool_methods",
    "haystack.tools.tool": "tool_methods",
    "httpx": "http_clients",
    "httpx2": "http_clients",  # what OpenAI's SDK made of the first
    "llama_index.core.agent.workflow.base_agent": "agent_frames",
    "llama_index.core.agent.workflow.multi_agent_workflow": "agent_frames",
    "llama_index.core.tools.function_tool": "tool_methods",
    "mcp.client.session": "mcp_guard",
    "pydantic_ai.agent": "agent_frames",
    "pydantic_ai.tool_manager": "pydantic_ai_guard",
    "smolagents.agents": "agent_frames",
    "smolagents.tools": "tool_methods",
    "strands.agent.agent": "agent_frames",
    "strands.tools.executors._executor": "tool_methods",
}

_loaded: set[str] = set()
_queue: deque[str] = deque()
_busy = Lock()


def wait_for_agents(start: Callable[[], object]) -> None:
    """Do `start` at the first import of an agent's library, and load each instrumentation then."""
    if "*" in disabled():
        return
    postpone(load_others)
    postpone(start)
    for module in HOOKS:
        when_imported(module, hook)
    for name, modules in AGENT_LIBRARIES.items():
        for module in modules:
            when_imported(module, lambda imported, name=name: library_imported(name, imported))


def library_imported(name: str, module: str) -> None:
    """One of the modules that stand for a library was imported."""
    if name in _loaded or half_imported(SETTLED.get(name, ()), module):
        return
    activate(wait=False)
    load(name)


def hook(module: str) -> None:
    """Wrap what we record or guard in a module that was imported. Raises nothing."""
    try:
        ours: Any = import_module(f"aftershock.recorder.{HOOKS[module]}")
        if HOOKS[module].endswith("_guard"):
            ours.guard_tools()
        else:
            ours.wrap_functions(module)
    except Exception:  # noqa: BLE001 (the app must still start; the log names what is unguarded)
        record_failure(f"recording and guarding {module}")


def load_others() -> None:
    """Let the instrumentations of everything else wait for their library, now that it matters."""
    for name in chosen():
        if name in AGENT_LIBRARIES:
            continue
        if name in AT_ONCE:
            load(name)
        for module in () if name in AT_ONCE else MODULES.get(name, (name,)):
            when_imported(module, lambda _imported, name=name: load(name))


@cache
def chosen() -> dict[str, EntryPoint]:
    """The instrumentations that may be loaded, by name."""
    from importlib.metadata import entry_points  # noqa: PLC0415 (30 ms, once there is an agent)

    return {n: e for n, e in choose(entry_points(group=GROUP)).items() if n not in disabled()}


def disabled() -> set[str]:
    """Names that OTEL_PYTHON_DISABLED_INSTRUMENTATIONS switches off; `*` is all."""
    named = os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "")
    return {name.strip() for name in named.split(",") if name.strip()}


def choose(found: Iterable[EntryPoint]) -> dict[str, EntryPoint]:
    """One instrumentation per library: the official family before others. Name → entry point."""
    chosen: dict[str, EntryPoint] = {}
    for entry in found:
        name = entry.name.replace("-", "_")
        if name not in chosen or family(entry) < family(chosen[name]):
            chosen[name] = entry
    return chosen


def family(entry: EntryPoint) -> tuple[int, str]:
    """How much an instrumentation is preferred; smaller is more."""
    places = [n for n, prefix in enumerate(FAMILIES) if entry.value.startswith(prefix)]
    return (min(places, default=len(FAMILIES)), entry.value)


def load(name: str) -> None:
    """Load one instrumentation, once. Raises nothing.

    Importing one may import the library of another: that one is loaded next, not meanwhile.
    """
    _queue.append(name)
    if _busy.locked():
        return
    with _busy:
        while _queue:
            load_now(_queue.popleft())


def load_now(name: str) -> None:
    """Load one instrumentation."""
    entry = chosen().get(name)
    if name in _loaded or entry is None:
        return
    _loaded.add(name)
    try:
        instrumentor = entry.load()()
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument(**OPTIONS.get(name, {}))
        if family(entry)[0] == 0:
            from aftershock.recorder.implicit_run import frame_bare_steps  # noqa: PLC0415

            frame_bare_steps()
        if name == "openai":
            from aftershock.recorder.openai_runs import join_runs  # noqa: PLC0415 (theirs)

            join_runs()
        if name == "threading":
            from aftershock.recorder.implicit_run import follow_threads  # noqa: PLC0415

            follow_threads()
        if name == "langchain":
            from aftershock.recorder.langchain_guard import guard_tools  # noqa: PLC0415 (theirs)
            from aftershock.recorder.langchain_tools import wrap_tools  # noqa: PLC0415 (theirs)

            wrap_tools()
            guard_tools()
    except Exception:  # noqa: BLE001 (the others must still load)
        record_failure(f"loading the instrumentation of {name}")
