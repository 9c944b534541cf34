"""`aftershock connect`: a coding agent's own settings, changed and changed back."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from aftershock_collector.config.coding_agents import AGENTS, needs_of
from aftershock_collector.config.foreign_settings import with_ours, without_ours
from tests.support.commands import Main
from tests.support.live_collector import live_collector

THEIRS: dict[str, Any] = {
    "model": "opus",
    "env": {"MINE": "1", "OTEL_LOGS_EXPORTER": "console"},
    "telemetry": {"enabled": False, "outfile": "/x"},
    "hooks": {"PreToolUse": [{"matcher": "Write", "hooks": []}], "Stop": []},
}


@pytest.fixture
def someone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "someone"
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    return place


@pytest.mark.parametrize("agent", sorted(set(AGENTS) - {"cline"}))
def test_what_was_set_is_taken_back_and_nothing_else(someone: Path, main: Main, agent: str) -> None:
    needs = needs_of(agent, "http://127.0.0.1:9", "aftershock gate")
    for path in needs.documents:
        place = Path(path).expanduser()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(THEIRS))
    for path in needs.texts:
        place = Path(path).expanduser()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text('model = "o3"  # mine\n')
    before = {path: path.read_text() for path in someone.rglob("*") if path.is_file()}
    _, out, err = main("connect", agent, "--endpoint", "http://127.0.0.1:9", "--gate", "--write")

    assert "Changed" in out, err
    changed = {path: path.read_text() for path in someone.rglob("*") if path.is_file()}
    _, again, _ = main("connect", agent, "--endpoint", "http://127.0.0.1:9", "--gate", "--write")
    assert "Changed" not in again
    assert changed == {path: path.read_text() for path in someone.rglob("*") if path.is_file()}
    assert main("connect", agent, "--endpoint", "http://127.0.0.1:9", "--undo")[0] == 0
    after = {path: path.read_text() for path in someone.rglob("*") if path.is_file()}
    assert {path: loaded(path, text) for path, text in after.items() if path in before} == {
        path: loaded(path, text) for path, text in before.items()
    }
    assert all(loaded(path, after[path]) == {} for path in after.keys() - before.keys())


def loaded(path: Path, text: str) -> Any:
    return json.loads(text) if path.suffix == ".json" else text.rstrip("\n")


def test_a_hook_in_a_folder_with_a_space_in_its_name_is_one_word_of_a_shell(
    someone: Path, main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = someone / "my tools" / "aftershock"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    main("connect", "claude-code", "--write", "--gate", "--endpoint", "http://127.0.0.1:9")
    document = json.loads((someone / ".claude" / "settings.json").read_text())
    (group,) = document["hooks"]["PreToolUse"]

    assert shlex.split(group["hooks"][0]["command"])[:2] == [str(program), "gate"]


def test_claude_codes_own_settings_and_hooks_stay_beside_ours(someone: Path, main: Main) -> None:
    place = someone / ".claude" / "settings.json"
    place.parent.mkdir()
    place.write_text(json.dumps(THEIRS))
    _, out, _ = main("connect", "claude-code", "--write", "--gate", "--endpoint", "http://[::1]:9")
    document = json.loads(place.read_text())

    assert document["model"] == "opus"
    assert document["env"]["MINE"] == "1"
    assert document["env"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://[::1]:9"
    assert [hook["matcher"] for hook in document["hooks"]["PreToolUse"]] == ["Write", "*"]
    assert "env.OTEL_LOGS_EXPORTER: console → otlp" in out
    assert json.loads((place.parent / "settings.json.before-aftershock").read_text()) == THEIRS


def test_codex_settings_stay_toml_and_a_table_of_somebody_else_is_not_touched(
    someone: Path, main: Main
) -> None:
    place = someone / ".codex" / "config.toml"
    place.parent.mkdir()
    place.write_text('model = "o3"')
    main("connect", "codex", "--write")
    document = tomllib.loads(place.read_text())
    assert document["model"] == "o3"
    assert document["otel"]["exporter"]["otlp-http"]["endpoint"].endswith(":4318/v1/logs")

    place.write_text('[otel]\nexporter = "none"\n')
    code, _, err = main("connect", "codex", "--write")
    assert code == 1
    assert "it has [otel] already" in err
    assert place.read_text() == '[otel]\nexporter = "none"\n'


def test_settings_that_are_no_json_are_left_alone(someone: Path, main: Main) -> None:
    place = someone / ".gemini" / "settings.json"
    place.parent.mkdir()
    place.write_text("{ // mine\n}")
    code, _, err = main("connect", "gemini", "--write")

    assert code == 1
    assert "set it by hand" in err
    assert place.read_text() == "{ // mine\n}"


def test_what_somebody_changed_since_then_stays() -> None:
    ours = {"telemetry": {"enabled": True, "otlpEndpoint": "x"}}
    now = with_ours({"telemetry": {"enabled": False}}, ours)
    now["telemetry"]["otlpEndpoint"] = "theirs"

    assert without_ours(now, ours, {"telemetry": {"enabled": False}}) == {
        "telemetry": {"enabled": False, "otlpEndpoint": "theirs"}
    }


def test_whether_a_collector_answers_is_said(someone: Path, main: Main, tmp_path: Path) -> None:
    assert someone.exists()
    code, out, _ = main("connect", "claude-code", "--endpoint", "http://127.0.0.1:9")
    assert code == 1
    assert "No collector answers at http://127.0.0.1:9" in out
    with live_collector(tmp_path / "collector") as collector:
        code, out, _ = main("connect", "claude-code", "--endpoint", collector.url)
    assert code == 0
    assert "A collector answers" in out
    assert "No session of claude-code has come in yet" in out
