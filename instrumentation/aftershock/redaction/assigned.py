"""Values that are assigned to a name that is secret, found by the signs that assign.

The same as `ASSIGNED.sub` and `ASSIGNED_WEAK.sub`, which try every name at every character of a
text; this tries them where a sign stands behind the end of one: a twentieth of the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from aftershock.redaction.named import ASSIGNED, ASSIGNED_WEAK

SIGN = re.compile("[:=]")
BETWEEN = " \t\n\r\f\v\\\"'"  # a name and the sign behind it
# What the names end in: secret ones, and those whose value has to look like a token.
STRONG_ENDINGS = (
    "word", "wd", "code", "phrase", "wort", "secret", "key", "token", "id", "authorization",
    "credential", "credentials", "string", "assertion", "mnemonic", "signature",
)  # fmt: skip
WEAK_ENDINGS = (
    "token", "key", "auth", "signature", "sig", "code", "sid", "pass", "pin", "otp", "cvv", "cvc",
    "nonce", "hmac", "jwt", "cred", "creds",
)  # fmt: skip
NAME_CHARS_MAX = 64  # the longest name, a quote, its escapes and spaces

Hide = Callable[[re.Match[str]], str]  # what replaces a match


def redact_assigned(text: str, hide: Hide) -> str:
    """The text without values that are assigned to a secret name."""
    return _sub(ASSIGNED, STRONG_ENDINGS, hide, text)


def redact_assigned_weak(text: str, hide: Hide) -> str:
    """The text without values of names such as `key`; `hide` decides which of them are tokens."""
    return _sub(ASSIGNED_WEAK, WEAK_ENDINGS, hide, text)


def _sub(pattern: re.Pattern[str], endings: tuple[str, ...], hide: Hide, text: str) -> str:
    parts: list[str] = []
    done = 0
    for sign in SIGN.finditer(text):
        at = sign.start()
        first = max(done, at - NAME_CHARS_MAX)
        if first > at or not text[first:at].rstrip(BETWEEN).lower().endswith(endings):
            continue
        found = next(filter(None, (pattern.match(text, n) for n in range(first, at))), None)
        if found is not None:
            parts += text[done : found.start()], hide(found)
            done = found.end()
    return "".join(parts) + text[done:] if parts else text
