"""Silences of an Alertmanager: where people expect trouble, as in a maintenance window."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

import httpx

from aftershock_collector.control.knowledge import Silence
from aftershock_collector.sources.prometheus_scrape import problem_of

EVERY_S = 15.0  # as often as alerts are evaluated
TIMEOUT_S = 5.0
SILENCES_MAX = 1_000

log = logging.getLogger("aftershock")


class Silences:
    """Reads the silences of one Alertmanager again and again."""

    def __init__(
        self,
        url: str,
        deliver: Callable[[tuple[Silence, ...]], None],
        every_s: float = EVERY_S,
    ) -> None:
        self._url = f"{url.rstrip('/').removesuffix('/api/v2/alerts')}/api/v2/silences"
        self._deliver = deliver
        self._every_s = every_s
        self._failing = False

    async def run(self) -> None:
        """Read until cancelled; what was read last stays while the server does not answer."""
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            while True:
                try:
                    self._deliver(read_silences((await client.get(self._url)).raise_for_status()))
                    self._failing = False
                except (httpx.HTTPError, ValueError) as error:
                    if not self._failing:
                        place = httpx.URL(self._url).host  # the whole may hold a password
                        log.warning("silences of %s: %s", place, problem_of(error))
                    self._failing = True
                await asyncio.sleep(self._every_s)


def read_silences(response: httpx.Response) -> tuple[Silence, ...]:
    """The silences of an answer that are active or pending; odd ones are left out."""
    listed: Any = response.json()
    if not isinstance(listed, list):
        raise ValueError("the answer is no list")  # noqa: TRY004 (as other bad answers)
    found = [read_silence(one) for one in cast("list[Any]", listed)[:SILENCES_MAX]]
    return tuple(silence for silence in found if silence is not None)


def read_silence(value: Any) -> Silence | None:
    """One silence; None for one that has ended or cannot be read."""
    try:
        if value["status"]["state"] == "expired":
            return None
        matchers: list[Mapping[str, Any]] = value["matchers"]
        return Silence(
            str(value["id"]),
            tuple(
                (str(one["name"]), str(one["value"]))
                for one in matchers
                if not one.get("isRegex") and one.get("isEqual", True)
            ),
            str(value.get("createdBy") or "somebody"),
            str(value.get("comment") or ""),
            nanoseconds(value["startsAt"]),
            nanoseconds(value["endsAt"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def nanoseconds(text: str) -> int:
    """A time as Alertmanager writes it. Raises ValueError."""
    return int(datetime.fromisoformat(text).timestamp() * 1e9)
