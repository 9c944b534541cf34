"""Redaction: secrets and personal data leave no text of ours, whatever span, event or log holds it.

On by default (`AFTERSHOCK_REDACTION=off` ends it). Fails closed: what it cannot read is replaced.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, cast

from aftershock.recorder.drop_counters import record_failure

UNREADABLE = "[redacted]"
TEXT_CHARS_MAX = 16_384  # of one value; an attribute of more is a payload, not telemetry
ITEMS_MAX = 256  # of one container
DEPTH_MAX = 8  # nested values; deeper ones are replaced

# One pass over the text. Order matters where two could begin at the same place. Every repetition is
# over a class of characters that what follows it does not begin with, so that time stays linear.
PATTERNS: tuple[tuple[str, str], ...] = (
    ("key", r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z ]{0,40}-----)?"),
    ("token", r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]{4,})?"),
    (
        "token",
        (
            r"\b(?:sk-|sk_|rk_|pk_live_|ghp_|gho_|ghu_|ghs_|ghr_|github_pat_|glpat-|xox[abeoprs]-|"
            r"hf_|npm_|pypi-|dop_v1_|AIza|ya29\.|shpat_|lsv2_|key-)[\w\-./+=]{12,}"
        ),
    ),
    ("key", r"\b(?:AKIA|ASIA|AROA|AGPA)[A-Z0-9]{12,}\b"),
    ("token", r"(?i:\b(?:bearer|basic)\s{1,4}[\w\-.~+/]{8,}={0,2})"),
    ("email", r"\b[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,8}\b"),
    ("card", r"\b(?:\d[ \-]?){12,18}\d\b"),
    ("iban", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    ("ssn", r"\b\d{3}-\d{2}-\d{4}\b"),
)
KINDS = tuple(kind for kind, _ in PATTERNS)
ANY = re.compile("|".join(f"({pattern})" for _, pattern in PATTERNS))

NAMES_OF_SECRETS = (
    r"(?:password|passwd|passphrase|pwd|secret|api[_\-]?key|access[_\-]?key|private[_\-]?key|"
    r"client[_\-]?secret|(?:access|auth|refresh|session|bearer|id|api|secret)[_\-]?token|"
    r"authorization|set-cookie|cookie|credentials?)"
)
# `password=…`, `"api_key": "…"`, `--token …`: the name stays, the value goes.
ASSIGNED = re.compile(
    rf"""(?i)(\b[\w\-]{{0,40}}?{NAMES_OF_SECRETS}\\?["']?\s{{0,4}}(?:[:=]|=>)\s{{0,4}})"""
    r"""(\\"[^"]*"|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
    r"""|(?:(?:bearer|basic|token|digest)\s{1,4})?[^\s"',;&}\])]+)"""
)
URL_CREDENTIALS = re.compile(r"(\b[a-zA-Z][\w+.\-]{1,20}://)([^\s/@:]{0,256}):([^\s/@]{1,256})@")
SECRET_KEY = re.compile(rf"(?i)(?:^|[._\-]){NAMES_OF_SECRETS}$")


@cache
def enabled() -> bool:
    """True unless the user switched redaction off."""
    return os.environ.get("AFTERSHOCK_REDACTION", "on").strip().lower() not in {"off", "0", "false"}


def redact_value(key: str, value: Any) -> Any:
    """A value without secrets. Raises nothing: what cannot be read is replaced."""
    try:
        if SECRET_KEY.search(key) and value not in (None, "", True, False):
            return "[redacted:secret]"
        return redact_any(value, 0)
    except Exception:  # noqa: BLE001 (fails closed)
        record_failure("redacting a value")
        return UNREADABLE


def redact_any(value: Any, depth: int) -> Any:
    """Texts redacted, containers walked, numbers left as they are."""
    if isinstance(value, str):
        return redact_text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= DEPTH_MAX:
        return UNREADABLE
    if isinstance(value, Mapping):
        pairs = islice(cast("Mapping[Any, Any]", value).items(), ITEMS_MAX)
        return {
            redact_text(str(key)): "[redacted:secret]"
            if SECRET_KEY.search(str(key)) and isinstance(item, str)
            else redact_any(item, depth + 1)
            for key, item in pairs
        }
    if isinstance(value, bytes):
        return redact_text(value.decode("utf-8", "replace"))
    if isinstance(value, Sequence):
        items = cast("Sequence[Any]", value)[:ITEMS_MAX]
        if items and isinstance(items[0], int | float):
            return items  # a sketch: hashes, all of one type
        return tuple(redact_any(item, depth + 1) for item in items)
    return UNREADABLE


def redact_text(text: str) -> str:
    """A text with each secret replaced by its kind: `[redacted:email]`."""
    if len(text) < 6 or not enabled():  # the shortest of the patterns
        return text
    # A cut could leave half a secret, so more is read than is kept.
    read = text if len(text) <= 2 * TEXT_CHARS_MAX else text[: 2 * TEXT_CHARS_MAX]
    if "://" in read and "@" in read:
        read = URL_CREDENTIALS.sub(r"\1[redacted:credentials]@", read)
    if "=" in read or ":" in read:
        read = ASSIGNED.sub(hide_assigned, read)
    return ANY.sub(name_kind, read)


def hide_assigned(match: re.Match[str]) -> str:
    """The name, and quotes where there were some, without the value."""
    value = match[2]
    if value.lstrip("\\\"'").startswith("[redacted:"):
        return match[0]
    quote = next((mark for mark in ('\\"', '"', "'") if value.startswith(mark)), "")
    return f"{match[1]}{quote}[redacted:secret]{quote}"


def name_kind(match: re.Match[str]) -> str:
    """What a match is called, or the match itself where it only looks like a card."""
    kind = KINDS[(match.lastindex or 1) - 1]
    if kind == "card" and not is_card(match[0]):
        return match[0]
    return f"[redacted:{kind}]"


def is_card(text: str) -> bool:
    """Luhn's check: one number in ten passes it by chance, ids and times mostly do not."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19 or digits[0] not in {2, 3, 4, 5, 6}:
        return False
    doubled = (d if place % 2 == 0 else d * 2 - 9 * (d > 4) for place, d in enumerate(digits[::-1]))
    return sum(doubled) % 10 == 0
