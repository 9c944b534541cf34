"""Failures of tools, read from what clients raise: what kind they are, and what to do about each.

Clients differ in their classes and agree in their numbers, so a failure is read from the status
that its exception carries, then from its class.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import isnan
from typing import Any

from aftershock.recorder.redaction import redact_text

MESSAGE_CHARS_MAX = 600  # of an exception: enough to act on, too little to fill a context
RETRY_AFTER_MAX_S = 86_400.0  # a server that names a longer time is read as this


class FailureKind(StrEnum):
    """What went wrong, as far as it decides what to do."""

    PERMISSION = "permission"  # trying again is an attack, and not a remedy
    INVALID = "invalid"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"  # it may have had its effect
    UNAVAILABLE = "unavailable"
    CIRCUIT_OPEN = "circuit_open"  # it failed often; it was not called
    BROKEN = "broken"  # anything else


BY_STATUS: Mapping[int, FailureKind] = {
    400: FailureKind.INVALID,
    401: FailureKind.PERMISSION,
    403: FailureKind.PERMISSION,
    404: FailureKind.NOT_FOUND,
    405: FailureKind.INVALID,
    408: FailureKind.TIMEOUT,
    409: FailureKind.CONFLICT,
    410: FailureKind.NOT_FOUND,
    422: FailureKind.INVALID,
    425: FailureKind.UNAVAILABLE,
    429: FailureKind.RATE_LIMITED,
    502: FailureKind.UNAVAILABLE,
    503: FailureKind.UNAVAILABLE,
    504: FailureKind.TIMEOUT,
}
# Parts of class names, of an exception and of what it inherits from; the first that occurs counts.
BY_CLASS: tuple[tuple[str, FailureKind], ...] = (
    ("permission", FailureKind.PERMISSION),
    ("authentication", FailureKind.PERMISSION),
    ("forbidden", FailureKind.PERMISSION),
    ("unauthorized", FailureKind.PERMISSION),
    ("accessdenied", FailureKind.PERMISSION),
    ("ratelimit", FailureKind.RATE_LIMITED),
    ("throttl", FailureKind.RATE_LIMITED),
    ("timeout", FailureKind.TIMEOUT),
    ("connect", FailureKind.UNAVAILABLE),
    ("unavailable", FailureKind.UNAVAILABLE),
    ("notfound", FailureKind.NOT_FOUND),
    ("lookuperror", FailureKind.NOT_FOUND),
    ("valueerror", FailureKind.INVALID),
    ("typeerror", FailureKind.INVALID),
)
ADVICE: Mapping[FailureKind, str] = {
    FailureKind.PERMISSION: "You are not allowed to do this. Do not try again or in another way; "
    "say what you need and for what.",
    FailureKind.INVALID: "The arguments are wrong. Correct them before you call it again.",
    FailureKind.NOT_FOUND: "It is not there. Look up the right name before you call it again.",
    FailureKind.CONFLICT: "It changed meanwhile. Read its state again, then decide anew.",
    FailureKind.RATE_LIMITED: "Too many calls. Do something else first.",
    FailureKind.TIMEOUT: "It may have had its effect all the same. Read the state before you call "
    "it again.",
    FailureKind.UNAVAILABLE: "The service cannot be reached. Go on without it or report.",
    FailureKind.CIRCUIT_OPEN: "It was not called, because it failed again and again. Go on "
    "without it or report.",
    FailureKind.BROKEN: "Read the message. Do not repeat the same call unless something changed.",
}


@dataclass(frozen=True, slots=True)
class ToolFailure:
    """How a tool failed. `attempts`: calls that were made; 0: none."""

    tool: str
    kind: FailureKind
    message: str
    attempts: int = 1
    retry_after_s: float | None = None

    @property
    def text(self) -> str:
        """What the model reads: JSON, and what to do in words."""
        found: dict[str, Any] = {
            "ok": False,
            "tool": self.tool,
            "error": str(self.kind),
            "message": self.message,
            "attempts": self.attempts,
        }
        if self.retry_after_s is not None:
            found["retry_after_s"] = round(self.retry_after_s, 1)
        return json.dumps({**found, "what_to_do": ADVICE[self.kind]}, ensure_ascii=False)


class ToolFailed(Exception):  # noqa: N818  (it names what happened, as CallHeldBack does)
    """A tool failed for good (`raises=True`). Its text is what the model would have read."""

    def __init__(self, failure: ToolFailure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def read_failure(tool: str, error: BaseException, now: datetime | None = None) -> ToolFailure:
    """What an exception of a client says. `now`: for a `Retry-After` that is a date."""
    status = status_of(error)
    kind = BY_STATUS.get(status) if status is not None else None
    if kind is None and status is not None and status >= 500:
        kind = FailureKind.UNAVAILABLE if status > 500 else FailureKind.BROKEN
    kind = kind or kind_of_class(error)
    message = redact_text(f"{type(error).__name__}: {error}"[: 2 * MESSAGE_CHARS_MAX])
    after_s = retry_after_of(error, now or datetime.now(UTC))
    return ToolFailure(tool, kind, message[:MESSAGE_CHARS_MAX], retry_after_s=after_s)


def status_of(error: BaseException) -> int | None:
    """The HTTP status that an exception, or the response in it, carries."""
    for holder in (getattr(error, "response", None), error):
        for name in ("status_code", "status", "code"):
            found = getattr(holder, name, None)
            if isinstance(found, int) and not isinstance(found, bool) and 100 <= found <= 599:
                return int(found)
    return None


def kind_of_class(error: BaseException) -> FailureKind:
    """What the class of an exception, or one that it inherits from, is called."""
    for one in type(error).__mro__:
        name = one.__name__.lower()
        for part, kind in BY_CLASS:
            if part in name:
                return kind
    return FailureKind.BROKEN


def retry_after_of(error: BaseException, now: datetime) -> float | None:
    """Seconds that the server wants to be left alone, by its header `Retry-After`."""
    for holder in (getattr(error, "response", None), error):
        headers = getattr(holder, "headers", None)
        get = getattr(headers, "get", None)
        given = None if get is None else get("retry-after") or get("Retry-After")
        if given is not None:
            return read_retry_after(str(given), now)
    return None


def read_retry_after(text: str, now: datetime) -> float | None:
    """Seconds, from a number or an HTTP date (RFC 9110, 10.2.3). None: it is neither."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return None if isnan(seconds) else min(max(0.0, seconds), RETRY_AFTER_MAX_S)
