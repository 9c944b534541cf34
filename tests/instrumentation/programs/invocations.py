"""Agents of every kind, inside one another, beside one another, failing and forked."""

import gc
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context

from opentelemetry import trace
from opentelemetry.trace import SpanKind

import aftershock

tracer = trace.get_tracer("a-framework")
adk = trace.get_tracer("gcp.vertex.agent")


@aftershock.tool
def look_up(name: str) -> str:
    """A tool that knows one name."""
    if name == "nobody":
        raise LookupError(name)
    return f"{name} is there"


def nowhere(name: str) -> dict[str, str]:
    """A target function with a bug."""
    raise LookupError(name)


@aftershock.tool(target=nowhere)
def aim(name: str) -> str:
    """A tool whose target cannot be found out."""
    return name


def span(name: str, operation: str, tool: str | None = None, kind: SpanKind = SpanKind.INTERNAL):
    """A span as an instrumentation opens it."""
    own = {"gen_ai.operation.name": operation}
    if tool:
        own["gen_ai.tool.name"] = tool
    return tracer.start_as_current_span(name, kind=kind, attributes=own)


def infer() -> None:
    """One inference, seen by two instrumentations."""
    with span("chat model", "chat", kind=SpanKind.CLIENT), span("chat", "chat"):
        pass


def forked() -> None:
    """An agent in a worker process."""
    with aftershock.run(agent="forked"):
        look_up("a")


with aftershock.run(agent="outer"):
    infer()
    with tracer.start_as_current_span("a step of the framework"):
        look_up("a")
        infer()
    with suppress(LookupError):
        look_up("nobody")
    with aftershock.run(agent="inner"):
        look_up("b")
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(copy_context().run, look_up, "c") for _ in range(20)]:
            future.result()
    with span("tools/call far", "execute_tool", "far", SpanKind.SERVER):
        pass
    with span("invoke_agent remote", "invoke_agent", kind=SpanKind.CLIENT):
        pass

with aftershock.run(agent="idle"):
    pass

for _ in range(3):
    with aftershock.run(agent="again"):
        look_up("d")

with adk.start_as_current_span(
    "invoke_agent adk", attributes={"gen_ai.operation.name": "invoke_agent"}
):
    look_up("e")

with aftershock.run(agent="aiming"):
    aim("f")

left = aftershock.run(agent="given up")
left.__enter__()
del left
gc.collect()

worker = multiprocessing.get_context("fork").Process(target=forked)
worker.start()
worker.join()
aftershock.flush()
