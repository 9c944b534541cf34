"""Asking: the collector for what the agent does not know, and people for their approval."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from aftershock.approval import Gate
from aftershock.gate.admission import OF_THE_RUN, Admission, Code, Reason
from aftershock.gate.assumptions import LEARN_FIRST
from aftershock.gate.binding import digest_of
from aftershock.gate.decide import FACT_RULES
from aftershock.guard.connection import Refused
from aftershock.guard.dry_runs import DRY_RUN_S, dry_run
from aftershock.guard.ledger import fact_step
from aftershock.guard.passage import Change, Part, Progress, Request, Work
from aftershock.guard.protocol import (
    PREFLIGHT_PATH,
    SPEND_PATH,
    TICKETS_PATH,
    read_reason,
    reason_json,
)
from aftershock.guard.safeguard_protocol import CANARY_PATH
from aftershock.guard.safeguards import NONE, Safeguards
from aftershock.model import Fact, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aftershock.gate.decide import Call
    from aftershock.guard.channel import Channel
    from aftershock.guard.ledger import Ledger
    from aftershock.model import Decision, Tier
    from aftershock.policy.admission import GateRules

PREFLIGHT_S = 1.0  # a read of memory: fifty times what it takes beside a full load
TICKET_S = 5.0  # it is written to a disk that others write to as well
LATER = "Go on with something else, and try again later with the same arguments."
NOT_AGAIN = "Do not try it in another way; say what you wanted to reach and go on without it."
NO_ANSWER = "The collector had to be asked first and did not answer."
FACT_SOURCE = "aftershock"
NOT_ABOUT_CALLS = frozenset({401, 403, 404, 405, 421})  # about the sender, or the collector's age
# What an agent can mend: then it is handed at once what else it did not know.
MENDABLE = frozenset({*FACT_RULES, *OF_THE_RUN, Code.CANARY})


@dataclass(frozen=True, slots=True)
class Asked:
    """A call and what is asked about it."""

    call: Call
    tier: Tier
    targets: tuple[str, ...]
    rules: GateRules
    safeguards: Safeguards = NONE

    @property
    def action(self) -> dict[str, Any]:
        """The action as the collector is asked about it: no arguments."""
        call = self.call
        return {
            "action": {"tool": call.tool, "tier": str(self.tier)},
            "targets": list(self.targets),
            "run": {"id": call.run_id, "agent": call.agent},
        }


class Redacting(NamedTuple):
    """What people may see of a call."""

    arguments: Callable[[Call], Any]
    decision: Callable[[Decision], str]
    text: Callable[[str], str]  # of an explanation, or of a dry run


class Asking:
    """Asks for one process. Its methods are parts of a call's way."""

    def __init__(
        self,
        channel: Channel,
        ledger: Ledger,
        redacting: Redacting,
        report: Callable[[str, Call, Mapping[str, Any]], None],
    ) -> None:
        """`redacting`: what people may see. `report` gets a ticket's life."""
        self._channel = channel
        self._ledger = ledger
        self._redacting = redacting
        self._report = report

    def preflight(self, asked: Asked, progress: Progress, *, enforced: bool) -> Part:
        """What the collector decides, and what it knows and the agent does not."""
        call, rules = asked.call, asked.rules
        if is_final(progress.found):
            return progress
        body = asked.action | asked.safeguards.body
        answer: Any = yield Request(PREFLIGHT_PATH, body, PREFLIGHT_S)
        if isinstance(answer, Exception):
            return self._unreachable(asked, progress, answer)
        progress = progress.because(*map(read_reason, answer.get("reasons") or ()))
        examined = tuple(map(str, answer.get("examined") or ()))
        if len(examined) < len(asked.safeguards.assumes):  # a collector that does not know how
            progress = progress.because(unexamined(asked))
        progress = replace(progress, examined=examined)
        unknown = {str(fact["id"]): fact for fact in answer.get("unknown") or ()}
        informs = enforced and rules.inform and asked.tier in rules.preflight
        if not (informs and unknown) or is_final(progress.found):
            return progress
        new = self._ledger.hand(call.run_id, call.agent, frozenset(unknown))
        facts = tuple(unknown[name] for name in unknown if name in new)
        if not facts:
            return progress
        for fact in facts:
            self._ledger.add(call.run_id, call.agent, fact_step(call.run_id, read_fact(fact)))
        handed = Reason(
            Code.UNKNOWN,
            Gate.DENY,
            f"Before {call.tool} runs, there is something that you had not read:",
            "Decide again with this. If you still want it, call it again with the same arguments.",
            tuple(str(fact["text"]) for fact in facts),
        )
        return replace(progress.because(handed), facts=facts)

    def approval(self, asked: Asked, progress: Progress, stopped: Callable[[], bool]) -> Part:
        """A person's answer, or that there is none yet. `stopped`: an order came meanwhile."""
        call, rules = asked.call, asked.rules
        nonce = os.urandom(8).hex()
        digest = digest_of(call.agent, call.tool, call.arguments, asked.targets)
        digest = digest or f"only-this-call-{nonce}"
        tried: Any = ""
        if asked.safeguards.dry_run:
            tried = yield Work(lambda: dry_run(call), DRY_RUN_S)
        body = asked.action | {
            "digest": digest,
            "arguments": self._redacting.arguments(call),
            "explanation": self._explanation(asked),
            "examined": list(progress.examined),
            "dry_run": self._redacting.text(tried) if tried else "",
            "reasons": [reason_json(reason) for reason in progress.found.reasons],
            "valid_s": rules.valid_s,
            "process": self._channel.process,
        }
        answer: Any = yield Request(TICKETS_PATH, body, TICKET_S)
        if isinstance(answer, Exception):
            return self._unreachable(asked, progress, answer)
        ticket: Mapping[str, Any] = answer["ticket"]
        number = int(ticket["number"])
        self._report("asked", call, ticket)
        progress = replace(progress, ticket=number, answered_by=ticket.get("by"))
        wait_s = min(rules.wait_s, float(ticket.get("expires_in_s") or rules.wait_s))
        began_ns, until_s = time.time_ns(), time.monotonic() + wait_s
        self._channel.wait_for(number, ticket)
        try:
            while ticket["state"] == "asked" and not stopped():
                left_s = until_s - time.monotonic()
                changed = left_s > 0 and (yield Change(self._channel.changed(), left_s))
                ticket = self._channel.tickets.get(number, ticket)
                if not changed:
                    break
            held_ns = progress.held_ns + time.time_ns() - began_ns
            progress = replace(progress, held_ns=held_ns, answered_by=ticket.get("by"))
            if stopped():
                return progress
            if ticket["state"] == "approved":
                return (yield from self._use(asked, progress, number, digest, nonce))
            self._report("answered", call, ticket)
            return progress.answered(reason_of(call, ticket))
        finally:
            self._channel.release(number)

    def _use(self, asked: Asked, progress: Progress, number: int, digest: str, nonce: str) -> Part:
        """Use an approval for this call, where it still is the next step of its rollout."""
        call = asked.call
        progress = yield from self.begin_canary(asked, progress)
        if progress.found.gate is Gate.DENY:  # not its turn any more: the approval stays
            return progress.answered()
        if progress.unreachable and not progress.found.lets_pass:
            return progress
        spend = {"number": number, "digest": digest, "nonce": nonce, "run": call.run_id}
        answer: Any = yield Request(SPEND_PATH, spend, TICKET_S)
        if isinstance(answer, Exception):
            return self._unreachable(asked, progress, answer)
        ticket: Mapping[str, Any] = answer["ticket"]
        self._report("answered", call, ticket)
        if answer.get("spent") is True:
            return replace(progress.answered(), granted=True)
        return progress.answered(reason_of(call, ticket))

    def begin_canary(self, asked: Asked, progress: Progress) -> Part:
        """Begin the step of a rollout that a call is, where it still is the next one."""
        canary = asked.safeguards.canary
        if canary is None or progress.canary is not None:
            return progress
        body = asked.action | asked.safeguards.body | {"nonce": os.urandom(8).hex()}
        answer: Any = yield Request(CANARY_PATH, body, TICKET_S)
        if isinstance(answer, Exception):
            return self._unreachable(asked, progress, answer)
        refused = [read_reason(one) for one in answer.get("reasons") or ()]
        if refused:
            return progress.because(*refused)
        begun: Mapping[str, Any] = answer["canary"]
        return replace(progress, canary=int(begun["number"]), notice=str(begun["notice"]))

    def _explanation(self, asked: Asked) -> str:
        """What the agent thinks it knows and why it acts, as it last said that."""
        if asked.safeguards.explanation:
            return self._redacting.text(asked.safeguards.explanation)
        decision = self._ledger.explanation(asked.call.run_id)
        return "" if decision is None else self._redacting.decision(decision)

    def _unreachable(self, asked: Asked, progress: Progress, error: Exception) -> Progress:
        """What the policy names where the collector does not answer; `ask` holds the call back."""
        gate = asked.rules.when_unreachable(asked.tier)
        if is_refusal(error):
            gate = max(gate, Gate.ASK, key=list(Gate).index)
        reason = Reason(Code.UNREACHABLE, gate, NO_ANSWER, LATER, (str(error)[:200],))
        return replace(progress.answered(reason), unreachable=True, granted=True)


def is_refusal(error: Exception) -> bool:
    """True where the collector is there and refuses what it was asked about this call.

    An agent chooses its arguments: a call that cannot be asked about is not one that may run.
    """
    return isinstance(error, Refused) and error.status not in NOT_ABOUT_CALLS


def is_final(found: Admission) -> bool:
    """True for a call that is denied whatever its agent reads, explains or changes."""
    denying = [reason for reason in found.reasons if reason.gate is Gate.DENY]
    return any(reason.code not in MENDABLE for reason in denying)


def unexamined(asked: Asked) -> Reason:
    """That the collector did not say whether what a call assumes is so."""
    gate = asked.safeguards.if_unknown
    text = f"What {asked.call.tool} assumes is not known: the collector does not examine it."
    return Reason(Code.UNKNOWN_ASSUMPTION, gate, text, LEARN_FIRST)


def reason_of(call: Call, ticket: Mapping[str, Any]) -> Reason:
    """Why a ticket does not let a call pass, as the model reads it."""
    number, by = ticket["number"], ticket.get("by")
    because = f": {ticket['because']}" if ticket.get("because") else ""
    match ticket["state"]:
        case "denied":
            return Reason(Code.DENIED, Gate.DENY, f"{by} denied {call.tool}{because}.", NOT_AGAIN)
        case "asked":
            text = f"Approval {number} was asked for, and no person has answered yet."
            return Reason(Code.UNANSWERED, Gate.DENY, text, LATER)
        case "expired":
            text = f"No person answered approval {number} in time."
            return Reason(Code.EXPIRED, Gate.DENY, text, LATER)
        case _:
            text = f"Approval {number} was for one call, which has run already."
            return Reason(Code.EXPIRED, Gate.DENY, text, LATER)


def read_fact(known: Mapping[str, Any]) -> Fact:
    """A fact that the collector knows, as one that the agent was shown."""
    return Fact(
        kind=str(known["kind"]),
        subject=str(known.get("subject") or "*"),
        source=str(known.get("source") or FACT_SOURCE),
        observed_at_ns=time.time_ns(),
        outcome=Outcome.OK,
        span_id=f"fact-{known['id']}",
    )
