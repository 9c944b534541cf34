"""Claims: findings about runs, attributions of changes to actions, and their life."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

# Imported at run time, as the store resolves the types of fields.
from aftershock.grade import Effect, Grade
from aftershock.model.changes import Change


class Level(StrEnum):
    """How loud a finding is: `warn` is for dashboards, `alarm` pages someone."""

    WARN = "warn"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Chart:
    """One series as it was judged: points, and the baseline band frozen before the action."""

    entity: str
    metric: str
    unit: str
    times_ns: tuple[int, ...]
    values: tuple[float, ...]
    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Parts:
    """Why a probability is what it is, in nats of surprise (3 is p .05, 6.9 is p .001)."""

    own: float  # how unusual the target became after the action
    before: float  # how unusual it already was
    callee: float  # what a callee of the target explains
    alternative: float  # the worst movement that no candidate action could have caused


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another explanation of the same degradation.

    `span_id is None`: no agent action; its name says which other event is known, if any.
    """

    span_id: str | None
    run_id: str | None
    name: str  # of the tool, or of what is known to have happened
    probability: float
    trace_id: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """Action × Change: how probable it is that this action caused that degradation."""

    span_id: str
    trace_id: str
    run_id: str
    agent: str | None
    tool: str
    acted_at_ns: int
    entity: str
    probability: float | None  # None: not enough data to say anything
    label: Grade
    parts: Parts
    alternatives: tuple[Alternative, ...]
    judged_at_ns: int
    change: Change | None = None  # the worst movement of the target, where there is one
    lead_ns: int | None = None  # from the action to the beginning of the change
    comparable: int = 0  # earlier windows that it was compared with
    context_gap: tuple[str, ...] = ()  # trouble that began before and that the agent had not read
    missing: tuple[str, ...] = ()  # why the attribution is no surer, in words
    charts: tuple[Chart, ...] = ()
    recovered_at_ns: int | None = None
    effect: Effect = Effect.UNCLEAR
    any_agent: float | None = None  # of all agents' actions, where this one stands for them
    onset_range_ns: tuple[int, ...] = ()  # the damage began after the first, by the second
    logged: tuple[str, ...] = ()  # what logs show that the call did, although it counted as a read

    @property
    def agent_actions(self) -> int:
        """How many agents' actions may be behind the damage, this one included."""
        return 1 + sum(other.span_id is not None for other in self.alternatives)

    @property
    def strength(self) -> float:
        """What decides whether to page: its own probability, or that of all candidates together.

        Where several agents acted on one target, none may pass one half although it is nearly
        certain that one of them did it. The likeliest of them then stands for all.
        """
        return max(self.probability or 0.0, self.any_agent or 0.0)


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim about a run. It always points at the spans that support it."""

    kind: str
    run_id: str
    subject: str
    level: Level
    began_at_ns: int
    as_of_ns: int  # event time at which the rule last held
    evidence: tuple[str, ...]
    summary: str
    agent: str | None = None
    trace_id: str = ""
    facts: tuple[str, ...] = ()  # short lines that a page and `why` print under the summary
    lasting: bool = False  # about a past action: open until the run ends or a person closes it
    impact: Impact | None = None

    def __post_init__(self) -> None:
        """A finding without evidence is a bug of ours."""
        assert self.evidence, f"{self.kind} about {self.subject}: a finding needs evidence"

    @property
    def id(self) -> str:
        """Stable: the same finding seen again updates the first one."""
        return f"{self.run_id}/{self.kind}/{self.subject}"


class Closing(StrEnum):
    """Why a finding is no longer open. Silence of the data is not among them."""

    RUN_ENDED = "run ended"
    CONTRADICTED = "newer evidence contradicts it"
    RETRACTED = "late evidence shows that it never was true"
    RECOVERED = "the degradation ended"
    FEEDBACK = "a person decided"
    ACKNOWLEDGED = "a person looked at it"
    EXPIRED = "no person looked at it in time"


class Assessment(StrEnum):
    """What a person found to be behind a finding."""

    AGENT = "agent"
    INFRASTRUCTURE = "infrastructure"
    COINCIDENCE = "coincidence"  # both happened and are unrelated


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's decision about a finding: who, what, why."""

    finding_id: str
    assessment: Assessment
    by: str
    because: str
    given_at_ns: int
    probability: float | None = None  # the finding's own probability; None: it had none


@dataclass(frozen=True, slots=True)
class Claim:
    """A finding with its life: open while `closing is None`."""

    finding: Finding
    opened_at_ns: int
    closed_at_ns: int | None = None
    closing: Closing | None = None
    feedback: Feedback | None = None  # where a person closed it


@dataclass(frozen=True, slots=True)
class Report:
    """What one scoring round changed."""

    now_ns: int
    opened: tuple[Claim, ...] = ()
    updated: tuple[Claim, ...] = ()
    closed: tuple[Claim, ...] = ()
    impacts: tuple[Impact, ...] = ()  # attributions that are new or different
    drops: dict[str, int] = field(default_factory=dict[str, int])  # reason → count since last time
    changes: tuple[Change, ...] = ()  # logs that arrived before the span of their action
