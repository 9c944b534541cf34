"""Rendering that is shared: few at a time, one for everybody, and never an old page."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import PlainTextResponse, Response

from aftershock_collector.views import shared_rendering
from aftershock_collector.views.shared_rendering import RENDERS_MAX, RESPONSES_MAX, SharedRendering


class Renders:
    """Counts how many renders ran, and how many at the same time."""

    def __init__(self) -> None:
        self.running = self.most = self.count = 0

    async def render(self) -> Response:
        self.count += 1
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.02)
        self.running -= 1
        return PlainTextResponse(str(self.count))


def test_p22_fifty_who_ask_for_one_run_share_one_page() -> None:
    renders = Renders()

    async def ask() -> list[Response]:
        shared = SharedRendering()
        return await asyncio.gather(*(shared.response("a", renders.render) for _ in range(50)))

    assert {page.body for page in asyncio.run(ask())} == {b"1"}
    assert renders.count == 1


def test_p22_pages_of_many_runs_are_rendered_two_at_a_time() -> None:
    renders = Renders()

    async def ask() -> list[Response]:
        shared = SharedRendering()
        return await asyncio.gather(*(shared.response(str(n), renders.render) for n in range(30)))

    assert len(asyncio.run(ask())) == 30
    assert (renders.count, renders.most) == (30, RENDERS_MAX)
    assert RESPONSES_MAX < 30


def test_a_page_is_rendered_again_once_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_rendering, "KEPT_S", 0.0)
    renders = Renders()

    async def ask() -> list[bytes]:
        shared = SharedRendering()
        bodies: list[bytes] = []
        for _ in range(3):
            bodies.append(bytes((await shared.response("a", renders.render)).body))
            await asyncio.sleep(0.01)
        return bodies

    assert asyncio.run(ask()) == [b"1", b"2", b"3"]


def test_a_render_that_fails_fails_for_whoever_asked_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_rendering, "KEPT_S", 0.0)

    async def fail() -> Response:
        raise LookupError("gone")

    async def ask() -> bytes:
        shared = SharedRendering()
        with pytest.raises(LookupError):
            await shared.response("a", fail)
        await asyncio.sleep(0.01)
        return bytes((await shared.response("a", Renders().render)).body)

    assert asyncio.run(ask()) == b"1"
