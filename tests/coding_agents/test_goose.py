"""A real goose against a scripted model: one run, its calls with their tiers, and its loop."""

from __future__ import annotations

import platform
import subprocess
import time
from pathlib import Path

import pytest

from aftershock.model import StepKind, Tier
from tests.coding_agents.test_real_agents import ARRIVES_S, connect, judged
from tests.support.coding_agents.clis import GOOSE, Session
from tests.support.coding_agents.scripted_model import Script, ScriptedModel, shell
from tests.support.live_collector import live_collector

pytestmark = [pytest.mark.slow, pytest.mark.coding_agents]

COMMANDS = [*["cat notes.txt"] * 6, "rm -rf build"]


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="another program"
)
def test_a_session_of_goose_is_one_run_with_its_requests_and_its_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        GOOSE.install()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{GOOSE.package}@{GOOSE.version} could not be installed: {error}")
    home, work = tmp_path / "home", tmp_path / "project"
    (work / "build").mkdir(parents=True)
    (work / "notes.txt").write_text("the status is green\n")
    script = Script({"": [shell(command) for command in COMMANDS]})
    with live_collector(tmp_path / "collector") as collector, ScriptedModel(script) as model:
        session = Session(home, work, model.url)
        connect(GOOSE, session, collector.url, monkeypatch)
        ran = GOOSE.run(session, "Tidy up.")
        deadline = time.monotonic() + ARRIVES_S
        run, findings = judged(collector.home)
        while not findings and time.monotonic() < deadline:
            time.sleep(0.5)
            run, findings = judged(collector.home)

    assert run is not None, (ran.stdout[-1_000:], ran.stderr[-1_000:])
    actions = [step.action for step in run.steps if step.action is not None]
    kinds = [step.kind for step in run.steps]
    assert run.agent == "goose"
    assert not (work / "build").exists()
    assert [action.tool for action in actions] == ["shell"] * len(COMMANDS)
    assert [action.tier for action in actions] == [Tier.READ] * 6 + [Tier.DESTRUCTIVE]
    assert kinds.count(StepKind.INFERENCE) == len(script.asked)
    assert {finding.kind for finding in findings} == {"repeated_action"}
