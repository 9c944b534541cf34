"""Playing a program: a process under `aftershock run`, a scripted model and a real collector."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aftershock.limits import Limits
from aftershock.model import Finding, Impact, Run, Step, StepKind
from aftershock.policy.policy import EMPTY
from aftershock.runs.fold import Window
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.run_summary import RunSummary
from tests.support.coding_agents.scripted_model import ScriptedModel
from tests.support.frameworks.catalogue import Program
from tests.support.frameworks.play import Play
from tests.support.live_collector import live_collector

AGENTS = Path(__file__).parents[2] / "frameworks" / "agents"
RUN_S, ARRIVES_S = 300, 10.0
US = ("aftershock", "run")
# The agents of OpenTelemetry that load whatever instrumentations are installed.
OTHERS = ("opentelemetry-instrument",)
AS_OTHERS_DO = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_SERVICE_NAME": "operations",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_BSP_SCHEDULE_DELAY": "200",  # ms
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "4096",  # OpenInference writes several for each message
    "TRACELOOP_TELEMETRY": "false",
}
POLICY = {
    "tools": {
        "scale_workers": {
            "tier": "provision",
            "targets": [{"service.name": "{service}"}],
            "requires": [{"fact": "maintenance_window", "subject": "prod"}],
        }
    }
}
GATE = {"gate": {"mode": "enforce", "tiers": {"provision": "deny"}}}


@dataclass(frozen=True, slots=True)
class Judged:
    """One run, as the collector keeps it."""

    summary: RunSummary
    run: Run
    findings: tuple[Finding, ...]
    impacts: tuple[Impact, ...]

    def steps(self, kind: StepKind) -> list[Step]:
        return [step for step in self.run.steps if step.kind is kind]

    def found(self, rule: str) -> int:
        return sum(finding.kind == rule for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Played:
    """What a program did, and what is known of it."""

    status: int
    printed: str
    errors: str
    effects: str  # what its tools changed
    asked: Sequence[str]  # bodies of the requests to the model
    runs: Sequence[Judged] = ()
    kept: str = ""  # every attribute of every record in the store
    spans: Sequence[Mapping[str, Any]] = ()  # their attributes

    def __str__(self) -> str:
        lines = [f"status {self.status}", self.printed[-2_000:], self.errors[-4_000:]]
        for one in self.runs:
            ended = "ended" if one.summary.ended_at_ns else "not ended"
            found = [finding.kind for finding in one.findings]
            lines.append(f"run of {one.summary.agents}, {ended}: {found} {one.impacts}")
            lines += [f"  {described(step)}" for step in one.run.steps]
        return "\n".join(lines)


def described(step: Step) -> str:
    action = step.action
    call = ""
    if action is not None:
        result = action.result.digest[:6] if action.result else None
        call = (f"{action.call_id} {action.arguments.digest[:6]} → {result} {action.outcome}"
                f" {action.error_class} {action.targets}")  # fmt: skip
    return f"{step.kind} {step.name!r} of {step.agent} {step.tokens or ''} {call}"


def play_alone(environment: Path, program: Program, prompt: str, work: Path) -> Played:
    """The program without us."""
    with ScriptedModel(Play(program.turns)) as model:
        python = str(environment / "bin" / "python")
        return started([python], program, prompt, variables(model.url, work), model.script)


def play(
    environment: Path,
    program: Program,
    prompt: str,
    work: Path,
    policy: Mapping[str, Any] = POLICY,
    *,
    findings: int = 0,
    launcher: tuple[str, ...] = US,
) -> Played:
    """The program, recorded, until so many findings and everything else arrived."""
    work.mkdir(parents=True)
    (work / "aftershock.yaml").write_text(json.dumps(policy))  # which is YAML too
    with (
        live_collector(work / "collector", dict(policy)) as collector,
        ScriptedModel(Play(program.turns)) as model,
    ):
        binaries = environment / "bin"
        command = [str(binaries / launcher[0]), *launcher[1:], str(binaries / "python")]
        surroundings = variables(model.url, work) | {
            **(AS_OTHERS_DO if launcher is OTHERS else {}),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "AFTERSHOCK_EXIT_STALL_S": "5",  # this machine may be busy
        }
        played = started(command, program, prompt, surroundings, model.script)
        runs = arrived(collector.home, findings)
        kept, spans = everything_in(collector.home)
        return replace(played, runs=runs, kept=kept, spans=spans)


def variables(model: str, work: Path) -> dict[str, str]:
    """What a program finds in its environment, and nothing of ours."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(work),
        "EFFECTS": str(work / "effects"),
        "OPENAI_BASE_URL": f"{model}/v1",
        "OPENAI_API_BASE": f"{model}/v1",  # as LlamaIndex and LiteLLM call it
        "OPENAI_API_KEY": "dummy",
        "ANTHROPIC_BASE_URL": model,
        "ANTHROPIC_API_KEY": "dummy",
        "GOOGLE_GEMINI_BASE_URL": model,
        "GEMINI_API_KEY": "dummy",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": model,
        "AWS_ACCESS_KEY_ID": "dummy",
        "AWS_SECRET_ACCESS_KEY": "dummy",
        "AWS_REGION": "us-east-1",
        "CREWAI_DISABLE_TELEMETRY": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it waits for its price list
    }


def started(
    command: list[str],
    program: Program,
    prompt: str,
    surroundings: dict[str, str],
    script: Play,
) -> Played:
    work = Path(surroundings["HOME"])
    work.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [*command, str(AGENTS / f"{program.file}.py"), prompt],
        cwd=work,
        env=surroundings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_S,
    )
    effects = work / "effects"
    changed = effects.read_text() if effects.exists() else ""
    asked = [json.dumps(one.body) for one in script.asked]
    return Played(done.returncode, done.stdout, done.stderr, changed, asked)


def arrived(home: Path, findings: int) -> list[Judged]:
    """The runs, once there is one that is over and has that many findings; or after a while."""
    deadline = time.monotonic() + ARRIVES_S
    while True:
        runs = judged(home)
        over = bool(runs) and all(one.summary.ended_at_ns and not one.summary.open for one in runs)
        if (over and len(runs[0].findings) >= findings) or time.monotonic() > deadline:
            return runs
        time.sleep(0.3)


def judged(home: Path) -> list[Judged]:
    """The runs of a store, the oldest first."""
    found: list[Judged] = []
    with Reader.open(home / "aftershock.db") as reader:
        for summary in reader.runs():
            window = Window(summary.run_id, Limits())
            window.add(reader.steps(summary.run_id, EMPTY))
            claims = tuple(claim.finding for claim in reader.claims(summary.run_id))
            impacts = tuple(reader.impacts(summary.run_id))
            found.append(Judged(summary, window.whole(0), claims, impacts))
    return sorted(found, key=lambda one: one.summary.began_at_ns)


def everything_in(home: Path) -> tuple[str, list[Mapping[str, Any]]]:
    """All that is kept of the runs of a store, as text; and the attributes of its spans."""
    with Reader.open(home / "aftershock.db") as reader:
        ids = [summary.run_id for summary in reader.runs()]
        spans = [span for run_id in ids for span in reader.spans(run_id)]
        events = [event for run_id in ids for event in reader.events(run_id)]
    return repr((spans, events)), [span.attributes for span in spans]
