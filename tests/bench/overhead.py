"""`make bench-overhead`: what recording costs real agents, beside OpenTelemetry's instrumentation.

Each program runs without instrumentation; with the official one of its framework alone; with that
and the official ones of HTTP clients and threads, as `opentelemetry-instrument` loads them; and
with ours, which loads all of these and adds the rest. Each is a process of its own. They take turns
within each round, so that a busy machine slows all of them, and a ratio is the median of the
rounds' ratios. All talk to one scripted model on loopback and export to one real receiver. Counted
is the processor time of the main thread, and that of the whole process including what is exported.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from importlib.metadata import entry_points
from itertools import count
from typing import Any, NamedTuple

from aftershock_collector.demo.model_server import ModelServer, by_turn, call, text_reply
from tests.bench import agent
from tests.bench.collector import server

ROUNDS = 15
WARM_UPS = 2  # rounds before them: imports, connections, caches
SERVICES = ("checkout", "billing", "search", "cart", "mail")
MODEL = "gpt-5"
Run = Callable[[], object]


class Cost(NamedTuple):
    """Microseconds of processor time for one run of a program."""

    main: float
    process: float


def get_status(service: str) -> str:
    """Read the status of a service."""
    return f'{{"service": "{service}", "ready": 3, "state": "degraded"}}'


def chat() -> Run:
    """One chat completion with OpenAI's client."""
    from openai import OpenAI

    client, messages = OpenAI(), [{"role": "user", "content": "How is checkout?"}]
    create: Any = client.chat.completions.create
    return lambda: create(model=MODEL, messages=messages)


def langgraph() -> Run:
    """A run of LangGraph: six inferences, five calls of a tool."""
    from langchain import agents
    from langchain_openai import ChatOpenAI

    create: Any = getattr(agents, "create_agent")  # noqa: B009 (its type is in part unknown)
    made = create(ChatOpenAI(model=MODEL), tools=[get_status], name="ops")
    messages = [{"role": "user", "content": "How are my services?"}]
    return lambda: made.invoke({"messages": messages})


def openai_agents() -> Run:
    """A run of the OpenAI Agents SDK: six inferences, five calls of a tool."""
    from agents import Agent, Runner, function_tool

    made = Agent(name="ops", model=MODEL, instructions="Help.", tools=[function_tool(get_status)])
    return lambda: Runner.run_sync(made, "How are my services?", max_turns=10)


def plain_tool() -> Run:
    """A call of a function that does nothing, which the SDK's user or ours decorates."""
    numbers = count()
    return lambda: agent.scale(**agent.arguments_of(next(numbers)))


PROGRAMS: dict[str, tuple[Callable[[], Run], int]] = {  # and how often it runs in a round
    "openai chat": (chat, 20),
    "LangGraph, 6 inferences, 5 tools": (langgraph, 4),
    "openai-agents, 6 inferences, 5 tools": (openai_agents, 4),
    "plain tool": (plain_tool, 2_000),
}
INSTRUMENTORS = {
    "openai chat": ("openai",),
    "LangGraph, 6 inferences, 5 tools": ("openai", "langchain"),
    "openai-agents, 6 inferences, 5 tools": ("openai", "openai_agents"),
}
AROUND = ("httpx", "httpx2", "threading")  # what agents use, and whose spans ours needs


def uninstrumented(program: str, _url: str, _stack: ExitStack) -> tuple[Run, Run]:
    """The program as it is."""
    return PROGRAMS[program][0](), lambda: None


def official(
    program: str, url: str, stack: ExitStack, around: tuple[str, ...] = ()
) -> tuple[Run, Run]:
    """OpenTelemetry's SDK and instrumentors; of a tool, a span with the attributes by hand."""
    if program not in INSTRUMENTORS:
        return numbered(*agent.sdk(url, stack))
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    trace.set_tracer_provider(provider)
    for name in (*INSTRUMENTORS[program], *around):
        (found,) = entry_points(group="opentelemetry_instrumentor", name=name)
        found.load()().instrument()
    return PROGRAMS[program][0](), provider.force_flush


def official_all(program: str, url: str, stack: ExitStack) -> tuple[Run, Run]:
    """The same with those of HTTP clients and threads."""
    return official(program, url, stack, AROUND)


def aftershock(program: str, url: str, stack: ExitStack) -> tuple[Run, Run]:
    """`aftershock.instrument()` and its defaults."""
    if program not in INSTRUMENTORS:
        return numbered(*agent.aftershock(url, stack))
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = url
    import aftershock as product

    product.instrument()
    return PROGRAMS[program][0](), product.flush


def numbered(tool: agent.Tool, flush: Run) -> tuple[Run, Run]:
    """A tool that is called with other arguments each time."""
    numbers = count()
    return lambda: tool(**agent.arguments_of(next(numbers))), flush


OURS = "Aftershock"
VARIANTS = {
    "uninstrumented": uninstrumented,
    "official": official,
    "official, HTTP too": official_all,
    OURS: aftershock,
}
BESIDE = ("official", "official, HTTP too")  # what ours is compared with


def work(variant: str, program: str, url: str) -> None:
    """One variant of one program, in this process: a line of input is a round."""
    with ExitStack() as stack:
        run, flush = VARIANTS[variant](program, url, stack)
        runs = PROGRAMS[program][1]
        for _ in sys.stdin:
            main_ns, process_ns = time.thread_time_ns(), time.process_time_ns()
            for _ in range(runs):
                run()
            main = time.thread_time_ns() - main_ns
            flush()
            process = time.process_time_ns() - process_ns
            print(json.dumps(Cost(main / runs / 1_000, process / runs / 1_000)), flush=True)


@contextmanager
def worker(variant: str, program: str, url: str, model: str) -> Generator[Callable[[], Cost]]:
    """A process that waits for its turns; each call is one."""
    command = [sys.executable, "-m", "tests.bench.overhead", "--work", variant, program, url]
    own = {"OPENAI_BASE_URL": model, "OPENAI_API_KEY": "none", "OPENAI_AGENTS_DISABLE_TRACING": "0"}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **own},
    ) as process:
        assert process.stdin
        assert process.stdout
        asks, answers = process.stdin, process.stdout

        def turn() -> Cost:
            asks.write("\n")
            asks.flush()
            return Cost(*json.loads(answers.readline()))

        yield turn
        asks.close()


def compare(program: str, url: str, rounds: int) -> dict[str, list[Cost]]:
    """What each round of each variant cost; in each round another one begins."""
    answers = [text_reply("All is well.")]
    if program != "openai chat":
        answers = [*(call("get_status", service=one) for one in SERVICES), *answers]
    found: dict[str, list[Cost]] = {name: [] for name in VARIANTS}
    with ModelServer(by_turn(*answers)) as model, ExitStack() as stack:
        turns = {
            name: stack.enter_context(worker(name, program, url, model.url)) for name in VARIANTS
        }
        for number in range(rounds + WARM_UPS):
            first = number % len(turns)
            names = [*turns][first:] + [*turns][:first]
            for name in names:
                found[name].append(turns[name]())
    return {name: costs[WARM_UPS:] for name, costs in found.items()}


def ratio(costs: dict[str, list[Cost]], other: str, part: str) -> float:
    """Ours to another's, of the same round: the median."""
    pairs = zip(costs[OURS], costs[other], strict=True)
    return statistics.median(getattr(ours, part) / getattr(theirs, part) for ours, theirs in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--work", nargs=3, metavar=("VARIANT", "PROGRAM", "URL"))
    asked = parser.parse_args()
    if asked.work:
        work(*asked.work)
        return
    heads = [*VARIANTS, *(f"ours / {other}" for other in BESIDE)]
    print(f"| µs of one run, medians of {asked.rounds} rounds | {' | '.join(heads)} |")
    print("| --- |" + " ---: |" * len(heads))
    with server("decoded only") as (url, _, _):
        for program in PROGRAMS:
            costs = compare(program, url, asked.rounds)
            for part in Cost._fields:
                medians = [
                    f"{statistics.median(getattr(one, part) for one in each):,.1f}"
                    for each in costs.values()
                ]
                place = "main thread" if part == "main" else "whole process"
                ratios = [f"{ratio(costs, other, part):.2f}" for other in BESIDE]
                print(f"| {program}: {place} | {' | '.join([*medians, *ratios])} |", flush=True)


if __name__ == "__main__":
    main()
