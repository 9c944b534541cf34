"""No identifier uses a word that the field has a better one for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vocabulary import ROOT, banned_in, checked_files


@pytest.mark.parametrize("path", checked_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_identifiers_use_the_words_of_the_field(path: Path) -> None:
    assert banned_in(path) == []
