"""Programs that others instrument, pointed at the collector: what it makes of their spans.

INSTRUMENTED=openllmetry-langchain_agent names some.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.frameworks.cells import Scenes
from tests.support.frameworks.environments import environment_without_us, version_in
from tests.support.frameworks.instrumented import INSTRUMENTED, SEEN, Instrumented
from tests.support.frameworks.measured import record
from tests.support.frameworks.play import LOOP, RAISES
from tests.support.frameworks.playing import OTHERS, play

pytestmark = [pytest.mark.slow, pytest.mark.frameworks, pytest.mark.timeout(900)]

ALL = ",".join(one.name for one in INSTRUMENTED)
RECORD = "RECORD_INSTRUMENTED"  # a file that the measured cells are written to
NAMED = os.environ.get("INSTRUMENTED", ALL).split(",")


@pytest.fixture(
    params=[one for one in INSTRUMENTED if one.name in NAMED],
    ids=lambda one: one.name,
    scope="module",
)
def instrumented(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Instrumented, Scenes]:
    """A program, played with the main prompt, and with a tool that raises."""
    one: Instrumented = request.param
    try:
        place = environment_without_us(one.name, one.requirements)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{one.package} could not be installed: {error}")
    root = tmp_path_factory.mktemp(one.name)
    loop = play(place, one.program, LOOP, root / "loop", findings=2, launcher=OTHERS)
    raises = play(place, one.program, RAISES, root / "raises", launcher=OTHERS)
    scenes = Scenes(one.program, loop, loop, raises, loop)
    if file := os.environ.get(RECORD):
        package = one.package.partition("==")[0]
        known = {
            "instrumentation": one.family,
            "version": version_in(place, package),
            "framework": one.framework.name,
        }
        record(Path(file), one.name, scenes, SEEN, cannot=one.cannot, known=known)
    return one, scenes


@pytest.mark.parametrize("cell", SEEN)
def test_what_others_record_shows_what_the_table_says_of_it(
    instrumented: tuple[Instrumented, Scenes], cell: str
) -> None:
    one, scenes = instrumented
    if cell in one.program.lacks:
        pytest.skip(f"{one.program.file} has no place for it")
    shows = SEEN[cell](scenes)
    why = one.cannot.get(cell)
    assert shows is (why is None), (
        f"{cell}: {SEEN[cell].__doc__} {f'It does now, although: {why}' if why else ''}\n"
        f"{scenes.raises if cell == 'errors' else scenes.loop}"
    )
