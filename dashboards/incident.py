"""Incident: from an alert back to the actions that may be behind it, and to what allowed them."""

from __future__ import annotations

from dashboards import links
from dashboards.dashboard import AGENT, ENVIRONMENT, RUN, Dashboard, Row, typed
from dashboards.findings import FINDING, findings_table
from dashboards.panels import bars, chart, events_table, states, table
from dashboards.queries import (
    RISKY,
    ask,
    begins,
    events,
    latest,
    log_instant,
    log_lines,
    metric,
    traces,
)
from dashboards.queries import RUN as THIS
from dashboards.runs import STEP, TARGET, drawn_in, runs_table, targets_panels
from dashboards.style import FAMILIES, SURE, TIERS, coloured, linked, override, whole
from dashboards.transformations import series_of

ENTITY = typed("entity", "Entity", "What degraded, such as service/checkout; empty: anything")
ALERT = typed("alert", "Alert", "The beginning of an alert's name; empty: any")
TO_RUN = (links.to(links.RUN, "Run timeline", run="${run:percentencode}"),)
OF_ROW = links.to(links.RUN, "Run timeline", run=links.field("Run"))
ABOUT = begins("aftershock_impact_entity", "entity")
ATTRIBUTIONS = events(FINDING, THIS, "aftershock_finding_kind=`agent_impact`", ABOUT)
SUSPECTS = events("aftershock.suspects", ABOUT, begins("aftershock_change_name", "alert"))
RATED_MAX = 4  # explanations of one alert or degradation that are drawn


def rated(asked: str, place: int) -> str:
    """The explanation at one place in a list of them, with its probability."""
    before = f'(?:"[^"]*",){{{place}}}'
    parts = f'^.{before}"(?P<probability>[0-9.]+) (?P<explanation>[^"]*)"'
    read = f"line_format `{{{{.aftershock_impact_candidates}}}}` | regexp `{parts}`"
    return latest(f"{asked} | {read}", "probability", "explanation, aftershock_impact_entity")


WHO = "{{explanation}} → {{aftershock_impact_entity}}"

BEHIND = (
    bars(
        "What is behind the degradation",
        "Newest verdict on each entity: the probability of each action, its rivals, and of no "
        "agent action at all. Probable from 80 %, suspected from 50 %. It says what the metrics "
        "say, never that something is the root cause.",
        *(
            log_instant(f"sort_desc({rated(ATTRIBUTIONS, place)})", WHO)
            for place in range(RATED_MAX)
        ),
        steps=series_of("explanation", RATED_MAX),
        empty="no verdict in this time range: no metric of a target moved after an action",
        unit="percentunit",
        thresholds=SURE,
        maximum=1,
        onward=TO_RUN,
    ),
    bars(
        "What is behind the alert",
        "Newest ranking for each alert that arrived: the agent actions of the ten minutes before "
        "it, and no agent action.",
        *(log_instant(f"sort_desc({rated(SUSPECTS, place)})", WHO) for place in range(RATED_MAX)),
        steps=series_of("explanation", RATED_MAX),
        empty="no alert has arrived: point Alertmanager at /api/v1/alerts/alertmanager",
        unit="percentunit",
        thresholds=SURE,
        maximum=1,
        onward=TO_RUN,
    ),
)

PROBABILITY = chart(
    "Probability over time",
    "How sure each verdict was while it stood: it grows and shrinks with the evidence.",
    ask(
        f"max by (agent, tool, entity) ({metric('impact_probability', begins('entity', 'entity'))})",
        "{{agent}}: {{tool}} → {{entity}}",
    ),
    empty="no verdict stood in this time range",
    unit="percentunit",
    thresholds=SURE,
    limit_shown=True,
    maximum=1,
    onward=TO_RUN,
)

ALERTS = states(
    "Alerts of the infrastructure and of agents",
    "What Prometheus's rules said: one row for each alert that fires.",
    ask(
        f"max by (alertname) (ALERTS{{alertstate=`firing`,{begins('alertname', 'alert')}}})",
        "{{alertname}}",
    ),
    empty="no rule fires in this time range",
    colours={"1": "semi-dark-red"},
    words={"1": "firing"},
    steps=(),
    onward=TO_RUN,
).sized(12, 8)

SUSPECTED = events_table(
    "Suspects of each alert",
    "What arrived, what was touched in the ten minutes before, and how likely each action is.",
    log_lines(SUSPECTS),
    empty="no alert has arrived: point Alertmanager at /api/v1/alerts/alertmanager",
    shown={
        "aftershock_change_name": "Alert",
        "aftershock_impact_entity": "Entity",
        "Line": "What is claimed",
        "aftershock_impact_probability": "Likeliest",
        "aftershock_impact_candidates": "All explanations",
        "gen_ai_agent_name": "Agent",
    },
    run_to=OF_ROW,
    overrides=(
        override(
            "Likeliest",
            unit="percentunit",
            thresholds=SURE,
            custom_cellOptions={"type": "color-text"},
            custom_width=90,
        ),
        whole("What is claimed"),
        whole("All explanations"),
    ),
    onward=TO_RUN,
)

EVIDENCE = events_table(
    "Evidence",
    "Each verdict in its parts, in nats (one nat is a factor of 2.7): how surprising the target "
    "was after the action, less what was already wrong before it, less what a callee explains, "
    "less what a rival explains.",
    log_lines(ATTRIBUTIONS),
    empty="no verdict in this time range",
    shown={
        "gen_ai_tool_name": "Action",
        "aftershock_impact_entity": "Entity",
        "Line": "Verdict",
        "aftershock_impact_label": "Grade",
        "aftershock_impact_probability": "Probability",
        "aftershock_impact_nats_own": "Surprise",
        "aftershock_impact_nats_before": "Before it",
        "aftershock_impact_nats_callee": "Callee",
        "aftershock_impact_nats_alternative": "Rival",
        "aftershock_finding_state": "State",
        "aftershock_finding_feedback": "A person's verdict",
        "aftershock_finding_feedback_by": "By",
    },
    run_to=OF_ROW,
    overrides=(
        override(
            "Probability",
            unit="percentunit",
            thresholds=SURE,
            custom_cellOptions={"type": "color-text"},
            custom_width=100,
        ),
        whole("Verdict", custom_minWidth=280),
        *(
            override(name, decimals=1, custom_width=80)
            for name in ("Surprise", "Before it", "Callee", "Rival")
        ),
    ),
    onward=TO_RUN,
)

GAP = events_table(
    "Context gap",
    "What was wrong with the target or around it, that the agent had not read when it acted.",
    log_lines(f"{ATTRIBUTIONS} | aftershock_impact_gap!=``"),
    empty="no trouble was there to be read, or the agent had read it",
    quiet="nothing was wrong with checkout before the agent acted",
    shown={
        "gen_ai_agent_name": "Agent",
        "gen_ai_tool_name": "Action",
        "aftershock_impact_entity": "Entity",
        "aftershock_impact_gap": "What it had not read",
    },
    run_to=OF_ROW,
    overrides=(whole("What it had not read"),),
    onward=(links.to(links.CONTEXT, "Decisions and context"),),
)

APPROVALS = events_table(
    "What was approved, by whom",
    "Every approval that was asked for or given: for which action, what was answered, and by whom.",
    log_lines(events(STEP, THIS, "aftershock_step_kind=`approval`")),
    empty="nobody was asked: no policy wants an approval, or the agent does not record it",
    shown={
        "gen_ai_agent_name": "Agent",
        "gen_ai_tool_name": "Action",
        "aftershock_approval_outcome": "Answer",
        "aftershock_approval_by": "By",
        "Line": "In words",
    },
    descending=False,
    run_to=OF_ROW,
    overrides=(whole("In words"),),
    onward=TO_RUN,
    quiet="the demo's policy asks nobody",
)

ACTIONS = events_table(
    "Actions before it",
    "Every tool call that can change something, in order.",
    log_lines(events(STEP, THIS, "aftershock_step_state=`ended`", RISKY)),
    empty="no agent changed anything in this time range",
    shown={
        "gen_ai_agent_name": "Agent",
        "gen_ai_tool_name": "Action",
        "aftershock_action_tier": "Tier",
        "aftershock_action_targets": "On",
        "Line": "In words",
    },
    descending=False,
    run_to=OF_ROW,
    overrides=(
        coloured("Tier", TIERS, custom_width=110),
        whole("On"),
        whole("In words"),
    ),
    onward=TO_RUN,
)

SPANS = table(
    "Incidents as traces",
    "One trace for each degradation, with a link to the span of every action that may be behind "
    "it; click on an id to follow them.",
    traces("{ resource.service.name = `aftershock` && name =~ `incident .*` }"),
    empty="no verdict in this time range",
    steps=(),
    sort="Start time",
    overrides=(linked("Trace ID", links.to_trace("Trace ID")),),
    onward=TO_RUN,
)

DASHBOARD = Dashboard(
    uid=links.INCIDENT,
    title="Aftershock / Incident",
    says="From an alert back: who did this, how sure that is, and what the agent did not know.",
    variables=(ENVIRONMENT, AGENT, RUN, ENTITY, ALERT, TARGET),
    annotations=drawn_in(THIS),
    rows=(
        Row("Who did this?", BEHIND),
        Row("When", (PROBABILITY, ALERTS)),
        Row("Evidence", (EVIDENCE, SUSPECTED)),
        Row(
            "What the agent did not know",
            (
                GAP,
                findings_table(
                    "Incomplete context",
                    "Actions that were taken on facts that were missing, failed, stale or dropped.",
                    THIS,
                    kinds=FAMILIES["context"],
                ),
            ),
        ),
        Row("What was done, and who allowed it", (ACTIONS, APPROVALS)),
        Row("What the targets felt", tuple(targets_panels(TO_RUN))),
        Row("Where to go on", (runs_table(THIS), SPANS)),
    ),
)
