"""Redaction: what must go, what must stay, and that nothing makes it slow or fail open."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.recorder import redaction
from aftershock.recorder.redaction import redact_text, redact_value

SECRETS = {
    "openai key": "sk-proj-Zx81hQ0pLmN4rT7vW2yB",
    "github token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "slack token": "xoxb-123456789012-abcdefGHIJKL",
    "aws key": "AKIAIOSFODNN7EXAMPLE",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "email": "ada.lovelace+ops@mail.example.co.uk",
    "card": "4111 1111 1111 1111",
    "card without spaces": "5500005555555559",
    "iban": "DE89 3704 0044 0532 0130 00",
    "ssn": "078-05-1120",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
}
ASSIGNED = (
    ("password=hunter2 next", "hunter2"),
    ('{"api_key": "abc def", "x": 1}', "abc def"),
    ('{\\"client_secret\\": \\"s3cr3t\\"}', "s3cr3t"),
    ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
    ("postgres://app:pa55@db:5432/orders", "pa55"),
    ("DB_PASSWORD='p w d'", "p w d"),
    ("https://x/?access_token=q1w2e3&page=2", "q1w2e3"),
)
KEPT = (
    "p95 is 900 ms at 10.0.12.7:5432, run 014a2be4305be4ff031235f08d576f0f",
    "service/checkout scaled from 4 to 12 at 2026-11-21T00:16:33Z",
    "gpt-4o-mini chatcmpl-0 call_0_0 4111-1111",
    "error.type=langgraph.errors.GraphRecursionError",
    "input_tokens: 1234567890123",
    "1763683200123456789",
    "pod checkout-7f9c6d5b8-x2x9q on node ip-10-0-1-2",
    "max_tokens=4096 token_type=input",
)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_a_secret_leaves_no_part_of_itself(secret: str) -> None:
    safe = redact_text(f"before {secret} after")

    assert secret not in safe
    assert secret[4:-4] not in safe
    assert safe.startswith("before ")
    assert safe.endswith(" after")


@pytest.mark.parametrize(("text", "secret"), ASSIGNED, ids=[text for text, _ in ASSIGNED])
def test_the_value_of_something_called_a_secret_goes(text: str, secret: str) -> None:
    assert secret not in redact_text(text)


@pytest.mark.parametrize("text", KEPT)
def test_what_an_operator_needs_stays(text: str) -> None:
    assert redact_text(text) == text


def test_an_attribute_that_is_called_a_secret_goes_whatever_it_holds() -> None:
    assert redact_value("http.request.header.authorization", "x") == "[redacted:secret]"
    assert redact_value("db.password", ["a"]) == "[redacted:secret]"
    assert redact_value("gen_ai.usage.input_tokens", 12) == 12
    assert redact_value("body", {"password": "x", "n": 1}) == {
        "password": "[redacted:secret]",
        "n": 1,
    }


def test_containers_are_walked_and_their_depth_is_bounded() -> None:
    deep: Any = "a@example.com"
    for _ in range(50):
        deep = [deep]

    assert "example.com" not in repr(redact_value("x", deep))
    assert redact_value("x", ("a@example.com", "b")) == ("[redacted:email]", "b")


def test_a_value_that_cannot_be_read_is_replaced() -> None:
    class Broken(str):
        __slots__ = ()

        def __len__(self) -> int:
            raise RuntimeError

    assert redact_value("x", Broken("secret")) == redaction.UNREADABLE
    assert redact_value("x", object()) == redaction.UNREADABLE


@given(st.text(max_size=300))
def test_redaction_takes_any_text_and_is_stable(text: str) -> None:
    once = redact_text(text)

    assert redact_text(once) == once


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["a@", "a.", "eyJ", "sk-", "1 ", "1-", "password", '\\"', "://a:", "-----BEGIN ", "AB12 "],
)
def test_no_text_makes_it_slow(piece: str) -> None:
    text = (piece * 40_000)[:32_000]
    began = time.perf_counter()
    redact_text(text)

    assert time.perf_counter() - began < 1.0


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERSHOCK_REDACTION", "off")
    redaction.enabled.cache_clear()

    assert redact_text("ada@example.com") == "ada@example.com"
    monkeypatch.undo()
    redaction.enabled.cache_clear()
    assert redact_text("ada@example.com") == "[redacted:email]"
