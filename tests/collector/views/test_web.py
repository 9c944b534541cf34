"""The collector's own pages, over a real socket."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import httpx
import pytest

from aftershock_collector.config.model import Address, Config
from aftershock_collector.service.wiring import running
from aftershock_collector.store.run_summary import RunSummary
from aftershock_collector.views.html import runs_page
from tests.support.traffic import looping_run, span_request

HEADERS = {"content-type": "application/x-protobuf"}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    nowhere = Address("127.0.0.1", 0)
    return Config(home=tmp_path, http=nowhere, grpc=nowhere, tick_s=0.05)


def test_a_run_is_listed_and_shown_with_its_findings(config: Config) -> None:
    async def visit() -> tuple[str, httpx.Response]:
        run = looping_run(random.Random(1))
        async with running(config) as collector, httpx.AsyncClient() as browser:
            base = f"http://{collector.http}"
            empty = (await browser.get(base)).text
            assert "Nothing is recorded yet" in empty
            await browser.post(
                f"{base}/v1/traces", content=span_request(run.spans), headers=HEADERS
            )
            await asyncio.sleep(0.5)
            listed = (await browser.get(base)).text
            shown = await browser.get(f"{base}/runs/{run.run_id}")
        return listed, shown

    listed, shown = asyncio.run(visit())

    assert "1 alarm" in listed
    assert "poller" in listed
    assert 200 == shown.status_code
    assert "get_status was called" in shown.text
    assert "no-store" == shown.headers["cache-control"]


def test_a_run_that_is_not_known_is_said_in_plain_words(config: Config) -> None:
    async def visit() -> httpx.Response:
        async with running(config) as collector, httpx.AsyncClient() as browser:
            return await browser.get(f"http://{collector.http}/runs/nobody")

    answer = asyncio.run(visit())

    assert (404, True) == (answer.status_code, "never seen" in answer.text)


def test_hostile_names_stay_text_in_the_list() -> None:
    evil = "<script>alert(1)</script>"
    run = RunSummary(evil, evil, evil, 1, 2, None, {"tool_call": 1}, 0, 0, 0, 1)

    assert "<script>alert" not in runs_page.render([run])


def test_a_runbook_is_served_under_its_alerts_name_and_nothing_else_is(config: Config) -> None:
    async def visit() -> list[httpx.Response]:
        async with running(config) as collector, httpx.AsyncClient() as browser:
            base = f"http://{collector.http}/runbooks"
            names = ("AgentImpact", "AgentNothing", "..%2Fgenerate.py", "%2Fetc%2Fpasswd")
            return [await browser.get(f"{base}/{name}") for name in names]

    found, *others = asyncio.run(visit())

    assert found.text.startswith("# AgentImpact")
    assert [404, 404, 404] == [response.status_code for response in others]
