"""Bearer tokens: created once, kept as hashes in one file, compared in constant time.

Several tokens may have one name and be valid at once, so that a token is replaced without a gap:
create the new one, hand it out, revoke the old one. A running collector notices within a second.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import ipaddress
import json
import os
import secrets
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

PREFIX = "aft_"  # so that scanners for leaked secrets, and our own redaction, know a token
SECRET_BYTES = 32  # cannot be guessed, so a plain SHA-256 of it is as good as a slow hash
TOKENS_MAX = 1_000  # every request with a token is compared with each of them
NAME_CHARS_MAX = 100
CERTIFIED = "certificate "  # begins the names of senders that a certificate names
PERSON = "person "  # begins the names of senders who signed in
RELOAD_S = 1.0  # between two checks whether the file has changed


class Scope(StrEnum):
    """What a token permits."""

    INGEST = "ingest"  # send spans, events and metrics
    ALERTS = "alerts"  # send alerts
    READ = "read"  # see pages and /metrics
    ANSWER = "answer"  # approve or deny what an agent asks for
    CONTROL = "control"  # pause and stop agents, give feedback


class TokenError(ValueError):
    """A token cannot be created or revoked, or the file is damaged; says why."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token as it is kept: the secret itself is nowhere."""

    id: str
    name: str
    digest: str  # SHA-256 of the secret, in hex
    scopes: frozenset[Scope]
    created_ns: int
    expires_ns: int | None  # None: never

    def is_valid(self, now_ns: int) -> bool:
        """Whether it has not expired."""
        return self.expires_ns is None or now_ns < self.expires_ns


class Tokens:
    """The tokens of one home folder. Reads from any thread; writers lock the file."""

    def __init__(self, path: Path, clock: Callable[[], int] = time.time_ns) -> None:
        self._path = path
        self._clock = clock
        self._tokens: tuple[Token, ...] = ()
        self._stamp: tuple[int, int, int] | None = None  # of the file as it was last read
        self._checked_s = -RELOAD_S

    def all(self) -> tuple[Token, ...]:
        """Every token, expired ones too. Raises TokenError if the file is damaged."""
        now_s = time.monotonic()
        if now_s - self._checked_s >= RELOAD_S:
            self._checked_s = now_s
            self._reload()
        return self._tokens

    def holds(self, scope: Scope | None = None) -> bool:
        """Whether any valid token exists, with this scope if one is given."""
        now_ns = self._clock()
        return any(
            token.is_valid(now_ns) and (scope is None or scope in token.scopes)
            for token in self.all()
        )

    def find(self, secret: str) -> Token | None:
        """The valid token with this secret. Its duration does not depend on which one."""
        digest = _digest(secret)
        now_ns = self._clock()
        found = None
        for token in self.all():
            if hmac.compare_digest(token.digest, digest) and token.is_valid(now_ns):
                found = token
        return found

    def create(
        self, name: str, scopes: Iterable[Scope], expires_ns: int | None = None
    ) -> tuple[Token, str]:
        """Add a token; returns it with its secret, which cannot be shown again."""
        wanted = frozenset(scopes)
        if not wanted:
            raise TokenError("a token needs at least one scope")
        if not name.isprintable() or not 0 < len(name.strip()) <= NAME_CHARS_MAX:
            raise TokenError(f"a token's name has 1 to {NAME_CHARS_MAX} printable characters")
        if is_address(name) or name.startswith((CERTIFIED, PERSON)):
            raise TokenError("a token's name must not look like an address, certificate or person")
        identity = secrets.token_hex(4)
        secret = f"{PREFIX}{identity}_{secrets.token_urlsafe(SECRET_BYTES)}"
        token = Token(identity, name, _digest(secret), wanted, self._clock(), expires_ns)
        with self._locked():
            if len(self._tokens) >= TOKENS_MAX:
                raise TokenError(f"there are {TOKENS_MAX} tokens already: revoke some")
            self._save((*self._tokens, token))
        return token, secret

    def revoke(self, identity: str) -> Token:
        """Remove the token with this id. Raises TokenError if there is none."""
        with self._locked():
            gone = [token for token in self._tokens if token.id == identity]
            if not gone:
                raise TokenError(f"no token has the id {identity!r}: see `aftershock token list`")
            self._save(tuple(token for token in self._tokens if token.id != identity))
        return gone[0]

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Other processes wait; the newest file is read first."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opened(self._path.with_suffix(".lock")) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._reload()
            yield

    def _reload(self) -> None:
        try:
            state = self._path.stat()
        except FileNotFoundError:
            self._tokens, self._stamp = (), None
            return
        stamp = (state.st_mtime_ns, state.st_ino, state.st_size)
        if stamp != self._stamp:
            self._tokens, self._stamp = (), None  # of a damaged file nothing is valid
            self._tokens = _parse(self._path)
            self._stamp = stamp

    def _save(self, tokens: tuple[Token, ...]) -> None:
        """Replace the file at once, so that a reader sees the old or the new one."""
        fresh = self._path.with_suffix(".new")
        with _opened(fresh) as file:
            os.ftruncate(file, 0)
            os.write(file, json.dumps({"tokens": [_row(t) for t in tokens]}, indent=1).encode())
            os.fsync(file)
        fresh.replace(self._path)
        self._tokens, self._stamp = tokens, None


def is_address(name: str) -> bool:
    """Whether a name is an IP address, which names whoever was asked for no token."""
    try:
        ipaddress.ip_address(name.strip())
    except ValueError:
        return False
    return True


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@contextmanager
def _opened(path: Path) -> Generator[int]:
    """A file that its owner alone may read."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(file, 0o600)
        yield file
    finally:
        os.close(file)


def _row(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "sha256": token.digest,
        "scopes": sorted(token.scopes),
        "created_ns": token.created_ns,
        "expires_ns": token.expires_ns,
    }


def _parse(path: Path) -> tuple[Token, ...]:
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_bytes())["tokens"]
        return tuple(
            Token(
                str(row["id"]),
                str(row["name"]),
                str(row["sha256"]),
                frozenset(map(Scope, row["scopes"])),
                int(row["created_ns"]),
                None if row["expires_ns"] is None else int(row["expires_ns"]),
            )
            for row in rows
        )
    except (ValueError, KeyError, TypeError) as error:
        raise TokenError(f"{path} is damaged: {type(error).__name__}: {error}") from error
