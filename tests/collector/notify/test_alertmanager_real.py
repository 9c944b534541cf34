"""Two incidents against a real Alertmanager: two pages, two resolves within seconds."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from aftershock.model import Claim, Closing, Report
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify.deliverer import Deliverer
from tests.support import incident
from tests.support.desk import Desk
from tests.support.receiver import Receiver, eventually

PROGRAMS = ("prometheus-alertmanager", "alertmanager")
CONFIG = """
route:
  receiver: page
  group_by: [incident]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
receivers:
  - name: page
    webhook_configs:
      - url: {url}
        send_resolved: true
"""
S = 10**9


def program() -> str:
    found = next((place for name in PROGRAMS if (place := shutil.which(name))), None)
    if found is None:
        if "alertmanager" in os.environ.get("TESTS_REQUIRE_PROGRAMS", ""):
            pytest.fail("alertmanager is missing; TESTS_REQUIRE_PROGRAMS wants it")
        pytest.skip("alertmanager is missing (apt-get install prometheus-alertmanager)")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def page() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


@pytest.fixture
def alertmanager(tmp_path: Path, page: Receiver) -> Iterator[str]:
    config = tmp_path / "alertmanager.yml"
    config.write_text(CONFIG.format(url=page.url), "utf-8")
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        program(),
        f"--config.file={config}",
        f"--storage.path={tmp_path / 'alertmanager'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--cluster.listen-address=",
    ]
    with (tmp_path / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            eventually(lambda: _is_ready(url), within_s=30)
            yield url
        finally:
            process.terminate()
            process.wait(10)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=1).is_success
    except httpx.TransportError:
        return False


def blamed(run: str, at_ns: int) -> Claim:
    """The same agent, the same tool and the same entity in another run."""
    change = incident.impact().change
    assert change is not None
    impact = replace(
        incident.impact(),
        run_id=run,
        trace_id=run,
        acted_at_ns=at_ns,
        change=replace(change, began_at_ns=at_ns),
    )
    finding = replace(
        incident.blamed().finding, run_id=run, trace_id=run, impact=impact, began_at_ns=at_ns
    )
    return Claim(finding, at_ns)


def pages(receiver: Receiver, status: str) -> list[str]:
    """Incidents that were sent with a status, in order."""
    return [
        request.json["groupLabels"]["incident"]
        for request in receiver.requests
        if request.json["status"] == status
    ]


@pytest.mark.slow
def test_two_incidents_of_one_agent_are_two_pages_and_two_resolves_within_seconds(
    tmp_path: Path, alertmanager: str, page: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(alertmanager_url=alertmanager))
    with Deliverer(desk.outbox, desk.telemetry, desk.receivers):
        for number, run in (("1", "a" * 32), ("2", "b" * 32)):
            now_ns = time.time_ns()
            claim = blamed(run, now_ns - 5 * S)
            desk.record(Report(now_ns, opened=(claim,)))
            eventually(lambda n=number: n in pages(page, "firing"), within_s=5)

            now_ns = time.time_ns()
            over = replace(claim, closed_at_ns=now_ns, closing=Closing.ACKNOWLEDGED)
            began_s = time.monotonic()
            desk.record(Report(now_ns, closed=(over,)))
            eventually(lambda n=number: n in pages(page, "resolved"), within_s=5)
            assert time.monotonic() - began_s < 5

    assert pages(page, "firing") == ["1", "2"]
    assert pages(page, "resolved") == ["1", "2"]


def test_what_an_incident_gets_later_is_the_same_page_of_alertmanager(
    tmp_path: Path, alertmanager: str, page: Receiver
) -> None:
    desk = Desk(tmp_path, OnCall(alertmanager_url=alertmanager))
    now_ns = time.time_ns()
    missing = replace(incident.missing_fact().finding, began_at_ns=now_ns - 5 * S)
    with Deliverer(desk.outbox, desk.telemetry, desk.receivers):
        desk.record(Report(now_ns, opened=(Claim(missing, now_ns),)))
        eventually(lambda: pages(page, "firing") == ["1"], within_s=5)
        desk.record(Report(time.time_ns(), opened=(blamed(incident.RUN, now_ns - S),)))
        eventually(lambda: len(page.requests) == 2, within_s=5)

    assert {request.json["groupKey"] for request in page.requests} == {'{}:{incident="1"}'}
    assert sorted(alert["labels"]["alertname"] for alert in page.requests[1].json["alerts"]) == [
        "AgentImpact",
        "AgentMissingFact",
    ]
