"""Where each attribute and event of ours stands, its type and its meaning."""

from __future__ import annotations

from typing import NamedTuple

from aftershock import attributes as names


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
MESSAGE = "messages"
FACT, DECISION, APPROVAL = "fact events", "decision spans", "approval events"
HAND_OFF = "hand-off spans"
CHANGE, FINDING, ACTIVITY = "change events", "finding events", "activity log events"
EVIDENCE = "evidence events"
DROPS = "the metric `aftershock.recorder.drops`"

ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(names.RUN_ID, "string", STEP, "The run that the step belongs to."),
    Attribute(names.RUN_GOAL, "string", "invoke_agent spans", "What the run is for; content."),
    Attribute(
        names.STEP_PARENT, "string", "start events", "The span id of the step around this one."
    ),
    Attribute(
        names.FINGERPRINT_KEY_ID,
        "string",
        "resource",
        "Which key made the fingerprints; absent: none. Only equal ids may be compared.",
    ),
    Attribute(
        names.TRUNCATED,
        "int",
        "every span",
        "How many values of this span were cut to the byte limit.",
    ),
    Attribute(
        names.ARGUMENTS_DIGEST, "string", TOOL, "Keyed hash of the arguments in canonical form."
    ),
    Attribute(
        names.ARGUMENTS_STEM,
        "string",
        TOOL,
        "Keyed digest of the arguments without request ids, clocks and the like, if there are any.",
    ),
    Attribute(
        names.ARGUMENTS_SKETCH, "hashes", TOOL, "Keyed hashes of names and words in arguments."
    ),
    Attribute(names.ARGUMENTS_SIZE, "int", TOOL, "Characters of the arguments as JSON."),
    Attribute(
        names.ARGUMENTS_PLAIN,
        "string[]",
        TOOL,
        "`argument=value` of quantities, truths, and names that the policy uses as placeholders.",
    ),
    Attribute(
        names.ARGUMENT_IDS,
        "string[]",
        TOOL,
        "`argument=hash` of each id-like word of the arguments, and `~argument=hash` of what it "
        "would be with two neighbouring digits swapped.",
    ),
    Attribute(
        names.SUBJECTS, "string[]", TOOL, "`argument=hash` of each name or id in the arguments."
    ),
    Attribute(
        names.RESULT_ORDERS,
        "boolean",
        TOOL,
        "True where the result seems to give the model orders, by its phrases: a heuristic.",
    ),
    Attribute(
        names.RESULT_DIGEST,
        "string",
        TOOL,
        "Keyed hash of the result without times, ids and counters.",
    ),
    Attribute(
        names.RESULT_SKETCH, "hashes", TOOL, "Keyed hashes of the result's items without digits."
    ),
    Attribute(
        names.RESULT_STATE,
        "string",
        TOOL,
        "What the result says of the state of its subject: pending, scheduled, "
        "waits_for_person, held, settled, went_wrong, ended_wrong, unchanged, refused, denied, "
        "not_now, part_done, "
        "counted, none_found, barred or loop_seen.",
    ),
    Attribute(names.RESULT_SIZE, "int", TOOL, "Characters of the result."),
    Attribute(
        names.RESULT_WORDS, "hashes", TOOL, "Keyed hashes of the id-like words of the result."
    ),
    Attribute(names.RESULT_OUTCOME, "string", TOOL, "ok, failed, empty or truncated."),
    Attribute(
        names.ERROR_CLASS, "string", TOOL, "The error with quotes, numbers and paths masked."
    ),
    Attribute(names.POLLS, "boolean", TOOL, "Policy or author: repeating the call is legitimate."),
    Attribute(
        names.ATTEMPTS,
        "int",
        TOOL,
        "Calls that `aftershock.recovery` made for this one; absent: one.",
    ),
    Attribute(names.ACTION_WAIT, "double", TOOL, "Seconds that the call itself waits."),
    Attribute(
        names.ACTION_ALLOWED, "double", TOOL, "Seconds that the call says it may last at most."
    ),
    Attribute(
        names.ACTION_PORTION,
        "boolean",
        TOOL,
        "The arguments bound how much of a larger amount the call does.",
    ),
    Attribute(names.ACTION_SETS, "string", TOOL, "Keyed hash of the thing that the call sets."),
    Attribute(
        names.ACTION_TIER, "string", TOOL, "read, write, destructive, provision or decommission."
    ),
    Attribute(
        names.ACTION_EXPLAIN, "boolean", TOOL, "Policy wants a recorded decision before the call."
    ),
    Attribute(
        names.ACTION_GATE,
        "string",
        TOOL,
        "What policy wants before the call: allow, warn, ask or deny.",
    ),
    Attribute(
        names.GATE_TICKET,
        "int",
        TOOL,
        "The ticket on which a person was asked to approve the call.",
    ),
    Attribute(names.GATE_ANSWERED_BY, "string", TOOL, "Who answered the ticket."),
    Attribute(
        names.GATE_HELD, "double", TOOL, "Seconds that the call waited for people at the gate."
    ),
    Attribute(
        names.GATE_ASSUMPTIONS,
        "string[]",
        TOOL,
        "What was known of each assumption of the call, with value, age and source.",
    ),
    Attribute(names.GATE_CANARY, "int", TOOL, "Number of the step of a rollout that the call was."),
    Attribute(
        names.GATE_UNREACHABLE,
        "boolean",
        TOOL,
        "The collector had to be asked and did not answer: the policy decided without it.",
    ),
    Attribute(
        names.ACTION_TARGETS, "string[]", TOOL, "Entities that the call touches: service/checkout."
    ),
    Attribute(
        names.CONTEXT_REQUIRED,
        "string[]",
        TOOL,
        "Facts that the agent should know first: `kind TAB subject TAB max_age_s`.",
    ),
    Attribute(names.FACTS, "string[]", TOOL, "Facts that the result provides: `kind TAB subject`."),
    Attribute(
        names.INFERENCE_TOOLS,
        "string[]",
        INFERENCE,
        "Calls that the model asked for: `tool TAB arguments digest TAB call id`.",
    ),
    Attribute(
        names.INFERENCE_SHOWN, "hashes", INFERENCE, "Keyed hashes of ids of results in messages."
    ),
    Attribute(
        names.INFERENCE_WORDS, "hashes", INFERENCE, "Keyed hashes of id-like words in messages."
    ),
    Attribute(
        names.MESSAGE_REPEATS, "int", MESSAGE, "How often a person asked for something to be done."
    ),
    Attribute(
        names.MESSAGE_FORBIDS_CHANGES,
        "boolean",
        MESSAGE,
        "A person asked to stop, or to change nothing.",
    ),
    Attribute(names.OUTPUT_DIGEST, "string", INFERENCE, "Keyed hash of the model's answer."),
    Attribute(
        names.OUTPUT_SKETCH, "hashes", INFERENCE, "Keyed hashes of words of the model's answer."
    ),
    Attribute(names.OUTPUT_SIZE, "int", INFERENCE, "Characters of the model's answer."),
    Attribute(
        names.OUTPUT_STATE,
        "string",
        INFERENCE,
        "What the answer says of the agent's own work: done, not_done, planned or empty.",
    ),
    Attribute(
        names.CODE_DIGEST, "string", INFERENCE, "Keyed hash of code in the answer to be run."
    ),
    Attribute(
        names.CODE_SKETCH, "hashes", INFERENCE, "Keyed hashes of names and words of that code."
    ),
    Attribute(names.REASONING_SIZE, "int", INFERENCE, "Characters of reasoning; absent: none."),
    Attribute(names.FACT_KIND, "string", FACT, "What it is, as policies name it."),
    Attribute(names.FACT_SUBJECT, "string", FACT, "What it is about; `*`: everything."),
    Attribute(names.FACT_SOURCE, "string", FACT, "Where it came from."),
    Attribute(names.FACT_OUTCOME, "string", FACT, "ok, failed, empty or truncated."),
    Attribute(names.FACT_DIGEST, "string", FACT, "Keyed hash of the value."),
    Attribute(names.HAND_OFF_TO, "string", HAND_OFF, "The agent that has the task from here on."),
    Attribute(names.DECISION_QUESTION, "string", DECISION, "What was to be decided; content."),
    Attribute(names.DECISION_CHOSEN, "string", DECISION, "What was chosen; content."),
    Attribute(
        names.DECISION_OVER, "string[]", DECISION, "What else could have been chosen; content."
    ),
    Attribute(names.DECISION_BECAUSE, "string", DECISION, "Why; content."),
    Attribute(names.DECISION_ASSUMES, "string[]", DECISION, "What it rests on; content."),
    Attribute(names.APPROVAL_ID, "string", APPROVAL, "One request and its answer have the same."),
    Attribute(
        names.APPROVAL_OUTCOME, "string", APPROVAL, "ask (not answered yet), allow, warn or deny."
    ),
    Attribute(names.APPROVAL_BY, "string", APPROVAL, "Who answered, or was asked."),
    Attribute(names.APPROVAL_BECAUSE, "string", APPROVAL, "Why; content."),
    Attribute(
        names.APPROVAL_ASKED_AT,
        "int",
        APPROVAL,
        "On an answer: when it was asked, ns since the epoch.",
    ),
    Attribute(
        names.APPROVAL_EXPIRES_AT, "int", APPROVAL, "Until when it holds, ns since the epoch."
    ),
    Attribute(names.CHANGE_NAME, "string", CHANGE, "What changed."),
    Attribute(names.CHANGE_KIND, "string", CHANGE, "deploy, flag, event, alert or warning."),
    Attribute(
        names.ALERT_ID, "string", "suspects events", "The alert that the suspects belong to."
    ),
    Attribute(
        names.FINDING_ID, "string", FINDING, "The finding; equal when opened, updated and closed."
    ),
    Attribute(names.FINDING_KIND, "string", FINDING, "The rule that found it."),
    Attribute(names.FINDING_SUBJECT, "string", FINDING, "What it is about: a tool, a target."),
    Attribute(names.FINDING_LEVEL, "string", FINDING, "warn or alarm."),
    Attribute(names.FINDING_STATE, "string", FINDING, "opened, updated or closed."),
    Attribute(names.FINDING_SUMMARY, "string", FINDING, "One sentence for a person."),
    Attribute(names.FINDING_FACTS, "string[]", FINDING, "The lines under the summary."),
    Attribute(names.FINDING_CLOSING, "string", FINDING, "Why it was closed."),
    Attribute(
        names.FINDING_FEEDBACK,
        "string",
        FINDING,
        "A person's assessment: agent, infrastructure or coincidence.",
    ),
    Attribute(names.FINDING_FEEDBACK_BY, "string", FINDING, "Who gave the feedback."),
    Attribute(
        names.IMPACT_PROBABILITY,
        "double",
        FINDING,
        "That the action caused the degradation: 0 to 1.",
    ),
    Attribute(names.IMPACT_LABEL, "string", FINDING, "The grade of the attribution."),
    Attribute(names.IMPACT_ENTITY, "string", FINDING, "The entity that degraded."),
    Attribute(
        names.IMPACT_NATS_OWN, "double", FINDING, "Surprise of the target after the action, nats."
    ),
    Attribute(names.IMPACT_NATS_BEFORE, "double", FINDING, "The same before the action, nats."),
    Attribute(
        names.IMPACT_NATS_CALLEE, "double", FINDING, "What a callee of the target explains, nats."
    ),
    Attribute(
        names.IMPACT_NATS_ALTERNATIVE,
        "double",
        FINDING,
        "The worst movement that no candidate action could have caused, nats.",
    ),
    Attribute(
        names.IMPACT_CANDIDATE,
        "string",
        "span links",
        "Which explanation the linked span stands for.",
    ),
    Attribute(
        names.IMPACT_CANDIDATES,
        "string[]",
        FINDING,
        "`0.910 name` of each explanation, no agent action among them.",
    ),
    Attribute(
        names.IMPACT_GAP,
        "string[]",
        FINDING,
        "What the agent had not read: trouble, and facts that the call needs.",
    ),
    Attribute(names.DROP_REASON, "string", DROPS, "The bound that was reached, or what failed."),
    Attribute(
        names.EVIDENCE_METRIC, "string", EVIDENCE, "The metric of the target that moved most."
    ),
    Attribute(names.EVIDENCE_UNIT, "string", EVIDENCE, "Its unit."),
    Attribute(names.EVIDENCE_VALUE, "double", EVIDENCE, "Its value at the event's time."),
    Attribute(names.EVIDENCE_LOW, "double", EVIDENCE, "Lower end of the range before the action."),
    Attribute(names.EVIDENCE_HIGH, "double", EVIDENCE, "Upper end of the range before the action."),
    Attribute(
        names.AGENT_SERVICE,
        "string",
        "finding and activity log events",
        "service.name of the agent that the event is about.",
    ),
    Attribute(names.STEP_KIND, "string", ACTIVITY, "inference, tool, decision, fact and so on."),
    Attribute(names.STEP_STATE, "string", ACTIVITY, "began or ended."),
    Attribute(
        names.STEP_ACTIVITY,
        "string",
        ACTIVITY,
        "What the agent does from now on: inference, tool, decision or waiting.",
    ),
    Attribute(names.STEP_SECONDS, "double", ACTIVITY, "How long the step lasted, s."),
    Attribute(names.CONTEXT_KNOWN, "string[]", ACTIVITY, "Required facts that had been read."),
    Attribute(names.CONTEXT_LACKED, "string[]", ACTIVITY, "Required facts that had not been read."),
)

EVENTS: tuple[Event, ...] = (
    Event(
        names.EVENT_STARTED, "agent", "A step began; carries its span's id and attributes so far."
    ),
    Event(names.EVENT_HEARTBEAT, "agent", "A step still lasts."),
    Event(names.EVENT_FACT, "agent", "The app recorded a fact that the agent was shown."),
    Event(names.EVENT_APPROVAL, "agent", "An approval was asked for, or answered."),
    Event(names.EVENT_CHANGE, "anyone", "A deploy, a feature flag, a maintenance window."),
    Event(names.EVENT_FINDING, "collector", "A finding was opened, updated or closed."),
    Event(names.EVENT_STEP, "collector", "The activity log: a step began or ended, in order."),
    Event(names.EVENT_SUSPECTS, "collector", "Agent actions that may be behind an alert."),
    Event(names.EVENT_EVIDENCE, "collector", "One point of the series behind an attribution."),
)
