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
from aftershock_collector.views.html import lists, templates
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
    run = RunSummary(evil, evil, evil, 1, 2, None, {"tool_call": 1}, 0, 0, 0, 1, (evil,))
    page = templates.render(
        "runs.html", served=True, zone="UTC", headline="1 run", runs=[lists.run_row(run, 9)], incidents=[],
        kept=lists.asked({"agent": evil}, 9)[1], recorded="",
    )  # fmt: skip

    assert "<script>alert" not in page


def visited(config: Config, *paths: str) -> list[httpx.Response]:
    """What a collector with one looping run answers."""

    async def visit() -> list[httpx.Response]:
        run = looping_run(random.Random(1))
        async with running(config) as collector, httpx.AsyncClient() as browser:
            base = f"http://{collector.http}"
            body = span_request(run.spans)
            await browser.post(f"{base}/v1/traces", content=body, headers=HEADERS)
            await asyncio.sleep(0.5)
            return [await browser.get(base + path.format(run=run.run_id)) for path in paths]

    return asyncio.run(visit())


def test_a_run_is_shown_under_the_beginning_of_its_id(config: Config) -> None:
    run = looping_run(random.Random(1)).run_id
    whole, short = visited(config, f"/runs/{run}", f"/runs/{run[:6]}")

    assert (200, 200) == (whole.status_code, short.status_code)
    assert "get_status was called" in short.text


def test_lists_are_narrowed_by_their_address(config: Config) -> None:
    mine, others, wrong, found, none = visited(
        config, "/?agent=poller", "/?agent=zzz", "/?since=soon", "/findings?level=alarm",
        "/incidents?rule=agent_impact",
    )  # fmt: skip

    assert "1 run, 1 run with alarms" in mine.text
    assert "No run matches; 1 run recorded." in others.text
    assert "since &#39;soon&#39; is not a time" in wrong.text
    assert "get_status was called" in found.text
    assert 200 == none.status_code


def test_a_finding_leads_to_its_run(config: Config) -> None:
    there, nowhere = visited(config, "/findings/1", "/findings/99")

    assert 307 == there.status_code
    assert there.headers["location"].startswith("/runs/")
    assert 404 == nowhere.status_code


def test_a_runbook_is_served_under_its_alerts_name_and_nothing_else_is(config: Config) -> None:
    async def visit() -> list[httpx.Response]:
        async with running(config) as collector, httpx.AsyncClient() as browser:
            base = f"http://{collector.http}/runbooks"
            names = ("agent_impact", "AgentNothing", "..%2Fgenerate.py", "%2Fetc%2Fpasswd")
            return [await browser.get(f"{base}/{name}") for name in names]

    found, *others = asyncio.run(visit())

    assert "<h1>AgentImpact" in found.text
    assert [404, 404, 404] == [response.status_code for response in others]
