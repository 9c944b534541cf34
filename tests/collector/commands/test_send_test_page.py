"""`aftershock send-test-page`: real receivers, what they answer, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import run_main
from tests.support.receiver import Answer, Receiver


@pytest.fixture
def main(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AFTERSHOCK_HOME", str(tmp_path))

    def call(document: dict[str, Any], *argv: str) -> tuple[int, str, str]:
        (tmp_path / "aftershock.yaml").write_text(json.dumps({"on_call": document}))
        return run_main(capsys, "send-test-page", *argv)

    return call


def test_every_receiver_gets_a_page_that_says_that_nothing_happened(main: Any) -> None:
    with Receiver() as receiver:
        code, out, _ = main(
            {
                "webhook": {"url": f"{receiver.url}/hook"},
                "slack": {"url": f"{receiver.url}/slack"},
                "pagerduty": {"url": receiver.url, "routing_key": "R"},
                "opsgenie": {"url": receiver.url, "api_key": "K"},
                "teams": {"url": f"{receiver.url}/teams"},
                "alertmanager": {"url": receiver.url},
                "grafana": {"url": receiver.url},
            }
        )

    assert code == 0, out
    assert [line[:1] for line in out.splitlines()] == ["✓"] * 6
    assert {request.path for request in receiver.requests} == {
        "/hook", "/slack", "/v2/enqueue", "/v2/alerts", "/teams", "/api/v2/alerts",
    }  # fmt: skip
    for request in receiver.requests:
        assert "nothing has happened" in request.content.decode(), request.path


def test_a_receiver_that_refuses_is_named_with_its_answer(main: Any) -> None:
    with Receiver(Answer(403, content=b"invalid_token"), Answer(503)) as receiver:
        document = {
            "webhook": {"url": f"{receiver.url}/hook"},
            "slack": {"url": f"{receiver.url}/slack"},
            "teams": {"url": f"{receiver.url}/teams"},
        }
        code, out, _ = main(document)
    refused, later, fine = out.splitlines()

    assert code == 1
    assert "✗ webhook  refused, a page would be lost: HTTP 403: invalid_token" in refused
    assert "✗ slack" in later
    assert "HTTP 503" in later
    assert "✓ teams" in fine


def test_one_receiver_can_be_tried_alone(main: Any) -> None:
    with Receiver() as receiver:
        document = {
            "webhook": {"url": f"{receiver.url}/hook"},
            "receivers": {"night": {"slack": {"url": f"{receiver.url}/night"}}},
        }
        code, out, _ = main(document, "--receiver", "night")
        unknown = main(document, "--receiver", "day")

    assert (code, len(out.splitlines())) == (0, 1)
    assert [request.path for request in receiver.requests] == ["/night"]
    assert unknown[0] == 2
    assert "there are: webhook, night" in unknown[2]


def test_without_a_receiver_it_fails_and_says_what_to_do(main: Any) -> None:
    code, _, err = main({})

    assert code == 1
    assert "no one is paged" in err


def test_nobody_listens(main: Any) -> None:
    code, out, _ = main({"webhook": {"url": "http://127.0.0.1:9/"}})

    assert code == 1
    assert "✗ webhook  not now, a page would be sent again for hours: ConnectError" in out
