"""A real Cline against a scripted model: the session that it leaves is read whole."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from aftershock.model import Outcome, StepKind, Tier
from aftershock.policy.policy import EMPTY
from aftershock_collector.reading.decoder import PROTOBUF, Readers, Signal, decode
from aftershock_collector.sources.transcripts.files import places, read_session, sessions_in
from tests.support.coding_agents.clis import CLINE, MODEL, Session
from tests.support.coding_agents.scripted_model import Script, ScriptedModel, shell

pytestmark = [pytest.mark.slow, pytest.mark.coding_agents]

COMMANDS = ["cat notes.txt", "cat missing.txt", "exit 3", "rm -rf build"]
CLI_S = 60


def home_of(place: Path) -> dict[str, str]:
    return {"HOME": str(place), "PATH": os.environ["PATH"]}


@pytest.fixture
def session(tmp_path: Path) -> Generator[Session]:
    """A home in which Cline may work; the program that it leaves running there is ended."""
    if shutil.which("npm") is None and not CLINE.program.exists():
        pytest.skip(f"npm is missing: Cline {CLINE.version} was not run")
    try:
        CLINE.install()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{CLINE.package}@{CLINE.version} could not be installed: {error}")
    work = tmp_path / "project"
    (work / "build").mkdir(parents=True)
    (work / "notes.txt").write_text("the status is green\n")
    yield Session(tmp_path, work, "")
    subprocess.run(
        [CLINE.program, "hub", "stop"], env=home_of(tmp_path), check=False, timeout=CLI_S
    )


def test_the_session_that_cline_left_says_of_each_command_how_it_ended(session: Session) -> None:
    with ScriptedModel(Script({"": [shell(command) for command in COMMANDS]})) as model:
        session.model = model.url
        asked = [str(CLINE.program), "auth", "-p", "openai", "-k", "dummy", "-m", MODEL]
        asked += ["-b", f"{model.url}/v1"]
        environment = home_of(session.home)
        subprocess.run(asked, env=environment, check=True, timeout=CLI_S, capture_output=True)
        ran = CLINE.run(session, "Tidy up.")
    (files,) = sessions_in(places({"HOME": str(session.home)}), None)
    found = read_session(files, lambda _model, _usage: None)

    assert found is not None, (ran.stdout[-1_000:], ran.stderr[-1_000:])
    steps = [
        step
        for body in found.bodies()
        for step in decode(body, Signal.TRACES, PROTOBUF, Readers.by(EMPTY), 1).steps
    ]
    actions = [step.action for step in steps if step.action is not None]
    assert (found.service, not found.rejected) == ("cline", True)
    assert [action.outcome for action in actions][1:3] == [Outcome.FAILED] * 2
    assert [action.tier for action in actions][::3] == [Tier.READ, Tier.DESTRUCTIVE]
    assert [step.kind for step in steps].count(StepKind.INFERENCE) == len(COMMANDS) + 1
    assert not (session.work / "build").exists()
