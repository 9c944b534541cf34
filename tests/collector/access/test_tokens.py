"""Tokens in a real file, read by one process while another changes them."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aftershock_collector.access import tokens as module
from aftershock_collector.access.tokens import PREFIX, Scope, TokenError, Tokens

NOW_NS = 1_790_000_000 * 10**9


@pytest.fixture(autouse=True)
def reload_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RELOAD_S", 0.0)


def tokens_in(folder: Path, now_ns: int = NOW_NS) -> Tokens:
    return Tokens(folder / "tokens.json", clock=lambda: now_ns)


def test_a_token_is_found_by_its_secret_and_by_nothing_else(tmp_path: Path) -> None:
    tokens = tokens_in(tmp_path)
    token, secret = tokens.create("ci", [Scope.INGEST, Scope.READ])

    assert tokens.find(secret) == token
    assert token.scopes == {Scope.INGEST, Scope.READ}
    for wrong in ("", secret[:-1], secret + "x", token.digest, token.id, "\ud800"):
        assert tokens.find(wrong) is None


def test_the_file_holds_no_secret_and_belongs_to_its_owner(tmp_path: Path) -> None:
    home = tmp_path / "home"
    _, secret = tokens_in(home).create("ci", [Scope.INGEST])

    text = (home / "tokens.json").read_text("utf-8")
    assert secret.startswith(PREFIX)
    assert secret not in text
    assert secret.removeprefix(PREFIX).partition("_")[2] not in text
    for path in home.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_running_collector_notices_new_and_revoked_tokens(tmp_path: Path) -> None:
    running, command = tokens_in(tmp_path), tokens_in(tmp_path)
    assert not running.holds()
    token, secret = command.create("ci", [Scope.INGEST])

    assert running.find(secret) == token
    assert running.holds(Scope.INGEST)
    assert not running.holds(Scope.READ)
    command.revoke(token.id)
    assert running.find(secret) is None
    assert not running.holds()


def test_tokens_are_replaced_without_a_gap(tmp_path: Path) -> None:
    tokens = tokens_in(tmp_path)
    old, old_secret = tokens.create("ci", [Scope.INGEST])
    new, new_secret = tokens.create("ci", [Scope.INGEST])

    assert [old, new] == [tokens.find(old_secret), tokens.find(new_secret)]
    tokens.revoke(old.id)
    assert [None, new] == [tokens.find(old_secret), tokens.find(new_secret)]


def test_an_expired_token_is_not_valid(tmp_path: Path) -> None:
    _, secret = tokens_in(tmp_path).create("ci", [Scope.INGEST], expires_ns=NOW_NS + 10)

    assert tokens_in(tmp_path, NOW_NS + 9).find(secret) is not None
    assert tokens_in(tmp_path, NOW_NS + 10).find(secret) is None
    assert not tokens_in(tmp_path, NOW_NS + 10).holds()


def test_tokens_that_are_created_at_once_are_all_kept(tmp_path: Path) -> None:
    def create(number: int) -> str:
        return tokens_in(tmp_path).create(f"n{number}", [Scope.INGEST])[1]

    with ThreadPoolExecutor(8) as threads:
        secrets = list(threads.map(create, range(40)))

    tokens = tokens_in(tmp_path)
    assert len(tokens.all()) == 40
    assert all(tokens.find(secret) for secret in secrets)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x1b[31m", "x" * 101])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TokenError, match="printable"):
        tokens_in(tmp_path).create(name, [Scope.READ])


def test_what_cannot_be_done_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = tokens_in(tmp_path)
    with pytest.raises(TokenError, match="scope"):
        tokens.create("ci", [])
    with pytest.raises(TokenError, match="aftershock token list"):
        tokens.revoke("nothing")
    monkeypatch.setattr(module, "TOKENS_MAX", 1)
    tokens.create("ci", [Scope.READ])
    with pytest.raises(TokenError, match="1 tokens already"):
        tokens.create("ci", [Scope.READ])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"tokens": [{}]}', '{"tokens": [{"id": 1}]}'])
def test_a_damaged_file_lets_nobody_in(tmp_path: Path, text: str) -> None:
    tokens = tokens_in(tmp_path)
    tokens.create("ci", [Scope.INGEST])
    (tmp_path / "tokens.json").write_text(text, "utf-8")

    with pytest.raises(TokenError, match="damaged"):
        tokens_in(tmp_path).find("anything")


def test_a_scope_of_a_later_version_is_an_error_and_not_a_gift(tmp_path: Path) -> None:
    tokens = tokens_in(tmp_path)
    tokens.create("ci", [Scope.INGEST])
    document = json.loads((tmp_path / "tokens.json").read_bytes())
    document["tokens"][0]["scopes"] = ["everything"]
    (tmp_path / "tokens.json").write_text(json.dumps(document), "utf-8")

    with pytest.raises(TokenError, match="everything"):
        tokens_in(tmp_path).all()
