"""Agents of real frameworks that hand a task round: the circle is seen, and found."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from aftershock.model import Level, StepKind
from tests.support.frameworks.catalogue import FRAMEWORKS, Program
from tests.support.frameworks.environments import environment_of
from tests.support.frameworks.play import HANDED_ON, LAST, LOOP
from tests.support.frameworks.playing import play

pytestmark = [pytest.mark.slow, pytest.mark.frameworks, pytest.mark.timeout(900)]

HAND_OFFS = 8
CIRCLES = {
    "autogen-agentchat": "autogen_circle",
    "google-adk": "adk_circle",
    "langchain": "langgraph_circle",
    "openai-agents": "agents_circle",
}
NAMED = os.environ.get("FRAMEWORKS", ",".join(CIRCLES)).replace("@latest", "").split(",")


@pytest.mark.parametrize("name", [name for name in CIRCLES if name in NAMED])
def test_a_task_that_two_agents_hand_to_each_other_is_found_once(name: str, tmp_path: Path) -> None:
    framework = FRAMEWORKS[name]
    try:
        place = environment_of(name, framework.requirements)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{name} could not be installed: {error}")
    program = Program(CIRCLES[name], "a circle", turns=HANDED_ON[:1] * HAND_OFFS)

    played = play(place, program, LOOP, tmp_path / "circle", findings=1)

    assert (played.status, LAST in played.printed) == (0, True), played
    (run,) = played.runs
    handed = [(step.agent, step.name) for step in run.steps(StepKind.HAND_OFF)]
    there, back = ("ops_agent", "database_agent"), ("database_agent", "ops_agent")
    assert handed == [there, back] * (HAND_OFFS // 2), played
    (found,) = [
        one for one in run.findings if one.kind == "action_cycle" and one.level is Level.ALARM
    ]
    assert "ops_agent to database_agent" in found.summary
    assert "database_agent to ops_agent" in found.summary
