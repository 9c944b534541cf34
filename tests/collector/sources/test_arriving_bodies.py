"""Bodies that arrive over gRPC: a few at a time, and of each sender fewer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from aftershock_collector.config.model import Config
from aftershock_collector.sources import arriving_bodies
from aftershock_collector.sources.arriving_bodies import PLACES, PLACES_OF_SENDER, Bodies
from aftershock_collector.sources.requests import Busy, Refused

CONFIG = replace(Config(Path()), answer_s=0.05)


async def whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def half_sent() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b"never"


async def empty() -> AsyncIterator[bytes]:
    return
    yield b""


def test_one_sender_holds_a_third_of_the_places_and_others_get_theirs() -> None:
    async def play() -> None:
        bodies = Bodies(CONFIG)
        held = [asyncio.create_task(bodies.receive("slow", half_sent())) for _ in range(9)]
        await asyncio.sleep(0)
        assert await bodies.receive("other", whole(b"body")) == b"body"

        refused = [task for task in held if isinstance(await done_of(task), Busy)]
        assert len(refused) == 9 - PLACES_OF_SENDER
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        assert await bodies.receive("slow", whole(b"body")) == b"body"

    asyncio.run(play())


async def done_of(task: asyncio.Task[bytes | Busy | Refused]) -> object:
    done, _ = await asyncio.wait([task], timeout=0.2)
    return task.result() if done else None


def test_however_many_senders_there_are_only_so_many_bodies_arrive() -> None:
    async def play() -> None:
        bodies = Bodies(CONFIG)
        held = [asyncio.create_task(bodies.receive(f"{n}", half_sent())) for n in range(PLACES)]
        await asyncio.sleep(0)
        assert isinstance(await bodies.receive("late", whole(b"body")), Busy)
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        assert await bodies.receive("late", whole(b"body")) == b"body"

    asyncio.run(play())


def test_a_body_that_never_ends_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving_bodies, "BODY_S", 0.05)

    async def play() -> None:
        bodies = Bodies(CONFIG)
        for _ in range(2 * PLACES):
            assert isinstance(await bodies.receive("slow", half_sent()), Refused)
        assert isinstance(await bodies.receive("slow", empty()), Refused)

    asyncio.run(play())
