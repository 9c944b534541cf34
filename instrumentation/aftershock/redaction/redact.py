"""Redaction of texts and of values that hold texts.

A text is matched as it is, with its letters unified, and without its escapes; base64 words are
decoded. Where only another form holds a secret, that form is returned, redacted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from typing import Any, cast

from aftershock.redaction.assigned import redact_assigned, redact_assigned_weak
from aftershock.redaction.checks import is_card, is_iban, is_phone, is_random, is_token_like
from aftershock.redaction.encodings import replace_base64, unescaped, unified
from aftershock.redaction.named import (
    COMMAND,
    COOKIE,
    DIGITS,
    ELEMENT,
    HEADER,
    OPTION,
    PAIR,
    PERSONAL,
    PERSONAL_MARKS,
    PHRASE,
    QUERY,
    SECRET_NAME,
    SPOKEN,
    STRONG_MARKS,
    URL_CREDENTIALS,
    URL_USER,
    USER_OPTION,
    WEAK_MARKS,
)
from aftershock.redaction.patterns import PATTERNS
from aftershock.remembered import remembered

UNREADABLE = "[redacted]"
SECRET = "[redacted:secret]"  # noqa: S105 (the mark that stands for one)
TEXT_CHARS_MAX = 16_384  # of one value; an attribute of more is a payload, not telemetry
TEXT_CHARS_MIN = 6  # the shortest of the patterns
CACHED_CHARS_MAX = 256  # names, ids and short results come again and again
ITEMS_MAX = 256  # of one container
DEPTH_MAX = 8  # nested values; deeper ones are replaced
MARK = "[redacted"

COMPILED = tuple((kind, marks, re.compile(pattern)) for kind, marks, pattern in PATTERNS)
CHECKS = {"card": is_card, "iban": is_iban, "aws": is_random, "phone": is_phone}


def redact_text(text: str) -> str:
    """A text with each secret replaced by its kind: `[redacted:email]`."""
    if len(text) < TEXT_CHARS_MIN:
        return text
    if len(text) <= CACHED_CHARS_MAX:
        return redact_short(text)
    # A cut could leave half a secret, so more is read than is kept.
    return redact_long(text if len(text) <= 2 * TEXT_CHARS_MAX else text[: 2 * TEXT_CHARS_MAX])


@lru_cache(maxsize=1_024)
def redact_short(text: str) -> str:
    """The same for a text that is short enough to remember."""
    return redact_long(text)


def redact_long(text: str) -> str:
    """A text of at most twice TEXT_CHARS_MAX, redacted in whichever form holds secrets."""
    plain = replace_base64(redact_plain(text), holds_secret)
    other = unified(unescaped(unified(text)))
    if other == text:
        return plain
    found = redact_plain(other)
    if found == other:
        return plain
    return replace_base64(found, holds_secret)


def holds_secret(text: str) -> bool:
    """True where redaction would change the text."""
    plain = unified(unescaped(unified(text)))
    return redact_plain(plain) != plain


def redact_plain(text: str) -> str:
    """A text redacted as it is written. Patterns run only where a mark of theirs stands in it."""
    if "://" in text and "@" in text:
        text = URL_CREDENTIALS.sub(r"\1[redacted:credentials]@", text)
        text = URL_USER.sub(r"\1[redacted:credentials]@", text)
    text = redact_names(text)
    classes: dict[re.Pattern[str], bool] = {}
    for kind, marks, pattern in COMPILED:
        if isinstance(marks, re.Pattern):
            if marks not in classes:
                classes[marks] = marks.search(text) is not None
            found = classes[marks]
        else:
            found = any(mark in text for mark in marks)
        if found:
            text = pattern.sub(partial(name_kind, kind), text)
    return text


def redact_names(text: str) -> str:
    """A text without the values that their names call secret or personal."""
    low = text.lower()
    strong = any(mark in low for mark in STRONG_MARKS)
    if strong:
        if "authorization" in low:
            text = HEADER.sub(hide, text)
        if "phrase" in low or "mnemonic" in low:
            text = PHRASE.sub(hide, text)
        text = PAIR.sub(hide, text) if "(" in text or "value=" in low else text
        text = OPTION.sub(hide, text) if "-" in text else text
        text = ELEMENT.sub(hide, text) if "</" in text else text
    if "cookie" in low:
        text = COOKIE.sub(hide, text)
    if "-u" in text or "user" in low:
        text = USER_OPTION.sub(hide, text)
    if " -p" in text:
        text = COMMAND.sub(hide, text)
    if strong or any(mark in low for mark in WEAK_MARKS):
        if "=" in text or ":" in text:
            text = QUERY.sub(hide, text) if "?" in text or "&" in text else text
            text = redact_assigned(text, hide) if strong else text
            text = redact_assigned_weak(text, hide_token)
        text = DIGITS.sub(r"\1[redacted:code]", text)
        text = SPOKEN.sub(hide_spoken, text) if " " in text else text
    if any(mark in low for mark in PERSONAL_MARKS):
        text = PERSONAL.sub(r"\1[redacted:personal]", text)
    return text


def name_kind(kind: str, match: re.Match[str]) -> str:
    """The mark of a kind, or the match itself where it only looks like one."""
    check = CHECKS.get(kind)
    return match[0] if check is not None and not check(match[0]) else f"[redacted:{kind}]"


def hide(match: re.Match[str]) -> str:
    """The name, and quotes where there were some, without the value."""
    value = match[2]
    if value.lstrip("\\\"'").startswith(MARK):
        return match[0]
    quote = next((mark for mark in ('\\\\"', '\\"', '"', "'") if value.startswith(mark)), "")
    closing = quote if value.endswith(quote) else ""
    return f"{match[1]}{quote}{SECRET}{closing}"


def hide_token(match: re.Match[str]) -> str:
    """The same, where the value looks like a token."""
    return hide(match) if is_token_like(match[2]) else match[0]


def hide_spoken(match: re.Match[str]) -> str:
    """The same in a sentence, where the word after it is no word of the language."""
    value = match[2].strip("\"'.")
    return match[0] if value.isalpha() and value.islower() and len(value) < 8 else hide(match)


def redact_named(key: str, value: Any) -> Any:
    """A value under its name; a name such as `api_key` hides any value."""
    if is_secret_name(key) and value not in (None, "", True, False):
        return SECRET
    return redact_any(value, 0)


@remembered
def is_secret_name(key: str) -> bool:
    """True for a name such as `api_key`. Names come again with each span."""
    return SECRET_NAME.search(key) is not None


def redact_any(value: Any, depth: int = 0) -> Any:
    """Texts redacted, containers walked to DEPTH_MAX and ITEMS_MAX, numbers left as they are."""
    if isinstance(value, str):
        return redact_text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= DEPTH_MAX:
        return UNREADABLE
    if isinstance(value, Mapping):
        pairs = islice(cast("Mapping[Any, Any]", value).items(), ITEMS_MAX)
        return {
            redact_text(str(key)): SECRET
            if is_secret_name(str(key)) and isinstance(item, str)
            else redact_any(item, depth + 1)
            for key, item in pairs
        }
    if isinstance(value, bytes):
        return redact_text(value.decode("utf-8", "replace"))
    if isinstance(value, Sequence):
        items = cast("Sequence[Any]", value)[:ITEMS_MAX]
        if all(isinstance(item, int | float) for item in items):
            return items
        return tuple(redact_any(item, depth + 1) for item in items)
    return UNREADABLE
