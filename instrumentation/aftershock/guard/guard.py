"""The guard: lets calls pass, holds them, or answers in their place.

The way of a call is one generator that yields what it must wait for, so that sync and async tools
share it. A failure of our own never reaches the app: the call is then treated as if the collector
had not answered, by what the policy says of its tier.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aftershock.approval import Gate
from aftershock.gate.admission import ALLOWED, Admission, Code, Reason, admission, joined
from aftershock.gate.budgets import budget_lines, shared_budgets
from aftershock.gate.decide import Call, decide
from aftershock.gate.orders import Order, Verb, order_for
from aftershock.guard.asking import LATER, Asked, Asking
from aftershock.guard.connection import Refused, Unreachable
from aftershock.guard.dry_runs import DryRuns
from aftershock.guard.passage import Change, Part, Passage, Progress, Request, Wait, Work
from aftershock.guard.protocol import SPENDING_PATH
from aftershock.guard.safeguards import are_wanted, safeguards_for
from aftershock.model import Tier
from aftershock.policy.admission import GateRules, Mode
from aftershock.policy.policy import Policy, describe, limits_for, rule_of, tier_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aftershock.gate.provenance import ShownTexts
    from aftershock.guard.channel import Channel
    from aftershock.guard.ledger import Ledger
    from aftershock.model import Run
    from aftershock.runs.day_spending import Scope

FIRST_POLL_S = 0.5  # what the first call of a process waits for orders: later ones wait for nothing
SPENDING_S = 0.5  # likewise for what was used up today: it is in the collector's memory
REQUESTS_AT_ONCE = 4  # of async calls; sync ones ask on their own thread
MODES = tuple(Mode)
UNASKED = Progress()
Way = Generator[Wait, Any, Passage]


class Guard:
    """One for a process."""

    def __init__(
        self,
        channel: Channel,
        ledger: Ledger,
        asking: Asking,
        failed: Callable[[str], None],
    ) -> None:
        """`failed` counts a failure of our own."""
        self.ledger = ledger
        self._channel = channel
        self._asking = asking
        self._failed = failed
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._executor: ThreadPoolExecutor | None = None  # its threads do not survive a fork
        self._dry_runs = DryRuns()

    def enter(self, call: Call, policy: Policy) -> Passage:
        """Decide about a call and wait for what it must wait for, on this thread.

        `policy`: this process's, with what the tool's author declared.
        """
        way = self._guarded(call, policy)
        try:
            wait = next(way)
            while True:
                wait = way.send(self._block(wait))
        except StopIteration as end:
            return end.value

    async def enter_async(self, call: Call, policy: Policy) -> Passage:
        """The same without blocking the event loop."""
        return await self._follow(self._guarded(call, policy))

    async def obey_async(self, call: Call, policy: Policy) -> Passage:
        """A call that has passed goes on later: only people's orders are asked now."""
        return await self._follow(self._obeying(call, policy))

    async def _follow(self, way: Way) -> Passage:
        try:
            wait = next(way)
            while True:
                wait = way.send(await self._suspend(wait))
        except StopIteration as end:
            return end.value
        finally:
            way.close()

    def budget_lines(
        self, run_id: str, agent: str | None, user: str | None, policy: Policy
    ) -> list[str]:
        """What is used of each budget that a run counts against, by `policy` and the operator's."""
        now_ns = time.time_ns()
        run = self.ledger.run(run_id, agent, now_ns)
        used = self._channel.counts.used
        found: dict[str, None] = {}
        for rules in (policy, self._channel.state.policy):
            if rules is not None and rules.gate.budget is not Gate.ALLOW:
                found |= dict.fromkeys(budget_lines(run, user, limits_for(rules, agent), used))
        return list(found)

    def judged_by(self, policy: Policy) -> tuple[Policy, ...]:
        """The policies that decide about calls of this process: its own, and the operator's."""
        operator = self._channel.state.policy
        return (policy,) if operator is None else (policy, operator)

    # --- The way of a call ---------------------------------------------------------------------

    def _guarded(self, call: Call, policy: Policy) -> Way:
        try:
            return (yield from self._way(call, policy))
        except Exception:  # noqa: BLE001 (ours; what closes a generator passes)
            self._failed("guarding a call")
            return self._on_fault(call, policy)

    def _on_fault(self, call: Call, policy: Policy) -> Passage:
        """What the policy names for a call that nobody could decide about, or for its tool."""
        try:
            tier = tier_of(policy, call.tool, call.arguments)
        except Exception:  # noqa: BLE001 (ours)
            tier = Tier.WRITE
        own = rule_of(policy, call.tool).gate or policy.gate.for_tier(tier)
        gate = max(policy.gate.when_unreachable(tier), own, key=list(Gate).index)
        reason = Reason(Code.FAULT, gate, "The guard failed and could not decide.", LATER)
        progress = Progress(admission([reason]), unreachable=True)
        return Passage(call, progress, policy.gate.mode is Mode.ENFORCE, tier)

    def _way(self, call: Call, policy: Policy) -> Way:
        if not self._channel.tried.is_set():
            self._channel.start()
            yield Change(self._channel.changed(), FIRST_POLL_S)
        progress = UNASKED
        while True:
            order = self._order(call, policy)
            if order is None:
                passage = yield from self._try(call, policy, progress)
                # An order that came while the call waited: it must not start after that.
                if not self._channel.state.orders or self._order(call, policy) is None:
                    return passage
                progress = passage.progress
            elif order.verb is Verb.STOP:
                return stopped(call, order)
            else:
                progress = yield from self._pause(call, policy, progress)

    def _obeying(self, call: Call, policy: Policy) -> Way:
        while (order := self._order(call, policy)) is not None:
            if order.verb is Verb.STOP:
                return stopped(call, order)
            yield from self._pause(call, policy, UNASKED)
        return Passage(call, UNASKED)

    def _try(self, call: Call, policy: Policy, progress: Progress) -> Way:
        """Decide, and ask whom the decision depends on."""
        yield from self._counted(call, policy)
        mode, rules, found = self._decided(call, policy)
        policies = self.judged_by(policy)
        wanted = are_wanted(call.tool, policies)
        if (
            found is ALLOWED
            and not wanted
            and (
                not rules.preflight
                or tier_of(policy, call.tool, call.arguments) not in rules.preflight
            )
        ):
            return Passage(call, progress)
        tier, targets = describe_for(call, policy)
        enforced = mode is not Mode.OBSERVE
        if not progress.granted and progress.canary is None:  # both still count after a pause
            progress = replace(progress, found=found)
            asked = Asked(call, tier, targets, rules, safeguards_for(call, policies, targets))
            if wanted or tier in rules.preflight:
                progress = yield from self._asking.preflight(asked, progress, enforced=enforced)
            if enforced and progress.found.gate is Gate.ASK and not progress.granted:
                progress = yield from self._asking.approval(
                    asked, progress, lambda: self._order(call, policy) is not None
                )
            elif enforced and progress.found.lets_pass:
                progress = yield from self._asking.begin_canary(asked, progress)
        return Passage(call, progress, enforced, tier)

    def _counted(self, call: Call, policy: Policy) -> Generator[Wait, Any, None]:
        """What was used up today of the budgets that a call counts against, before it is judged.

        Asked for once for each agent and user; then the poll keeps it up to date.
        """
        wanted: list[tuple[Scope, str]] = []
        for rules in (policy, self._channel.state.policy):
            if rules is None or rules.gate.mode is Mode.OFF or rules.gate.budget is Gate.ALLOW:
                continue
            limits = limits_for(rules, call.agent)
            wanted += [(s, name) for s, name, _ in shared_budgets(call.agent, call.user, limits)]
        counts = self._channel.counts
        if not wanted or not (new := counts.follow(wanted)):
            return
        named = [{"scope": str(scope), "name": name} for scope, name in new]
        body = {"of": named, "process": self._channel.process}
        answer: Any = yield Request(SPENDING_PATH, body, SPENDING_S)
        if not isinstance(answer, Exception):
            counts.apply(answer)

    def _pause(self, call: Call, policy: Policy, progress: Progress) -> Part:
        """Hold a call until something changed."""
        waiter, before_ns = self._channel.changed(), time.time_ns()
        if self._order(call, policy) is not None:  # it may have ended just before
            yield Change(waiter, None)
        self._channel.forget(waiter)
        return replace(progress, held_ns=progress.held_ns + time.time_ns() - before_ns)

    def _order(self, call: Call, policy: Policy) -> Order | None:
        orders = self._channel.state.orders
        if not orders:
            return None
        order = order_for(orders, call.run_id, call.agent)
        return None if order is None or policy.gate.is_always_open(call.tool) else order

    def _decided(self, call: Call, policy: Policy) -> tuple[Mode, GateRules, Admission]:
        """The stricter of what this process's policy and the operator's say."""

        def run_of() -> Run:
            return self.ledger.run(call.run_id, call.agent, time.time_ns())

        rules = policy.gate

        def shown_of() -> ShownTexts:
            return self.ledger.shown(call.run_id, call.agent)

        used = self._channel.counts.used
        found = decide(call, policy, limits_for(policy, call.agent), run_of, used, shown_of)
        operator = self._channel.state.policy
        if operator is None or operator.gate.mode is Mode.OFF:
            return rules.mode, rules, found
        other = decide(call, operator, limits_for(operator, call.agent), run_of, used, shown_of)
        mode = max(rules.mode, operator.gate.mode, key=MODES.index)
        wanted = rules.preflight | operator.gate.preflight
        return mode, replace(rules, preflight=wanted), joined(found, other)

    # --- Waiting -------------------------------------------------------------------------------

    def _block(self, wait: Wait) -> Any:
        if isinstance(wait, Work):
            return self._dry_runs.done(wait.function, wait.timeout_s)
        if isinstance(wait, Change):
            try:
                wait.waiter.result(wait.timeout_s)
            except TimeoutError:
                return False
            finally:
                self._channel.forget(wait.waiter)
            return True
        return self._post(wait)

    async def _suspend(self, wait: Wait) -> Any:
        if isinstance(wait, Work):
            return await self._dry_runs.done_async(wait.function, wait.timeout_s)
        if isinstance(wait, Change):
            try:
                await asyncio.wait_for(asyncio.wrap_future(wait.waiter), wait.timeout_s)
            except TimeoutError:
                return False
            finally:
                self._channel.forget(wait.waiter)
            return True
        if self._executor is None:
            self._executor = ThreadPoolExecutor(REQUESTS_AT_ONCE, "aftershock-guard")
        return await asyncio.wrap_future(self._executor.submit(self._post, wait))

    def _post(self, request: Request) -> Mapping[str, Any] | Unreachable | Refused:
        """What the collector answers; its refusals and absence are values here."""
        try:
            return self._channel.post(request.path, request.body, request.timeout_s)
        except (Unreachable, Refused) as error:
            return error


def stopped(call: Call, order: Order) -> Passage:
    """The passage of a call that a person's order stops."""
    because = f": {order.because}" if order.because else ""
    reason = Reason(
        Code.ORDER,
        Gate.DENY,
        f"{order.by} stopped {order.scope}{because}.",
        "Call no other tool. Save your work if a tool for that is open, and report.",
    )
    return Passage(call, Progress(admission([reason])))


def describe_for(call: Call, policy: Policy) -> tuple[Tier, tuple[str, ...]]:
    """The tier and the targets of a call."""
    known = describe(policy, call.tool, call.arguments)
    return known.tier, known.targets or call.targets
