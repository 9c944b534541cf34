"""The gate of this process: the guard, wired to what records, and what its spans say of it.

Imported at the first tool call of a process whose policy turns the gate on.
"""

from __future__ import annotations

import os
import re
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aftershock import attributes as names
from aftershock.approval import Gate
from aftershock.gate.admission import answer_text, notice_text, notices_of
from aftershock.gate.decide import Call
from aftershock.guard.asking import Asking, Redacting
from aftershock.guard.channel import Channel
from aftershock.guard.connection import Connection
from aftershock.guard.day_counts import DayCounts
from aftershock.guard.guard import Guard
from aftershock.guard.ledger import Ended, Ledger
from aftershock.policy.filled_safeguards import needs_run
from aftershock.policy.policy import limits_for
from aftershock.recorder import approvals, implicit_run, settings
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.held_back import CallHeldBack
from aftershock.recorder.implicit_run import place_of, user_of
from aftershock.recorder.redaction import redact_value
from aftershock.recorder.tool_calls import Attributes, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aftershock.gate.admission import Reason
    from aftershock.guard.passage import Passage
    from aftershock.model import Decision, Step
    from aftershock.policy.policy import Policy

GUARDRAIL = "aftershock"
COLLECTOR_VARIABLE = "AFTERSHOCK_COLLECTOR"
SHOWN_CHARS_MAX = 4_000  # of one argument, for whoever approves
REASON_CHARS_MAX = 500
DIGITS = re.compile(r"[\d.,]+")
EXPLANATION_CHARS_MAX = 1_500
TRIED_CHARS_MAX = 6_000  # of a dry run
# Our gates in the words of the proposal.
DECISIONS = {Gate.ALLOW: "allow", Gate.WARN: "warn", Gate.ASK: "escalate", Gate.DENY: "deny"}
ANSWERS = {"approved": Gate.ALLOW, "spent": Gate.ALLOW, "denied": Gate.DENY}
STARTED_NS = time.time_ns()  # tells processes with one pid apart


class ProcessGate:
    """One for a process. Its methods are called around each tool call."""

    def __init__(self) -> None:
        ledger = Ledger(
            settings.policy,
            lambda agent: limits_for(settings.policy(), agent),
            lambda: self.keeps_texts,
        )
        counts = DayCounts(ledger.used_today)
        channel = Channel(connection, identity, record_failure, counts)
        redacting = Redacting(shown, explained, redacted)
        asking = Asking(channel, ledger, redacting, self.report)
        self.guard = Guard(channel, ledger, asking, record_failure)
        self._requests: dict[int, str] = {}  # ticket → the request for approval in the telemetry

    def enter(self, call: Call, policy: Policy) -> Passage:
        """Let a call pass, or not, once it need not wait any more."""
        return self.guard.enter(call, policy)

    async def enter_async(self, call: Call, policy: Policy) -> Passage:
        """The same without blocking the event loop."""
        return await self.guard.enter_async(call, policy)

    def returned(
        self, passage: Passage, began_at_ns: int, result: Any, *, failed: bool = False
    ) -> None:
        """A call that passed has returned. Raises nothing."""
        self._remember(passage, began_at_ns, result=result, failed=failed)

    def raised(self, passage: Passage, began_at_ns: int, error: BaseException) -> None:
        """A call that passed has raised. Raises nothing."""
        self._remember(passage, began_at_ns, error=f"{type(error).__name__}: {error}")

    def answer_for(self, passage: Passage) -> str:
        """What the model reads in place of a result.

        Raises CallHeldBack where the policy wants that.
        """
        found, tool = passage.admission, passage.call.tool
        text = answer_text(tool, found)
        if settings.policy().gate.raises:
            raise CallHeldBack(tool, str(found.code), text)
        return text

    def notices(self, passage: Passage) -> str:
        """What the model has not been told yet of a call that passes; "" if there is nothing.

        What to do after a step of a rollout, and each amount of each budget once in a run: later
        results would only repeat it.
        """
        found = {budget_of(reason): reason for reason in notices_of(passage.admission)}
        canary = f"[{passage.progress.notice}]" if passage.progress.notice else ""
        if not found:
            return canary
        call = passage.call
        new = self.guard.ledger.hand(call.run_id, call.agent, frozenset(found))
        budgets = notice_text(found[name] for name in sorted(new))
        return "\n".join(filter(None, (canary, budgets)))

    @property
    def keeps_texts(self) -> bool:
        """Whether anybody asks where the arguments of a call come from."""
        judged_by = self.guard.judged_by(settings.policy())
        return any(rules.gate.untrusted is not Gate.ALLOW for rules in judged_by)

    @property
    def _needs_run(self) -> bool:
        """Whether anybody asks what a run did before."""
        return any(map(needs_run, self.guard.judged_by(settings.policy())))

    def rely_on(self, run_id: str, agent: str | None, text: str) -> None:
        """A run was shown what its agent may act on. Raises nothing."""
        try:
            self.guard.ledger.rely_on(run_id, agent, text)
        except Exception:  # noqa: BLE001 (ours)
            record_failure("remembering a message")

    def learn(self, run_id: str, agent: str | None, step: Step) -> None:
        """Something happened in a run outside its tools. Raises nothing."""
        try:
            if step.decision is not None:
                self.guard.ledger.explain(run_id, agent, step.decision)
            if self._needs_run:
                self.guard.ledger.add(run_id, agent, step)
        except Exception:  # noqa: BLE001 (ours)
            record_failure("remembering a step")

    @staticmethod
    def call_of(tool: str, arguments: Mapping[str, Any], targets: tuple[str, ...] = ()) -> Call:
        """A call in its run. Outside any run it belongs to the run that begins with it."""
        context = implicit_run.context_for_step()
        run_id, agent, _ = place_of(context)
        return Call(tool, arguments, run_id, agent, targets, user_of(context))

    @staticmethod
    def unknown_call(tool: str) -> Call:
        """A call whose arguments nobody knows: an approval of it covers no other call."""
        context = implicit_run.context_for_step()
        run_id, agent, _ = place_of(context)
        return Call(tool, {"unknown": object()}, run_id, agent, user=user_of(context))

    @staticmethod
    def attributes_of(passage: Passage) -> Attributes:
        """What a tool's span says of the gate."""
        return attributes_of(passage)

    def report(self, state: str, call: Call, ticket: Mapping[str, Any]) -> None:
        """A person was asked, or has answered: an approval event, as the app would send it."""
        number, arguments = int(ticket["number"]), call.arguments
        if state == "asked":
            reasons = "; ".join(str(one.get("text", "")) for one in ticket.get("reasons") or ())
            details = approvals.Details(None, reasons or None, arguments)
            request = approvals.ask(approvals.here, call.tool, details)
            if request is not None:
                self._requests[number] = request
            return
        request = self._requests.pop(number, None)
        by, because = ticket.get("by"), ticket.get("because")
        details = approvals.Details(by, because, arguments, None, request)
        if (outcome := ANSWERS.get(str(ticket["state"]))) is not None:
            approvals.answer(approvals.here, call.tool, outcome, details)

    def _remember(
        self,
        passage: Passage,
        began_at_ns: int,
        *,
        result: Any = None,
        error: str | None = None,
        failed: bool = False,
    ) -> None:
        """Add a call to its run, where the policy judges runs."""
        call = passage.call
        try:
            if not self._needs_run:
                return
            value = None if error is not None else plain(result)
            ended = Ended(call, began_at_ns, time.time_ns(), value, error, failed)
            self.guard.ledger.add(call.run_id, call.agent, ended)
        except Exception:  # noqa: BLE001 (ours; the tool's result is untouched)
            record_failure("remembering a call")


def budget_of(reason: Reason) -> str:
    """Which amount of which budget a reason is about: the same while the amount grows."""
    return f"budget/{DIGITS.sub('', reason.text.partition(' with this call')[0])}"


def connection() -> Connection:
    """To the collector that this process sends its telemetry to, unless another one is named."""
    url = os.environ.get(COLLECTOR_VARIABLE) or settings.endpoint()
    headers = os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    pairs = [pair.partition("=") for pair in headers.split(",") if "=" in pair]
    return Connection(
        url,
        {name.strip(): unquote(value.strip()) for name, _, value in pairs},
        os.environ.get("OTEL_EXPORTER_OTLP_CERTIFICATE"),
    )


def identity() -> Mapping[str, Any]:
    """This process, for whoever stops it."""
    host = socket.gethostname()
    return {
        "id": f"{host}/{os.getpid()}/{STARTED_NS}",
        "host": host,
        "pid": os.getpid(),
        "service": os.environ.get("OTEL_SERVICE_NAME") or settings.service_name() or "",
    }


def shown(call: Call) -> Any:
    """A call's arguments for whoever approves it: redacted and cut, and nothing else is hidden.

    A person cannot approve what they cannot see, so this content leaves the process.
    """
    arguments: Any = plain(dict(call.arguments))
    return {
        key: redacted[:SHOWN_CHARS_MAX] if isinstance(redacted, str) else redacted
        for key, value in arguments.items()
        for redacted in [redact_value(key, value)]
    }


def explained(decision: Decision) -> str:
    """What the agent recorded of a decision, redacted, for whoever approves what follows."""
    parts = [
        f"{decision.question}: {decision.chosen or 'undecided'}",
        f"over {', '.join(decision.over)}" if decision.over else "",
        f"because {decision.because}" if decision.because else "",
        f"assuming {', '.join(decision.assumes)}" if decision.assumes else "",
    ]
    return redacted("; ".join(part for part in parts if part))[:EXPLANATION_CHARS_MAX]


def redacted(text: str) -> str:
    """A text for whoever approves, without secrets."""
    return str(redact_value("text", text))[:TRIED_CHARS_MAX]


def attributes_of(passage: Passage) -> Attributes:
    """What a tool's span says of the gate; nothing for a call that no policy has a word on."""
    found, progress = passage.admission, passage.progress
    if passage.tier is None and not found.reasons and not progress.held_ns:
        return {}
    described: Attributes = {
        names.GUARDRAIL_ID: GUARDRAIL,
        names.GUARDRAIL_DECISION_TYPE: DECISIONS[found.gate],
        names.GUARDRAIL_ACTION_TYPE: "allow" if passage.passes else "block",
    }
    if found.reasons:
        described[names.GUARDRAIL_DECISION_CODE] = str(found.code)
        described[names.GUARDRAIL_DECISION_REASON] = " ".join(r.text for r in found.reasons)[
            :REASON_CHARS_MAX
        ]
    if progress.ticket is not None:
        described[names.GATE_TICKET] = progress.ticket
    if progress.answered_by is not None:
        described[names.GATE_ANSWERED_BY] = progress.answered_by
    if progress.examined:
        described[names.GATE_ASSUMPTIONS] = progress.examined
    if progress.canary is not None:
        described[names.GATE_CANARY] = progress.canary
    if progress.held_ns:
        described[names.GATE_HELD] = progress.held_ns / 1e9
    if progress.unreachable:
        described[names.GATE_UNREACHABLE] = True
    return described
