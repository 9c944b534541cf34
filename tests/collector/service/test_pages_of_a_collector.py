"""What people read on a page, from real processes: an agent, `aftershock up`, a webhook."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.support.installation import Installation
from tests.support.receiver import Receiver, eventually

WAIT_S = 90.0  # two processes start from nothing, on a machine that does much else
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

AGENT = """
import aftershock

@aftershock.tool
def get_orders(service):
    return "42 orders are open"

@aftershock.tool
def scale(service, replicas, dry_run, note, api_key):
    return "scaled"

with aftershock.run(agent="sre-bot", goal="keep checkout under 300 ms"):
    get_orders(service="checkout")
    scale(service="checkout", replicas=12, dry_run=False, note="Jane Doe complained",
          api_key="sk-1234567890")
"""
PLACE = {
    "OTEL_RESOURCE_ATTRIBUTES": "k8s.cluster.name=eu-1,deployment.environment.name=prod",
    "OTEL_SERVICE_NAME": "ops-agents",
}
POLICY: dict[str, Any] = {
    "tools": {
        "scale": {
            "tier": "provision",
            "targets": [{"service.name": "{service}"}],
            "requires": [{"fact": "connection_limit"}],
            "undo": "kubectl scale deployment/{service} --replicas={usual}",
        },
        "get_limit": {"provides": [{"fact": "connection_limit"}]},
    }
}


class Played(NamedTuple):
    installation: Installation
    receiver: Receiver

    def pages(self) -> list[dict[str, Any]]:
        return [request.json for request in self.receiver.requests if request.path == "/page"]

    def section(self, label: str, page: dict[str, Any] | None = None) -> list[str]:
        sections: list[dict[str, Any]] = (page or self.pages()[-1])["sections"]
        return [line for one in sections if one["label"] == label for line in one["lines"]]

    def text(self, place: str) -> str:
        answer = httpx.get(f"http://{self.installation.http}{place}", timeout=30)
        assert answer.status_code == 200
        return answer.text


def on_call(receiver: Receiver) -> dict[str, Any]:
    return {
        "webhook": {"url": f"{receiver.url}/page"},
        "routes": [{"agent": "sre-*", "team": "payments-sre"}],
        "trace_url": "https://jaeger.example/trace/{trace_id}",
        "grafana": {"url": receiver.url},
        "link": "https://aftershock.example",
        "timezone": "Asia/Kolkata",
    }


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Generator[Played]:
    """An agent scaled checkout without the connection limit, with content capture off."""
    with Receiver() as receiver:
        document = POLICY | {"on_call": on_call(receiver)}
        with Installation(tmp_path_factory.mktemp("shop"), document) as installation:
            installation.run_agent(AGENT, **PLACE)
            found = Played(installation, receiver)
            eventually(found.pages, WAIT_S)
            yield found


def test_a_page_names_the_call_with_its_harmless_arguments_and_no_other(played: Played) -> None:
    did = " ".join(played.section("What the agent did"))

    assert "scale(service=checkout, replicas=12, dry_run=false)" in did
    assert "Jane" not in json.dumps(played.pages())
    assert "1234567890" not in json.dumps(played.pages())
    assert played.section("Its goal") == []  # content: it left the process only where asked for


def test_a_page_says_how_to_undo_and_keeps_a_placeholder_that_it_does_not_know(
    played: Played,
) -> None:
    assert played.section("How to undo it") == [
        "kubectl scale deployment/checkout --replicas={usual}"
    ]


def test_a_page_names_the_owner_the_place_and_the_process(played: Played) -> None:
    where = played.section("Where")[0]

    assert "agent sre-bot · team payments-sre · service ops-agents" in where
    assert "environment prod · cluster eu-1" in where
    # The agent is done at once: the page is written just before, or just after.
    over = "there is nothing to stop: the run is over"
    assert re.fullmatch(rf"kill \d+ on host \S+|{over}", played.section("How to stop it")[0])


def test_a_pages_links_lead_everywhere_a_person_wants_to_go(played: Played) -> None:
    page = played.pages()[0]
    links = {link["label"]: link["url"] for link in page["links"]}

    assert links["Trace"] == f"https://jaeger.example/trace/{page['trace']}"
    assert links["Incident"] == "https://aftershock.example/incidents/1"
    assert list(links) == [
        "Incident", "Acknowledge", "Runbook", "Timeline", "Mute", "Grafana", "Trace",
    ]  # fmt: skip


def test_times_are_local_where_a_zone_is_set(played: Played) -> None:
    did = " ".join(played.section("What the agent did"))
    local = httpx.get(f"http://{played.installation.http}/incidents/1", timeout=30).text
    listed = played.installation.run("incidents", AFTERSHOCK_TIMEZONE="Asia/Kolkata").stdout
    wrong = played.installation.run("incidents", AFTERSHOCK_TIMEZONE="Mars/Base")

    assert re.search(r"\d\d:\d\d:\d\d IST", did)
    assert "Times are IST" in local
    assert "OPENED (IST)" in listed
    assert "OPENED (UTC)" in played.installation.run("incidents").stdout
    assert (2, True) == (wrong.returncode, "'Mars/Base' is no time zone" in wrong.stderr)


def test_the_incidents_own_page_says_what_its_messages_say(played: Played) -> None:
    shown = played.text("/incidents/1")
    lines = [line for one in played.pages()[-1]["sections"] for line in one["lines"]]
    escaped = [line.replace("&", "&amp;").replace("'", "&#39;") for line in lines]

    assert [line for line in escaped if line not in shown] == []
    assert "https://jaeger.example/trace/" in shown


def test_the_infrastructures_own_alert_belongs_to_the_incident_and_is_linked(
    played: Played,
) -> None:
    url = "https://prometheus.example/graph?g0.expr=errors"
    alert = {
        "labels": {"alertname": "ServiceErrorRatio", "service": "checkout"},
        "annotations": {"summary": "errors above 5 %"},
        "startsAt": datetime.now(UTC).isoformat(),
        "generatorURL": url,
    }
    place = f"http://{played.installation.http}/api/v2/alerts"
    assert httpx.post(place, json=[alert], timeout=30).status_code == 200

    def linked() -> list[dict[str, Any]]:
        return [page for page in played.pages() if played.section("Alerts", page)]

    eventually(linked, WAIT_S)
    page = linked()[-1]

    assert page["incident"] == 1
    assert "ServiceErrorRatio on service/checkout since" in played.section("Alerts", page)[0]
    assert {"label": "Alert ServiceErrorRatio", "url": url} in page["links"]


def test_a_goal_is_on_the_page_where_content_capture_is_on(tmp_path: Path) -> None:
    with Receiver() as receiver:
        document = POLICY | {"on_call": on_call(receiver)}
        with Installation(tmp_path, document) as installation:
            content = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
            installation.run_agent(AGENT, **(PLACE | content))
            found = Played(installation, receiver)
            eventually(found.pages, WAIT_S)

            assert found.section("Its goal") == ["keep checkout under 300 ms"]
            assert "keep checkout under 300 ms" in found.text("/incidents/1")
