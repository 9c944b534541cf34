"""The documentation, executed: its commands, its YAML and its code; and that its reference is whole."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from aftershock.rules import KINDS
from aftershock_collector.cli import COMMANDS, main
from aftershock_collector.config.load import check, schema
from docs.generate import ROOT, pages

FENCE = re.compile(r"^```(?P<head>[^\n]*)\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
RULE_HEADINGS = [
    "## Example",
    "## How it decides",
    "## Limits",
    "## Silence it",
    "## What it costs to be wrong",
    "## In short",
]
POLICY_TITLE = 'title="aftershock.yaml"'
# Programs that documentation may call beside ours; what they do is not ours to run here.
OTHER_PROGRAMS = {
    "make", "pip", "docker", "python", "sqlite3", "curl", "openssl", "opentelemetry-instrument",
}  # fmt: skip
# Commands that go on until somebody stops them.
SERVING = {"run", "up", "demo", "mcp-proxy"}


class Block(NamedTuple):
    """One fenced block of one page."""

    page: Path
    head: str
    body: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.body.strip().splitlines()[0][:50]}"


def blocks(*languages: str) -> Iterator[Block]:
    for page in (*pages(), *sorted(ROOT.glob("[CS]*.md"))):
        for found in FENCE.finditer(page.read_text("utf-8")):
            words = found["head"].split()
            if words and words[0] in languages:
                yield Block(page, found["head"], found["body"])


@pytest.mark.parametrize("block", list(blocks("yaml")), ids=str)
def test_every_policy_in_the_documentation_passes_the_check(block: Block, tmp_path: Path) -> None:
    assert isinstance(yaml.safe_load(block.body), dict)
    if POLICY_TITLE not in block.head:
        return
    secrets = tmp_path / "secrets"
    text = re.sub(r"file: /etc/aftershock/(\w+)", rf"file: {secrets}/\1", block.body)
    for name in re.findall(rf"file: {secrets}/(\w+)", text):
        secrets.mkdir(exist_ok=True)
        (secrets / name).write_text("https://hooks.example.com/secret")
    policy = tmp_path / "aftershock.yaml"
    policy.write_text(text)

    assert [] == [str(problem) for problem in check(policy, {})]


@pytest.mark.parametrize("block", list(blocks("python")), ids=str)
def test_every_program_in_the_documentation_runs(block: Block) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", block.body], capture_output=True, text=True, timeout=60, check=False
    )

    assert (0, "") == (ran.returncode, ran.stdout), ran.stderr


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every line that a reader may type, with its page."""
    for block in blocks("sh"):
        for line in block.body.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield str(block.page.relative_to(ROOT)), words


def test_every_command_in_the_documentation_is_one_that_there_is() -> None:
    known = {command.name for command in COMMANDS}
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8")))
    wrong: list[str] = []
    for page, words in commands():
        program, *rest = words
        if program == "aftershock":
            wrong += [f"{page}: {words}"] if rest[0] not in known else []
        elif program == "make":
            wrong += [f"{page}: {words}"] if rest[0] not in targets else []
        elif program not in OTHER_PROGRAMS and program != "cd":
            wrong.append(f"{page}: {words}")

    assert wrong == []


def ours() -> list[list[str]]:
    """Our own commands as the documentation types them, each once."""
    unique = {tuple(words[1:]): None for _, words in commands() if words[0] == "aftershock"}
    return [list(words) for words in unique if words[0] not in SERVING]


@pytest.mark.parametrize("words", ours(), ids=" ".join)
def test_every_command_in_the_documentation_runs(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It understands its arguments, on a store with a recorded run; 2 means: called wrongly."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AFTERSHOCK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AFTERSHOCK_POLICY", raising=False)
    (tmp_path / "new.yaml").write_text("limits: {repeats_alarm: 4}\n")
    (tmp_path / "token").write_text("a token\n")
    recorded = sorted((ROOT / "tests" / "data").rglob("*.jsonl*"))
    if words[0] == "import":
        words = ["import", str(recorded[0])]

    try:
        code = main(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()

    assert code in {0, 1}, printed.err
    assert "usage:" not in printed.err
    assert "Traceback" not in printed.err


def modules() -> list[list[str]]:
    """Our own modules as the documentation runs them."""
    return [words[2:] for _, words in commands() if words[:2] == ["python", "-m"]]


@pytest.mark.parametrize("words", modules(), ids=" ".join)
def test_every_module_that_the_documentation_runs_runs(words: list[str], tmp_path: Path) -> None:
    typed = [word.replace("/tmp/", f"{tmp_path}/") for word in words]
    command = [sys.executable, "-m", *typed]

    assert 0 == subprocess.run(command, cwd=ROOT, timeout=120, check=False).returncode


def test_every_module_that_the_architecture_names_is_there() -> None:
    text = (ROOT / "docs" / "concepts" / "architecture.md").read_text("utf-8")
    roots = (
        ROOT,
        ROOT / "collector" / "aftershock_collector",
        ROOT / "instrumentation",
        ROOT / "instrumentation" / "aftershock",
    )
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:/|\.py))`", text))

    assert len(named) > 40
    assert {name for name in named if not any((root / name).exists() for root in roots)} == set()


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    broken = [
        target
        for target in LINK.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []


@pytest.mark.parametrize("rule", KINDS)
def test_every_rule_has_a_page_that_says_how_it_decides_and_how_to_silence_it(rule: str) -> None:
    text = (ROOT / "docs" / "rules" / f"{rule}.md").read_text("utf-8")

    assert text.startswith(f"# {rule}\n")
    assert RULE_HEADINGS == [line for line in text.splitlines() if line.startswith("## ")]
    for heading in RULE_HEADINGS:
        body = text.partition(heading)[2].partition("\n## ")[0]
        assert len(body.split()) > 5, heading


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")
    listed = set(re.findall(r"(?m)- ([\w/-]+\.md)$", navigation))
    there = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}

    assert there == listed


def test_the_reference_has_every_section_of_the_policy() -> None:
    text = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")

    assert set(schema()["properties"]) <= set(re.findall(r"(?m)^## (\w+)$", text))


def test_every_environment_variable_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    code = "\n".join(
        path.read_text("utf-8")
        for folder in ("instrumentation", "collector")
        for path in (ROOT / folder).rglob("*.py")
    )
    named = set(re.findall(r"\"(AFTERSHOCK_[A-Z_]*[A-Z])\"", code))
    renamed = {"AFTERSHOCK_STORY", "AFTERSHOCK_LOOK"}

    assert {name for name in named - renamed if f"`{name}`" not in text} == set()


def test_every_setting_has_a_meaning_but_those_that_are_named_after_a_service() -> None:
    text = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    silent = [
        line
        for line in text.splitlines()
        if re.search(r"\|\s+\|$", line) and not re.search(r"`on_call\.|^\| `[a-z]+\.NAME`", line)
    ]

    assert silent == []
