"""Facts (what was seen) and claims (what we conclude): the nouns every other module speaks in.

Times are integer nanoseconds since the Unix epoch and come from the data, never from a clock.
`None` means "not seen": it is never zero, never empty and never a recovery.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from aftershock.approval import Approval, Gate
from aftershock.grade import Effect, Grade

# --- Facts about the agent -------------------------------------------------------------------


class StepKind(StrEnum):
    """What an agent can be seen doing. One span or one log event becomes one step."""

    AGENT = "agent"  # a whole invocation of an agent or workflow: the frame around other steps
    INFERENCE = "inference"  # one call of a model
    TOOL_CALL = "tool_call"  # one call of a tool: carries an Action
    RETRIEVAL = "retrieval"  # documents or memories looked up
    HAND_OFF = "hand_off"  # one agent gives the work to another
    MESSAGE = "message"  # something the user or another agent said to this agent
    DECISION = "decision"  # a recorded choice: carries a Decision
    APPROVAL = "approval"  # a person or a policy allowed or denied an action
    OUTGOING = "outgoing"  # an HTTP or database call made by a tool: names what the tool touches
    FACT = "fact"  # something the agent was shown outside a tool call: carries Facts
    HEARTBEAT = "heartbeat"  # a long step says that it is still alive


class Tier(StrEnum):
    """How much a tool can change (the enum of the open OpenTelemetry proposal)."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"
    PROVISION = "provision"
    DECOMMISSION = "decommission"

    @property
    def has_effect(self) -> bool:
        """True where a call can change something outside the agent."""
        return self is not Tier.READ


class Outcome(StrEnum):
    """What came back from a tool call, as far as an agent could use it."""

    OK = "ok"
    FAILED = "failed"
    EMPTY = "empty"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Enough of a value to say "the same", "nearly the same" or "new", and not the value itself.

    `digest` is equal for values that are equal after normalisation. `sketch` is a bounded set of
    hashed parts (tokens of arguments, masked lines of results) for near-equality and novelty.
    """

    digest: str
    sketch: frozenset[int] = frozenset()
    size: int | None = None  # characters of the original value


@dataclass(frozen=True, slots=True)
class Requirement:
    """A fact that a policy (or past practice) wants to be known before an action."""

    kind: str
    subject: str
    max_age_s: float | None = None
    learnt_support: int | None = None  # past actions that read it first; None: declared by policy
    learnt_confidence: float | None = None
    sources: tuple[str, ...] = ()  # tools that would have told it


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the agent was shown."""

    kind: str
    subject: str
    source: str  # the tool or place that it came from
    observed_at_ns: int
    outcome: Outcome
    span_id: str
    digest: str | None = None  # of the value, so that "changed since" can be told


@dataclass(frozen=True, slots=True)
class Action:
    """One tool call: what was asked for, what came back, what it can touch. No raw content.

    A call whose tier is READ has no effect, but loops are made of reads too, so it is one as well.
    """

    tool: str
    arguments: Fingerprint
    result: Fingerprint | None  # None: not seen (still open, or never recorded)
    outcome: Outcome | None  # None: not seen
    tier: Tier = Tier.WRITE
    targets: tuple[str, ...] = ()  # entity keys such as "service/checkout", "db/orders"
    requires: tuple[Requirement, ...] = ()
    error_class: str | None = None  # the error with quotes, numbers and paths masked
    polls: bool = False  # declared as a legitimate poller
    call_id: str | None = None
    subjects: frozenset[str] = frozenset()  # `argument=hash` of id-likes: joins reads to writes
    explain: bool | None = None  # policy wants a decision before it; None: policy is silent
    gate: Gate | None = None  # what policy wants before it; None: policy is silent
    ids: frozenset[str] = frozenset()  # `argument=hash` of ids in the arguments, as in `words`
    words: frozenset[int] | None = None  # hashed id-like words of the result; None: not told


@dataclass(frozen=True, slots=True)
class Decision:
    """What was chosen, over what, why, and on which assumptions: only as the agent recorded it."""

    question: str
    chosen: str | None
    over: tuple[str, ...] = ()
    because: str | None = None
    assumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one inference."""

    input: int = 0
    output: int = 0

    @property
    def total(self) -> int:
        """Input and output together."""
        return self.input + self.output


@dataclass(frozen=True, slots=True)
class Step:
    """One thing an agent did. `ended_at_ns is None` means that it still lasts."""

    run_id: str
    span_id: str
    kind: StepKind
    name: str  # tool, model, agent, or what was said, by kind
    began_at_ns: int
    ended_at_ns: int | None
    trace_id: str = ""
    parent_id: str | None = None
    agent: str | None = None
    conversation: str | None = None
    service: str | None = None  # service.name of the process that the agent lives in
    environment: str | None = None  # deployment.environment.name of that process
    fingerprint_key: str = ""  # id of the key that made its hashes; only equal ones compare
    process: str | None = None  # that process itself: "pid/<host>/<pid>" or "pod/<namespace>/<pod>"
    error: str | None = None  # error.type; None: no error was reported
    action: Action | None = None
    facts: tuple[Fact, ...] = ()
    decision: Decision | None = None
    approval: Approval | None = None  # APPROVAL: not ended while nobody has answered
    tokens: Tokens | None = None
    targets: tuple[str, ...] = ()  # OUTGOING: entities that this call reached
    cost_usd: float | None = None  # INFERENCE: as the span itself tells
    shown: frozenset[int] | None = None  # INFERENCE: hashed tool results in its messages
    words: frozenset[int] | None = None  # hashed id-like words that were said or shown here
    compacted: bool = False  # INFERENCE: its messages are a summary of what they were

    @property
    def last_ns(self) -> int:
        """The newest moment that this step proves the agent was alive."""
        return self.began_at_ns if self.ended_at_ns is None else self.ended_at_ns


@dataclass(frozen=True, slots=True)
class Spent:
    """What steps used up."""

    steps: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    tool_errors: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """The newest bounded window of one task's steps, in event order."""

    id: str
    steps: tuple[Step, ...]
    now_ns: int  # end of the newest step; the tick's time where silence is being judged
    agent: str | None = None
    began_at_ns: int | None = None
    ended_at_ns: int | None = None  # None: the run is not known to be over
    received_at_ns: int | None = None  # newest sign of life, heartbeats included
    dropped_steps: int = 0  # older steps that fell out of the window
    dropped_spent: Spent = Spent()  # what those had used up
    dropped_approvals: tuple[Step, ...] = ()  # among those: they hold all the same
    impacts: tuple[Impact, ...] = ()  # what `explain` attached to this run's actions
    changes: tuple[Change, ...] = ()  # by others, of what the newest action rests on

    @property
    def newest(self) -> Step | None:
        """The last step in event order."""
        return self.steps[-1] if self.steps else None


class ChangeKind(StrEnum):
    """What kind of thing became different."""

    METRIC = "metric"
    ALERT = "alert"  # somebody's rule fired
    WARNING = "warning"  # the platform complains: OOMKilled, BackOff, FailedScheduling
    DEPLOY = "deploy"
    FLAG = "flag"  # a feature flag was turned
    EVENT = "event"  # anything else that somebody said: a maintenance window, a failover

    @property
    def is_trouble(self) -> bool:
        """True for what goes wrong; the others are what somebody did, and may be a cause."""
        return self in {ChangeKind.METRIC, ChangeKind.ALERT, ChangeKind.WARNING}


@dataclass(frozen=True, slots=True)
class Change:
    """Something outside the agents became different."""

    id: str
    kind: ChangeKind
    entity: str
    name: str  # metric name, alert name, reason of the event
    began_at_ns: int
    ended_at_ns: int | None = None
    size: float | None = None  # robust units (metric) or None where there is no scale
    detail: str = ""
    trace_id: str | None = None  # that it brought back: an agent's, where one is behind it
    span_id: str | None = None


class Level(StrEnum):
    """Who hears of it: `warn` is for dashboards, `alarm` pages someone."""

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

    `span_id is None`: no agent's action; its name says whether anything is known to be behind it.
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
    missing: tuple[str, ...] = ()  # what would have made the verdict surer
    charts: tuple[Chart, ...] = ()
    recovered_at_ns: int | None = None
    effect: Effect = Effect.UNCLEAR
    any_agent: float | None = None  # 1 - P(no agent action): of every candidate for this damage
    onset_range_ns: tuple[int, ...] = ()  # the damage began after the first, by the second


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim about a run. It always points at the spans that support it."""

    kind: str
    run_id: str
    subject: str
    level: Level
    began_at_ns: int
    as_of_ns: int  # event time at which the claim was last judged true
    evidence: tuple[str, ...]
    summary: str
    agent: str | None = None
    trace_id: str = ""
    facts: tuple[str, ...] = ()  # short lines that a page and `why` print under the summary
    lasting: bool = False  # about a past deed: it holds until the run ends or a person closes it
    impact: Impact | None = None

    def __post_init__(self) -> None:
        """A claim without evidence is our own bug."""
        assert self.evidence, f"{self.kind} about {self.subject}: a finding needs evidence"

    @property
    def id(self) -> str:
        """Stable, so that seeing it again updates it instead of adding one."""
        return f"{self.run_id}/{self.kind}/{self.subject}"


class Closing(StrEnum):
    """Why a finding is no longer open. Silence of the data is not among them."""

    RUN_ENDED = "run ended"
    CONTRADICTED = "newer evidence contradicts it"
    RETRACTED = "late evidence shows that it never was true"
    RECOVERED = "the degradation ended"
    FEEDBACK = "a person decided"


class Assessment(StrEnum):
    """What a person found to be behind a finding."""

    AGENT = "agent"
    INFRASTRUCTURE = "infrastructure"
    COINCIDENCE = "coincidence"  # both happened, and neither has to do with the other


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's verdict on a finding: who, what, why."""

    finding_id: str
    assessment: Assessment
    by: str
    because: str
    given_at_ns: int
    probability: float | None = None  # that the finding had given its agent; None: it gave none


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
    """What one conclusion changed."""

    now_ns: int
    opened: tuple[Claim, ...] = ()
    updated: tuple[Claim, ...] = ()
    closed: tuple[Claim, ...] = ()
    impacts: tuple[Impact, ...] = ()  # verdicts that are new or different
    drops: dict[str, int] = field(default_factory=dict[str, int])  # reason → count since last time
    changes: tuple[Change, ...] = ()  # logs that overtook the spans of the action they point at
