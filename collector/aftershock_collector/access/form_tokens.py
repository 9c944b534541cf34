"""Tokens in the forms of our own pages: a form that another site made does not have one.

A token names who was shown the form and where the form leads, and is signed with a key that lives
as long as the process. Nothing is kept for it. A page of another site can neither read it nor
guess it. After a restart an open form has to be loaded again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

LASTS_S = 12 * 3_600  # a shift: the page stays open in a tab
FIELD = "form_token"


class FormTokens:
    """Makes and verifies the tokens of one process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def make(self, sender: str, path: str, now_s: int) -> str:
        """The token for a form that leads to `path`, shown to `sender`."""
        expires_s = now_s + LASTS_S
        return f"{expires_s}.{self._signature(sender, path, expires_s)}"

    def accepts(self, token: str, sender: str, path: str, now_s: int) -> bool:
        """True where we made it for this sender and this path, and it still works."""
        expires, _, signature = token.partition(".")
        if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12):
            return False
        ours = self._signature(sender, path, int(expires))
        return now_s <= int(expires) and hmac.compare_digest(ours.encode(), signature.encode())

    def _signature(self, sender: str, path: str, expires_s: int) -> str:
        text = f"{expires_s}\n{path}\n{sender}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()
