"""The house rules that a machine can check, executed."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = (ROOT / "instrumentation" / "aftershock", ROOT / "collector" / "aftershock_collector")
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))

BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc", "base"}
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LINE_CHARS_MAX = 100


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_first_line_of_a_module_says_what_it_owns(path: Path) -> None:
    first = (ast.get_docstring(tree_of(path)) or "").partition("\n")[0]

    assert first.endswith(".")
    assert len(first.split()) >= 3


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_functions_are_short_enough_to_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    functions = [
        n for n in ast.walk(tree_of(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = {f.name for f in functions if (f.end_lineno or 0) - f.lineno + 1 > FUNCTION_LINES_MAX}

    assert len(text.splitlines()) <= MODULE_LINES_MAX
    assert long == set()
    assert {n for n, line in enumerate(text.splitlines(), 1) if len(line) > LINE_CHARS_MAX} == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_called_utils_or_manager(path: Path) -> None:
    assert set(path.relative_to(ROOT).with_suffix("").parts) & BANNED_NAMES == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_oldest_of_many_is_found_at_once(path: Path) -> None:
    """A plain dict steps over every place that was freed before its first key; OrderedDict pops."""
    text = path.read_text(encoding="utf-8")

    assert re.findall(r"(?:del |pop\().*next\(iter\(", text) == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_leftovers_and_no_silent_swallowing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    silent = [
        handler.lineno
        for handler in ast.walk(tree_of(path))
        if isinstance(handler, ast.ExceptHandler)
        and (handler.type is None or ast.unparse(handler.type) in {"Exception", "BaseException"})
        and all(isinstance(statement, ast.Pass) for statement in handler.body)
    ]

    assert [word for word in ("TODO", "FIXME", "XXX", "NotImplementedError") if word in text] == []
    assert silent == []


def test_attribute_names_are_spelled_in_one_module_only() -> None:
    """`aftershock.*` and `gen_ai.*` names live in attributes.py (dialects read foreign ones)."""
    allowed = {"attributes.py", "openinference.py", "genai.py"}
    found = [
        f"{name_of(path)}:{node.lineno} {node.value}"
        for path in MODULES
        if path.name not in allowed
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("gen_ai.")
        and " " not in node.value
    ]

    assert found == []


def test_the_repository_names_no_machine() -> None:
    """No path of a developer's machine reaches the product."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    marks = ["/" + "root/", "/" + "home/", "/" + "Users/", "/" + "work/"]
    guilty: list[str] = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix in {".png", ".gz", ".lock"} or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        guilty += [f"{name}: {mark}" for mark in marks if mark in text]

    assert guilty == []
