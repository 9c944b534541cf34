"""Recording: runs, facts, decisions and approvals that a developer records in code.

Without a provider every call here costs a few microseconds and does nothing; none ever raises
because of us.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from opentelemetry import _logs, trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import INVALID_SPAN, get_current_span

from aftershock import attributes as names
from aftershock.approval import Gate
from aftershock.fingerprints.fingerprint import fingerprint_result
from aftershock.fingerprints.outcomes import outcome_of
from aftershock.model import Outcome
from aftershock.recorder import approvals, implicit_run, settings
from aftershock.recorder.activation import activate
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.guarding import gate, learn_decision, learn_fact, learn_messages
from aftershock.recorder.span_wrapping import Step, never_raising, wrap
from aftershock.recorder.tool_calls import plain

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

FunctionType = TypeVar("FunctionType", bound=Callable[..., Any])

TEXT_CHARS_MAX = 4_000  # of one text of a decision

tracer = trace.get_tracer("aftershock")
logger = _logs.get_logger("aftershock")


# --- Runs ------------------------------------------------------------------------------------


class Run:
    """One task of an agent: a context manager, sync or async, or a decorator.

    Everything that happens inside belongs to it: tool calls, inferences, facts, decisions.
    """

    def __init__(
        self,
        *,
        agent: str,
        goal: str | None = None,
        conversation: str | None = None,
        user: str | None = None,
        id: str | None = None,  # noqa: A002 (what people look for)
    ) -> None:
        self._agent = agent
        self._goal = goal
        self._conversation = conversation
        self._user = user
        self._id = id
        self._step: Step | None = None
        self._before: Context | None = None

    @property
    def id(self) -> str | None:
        """The run's id. None: nothing is being recorded."""
        if self._step is None:
            return self._id
        own: Mapping[str, Any] = getattr(self._step.span, "attributes", None) or {}
        return own.get(names.RUN_ID, self._id)

    def saw(
        self,
        kind: str,
        subject: str = "*",
        *,
        source: str = "app",
        value: Any = None,
        outcome: str | None = None,
    ) -> None:
        """The agent was shown a fact. See `aftershock.saw`."""
        record_fact(self._context(), kind, subject, source=source, value=value, outcome=outcome)

    def decision(
        self,
        question: str,
        *,
        because: str | None = None,
        assumes: Iterable[str] = (),
        over: Iterable[str] = (),
    ) -> Decision:
        """A choice that the agent makes. See `aftershock.decision`."""
        return Decision(question, because, assumes, over, self._context)

    def asked(
        self,
        tool: str,
        *,
        of: str | None = None,
        because: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        valid_s: float | None = None,
    ) -> str | None:
        """Somebody was asked whether a tool may be called. See `aftershock.asked`."""
        details = approvals.Details(of, because, arguments, valid_s)
        return approvals.ask(self._context, tool, details)

    def approved(
        self,
        tool: str,
        *,
        by: str,
        because: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        valid_s: float | None = None,
        request: str | None = None,
    ) -> None:
        """Calls of a tool were allowed. See `aftershock.approved`."""
        details = approvals.Details(by, because, arguments, valid_s, request)
        approvals.answer(self._context, tool, Gate.ALLOW, details)

    def denied(
        self,
        tool: str,
        *,
        by: str,
        because: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        request: str | None = None,
    ) -> None:
        """Calls of a tool were denied. See `aftershock.denied`."""
        details = approvals.Details(by, because, arguments, None, request)
        approvals.answer(self._context, tool, Gate.DENY, details)

    def _context(self) -> Context | None:
        """The context of an event of this run: that of the current step, if it is of this run."""
        if self._step is None:
            return None
        own = self._step.span.get_span_context().trace_id
        if get_current_span().get_span_context().trace_id == own:
            return get_current()
        return self._step.context

    def _open(self) -> Step | None:
        activate()
        found: dict[str, AttributeValue] = {
            names.OPERATION: "invoke_agent",
            names.AGENT_NAME: self._agent,
        }
        if self._id is not None:
            found[names.RUN_ID] = self._id
        if self._conversation is not None:
            found[names.CONVERSATION_ID] = self._conversation
        if self._user is not None:
            found[names.USER_ID] = self._user
        if self._goal is not None and settings.captures_content():
            found[names.RUN_GOAL] = self._goal[:TEXT_CHARS_MAX]
        span = tracer.start_span(f"invoke_agent {self._agent}", attributes=found)
        if not span.is_recording():
            return None
        step = Step(span, get_current())
        if self._goal is not None and gate() is not None:
            learn_messages(step.context, [self._goal])
        return step

    def __enter__(self) -> Self:
        try:
            self._step = self._open()
            if self._step is not None:
                self._before = self._step.enter()
        except Exception:  # noqa: BLE001 (ours)
            record_failure("opening a run")
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        step, before = self._step, self._before
        if step is None or before is None:
            return
        step.leave(before)
        if error is None:
            step.returned(None)
        else:
            step.raised(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: FunctionType) -> FunctionType:
        """Decorate a function: every call of it is a run of its own."""
        opening = never_raising(lambda _args, _kwargs: self._open())
        return cast("FunctionType", wrap(function, opening))


def run(
    *,
    agent: str,
    goal: str | None = None,
    conversation: str | None = None,
    user: str | None = None,
    id: str | None = None,  # noqa: A002 (what people look for)
) -> Run:
    """Begin a run: `with aftershock.run(agent="sre-bot", goal="…") as run:` or as a decorator.

    Args:
        agent: The agent's name.
        goal: What it is to reach; leaves the process only where content capture is on.
        conversation: The conversation that the run belongs to.
        user: On whose behalf the agent works, for budgets of users. Like every text it is redacted:
            give an id, not an address.
        id: The run's id; default: that of the trace.
    """
    return Run(agent=agent, goal=goal, conversation=conversation, user=user, id=id)


# --- Facts and decisions ---------------------------------------------------------------------


def saw(
    kind: str,
    subject: str = "*",
    *,
    source: str = "app",
    value: Any = None,
    outcome: str | None = None,
) -> None:
    """The agent was shown a fact outside a tool call.

    Args:
        kind: What it is, as policies name it: `maintenance_window`.
        subject: What it is about: `prod`. `*`: everything.
        source: Where it came from.
        value: What was shown; only its fingerprint leaves the process. None: there is none.
        outcome: ok, failed, empty or truncated; default: derived from the value, and ok for None,
            because an empty answer is an answer.
    """
    record_fact(None, kind, subject, source=source, value=value, outcome=outcome)


def record_fact(
    context: Context | None,
    kind: str,
    subject: str,
    *,
    source: str,
    value: Any,
    outcome: str | None,
) -> None:
    """Send a fact as a log event of the current step, or of the implicit run."""
    try:
        activate()
        where = context or implicit_run.context_for_step()
        if not get_current_span(where).is_recording():
            return
        shown = plain(value)
        derived = Outcome.OK if value is None else outcome_of(shown, None)
        found: dict[str, Any] = {
            names.FACT_KIND: kind,
            names.FACT_SUBJECT: subject,
            names.FACT_SOURCE: source,
            names.FACT_OUTCOME: str(derived if outcome is None else Outcome(outcome)),
            names.FACT_DIGEST: fingerprint_result(shown).digest,
        }
        learn_fact(where, found)
        above: Mapping[str, Any] = getattr(get_current_span(where), "attributes", None) or {}
        kept = (names.RUN_ID, names.AGENT_NAME, names.CONVERSATION_ID)
        found |= {key: above[key] for key in kept if key in above}
        logger.emit(
            timestamp=time.time_ns(), context=where, event_name=names.EVENT_FACT, attributes=found
        )
    except Exception:  # noqa: BLE001 (ours)
        record_failure("recording a fact")


class Decision:
    """A choice being made: what is asked, what was chosen, over what, why, on which assumptions."""

    def __init__(
        self,
        question: str,
        because: str | None,
        assumes: Iterable[str],
        over: Iterable[str],
        context: Callable[[], Context | None],
    ) -> None:
        self._question = question
        self._because = because
        self._assumes = assumes
        self._over = over
        self._where = context
        self._step: Step | None = None
        self._before: Context | None = None

    def chose(self, chosen: str, *, over: Iterable[str] = (), because: str | None = None) -> None:
        """Record the choice, its alternatives, and the reason if it was not given before."""
        span = INVALID_SPAN if self._step is None else self._step.span
        if span.is_recording():
            set_decision(span, chosen=chosen, over=over, because=because)
            learn_decision(span)

    def __enter__(self) -> Self:
        try:
            activate()
            where = self._where() or implicit_run.context_for_step()
            span = tracer.start_span(
                "decision", where, attributes={names.OPERATION: names.DECISION_OPERATION}
            )
            if span.is_recording():
                texts = {"assumes": self._assumes, "over": self._over, "because": self._because}
                set_decision(span, question=self._question, **texts)
                self._step = Step(span, where)
                self._before = self._step.enter()
                learn_decision(span)
        except Exception:  # noqa: BLE001 (ours)
            record_failure("opening a decision")
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if self._step is None or self._before is None:
            return
        self._step.leave(self._before)
        if error is None:
            self._step.returned(None)
        else:
            self._step.raised(error)


def decision(
    question: str,
    *,
    because: str | None = None,
    assumes: Iterable[str] = (),
    over: Iterable[str] = (),
) -> Decision:
    """Record a choice of the agent: `with aftershock.decision("…") as d: d.chose("…")`.

    `chosen` is exported, redacted; the other texts only where content capture is on.
    """
    return Decision(question, because, assumes, over, lambda: None)


def set_decision(span: trace.Span, **given: Any) -> None:
    """Set the texts of a decision on its span. Never raises."""
    keys = {
        "question": names.DECISION_QUESTION,
        "chosen": names.DECISION_CHOSEN,
        "because": names.DECISION_BECAUSE,
        "over": names.DECISION_OVER,
        "assumes": names.DECISION_ASSUMES,
    }
    try:
        for key, value in given.items():
            if value is None:
                continue
            if isinstance(value, str):
                span.set_attribute(keys[key], value[:TEXT_CHARS_MAX])
            elif texts := [str(one)[:TEXT_CHARS_MAX] for one in value]:
                span.set_attribute(keys[key], texts)
    except Exception:  # noqa: BLE001 (ours)
        record_failure("recording a decision")
