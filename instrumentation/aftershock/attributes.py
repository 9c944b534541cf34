"""The wire vocabulary: every attribute and event name that Aftershock reads or writes, once.

OpenTelemetry's names are used wherever one exists; what the conventions lack is `aftershock.*`.
`ATTRIBUTES` and `EVENTS` at the end say where each name of ours stands, its type and its meaning;
docs/reference is generated from them. `aftershock.wire` encodes and decodes the composed values.
"""

from __future__ import annotations

from typing import NamedTuple

# --- OpenTelemetry GenAI conventions (semantic-conventions-genai, development) ----------------
OPERATION = "gen_ai.operation.name"
AGENT_NAME = "gen_ai.agent.name"
AGENT_ID = "gen_ai.agent.id"
CONVERSATION_ID = "gen_ai.conversation.id"
WORKFLOW_NAME = "gen_ai.workflow.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_RESULT = "gen_ai.tool.call.result"
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
FINISH_REASONS = "gen_ai.response.finish_reasons"
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
TOOL_DESCRIPTION = "gen_ai.tool.description"
RESPONSE_ID = "gen_ai.response.id"
OLD_MESSAGES = r"gen_ai\.(?:prompt|completion)\.\d"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CONVERSATION_COMPACTED = "gen_ai.conversation.compacted"
ERROR_TYPE = "error.type"
EVENT_NAME = "event.name"
SERVICE_NAME = "service.name"
ENVIRONMENT_NAME = "deployment.environment.name"
OLD_ENVIRONMENT_NAME = "deployment.environment"
USER_ID = "user.id"
OLD_USER_ID = "enduser.id"
HOST_NAME = "host.name"
PROCESS_PID = "process.pid"
POD_NAME = "k8s.pod.name"
NAMESPACE_NAME = "k8s.namespace.name"
CLUSTER_NAME = "k8s.cluster.name"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
MCP_METHOD = "mcp.method.name"
MCP_SESSION_ID = "mcp.session.id"
JSONRPC_ID = "jsonrpc.request.id"
RPC_STATUS = "rpc.response.status_code"
NETWORK_TRANSPORT = "network.transport"
DB_SYSTEM = "db.system.name"
DB_NAMESPACE = "db.namespace"

# The open proposal on guardrails: what was decided, apart from what was enforced.
GUARDRAIL_DECISION_TYPE = "gen_ai.guardrail.verdict.type"
GUARDRAIL_DECISION_CODE = "gen_ai.guardrail.verdict.code"
GUARDRAIL_DECISION_REASON = "gen_ai.guardrail.verdict.reason"
GUARDRAIL_ACTION_TYPE = "gen_ai.guardrail.action.type"
GUARDRAIL_ID = "gen_ai.guardrail.id"

INFERENCE_CALLS = "gen_ai.invoke_agent.inference_calls"
TOOL_CALLS = "gen_ai.invoke_agent.tool_calls"

# --- Ours: identity --------------------------------------------------------------------------
RUN_ID = "aftershock.run.id"
STEP_PARENT = "aftershock.step.parent"
RUN_GOAL = "aftershock.run.goal"
FINGERPRINT_KEY_ID = "aftershock.fingerprint.key_id"

# --- Ours: tool calls (on execute_tool spans and on their start events) ----------------------
ARGUMENTS_DIGEST = "aftershock.tool.arguments.digest"
ARGUMENTS_SKETCH = "aftershock.tool.arguments.sketch"
ARGUMENTS_STEM = "aftershock.tool.arguments.stem"
ARGUMENTS_SIZE = "aftershock.tool.arguments.size"
ARGUMENTS_PLAIN = "aftershock.tool.arguments.plain"
RESULT_DIGEST = "aftershock.tool.result.digest"
RESULT_SKETCH = "aftershock.tool.result.sketch"
RESULT_STATE = "aftershock.tool.result.state"
RESULT_ORDERS = "aftershock.tool.result.gives_orders"
RESULT_SIZE = "aftershock.tool.result.size"
RESULT_OUTCOME = "aftershock.tool.result.outcome"
ERROR_CLASS = "aftershock.tool.error.class"
SUBJECTS = "aftershock.tool.subjects"
ARGUMENT_IDS = "aftershock.tool.arguments.ids"
RESULT_WORDS = "aftershock.tool.result.words"
POLLS = "aftershock.tool.polls"
ATTEMPTS = "aftershock.tool.attempts"
ACTION_TIER = "aftershock.action.tier"
ACTION_WAIT = "aftershock.action.wait"
ACTION_PORTION = "aftershock.action.portion"
ACTION_SETS = "aftershock.action.sets"
ACTION_EXPLAIN = "aftershock.action.explain"
ACTION_GATE = "aftershock.action.gate"
ACTION_TARGETS = "aftershock.action.targets"
GATE_TICKET = "aftershock.gate.ticket"
GATE_ANSWERED_BY = "aftershock.gate.answered_by"
GATE_HELD = "aftershock.gate.held"
GATE_UNREACHABLE = "aftershock.gate.unreachable"
CONTEXT_REQUIRED = "aftershock.context.required"
FACTS = "aftershock.facts"

INFERENCE_TOOLS = "aftershock.inference.tools"
INFERENCE_SHOWN = "aftershock.inference.shown"
INFERENCE_WORDS = "aftershock.inference.words"
OUTPUT_DIGEST = "aftershock.inference.output.digest"
OUTPUT_SKETCH = "aftershock.inference.output.sketch"
OUTPUT_SIZE = "aftershock.inference.output.size"
OUTPUT_STATE = "aftershock.inference.output.state"
CODE_DIGEST = "aftershock.inference.code.digest"
CODE_SKETCH = "aftershock.inference.code.sketch"
REASONING_SIZE = "aftershock.reasoning.size"
TRUNCATED = "aftershock.truncated"

# --- Ours: facts and decisions that the app records itself ------------------------------------
FACT_KIND = "aftershock.fact.kind"
FACT_SUBJECT = "aftershock.fact.subject"
FACT_SOURCE = "aftershock.fact.source"
FACT_OUTCOME = "aftershock.fact.outcome"
FACT_DIGEST = "aftershock.fact.digest"
DECISION_OPERATION = "decision"
DECISION_QUESTION = "aftershock.decision.question"
DECISION_CHOSEN = "aftershock.decision.chosen"
DECISION_OVER = "aftershock.decision.over"
DECISION_BECAUSE = "aftershock.decision.because"
DECISION_ASSUMES = "aftershock.decision.assumes"

# --- Ours: approvals, beside gen_ai.tool.name and the digest of the arguments ------------------
APPROVAL_ID = "aftershock.approval.id"
APPROVAL_OUTCOME = "aftershock.approval.outcome"
APPROVAL_BY = "aftershock.approval.by"
APPROVAL_BECAUSE = "aftershock.approval.because"
APPROVAL_ASKED_AT = "aftershock.approval.asked_at"
APPROVAL_EXPIRES_AT = "aftershock.approval.expires_at"

# --- Ours: log events (event_name) -----------------------------------------------------------
EVENT_STARTED = "aftershock.step.started"
EVENT_HEARTBEAT = "aftershock.step.heartbeat"
EVENT_FACT = "aftershock.fact"
EVENT_APPROVAL = "aftershock.approval"
EVENT_FINDING = "aftershock.finding"
EVENT_STEP = "aftershock.step"
EVENT_SUSPECTS = "aftershock.suspects"
EVENT_EVIDENCE = "aftershock.evidence"
EVENT_CHANGE = "aftershock.change"
CHANGE_NAME = "aftershock.change.name"
CHANGE_KIND = "aftershock.change.kind"
ALERT_ID = "aftershock.alert.id"

# --- Ours: the metric about the recorder itself -----------------------------------------------
RECORDER_DROPS = "aftershock.recorder.drops"
DROP_REASON = "aftershock.drop.reason"

# --- Ours: on what the collector emits -------------------------------------------------------
FINDING_ID = "aftershock.finding.id"
FINDING_KIND = "aftershock.finding.kind"
FINDING_SUBJECT = "aftershock.finding.subject"
FINDING_LEVEL = "aftershock.finding.level"
FINDING_STATE = "aftershock.finding.state"
FINDING_SUMMARY = "aftershock.finding.summary"
FINDING_FACTS = "aftershock.finding.facts"
FINDING_CLOSING = "aftershock.finding.closing"
FINDING_FEEDBACK = "aftershock.finding.feedback"
FINDING_FEEDBACK_BY = "aftershock.finding.feedback.by"
IMPACT_PROBABILITY = "aftershock.impact.probability"
IMPACT_LABEL = "aftershock.impact.label"
IMPACT_ENTITY = "aftershock.impact.entity"
IMPACT_NATS_OWN = "aftershock.impact.nats.own"
IMPACT_NATS_BEFORE = "aftershock.impact.nats.before"
IMPACT_NATS_CALLEE = "aftershock.impact.nats.callee"
IMPACT_NATS_ALTERNATIVE = "aftershock.impact.nats.alternative"
IMPACT_CANDIDATE = "aftershock.impact.candidate"
IMPACT_CANDIDATES = "aftershock.impact.candidates"
IMPACT_GAP = "aftershock.impact.gap"
EVIDENCE_METRIC = "aftershock.evidence.metric"
EVIDENCE_UNIT = "aftershock.evidence.unit"
EVIDENCE_VALUE = "aftershock.evidence.value"
EVIDENCE_LOW = "aftershock.evidence.low"
EVIDENCE_HIGH = "aftershock.evidence.high"
AGENT_SERVICE = "aftershock.agent.service"

# --- Ours: on the log events of the activity log ----------------------------------------------
STEP_KIND = "aftershock.step.kind"
STEP_STATE = "aftershock.step.state"
STEP_ACTIVITY = "aftershock.step.activity"
STEP_SECONDS = "aftershock.step.seconds"
CONTEXT_KNOWN = "aftershock.context.known"
CONTEXT_LACKED = "aftershock.context.lacked"


# --- What each name of ours means ------------------------------------------------------------


class Attribute(NamedTuple):
    """One attribute of ours."""

    name: str
    type: str  # string, int, double, boolean, string[], or "hashes": see `aftershock.wire`
    on: str  # the signal that carries it
    meaning: str


class Event(NamedTuple):
    """One log event of ours."""

    name: str
    sender: str  # the agent's process, the collector, or anyone
    meaning: str


STEP, TOOL, INFERENCE = "every step", "execute_tool spans", "inference spans"
FACT, DECISION, APPROVAL = "fact events", "decision spans", "approval events"
CHANGE, FINDING, ACTIVITY = "change events", "finding events", "activity log events"
EVIDENCE = "evidence events"
DROPS = "the metric `aftershock.recorder.drops`"

ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(RUN_ID, "string", STEP, "The run that the step belongs to."),
    Attribute(RUN_GOAL, "string", "invoke_agent spans", "What the run is for; content."),
    Attribute(STEP_PARENT, "string", "start events", "The span id of the step around this one."),
    Attribute(
        FINGERPRINT_KEY_ID, "string", "resource",
        "Which key made the fingerprints; absent: none. Only equal ids may be compared.",
    ),
    Attribute(
        TRUNCATED, "int", "every span", "How many values of this span were cut to the byte limit."
    ),
    Attribute(ARGUMENTS_DIGEST, "string", TOOL, "Keyed hash of the arguments in canonical form."),
    Attribute(
        ARGUMENTS_STEM,
        "string",
        TOOL,
        "Keyed digest of the arguments without request ids, clocks and the like, if there are any.",
    ),
    Attribute(ARGUMENTS_SKETCH, "hashes", TOOL, "Keyed hashes of names and words in arguments."),
    Attribute(ARGUMENTS_SIZE, "int", TOOL, "Characters of the arguments as JSON."),
    Attribute(
        ARGUMENTS_PLAIN, "string[]", TOOL,
        "`argument=value` of quantities, truths, and names that the policy uses as placeholders.",
    ),
    Attribute(
        ARGUMENT_IDS, "string[]", TOOL, "`argument=hash` of each id-like word of the arguments."
    ),
    Attribute(
        SUBJECTS, "string[]", TOOL, "`argument=hash` of each name or id in the arguments."
    ),
    Attribute(
        RESULT_ORDERS, "boolean", TOOL,
        "True where the result seems to give the model orders, by its phrases: a heuristic.",
    ),
    Attribute(
        RESULT_DIGEST, "string", TOOL, "Keyed hash of the result without times, ids and counters."
    ),
    Attribute(RESULT_SKETCH, "hashes", TOOL, "Keyed hashes of the result's items without digits."),
    Attribute(
        RESULT_STATE,
        "string",
        TOOL,
        "What the result says of the state of its subject: pending, waits_for_person, settled, "
        "unchanged, refused, part_done or counted.",
    ),
    Attribute(RESULT_SIZE, "int", TOOL, "Characters of the result."),
    Attribute(RESULT_WORDS, "hashes", TOOL, "Keyed hashes of the id-like words of the result."),
    Attribute(RESULT_OUTCOME, "string", TOOL, "ok, failed, empty or truncated."),
    Attribute(
        ERROR_CLASS, "string", TOOL, "The error with quotes, numbers and paths masked."
    ),
    Attribute(POLLS, "boolean", TOOL, "Policy or author: repeating the call is legitimate."),
    Attribute(
        ATTEMPTS, "int", TOOL, "Calls that `aftershock.recovery` made for this one; absent: one."
    ),
    Attribute(ACTION_WAIT, "double", TOOL, "Seconds that the call itself waits."),
    Attribute(
        ACTION_PORTION, "boolean", TOOL,
        "The arguments bound how much of a larger amount the call does.",
    ),
    Attribute(ACTION_SETS, "string", TOOL, "Keyed hash of the thing that the call sets."),
    Attribute(
        ACTION_TIER, "string", TOOL, "read, write, destructive, provision or decommission."
    ),
    Attribute(
        ACTION_EXPLAIN, "boolean", TOOL, "Policy wants a recorded decision before the call."
    ),
    Attribute(
        ACTION_GATE, "string", TOOL, "What policy wants before the call: allow, warn, ask or deny."
    ),
    Attribute(
        GATE_TICKET, "int", TOOL, "The ticket on which a person was asked to approve the call."
    ),
    Attribute(GATE_ANSWERED_BY, "string", TOOL, "Who answered the ticket."),
    Attribute(GATE_HELD, "double", TOOL, "Seconds that the call waited for people at the gate."),
    Attribute(
        GATE_UNREACHABLE, "boolean", TOOL,
        "The collector had to be asked and did not answer: the policy decided without it.",
    ),
    Attribute(
        ACTION_TARGETS, "string[]", TOOL, "Entities that the call touches: service/checkout."
    ),
    Attribute(
        CONTEXT_REQUIRED, "string[]", TOOL,
        "Facts that the agent should know first: `kind TAB subject TAB max_age_s`.",
    ),
    Attribute(FACTS, "string[]", TOOL, "Facts that the result provides: `kind TAB subject`."),
    Attribute(
        INFERENCE_TOOLS, "string[]", INFERENCE,
        "Calls that the model asked for: `tool TAB arguments digest TAB call id`.",
    ),
    Attribute(INFERENCE_SHOWN, "hashes", INFERENCE, "Keyed hashes of ids of results in messages."),
    Attribute(INFERENCE_WORDS, "hashes", INFERENCE, "Keyed hashes of id-like words in messages."),
    Attribute(OUTPUT_DIGEST, "string", INFERENCE, "Keyed hash of the model's answer."),
    Attribute(OUTPUT_SKETCH, "hashes", INFERENCE, "Keyed hashes of words of the model's answer."),
    Attribute(OUTPUT_SIZE, "int", INFERENCE, "Characters of the model's answer."),
    Attribute(
        OUTPUT_STATE, "string", INFERENCE,
        "What the answer says of the agent's own work: done, not_done, planned or empty.",
    ),
    Attribute(CODE_DIGEST, "string", INFERENCE, "Keyed hash of code in the answer to be run."),
    Attribute(CODE_SKETCH, "hashes", INFERENCE, "Keyed hashes of names and words of that code."),
    Attribute(REASONING_SIZE, "int", INFERENCE, "Characters of reasoning; absent: none."),
    Attribute(FACT_KIND, "string", FACT, "What it is, as policies name it."),
    Attribute(FACT_SUBJECT, "string", FACT, "What it is about; `*`: everything."),
    Attribute(FACT_SOURCE, "string", FACT, "Where it came from."),
    Attribute(FACT_OUTCOME, "string", FACT, "ok, failed, empty or truncated."),
    Attribute(FACT_DIGEST, "string", FACT, "Keyed hash of the value."),
    Attribute(DECISION_QUESTION, "string", DECISION, "What was to be decided; content."),
    Attribute(DECISION_CHOSEN, "string", DECISION, "What was chosen; content."),
    Attribute(DECISION_OVER, "string[]", DECISION, "What else could have been chosen; content."),
    Attribute(DECISION_BECAUSE, "string", DECISION, "Why; content."),
    Attribute(DECISION_ASSUMES, "string[]", DECISION, "What it rests on; content."),
    Attribute(APPROVAL_ID, "string", APPROVAL, "One request and its answer have the same."),
    Attribute(
        APPROVAL_OUTCOME, "string", APPROVAL, "ask (not answered yet), allow, warn or deny."
    ),
    Attribute(APPROVAL_BY, "string", APPROVAL, "Who answered, or was asked."),
    Attribute(APPROVAL_BECAUSE, "string", APPROVAL, "Why; content."),
    Attribute(
        APPROVAL_ASKED_AT, "int", APPROVAL, "On an answer: when it was asked, ns since the epoch."
    ),
    Attribute(APPROVAL_EXPIRES_AT, "int", APPROVAL, "Until when it holds, ns since the epoch."),
    Attribute(CHANGE_NAME, "string", CHANGE, "What changed."),
    Attribute(CHANGE_KIND, "string", CHANGE, "deploy, flag, event, alert or warning."),
    Attribute(ALERT_ID, "string", "suspects events", "The alert that the suspects belong to."),
    Attribute(FINDING_ID, "string", FINDING, "The finding; equal when opened, updated and closed."),
    Attribute(FINDING_KIND, "string", FINDING, "The rule that found it."),
    Attribute(FINDING_SUBJECT, "string", FINDING, "What it is about: a tool, a target."),
    Attribute(FINDING_LEVEL, "string", FINDING, "warn or alarm."),
    Attribute(FINDING_STATE, "string", FINDING, "opened, updated or closed."),
    Attribute(FINDING_SUMMARY, "string", FINDING, "One sentence for a person."),
    Attribute(FINDING_FACTS, "string[]", FINDING, "The lines under the summary."),
    Attribute(FINDING_CLOSING, "string", FINDING, "Why it was closed."),
    Attribute(
        FINDING_FEEDBACK, "string", FINDING,
        "A person's assessment: agent, infrastructure or coincidence.",
    ),
    Attribute(FINDING_FEEDBACK_BY, "string", FINDING, "Who gave the feedback."),
    Attribute(
        IMPACT_PROBABILITY, "double", FINDING, "That the action caused the degradation: 0 to 1."
    ),
    Attribute(IMPACT_LABEL, "string", FINDING, "The grade of the attribution."),
    Attribute(IMPACT_ENTITY, "string", FINDING, "The entity that degraded."),
    Attribute(IMPACT_NATS_OWN, "double", FINDING, "Surprise of the target after the action, nats."),
    Attribute(IMPACT_NATS_BEFORE, "double", FINDING, "The same before the action, nats."),
    Attribute(IMPACT_NATS_CALLEE, "double", FINDING, "What a callee of the target explains, nats."),
    Attribute(
        IMPACT_NATS_ALTERNATIVE, "double", FINDING,
        "The worst movement that no candidate action could have caused, nats.",
    ),
    Attribute(
        IMPACT_CANDIDATE, "string", "span links", "Which explanation the linked span stands for."
    ),
    Attribute(
        IMPACT_CANDIDATES, "string[]", FINDING,
        "`0.910 name` of each explanation, no agent action among them.",
    ),
    Attribute(IMPACT_GAP, "string[]", FINDING, "Trouble that the agent had not read."),
    Attribute(DROP_REASON, "string", DROPS, "The bound that was reached, or what failed."),
    Attribute(EVIDENCE_METRIC, "string", EVIDENCE, "The metric of the target that moved most."),
    Attribute(EVIDENCE_UNIT, "string", EVIDENCE, "Its unit."),
    Attribute(EVIDENCE_VALUE, "double", EVIDENCE, "Its value at the event's time."),
    Attribute(EVIDENCE_LOW, "double", EVIDENCE, "Lower end of the range before the action."),
    Attribute(EVIDENCE_HIGH, "double", EVIDENCE, "Upper end of the range before the action."),
    Attribute(
        AGENT_SERVICE, "string", "finding and activity log events",
        "service.name of the agent that the event is about.",
    ),
    Attribute(STEP_KIND, "string", ACTIVITY, "inference, tool, decision, fact and so on."),
    Attribute(STEP_STATE, "string", ACTIVITY, "began or ended."),
    Attribute(
        STEP_ACTIVITY, "string", ACTIVITY,
        "What the agent does from now on: inference, tool, decision or waiting.",
    ),
    Attribute(STEP_SECONDS, "double", ACTIVITY, "How long the step lasted, s."),
    Attribute(CONTEXT_KNOWN, "string[]", ACTIVITY, "Required facts that had been read."),
    Attribute(CONTEXT_LACKED, "string[]", ACTIVITY, "Required facts that had not been read."),
)  # fmt: skip

EVENTS: tuple[Event, ...] = (
    Event(EVENT_STARTED, "agent", "A step began; carries its span's id and attributes so far."),
    Event(EVENT_HEARTBEAT, "agent", "A step still lasts."),
    Event(EVENT_FACT, "agent", "The app recorded a fact that the agent was shown."),
    Event(EVENT_APPROVAL, "agent", "An approval was asked for, or answered."),
    Event(EVENT_CHANGE, "anyone", "A deploy, a feature flag, a maintenance window."),
    Event(EVENT_FINDING, "collector", "A finding was opened, updated or closed."),
    Event(EVENT_STEP, "collector", "The activity log: a step began or ended, in order."),
    Event(EVENT_SUSPECTS, "collector", "Agent actions that may be behind an alert."),
    Event(EVENT_EVIDENCE, "collector", "One point of the series behind an attribution."),
)
