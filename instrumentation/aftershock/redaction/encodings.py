"""What a text hides by its encoding: other forms of letters, percent, base64, escapes of JSON."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from html import unescape
from unicodedata import normalize

INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff\u180e"))
PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
ESCAPED = re.compile(r"\\{1,4}u(?![dD][89a-fA-F])([0-9a-fA-F]{4})")
ENTITY = re.compile(
    r"&(?:#\d{2,4}|#x[0-9a-fA-F]{2,4}|commat|colon|period|equals|quot|apos|amp|lt|gt);"
)
BASE64 = re.compile(r"(?<![\w+/\-])[A-Za-z0-9+/_\-]{16,8192}={0,2}(?![\w+/=])")
TOKENS_MAX = 64  # base64 words of one text that are decoded
ROUNDS_MAX = 3  # of percent-encoding inside percent-encoding


def unified(text: str) -> str:
    """The text with compatible letters made one (NFKC) and invisible ones removed."""
    if text.isascii():
        return text
    return (
        normalize("NFKC", text.translate(INVISIBLE)).replace("\u2011", "-").replace("\u2013", "-")
    )


def unescaped(text: str) -> str:
    """The text without percent-encoding, JSON's escapes and HTML's entities."""
    for _ in range(ROUNDS_MAX):
        plain = PERCENT.sub(unquoted, text) if "%" in text else text
        if "\\u" in plain:
            plain = ESCAPED.sub(lambda match: chr(int(match[1], 16)), plain)
        if "&" in plain and ENTITY.search(plain):
            plain = unescape(plain)
        if plain == text:
            break
        text = plain
    return text


def unquoted(match: re.Match[str]) -> str:
    """The characters of some percent-encoded bytes."""
    return bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "replace")


def replace_base64(text: str, holds_secret: Callable[[str], bool]) -> str:
    """The text with those base64 words replaced that decode to a text with a secret in it."""
    left = TOKENS_MAX

    def replaced(match: re.Match[str]) -> str:
        nonlocal left
        left -= 1
        plain = decoded(match[0]) if left >= 0 else None
        return match[0] if plain is None or not holds_secret(plain) else "[redacted:base64]"

    return BASE64.sub(replaced, text)


def decoded(word: str) -> str | None:
    """The text that a base64 word spells; None where it spells none."""
    plain = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        text = data.decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return (
        text if text.isprintable() or all(c.isprintable() or c in "\r\n\t" for c in text) else None
    )
