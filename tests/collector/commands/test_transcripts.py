"""`aftershock import --transcripts` on the files that real coding agents left in a home."""

from __future__ import annotations

from pathlib import Path

import pytest

from aftershock_collector.store.reader import Reader
from tests.collector.sources.test_transcripts import ALL, claude_file, unpacked
from tests.support.commands import Main, printed_data


@pytest.fixture
def someone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which six agents worked; the store is elsewhere."""
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "someone"
    for name in ALL:
        unpacked(name, home)
    monkeypatch.setenv("HOME", str(home))
    return home


def test_one_command_reports_what_six_agents_did_on_this_machine(someone: Path, main: Main) -> None:
    assert someone.exists()
    data = printed_data(main, "import", "--transcripts", "--since", "all")

    assert data["sessions"] == {
        "claude-code": 1, "codex": 1, "copilot": 1, "gemini-cli": 1, "opencode": 1, "qwen-code": 1,
    }  # fmt: skip
    assert data["counts"]["loops"] == 4  # Gemini CLI and Qwen Code ended theirs at the fifth call
    assert {row["rule"] for row in data["loops"]} == {"repeated_action"}
    assert data["counts"]["green"] == 9
    assert {row["agent"] for row in data["green"]} == {"copilot", "gemini-cli", "opencode"}
    assert data["counts"]["risky"] == 12
    assert data["targets"] == {"k8s/shop/checkout": 6}
    assert data["lost_s"] > 0
    assert data["lost_usd"] > 0
    assert data["not_read"] == {}


def test_the_report_names_commands_and_the_store_holds_none(someone: Path, main: Main) -> None:
    code, out, _ = main("import", "--transcripts", "--since", "all")

    assert code == 0
    assert "6 sessions" in out
    assert "rm -r build" in out
    assert "kubectl -n shop delete deployment checkout → k8s/shop/checkout (exit_code_" in out
    assert len(main("runs")[1].splitlines()) >= 7
    stored = b"".join(path.read_bytes() for path in someone.parent.rglob("aftershock.db*"))
    for word in (b"rm -r build", b"missing.txt", b"Find out whether", b"yellow"):
        assert word not in stored


def test_content_is_kept_where_it_is_asked_for(someone: Path, main: Main, tmp_path: Path) -> None:
    place = claude_file(someone / ".claude")
    assert main("import", "--transcripts", "--content", str(place))[0] == 0
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("aftershock.db*"))

    assert b"rm -r build" in stored


def test_a_report_alone_leaves_no_store(someone: Path, main: Main, tmp_path: Path) -> None:
    assert main("import", "--transcripts", "--report-only", "--since", "all")[0] == 0
    assert someone.exists()
    assert list(tmp_path.rglob("aftershock.db*")) == []


def test_importing_twice_adds_nothing(someone: Path, main: Main, tmp_path: Path) -> None:
    counts: list[int] = []
    for _ in range(2):
        assert main("import", "--transcripts", str(someone))[0] == 0
        (store,) = tmp_path.rglob("aftershock.db")
        with Reader.open(store) as reader:
            counts.append(sum(1 for _ in reader.spans("ses_dd2a04adeffeXLj61qOuAa4g55")))

    assert counts[0] == counts[1] > 0


def test_secrets_in_commands_are_never_shown(someone: Path, main: Main) -> None:
    place = claude_file(someone / ".claude")
    secret = "sk-ant-api03-" + "Zq3" * 20
    place.write_text(
        place.read_text().replace("rm -r build", f"rm -r build; export TOKEN={secret}")
    )
    code, out, _ = main("import", "--transcripts", str(place))

    assert code == 0
    assert "rm -r build" in out
    assert secret not in out


def test_what_cannot_be_read_is_said_with_its_reason(someone: Path, main: Main) -> None:
    place = claude_file(someone / ".claude")
    place.write_text("{broken\n" + place.read_text())
    (someone / "notes.jsonl").write_text('{"a": 1}\n')
    code, out, err = main(
        "import",
        "--transcripts",
        str(place),
        str(someone / "notes.jsonl"),
        str(someone / "gone.jsonl"),
    )

    assert code == 1
    assert "1 × line that is not JSON" in out
    assert "1 file of no known format" in out
    assert "gone.jsonl" in err


def test_a_machine_without_sessions_is_told_where_we_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, main: Main
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    code, out, _ = main("import", "--transcripts")

    assert code == 0
    assert "No sessions of coding agents were found" in out


@pytest.mark.parametrize(
    "argv",
    [("import",), ("import", "x", "--since", "7d"), ("import", "--transcripts", "--since", "soon")],
)
def test_a_wrong_call_is_refused(someone: Path, main: Main, argv: tuple[str, ...]) -> None:
    assert someone.exists()
    assert main(*argv)[0] == 2
