"""A seeded simulation of guards, tickets, canaries, orders, lost answers and restarts.

The wire is simulated. Guards, their channels' state, tickets, canaries and orders are the real
ones. The simulation decides what each call waits for next, which requests or answers are lost, what
people answer and order, and when a process or the collector ends. What must hold in every world:

- no approval is used for two calls, and none for another action than its own;
- no call runs that was denied, or whose run was stopped when it passed;
- no two steps of a rollout begin at once, none by more than its factor, none after damage;
- a paused call ends once it is resumed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aftershock.approval import Gate
from aftershock.gate.assumptions import Measured
from aftershock.gate.canary import Canary, CanaryState, judge, next_step
from aftershock.gate.decide import Call
from aftershock.gate.orders import Order, Verb, order_for
from aftershock.grade import Grade
from aftershock.guard.connection import Unreachable
from aftershock.guard.guard import Way
from aftershock.guard.passage import Change, Passage, Request, Wait
from aftershock.guard.protocol import (
    PREFLIGHT_PATH,
    SPEND_PATH,
    TICKETS_PATH,
    order_json,
    reason_json,
)
from aftershock.guard.safeguard_protocol import CANARY_PATH, canary_in
from aftershock.model import Impact, Parts
from aftershock.policy.policy import Policy
from aftershock.policy.safeguards import CanaryCall
from aftershock_collector.control.board import ticket_json
from aftershock_collector.control.safeguarding import Safeguarding
from aftershock_collector.store.canaries import SqliteCanaries
from aftershock_collector.store.tickets import SqliteTickets, Ticket, TicketState
from aftershock_collector.store.writer import SqliteStore
from tests.support.guarded import GuardedProcess

GATE = {"mode": "enforce", "tiers": {"destructive": "ask"}, "wait": "1h"}
CANARY = {"argument": "n", "factor": 2, "observe": "10m"}
TARGETS = [{"service.name": "{name}"}]
TOOLS = {  # the second one asks a person about each step, too
    "scale_x": {"tier": "provision", "targets": TARGETS, "canary": CANARY},
    "delete_some": {"tier": "destructive", "targets": TARGETS, "canary": CANARY},
}
STEPS = 60
FAST_SEEDS, SLOW_SEEDS = 150, 10_000
SEEDS_OF_A_STORE = 500  # a larger one is only slower
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
    store: SqliteStore
    seed: int
    now_ns: int = 1_700_000_000 * S
    calls: list[Live] = field(default_factory=list[Live])
    processes: list[GuardedProcess] = field(default_factory=list[GuardedProcess])
    used: Counter[int] = field(default_factory=Counter[int])  # ticket → calls that ran by it
    ended: Counter[str] = field(default_factory=Counter[str])
    orders: tuple[Order, ...] = ()
    begun: dict[int, Canary] = field(default_factory=dict[int, Canary])
    damaged: dict[int, int] = field(default_factory=dict[int, int])  # step → newest one by then
    ran: set[int] = field(default_factory=set[int])  # steps whose call ran
    amounts: dict[Any, float] = field(default_factory=dict[Any, float])

    def __post_init__(self) -> None:
        self.now_ns += self.seed * 200_000 * S  # the rollouts of another world are forgotten
        self.restart_collector()

    def play(self) -> None:
        self.start_process()
        moves = (
            [self.start_call] * 3 + [self.advance] * 8 + [self.answer] * 3
            + [self.give_order, self.start_process, self.kill_process, self.push]
            + [self.pass_time, self.damage, self.release, self.restart_collector]
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
        process = GuardedProcess("http://127.0.0.1:9", gate=GATE, tools=TOOLS)
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
        name = f"{self.dice.choice('ab')}{self.seed}"
        arguments = {"name": name, "world": self.seed, "n": self.dice.choice([1, 2, 4, 8])}
        tool = self.dice.choice(["delete_x", "delete_x", "get_x", "scale_x", "delete_some"])
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
        assert isinstance(live.wait, Request), "nothing here has a dry run"
        answer = self.serve(live.wait)
        if lost < 0.2 and live.wait.path in {SPEND_PATH, CANARY_PATH}:
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

    def restart_collector(self) -> None:
        """Whatever it only remembered is gone; what it stored is there."""
        self.tickets = SqliteTickets(self.store)
        self.canaries = SqliteCanaries(self.store)
        self.safeguarding = Safeguarding(Policy(), self.canaries, self.now_ns)

    def damage(self) -> None:
        """Attribution says that a step did harm, or that it was measured and did none."""
        steps = self.canaries.newest(self.now_ns)[:3]
        if steps:
            of = self.dice.choice(steps)
            label = self.dice.choice([Grade.PROBABLE, Grade.NO_EVIDENCE, Grade.NO_EVIDENCE])
            self.safeguarding.record_impacts(
                [
                    Impact(
                        "1" * 16, "2" * 32, of.run, of.agent, of.call.tool, of.begun_at_ns,
                        of.call.targets[0], 0.9, label, Parts(0, 0, 0, 0), (), self.now_ns,
                    )
                ]
            )  # fmt: skip

            if self.kept()[of.number].state is CanaryState.STOPPED:
                self.damaged.setdefault(of.number, max(self.begun, default=0))

    def kept(self) -> dict[int, Canary]:
        return {one.number: one for one in self.canaries.newest(self.now_ns)}

    def release(self) -> None:
        for step in self.canaries.newest(self.now_ns)[:1]:
            self.canaries.release(step.number, "ann", "", self.now_ns)
            self.damaged.pop(step.number, None)

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
        if request.path in {PREFLIGHT_PATH, CANARY_PATH}:
            return self.serve_canary(request.path, body)
        assert request.path == SPEND_PATH
        spent, ticket = self.tickets.spend(
            body["number"], body["digest"], body["nonce"], body["run"], self.now_ns, ""
        )
        assert ticket is not None
        return {"spent": spent, "ticket": ticket_json(ticket, self.now_ns)}

    def serve_canary(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        call = canary_in(body["canary"])
        if path == PREFLIGHT_PATH:
            steps = self.canaries.of_tool(call.tool, self.now_ns)
            found = judge(call, steps, self.now_amount(call), self.now_ns, Gate.ASK)
            return {"reasons": list(map(reason_json, found))}
        until_ns = self.now_ns + int(call.observe_s * S)
        nonce, run = body["nonce"], body["run"]["id"]
        step = Canary(call, run, "bot", self.now_ns, until_ns, nonce=nonce)
        begun, reasons = self.canaries.begin(step, self.now_amount(call), Gate.ASK)
        if begun is None:
            return {"reasons": list(map(reason_json, reasons))}
        self.begun[begun.number] = begun
        return {"canary": {"number": begun.number, "notice": next_step(begun)}}

    def now_amount(self, call: CanaryCall) -> Measured:
        """What a metric says: what the newest step that ran has set."""
        return Measured(self.amounts.get((call.tool, call.targets), 1.0), 0.0, "simulation")

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
        if call.tool in TOOLS:
            self.check_step(passage)
        if call.tool in {"get_x", "scale_x"}:
            return
        number = passage.progress.ticket
        assert number is not None, "an action with an effect ran and nobody was asked"
        self.used[number] += 1
        assert self.used[number] == 1, f"approval {number} was used twice"
        (ticket,) = self.tickets.tickets([number])
        assert ticket.state is TicketState.SPENT
        assert (ticket.by, ticket.tool) == ("ann", call.tool)

    def check_step(self, passage: Passage) -> None:
        number, call = passage.progress.canary, passage.call
        assert number is not None, "a step of a rollout ran and was not begun"
        assert number not in self.ran, f"canary {number} was begun for two calls"
        self.ran.add(number)
        step = self.begun[number]
        assert (step.call.tool, step.call.amount) == (call.tool, call.arguments["n"])
        self.ended["step"] += 1
        before = step.before or 0.0
        assert before / 2 <= call.arguments["n"] <= max(before, 1.0) * 2
        self.amounts[step.call.tool, step.call.targets] = call.arguments["n"]
        for damaged, newest in self.damaged.items():
            bad = self.begun[damaged]
            if bad.call.tool == step.call.tool and number > newest:
                undone = (bad.call.targets, bad.before) == (step.call.targets, step.call.amount)
                assert undone, f"canary {number} began after damage by {damaged}"
        kept = self.kept()
        for other in self.begun.values():
            apart_ns = abs(other.begun_at_ns - step.begun_at_ns)
            same = other.call.tool == step.call.tool and other.number != number
            first = min(number, other.number)
            # After damage the way back is open at once, as often as somebody takes it.
            harmed = any(one.damage for one in kept.values() if one.number <= first)
            either = kept[number], kept[other.number]
            if same and not harmed and not any(one.damage or one.by for one in either):
                assert apart_ns >= 600 * S, f"canaries {number} and {other.number} at once"


@contextmanager
def opened(path: Path) -> Generator[SqliteStore]:
    """A store of a simulation, which loses no power."""
    store = SqliteStore.open(path)
    store._connection.execute("PRAGMA synchronous = OFF")  # pyright: ignore[reportPrivateUsage]
    yield store
    store.close()


def simulate(store: SqliteStore, seeds: range) -> Counter[str]:
    ended: Counter[str] = Counter()
    for seed in seeds:
        world = World(random.Random(seed), store, seed)
        try:
            world.play()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        ended += world.ended
    return ended


def test_no_world_breaks_what_was_promised(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as store:
        ended = simulate(store, range(FAST_SEEDS))

    # Each way to end was taken, or the simulation would prove nothing.
    assert {
        "ran", "denied", "unanswered", "order", "unreachable", "expired", "canary", "step",
    } <= set(ended)  # fmt: skip


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(3_000)
def test_ten_thousand_worlds_break_nothing(tmp_path: Path) -> None:
    for first in range(0, SLOW_SEEDS, SEEDS_OF_A_STORE):
        with opened(tmp_path / f"{first}.db") as store:
            simulate(store, range(first, first + SEEDS_OF_A_STORE))
