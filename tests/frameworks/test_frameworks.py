"""Programs written with real frameworks, run unchanged: what is known of each afterwards."""

from __future__ import annotations

import pytest

from tests.support.frameworks.cells import CELLS, Scenes

pytestmark = [pytest.mark.slow, pytest.mark.frameworks, pytest.mark.timeout(900)]


@pytest.mark.parametrize("cell", CELLS)
def test_the_program_shows_what_the_table_says_of_it(scenes: Scenes, cell: str) -> None:
    if cell in scenes.program.lacks:
        pytest.skip(f"{scenes.program.file} has no place for it")
    shows = CELLS[cell](scenes)
    why = scenes.program.cannot.get(cell)
    assert shows is (why is None), (
        f"{cell}: {CELLS[cell].__doc__} {f'It does now, although: {why}' if why else ''}\n"
        f"{scenes.raises if cell == 'errors' else scenes.gated if cell == 'gate' else scenes.loop}"
    )
