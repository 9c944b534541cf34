"""The house rules that a machine can check, executed."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PACKAGES = (ROOT / "instrumentation" / "aftershock", ROOT / "collector" / "aftershock_collector")
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))

CHECKED = ("instrumentation", "collector", "dashboards", "alerts", "deploy", "docs", "tests")
EVERYTHING = sorted(path for folder in CHECKED for path in (ROOT / folder).rglob("*.py"))

LONG_LINES = {"tests/instrumentation/redaction/secrets.py"}  # secrets as they are, each on its line

BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc", "base"}
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LINE_CHARS_MAX = 100
TEST_LINE_CHARS_MAX = 120  # addresses, queries and sentences that a test is about


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


class Module(NamedTuple):
    """What the rules ask of one file; of its tree nothing else is kept."""

    first_line: str
    functions: dict[str, int]  # lines of each
    named: frozenset[str]  # what may name a module
    timed: list[str]  # tests outside `slow` that assert a time
    silent: list[int]  # lines of handlers that swallow any exception
    spelled: list[str]  # attribute names of GenAI


@cache
def module_of(path: Path) -> Module:
    tree = ast.parse(text_of(path))
    found = Module((ast.get_docstring(tree) or "").partition("\n")[0], {}, frozenset(), [], [], [])
    named: set[str] = set()
    for node in ast.walk(tree):
        named.update(names_in(node))
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.functions[node.name] = (node.end_lineno or 0) - node.lineno + 1
                if path.name.startswith("test_") and asserts_a_time(node):
                    found.timed.append(node.name)
            case ast.ExceptHandler() if swallows(node):
                found.silent.append(node.lineno)
            case ast.Constant(value=str(text)) if text.startswith("gen_ai.") and " " not in text:
                found.spelled.append(f"{node.lineno} {text}")
            case _:
                pass
    return found._replace(named=frozenset(named))


def asserts_a_time(test: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """True for a test of the fast suite that fails on a slow machine."""
    if any("slow" in ast.unparse(mark) for mark in test.decorator_list):
        return False
    return any(
        isinstance(node, ast.Assert)
        and re.search(r"time\.(monotonic|perf_counter)\(\) - \w+ <", ast.unparse(node))
        for node in ast.walk(test)
    )


def swallows(handler: ast.ExceptHandler) -> bool:
    """True for a handler of any exception that does nothing."""
    if handler.type is not None and ast.unparse(handler.type) not in {"Exception", "BaseException"}:
        return False
    return all(isinstance(statement, ast.Pass) for statement in handler.body)


def names_in(node: ast.AST) -> Iterator[str]:
    """What may name a module: parts of an import, and whole strings."""
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield from alias.name.split(".")
        case ast.ImportFrom(module=module, names=names):
            yield from (module or "").split(".")
            yield from (alias.name for alias in names)
        case ast.Constant(value=str(text)):
            yield text
        case _:
            pass


def test_the_first_line_of_a_module_says_what_it_owns() -> None:
    first = {name_of(path): module_of(path).first_line for path in MODULES}

    assert {} == {
        name: line for name, line in first.items() if not line.endswith(".") or line.count(" ") < 2
    }


def test_modules_and_functions_are_short_enough_to_read() -> None:
    modules = {name_of(path): text_of(path).count("\n") for path in EVERYTHING}
    functions = {
        f"{name_of(path)}:{name}": lines
        for path in EVERYTHING
        for name, lines in module_of(path).functions.items()
    }

    assert {} == {name: lines for name, lines in modules.items() if lines > MODULE_LINES_MAX}
    assert {} == {name: lines for name, lines in functions.items() if lines > FUNCTION_LINES_MAX}


def test_lines_are_short_enough_to_read() -> None:
    def most(name: str) -> int:
        return TEST_LINE_CHARS_MAX if name.startswith("tests/") else LINE_CHARS_MAX

    assert [] == [
        f"{name}:{number}"
        for path in EVERYTHING
        if (name := name_of(path)) not in LONG_LINES
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if len(line) > most(name)
    ]


def test_no_test_of_the_fast_suite_asserts_how_fast_this_machine_is() -> None:
    """What is measured belongs to `slow` tests and to tests/bench: elsewhere load makes it fail."""
    timed = [f"{name_of(path)}:{name}" for path in EVERYTHING for name in module_of(path).timed]

    assert timed == []


def test_no_module_is_there_that_nothing_imports() -> None:
    """Dead files: every module is imported, or started by its name."""
    files = ("pyproject.toml", "Makefile", ".ci/run", "docker-compose.yml")
    started = "\n".join(text_of(ROOT / name) for name in files)
    named = frozenset[str]().union(*(module_of(path).named for path in EVERYTHING))
    dead = [
        name_of(path)
        for path in MODULES
        if path.stem not in {"__init__", "__main__", "sitecustomize"}
        and path.stem not in named
        and path.stem not in started
    ]

    assert dead == []


def test_nothing_is_called_utils_or_manager() -> None:
    parts = {name_of(path): set(Path(name_of(path)).with_suffix("").parts) for path in MODULES}

    assert [] == [name for name, words in parts.items() if words & BANNED_NAMES]


def test_the_oldest_of_many_is_found_at_once() -> None:
    """A plain dict steps over every place that was freed before its first key; OrderedDict pops."""
    stepping = re.compile(r"(?:del |pop\().*next\(iter\(")

    assert [] == [name_of(path) for path in MODULES if stepping.search(text_of(path))]


def test_no_leftovers() -> None:
    words = ("TODO", "FIXME", "XXX", "NotImplementedError")

    assert [] == [
        f"{name_of(path)}: {word}" for path in MODULES for word in words if word in text_of(path)
    ]


def test_no_exception_is_swallowed_in_silence() -> None:
    assert [] == [f"{name_of(path)}:{line}" for path in MODULES for line in module_of(path).silent]


def test_attribute_names_are_spelled_in_one_module_only() -> None:
    """`aftershock.*` and `gen_ai.*` names live in attributes.py (dialects read foreign ones)."""
    allowed = {"attributes.py", "openinference.py", "genai.py"}
    found = [
        f"{name_of(path)}:{spelled}"
        for path in MODULES
        if path.name not in allowed
        for spelled in module_of(path).spelled
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
