"""Signed answers: what Slack and PagerDuty post when a person answers there, verified.

Slack: HMAC-SHA256 over `v0:{timestamp}:{body}` (https://api.slack.com/authentication/
verifying-requests-from-slack). PagerDuty's V3 webhooks: HMAC-SHA256 over the body, several
signatures while a secret is replaced. Who answered is read from the signed body.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import parse_qs

from aftershock_collector.notify.signed_links import AnswerAction

SKEW_S = 300  # of Slack's timestamp, as its documentation wants
NAME_CHARS_MAX = 80
# A note on the incident in PagerDuty: "approve 7", "deny 7 not on a Friday".
COMMENT = re.compile(
    r"\s*(approve|deny)\s+#?([0-9]{1,18})\b[\s:,.-]*(.*)", re.IGNORECASE | re.DOTALL
)
ANNOTATED = "incident.annotated"


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """One person's answer, as a service signed it."""

    ticket: int
    action: AnswerAction
    by: str
    because: str
    once: str  # the same for a repetition of the same request
    given_at_ns: int | None = None  # where the service says so


class NotSigned(ValueError):  # noqa: N818  (it names the request)
    """The signature does not fit, or is too old."""


def slack_answers(
    secret: str, headers: Mapping[str, str], body: bytes, now_s: float
) -> list[SignedAnswer]:
    """Buttons that were pressed. Raises NotSigned, or ValueError for an unreadable body."""
    stamp, given = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature")
    if not stamp.isdecimal() or abs(now_s - int(stamp)) > SKEW_S or given is None:
        raise NotSigned("the request carries no signature of the last five minutes")
    made = "v0=" + _hmac(secret, b"v0:" + stamp.encode() + b":" + body)
    if not hmac.compare_digest(made.encode(), given.strip().encode()):
        raise NotSigned("X-Slack-Signature does not fit the body")
    payload = mapping(json.loads(parse_qs(body.decode())["payload"][0]))
    user, team = mapping(payload.get("user")), mapping(payload.get("team"))
    name = str(user.get("name") or user.get("username") or "")[:NAME_CHARS_MAX]
    place = "/".join(str(one) for one in (team.get("domain"), user.get("id")) if one)
    if not user.get("id"):
        raise ValueError("the payload names no user")
    return [
        SignedAnswer(
            int(pressed["value"]), AnswerAction(str(pressed["action_id"])),
            f"{name} (Slack {place})", "", given.strip(),
        )
        for pressed in map(mapping, cast("list[Any]", payload.get("actions") or []))
        if pressed.get("action_id") in set(AnswerAction)
    ]  # fmt: skip


def pagerduty_answers(secret: str, headers: Mapping[str, str], body: bytes) -> list[SignedAnswer]:
    """Answers in notes. Raises NotSigned, or ValueError for an unreadable body."""
    made = "v1=" + _hmac(secret, body)
    given = [one.strip() for one in headers.get("x-pagerduty-signature", "").split(",")]
    if not any(hmac.compare_digest(made.encode(), one.encode()) for one in given):
        raise NotSigned("X-PagerDuty-Signature does not fit the body")
    event = mapping(mapping(json.loads(body)).get("event"))
    agent, data = mapping(event.get("agent")), mapping(event.get("data"))
    answered = COMMENT.match(str(data.get("content") or ""))
    if event.get("event_type") != ANNOTATED or answered is None or not agent.get("id"):
        return []
    action, number, because = answered.groups()
    name = str(agent.get("summary") or "")[:NAME_CHARS_MAX]
    by = f"{name} (PagerDuty {agent['id']})".strip()
    given_at = datetime.fromisoformat(str(event["occurred_at"]))
    answer = SignedAnswer(
        int(number), AnswerAction(action.lower()), by, because.strip(), str(event.get("id")),
        int(given_at.timestamp() * 1e9),
    )  # fmt: skip
    return [answer]


def _hmac(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
