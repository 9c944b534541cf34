"""Series that a Prometheus keeps, asked for by `query_range` around an action.

The second source behind `window(entities, start, end)`; Mimir, Thanos and VictoriaMetrics answer
the same questions. What could not be asked is said in `problems` and never taken for calm.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import httpx

from aftershock_collector.metrics.promql import Answered, read_answer
from aftershock_collector.metrics.queries import Prometheus, Query, fill
from aftershock_collector.metrics.series import POINTS_MAX, Series
from aftershock_collector.telemetry import Telemetry

BODY_BYTES_MAX = 64_000_000  # a thousand points of two thousand services
ALIASES_MAX = 10_000
PROBLEM_CHARS_MAX = 300  # of what went wrong, in a verdict
SETTLE_S = 1.0  # what was scraped this lately may not be there yet
ASK_EVERY_S = 1.0  # how often it is looked whether anybody wants to know

Deliver = Callable[[Sequence[Series], Mapping[str, str], tuple[str, ...]], None]


class CouldNotLook(Exception):  # noqa: N818  (it says what happened)
    """A query got no usable answer; says which and why, for people."""

    def __init__(self, message: str, *, unreachable: bool) -> None:
        super().__init__(message)
        self.unreachable = unreachable  # the next query would wait in vain as well


class PrometheusSource:
    """Asks one Prometheus. Not to be shared between threads at the same time."""

    def __init__(self, told: Prometheus) -> None:
        self.told = told
        self.problems: tuple[str, ...] = ()  # of the newest window
        self.aliases: OrderedDict[str, str] = OrderedDict()
        self._client = httpx.Client(
            timeout=told.timeout_s, headers=dict(told.headers), trust_env=False
        )

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    def window(
        self, entities: Iterable[str] | None, start_ns: int, end_ns: int
    ) -> Sequence[Series]:
        """Every series of these entities (None: of all) with its points in [start, end].

        At most the newest POINTS_MAX steps. `problems` says what could not be asked.
        """
        asked = None if entities is None else [self.canonical(entity) for entity in entities]
        found: list[Series] = []
        problems: list[str] = []
        for query in self.told.queries:
            try:
                found += self.ask(query, asked, start_ns, end_ns).series
            except CouldNotLook as error:
                problems.append(str(error))
                if error.unreachable:
                    break
        self.problems = tuple(problems)
        wanted = None if asked is None else set(asked)
        return [each for each in found if wanted is None or each.entity in wanted]

    def canonical(self, entity: str) -> str:
        """The key that series of this entity are filed under."""
        return self.aliases.get(entity, entity)

    def ask(
        self, query: Query, entities: Iterable[str] | None, start_ns: int, end_ns: int
    ) -> Answered:
        """The answer to one query; raises CouldNotLook."""
        words = fill(query, entities, self.told.step_s)
        step_ns = int(self.told.step_s * 1e9)
        # Whole multiples of the step: the same points come back at the next look.
        first_ns = -(-max(start_ns, end_ns - POINTS_MAX * step_ns) // step_ns) * step_ns
        last_ns = end_ns // step_ns * step_ns
        if words is None or first_ns > last_ns:
            return Answered((), {}, 0)
        form = {
            "query": words,
            "start": f"{first_ns / 1e9:.3f}",
            "end": f"{last_ns / 1e9:.3f}",
            "step": f"{self.told.step_s:g}",
            "timeout": f"{self.told.timeout_s:g}s",
        }
        try:
            answered = read_answer(query, self._post(form))
        except (httpx.HTTPError, ValueError) as error:
            late = isinstance(error, httpx.TimeoutException)
            why = f"no answer within {self.told.timeout_s:g} s" if late else str(error)
            said = f"Prometheus could not tell {query.name}: {why or type(error).__name__}"
            unreachable = isinstance(error, httpx.TransportError)
            raise CouldNotLook(said[:PROBLEM_CHARS_MAX], unreachable=unreachable) from error
        self.aliases.update(answered.aliases)
        while len(self.aliases) > ALIASES_MAX:
            self.aliases.popitem(last=False)
        return answered

    def _post(self, form: Mapping[str, str]) -> Any:
        """The answer, read no further and waited for no longer than it may take."""
        place = f"{self.told.url.rstrip('/')}/api/v1/query_range"
        deadline = time.monotonic() + self.told.timeout_s
        body = bytearray()
        with self._client.stream("POST", place, data=form) as response:
            for part in response.iter_bytes():
                body += part
                if len(body) > BODY_BYTES_MAX:
                    raise ValueError(f"an answer of more than {BODY_BYTES_MAX} bytes")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer trickles")
        try:
            return json.loads(body)
        except ValueError as error:
            raise ValueError(f"HTTP {response.status_code}, not JSON") from error


class Poller:
    """Asks for what is new while somebody wants to know, and hands it on."""

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
        self._since_ns: dict[str, int] = {}  # query → where its next question begins

    async def run(self) -> None:
        """Until cancelled: at most one round of questions in each step."""
        step_s = self._source.told.step_s
        while True:
            if await self._wanted():
                series, problems = await asyncio.to_thread(self.look, time.time_ns())
                self._deliver(series, dict(self._source.aliases), problems)
                await asyncio.sleep(max(step_s, ASK_EVERY_S))
            else:
                await asyncio.sleep(ASK_EVERY_S)

    def look(self, now_ns: int) -> tuple[list[Series], tuple[str, ...]]:
        """What is new to every query, and what could not be asked."""
        end_ns = now_ns - int(SETTLE_S * 1e9)
        step_ns = int(self._source.told.step_s * 1e9)
        found: list[Series] = []
        problems: list[str] = []
        for query in self._source.told.queries:
            start_ns = self._since_ns.get(query.name, 0)
            try:
                answered = self._source.ask(query, None, start_ns, end_ns)
            except CouldNotLook as error:
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
