"""The whole collector in one process: real sockets, a real file, a real receiver."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import httpx
import pytest

from aftershock_collector.config.model import Address, Config, Infrastructure, OnCall, ScrapeTarget
from aftershock_collector.service.wiring import running
from aftershock_collector.store.interface import StoreRefused
from aftershock_collector.store.reader import Reader
from tests.support.receiver import Receiver
from tests.support.traffic import Agent, Traffic, looping_run, span_request

HEADERS = {"content-type": "application/x-protobuf"}
ANY = Address("127.0.0.1", 0)


def test_a_loop_pages_once_and_not_again_after_a_restart(tmp_path: Path) -> None:
    run = looping_run(random.Random(1), began_ns=time.time_ns())
    body = span_request(run.spans[:-1])

    async def live(config: Config, seconds: float) -> None:
        async with running(config) as collector, httpx.AsyncClient() as agent:
            await agent.post(f"http://{collector.http}/v1/traces", content=body, headers=HEADERS)
            await asyncio.sleep(seconds)

    with Receiver() as receiver:
        on_call = OnCall(webhook_url=f"{receiver.url}/page", wait_s=0.0)
        config = Config(home=tmp_path, http=ANY, grpc=ANY, tick_s=0.05, on_call=on_call)
        asyncio.run(live(config, 1.0))
        asyncio.run(live(config, 1.0))

        assert [("repeated_action", "opened")] == [
            (sent.json["kind"], sent.json["state"]) for sent in receiver.requests
        ]


def test_what_is_customary_is_known_again_after_a_restart(tmp_path: Path) -> None:
    dice, now_ns = random.Random(2), time.time_ns()
    config = Config(home=tmp_path, http=ANY, grpc=ANY, tick_s=0.05)

    def runs(count: int, began_ns: int, *, sanitized: bool) -> bytes:
        played: list[Traffic] = []
        for number in range(count):
            agent = Agent(dice, "clerk", began_ns=began_ns + number * 60 * 10**9)
            if sanitized:
                agent.call("get_order", {"order_id": f"A-{number}"}, "open")
            agent.call("update_order", {"order_id": f"A-{number}", "state": "paid"}, "updated")
            played.append(agent.finish())
        return span_request(span for each in played for span in each.spans)

    async def receive_page(body: bytes) -> None:
        async with running(config) as collector, httpx.AsyncClient() as agent:
            await agent.post(f"http://{collector.http}/v1/traces", content=body, headers=HEADERS)
            await asyncio.sleep(0.5)

    asyncio.run(receive_page(runs(20, now_ns - 2 * 86_400 * 10**9, sanitized=True)))
    asyncio.run(receive_page(runs(1, now_ns, sanitized=False)))
    with Reader.open(config.store) as reader:
        (claim,) = reader.claims()

    assert "missing_fact" == claim.finding.kind
    assert "100% of 20 earlier actions read it first" in claim.finding.facts[0]


def test_two_collectors_do_not_work_in_one_folder(tmp_path: Path) -> None:
    config = Config(home=tmp_path, http=ANY, grpc=ANY)

    async def both() -> None:
        async with running(config), running(config):
            pass

    with pytest.raises(StoreRefused, match="another collector"):
        asyncio.run(both())


def test_a_collector_scrapes_itself_and_this_host_into_series(tmp_path: Path) -> None:
    async def measure() -> list[str]:
        first = Config(home=tmp_path / "a", http=ANY, grpc=ANY)
        async with running(first) as scraped:
            target = ScrapeTarget(
                f"http://{scraped.http}/metrics", 0.1, {"service.name": "collector"}
            )
            second = Config(
                home=tmp_path / "b",
                http=ANY,
                grpc=ANY,
                tick_s=0.05,
                infrastructure=Infrastructure(host=True, host_every_s=0.1, scrape=(target,)),
            )
            async with running(second) as collector:
                await asyncio.sleep(1.0)
                return collector.judging.engine.correlator.series.entities()

    entities = asyncio.run(measure())

    assert "service/collector" in entities
    assert any(entity.startswith("host/") for entity in entities)
