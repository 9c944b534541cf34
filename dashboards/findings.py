"""Panels about findings that several dashboards show: each kind by its name, in its colour."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards import links
from dashboards.panels import Panel, bars, chart, states
from dashboards.queries import ask, events, log_instant, log_lines, metric, tally
from dashboards.style import KINDS, LEVELS, STATES, coloured, series, whole
from dashboards.tables import events_table
from dashboards.transformations import rows_of, series_of

FINDING = "aftershock.finding"
OPENED = "aftershock_finding_state=`opened`"
TO_INCIDENT = (links.to(links.INCIDENT, "Incident"),)


def of_kinds(kinds: Mapping[str, str]) -> str:
    """A matcher for these kinds of findings."""
    return f"aftershock_finding_kind=~`{'|'.join(kinds)}`"


def findings_by_kind(
    title: str = "Findings by kind",
    kinds: Mapping[str, str] = KINDS,
    *more: str,
    quiet: str = "",
) -> Panel:
    """How many of each kind were opened in the time range."""
    asked = events(FINDING, OPENED, of_kinds(kinds), *more)
    return bars(
        title,
        f"Findings that were opened in the time range: {', '.join(kinds)}. Counted from the "
        "findings themselves, so that one alone is seen.",
        log_instant(tally(asked, "aftershock_finding_kind"), "{{aftershock_finding_kind}}"),
        empty="none in this time range",
        steps=series_of("aftershock_finding_kind"),
        overrides=series(kinds),
        onward=TO_INCIDENT,
        quiet=quiet,
    )


def findings_open(
    title: str = "Findings open",
    kinds: Mapping[str, str] = KINDS,
    *,
    quiet: str = "",
) -> Panel:
    """How many of each kind were open, over time."""
    asked = metric("findings_open", f"kind=~`{'|'.join(kinds)}`")
    return chart(
        title,
        f"Findings that were open at each moment: {', '.join(kinds)}.",
        ask(f"sum by (kind) ({asked})", "{{kind}}"),
        empty="none was open in this time range",
        stacked=True,
        overrides=series(kinds),
        onward=TO_INCIDENT,
        quiet=quiet,
    )


def findings_timeline(*more: str) -> Panel:
    """When each kind of finding was open."""
    return states(
        "Findings",
        "Which findings were open, and when: one row for each kind.",
        log_lines(events(FINDING, *more)),
        empty="nothing was found in this time range",
        colours=dict(STATES),
        steps=rows_of("aftershock_finding_state", "aftershock_finding_kind"),
        onward=TO_INCIDENT,
    )


def findings_table(
    title: str,
    says: str,
    *more: str,
    kinds: Mapping[str, str] = KINDS,
    quiet: str = "",
) -> Panel:
    """Findings as sentences, newest first."""
    return events_table(
        title,
        says,
        log_lines(events(FINDING, of_kinds(kinds), *more)),
        empty="nothing was found in this time range",
        shown={
            "aftershock_finding_kind": "Finding",
            "aftershock_finding_level": "Level",
            "aftershock_finding_state": "State",
            "Line": "What was found",
            "aftershock_finding_facts": "Evidence",
            "aftershock_finding_closing": "Closed because",
            "gen_ai_agent_name": "Agent",
        },
        run_to=links.to(links.RUN, "Run timeline", run=links.field("Run")),
        overrides=(
            coloured(
                "Finding",
                KINDS,
                custom_width=170,
                links=[links.to(links.INCIDENT, "Incident", run=links.field("Run"))],
            ),
            coloured("Level", LEVELS, custom_width=80),
            coloured("State", STATES, custom_width=90),
            whole("What was found", custom_minWidth=320),
            whole("Evidence"),
        ),
        onward=TO_INCIDENT,
        quiet=quiet,
    )
