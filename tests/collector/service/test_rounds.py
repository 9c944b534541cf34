"""A conclusion does not wait for its tick where one costs little."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from aftershock_collector.config.model import Address, Config, OnCall
from aftershock_collector.service import rounds
from aftershock_collector.service.rounds import EarlyRounds
from aftershock_collector.service.wiring import running
from aftershock_collector.sources.requests import Observations
from tests.support import incident
from tests.support.receiver import Receiver
from tests.support.traffic import looping_run, span_request

ANY = Address("127.0.0.1", 0)
STEPS = Observations(incident.at(0), steps=tuple(incident.steps()))


def test_a_page_does_not_wait_for_the_next_tick(tmp_path: Path) -> None:
    body = span_request(looping_run(random.Random(1), began_ns=time.time_ns()).spans[:-1])

    async def live(config: Config) -> None:
        headers = {"content-type": "application/x-protobuf"}
        async with running(config) as collector, httpx.AsyncClient() as agent:
            await asyncio.sleep(rounds.APART_S)
            await agent.post(f"http://{collector.http}/v1/traces", content=body, headers=headers)
            for _ in range(200):
                if receiver.requests:
                    return
                await asyncio.sleep(0.05)

    with Receiver() as receiver:
        on_call = OnCall(webhook_url=f"{receiver.url}/page", wait_s=0.0)
        asyncio.run(live(Config(home=tmp_path, http=ANY, grpc=ANY, tick_s=600.0, on_call=on_call)))

        assert [sent.json["kind"] for sent in receiver.requests] == ["repeated_action"]


def test_steps_that_come_together_ask_for_one_conclusion_and_metrics_for_none() -> None:
    works: list[Callable[[], None]] = []
    early = EarlyRounds(lambda: None, works.append)
    time.sleep(rounds.APART_S)
    early.arrived(Observations(incident.at(0)))
    assert works == []
    early.arrived(STEPS)
    early.arrived(STEPS)
    assert len(works) == 1
    works.pop()()
    early.arrived(STEPS)  # at once: the next tick, or the next steps, will do
    assert works == []
    time.sleep(rounds.APART_S)
    early.arrived(STEPS)
    assert len(works) == 1


def test_conclusions_that_cost_much_are_left_to_the_ticks() -> None:
    works: list[Callable[[], None]] = []
    early = EarlyRounds(lambda: time.sleep(0.05), works.append)
    early.conclude()
    time.sleep(0.1)
    early.arrived(STEPS)

    assert works == []
