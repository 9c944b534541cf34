"""Decisions and context: did agents know enough when they acted, and were they allowed to?"""

from __future__ import annotations

from dashboards import links
from dashboards.dashboard import AGENT, ENVIRONMENT, Dashboard, Row
from dashboards.findings import (
    FINDING,
    findings_by_kind,
    findings_open,
    findings_table,
    of_kinds,
)
from dashboards.panels import bars, chart, stat
from dashboards.queries import (
    RISKY,
    ask_now,
    counted,
    events,
    log_instant,
    log_range,
    metric,
    over_time,
    share,
    tally,
)  # fmt: skip
from dashboards.runs import STEP, drawn_in
from dashboards.style import ANY, COMPLETE, FAMILIES, WAITING, linked, override, series
from dashboards.tables import table
from dashboards.transformations import joined

TO_RUN = (links.to(links.RUN, "Run timeline"),)
TO_INCIDENT = (links.to(links.INCIDENT, "Incident"),)
REQUIRED = metric("agent_required_facts_total")
UNMET = metric("agent_unmet_facts_total")
FACTS = {kind: hue for kind, hue in FAMILIES["context"].items() if kind.endswith("_fact")}
DECIDED = {"unexplained_action": FAMILIES["context"]["unexplained_action"], **FAMILIES["control"]}
NOTHING_NEEDED = "no action needed a fact: name them under tools.NAME.requires in aftershock.yaml"


NEEDING = events(
    STEP,
    "aftershock_step_state=`ended`",
    "(aftershock_context_known!=`` or aftershock_context_lacked!=``)",
)


def complete(by: str = "") -> str:
    """Of the facts that actions needed, the share that was known."""
    return f"1 - {share(counted(UNMET, by), counted(REQUIRED, by))}"


def found(kind: str) -> str:
    """How many findings of one kind were opened."""
    opened = "aftershock_finding_state=`opened`"
    return tally(events(FINDING, opened, f"aftershock_finding_kind=`{kind}`"))


SUMMARY = (
    stat(
        "Completeness",
        "Of the facts that actions needed, by policy or by what past runs read, the share that "
        "the agent had "
        "read and could use when it acted.",
        ask_now(complete()),
        empty="nothing needed",
        unit="percentunit",
        thresholds=COMPLETE,
        decimals=0,
        onward=TO_RUN,
    ),
    *(
        stat(
            title,
            says,
            log_instant(found(kind)),
            empty="none",
            thresholds=ANY,
            onward=TO_RUN,
            quiet=quiet,
        )
        for title, kind, says, quiet in (
            (
                "Missing facts",
                "missing_fact",
                "missing_fact: actions whose required fact was never obtained.",
                "",
            ),
            (
                "Ungrounded arguments",
                "ungrounded_argument",
                "ungrounded_argument: a name in the call that nothing the agent read contains.",
                "the demo's agent makes no name up",
            ),
            (
                "Unexplained actions",
                "unexplained_action",
                "unexplained_action: risky actions without a recorded decision.",
                "the demo's agent records its decisions or none at all",
            ),
            (
                "Unapproved actions",
                "unapproved_action",
                "unapproved_action: actions without the approval that policy wants before them.",
                "the demo's policy asks for no approval",
            ),
        )
    ),
    stat(
        "Approvals waiting",
        "Actions that wait for a person's answer.",
        ask_now(f"sum({metric('agent_approvals_waiting')})"),
        empty="none",
        thresholds=WAITING,
        onward=TO_INCIDENT,
        quiet="the demo's policy asks nobody",
    ),
)

COMPLETENESS = (
    chart(
        "Actions with and without what they needed",
        "Actions that needed facts: those that had read all of them, and those that lacked one.",
        log_range(over_time(f"{NEEDING} | aftershock_context_lacked=``"), "had read everything"),
        log_range(over_time(f"{NEEDING} | aftershock_context_lacked!=``"), "lacked a fact"),
        empty=NOTHING_NEEDED,
        stacked=True,
        bars=True,
        overrides=series(
            {"had read everything": "semi-dark-green", "lacked a fact": "semi-dark-red"}
        ),
        onward=TO_RUN,
    ),
    table(
        "Facts that tools needed",
        "For each tool: facts needed before it, facts lacked, and how they were lacked.",
        ask_now(counted(REQUIRED, "tool")),
        ask_now(counted(UNMET, "tool")),
        ask_now(complete("tool")),
        *(
            ask_now(counted(metric("agent_unmet_facts_total", f"finding=`{kind}`"), "tool"))
            for kind in FACTS
        ),
        empty=NOTHING_NEEDED,
        steps=joined(
            "tool",
            {
                "tool": "Tool",
                "A": "Needed",
                "B": "Lacked",
                "C": "Completeness",
                **dict(zip("DEFG", FACTS, strict=True)),
            },
        ),
        sort="Lacked",
        overrides=(
            linked("Tool", *TO_RUN),
            override(
                "Completeness",
                unit="percentunit",
                thresholds=COMPLETE,
                custom_cellOptions={"type": "color-text"},
            ),
        ),
        onward=TO_RUN,
    ).sized(12, 8),
    chart(
        "Facts lacked, by how",
        "Never obtained (missing_fact), asked for in vain (failed_fact), too old (stale_fact), or "
        "cut from the context before the decision (dropped_fact).",
        log_range(
            over_time(
                events(FINDING, "aftershock_finding_state=`opened`", of_kinds(FACTS)),
                "aftershock_finding_kind",
            ),
            "{{aftershock_finding_kind}}",
        ),
        empty="no fact was lacking",
        stacked=True,
        bars=True,
        overrides=series(FACTS),
        onward=TO_RUN,
    ),
    bars(
        "Facts lacked, by tool",
        "Tools that were called without the facts that they need.",
        ask_now(f"sort_desc({counted(UNMET, 'tool')})", "{{tool}}"),
        empty="no fact was lacking",
        onward=TO_RUN,
    ),
)

FOUND = (
    findings_by_kind("Context findings", FAMILIES["context"]).sized(8, 8),
    findings_open("Context findings open", FAMILIES["context"]).sized(16, 8),
    findings_table(
        "What agents did not know",
        "Each action on incomplete context, in a sentence.",
        kinds=FAMILIES["context"],
    ),
)

DECISIONS = (
    chart(
        "Decisions and actions",
        "Recorded decisions beside the actions that can change something: where actions outnumber "
        "decisions, agents act without saying why.",
        log_range(
            over_time(events(STEP, "aftershock_step_kind=`decision`")),
            "decisions",
        ),
        log_range(
            over_time(events(STEP, "aftershock_step_state=`ended`", RISKY)),
            "actions with an effect",
        ),
        empty="no agent decided or changed anything",
        bars=True,
        onward=TO_RUN,
    ),
    findings_by_kind(
        "Unexplained and unapproved actions",
        DECIDED,
        quiet="the demo's policy asks for no approval, and its agent explains what it does",
    ),
    findings_table(
        "Actions that nobody explained or approved",
        "unexplained_action: no decision was recorded. unapproved_action: no approval was given.",
        kinds=DECIDED,
        quiet="the demo's policy asks for no approval, and its agent explains what it does",
    ),
)

DASHBOARD = Dashboard(
    uid=links.CONTEXT,
    title="Aftershock / Decisions and context",
    says="Did agents know enough when they acted, did they say why, and were they allowed to?",
    variables=(ENVIRONMENT, AGENT),
    annotations=drawn_in(),
    rows=(
        Row("Over the time range", SUMMARY),
        Row("Completeness", COMPLETENESS),
        Row("What was lacking", FOUND),
        Row("Decisions and approvals", DECISIONS),
    ),
)
