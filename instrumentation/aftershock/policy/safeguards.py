"""Safeguards: what a policy wants of single calls besides facts and approvals.

An explanation, assumptions that are so now, a dry run, and a canary. Templates are filled from the
arguments of a call.
"""

from __future__ import annotations

from dataclasses import dataclass

Templates = tuple[tuple[str, str], ...]  # resource attribute, text with {placeholders}

ASSUMED_AGE_S = 120.0  # two scrapes of a minute each: an older measurement says nothing about now
OBSERVED_S = 60.0  # a canary's metrics: two scrapes of 30 s, or four of 15 s


@dataclass(frozen=True, slots=True)
class Explain:
    """Whether a call wants an explanation."""

    is_expected: bool
    is_required: bool = False  # a call without one is held back
    argument: str | None = None  # that holds it; None: a recorded decision, or a usual name


@dataclass(frozen=True, slots=True)
class Assumed:
    """What must be so before a call, as the policy declares it: about a metric, or about a fact."""

    metric: str = ""  # NAME, or NAME / NAME; empty: it is about a fact
    of: Templates = ()  # the entity that is measured; empty: each target of the call
    below: float | None = None
    above: float | None = None
    fact: str = ""
    subject: str = "*"
    equals: str = ""
    max_age_s: float = ASSUMED_AGE_S


@dataclass(frozen=True, slots=True)
class MetricAssumption:
    """An assumption about one entity: what a metric of it is now."""

    metric: str
    entity: str
    below: float | None
    above: float | None
    max_age_s: float


@dataclass(frozen=True, slots=True)
class FactAssumption:
    """An assumption about what the run was shown."""

    fact: str
    subject: str
    equals: str
    max_age_s: float


@dataclass(frozen=True, slots=True)
class CanaryRule:
    """How a change is rolled out, as the policy declares it."""

    argument: str | None = None  # that holds the amount
    factor: float | None = None  # by which one step may change the amount, up or down
    current: str | None = None  # a metric of the target that says what the amount is now
    first: str | None = None  # the environment that a change goes to first
    environment: str = ""  # template: the environment of a call
    change: str = ""  # template: what is rolled out; empty: every call of the tool is one change
    observe_s: float = OBSERVED_S  # after each step, before the next one


@dataclass(frozen=True, slots=True)
class CanaryCall:
    """One call as a step of a rollout. None, or `*` in a text: the call does not say."""

    tool: str
    targets: tuple[str, ...]
    argument: str | None = None
    amount: float | None = None
    factor: float | None = None
    current: str | None = None
    first: str | None = None
    environment: str = ""
    change: str = ""
    observe_s: float = OBSERVED_S
