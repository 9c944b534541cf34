"""Real coding agents against a scripted model: what they leave, what they send, what they obey."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

from aftershock.limits import Limits
from aftershock.model import Finding, Outcome, Run, Step, StepKind, Tier
from aftershock.policy.policy import EMPTY
from aftershock.runs.fold import Window
from aftershock_collector.commands.connect import write
from aftershock_collector.config.coding_agents import needs_of
from aftershock_collector.reading.decoder import PROTOBUF, Readers, Signal, decode
from aftershock_collector.sources.transcripts.files import places, read_session, sessions_in
from aftershock_collector.store.reader import Reader
from tests.support.coding_agents.canary import Request, attributes_read, vanished
from tests.support.coding_agents.clis import AGENTS, CONNECTED, QUICK, Agent, Session
from tests.support.coding_agents.record_telemetry import Recorder
from tests.support.coding_agents.scripted_model import Script, ScriptedModel, shell
from tests.support.coding_agents.sessions import PROMPT, played, prepared
from tests.support.live_collector import live_collector

pytestmark = [pytest.mark.slow, pytest.mark.coding_agents]

DATA = Path(__file__).parents[1] / "data" / "coding-agents"
DENY = {"gate": {"mode": "enforce", "tiers": {"destructive": "deny"}}}
ARRIVES_S = 30.0


def connect(
    one: Agent, session: Session, url: str, monkeypatch: pytest.MonkeyPatch, *, gate: bool = False
) -> None:
    """What `aftershock connect AGENT --write` does in that agent's home."""
    monkeypatch.setenv("HOME", str(session.home))
    monkeypatch.setenv("AFTERSHOCK_HOME", str(session.home / "aftershock"))
    hook = Path(__file__).parents[2] / ".venv" / "bin" / "aftershock"
    needs = needs_of(CONNECTED.get(one.name, one.name), url, f"{hook} gate" if gate else None)
    assert list(write(needs))
    session.environment |= {**QUICK, **needs.variables, "AFTERSHOCK_COLLECTOR": url}
    if one.name == "codex":
        session.arguments.append("--dangerously-bypass-hook-trust")


def test_the_session_that_it_left_is_read_whole(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    session = played(agent, tmp_path)
    (files,) = sessions_in(places({"HOME": str(session.home)}), None)
    found = read_session(files, lambda _model, _usage: None)
    assert found is not None
    assert found.service == agent.name
    steps = [
        step
        for body in found.bodies()
        for step in decode(body, Signal.TRACES, PROTOBUF, Readers.by(EMPTY), 1).steps
    ]
    actions = [step.action for step in steps if step.action is not None]
    kinds = [step.kind for step in steps]

    assert not found.rejected
    assert kinds.count(StepKind.TOOL_CALL) >= 10
    assert kinds.count(StepKind.INFERENCE) >= 10
    assert [one.tier for one in actions].count(Tier.DESTRUCTIVE) == 2
    assert [one.outcome for one in actions].count(Outcome.FAILED) >= 3


def test_connected_it_sends_one_run_with_its_calls_its_failures_and_its_loop(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        live_collector(tmp_path / "collector") as collector,
        prepared(agent.name, tmp_path / "agent") as (session, _),
    ):
        connect(agent, session, collector.url, monkeypatch)
        ran = agent.run(session, PROMPT)
        deadline = time.monotonic() + ARRIVES_S
        run, findings = judged(collector.home)
        while (run is None or len(calls_of(run)) < 10 or not findings) and (
            time.monotonic() < deadline
        ):
            time.sleep(0.5)
            run, findings = judged(collector.home)

    printed = (ran.stdout[-1_000:], ran.stderr[-1_000:])
    assert run is not None, printed
    inferences = [step for step in run.steps if step.kind is StepKind.INFERENCE]
    actions = [step.action for step in calls_of(run) if step.action is not None]
    outcomes = [action.outcome for action in actions]
    assert len(actions) >= 10, printed
    assert len({action.call_id for action in actions}) in {1, len(actions)}
    assert outcomes.count(Outcome.FAILED) == 3, outcomes
    assert [action.tier for action in actions].count(Tier.DESTRUCTIVE) == 2
    assert len([one for one in inferences if one.tokens is not None]) >= 10
    assert "repeated_action" in {finding.kind for finding in findings}


def judged(home: Path) -> tuple[Run | None, list[Finding]]:
    """The only run of a store, and what was found in it."""
    with Reader.open(home / "aftershock.db") as reader:
        runs = reader.runs()
        assert len(runs) <= 1, "one session is one run"
        if not runs:
            return None, []
        steps = reader.steps(runs[0].run_id, EMPTY)
        findings = [claim.finding for claim in reader.claims(runs[0].run_id)]
    window = Window(runs[0].run_id, Limits())
    window.add(steps)
    return window.whole(0), findings


def calls_of(run: Run) -> list[Step]:
    return [step for step in run.steps if step.kind is StepKind.TOOL_CALL]


def test_no_attribute_that_is_read_of_it_has_vanished(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = DATA / f"{agent.name}-{AGENTS[agent.name].version}.json.gz"
    document = json.loads(gzip.decompress(recorded.read_bytes()))
    before = [
        Request(one["signal"], "application/json", json.dumps(one["body"]).encode())
        for one in document["sessions"]["connected"]
    ]
    with Recorder() as recorder, prepared(agent.name, tmp_path) as (session, _):
        connect(agent, session, recorder.url, monkeypatch)
        agent.run(session, PROMPT)
        time.sleep(1)
    now = [Request(path.rpartition("/")[2], kind, body) for path, kind, body in recorder.kept]

    gone = vanished(attributes_read(before), attributes_read(now))
    assert not gone, f"{agent.name} {agent.version} no longer sends: {', '.join(gone)}"


def test_a_call_that_the_gate_denies_does_not_run_and_the_model_reads_why(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "agent"
    home, work = root / "home", root / "project"
    for folder in (home, work, work / "build"):
        folder.mkdir(parents=True)
    script = Script({"": [shell("echo hello > hello.txt"), shell("rm -r build")]})
    with live_collector(tmp_path / "collector", DENY) as collector, ScriptedModel(script) as model:
        session = Session(home, work, model.url)
        connect(agent, session, collector.url, monkeypatch, gate=True)
        ran = agent.run(session, PROMPT)

    printed = (ran.stdout[-1_500:], ran.stderr[-1_500:])
    assert (work / "hello.txt").read_text() == "hello\n", printed
    assert (work / "build").is_dir(), printed
    bodies: list[Any] = [asked.body for asked in script.asked if asked.results >= 2]
    assert bodies, printed
    assert any("was not run" in str(body) for body in bodies), printed
