"""Runs written as one reads them: `run("r").calls("search", q="x").returns("…").times(4)`.

Steps are made by the product's own fingerprints and policy, as a live tool call makes them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

from aftershock.approval import Approval, Gate
from aftershock.fingerprints.answers import state_of
from aftershock.fingerprints.fingerprint import (
    fingerprint_arguments,
    fingerprint_result,
    subjects_of,
    text_of,
)
from aftershock.fingerprints.outcomes import error_class, outcome_of
from aftershock.fingerprints.outputs import output_of
from aftershock.fingerprints.shown import Part, Shown, shown_in
from aftershock.fingerprints.swapped import ids_of
from aftershock.fingerprints.words import words_in
from aftershock.limits import Limits
from aftershock.model import (
    Action,
    Decision,
    Fact,
    Finding,
    Outcome,
    Run,
    Step,
    StepKind,
    Tokens,
)
from aftershock.policy.instructions import instruction_of
from aftershock.policy.policy import EMPTY, Policy, describe
from aftershock.rules import STEP_RULES, Rule, judge

S = 1_000_000_000
START_NS = 1_700_000_000 * S
LIMITS = Limits()


class Scenario:
    """One run under construction; every call adds a step one second after the last one ended."""

    def __init__(self, run_id: str, agent: str | None, policy: Policy) -> None:
        self.id = run_id
        self.agent = agent
        self.policy = policy
        self.steps: list[Step] = []
        self.heartbeats: list[Step] = []
        self.now_ns = START_NS
        self.received_at_ns: int | None = None
        self.ended_at_ns: int | None = None
        self.error: str | None = None
        self._worker: str | None = None
        self._messages: list[Part] = []
        self._shows_messages = False
        self._compacted = False

    # --- What the agent does ---

    def calls(self, tool: str, **arguments: Any) -> Self:
        """A tool call that has started and whose answer is not in."""
        described = describe(self.policy, tool, arguments)
        action = Action(
            tool=tool,
            arguments=fingerprint_arguments(arguments),
            result=None,
            outcome=None,
            tier=described.tier,
            targets=described.targets,
            requires=described.requires,
            polls=described.polls,
            call_id=f"call-{len(self.steps):03d}",
            subjects=subjects_of(arguments),
            explain=described.explain,
            gate=described.gate,
            ids=ids_of(arguments),
            waits_s=described.waits_s,
            is_portion=described.is_portion,
            sets=described.sets,
            max_time_s=described.max_time_s,
            allowed_s=described.allowed_s,
            patience_s=described.patience_s,
        )
        provided = tuple(
            Fact(kind, subject, tool, 0, Outcome.OK, "") for kind, subject in described.provides
        )
        return self._add(StepKind.TOOL_CALL, tool, still_open=True, action=action, facts=provided)

    def returns(self, result: Any = "done") -> Self:
        """The newest call ends with this result."""
        return self._end(result, None)

    def fails(self, error: str = "Error: it did not work") -> Self:
        """The newest call ends with this error."""
        return self._end(None, error)

    def thinks(
        self,
        tokens: int = 0,
        *,
        model: str = "model",
        output: int = 0,
        finish_reason: str | None = None,
        text: str | None = None,
    ) -> Self:
        """One inference; where messages are told, with what stands in them now."""
        used = Tokens(tokens, output) if tokens or output else None
        shown = shown_in(self._messages or [Part("user", "")]) if self._shows_messages else Shown()
        compacted, self._compacted = self._compacted, False
        return self._add(
            StepKind.INFERENCE,
            model,
            tokens=used,
            shown=shown.results,
            words=shown.words,
            compacted=compacted,
            finish_reason=finish_reason,
            output=None if text is None else output_of(text),
        )

    def decides(self, chosen: str | None = None, question: str = "what now") -> Self:
        """The agent records a decision."""
        return self._add(StepKind.DECISION, "decision", decision=Decision(question, chosen))

    def asks(self, tool: str, of: str | None = None, **arguments: Any) -> Self:
        """Somebody is asked whether a tool may be called, and has not answered."""
        digest = fingerprint_arguments(arguments).digest if arguments else None
        approval = Approval(tool, Gate.ASK, of, arguments=digest)
        return self._add(StepKind.APPROVAL, tool, still_open=True, approval=approval)

    def approves(
        self, tool: str, by: str | None = "alice", *, valid_s: float | None = None, **arguments: Any
    ) -> Self:
        """A person allows a tool; where arguments are given, for these only."""
        return self._answer(Gate.ALLOW, tool, by, valid_s, arguments)

    def denies(self, tool: str, by: str | None = "alice", **arguments: Any) -> Self:
        """A person denies it."""
        return self._answer(Gate.DENY, tool, by, None, arguments)

    def hands_off(self, to: str) -> Self:
        """This agent gives the work to another one, who goes on."""
        self._add(StepKind.HAND_OFF, to)
        return self.as_worker(to)

    def receives_message(
        self, who: str = "user", text: str | None = None, *, automatic: bool = False
    ) -> Self:
        """Somebody says something to the agent."""
        self._messages.append(Part("user", text or ""))
        return self._add(
            StepKind.MESSAGE,
            who,
            words=None if text is None else words_in(text),
            instruction=None if text is None else instruction_of(text),
            automatic=automatic,
        )

    def saw(self, kind: str, subject: str = "*", outcome: Outcome = Outcome.OK) -> Self:
        """The agent is shown a fact outside a tool call."""
        fact = Fact(kind, subject, "app", self.now_ns, outcome, self._span_id())
        return self._add(StepKind.FACT, kind, facts=(fact,))

    # --- What stands in its messages ---

    def with_messages(self) -> Self:
        """Inferences tell what they were shown, as the instrumentation lets them."""
        self._shows_messages = True
        return self

    def forgets(self, *, declared: bool = False) -> Self:
        """Results of tools are cut from the messages; `declared`: the framework says so."""
        self._messages = [part for part in self._messages if not part.is_result]
        self._compacted = declared
        return self

    # --- How ---

    def times(self, count: int) -> Self:
        """The newest step happens this many times in all."""
        newest = self.steps[-1]
        for _ in range(count - 1):
            self._repeat(newest)
        return self

    def after(self, seconds: float) -> Self:
        """Time passes."""
        self.now_ns += int(seconds * S)
        return self

    def at_once(self) -> Self:
        """The newest call began together with the one before it, as one batch."""
        before, newest = self.steps[-2:]
        self.steps[-1] = replace(newest, began_at_ns=before.began_at_ns)
        return self

    def as_worker(self, name: str | None) -> Self:
        """Steps from now on are made by this agent of the run."""
        self._worker = name
        return self

    def heartbeat(self) -> Self:
        """A sign of life."""
        self.received_at_ns = self.now_ns
        self.heartbeats.append(
            Step(
                run_id=self.id,
                span_id=f"beat-{len(self.heartbeats):03d}",
                kind=StepKind.HEARTBEAT,
                name="alive",
                began_at_ns=self.now_ns,
                ended_at_ns=self.now_ns,
                agent=self.agent,
            )
        )
        return self

    def ends(self, error: str | None = None) -> Self:
        """The run is over, with an exception where one is given."""
        self.error = error
        self.ended_at_ns = self.now_ns
        return self

    # --- What rules report of it ---

    def run(self, length: int | None = None) -> Run:
        """The run as it stands, or as it stood after so many steps."""
        steps = tuple(self.steps[:length])
        return Run(
            id=self.id,
            steps=steps,
            now_ns=self.now_ns if length is None else steps[-1].last_ns,
            agent=self.agent,
            ended_at_ns=self.ended_at_ns,
            error=self.error,
            received_at_ns=self.received_at_ns,
            began_at_ns=self.steps[0].began_at_ns if self.steps else None,
        )

    def says(self, rule: Rule, limits: Limits = LIMITS) -> list[Finding]:
        """What one rule says now."""
        return list(rule(self.run(), limits))

    def history(self, limits: Limits = LIMITS) -> list[list[Finding]]:
        """Findings of all rules after each step."""
        lengths = range(1, len(self.steps) + 1)
        return [list(judge(self.run(n), limits, STEP_RULES)) for n in lengths]

    # --- Inside ---

    def _span_id(self) -> str:
        of = "" if self.id == "r" else f"{self.id}-"
        return f"{of}span-{len(self.steps):03d}"

    def _add(self, kind: StepKind, name: str, *, still_open: bool = False, **fields: Any) -> Self:
        self.now_ns += S
        ended_at_ns = None if still_open else self.now_ns
        self.steps.append(
            Step(
                run_id=self.id,
                span_id=self._span_id(),
                kind=kind,
                name=name,
                began_at_ns=self.now_ns,
                ended_at_ns=ended_at_ns,
                agent=self._worker or self.agent,
                **fields,
            )
        )
        return self

    def _answer(
        self,
        outcome: Gate,
        tool: str,
        by: str | None,
        valid_s: float | None,
        arguments: dict[str, Any],
    ) -> Self:
        """The newest request for that tool is answered, or one that nobody recorded."""
        digest = fingerprint_arguments(arguments).digest if arguments else None
        places = [
            at
            for at, step in enumerate(self.steps)
            if step.approval is not None and step.name == tool and step.ended_at_ns is None
        ]
        if not places:
            self._add(StepKind.APPROVAL, tool)
        else:
            self.now_ns += S
        at = places[-1] if places else len(self.steps) - 1
        asked = self.steps[at].approval
        expires_at_ns = None if valid_s is None else self.now_ns + int(valid_s * S)
        bound = digest or (asked.arguments if asked else None)
        approval = Approval(tool, outcome, by, arguments=bound, expires_at_ns=expires_at_ns)
        self.steps[at] = replace(self.steps[at], ended_at_ns=self.now_ns, approval=approval)
        return self

    def _end(self, result: Any, error: str | None) -> Self:
        self.now_ns += S
        step = self.steps[-1]
        assert step.action
        outcome = outcome_of(result, error)
        text = error if error is not None else text_of(result)
        action = replace(
            step.action,
            result=None if result is None else fingerprint_result(result),
            outcome=outcome,
            error_class=error_class(text) if outcome is Outcome.FAILED else None,
            words=words_in(text),
            state=state_of(text),
        )
        self._messages.append(Part("assistant", ""))
        self._messages.append(Part("tool", text, True, step.action.call_id))
        facts = tuple(
            replace(fact, observed_at_ns=self.now_ns, outcome=outcome, span_id=step.span_id)
            for fact in step.facts
        )
        self.steps[-1] = replace(
            step, ended_at_ns=self.now_ns, action=action, facts=facts, error=error
        )
        return self

    def _repeat(self, step: Step) -> None:
        """The same step again, as long as the first one."""
        began = self.now_ns + S
        ended = None
        if step.ended_at_ns is not None:
            ended = began + step.ended_at_ns - step.began_at_ns
        self.now_ns = began if ended is None else ended
        span_id = self._span_id()
        facts = tuple(
            replace(fact, observed_at_ns=self.now_ns, span_id=span_id) for fact in step.facts
        )
        self.steps.append(
            replace(step, span_id=span_id, began_at_ns=began, ended_at_ns=ended, facts=facts)
        )


def run(run_id: str = "r", agent: str | None = "agent", policy: Policy = EMPTY) -> Scenario:
    """A run that has not begun."""
    return Scenario(run_id, agent, policy)
