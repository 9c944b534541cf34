"""Rendering that many ask for: two documents at a time, and one for all who ask together."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from starlette.responses import Response

RENDERS_MAX = 2  # at a time: a document of 5,000 steps takes 100 MB while it is rendered
KEPT_S = 0.2  # a response is at most this old: enough for a crowd, too little to be noticed
RESPONSES_MAX = 16  # kept at a time

Render = Callable[[], Awaitable[Response]]


class SharedRendering:
    """Renders each document once for all who ask together. Belongs to one event loop."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(RENDERS_MAX)
        self._responses: OrderedDict[str, tuple[float, asyncio.Task[Response]]] = OrderedDict()

    async def response(self, key: str, render: Render) -> Response:
        """The response with this key; `render` runs only if none is being made or fresh."""
        now_s = time.monotonic()
        made_s, task = self._responses.get(key, (0.0, None))
        if task is None or (task.done() and now_s - made_s > KEPT_S):
            task = asyncio.create_task(self._render(key, render))
            self._responses[key] = (now_s, task)
            self._responses.move_to_end(key)
            while len(self._responses) > RESPONSES_MAX:
                self._responses.popitem(last=False)
        return await asyncio.shield(task)

    async def _render(self, key: str, render: Render) -> Response:
        async with self._turn:
            try:
                return await render()
            finally:
                kept = self._responses.get(key)
                if kept is not None:
                    self._responses[key] = (time.monotonic(), kept[1])
