"""Rules, routes and templates, by the programs that run them; and the way from metric to page."""

from __future__ import annotations

import asyncio
import json
import random
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from aftershock_collector.config.model import Address, Config, OnCall
from aftershock_collector.demo.postgres import free_port
from aftershock_collector.demo.processes import Children
from aftershock_collector.service.wiring import running
from tests.stack.requirements import need
from tests.stack.standing import ROOT, answers
from tests.support.receiver import Receiver, eventually
from tests.support.traffic import looping_run, span_request

ALERTS = ROOT / "alerts"
ALERTMANAGER = ROOT / "deploy" / "alertmanager"
HEADERS = {"content-type": "application/x-protobuf"}


def run(*command: object) -> str:
    ran = subprocess.run([str(c) for c in command], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def configured(folder: Path, program: Path, **places: str) -> Path:
    """alertmanager.yml with the places of this machine, as `program` can read it.

    The address of the webhook is in a file; releases before 0.26, Debian's among them, take it
    from the configuration only.
    """
    text = (ALERTMANAGER / "alertmanager.yml").read_text(encoding="utf-8")
    if release(program) < (0, 26):
        secret = folder / "webhook_url"
        url = secret.read_text(encoding="utf-8") if secret.exists() else "http://127.0.0.1:9/page"
        text = text.replace("url_file: /run/alertmanager/webhook_url", f"url: {url}")
    folders = {
        "/etc/alertmanager/templates": str(ALERTMANAGER / "templates"),
        "/run/alertmanager": str(folder),
        **places,
    }
    for there, here in folders.items():
        text = text.replace(there, here)
    copy = folder / "alertmanager.yml"
    copy.write_text(text, encoding="utf-8")
    return copy


def release(program: Path) -> tuple[int, ...]:
    """Which release of Alertmanager, or of its tool, this is."""
    found = re.search(r"version v?(\d+)\.(\d+)", run(program, "--version"))
    assert found is not None
    return tuple(int(part) for part in found.groups())


def test_prometheus_accepts_every_rule() -> None:
    (promtool,) = need("promtool")

    assert "FAILED" not in run(promtool, "check", "rules", *ALERTS.glob("rules/*.yml"))


@pytest.mark.slow
def test_each_alert_keeps_still_until_its_minute_and_fires_then() -> None:
    (promtool,) = need("promtool")

    output = run(promtool, "test", "rules", *ALERTS.glob("tests/*.yml"))

    assert output.count("SUCCESS") == len(list(ALERTS.glob("tests/*.yml")))


def test_the_linter_for_rules_finds_nothing_but_the_watchdog() -> None:
    (pint,) = need("pint")

    output = run(
        pint, "--no-color", "--offline", "lint", "--min-severity=warning", ALERTS / "rules"
    )

    assert [] == [
        line for line in output.splitlines() if "->" in line and "`Watchdog`" not in line
    ], output


def test_alertmanager_accepts_its_routes_and_templates(tmp_path: Path) -> None:
    (amtool,) = need("amtool")

    assert "SUCCESS" in run(amtool, "check-config", configured(tmp_path, amtool))


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ("severity=critical team=agents source=aftershock", "on-call-webhook"),
        ("severity=critical team=agents source=prometheus", "on-call-webhook"),
        ("severity=critical team=infrastructure", "on-call-webhook"),
        ("severity=warning team=platform", "on-call-webhook"),
        ("severity=info team=agents", "none"),
        ("severity=none", "none"),
    ],
)
def test_routes_lead_where_severity_and_team_say(
    labels: str, receivers: str, tmp_path: Path
) -> None:
    (amtool,) = need("amtool")
    config = configured(tmp_path, amtool)

    run(
        amtool, "config", "routes", "test", f"--config.file={config}",
        f"--verify.receivers={receivers}", *labels.split(),
    )  # fmt: skip


@pytest.mark.slow
def test_a_finding_pages_once_by_either_route(tmp_path: Path) -> None:
    """Fast: the collector posts it. Slow: a scrape and a rule. With both, one page."""
    found = looping_run(random.Random(1), began_ns=time.time_ns())

    for name in ("both", "slow"):
        (tmp_path / name).mkdir()
    both = asyncio.run(paged(tmp_path / "both", found.spans[:-1], fast=True))
    slow = asyncio.run(paged(tmp_path / "slow", found.spans[:-1], fast=False))

    (alert,) = both
    assert alert["labels"]["source"] == "aftershock"
    assert "How to stop it" in alert["annotations"]["description"]
    (alert,) = slow
    assert alert["labels"]["source"] == "prometheus"
    assert alert["annotations"]["runbook_url"].endswith("/runbooks/AgentRepeatedAction")


async def paged(folder: Path, spans: Any, *, fast: bool) -> list[dict[str, Any]]:
    """What on call is told of one looping run, with or without the collector's own route."""
    prometheus, alertmanager = need("prometheus", "alertmanager")
    http, manager = Address("127.0.0.1", free_port()), f"127.0.0.1:{free_port()}"
    with Receiver() as on_call, Children(folder) as children:
        (folder / "webhook_url").write_text(f"{on_call.url}/page", encoding="utf-8")
        hurried = {"group_wait: 15s": "group_wait: 4s", "group_interval: 1m": "group_interval: 1s"}
        config = configured(folder, alertmanager, **hurried)
        children.start(
            "alertmanager",
            [
                str(alertmanager), f"--config.file={config}", "--cluster.listen-address=",
                f"--storage.path={folder / 'am'}", f"--web.listen-address={manager}",
            ],
        )  # fmt: skip
        children.start(
            "prometheus",
            [
                str(prometheus), f"--config.file={scraping(folder, http, manager)}",
                f"--storage.tsdb.path={folder / 'prom'}",
                f"--web.listen-address=127.0.0.1:{free_port()}",
            ],
        )  # fmt: skip
        eventually(lambda: answers(f"http://{manager}/-/ready"), 20)
        receiver = f"http://{manager}" if fast else None
        receivers = OnCall(alertmanager_url=receiver)
        collector = Config(
            home=folder / "home",
            http=http,
            grpc=Address("127.0.0.1", 0),
            tick_s=0.1,
            on_call=receivers,
        )
        async with running(collector), httpx.AsyncClient() as agent:
            await agent.post(
                f"http://{http}/v1/traces", content=span_request(spans), headers=HEADERS
            )
            await asyncio.to_thread(eventually, lambda: fires(manager), 40)
            await asyncio.sleep(8)  # longer than any route here waits
        requests = list(on_call.requests)
    return [
        alert
        for request in requests
        for alert in json.loads(request.content)["alerts"]
        if alert["labels"]["alertname"] == "AgentRepeatedAction" and alert["status"] == "firing"
    ]


def fires(manager: str) -> bool:
    """True once Alertmanager knows the slow rule's alert, silenced or not."""
    known = httpx.get(f"http://{manager}/api/v2/alerts", trust_env=False).json()
    return any(
        alert["labels"]["alertname"] == "AgentRepeatedAction"
        and alert["labels"]["source"] == "prometheus"
        for alert in known
    )


def scraping(folder: Path, collector: Address, manager: str) -> Path:
    """A Prometheus that scrapes one collector and judges by the product's rules."""
    document = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS / "rules" / "agents.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [manager]}]}]},
        "scrape_configs": [
            {"job_name": "aftershock", "static_configs": [{"targets": [str(collector)]}]}
        ],
    }
    place = folder / "prometheus.yml"
    place.write_text(yaml.safe_dump(document), encoding="utf-8")
    return place
