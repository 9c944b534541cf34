"""Signed links: a tap on a page acts for whoever got the page, without a login.

A link names its action, its incident and its last second, and is signed with a key that only this
collector has. Receivers and chat programs fetch links by themselves to preview them, so a GET
shows a form and only the form's POST acts.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlencode

KEY_BYTES = 32
KEY_FILE = "links.key"
LASTS_S = 7 * 86_400  # as long as findings are kept by default


class LinkAction(StrEnum):
    """What a signed link may do."""

    ACKNOWLEDGE = "acknowledge"
    FEEDBACK = "feedback"
    MUTE = "mute"


class AnswerAction(StrEnum):
    """What a one-time link may do with a request for approval."""

    APPROVE = "approve"
    DENY = "deny"


class LinkSigner:
    """Signs and verifies links of one collector."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, home: Path) -> LinkSigner:
        """The signer whose key lies in the collector's folder; made at the first start."""
        place = home / KEY_FILE
        if not place.exists():
            place.touch(mode=0o600)
            place.write_bytes(secrets.token_bytes(KEY_BYTES))
        return cls(place.read_bytes())

    def url(self, base: str, action: LinkAction, incident: int, now_s: int) -> str:
        """A link that works for a week."""
        expires_s = now_s + LASTS_S
        query = {"expires": expires_s, "signature": self.signature(action, incident, expires_s)}
        return f"{base}/incidents/{incident}/{action}?{urlencode(query)}"

    def signature(self, action: LinkAction, incident: int, expires_s: int) -> str:
        """Signature of one action on one incident, until a second of Unix time."""
        return self._signed(action, incident, expires_s)

    def answer_url(
        self, base: str, action: AnswerAction, ticket: int, expires_s: int, receiver: str
    ) -> str:
        """A link that answers a request for approval, once, for whoever `receiver` reaches."""
        signature = self._signed("approval", action, ticket, expires_s, receiver)
        query = {"expires": expires_s, "to": receiver, "signature": signature}
        return f"{base}/approvals/{ticket}/{action}?{urlencode(query)}"

    def accepts_answer(  # noqa: PLR0917
        self, action: AnswerAction, ticket: int, expires_s: int, receiver: str,
        signature: str, now_s: int,
    ) -> bool:  # fmt: skip
        """True where `answer_url` made the link and it still works; it may have been used."""
        ours = self._signed("approval", action, ticket, expires_s, receiver)
        return now_s <= expires_s and hmac.compare_digest(ours.encode(), signature.encode())

    def _signed(self, *parts: object) -> str:
        text = "\n".join(map(str, parts)).encode()
        digest = hmac.new(self._key, text, hashlib.sha256).digest()
        return urlsafe_b64encode(digest).decode().rstrip("=")

    def accepts(
        self, action: LinkAction, incident: int, expires_s: int, signature: str, now_s: int
    ) -> bool:
        """True where the signature is ours and the link still works."""
        ours = self.signature(action, incident, expires_s)
        return now_s <= expires_s and hmac.compare_digest(ours.encode(), signature.encode())
