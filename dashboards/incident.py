"""Incident: from an alert back to the actions that may be behind it, and to what allowed them."""

from __future__ import annotations

from dashboards import links
from dashboards.dashboard import AGENT, ENVIRONMENT, RUN, Dashboard, Row, typed
from dashboards.findings import FINDING, findings_table
from dashboards.panels import bars, chart, states
from dashboards.queries import (
    RISKY,
    ask,
    begins,
    events,
    log_instant,
    log_lines,
    log_range,
    metric,
    of_the_newest,
    traces,
)
from dashboards.queries import RUN as THIS
from dashboards.runs import STEP, TARGET, drawn_in, runs_table, targets_panels
from dashboards.style import FAMILIES, STATES, SURE, TIERS, coloured, linked, override, whole
from dashboards.tables import events_table, headline, table
from dashboards.transformations import series_of

ENTITY = typed("entity", "Entity", "What degraded, such as service/checkout; empty: anything")
ALERT = typed("alert", "Alert", "The beginning of an alert's name; empty: any")
TO_RUN = (links.to(links.RUN, "Run timeline", run="${run:percentencode}"),)
OF_ROW = links.to(links.RUN, "Run timeline", run=links.field("Run"))
ABOUT = begins("aftershock_impact_entity", "entity")
ATTRIBUTIONS = events(FINDING, THIS, "aftershock_finding_kind=`agent_impact`", ABOUT)
EVIDENCE_POINTS = events("aftershock.evidence", THIS, ABOUT)
SUSPECTS = events("aftershock.suspects", ABOUT, begins("aftershock_change_name", "alert"))
RATED_MAX = 4  # explanations of one alert or degradation that are drawn


def rated(asked: str, place: int) -> str:
    """The explanation at one place in an entity's newest list of them, with its probability."""
    before = f'(?:"[^"]*",){{{place}}}'
    parts = f'^.{before}"(?P<probability>[0-9.]+) (?P<explanation>[^"]*)"'
    read = f"line_format `{{{{.aftershock_impact_candidates}}}}` | regexp `{parts}`"
    by = "explanation, aftershock_impact_entity"
    return of_the_newest(f"{asked} | {read}", asked, "probability", by, "aftershock_impact_entity")


WHO = "{{explanation}} → {{aftershock_impact_entity}}"

HEADLINE = headline(
    "What happened",
    "The newest attributions in a sentence each: who did what, what it probably broke, how sure "
    "that is, and what the agent had not read. `kill PID` and the run's page stop the agent.",
    log_lines(ATTRIBUTIONS),
    empty="no action of an agent is suspected of anything in this time range",
    shown={
        "Line": "What happened",
        "aftershock_impact_gap": "What the agent had not read",
        "aftershock_impact_probability": "How sure",
        "aftershock_finding_state": "State",
    },
    run_to=OF_ROW,
    overrides=(
        whole("What happened", custom_minWidth=520),
        whole("What the agent had not read", custom_minWidth=420),
        override(
            "How sure",
            unit="percentunit",
            decimals=0,
            thresholds=SURE,
            custom_cellOptions={"type": "color-text"},
            custom_width=90,
        ),
        coloured("State", STATES, custom_width=90),
    ),
    onward=TO_RUN,
)

SERIES = chart(
    "The evidence: the series that decided, with its usual range",
    "The metric of the target that moved most after the action. The range between the dashed lines "
    "was usual before it, and is frozen. Orange lines are actions, red lines are findings.",
    *(
        log_range(
            f"avg by (aftershock_impact_entity, aftershock_evidence_metric) (last_over_time("
            f"{EVIDENCE_POINTS} | unwrap aftershock_evidence_{field} [$__interval]))",
            f"{{{{aftershock_impact_entity}}}} {{{{aftershock_evidence_metric}}}}{suffix}",
        )
        for field, suffix in (("value", ""), ("low", " (usual, low)"), ("high", " (usual, high)"))
    ),
    empty="no attribution in this time range",
    minimum=None,
    joined_s=60,  # a scrape that is slower than that judges nothing
    overrides=(
        {
            "matcher": {"id": "byRegexp", "options": ".*\\(usual, .*\\)"},
            "properties": [
                {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [6, 6]}},
                {"id": "custom.lineWidth", "value": 1},
                {"id": "custom.fillOpacity", "value": 0},
                {"id": "color", "value": {"mode": "fixed", "fixedColor": "text"}},
            ],
        },
    ),
    onward=TO_RUN,
).sized(24, 8)

BEHIND = (
    bars(
        "What is behind the degradation",
        "Newest attribution for each entity: the probability of each action, and of no agent "
        "action at all. Probable from 80 %, suspected from 50 %. It says what the metrics show, "
        "never that something is the root cause.",
        *(
            log_instant(f"sort_desc({rated(ATTRIBUTIONS, place)})", WHO)
            for place in range(RATED_MAX)
        ),
        steps=series_of("explanation", RATED_MAX),
        empty="no attribution in this time range: no metric of a target moved after an action",
        unit="percentunit",
        thresholds=SURE,
        maximum=1,
        onward=TO_RUN,
    ),
    bars(
        "What is behind the alert",
        "Newest ranking for each entity that alerts are about: the agent actions of the ten "
        "minutes before the alert, and no agent action.",
        *(log_instant(f"sort_desc({rated(SUSPECTS, place)})", WHO) for place in range(RATED_MAX)),
        steps=series_of("explanation", RATED_MAX),
        empty="no alert has arrived: point Alertmanager at /api/v1/alerts/alertmanager",
        unit="percentunit",
        thresholds=SURE,
        maximum=1,
        onward=TO_RUN,
    ),
)

LIKELY = metric("impact_probability", begins("entity", "entity"))
PROBABILITY = chart(
    "Probability over time",
    "How sure each attribution was while it was open: it grows and shrinks with the evidence.",
    ask(
        f"max by (agent, tool, entity) ({LIKELY})",
        "{{agent}}: {{tool}} → {{entity}}",
    ),
    empty="no attribution was open in this time range",
    unit="percentunit",
    thresholds=SURE,
    limit_shown=True,
    maximum=1,
    onward=TO_RUN,
)

ALERTS = states(
    "Alerts of the infrastructure and of agents",
    "Alerts that fire, a row each. Alerts about Aftershock and its stack are on Pipeline health.",
    ask(
        f"max by (alertname) (ALERTS{{alertstate=`firing`,severity!=`none`,team!=`platform`,"
        f"{begins('alertname', 'alert')}}})",
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
        "Line": "What happened",
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
        whole("What happened", custom_minWidth=280),
        whole("All explanations"),
    ),
    onward=TO_RUN,
)

EVIDENCE = events_table(
    "Attributions",
    "Every attribution as it was opened, updated and closed, with a person's feedback.",
    log_lines(ATTRIBUTIONS),
    empty="no attribution in this time range",
    shown={
        "gen_ai_tool_name": "Action",
        "aftershock_impact_entity": "Entity",
        "Line": "What happened",
        "aftershock_impact_label": "Grade",
        "aftershock_impact_probability": "Probability",
        "aftershock_finding_state": "State",
        "aftershock_finding_feedback": "A person's feedback",
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
        whole("What happened", custom_minWidth=320),
        coloured("State", STATES, custom_width=90),
    ),
    onward=TO_RUN,
).sized(24, 7)

PARTS = events_table(
    "Parts of each attribution",
    "Why a probability is what it is, in nats of surprise (3 is one in 20, 7 is one in 1,000): how "
    "unusual the target was after the action, and what is subtracted from that.",
    log_lines(ATTRIBUTIONS),
    empty="no attribution in this time range",
    shown={
        "gen_ai_tool_name": "Action",
        "aftershock_impact_entity": "Entity",
        "aftershock_impact_nats_own": "Unusual after the action",
        "aftershock_impact_nats_before": "Already unusual before",
        "aftershock_impact_nats_callee": "Explained by what it calls",
        "aftershock_impact_nats_alternative": "Unusual where no agent acted",
    },
    run_to=OF_ROW,
    overrides=tuple(
        override(name, decimals=1)
        for name in (
            "Unusual after the action",
            "Already unusual before",
            "Explained by what it calls",
            "Unusual where no agent acted",
        )
    ),
    onward=TO_RUN,
).sized(24, 7)

GAP = events_table(
    "Context gap",
    "What the agent had not read when it acted: facts that the action needs, and what was already "
    "wrong with the target or around it.",
    log_lines(f"{ATTRIBUTIONS} | aftershock_impact_gap!=``"),
    empty="nothing was wrong before the action and no fact was lacked, or the agent had read it",
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
    "Every approval that was asked for or given: for which action, the answer, and by whom.",
    log_lines(events(STEP, THIS, "aftershock_step_kind=`approval`")),
    empty="no approval was asked for: no policy wants one, or the agent does not record it",
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
    quiet="the demo's policy asks for no approval",
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
    empty="no attribution in this time range",
    steps=(),
    sort="Start time",
    overrides=(linked("Trace ID", links.to_trace()),),
    onward=TO_RUN,
)

DASHBOARD = Dashboard(
    uid=links.INCIDENT,
    title="Aftershock / Incident",
    says="From an alert back: who did this, how sure that is, and what the agent did not know.",
    variables=(ENVIRONMENT, AGENT, RUN, ENTITY, ALERT, TARGET),
    annotations=drawn_in(THIS),
    rows=(
        Row("What happened?", (HEADLINE, SERIES)),
        Row("Who did this?", BEHIND),
        Row("When", (PROBABILITY, ALERTS)),
        Row("Attributions and suspects", (EVIDENCE, SUSPECTED)),
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
        Row("For whoever doubts the numbers", (PARTS,), collapsed=True),
    ),
)
