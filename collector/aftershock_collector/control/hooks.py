"""Events of coding agents' hooks: decided here, because the hook is a process for each call."""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

from aftershock.approval import Gate
from aftershock.gate.admission import Code, Reason, admission, answer_text
from aftershock.gate.assumptions import Examined
from aftershock.gate.binding import digest_of
from aftershock.gate.decide import Call, decide
from aftershock.gate.dry_commands import dry_command
from aftershock.gate.explaining import given_with
from aftershock.gate.hooks import HookCall, answer, read_event
from aftershock.gate.orders import Order, Verb, order_for
from aftershock.model import Run, Tier
from aftershock.policy.admission import Mode
from aftershock.policy.filled_safeguards import needs_run
from aftershock.policy.policy import Policy, ToolDescription, ToolRule, limits_for, rule_of
from aftershock.redaction.redact import redact_named
from aftershock_collector.control.actions import describe_action
from aftershock_collector.control.board import Board
from aftershock_collector.control.knowledge import Knowledge
from aftershock_collector.control.safeguarding import Safeguarding
from aftershock_collector.store.tickets import Ticket, TicketState

TRY_FIRST = "dry_run"  # the answer to a hook that is to try the call and ask again
HELD_S = 45.0  # that a paused call, or one that waits for approval, is held: hooks get a minute
QUERY_S = 0.1  # between two looks at the orders in force, while a call is held
RUNS_MAX = 10_000  # whose agents were handed facts
SHOWN_CHARS_MAX = 4_000
RunOf = Callable[[str], Awaitable[Run | None]]
AGAIN = "Try the same call again later, or go on with something else."


@dataclass(frozen=True, slots=True)
class HookRequest:
    """What one process of the hook asks, beside the event."""

    sender: str
    by_ticket: bool  # whoever answers `aftershock approvals` is asked; else the person before it
    tries: bool  # it can try a call without an effect, and has not yet
    tried: str  # what that printed
    held_s: float  # that it may be kept waiting

    @classmethod
    def of(cls, body: Mapping[str, Any], sender: str) -> HookRequest:
        """From the body of the request."""
        tried: Any = body.get("tried")
        text = str(redact_named("text", tried)) if isinstance(tried, str) else ""
        wait_s: Any = body.get("wait_s")
        held_s = (
            float(wait_s) if isinstance(wait_s, int | float) and 0 < wait_s < HELD_S else HELD_S
        )
        tries = body.get("tries") is True and not text
        return cls(sender, body.get("ask") == "ticket", tries, text[:SHOWN_CHARS_MAX], held_s)


class Hooks:
    """Answers events. One for a collector; its methods run on the event loop."""

    def __init__(
        self,
        board: Board,
        policy: Policy,
        knowledge: Knowledge,
        safeguarding: Safeguarding,
        run_of: RunOf,
    ) -> None:
        self._safeguarding = safeguarding
        self._board = board
        self._policy = policy
        self._knowledge = knowledge
        self._run_of = run_of
        # One policy for each tier, which counts where the file names none: caches go by policy.
        self._by_tier = {
            tier: replace(policy, tools=(ToolRule("*", tier=tier), *policy.tools)) for tier in Tier
        }
        self._handed: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def respond(self, body: Mapping[str, Any], sender: str) -> Mapping[str, Any]:
        """What the hook prints for one event."""
        given: Any = body.get("event")
        event = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
        call = read_event(str(body.get("agent") or ""), event)
        if call is None:
            return {}
        request = HookRequest.of(body, sender)
        reasons = await self._decided(call, request)
        if reasons is None:
            return {TRY_FIRST: True}
        decided = admission(reasons)
        text = answer_text(call.tool, decided) if decided.reasons else ""
        if decided.gate is Gate.ASK:
            text = "\n".join(reason.text for reason in decided.reasons)
            text += f"\nDry run:\n{request.tried}" if request.tried else ""
        return answer(call.agent, decided.gate, text)

    async def _decided(self, hook: HookCall, request: HookRequest) -> list[Reason] | None:
        """The reasons that count in the end. None: the call is to be tried without an effect."""
        if (refusal := await self._ordered(hook, request)) is not None:
            return [refusal]
        rules = self._policy.gate
        if rules.mode is Mode.OFF:
            return []
        known = describe_action(self._policy, hook.tool, hook.arguments)
        policy = self._by_tier[known.tier]
        call = Call(hook.tool, hook.arguments, hook.run, hook.agent, known.targets)
        run = await self._run_of(hook.run) if needs_run(self._policy) else None
        limits = limits_for(policy, hook.agent)
        found = decide(call, policy, limits, lambda: run, self._board.counts.used)
        reasons = list(found.reasons)
        safeguarding = self._safeguarding
        wanted = safeguarding.wanted_by_policy(hook.tool, hook.arguments, known.targets)
        more, examined = await safeguarding.reasons(hook.tool, wanted, time.time_ns())
        reasons += more
        if known.tier in rules.preflight and rules.inform and found.gate is not Gate.DENY:
            reasons += self._informed(hook, known)
        if rules.mode is Mode.OBSERVE:
            return []
        if admission(reasons).gate is Gate.ASK:
            if request.tries and self._can_be_tried(hook):
                return None
            if request.by_ticket or not hook.can_ask:
                asked = await self._approved(hook, known, reasons, examined, request)
                reasons = [reason for reason in reasons if reason.gate is not Gate.ASK]
                reasons += [] if asked is None else [asked]
        if wanted.canary is not None and admission(reasons).gate is not Gate.DENY:
            nonce = os.urandom(8).hex()
            begin = safeguarding.begin(wanted, hook.run, hook.agent, nonce, request.sender)
            _, refused = await begin
            reasons += refused
        return reasons

    def _can_be_tried(self, hook: HookCall) -> bool:
        """True where the policy wants a dry run that the hook can make."""
        if not rule_of(self._policy, hook.tool).dry_run:
            return False
        return dry_command(hook.tool, hook.arguments) is not None

    async def _ordered(self, hook: HookCall, request: HookRequest) -> Reason | None:
        """Why a person's order stops the call; a pause holds it first."""
        deadline_s = time.monotonic() + request.held_s
        while (order := self._order(hook)) is not None:
            left_s = deadline_s - time.monotonic()
            if order.verb is Verb.STOP or left_s <= 0:
                done = "stopped" if order.verb is Verb.STOP else "paused"
                text = f"{order.by} {done} {order.scope}: {order.because}."
                advice = AGAIN if order.verb is Verb.PAUSE else "Call no other tool; report."
                return Reason(Code.ORDER, Gate.DENY, text, advice)
            await asyncio.sleep(min(QUERY_S, left_s))
        return None

    def _order(self, hook: HookCall) -> Order | None:
        if not self._board.orders or self._policy.gate.is_always_open(hook.tool):
            return None
        return order_for(self._board.orders, hook.run, hook.agent)

    def _informed(self, hook: HookCall, known: ToolDescription) -> list[Reason]:
        """Facts that this agent's run was not handed yet; the call is held back once for them."""
        facts = self._knowledge.about(known.targets, hook.run, time.time_ns())
        new = [fact for fact in facts if (hook.run, str(fact["id"])) not in self._handed]
        for fact in new:
            self._handed[hook.run, str(fact["id"])] = None
            if len(self._handed) > RUNS_MAX:
                self._handed.popitem(last=False)
        if not new:
            return []
        return [
            Reason(
                Code.UNKNOWN,
                Gate.DENY,
                f"Before {hook.tool} runs, there is something that you had not read:",
                "Decide again with this. If you still want it, make the same call again.",
                tuple(str(fact["text"]) for fact in new),
            )
        ]

    def _explanation(self, hook: HookCall) -> str:
        """Why the agent acts, where an argument of the call says it."""
        text = given_with(hook.tool, hook.arguments, self._policy)
        return str(redact_named("text", text))[:SHOWN_CHARS_MAX]

    async def _approved(
        self,
        hook: HookCall,
        known: ToolDescription,
        reasons: list[Reason],
        examined: list[Examined],
        request: HookRequest,
    ) -> Reason | None:
        """None where a person approved this very call; else why it does not run."""
        now_ns, nonce = time.time_ns(), os.urandom(8).hex()
        digest = digest_of(hook.agent, hook.tool, hook.arguments, known.targets)
        shown: Any = redact_named("", dict(hook.arguments))
        wanted = Ticket(
            digest=digest or f"only-this-call-{nonce}",
            tool=hook.tool,
            tier=str(known.tier),
            run=hook.run,
            asked_at_ns=now_ns,
            expires_at_ns=now_ns + int(self._policy.gate.valid_s * 1e9),
            agent=hook.agent,
            targets=known.targets,
            arguments={key: cut(value) for key, value in shown.items()},
            reasons=tuple(reason.text for reason in reasons),
            sender=request.sender,
            explanation=self._explanation(hook),
            dry_run=request.tried,
            examined=tuple(one.text for one in examined),
            known=tuple(
                str(fact["text"]) for fact in self._knowledge.about(known.targets, hook.run, now_ns)
            ),
        )
        tickets = self._board.store
        ticket = await asyncio.to_thread(tickets.ask, wanted)
        deadline_s = time.monotonic() + min(request.held_s, self._policy.gate.wait_s)
        with self._board.awaiting(ticket.number) as answered:
            answered.set()  # it may have been answered before anybody waited
            while ticket.state is TicketState.ASKED and time.monotonic() < deadline_s:
                if answered.is_set():
                    answered.clear()
                    (ticket,) = await asyncio.to_thread(tickets.tickets, [ticket.number])
                with suppress(TimeoutError):
                    await asyncio.wait_for(answered.wait(), QUERY_S)
                if (refusal := await self._ordered(hook, request)) is not None:
                    return refusal
        if ticket.state is TicketState.APPROVED:
            spent, _ = await asyncio.to_thread(
                tickets.spend, ticket.number, ticket.digest, nonce, hook.run, time.time_ns(),
                request.sender,
            )  # fmt: skip
            if spent:
                return None
        if ticket.state is TicketState.DENIED:
            because = f": {ticket.because}" if ticket.because else ""
            return Reason(Code.DENIED, Gate.DENY, f"{ticket.by} denied {hook.tool}{because}.")
        text = f"Approval {ticket.number} was asked for, and no person has answered yet."
        return Reason(Code.UNANSWERED, Gate.DENY, text, AGAIN)


def cut(value: Any) -> Any:
    """A value as a person is shown it."""
    return value[:SHOWN_CHARS_MAX] if isinstance(value, str) else value
