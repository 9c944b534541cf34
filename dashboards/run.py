"""Run timeline: what an agent did, knew and lacked, beside what its targets felt."""

from __future__ import annotations

from dashboards import links
from dashboards.dashboard import AGENT, ENVIRONMENT, RUN, Dashboard, Row
from dashboards.findings import findings_table, findings_timeline
from dashboards.panels import log, stat, states
from dashboards.queries import RISKY, events, log_instant, log_lines, tally, traces
from dashboards.queries import RUN as THIS
from dashboards.runs import NO_FRAME, STEP, TARGET, drawn_in, runs_table, targets_panels
from dashboards.style import (
    ACTIVITIES,
    ANY,
    LEVELS,
    OUTCOMES,
    STATES,
    TIERS,
    WAITING,
    coloured,
    linked,
    override,
    whole,
)
from dashboards.tables import events_table, headline, table
from dashboards.transformations import rows_of

TO_INCIDENT = (links.to(links.INCIDENT, "Incident", run="${run:percentencode}"),)
ENDED = "aftershock_step_state=`ended`"
HERE = (THIS,)
STEPS = events(STEP, *HERE, ENDED, NO_FRAME)
ACTIONS = events(STEP, *HERE, ENDED, RISKY)
LACKING = events(STEP, *HERE, ENDED, "aftershock_context_lacked!=``")
WITH_FACTS = "(aftershock_context_known!=`` or aftershock_context_lacked!=`` or {risky})"

SUMMARY = (
    stat(
        "Steps",
        "Steps that ended: inferences, tool calls, retrievals, decisions, facts.",
        log_instant(tally(STEPS)),
        empty="none",
        onward=TO_INCIDENT,
    ),
    stat(
        "Actions",
        "Tool calls that can change something: tiers write, provision, destructive, decommission.",
        log_instant(tally(ACTIONS)),
        empty="none",
        thresholds=WAITING,
        onward=TO_INCIDENT,
    ),
    stat(
        "Acted without facts",
        "Actions that lacked a fact which the policy requires, or past runs read, before them.",
        log_instant(tally(LACKING)),
        empty="none",
        thresholds=ANY,
        onward=(links.to(links.CONTEXT, "Decisions and context"),),
    ),
    stat(
        "Failed calls",
        "Tool calls that failed.",
        log_instant(tally(f"{STEPS} | aftershock_tool_result_outcome=`failed`")),
        empty="none",
        thresholds=WAITING,
        onward=(links.to(links.LOOPS, "Loops and tools"),),
        quiet="no call of the demo's agent fails",
    ),
    stat(
        "Findings",
        "Findings that were opened.",
        log_instant(
            tally(events("aftershock.finding", *HERE, "aftershock_finding_state=`opened`"))
        ),
        empty="none",
        thresholds=ANY,
        onward=TO_INCIDENT,
    ),
    stat(
        "Tokens",
        "Sent to models and returned by them.",
        log_instant(
            f"sum(sum_over_time({STEPS} | unwrap gen_ai_usage_input_tokens [$__range]))", "in"
        ),
        log_instant(
            f"sum(sum_over_time({STEPS} | unwrap gen_ai_usage_output_tokens [$__range]))", "out"
        ),
        empty="unknown",
        overrides=(
            override("Value #A", displayName="sent"),
            override("Value #B", displayName="returned"),
        ),
        onward=(links.to(links.FLEET, "Fleet"),),
    ),
)

# A step is mostly reported when it ends, with its duration: its beginning is computed.
BUSY = events(STEP, *HERE, ENDED, NO_FRAME, "aftershock_step_seconds!=``")
NOW = "{{ __timestamp__ | unixEpochMillis }}"
BEGAN = "{{ subf (__timestamp__ | unixEpochMillis) (mulf .aftershock_step_seconds 1000) | int }}"
DOING = (
    "{{ if eq .aftershock_step_kind `tool_call` }}{{ .gen_ai_tool_name }}"
    "{{ else if eq .aftershock_step_kind `retrieval` }}tool"
    "{{ else if eq .aftershock_step_kind `approval` }}waiting"
    "{{ else }}{{ .aftershock_step_kind }}{{ end }}"
).replace("`", '"')
NEXT = "{{ .aftershock_step_activity }}"

ACTIVITY = states(
    "What the agent does",
    "One row for each agent, from each step on: inference, a tool by its name, decision, or "
    "waiting for the next thing. Orange lines are actions with an effect, red lines are findings.",
    log_lines(f"{BUSY} | label_format at=`{BEGAN}`, state=`{DOING}`"),
    log_lines(f"{events(STEP, *HERE)} | label_format at=`{NOW}`, state=`{NEXT}`"),
    empty="no step in this time range: choose a run, or a longer range",
    colours=dict(ACTIVITIES),
    steps=rows_of("state", "gen_ai_agent_name", "at"),
    onward=TO_INCIDENT,
)

ACTIVITY_LOG = log(
    "Activity log",
    "Every step and every finding in order, a line each. Open a line for its trace.",
    log_lines(events("aftershock.step|aftershock.finding", *HERE)),
    empty="no event in this time range",
    onward=TO_INCIDENT,
)

HEADLINE = headline(
    "What was found",
    "The newest alarms of the run in a sentence each. Warnings are in the tables below.",
    log_lines(events("aftershock.finding", *HERE, "aftershock_finding_level=`alarm`")),
    empty="no alarm in this run",
    shown={
        "Line": "What was found",
        "aftershock_finding_facts": "Evidence",
        "aftershock_finding_level": "Level",
        "aftershock_finding_state": "State",
        "gen_ai_agent_name": "Agent",
    },
    run_to=links.to(links.INCIDENT, "Incident", run=links.field("Run")),
    overrides=(
        whole("What was found", custom_minWidth=480),
        whole("Evidence", custom_minWidth=280),
        coloured("Level", LEVELS, custom_width=80),
        coloured("State", STATES, custom_width=90),
        override("Agent", custom_width=140),
    ),
    onward=TO_INCIDENT,
)

KNOWLEDGE = events_table(
    "What it knew and what it lacked at each action",
    "Each call that has an effect or needs facts: the required facts that the agent had read when "
    "it acted, and those that it had not (missing, failed, stale or dropped from its context).",
    log_lines(events(STEP, *HERE, ENDED, WITH_FACTS.format(risky=RISKY))),
    empty="no action in this time range has an effect or needs facts",
    shown={
        "gen_ai_agent_name": "Agent",
        "gen_ai_tool_name": "Tool",
        "aftershock_action_tier": "Tier",
        "aftershock_action_targets": "On",
        "aftershock_tool_result_outcome": "Outcome",
        "aftershock_step_seconds": "Took",
        "aftershock_context_known": "Knew",
        "aftershock_context_lacked": "Lacked",
    },
    descending=False,
    run_to=links.to(links.INCIDENT, "Incident", run=links.field("Run")),
    overrides=(
        coloured("Tier", TIERS, custom_width=110),
        coloured("Outcome", OUTCOMES, custom_width=90),
        override("Took", unit="s", custom_width=80),
        whole("On"),
        whole("Knew"),
        whole(
            "Lacked",
            color={"mode": "fixed", "fixedColor": "semi-dark-red"},
            custom_cellOptions={"type": "color-text"},
        ),
    ),
    onward=(links.to(links.CONTEXT, "Decisions and context"),),
)

TRACES = table(
    "Traces of the run",
    "The agent's traces; click on an id for all its spans.",
    traces(
        "{ span.aftershock.run.id =~ `${run:regex}.*` "
        "&& span.gen_ai.agent.name =~ `${agent:regex}` }"
    ),
    empty="no trace of such a run is in Tempo: only runs that Aftershock's instrumentation "
    "recorded carry their run's id",
    steps=(),
    sort="Start time",
    overrides=(linked("Trace ID", links.to_trace()),),
    onward=TO_INCIDENT,
)

DASHBOARD = Dashboard(
    uid=links.RUN,
    title="Aftershock / Run timeline",
    says="One time axis: what the agent did, what was found, what its targets felt.",
    variables=(ENVIRONMENT, AGENT, RUN, TARGET),
    annotations=drawn_in(*HERE),
    rows=(
        Row("What was found", (HEADLINE, *SUMMARY)),
        Row("Which run", (runs_table(*HERE),)),
        Row("What the agent did", (ACTIVITY, findings_timeline(*HERE).sized(24, 7))),
        Row("What its targets felt", tuple(targets_panels(TO_INCIDENT))),
        Row("Activity log", (ACTIVITY_LOG, KNOWLEDGE)),
        Row(
            "Findings",
            (
                findings_table(
                    "Findings of the run",
                    "What was claimed, at which level, and why it was closed.",
                    *HERE,
                ),
            ),
        ),
        Row("Traces", (TRACES,)),
    ),
)
