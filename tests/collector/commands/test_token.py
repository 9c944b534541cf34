"""`aftershock token` as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aftershock_collector import cli
from aftershock_collector.access.tokens import Scope, Tokens


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFTERSHOCK_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_token_is_created_listed_and_revoked(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create = ["token", "create", "ci", "--scope", "ingest", "--scope", "read", "--expires", "90d"]
    assert cli.main(create) == 0
    created = capsys.readouterr()
    secret = created.out.strip()
    token = Tokens(home / "tokens.json").find(secret)
    assert token is not None
    assert (token.name, token.scopes) == ("ci", {Scope.INGEST, Scope.READ})
    assert token.expires_ns is not None
    assert token.expires_ns - token.created_ns == pytest.approx(90 * 86_400e9, rel=1e-3)
    assert secret not in created.err

    assert cli.main(["token", "list"]) == 0
    listed = capsys.readouterr().out
    assert f"{token.id}  ci    ingest,read" in listed
    assert secret not in listed

    assert cli.main(["token", "revoke", token.id]) == 0
    assert capsys.readouterr().out == f"revoked {token.id} (ci)\n"
    assert Tokens(home / "tokens.json").find(secret) is None
    assert cli.main(["token", "revoke", token.id]) == 1
    assert "aftershock token list" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "ci", "--scope", "read", "--expires", "soon"], "write 12h or 90d"),
        (["create", "a\nb", "--scope", "read"], "printable"),
    ],
)
def test_what_is_wrong_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert cli.main(["token", *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize("arguments", [[], ["create", "ci"], ["create", "ci", "--scope", "all"]])
def test_a_wrong_call_changes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["token", *arguments])
    assert not (home / "tokens.json").exists()
    assert capsys.readouterr().out == ""
