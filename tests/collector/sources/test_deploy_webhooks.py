"""Webhooks of deploys over a real port: signed ones need no token, others do."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from aftershock_collector.config.model import Address, Config
from aftershock_collector.reading.decoder import Signal
from aftershock_collector.sources import otlp_http
from tests.collector.sources.serving import Intake, serving

BODY = b'{"action": "created"}'
CONFIG = Config(home=Path(), insecure=False, webhook_secrets={"github": "hush", "flux": "shh"})


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
def url(intake: Intake) -> Generator[str]:
    app = otlp_http.otlp_app(intake.submit, intake.telemetry, CONFIG, list)

    with serving(
        lambda: otlp_http.listening(app, Address("127.0.0.1", 0), intake.telemetry, CONFIG)
    ) as address:
        yield f"http://{address}/api/v1/deploys"


def signature(secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()


def post(url: str, **headers: str) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(url, content=BODY, headers={"content-type": "application/json"} | given)


def test_githubs_signature_lets_its_webhook_pass(intake: Intake, url: str) -> None:
    answer = post(f"{url}/github", x_hub_signature_256=signature("hush"))

    assert answer.status_code == 200
    assert intake.submitted == [(Signal.GITHUB, BODY, "application/json")]
    assert intake.senders == ["github"]


def test_fluxs_signature_lets_its_webhook_pass(intake: Intake, url: str) -> None:
    assert post(f"{url}/flux", x_signature=signature("shh")).status_code == 200
    assert intake.senders == ["flux"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_hub_signature_256": ""},
        {"x_hub_signature_256": signature("another")},
        {"x_hub_signature_256": signature("hush").removeprefix("sha256=")},
        {"x_signature": signature("hush")},
    ],
)
def test_a_wrong_signature_is_refused(intake: Intake, url: str, headers: dict[str, str]) -> None:
    assert post(f"{url}/github", **headers).status_code == 401
    assert intake.submitted == []


def test_what_is_not_signed_needs_the_right_that_alerts_need(intake: Intake, url: str) -> None:
    assert post(f"{url}/argocd").status_code == 200  # loopback, and no token exists
    assert post(f"{url}/argocd", authorization="Bearer wrong").status_code == 401
    assert len(intake.submitted) == 1


def test_a_form_is_refused(url: str) -> None:
    answer = httpx.post(f"{url}/argocd", data={"payload": "{}"})

    assert answer.status_code == 415
