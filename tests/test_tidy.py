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

CHECKED = ("instrumentation", "collector", "dashboards", "alerts", "deploy", "docs", "tests")
EVERYTHING = sorted(path for folder in CHECKED for path in (ROOT / folder).rglob("*.py"))

# Longer than the limits allow. The numbers may only shrink; what is short enough leaves the table.
LONG_MODULES = {
    "tests/evaluation/situations/healthy_a.py": 456,
    "tests/evaluation/situations/sick_a.py": 435,
    "tests/collector/review/test_why.py": 500,
    "tests/collector/sources/test_ingest_queue.py": 500,
    "tests/collector/sources/test_otlp_http.py": 450,
    "tests/collector/sources/test_recorded_files.py": 450,
}
LONG_FUNCTIONS = {"tests/collector/config/test_config.py:test_every_section_reaches_its_field": 73}
LONG_LINES = {"tests/instrumentation/redaction/secrets.py"}  # secrets as they are, each on its line

BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc", "base"}
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LINE_CHARS_MAX = 100
TEST_LINE_CHARS_MAX = 120  # addresses, queries and sentences that a test is about


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_first_line_of_a_module_says_what_it_owns(path: Path) -> None:
    first = (ast.get_docstring(tree_of(path)) or "").partition("\n")[0]

    assert first.endswith(".")
    assert len(first.split()) >= 3


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_modules_and_functions_are_short_enough_to_read(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    long = {
        f"{name_of(path)}:{node.name}": length
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    }

    assert len(lines) <= LONG_MODULES.get(name_of(path), MODULE_LINES_MAX)
    assert {} == {name: n for name, n in long.items() if n > LONG_FUNCTIONS.get(name, 0)}
    if name_of(path) in LONG_LINES:
        return
    most = LINE_CHARS_MAX if name_of(path).partition("/")[0] != "tests" else TEST_LINE_CHARS_MAX
    assert [] == [n for n, line in enumerate(lines, 1) if len(line) > most]


def test_what_is_short_enough_leaves_the_table_of_exceptions() -> None:
    """The table may only shrink: an exception that is no longer needed is a change to commit."""
    needless = [
        name
        for name in LONG_MODULES
        if not (ROOT / name).exists()
        or len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= MODULE_LINES_MAX
    ]

    assert needless == []


def test_no_test_of_the_fast_suite_asserts_how_fast_this_machine_is() -> None:
    """What is measured belongs to `slow` tests and to tests/bench: elsewhere load makes it fail."""
    timed = [
        f"{name_of(path)}:{test.name}"
        for path in EVERYTHING
        if path.name.startswith("test_")
        for test in ast.walk(tree_of(path))
        if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef)
        and not any("slow" in ast.unparse(mark) for mark in test.decorator_list)
        and any(
            isinstance(node, ast.Assert)
            and re.search(r"time\.(monotonic|perf_counter)\(\) - \w+ <", ast.unparse(node))
            for node in ast.walk(test)
        )
    ]

    assert timed == []


def test_no_module_is_there_that_nothing_imports() -> None:
    """Dead files: every module is imported, or started by its name."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in EVERYTHING)
    files = [
        ROOT / name for name in ("pyproject.toml", "Makefile", ".ci/run", "docker-compose.yml")
    ]
    started = "\n".join(path.read_text(encoding="utf-8") for path in files)
    dead = [
        name_of(path)
        for path in MODULES
        if path.stem not in {"__init__", "__main__", "sitecustomize"}
        and not re.search(rf"(?m)(import|from) .*\b{path.stem}\b", text)
        and not re.search(rf"^\s+{path.stem},$", text, re.MULTILINE)
        and f'"{path.stem}"' not in text
        and path.stem not in started
    ]

    assert dead == []


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
