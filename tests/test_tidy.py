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

# Pure: between `Span` and `Report`. Folders stand for every module in them.
PURE = (
    "instrumentation/aftershock/approval.py",
    "instrumentation/aftershock/model.py",
    "instrumentation/aftershock/limits.py",
    "instrumentation/aftershock/attributes.py",
    "instrumentation/aftershock/entity.py",
    "instrumentation/aftershock/fingerprints/fingerprint.py",
    "instrumentation/aftershock/policy/policy.py",
    "instrumentation/aftershock/policy/tiers.py",
    "instrumentation/aftershock/policy/prices.py",
    "instrumentation/aftershock/runs/expectations.py",
    "instrumentation/aftershock/fingerprints/shown.py",
    "instrumentation/aftershock/fingerprints/words.py",
    "instrumentation/aftershock/runs/fold.py",
    "instrumentation/aftershock/runs/reconcile.py",
    "instrumentation/aftershock/rules",
    "collector/aftershock_collector/otlp/wire.py",
    "collector/aftershock_collector/otlp/values.py",
    "collector/aftershock_collector/otlp/protobuf.py",
    "collector/aftershock_collector/otlp/otlp_json.py",
    "collector/aftershock_collector/otlp/samples.py",
    "collector/aftershock_collector/otlp/decode.py",
    "collector/aftershock_collector/reading/actions.py",
    "collector/aftershock_collector/reading/approvals.py",
    "collector/aftershock_collector/reading/isotime.py",
    "collector/aftershock_collector/reading/openinference_json.py",
    "collector/aftershock_collector/reading/read.py",
    "collector/aftershock_collector/reading/dialects",
    "collector/aftershock_collector/reading/alerts.py",
    "collector/aftershock_collector/reading/links.py",
    "collector/aftershock_collector/store/serialization.py",
    "collector/aftershock_collector/metrics/entities.py",
    "collector/aftershock_collector/metrics/classification.py",
    "collector/aftershock_collector/metrics/distributions.py",
    "collector/aftershock_collector/metrics/exposition.py",
    "collector/aftershock_collector/metrics/series.py",
    "collector/aftershock_collector/metrics/queries.py",
    "collector/aftershock_collector/metrics/promql.py",
    "collector/aftershock_collector/metrics/measure.py",
    "collector/aftershock_collector/impact",
    "collector/aftershock_collector/engine/engine.py",
    "collector/aftershock_collector/engine/cross_run.py",
    "collector/aftershock_collector/engine/baseline.py",
    "collector/aftershock_collector/engine/run_state.py",
    "collector/aftershock_collector/notify/otlp_encoding.py",
    "collector/aftershock_collector/notify/suspects_page.py",
    "collector/aftershock_collector/notify/page.py",
    "collector/aftershock_collector/notify/payloads.py",
    "collector/aftershock_collector/wording.py",
    "collector/aftershock_collector/views/timeline.py",
    "collector/aftershock_collector/views/timeline_json.py",
    "collector/aftershock_collector/review/comparison.py",
    "collector/aftershock_collector/review/spending.py",
    "collector/aftershock_collector/review/explanation.py",
    "collector/aftershock_collector/views/explanation_json.py",
    "collector/aftershock_collector/views/terminal/why_text.py",
    "collector/aftershock_collector/review/backtest.py",
    "collector/aftershock_collector/review/rereading.py",
    "collector/aftershock_collector/review/habits.py",
    "collector/aftershock_collector/review/policy_draft.py",
    "collector/aftershock_collector/impact/feedback.py",
)
WORLDLY = {
    "asyncio", "datetime.now", "grpc", "http", "httpx", "io", "logging", "multiprocessing", "os",
    "psutil", "queue", "random", "requests", "secrets", "select", "shutil", "signal", "socket",
    "sqlite3", "ssl", "starlette", "subprocess", "sys", "tempfile", "threading", "time", "urllib",
    "uuid", "uvicorn",
}  # fmt: skip
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc", "base"}
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LINE_CHARS_MAX = 100


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> set[str]:
    """Top-level names of every module that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def pure_modules() -> list[Path]:
    listed = [ROOT / place for place in PURE]
    return [
        m for place in listed for m in ([place] if place.suffix else sorted(place.rglob("*.py")))
    ]


@pytest.mark.parametrize("path", pure_modules(), ids=name_of)
def test_the_pure_core_imports_no_clock_socket_file_or_random_source(path: Path) -> None:
    assert imports_of(path) & WORLDLY == set()


@pytest.mark.parametrize("path", pure_modules(), ids=name_of)
def test_the_pure_core_reads_no_clock_and_opens_no_file(path: Path) -> None:
    calls = {ast.unparse(n.func) for n in ast.walk(tree_of(path)) if isinstance(n, ast.Call)}

    assert {c for c in calls if c == "open" or c.endswith((".now", ".utcnow", ".today"))} == set()


@pytest.mark.parametrize("path", sorted(PACKAGES[0].rglob("*.py")), ids=name_of)
def test_the_agents_process_never_imports_the_collector(path: Path) -> None:
    assert "aftershock_collector" not in imports_of(path)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_edges_and_the_shell_around_them_touch_the_world(path: Path) -> None:
    place = path.relative_to(ROOT)
    if {"edges", "demo"} & set(place.parts) or PACKAGES[0] in path.parents:
        pytest.skip("an edge, a world of its own, or the agent's process, which has its own rule")

    assert imports_of(path) & {"socket", "httpx", "grpc", "sqlite3", "uvicorn"} == set()


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
