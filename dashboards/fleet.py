"""Fleet: which agents are unwell, and which of their runs to open."""

from __future__ import annotations

from dashboards import links
from dashboards.dashboard import AGENT, ENVIRONMENT, Dashboard, Row
from dashboards.findings import findings_by_kind, findings_open
from dashboards.panels import chart, stat
from dashboards.queries import (
    ask,
    ask_now,
    counted,
    events,
    log_range,
    metric,
    over_time,
    rate,
    share,
)
from dashboards.runs import ENDED, NO_FRAME, STEP, runs_table
from dashboards.style import ANY, FULLNESS, SHARE, SURE, WAITING, linked, override, steps
from dashboards.tables import table
from dashboards.transformations import joined

TO_RUN = (links.to(links.RUN, "Run timeline"),)
TO_INCIDENT = (links.to(links.INCIDENT, "Incident"),)
TO_LOOPS = (links.to(links.LOOPS, "Loops and tools"),)
TO_CONTEXT = (links.to(links.CONTEXT, "Decisions and context"),)

AGENT_NAME = "{{gen_ai_agent_name}}"
CALLS = metric("agent_tool_calls_total")
FAILED = metric("agent_tool_calls_total", "outcome=`failed`")
ERRORS = steps((1, "semi-dark-yellow"), (10, "semi-dark-red"))


NOW = (
    stat(
        "Runs open",
        "Runs that have begun and not ended.",
        ask_now(f"sum({metric('agent_runs_open')}) or vector(0)"),
        empty="none",
        onward=TO_RUN,
    ),
    stat(
        "Alarms open",
        "Findings at level alarm that are open: each of them paged somebody.",
        ask_now(f"sum({metric('findings_open', 'level=`alarm`')})"),
        empty="none",
        thresholds=ANY,
        onward=TO_INCIDENT,
    ),
    stat(
        "Warnings open",
        "Findings at level warn: shown here, never paged.",
        ask_now(f"sum({metric('findings_open', 'level=`warn`')})"),
        empty="none",
        thresholds=WAITING,
        onward=TO_RUN,
        quiet="a warning closes or becomes an alarm within seconds",
    ),
    stat(
        "Approvals waiting",
        "Actions that wait for a person's answer.",
        ask_now(f"sum({metric('agent_approvals_waiting')}) or vector(0)"),
        empty="none",
        thresholds=WAITING,
        onward=TO_CONTEXT,
    ),
    stat(
        "Longest silence",
        "How long the quietest open run has sent nothing: no step and no heartbeat.",
        ask_now(f"max({metric('agent_silent_seconds')})"),
        empty="no open run",
        unit="s",
        thresholds=steps((60, "semi-dark-yellow"), (120, "semi-dark-red")),
        onward=TO_RUN,
        quiet="the run of the demo has ended",
    ),
    stat(
        "Likeliest damage",
        "The highest probability that an agent's action degraded something, of open "
        "attributions. Probable from 80 %.",
        ask_now(f"max({metric('impact_probability')})"),
        empty="none suspected",
        unit="percentunit",
        thresholds=SURE,
        onward=TO_INCIDENT,
    ),
)

AGENTS = table(
    "Agents",
    "One row for each agent, over the time range; click on a name for what it did.",
    ask_now(f"sum by (agent) ({metric('agent_runs_open')})"),
    ask_now(counted(metric("agent_runs_total"), "agent")),
    ask_now(counted(metric("agent_steps_total"), "agent")),
    ask_now(f"sum by (agent) ({metric('findings_open', 'level=`alarm`')})"),
    ask_now(f"sum by (agent) ({metric('findings_open', 'level=`warn`')})"),
    ask_now(share(counted(FAILED, "agent"), counted(CALLS, "agent"))),
    ask_now(counted(metric("agent_tokens_total"), "agent")),
    ask_now(counted(metric("agent_cost_usd_total"), "agent")),
    ask_now(f"sum by (agent) ({metric('agent_approvals_waiting')})"),
    ask_now(f"max by (agent) ({metric('agent_budget_used_ratio')})"),
    empty="no agent sent anything in this time range",
    steps=joined(
        "agent",
        {
            "agent": "Agent",
            "A": "Open runs",
            "B": "Ended runs",
            "C": "Steps",
            "D": "Alarms open",
            "E": "Warnings open",
            "F": "Failed calls",
            "G": "Tokens",
            "H": "Cost",
            "I": "Approvals waiting",
            "J": "Budget used",
        },
    ),
    sort="Alarms open",
    overrides=(
        linked("Agent", links.to(links.RUN, "What it did", agent=links.field("Agent"))),
        override(
            "Alarms open",
            thresholds=ANY,
            custom_cellOptions={"type": "color-text"},
            links=[links.to(links.INCIDENT, "Incident", agent=links.field("Agent"))],
        ),
        override("Warnings open", thresholds=WAITING, custom_cellOptions={"type": "color-text"}),
        override(
            "Failed calls",
            unit="percentunit",
            thresholds=SHARE,
            custom_cellOptions={"type": "color-text"},
            links=[links.to(links.LOOPS, "Loops and tools", agent=links.field("Agent"))],
        ),
        override("Cost", unit="currencyUSD"),
        override(
            "Budget used",
            unit="percentunit",
            thresholds=FULLNESS,
            max=1,
            custom_cellOptions={"type": "gauge", "mode": "basic"},
        ),
    ),
    onward=TO_RUN,
)

TRENDS = (
    chart(
        "Steps",
        "Steps of each agent: inferences, tool calls, retrievals, decisions. Counted, not rated: "
        "agents act rarely.",
        log_range(over_time(events(STEP, ENDED, NO_FRAME), "gen_ai_agent_name"), AGENT_NAME),
        empty="no step in this time range",
        stacked=True,
        bars=True,
        onward=TO_RUN,
    ),
    chart(
        "Failed tool calls",
        "Of each agent's tool calls, the share that failed.",
        ask(share(rate(FAILED, "agent"), rate(CALLS, "agent")), "{{agent}}"),
        empty="no tool was called",
        unit="percentunit",
        thresholds=SHARE,
        limit_shown=True,
        maximum=1,
        onward=TO_LOOPS,
    ),
    chart(
        "Tokens",
        "Sent and returned, by model.",
        ask(rate(metric("agent_tokens_total"), "model, direction"), "{{model}} {{direction}}"),
        empty="no model reported how many tokens it read",
        unit="short",
        stacked=True,
        onward=TO_RUN,
    ),
    chart(
        "Cost",
        "US dollars an hour, as spans report it or at list price.",
        ask(
            f"3600 * {rate(metric('agent_cost_usd_total'), 'agent, model')}", "{{agent}} {{model}}"
        ),
        empty="no cost is known: name the model's price in aftershock.yaml",
        unit="currencyUSD",
        stacked=True,
        quiet="the price of the demo's model is not known",
        onward=TO_RUN,
    ),
)

FINDINGS = (
    findings_by_kind().sized(10, 9),
    findings_open().sized(14, 9),
)

DASHBOARD = Dashboard(
    uid=links.FLEET,
    title="Aftershock / Fleet",
    says="Which agents are unwell. Each row leads to what the agent did.",
    variables=(ENVIRONMENT, AGENT),
    rows=(
        Row(
            "Now",
            (
                *NOW,
                AGENTS,
            ),
        ),
        Row("Findings", FINDINGS),
        Row("Runs", (runs_table(),)),
        Row("Work", TRENDS),
    ),
)
