"""Admissions: what was decided about a call, and each reason, with what to do instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from aftershock.approval import Gate

STRICTNESS = (Gate.ALLOW, Gate.WARN, Gate.ASK, Gate.DENY)
LINES_MAX = 12  # of one reason: what a model can act on


class Code(StrEnum):
    """Why a call is not simply allowed. Rules keep their own names."""

    TOOL = "tool"  # the tool's own `gate`
    TIER = "tier"  # the gate of its tier
    LOOP = "loop"
    BUDGET = "budget_exceeded"
    READ_FIRST = "read_first"  # the run has not read what it reads before any effect
    UNEXPLAINED = "unexplained_action"
    EXPLANATION = "explanation"  # a person could not read why it is made
    FALSE_ASSUMPTION = "false_assumption"
    UNKNOWN_ASSUMPTION = "unknown_assumption"  # nothing says whether it is so
    CANARY = "canary"  # it is not the next step of its rollout
    UNTRUSTED = "untrusted_arguments"  # they come only from others' words
    ORDER = "order"  # a person stopped the run
    UNKNOWN = "unknown_facts"  # the collector knows something that the agent does not
    UNREACHABLE = "unreachable"  # the collector had to be asked and did not answer
    DENIED = "denied"  # a person answered no
    UNANSWERED = "unanswered"  # no person has answered yet
    EXPIRED = "expired"  # no person answered in time
    FAULT = "fault"  # a failure of our own


# What only whoever knows the run and the arguments can decide.
OF_THE_RUN = frozenset({Code.EXPLANATION, Code.FALSE_ASSUMPTION, Code.UNKNOWN_ASSUMPTION})


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, as one sentence, with details and what to do instead."""

    code: str
    gate: Gate
    text: str
    advice: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Admission:
    """What is done with one call, and why."""

    gate: Gate = Gate.ALLOW
    reasons: tuple[Reason, ...] = ()

    @property
    def lets_pass(self) -> bool:
        """True where the call may run."""
        return self.gate in {Gate.ALLOW, Gate.WARN}

    @property
    def code(self) -> str | None:
        """The code of the strictest reason."""
        strictest = max(self.reasons, key=lambda one: STRICTNESS.index(one.gate), default=None)
        return None if strictest is None else strictest.code


ALLOWED = Admission()


def admission(reasons: Iterable[Reason]) -> Admission:
    """What follows from reasons: the strictest gate."""
    found = tuple(reason for reason in reasons if reason.gate is not Gate.ALLOW)
    if not found:
        return ALLOWED
    return Admission(max((one.gate for one in found), key=STRICTNESS.index), found)


def joined(one: Admission, other: Admission) -> Admission:
    """Two admissions of one call, by two policies: the stricter of both, with all reasons."""
    if not other.reasons:
        return one
    known = {(reason.code, reason.text) for reason in one.reasons}
    new = [reason for reason in other.reasons if (reason.code, reason.text) not in known]
    return admission((*one.reasons, *new))


def notices_of(found: Admission) -> tuple[Reason, ...]:
    """What the model should be told with the result of a call that passes: budgets nearly used."""
    return tuple(one for one in found.reasons if one.code == Code.BUDGET) if found.lets_pass else ()


def notice_text(reasons: Iterable[Reason]) -> str:
    """What is added to a result that the model reads."""
    return "\n".join(f"[{reason.text} {reason.advice}]" for reason in reasons)


def answer_text(tool: str, found: Admission) -> str:
    """What the model reads in place of a result: what was refused, why, and what to do instead."""
    lines = [f"{tool} was not run."]
    for reason in found.reasons:
        if reason.gate is Gate.WARN and not found.lets_pass:
            continue
        lines.append(f"- {reason.text}")
        lines += [f"  {line}" for line in reason.lines[:LINES_MAX]]
        if reason.advice:
            lines.append(f"  {reason.advice}")
    return "\n".join(lines)
