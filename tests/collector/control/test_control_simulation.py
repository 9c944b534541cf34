"""A seeded simulation of guards, tickets, orders, lost answers and restarts; the wire is simulated.

Guards, their channels' state, tickets and orders are the real ones. The simulation decides what
each call waits for next, which requests or answers are lost, what people answer and order, and when
a process or the collector ends. What must hold in every world:

- no approval is used for two calls, and none for another action than its own;
- no call runs that was denied, or whose run was stopped when it passed;
- a paused call ends once it is resumed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aftershock.gate.decide import Call
from aftershock.gate.orders import Order, Verb, order_for
from aftershock.guard.connection import Unreachable
from aftershock.guard.guard import Way
from aftershock.guard.passage import Change, Passage, Request, Wait
from aftershock.guard.protocol import SPEND_PATH, TICKETS_PATH, order_json
from aftershock_collector.control.board import ticket_json
from aftershock_collector.store.tickets import SqliteTickets, Ticket, TicketState
from aftershock_collector.store.writer import SqliteStore
from tests.support.guarded import GuardedProcess

GATE = {"mode": "enforce", "tiers": {"destructive": "ask"}, "wait": "1h"}
STEPS = 60
FAST_SEEDS, SLOW_SEEDS = 150, 10_000
S = 1_000_000_000


@dataclass(eq=False)
class Live:
    """A call on its way."""

    process: GuardedProcess
    call: Call
    way: Way
    wait: Wait


@dataclass
class World:
    """One seed."""

    dice: random.Random
    tickets: SqliteTickets
    seed: int
    now_ns: int = 1_700_000_000 * S
    calls: list[Live] = field(default_factory=list[Live])
    processes: list[GuardedProcess] = field(default_factory=list[GuardedProcess])
    used: Counter[int] = field(default_factory=Counter[int])  # ticket → calls that ran by it
    ended: Counter[str] = field(default_factory=Counter[str])
    orders: tuple[Order, ...] = ()

    def play(self) -> None:
        self.start_process()
        moves = (
            [self.start_call] * 3 + [self.advance] * 8 + [self.answer] * 3
            + [self.give_order, self.start_process, self.kill_process, self.push, self.pass_time]
        )  # fmt: skip
        for _ in range(STEPS):
            self.dice.choice(moves)()
        self.give_order(Verb.RESUME)
        self.push()
        for _ in range(500):
            if not self.calls:
                return
            self.advance(lossless=True)  # who still waits for an answer gives up
        raise AssertionError("a call is lost")

    # --- Moves ---------------------------------------------------------------------------------

    def start_process(self) -> None:
        process = GuardedProcess("http://127.0.0.1:9", gate=GATE)
        process.channel.tried.set()  # its orders come from this simulation
        self.processes.append(process)
        self.push()

    def kill_process(self) -> None:
        if len(self.processes) > 1:
            gone = self.processes.pop(self.dice.randrange(len(self.processes)))
            self.calls = [live for live in self.calls if live.process is not gone]

    def start_call(self) -> None:
        process = self.dice.choice(self.processes)
        run = f"{self.seed}/{self.dice.randrange(2)}"
        arguments = {"name": self.dice.choice("ab"), "world": self.seed}
        tool = self.dice.choice(["delete_x", "delete_x", "get_x"])
        call = Call(tool, arguments, run, "bot")
        way = process.guard._guarded(call, process.policy)  # pyright: ignore[reportPrivateUsage]
        self.follow(Live(process, call, way, Request("", {}, 0)), None)

    def advance(self, *, lossless: bool = False) -> None:
        if not self.calls:
            return
        live = self.dice.choice(self.calls)
        self.calls.remove(live)
        if isinstance(live.wait, Change):
            if not live.wait.waiter.done() and live.wait.timeout_s is None:
                self.calls.append(live)  # paused, and nothing has changed
                return
            timed_out = not live.wait.waiter.done()
            self.follow(live, not timed_out)
            return
        lost = 1.0 if lossless else self.dice.random()
        if lost < 0.1:
            self.follow(live, Unreachable("the request was lost"))
            return
        answer = self.serve(live.wait)
        if lost < 0.2 and live.wait.path == SPEND_PATH:
            answer = self.serve(live.wait)  # the connection asked again after a lost answer
        elif lost < 0.2:
            answer = Unreachable("the answer was lost")
        self.follow(live, answer)

    def answer(self) -> None:
        waiting = self.tickets.newest(open_only=True, now_ns=self.now_ns)[:3]
        if waiting:
            self.tickets.answer(
                self.dice.choice(waiting).number,
                approve=self.dice.random() < 0.7,
                by="ann",
                because="",
                now_ns=self.now_ns,
            )

    def give_order(self, verb: Verb | None = None) -> None:
        run = None if verb else self.dice.choice([None, f"{self.seed}/0", f"{self.seed}/1"])
        chosen = verb or self.dice.choice(list(Verb))
        self.tickets.order(Order(0, chosen, "ann", "because", self.now_ns, run))

    def pass_time(self) -> None:
        self.now_ns += self.dice.choice([S, 600 * S, 4_000 * S])

    def push(self) -> None:
        """What a poll brings: orders, and answers to what a process waits for."""
        self.orders = self.tickets.orders()
        for process in self.processes:
            numbers = sorted(process.channel.tickets)
            seen = [one.seen_at(self.now_ns) for one in self.tickets.tickets(numbers)]
            body = {
                "revision": self.dice.randrange(1 << 30),
                "orders": [order_json(order) for order in self.orders],
                "tickets": [
                    ticket_json(one, self.now_ns)
                    for one in seen
                    if one.state is not TicketState.ASKED
                ],
            }
            process.channel._apply(body)  # pyright: ignore[reportPrivateUsage]

    # --- The collector ---------------------------------------------------------------------------

    def serve(self, request: Request) -> dict[str, Any]:
        body = request.body
        if request.path == TICKETS_PATH:
            wanted = Ticket(
                body["digest"], body["action"]["tool"], body["action"]["tier"], body["run"]["id"],
                self.now_ns, self.now_ns + 3_600 * S,
            )  # fmt: skip
            return {"ticket": ticket_json(self.tickets.ask(wanted), self.now_ns)}
        assert request.path == SPEND_PATH
        spent, ticket = self.tickets.spend(
            body["number"], body["digest"], body["nonce"], body["run"], self.now_ns, ""
        )
        assert ticket is not None
        return {"spent": spent, "ticket": ticket_json(ticket, self.now_ns)}

    # --- What must hold --------------------------------------------------------------------------

    def follow(self, live: Live, value: Any) -> None:
        try:
            live.wait = live.way.send(value)
        except StopIteration as end:
            self.check(live, end.value)
            return
        self.calls.append(live)

    def check(self, live: Live, passage: Passage) -> None:
        process, call = live.process, live.call
        assert not process.failures, process.failures
        self.ended["ran" if passage.passes else str(passage.admission.code)] += 1
        if not passage.passes:
            return
        order = order_for(process.channel.state.orders, call.run_id, call.agent)
        assert order is None, f"{call} passed although it was ordered to {order}"
        if call.tool == "get_x":
            return
        number = passage.progress.ticket
        assert number is not None, "an action with an effect ran and nobody was asked"
        self.used[number] += 1
        assert self.used[number] == 1, f"approval {number} was used twice"
        (ticket,) = self.tickets.tickets([number])
        assert ticket.state is TicketState.SPENT
        assert (ticket.by, ticket.tool) == ("ann", call.tool)


@pytest.fixture
def tickets(tmp_path: Path) -> Iterator[SqliteTickets]:
    store = SqliteStore.open(tmp_path / "a.db")
    # The simulation loses no power.
    store._connection.execute("PRAGMA synchronous = OFF")  # pyright: ignore[reportPrivateUsage]
    yield SqliteTickets(store)
    store.close()


def simulate(tickets: SqliteTickets, seeds: range) -> Counter[str]:
    ended: Counter[str] = Counter()
    for seed in seeds:
        world = World(random.Random(seed), tickets, seed)
        try:
            world.play()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        ended += world.ended
    return ended


def test_no_world_breaks_what_was_promised(tickets: SqliteTickets) -> None:
    ended = simulate(tickets, range(FAST_SEEDS))

    # Each way to end was taken, or the simulation would prove nothing.
    assert {"ran", "denied", "unanswered", "order", "unreachable", "expired"} <= set(ended)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(3_000)
def test_ten_thousand_worlds_break_nothing(tickets: SqliteTickets) -> None:
    simulate(tickets, range(SLOW_SEEDS))
