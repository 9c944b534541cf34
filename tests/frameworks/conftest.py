"""Each program played once for all that is asked of it.

    make frameworks                                     all of them
    FRAMEWORKS=openai,langchain make frameworks         some
    FRAMEWORKS=openai@latest make frameworks            in the newest version

A framework that cannot be installed is skipped, and says so.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.frameworks.catalogue import FRAMEWORKS, Framework, Program
from tests.support.frameworks.cells import CELLS, Scenes
from tests.support.frameworks.environments import environment_of, version_in
from tests.support.frameworks.measured import record
from tests.support.frameworks.play import LOOP, RAISES
from tests.support.frameworks.playing import GATE, POLICY, play, play_alone

NAMED = [one for one in os.environ.get("FRAMEWORKS", ",".join(FRAMEWORKS)).split(",") if one]
RECORD = "RECORD_FRAMEWORKS"  # a file that the measured cells are written to
_played: dict[str, Scenes] = {}


def in_version(named: str) -> Framework:
    """A framework by its name, or by NAME@VERSION."""
    name, _, version = named.partition("@")
    if name not in FRAMEWORKS:
        raise pytest.UsageError(f"no framework is called {name}: {', '.join(FRAMEWORKS)}")
    framework = FRAMEWORKS[name]
    if not version:
        return framework
    package = framework.requirements[0].partition("==")[0]
    wanted = package if version == "latest" else f"{package}=={version}"
    return replace(framework, requirements=(wanted, *framework.requirements[1:]))


PROGRAMS = [(one, program) for one in map(in_version, NAMED) for program in one.programs]


@pytest.fixture(params=PROGRAMS, ids=[program.file for _, program in PROGRAMS], scope="session")
def scenes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    """A program, played alone, recorded, with a tool that raises, and before a gate."""
    framework: Framework
    program: Program
    framework, program = request.param
    try:
        place = environment_of(framework.name, framework.requirements, framework.extra)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{framework.requirements[0]} could not be installed: {error}")
    root = tmp_path_factory.mktemp(program.file)
    scenes = Scenes(
        program,
        play_alone(place, program, LOOP, root / "alone"),
        play(place, program, LOOP, root / "loop", findings=2),
        play(place, program, RAISES, root / "raises"),
        play(place, program, LOOP, root / "gated", POLICY | GATE),
    )
    if file := os.environ.get(RECORD):
        package = framework.requirements[0].partition("==")[0].partition("[")[0]
        version = version_in(place, package)
        known = {"framework": framework.name, "version": version, "extra": framework.extra}
        record(Path(file), program.file, scenes, CELLS, cannot=program.cannot, known=known)
    return scenes
