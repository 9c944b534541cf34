"""Facts about the agent: steps, the actions in them, and the facts the agent was shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Imported at run time, as the store resolves the types of fields.
from aftershock.approval import Approval, Gate


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


LOOP_REPORTED = "loop_detected"  # the name of a FACT step: the agent itself says that it loops


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
    """Whether the agent could use what a tool call returned."""

    OK = "ok"
    FAILED = "failed"
    EMPTY = "empty"
    TRUNCATED = "truncated"


class AnswerState(StrEnum):
    """What an answer says of the state of what was asked for or changed."""

    PENDING = "pending"  # it is not there yet: queued, running, not ready
    SCHEDULED = "scheduled"  # it is not there yet, and the answer says when to expect it
    WAITS_FOR_PERSON = "waits_for_person"  # somebody has to approve or review it
    HELD = "held"  # a field for its state says that it is paused
    SETTLED = "settled"  # it has reached some other state, good or bad
    WENT_WRONG = "went_wrong"  # the thing that was asked about has failed
    ENDED_WRONG = "ended_wrong"  # a field for its state says that the work is over and has failed
    UNCHANGED = "unchanged"  # the call says that it changed nothing
    REFUSED = "refused"  # the call was rejected, in prose
    DENIED = "denied"  # a field for a decision says that somebody did not approve
    NOT_NOW = "not_now"  # it begins with a no and says until when, or that it is not to be done
    PART_DONE = "part_done"  # it counts a part of a larger amount, and that part is done for good
    COUNTED = "counted"  # it counts what was changed; the same may be changed again
    NONE_FOUND = "none_found"  # a command says by its exit status that there is none
    LOOP_SEEN = "loop_seen"  # the tool says that the agent makes the same call again and again
    BARRED = "barred"  # a page to sign in, or a puzzle for people, instead of what was asked for


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Compares a value with others ("equal", "similar", "new") without holding the value.

    `digest` is equal for values that are equal after normalisation. `sketch` is a bounded set of
    hashed parts (tokens of arguments, masked lines of results) for near-equality and novelty.
    """

    digest: str
    sketch: frozenset[int] = frozenset()
    size: int | None = None  # characters of the original value
    stem: str | None = None  # digest without arguments such as a request id; None: there are none


class OutputState(StrEnum):
    """What a model's answer says of the agent's own work."""

    DONE = "done"  # and nothing else
    NOT_DONE = "not_done"  # something failed, is missing, or is left to somebody
    PLANNED = "planned"  # it says what it is going to do
    EMPTY = "empty"  # there is no word in it


@dataclass(frozen=True, slots=True)
class Output:
    """What a model answered, without the text."""

    text: Fingerprint  # its sketch holds its words
    state: OutputState | None = None
    code: Fingerprint | None = None  # of code that it wrote to be run, as a call's arguments


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a person's message asks, without the text."""

    repeats: int | None = None  # how often something is to be done; None: it does not say
    forbids_changes: bool = False  # the agent is to stop, or to change nothing


@dataclass(frozen=True, slots=True)
class Requirement:
    """A fact that a policy (or past practice) wants to be known before an action."""

    kind: str
    subject: str
    max_age_s: float | None = None
    learnt_support: int | None = None  # past actions that read it first; None: declared by policy
    learnt_confidence: float | None = None
    sources: tuple[str, ...] = ()  # tools that provide it


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the agent was shown."""

    kind: str
    subject: str
    source: str  # the tool or place that it came from
    observed_at_ns: int
    outcome: Outcome
    span_id: str
    digest: str | None = None  # of the value; shows whether it changed since
    gives_orders: bool = False  # its text seems to give the model orders: a heuristic


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
    words: frozenset[int] | None = None  # hashed id-like words of the result; None: not recorded
    state: AnswerState | None = None  # None: the result does not say it, or was not recorded
    waits_s: float | None = None  # seconds that the call itself waits; None: it does not wait
    is_portion: bool = False  # its arguments say at most how much of an amount it does
    sets: str | None = None  # digest of the thing that it sets to a value; None: it sets nothing
    max_time_s: float | None = None  # declared or learned: longer calls are reported as hung
    allowed_s: float | None = None  # that the call itself says it may last; None: it does not
    targets_declared: bool = False  # by the operator's file; False: the span says so itself
    gives_orders: bool = False  # its result seems to give the model orders: a heuristic
    patience_s: float | None = None  # polls: declared time without a change; None: the default
    plain: tuple[str, ...] = ()  # `argument=value` of those arguments that are no content
    logged: tuple[str, ...] = ()  # what logs show that it did, although it counted as a read


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
    """One thing an agent did."""

    run_id: str
    span_id: str
    kind: StepKind
    name: str  # tool, model, agent, or the sender of a message, by kind
    began_at_ns: int
    ended_at_ns: int | None  # None: it still lasts
    trace_id: str = ""
    parent_id: str | None = None
    agent: str | None = None
    conversation: str | None = None
    user: str | None = None  # on whose behalf the agent works, as the app names them
    service: str | None = None  # service.name of the process that the agent lives in
    environment: str | None = None  # deployment.environment.name of that process
    cluster: str | None = None  # k8s.cluster.name of that process
    process: str | None = None  # that process itself: "pid/<host>/<pid>" or "pod/<namespace>/<pod>"
    error: str | None = None  # error.type; None: no error was reported
    action: Action | None = None
    facts: tuple[Fact, ...] = ()
    decision: Decision | None = None
    approval: Approval | None = None  # APPROVAL: open until somebody answers
    tokens: Tokens | None = None
    targets: tuple[str, ...] = ()  # OUTGOING: entities that this call reached
    cost_usd: float | None = None  # INFERENCE: as the span itself reports it
    shown: frozenset[int] | None = None  # INFERENCE: hashed tool results in its messages
    words: frozenset[int] | None = None  # hashed id-like words of the messages of this step
    automatic: bool = False  # MESSAGE: a harness sent it, such as "continue", and no person
    instruction: Instruction | None = None  # MESSAGE: of a person; None: it says nothing of these
    output: Output | None = None  # INFERENCE: what the model answered; None: not recorded
    compacted: bool = False  # INFERENCE: its messages are a summary of what they were
    fingerprint_key: str = ""  # id of the key that made its hashes; only equal ones compare
    sender: str = ""  # who sent it: a token's or a certificate's name, or an address; "": ourselves
    finish_reason: str | None = None  # INFERENCE: why the model stopped; AGENT: why the run did
    goal: str | None = None  # AGENT: what the run is to reach; None: not recorded
    # Ids of the spans and log events that tell of this step together; empty: one record alone.
    records: tuple[str, ...] = ()
    is_part: bool = False  # a frame that is no agent's, such as a chain: says what is inside what

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


NOTHING_SPENT = Spent()
