"""A guard wired to a collector, without a recorder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

from aftershock.gate.decide import Call
from aftershock.guard.asking import Asking, Redacting
from aftershock.guard.channel import Channel
from aftershock.guard.connection import Connection
from aftershock.guard.day_counts import DayCounts
from aftershock.guard.guard import Guard
from aftershock.guard.ledger import Ledger
from aftershock.guard.passage import Passage
from aftershock.policy.policy import Policy, limits_for
from aftershock.recorder.process_gate import explained, redacted

_numbers = count(1)


class GuardedProcess:
    """One guard with its channel, as one process of an agent has them."""

    def __init__(self, url: str, **document: Any) -> None:
        self.policy = Policy.from_mapping(document)
        self.failures: Counter[str] = Counter()
        self.reports: list[tuple[str, str]] = []
        identity = {"id": f"process-{next(_numbers)}", "host": "here", "pid": 1, "service": "bot"}
        self.ledger = Ledger(
            lambda: self.policy, lambda agent: limits_for(self.policy, agent), lambda: True
        )
        counts = DayCounts(self.ledger.used_today)
        self.channel = Channel(lambda: Connection(url, {}), lambda: identity, self.failed, counts)
        self.hides_arguments = False
        redacting = Redacting(self.shown, explained, redacted)
        asking = Asking(self.channel, self.ledger, redacting, self.report)
        self.guard = Guard(self.channel, self.ledger, asking, self.failed)

    def failed(self, place: str) -> None:
        self.failures[place] += 1

    def shown(self, call: Call) -> dict[str, Any]:
        return {} if self.hides_arguments else dict(call.arguments)

    def report(self, state: str, call: Call, ticket: Mapping[str, Any]) -> None:
        self.reports.append((state, str(ticket["state"])))

    def call(self, tool: str, *, run: str = "run", agent: str = "bot", **arguments: Any) -> Passage:
        return self.guard.enter(Call(tool, arguments, run, agent), self.policy)

    async def call_async(self, tool: str, *, run: str = "run", **arguments: Any) -> Passage:
        return await self.guard.enter_async(Call(tool, arguments, run, "bot"), self.policy)


@contextmanager
def guarded_process(url: str, **document: Any) -> Generator[GuardedProcess]:
    """A guarded process while inside; nothing of ours failed in it."""
    process = GuardedProcess(url, **document)
    yield process
    process.channel.stop()
    assert not process.failures, process.failures
