"""What a rule declares about itself: its family, lifetime and timing, in its own module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from aftershock.limits import Limits
from aftershock.model import Finding, Run, StepKind

CALLS = frozenset({StepKind.TOOL_CALL})
# Calls, hand-offs, and messages of people: these move the tail that loop rules compare.
CONVERSATION = frozenset({StepKind.TOOL_CALL, StepKind.HAND_OFF, StepKind.MESSAGE})
# What an agent was shown, or says of itself.
FACTS = frozenset({StepKind.FACT})
# What the model answered.
ANSWERS = frozenset({StepKind.INFERENCE})
# Steps that use up a budget.
SPENDING = frozenset(
    {StepKind.TOOL_CALL, StepKind.HAND_OFF, StepKind.INFERENCE, StepKind.RETRIEVAL}
)


class Family(StrEnum):
    """What a rule is about. Dashboards, alerts and docs are grouped by it."""

    LOOPS = "loops"  # calls and hand-offs since a person last spoke
    CONTEXT = "context"  # the newest call, and what the run knew when it began
    CONTROL = "control"  # the newest call, and what was allowed when it began
    LIMITS = "limits"  # what is used up
    ENDS = "ends"  # how a call or a run ended
    IMPACT = "impact"  # what an action did to the infrastructure


class Lifetime(StrEnum):
    """What makes a finding close."""

    STATE = "state"  # a condition: closes by itself when it no longer holds or the run ends
    ACTION = "action"  # something was done: stays open until a person reviews it, or it expires


class Timing(StrEnum):
    """Whether the passing of time alone can make a rule's answer different."""

    STEPS = "steps"  # no: only a new step can
    LIVE = "live"  # yes, beside a running system only: silence in a recording means nothing
    CLOCK = "clock"  # yes, in a recording too, up to the end of the run


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's function with its metadata. Calling it judges a run: what is true of it now."""

    judge: Callable[[Run, Limits], Iterator[Finding]]
    kind: str  # of its findings; the name of its module, alert, runbook and docs page
    family: Family
    lifetime: Lifetime
    after: frozenset[StepKind] = frozenset()  # kinds of steps that can change its answer
    timing: Timing = Timing.STEPS
    about_facts: bool = False  # says how well a fact was known that an action required
    waste: bool = False  # while it holds, whatever the agent spends is wasted
    uses_evidence: bool = False  # may rest on other runs, changes or learned expectations

    def __call__(self, run: Run, limits: Limits) -> Iterator[Finding]:
        """Findings that hold at `run.now_ns`."""
        return self.judge(run, limits)


def rule(
    family: Family,
    lifetime: Lifetime,
    *,
    kind: str | None = None,
    after: frozenset[StepKind] = frozenset(),
    timing: Timing = Timing.STEPS,
    about_facts: bool = False,
    waste: bool = False,
    uses_evidence: bool = False,
) -> Callable[[Callable[[Run, Limits], Iterator[Finding]]], Rule]:
    """Declare a function as a rule. `kind` defaults to the function's name."""

    def declare(judge: Callable[[Run, Limits], Iterator[Finding]]) -> Rule:
        return Rule(
            judge,
            kind or judge.__name__,
            family,
            lifetime,
            after,
            timing,
            about_facts,
            waste,
            uses_evidence,
        )

    return declare
