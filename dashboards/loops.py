"""Loops and tools: what agents call, how it fails, what they repeat, and what that wastes."""

from __future__ import annotations

from dashboards import links
from dashboards.dashboard import AGENT, ENVIRONMENT, Dashboard, Row
from dashboards.findings import findings_by_kind, findings_open, findings_table
from dashboards.panels import chart
from dashboards.queries import (
    ask,
    ask_now,
    counted,
    events,
    log_range,
    metric,
    over_time,
    quantile,
    rate,
    share,
)
from dashboards.runs import ENDED, STEP, drawn_in
from dashboards.style import FAMILIES, FULLNESS, OUTCOMES, SHARE, TIERS, linked, override, series
from dashboards.tables import table
from dashboards.transformations import joined

TO_RUN = (links.to(links.RUN, "Run timeline"),)
LOOPS = FAMILIES["loops"]
LIMITS = FAMILIES["limits"]
CALLED = events(STEP, ENDED, "aftershock_step_kind=`tool_call`")
CALLS = metric("agent_tool_calls_total")
FAILED = metric("agent_tool_calls_total", "outcome=`failed`")
SECONDS = metric("agent_tool_call_seconds_bucket")
NO_LOOP = "no loop was certain in this time range"

TOOLS = (
    chart(
        "Tool calls by outcome",
        "Ok, failed, empty, truncated, or unknown where the result was not seen.",
        log_range(
            over_time(CALLED, "aftershock_tool_result_outcome"),
            "{{aftershock_tool_result_outcome}}",
        ),
        empty="no tool was called",
        stacked=True,
        bars=True,
        overrides=series(OUTCOMES),
        onward=TO_RUN,
    ),
    chart(
        "Tool calls by tier",
        "What calls can do: read, write, provision, destructive, decommission.",
        log_range(over_time(CALLED, "aftershock_action_tier"), "{{aftershock_action_tier}}"),
        empty="no tool was called",
        stacked=True,
        bars=True,
        overrides=series(TIERS),
        onward=TO_RUN,
    ),
    table(
        "Tools",
        "Every tool of the chosen agents, over the time range.",
        ask_now(counted(CALLS, "tool")),
        ask_now(share(counted(FAILED, "tool"), counted(CALLS, "tool"))),
        ask_now(f"histogram_quantile(0.95, {counted(SECONDS, 'le, tool')})"),
        ask_now(counted(metric("agent_required_facts_total"), "tool")),
        ask_now(counted(metric("agent_unmet_facts_total"), "tool")),
        empty="no tool was called",
        steps=joined(
            "tool",
            {
                "tool": "Tool",
                "A": "Calls",
                "B": "Failed",
                "C": "95th percentile",
                "D": "Facts needed",
                "E": "Facts lacked",
            },
        ),
        sort="Calls",
        overrides=(
            linked("Tool", *TO_RUN),
            override("Calls", decimals=0),
            override(
                "Failed",
                unit="percentunit",
                thresholds=SHARE,
                custom_cellOptions={"type": "color-text"},
            ),
            override("95th percentile", unit="s"),
        ),
        onward=TO_RUN,
    ),
    chart(
        "Failures by class",
        "Failed calls by tool and class of error; the class hides what differs each time.",
        log_range(
            over_time(f"{CALLED} | error_type!=``", "gen_ai_tool_name, error_type"),
            "{{gen_ai_tool_name}}: {{error_type}}",
        ),
        empty="no tool call raised an error",
        stacked=True,
        bars=True,
        onward=TO_RUN,
        quiet="no call of the demo's agent raises an error",
    ),
    chart(
        "How long tool calls take",
        "95th percentile by tool; the points are calls, and lead to their traces.",
        ask(quantile(SECONDS, 0.95, "tool"), "{{tool}}", exemplars=True),
        empty="no tool was called",
        unit="s",
        onward=TO_RUN,
    ),
)

REPEATS = (
    findings_by_kind("Loops found", LOOPS).sized(8, 8),
    findings_open("Loops open", LOOPS).sized(16, 8),
    chart(
        "Steps wasted",
        "Steps that runs took after a loop was certain, by loop: what stopping would have saved.",
        ask(rate(metric("agent_wasted_steps_total"), "agent, finding"), "{{agent}} {{finding}}"),
        empty=NO_LOOP,
        unit="ops",
        stacked=True,
        bars=True,
        onward=TO_RUN,
        quiet="a loop that ends as it becomes certain wastes nothing",
    ),
    chart(
        "Tokens wasted",
        "Tokens that runs spent after a loop was certain, by the loop.",
        ask(rate(metric("agent_wasted_tokens_total"), "agent, finding"), "{{agent}} {{finding}}"),
        empty=NO_LOOP,
        stacked=True,
        bars=True,
        onward=TO_RUN,
        quiet="a loop that ends as it becomes certain wastes nothing",
    ),
    findings_table(
        "Loops",
        "What was repeated, how often, and what it cost.",
        kinds=LOOPS,
    ),
)

MODELS = (
    chart(
        "Context window used",
        "Fullest context window of an open run, by agent and model. Frameworks compact from about "
        "80 % on, and facts are dropped then.",
        ask(
            f"max by (agent, model) ({metric('agent_context_window_used_ratio')})",
            "{{agent}} {{model}}",
        ),
        empty="no open run reported how many tokens its model read",
        unit="percentunit",
        thresholds=FULLNESS,
        limit_shown=True,
        onward=(links.to(links.CONTEXT, "Decisions and context"),),
        quiet="the window of the demo's model is not known, and its run is short",
    ),
    chart(
        "Budgets used",
        "Highest use of each budget by an open run: steps, tokens, cost, wall time, tool errors.",
        ask(
            f"max by (agent, budget) ({metric('agent_budget_used_ratio')})", "{{agent}} {{budget}}"
        ),
        empty="no budget is set: agents.NAME.budget in aftershock.yaml",
        unit="percentunit",
        thresholds=FULLNESS,
        limit_shown=True,
        onward=TO_RUN,
        quiet="the demo's policy sets no budget",
    ),
    chart(
        "How long models take",
        "95th percentile of inferences by model; the points lead to traces.",
        ask(
            quantile(metric("agent_inference_seconds_bucket"), 0.95, "model"),
            "{{model}}",
            exemplars=True,
        ),
        empty="no model was asked",
        unit="s",
        onward=TO_RUN,
    ),
    chart(
        "Failed inferences",
        "Of each model's inferences, the share that failed.",
        ask(
            share(
                rate(metric("agent_inferences_total", "outcome=`failed`"), "model"),
                rate(metric("agent_inferences_total"), "model"),
            ),
            "{{model}}",
        ),
        empty="no model was asked",
        unit="percentunit",
        thresholds=SHARE,
        limit_shown=True,
        maximum=1,
        onward=TO_RUN,
    ),
    findings_by_kind(
        "Limits reached", LIMITS, quiet="the demo's run stays within its limits"
    ).sized(8, 8),
    findings_open("Limits", LIMITS, quiet="the demo's run stays within its limits").sized(16, 8),
)

DASHBOARD = Dashboard(
    uid=links.LOOPS,
    title="Aftershock / Loops and tools",
    says="What agents call, how it fails, what they repeat, and what that wastes.",
    variables=(ENVIRONMENT, AGENT),
    annotations=drawn_in(),
    rows=(
        Row("Tools", TOOLS),
        Row("Loops", REPEATS),
        Row("Models and limits", MODELS),
    ),
)
