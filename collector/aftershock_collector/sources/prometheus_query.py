"""Series from a Prometheus server, queried by `query_range` around an action, and newest values.

The second source behind `window(entities, start, end)`; Mimir, Thanos and VictoriaMetrics serve
the same API. Failed queries are listed in `problems`; they never count as "no change".
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import httpx

from aftershock_collector.metrics.promql import Answered, newest_samples, read_answer
from aftershock_collector.metrics.queries import Prometheus, Query, fill
from aftershock_collector.metrics.series import POINTS_MAX, Series
from aftershock_collector.otlp.wire import Sample
from aftershock_collector.telemetry import Telemetry

BODY_BYTES_MAX = 64_000_000  # a thousand points of two thousand services
ALIASES_MAX = 10_000
PROBLEM_CHARS_MAX = 300  # of one failed query, as shown in an attribution
SETTLE_S = 1.0  # samples this recent may not be stored yet
ASK_EVERY_S = 1.0  # how often `wanted` is checked
NEWEST_S = 300.0  # an older sample is no part of now; Prometheus itself looks back as far
GAUGE = re.compile(r"(?!.*_(?:total|count|sum|bucket)$)[a-zA-Z_:][a-zA-Z0-9_:]*")

Found = TypeVar("Found")

Deliver = Callable[[Sequence[Series], Mapping[str, str], tuple[str, ...]], None]


class QueryFailed(Exception):  # noqa: N818  (it names an event, and reads so in `except`)
    """A query got no usable answer; its message names the query and the reason."""

    def __init__(self, message: str, *, unreachable: bool) -> None:
        super().__init__(message)
        self.unreachable = (
            unreachable  # the server did not answer: the next query would time out too
        )


class PrometheusSource:
    """Queries one Prometheus server. Only one thread may use it at a time."""

    def __init__(self, settings: Prometheus) -> None:
        self.settings = settings
        self.problems: tuple[str, ...] = ()  # of the newest window
        self.aliases: OrderedDict[str, str] = OrderedDict()
        self._client = httpx.Client(
            timeout=settings.timeout_s, headers=dict(settings.headers), trust_env=False
        )

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def window(
        self, entities: Iterable[str] | None, start_ns: int, end_ns: int
    ) -> Sequence[Series]:
        """Every series of these entities (None: of all) with its points in [start, end].

        At most the newest POINTS_MAX steps. `problems` lists the queries that failed.
        """
        asked = None if entities is None else [self.canonical(entity) for entity in entities]
        found: list[Series] = []
        problems: list[str] = []
        for query in self.settings.queries:
            try:
                found += self.ask(query, asked, start_ns, end_ns).series
            except QueryFailed as error:
                problems.append(str(error))
                if error.unreachable:
                    break
        self.problems = tuple(problems)
        wanted = None if asked is None else set(asked)
        return [each for each in found if wanted is None or each.entity in wanted]

    def newest_ns(self, entities: Iterable[str], end_ns: int) -> int:
        """Time of the newest point of these entities up to `end_ns`; -1 where there is none."""
        start_ns = end_ns - POINTS_MAX * int(self.settings.step_s * 1e9)
        found = self.window(entities, start_ns, end_ns)
        return max((int(each.times_ns[-1]) for each in found), default=-1)

    def canonical(self, entity: str) -> str:
        """The entity key under which series of this entity are stored."""
        return self.aliases.get(entity, entity)

    def entities(self) -> list[str]:
        """Every entity that an answer was about."""
        return sorted(set(self.aliases.values()))

    def ask(
        self, query: Query, entities: Iterable[str] | None, start_ns: int, end_ns: int
    ) -> Answered:
        """The answer to one query; raises QueryFailed."""
        words = fill(query, entities, self.settings.step_s)
        step_ns = int(self.settings.step_s * 1e9)
        # Whole multiples of the step: the same points come back in the next round.
        first_ns = -(-max(start_ns, end_ns - POINTS_MAX * step_ns) // step_ns) * step_ns
        last_ns = end_ns // step_ns * step_ns
        if words is None or first_ns > last_ns:
            return Answered((), {}, 0)
        form = {
            "query": words,
            "start": f"{first_ns / 1e9:.3f}",
            "end": f"{last_ns / 1e9:.3f}",
            "step": f"{self.settings.step_s:g}",
        }
        answered = self._answer(query.name, "query_range", form, partial(read_answer, query))
        self.aliases.update(answered.aliases)
        while len(self.aliases) > ALIASES_MAX:
            self.aliases.popitem(last=False)
        return answered

    def newest(self, names: Iterable[str], now_ns: int) -> list[Sample]:
        """The newest sample of every gauge with one of these names; raises QueryFailed."""
        if not (asked := sorted(name for name in names if GAUGE.fullmatch(name))):
            return []
        words = f'{{__name__=~"{"|".join(asked)}"}}[{NEWEST_S:.0f}s]'
        form = {"query": words, "time": f"{now_ns / 1e9:.3f}"}
        return self._answer("of assumptions", "query", form, newest_samples)

    def _answer(
        self, name: str, kind: str, form: Mapping[str, str], read: Callable[[Any], Found]
    ) -> Found:
        """What an answer says; raises QueryFailed."""
        limit_s = self.settings.timeout_s
        try:
            return read(self._post(kind, {**form, "timeout": f"{limit_s:g}s"}))
        except (httpx.HTTPError, ValueError) as error:
            timed_out = isinstance(error, httpx.TimeoutException)
            why = f"no answer within {limit_s:g} s" if timed_out else str(error)
            message = f"Prometheus query {name} failed: {why or type(error).__name__}"
            unreachable = isinstance(error, httpx.TransportError)
            raise QueryFailed(message[:PROBLEM_CHARS_MAX], unreachable=unreachable) from error

    def _post(self, kind: str, form: Mapping[str, str]) -> Any:
        """The JSON answer, bounded in bytes and time."""
        place = f"{self.settings.url.rstrip('/')}/api/v1/{kind}"
        deadline = time.monotonic() + self.settings.timeout_s
        body = bytearray()
        with self._client.stream("POST", place, data=form) as response:
            for part in response.iter_bytes():
                body += part
                if len(body) > BODY_BYTES_MAX:
                    raise ValueError(f"an answer of more than {BODY_BYTES_MAX} bytes")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer arrives too slowly")
        try:
            return json.loads(body)
        except ValueError as error:
            raise ValueError(f"HTTP {response.status_code}, not JSON") from error


class Poller:
    """Queries new points while `wanted`, and delivers them."""

    def __init__(
        self,
        source: PrometheusSource,
        wanted: Callable[[], Awaitable[bool]],
        deliver: Deliver,
        telemetry: Telemetry,
    ) -> None:
        self._source = source
        self._wanted = wanted
        self._deliver = deliver
        self._telemetry = telemetry
        self._since_ns: dict[str, int] = {}  # query → start of its next range

    async def run(self) -> None:
        """Poll until cancelled, at most once a step."""
        step_s = self._source.settings.step_s
        while True:
            if await self._wanted():
                series, problems = await asyncio.to_thread(self.poll, time.time_ns())
                self._deliver(series, dict(self._source.aliases), problems)
                await asyncio.sleep(max(step_s, ASK_EVERY_S))
            else:
                await asyncio.sleep(ASK_EVERY_S)

    def poll(self, now_ns: int) -> tuple[list[Series], tuple[str, ...]]:
        """The new points of every query, and the problems of those that failed."""
        end_ns = now_ns - int(SETTLE_S * 1e9)
        step_ns = int(self._source.settings.step_s * 1e9)
        found: list[Series] = []
        problems: list[str] = []
        for query in self._source.settings.queries:
            start_ns = self._since_ns.get(query.name, 0)
            try:
                answered = self._source.ask(query, None, start_ns, end_ns)
            except QueryFailed as error:
                problems.append(str(error))
                self._telemetry.queried("failed", str(error))
                if error.unreachable:
                    break
                continue
            self._telemetry.queried("answered")
            if answered.unplaced:
                self._telemetry.drop({"series_without_entity": answered.unplaced})
            found += answered.series
            self._since_ns[query.name] = end_ns // step_ns * step_ns + step_ns
        return found, tuple(problems)


class LevelPoller:
    """Asks once a step for the newest values of the gauges that calls assume something of."""

    def __init__(
        self,
        source: PrometheusSource,
        wanted: Callable[[], Sequence[str]],
        deliver: Callable[[list[Sample]], None],
        telemetry: Telemetry,
    ) -> None:
        """`wanted`: names of metrics, with underscores."""
        self._source = source
        self._wanted = wanted
        self._deliver = deliver
        self._telemetry = telemetry

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            if names := self._wanted():
                try:
                    found = await asyncio.to_thread(self._source.newest, names, time.time_ns())
                except QueryFailed as error:
                    self._telemetry.queried("failed", str(error))
                else:
                    self._telemetry.queried("answered")
                    self._deliver(found)
            await asyncio.sleep(max(self._source.settings.step_s, ASK_EVERY_S))
