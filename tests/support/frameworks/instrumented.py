"""Programs instrumented by others, without us in their process: what their spans show.

The same programs as in the catalogue, under `opentelemetry-instrument`, pointed at the collector.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aftershock.model import StepKind
from tests.support.frameworks.catalogue import FRAMEWORKS, Framework, Program
from tests.support.frameworks.cells import (
    CELLS,
    Scenes,
    actions,
    hand_offs,
    is_internal,
    only,
    steps,
    tokens,
)
from tests.support.frameworks.play import HAND_OFF

OPENINFERENCE, OPENLLMETRY = "OpenInference", "OpenLLMetry"
BESIDE = ("opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http")
APART = "Each request to the model is a trace of its own: nothing says that they belong together."
NO_CALLS = "The program calls its functions itself, and nothing records that."
NO_HAND_OFFS = "A hand-off is the call of a tool, and no span says that it is more."
NO_REQUESTS = "It records no requests to the model: the instrumentation of the model's SDK does."
NAMED_AT_END = "A span names its agent when that ends: until then the loop is the first agent's."


@dataclass(frozen=True, slots=True)
class Instrumented:
    """One program under the instrumentation of one family."""

    family: str
    package: str  # the instrumentation, as it is installed
    framework: Framework
    program: Program
    cannot: Mapping[str, str] = field(default_factory=dict[str, str])  # cell → why

    @property
    def name(self) -> str:
        """What tests and data call it."""
        return f"{self.family.lower()}-{self.program.file}"

    @property
    def requirements(self) -> tuple[str, ...]:
        """What its environment holds."""
        return (*self.framework.requirements, self.package, *BESIDE)


def under(
    family: str, package: str, framework: str, file: str, cannot: Mapping[str, str] | None = None
) -> Instrumented:
    """A program of the catalogue under an instrumentation."""
    found = FRAMEWORKS[framework]
    program = next(one for one in found.programs if one.file == file)
    return Instrumented(family, package, found, program, cannot or {})


BARE = {
    "runs": APART, "agent": APART, "tools": NO_CALLS, "errors": NO_CALLS, "loop": NO_CALLS,
    "facts": NO_CALLS,
}  # fmt: skip
OI, TL = "openinference-instrumentation", "opentelemetry-instrumentation"
INSTRUMENTED = (
    under(OPENINFERENCE, f"{OI}-openai==0.1.66", "openai", "openai_chat", BARE),
    under(OPENINFERENCE, f"{OI}-langchain==0.1.80", "langchain", "langchain_agent"),
    under(OPENINFERENCE, f"{OI}-langchain==0.1.80", "langchain", "langgraph_hand_off",
          {"hand-offs": NO_HAND_OFFS}),
    under(OPENINFERENCE, f"{OI}-openai-agents==2.6.0", "openai-agents", "agents_hand_off"),
    under(OPENINFERENCE, f"{OI}-crewai==1.1.21", "crewai", "crewai_crew",
          {"steps": NO_REQUESTS, "tokens": NO_REQUESTS}),
    under(OPENINFERENCE, f"{OI}-smolagents==0.1.43", "smolagents", "smolagents_calls"),
    under(OPENINFERENCE, f"{OI}-agno==1.0.15", "agno", "agno_agent"),
    under(OPENLLMETRY, f"{TL}-openai==0.62.4", "openai", "openai_chat", BARE),
    under(OPENLLMETRY, f"{TL}-langchain==0.62.4", "langchain", "langchain_agent"),
    under(OPENLLMETRY, f"{TL}-langchain==0.62.4", "langchain", "langgraph_hand_off",
          {"hand-offs": NO_HAND_OFFS}),
    under(OPENLLMETRY, f"{TL}-openai-agents==0.62.4", "openai-agents", "agents_hand_off",
          {"hand-offs": NO_HAND_OFFS, "loop": NAMED_AT_END}),
)  # fmt: skip


def agents(scenes: Scenes) -> bool:
    """Each step is of the agent that made it."""
    run = only(scenes.loop)
    if run is None:
        return False
    acting = [*run.steps(StepKind.INFERENCE), *run.steps(StepKind.TOOL_CALL)]
    expected = set(scenes.program.agents) or {scenes.program.agent}
    return {step.agent for step in acting} == expected


def tools(scenes: Scenes) -> bool:
    """Each call of a tool is one step with the fingerprints of its arguments and its result."""
    calls = [one for one in actions(scenes.loop) if not is_internal(one.tool)]
    asked = [call for turn in scenes.program.turns for call in turn if call[0] != HAND_OFF]
    return (
        len(calls) == len(asked)
        and all(one.result is not None for one in calls)
        and len({(one.tool, one.arguments.digest) for one in calls}) == 2
    )


SEEN: Mapping[str, Callable[[Scenes], bool]] = {
    "runs": CELLS["runs"],
    "agent": agents,
    "steps": steps,
    "tools": tools,
    "tokens": tokens,
    "hand-offs": hand_offs,
    "errors": CELLS["errors"],
    "loop": CELLS["loop"],
    "facts": CELLS["facts"],
}
