"""Orders of people to agents: stop, pause, resume; which of them holds for a run now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


class Verb(StrEnum):
    """What a person orders."""

    STOP = "stop"  # no further call; what saves work stays open
    PAUSE = "pause"  # calls wait at the gate and lose nothing
    RESUME = "resume"  # ends what was ordered before, within its scope


@dataclass(frozen=True, slots=True)
class Order:
    """One order. It is about a run, about agents by name or glob, or, with neither, about all."""

    number: int  # grows with each order; a later one wins
    verb: Verb
    by: str
    because: str
    given_at_ns: int
    run: str | None = None
    agent: str | None = None

    def concerns(self, run: str, agent: str | None) -> bool:
        """True for an order about this run of this agent."""
        if self.run is not None:
            return self.run == run
        return self.agent is None or (agent is not None and fnmatchcase(agent, self.agent))

    @property
    def scope(self) -> str:
        """Whom it is about, for people."""
        if self.run is not None:
            return f"run {self.run}"
        return "all agents" if self.agent is None else f"agent {self.agent}"


def order_for(orders: Iterable[Order], run: str, agent: str | None) -> Order | None:
    """The stop or pause that holds for a run: the newest order about it. None: it may go on."""
    newest = max(
        (order for order in orders if order.concerns(run, agent)),
        key=lambda order: order.number,
        default=None,
    )
    return None if newest is None or newest.verb is Verb.RESUME else newest


def in_force(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Orders that still matter, oldest first.

    An order replaces older ones about the same scope, and one about all replaces every other. A
    resume stays while an older order about a wider scope is there that it makes an exception to.
    """
    kept: list[Order] = []
    for order in sorted(orders, key=lambda one: one.number):
        wide = order.run is None and order.agent is None
        kept = [
            one for one in kept if not wide and (one.run, one.agent) != (order.run, order.agent)
        ]
        if order.verb is not Verb.RESUME or any(one.verb is not Verb.RESUME for one in kept):
            kept.append(order)
    return tuple(kept)
