"""The ledger: what each run of this process did, as steps that the rules can judge.

The app's thread only appends what happened. It is fingerprinted and folded when a decision needs
the run's past, so that calls which the policy alone allows cost nothing more.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING, Any

from aftershock.fingerprints.answers import state_of
from aftershock.fingerprints.embedded_orders import seems_to_give_orders
from aftershock.fingerprints.fingerprint import fingerprint_result, text_of
from aftershock.fingerprints.outcomes import error_class, outcome_of
from aftershock.fingerprints.words import words_in
from aftershock.gate.decide import Call, step_of
from aftershock.gate.provenance import ShownTexts, folded
from aftershock.model import Decision, Fact, Outcome, Run, Spent, Step, StepKind, Tokens
from aftershock.policy.policy import Policy, describe, rule_of
from aftershock.policy.prices import spent_with
from aftershock.runs.day_spending import DaySpending, DaySpent, Scope
from aftershock.runs.fold import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from aftershock.limits import Limits

RUNS_MAX = 256  # of one process; the least recently active is forgotten first
TEXT_CHARS_MAX = 20_000  # of one result or message; as much as fingerprints read
RELIED_CHARS_MAX = 100_000  # of one run: the newest, and the first
OF_OTHERS_MAX = 4  # newest results of others that one run keeps
WAITING_MAX = 512  # records of one run that wait to be folded: as many as a window holds


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that ran. One that was held back is no step: it could neither learn nor change."""

    call: Call
    began_at_ns: int
    ended_at_ns: int
    result: Any = None
    error: str | None = None  # of an exception: its class and text
    failed: bool = False  # the tool itself reports a failure


class RunRecord:
    """One run: its window, and what waits to be folded into it."""

    __slots__ = (
        "agent", "explanation", "handed", "limits", "of_others", "relied_on", "spent", "waiting",
        "window",
    )  # fmt: skip

    def __init__(self, run_id: str, agent: str | None, limits: Limits) -> None:
        self.agent = agent
        self.limits = limits
        self.window = Window(run_id, limits)
        self.spent = Spent()  # by every step, so that no decision adds them up
        self.waiting: list[Ended | Step] = []
        self.explanation: Decision | None = None  # the newest, for whoever approves
        # Kept only where the policy asks where arguments come from; they never leave the process.
        self.relied_on: deque[str] = deque()  # folded texts
        self.of_others: deque[tuple[str, str, bool]] = deque()  # tool, folded result, gives orders
        self.handed: set[str] = set()  # ids of facts that the guard has handed to the agent


class Ledger:
    """Runs of this process by id. Bounded; safe for threads."""

    def __init__(
        self,
        policy: Callable[[], Policy],
        limits: Callable[[str | None], Limits],
        keeps_texts: Callable[[], bool] = lambda: False,
    ) -> None:
        """`keeps_texts`: whether somebody asks where arguments come from."""
        self._policy = policy
        self._keeps_texts = keeps_texts
        self._limits = limits
        self._runs: OrderedDict[str, RunRecord] = OrderedDict()
        self._unfolded: set[str] = set()  # runs with something that waits
        self._days = DaySpending()  # by this process
        self._lock = RLock()
        self._numbers = count(1)

    def add(self, run_id: str, agent: str | None, what: Ended | Step) -> None:
        """Something happened in a run."""
        with self._lock:
            record = self._record(run_id, agent)
            if len(record.waiting) >= WAITING_MAX:
                self._fold(record)
            record.waiting.append(what)
            self._unfolded.add(run_id)

    def run(self, run_id: str, agent: str | None, now_ns: int) -> Run:
        """The run as it stands, with all that it spent in `dropped_spent`."""
        with self._lock:
            record = self._record(run_id, agent)
            self._fold(record)
            return replace(record.window.whole(now_ns), agent=agent, dropped_spent=record.spent)

    def used_today(self, scope: Scope, name: str, day: int) -> DaySpent:
        """What this process's runs of an agent or a user, or all of them, used up on a day."""
        with self._lock:
            for run_id in list(self._unfolded):
                if (record := self._runs.get(run_id)) is not None:
                    self._fold(record)
            self._unfolded.clear()
            return self._days.used(scope, name, day)

    def explain(self, run_id: str, agent: str | None, decision: Decision) -> None:
        """The agent recorded a decision."""
        with self._lock:
            self._record(run_id, agent).explanation = decision

    def explanation(self, run_id: str) -> Decision | None:
        """The newest decision of a run."""
        with self._lock:
            record = self._runs.get(run_id)
            return None if record is None else record.explanation

    def rely_on(self, run_id: str, agent: str | None, text: str) -> None:
        """The run was shown what the agent may act on: its goal, or a message of a person."""
        with self._lock:
            self._remember(self._record(run_id, agent), folded(text[:TEXT_CHARS_MAX]))

    def shown(self, run_id: str, agent: str | None) -> ShownTexts:
        """The texts that a run was shown, as far as they are kept."""
        with self._lock:
            record = self._record(run_id, agent)
            self._fold(record)
            return ShownTexts("\n".join(record.relied_on), tuple(record.of_others))

    def hand(self, run_id: str, agent: str | None, facts: frozenset[str]) -> frozenset[str]:
        """Remember facts that the agent is handed now; returns those that are new to it."""
        with self._lock:
            record = self._record(run_id, agent)
            new = facts - record.handed
            record.handed |= new
            return frozenset(new)

    def _record(self, run_id: str, agent: str | None) -> RunRecord:
        record = self._runs.get(run_id)
        if record is None:
            record = self._runs[run_id] = RunRecord(run_id, agent, self._limits(agent))
            if len(self._runs) > RUNS_MAX:
                self._fold(self._runs.popitem(last=False)[1])  # its day still counts it
        else:
            self._runs.move_to_end(run_id)
        return record

    def _fold(self, record: RunRecord) -> None:
        waiting, record.waiting = record.waiting, []
        if not waiting:
            return
        steps: list[Step] = []
        for one in waiting:
            step = self._step(one) if isinstance(one, Ended) else one
            steps.append(step)
            if isinstance(one, Ended) and self._keeps_texts():
                self._keep_shown(record, step, one.error or text_of(one.result))
        record.window.add(steps)
        for step in steps:
            record.spent = spent_with(record.spent, step, record.limits)
            self._days.add(step, step.agent or record.agent, step.user, record.limits)

    @staticmethod
    def _remember(record: RunRecord, text: str) -> None:
        """Keep a text to rely on, once; of too many the first (the goal) and the newest."""
        if not text or text in record.relied_on:
            return
        record.relied_on.append(text)
        while sum(map(len, record.relied_on)) > RELIED_CHARS_MAX and len(record.relied_on) > 1:
            del record.relied_on[1]

    def _keep_shown(self, record: RunRecord, step: Step, text: str) -> None:
        """Keep what a call returned: as something to rely on, or as others' words."""
        assert step.action is not None
        policy, action = self._policy(), step.action
        cut = folded(text[:TEXT_CHARS_MAX])
        if not (action.gives_orders or rule_of(policy, action.tool).untrusted):
            self._remember(record, cut)
            return
        record.of_others.append((action.tool, cut, action.gives_orders))
        while len(record.of_others) > OF_OTHERS_MAX:
            record.of_others.popleft()

    def _step(self, ended: Ended) -> Step:
        policy = self._policy()
        step = step_of(ended.call, policy, ended.began_at_ns, f"call-{next(self._numbers)}")
        assert step.action is not None
        text = ended.error or text_of(ended.result)
        failed = ended.failed or ended.error is not None
        outcome = Outcome.FAILED if failed else outcome_of(ended.result, None)
        result = fingerprint_result(ended.error or ended.result)
        action = replace(
            step.action,
            result=result,
            outcome=outcome,
            error_class=error_class(text) if outcome is Outcome.FAILED else None,
            words=words_in(text),
            state=state_of(text),
            gives_orders=self._keeps_texts() and seems_to_give_orders(text),
        )
        provided = describe(policy, ended.call.tool, ended.call.arguments).provides
        facts = tuple(
            Fact(
                kind,
                subject,
                ended.call.tool,
                ended.ended_at_ns,
                outcome,
                step.span_id,
                result.digest,
                gives_orders=action.gives_orders,
            )
            for kind, subject in provided
        )
        return replace(step, ended_at_ns=ended.ended_at_ns, action=action, facts=facts)


def fact_step(run_id: str, fact: Fact) -> Step:
    """A fact that the app, or the guard, has shown to the agent."""
    at_ns = fact.observed_at_ns
    return Step(
        run_id, fact.span_id, StepKind.FACT, f"{fact.kind}/{fact.subject}", at_ns, at_ns,
        facts=(fact,),
    )  # fmt: skip


def decision_step(run_id: str, span_id: str, decision: Decision, at_ns: int) -> Step:
    """A recorded decision."""
    return Step(run_id, span_id, StepKind.DECISION, "decision", at_ns, at_ns, decision=decision)


def inference_step(  # noqa: PLR0917
    run_id: str,
    span_id: str,
    model: str,
    tokens: Tokens | None,
    at_ns: int,
    user: str | None = None,
) -> Step:
    """A call of a model, with what it used."""
    kind = StepKind.INFERENCE
    return Step(run_id, span_id, kind, model, at_ns, at_ns, tokens=tokens, user=user)
