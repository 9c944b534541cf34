"""redact_assigned finds what the pattern finds that it stands in for."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from aftershock.redaction.assigned import redact_assigned, redact_assigned_weak
from aftershock.redaction.named import ASSIGNED, ASSIGNED_WEAK

PIECES = [
    "password", "PASSWD", "Passcode", "secret_key", "api-key", "apikey", "access_token", "pwd",
    "private_key_id", "connection string", "connection_string", "seed phrase", "sessionid",
    "JSESSIONID",
    "x-amz-signature", "client_assertion", "credentials", "Authorization", "id", "key", "token", "max_tokens",
    "=", ":", ":=", "=>", " = ", "  :  ", '"', "'", "\\", '\\"', " ", "\n", ",", "}", "bearer ", "basic  ",
    "hunter2", "s3cr3t!", '"two words"', "'it''s'", "1", "é", "passwort",
    "sig", "x.pin", "_otp", "creds", "monkey", "jwt",
]  # fmt: skip


def hide(match: re.Match[str]) -> str:
    return f"<{match[1]}>"


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_the_same_values_are_hidden_as_by_the_pattern_alone(text: str) -> None:
    assert redact_assigned(text, hide) == ASSIGNED.sub(hide, text)
    assert redact_assigned_weak(text, hide) == ASSIGNED_WEAK.sub(hide, text)


def test_every_secret_of_a_long_text_is_hidden() -> None:
    text = "lines of prose: and more = of them; " * 500 + 'db_password="a b", api_key: xyz '

    assert redact_assigned(text, hide).endswith("db_<password=>, <api_key: > ")
