"""The wire vocabulary: every attribute and event name that Aftershock reads or writes, once.

OpenTelemetry's names are used wherever one exists; what the conventions lack is `aftershock.*`.
"hashes" are sets of 32-bit hashes as one text (`aftershock.fingerprints.hashes`); list-valued
attributes hold `kind subject` pairs joined by a tab, so that subjects may hold spaces.
"""

from __future__ import annotations

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
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
OLD_MESSAGES = r"gen_ai\.(?:prompt|completion)\.\d"  # content, one attribute per field
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CONVERSATION_COMPACTED = "gen_ai.conversation.compacted"
ERROR_TYPE = "error.type"
SERVICE_NAME = "service.name"
ENVIRONMENT_NAME = "deployment.environment.name"
OLD_ENVIRONMENT_NAME = "deployment.environment"
HOST_NAME = "host.name"
PROCESS_PID = "process.pid"
POD_NAME = "k8s.pod.name"
NAMESPACE_NAME = "k8s.namespace.name"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
DB_SYSTEM = "db.system.name"
DB_NAMESPACE = "db.namespace"

INFERENCE_CALLS = "gen_ai.invoke_agent.inference_calls"  # metrics, one point for an invocation
TOOL_CALLS = "gen_ai.invoke_agent.tool_calls"

# --- Ours: identity --------------------------------------------------------------------------
RUN_ID = "aftershock.run.id"
STEP_PARENT = "aftershock.step.parent"  # on start events: the span id of the step around it
RUN_GOAL = "aftershock.run.goal"  # content: exported only when content capture is on

# --- Ours: tool calls (on execute_tool spans and on their start events) ----------------------
ARGUMENTS_DIGEST = "aftershock.tool.arguments.digest"
ARGUMENTS_SKETCH = "aftershock.tool.arguments.sketch"  # hashes: of its tokens
ARGUMENTS_SIZE = "aftershock.tool.arguments.size"
RESULT_DIGEST = "aftershock.tool.result.digest"
RESULT_SKETCH = "aftershock.tool.result.sketch"  # hashes: of masked lines
RESULT_SIZE = "aftershock.tool.result.size"
RESULT_OUTCOME = "aftershock.tool.result.outcome"  # ok | failed | empty | truncated
ERROR_CLASS = "aftershock.tool.error.class"
SUBJECTS = "aftershock.tool.subjects"  # string[]: hashed id-like argument values
ARGUMENT_IDS = "aftershock.tool.arguments.ids"  # string[]: "argument=hash" of ids
RESULT_WORDS = "aftershock.tool.result.words"  # hashes: of id-like words
POLLS = "aftershock.tool.polls"
ACTION_TIER = "aftershock.action.tier"  # read | write | destructive | provision | decommission
ACTION_EXPLAIN = "aftershock.action.explain"  # bool: policy wants a decision before it
ACTION_GATE = "aftershock.action.gate"  # allow | warn | ask | deny: what policy wants before it
ACTION_TARGETS = "aftershock.action.targets"  # string[]: entity keys, "service/checkout"
CONTEXT_REQUIRED = "aftershock.context.required"  # string[]: "kind<TAB>subject<TAB>max_age_s"
FACTS = "aftershock.facts"  # string[]: "kind<TAB>subject" that the result of this call provides

INFERENCE_TOOLS = "aftershock.inference.tools"  # string[]: "tool<TAB>arguments digest" chosen
INFERENCE_SHOWN = "aftershock.inference.shown"  # hashes: of ids of tool results in its messages
INFERENCE_WORDS = "aftershock.inference.words"  # hashes: of id-like words in its messages
TRUNCATED = "aftershock.truncated"  # how many values of this span were cut to the byte cap

# --- Ours: facts and decisions that the app records itself ------------------------------------
FACT_KIND = "aftershock.fact.kind"
FACT_SUBJECT = "aftershock.fact.subject"
FACT_SOURCE = "aftershock.fact.source"
FACT_OUTCOME = "aftershock.fact.outcome"
FACT_DIGEST = "aftershock.fact.digest"
DECISION_QUESTION = "aftershock.decision.question"
DECISION_CHOSEN = "aftershock.decision.chosen"
DECISION_OVER = "aftershock.decision.over"
DECISION_BECAUSE = "aftershock.decision.because"
DECISION_ASSUMES = "aftershock.decision.assumes"

# --- Ours: approvals, beside gen_ai.tool.name and the digest of the arguments ------------------
APPROVAL_ID = "aftershock.approval.id"  # one request and its answer have the same
APPROVAL_OUTCOME = "aftershock.approval.outcome"  # ask: not answered yet | allow | warn | deny
APPROVAL_BY = "aftershock.approval.by"  # who answered, or was asked
APPROVAL_BECAUSE = "aftershock.approval.because"
APPROVAL_ASKED_AT = "aftershock.approval.asked_at"  # ns since the epoch; on the answer
APPROVAL_EXPIRES_AT = "aftershock.approval.expires_at"  # ns since the epoch

# --- Ours: log events (event_name) -----------------------------------------------------------
EVENT_STARTED = "aftershock.step.started"  # carries the span's id and its attributes so far
EVENT_HEARTBEAT = "aftershock.step.heartbeat"
EVENT_FACT = "aftershock.fact"
EVENT_APPROVAL = "aftershock.approval"  # asked for, or answered
EVENT_FINDING = "aftershock.finding"  # opened | updated | closed, one id
EVENT_STEP = "aftershock.step"  # the ordered story: a step began, a step ended
EVENT_SUSPECTS = "aftershock.suspects"  # of one alert: agent actions that may be behind it
EVENT_CHANGE = "aftershock.change"  # a deploy, a feature flag, a maintenance window
CHANGE_NAME = "aftershock.change.name"
ALERT_ID = "aftershock.alert.id"
CHANGE_KIND = "aftershock.change.kind"  # deploy | flag | event | alert | warning

# --- Ours: on what the collector emits -------------------------------------------------------
FINDING_ID = "aftershock.finding.id"
FINDING_KIND = "aftershock.finding.kind"
FINDING_LEVEL = "aftershock.finding.level"
FINDING_STATE = "aftershock.finding.state"  # opened | updated | closed
FINDING_SUMMARY = "aftershock.finding.summary"
FINDING_CLOSING = "aftershock.finding.closing"
FINDING_FEEDBACK = "aftershock.finding.feedback"  # a person's: agent | infrastructure | coincidence
FINDING_FEEDBACK_BY = "aftershock.finding.feedback.by"
IMPACT_PROBABILITY = "aftershock.impact.probability"
IMPACT_LABEL = "aftershock.impact.label"
IMPACT_ENTITY = "aftershock.impact.entity"
DECISION_OPERATION = "decision"  # gen_ai.operation.name of a decision span
FINDING_SUBJECT = "aftershock.finding.subject"
IMPACT_NATS_OWN = "aftershock.impact.nats.own"  # surprise of the target after the action
IMPACT_NATS_BEFORE = "aftershock.impact.nats.before"
IMPACT_NATS_CALLEE = "aftershock.impact.nats.callee"
IMPACT_NATS_ALTERNATIVE = "aftershock.impact.nats.alternative"
IMPACT_CANDIDATE = "aftershock.impact.candidate"  # on a link: which explanation it stands for
IMPACT_CANDIDATES = "aftershock.impact.candidates"  # string[]: "0.910 name", no agent action too
IMPACT_GAP = "aftershock.impact.gap"  # string[]: trouble that the agent had not read
FINDING_FACTS = "aftershock.finding.facts"  # string[]: the lines under the summary
AGENT_SERVICE = "aftershock.agent.service"  # service.name of the agent that is spoken of
EVENT_NAME = "event.name"  # beside the record's own event_name: stores that know only attributes

# --- Ours: on the ordered story's log events --------------------------------------------------
STEP_KIND = "aftershock.step.kind"
STEP_STATE = "aftershock.step.state"  # began | ended
STEP_ACTIVITY = "aftershock.step.activity"  # from now on: inference | tool | decision | waiting
STEP_SECONDS = "aftershock.step.seconds"  # how long it took
CONTEXT_KNOWN = "aftershock.context.known"  # string[]: required facts that had been read
CONTEXT_LACKED = "aftershock.context.lacked"  # string[]: required facts that had not
