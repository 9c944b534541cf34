"""What recording costs an agent: the other part of `make bench`.

A tool call that does nothing, in a process of its own: plain, under a span of OpenTelemetry's SDK
with the attributes that the conventions want, and recorded by Aftershock. Each exports to a real
receiver on another core. Counted is the processor time of the app's own thread, and that of the
whole process: exporting happens beside the app, and takes the interpreter from it.

Every call has arguments and an answer of its own, so that nothing is cheap only for being repeated.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from tests.bench.collector import server

CALLS = 2_000
ROUNDS = 5
Tool = Callable[..., str]


def scale(service: str, replicas: int, reason: str) -> str:
    """A tool that does nothing: all that is measured is what is around it."""
    del reason
    return f'{{"service": "{service}", "replicas": {replicas}, "state": "scaling"}}'


def arguments_of(call: int) -> dict[str, Any]:
    """The arguments of one call, which no other call has."""
    return {"service": "checkout", "replicas": call, "reason": f"p95 is {call + 900} ms"}


def plain(_url: str, _stack: ExitStack) -> tuple[Tool, Callable[[], object]]:
    return scale, lambda: None


def sdk(url: str, _stack: ExitStack) -> tuple[Tool, Callable[[], object]]:
    """As a careful developer would by hand: names and arguments, no content."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    tracer = provider.get_tracer("bench")

    def called(**arguments: Any) -> str:
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "scale",
            "gen_ai.tool.type": "function",
        }
        with tracer.start_as_current_span("execute_tool scale", attributes=attributes):
            return scale(**arguments)

    return called, provider.force_flush


def aftershock(url: str, stack: ExitStack) -> tuple[Tool, Callable[[], object]]:
    """Fingerprints of arguments and result, start events, redaction: the default."""
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = url
    import aftershock as product

    product.instrument()
    tool = product.tool(tier="provision")(scale)
    stack.enter_context(product.run(agent="bench", goal="measure"))
    return tool, product.flush


VARIANTS = {"plain": plain, "OpenTelemetry SDK": sdk, "Aftershock": aftershock}


def measure(variant: str, url: str) -> dict[str, float]:
    """Microseconds a call, at the median of the rounds."""
    with ExitStack() as stack:
        call, flush = VARIANTS[variant](url, stack)
        own: list[float] = []
        whole: list[float] = []
        for number in range(ROUNDS + 1):  # the first one warms up
            given = [arguments_of(number * CALLS + place) for place in range(CALLS)]
            thread_ns, process_ns = time.thread_time_ns(), time.process_time_ns()
            for arguments in given:
                call(**arguments)
            own.append((time.thread_time_ns() - thread_ns) / CALLS / 1_000)
            flush()
            whole.append((time.process_time_ns() - process_ns) / CALLS / 1_000)
    return {"own": statistics.median(own[1:]), "whole": statistics.median(whole[1:])}


def main() -> None:
    if len(sys.argv) == 3:
        print(json.dumps(measure(*sys.argv[1:])))
        return
    found: dict[str, dict[str, float]] = {}
    with server("decoded only") as (url, _, _):
        for variant in VARIANTS:
            command = [sys.executable, "-m", "tests.bench.agent", variant, url]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found[variant] = json.loads(printed)
    print("a tool call                 µs of its thread   of the process")
    for variant, cost in found.items():
        ratio = cost["own"] / found["OpenTelemetry SDK"]["own"]
        print(f"  {variant:20}{cost['own']:>15.1f}{cost['whole']:>17.1f}   x{ratio:.2f}")


if __name__ == "__main__":
    main()
