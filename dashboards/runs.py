"""Panels about runs that several dashboards show: which there were, and what targets felt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aftershock_collector.metrics.queries import DEFAULT_QUERIES, PLACEHOLDER, WINDOW
from dashboards import links
from dashboards.dashboard import Annotation, listed
from dashboards.panels import Panel, chart
from dashboards.queries import (
    MILLISECONDS,
    RISKY,
    Query,
    ask,
    distinct,
    events,
    log_instant,
    log_lines,
    tally,
)
from dashboards.style import ACTION, ANY, FINDING, WAITING, linked, override
from dashboards.tables import AS_LINK, table
from dashboards.transformations import merged

STEP = "aftershock.step"
ENDED = "aftershock_step_state=`ended`"
FINDING_ID = "aftershock_finding_id"
NO_FRAME = "aftershock_step_kind!=`agent`"  # the run itself is none of its steps
# Of databases and their pools, and not those that Grafana and Loki count of themselves.
CONNECTIONS = (
    "(db|database|hikaricp|jdbc|mysql|pgbouncer|postgresql)_(.+_)?(connections?|pool|sessions?)"
    "_(in_use|used|active|open|max|limit)"
)

TARGET = listed(
    "target",
    "Target",
    "Prometheus jobs whose latency, errors and resources are drawn: what the agent acts on",
    "label_values({__name__=~`http_server_request_duration_seconds_count"
    "|http_request_duration_seconds_count|pg_stat_activity_count|kube_pod_info"
    f"|{CONNECTIONS}`}}, job)",
    everything=None,  # All is every job in the list, and not the stack's own
)
# What a placeholder of the collector's own questions stands for on a dashboard.
PLACES: Mapping[str, str] = {
    "service": "${target:regex}",
    "namespace": ".+",
    "deployment": ".+",
    "pod": ".+",
    "database": ".+",
    "host": ".+",
    WINDOW: "$__rate_interval",
}
FAMILIES: Mapping[str, tuple[str, str, str]] = {
    "latency": ("s", "Latency", "99th percentile of the targets' requests."),
    "errors": ("percentunit", "Errors", "Share of the targets' requests that failed; 1 is down."),
    "traffic": ("reqps", "Traffic", "Requests a second that reach the targets."),
}


JUST_THIS = links.at(
    links.RUN,
    "Open the run",
    links.number("From"),
    links.number("To"),
    run=links.field("Run"),
    agent=links.field("Agent"),
)


def runs_table(*more: str) -> Panel:
    """Runs of the time range; a click opens one."""
    by = "aftershock_run_id, gen_ai_agent_name"
    steps = events(STEP, ENDED, NO_FRAME, *more)
    failed = events(STEP, ENDED, "aftershock_tool_result_outcome=`failed`", *more)
    found = events("aftershock.finding", "aftershock_finding_state=`opened`", *more)
    alarms = events("aftershock.finding", "aftershock_finding_level=`alarm`", *more)
    return table(
        "Runs",
        "Runs of the time range, newest first. A click opens the run's timeline, from two minutes "
        "before it to two minutes after.",
        log_instant(f"topk(100, {tally(steps, by)})"),
        log_instant(f"topk(100, {tally(f'{steps} | {RISKY}', by)})"),
        log_instant(f"topk(100, {tally(failed, by)})"),
        log_instant(f"topk(100, {distinct(alarms, FINDING_ID, by)})"),
        log_instant(f"topk(100, {distinct(found, FINDING_ID, by)})"),
        log_instant(f"min_over_time({steps} {MILLISECONDS} [$__range]) by ({by}) - 120000"),
        log_instant(f"max_over_time({steps} {MILLISECONDS} [$__range]) by ({by}) + 120000"),
        empty="no run in this time range",
        steps=merged(
            {
                "gen_ai_agent_name": "Agent",
                "Value #F": "From",
                "Value #G": "To",
                "Value #A": "Steps",
                "Value #B": "Actions",
                "Value #C": "Failed calls",
                "Value #D": "Alarms",
                "Value #E": "Findings",
                "aftershock_run_id": "Run",
            }
        ),
        sort="From",
        overrides=(
            linked("Run", JUST_THIS, custom_cellOptions=AS_LINK, custom_width=120),
            linked("Agent", JUST_THIS),
            override("Alarms", thresholds=ANY, custom_cellOptions={"type": "color-text"}),
            override("Findings", thresholds=WAITING, custom_cellOptions={"type": "color-text"}),
            override("Failed calls", thresholds=WAITING, custom_cellOptions={"type": "color-text"}),
            *(linked(name, JUST_THIS, unit="dateTimeAsIso") for name in ("From", "To")),
        ),
        onward=(links.to(links.RUN, "Run timeline"),),
    ).sized(24, 6)


def targets_panels(onward: tuple[dict[str, str], ...]) -> Iterable[Panel]:
    """What the targets felt, by the questions that the collector asks about them."""
    for family, (unit, title, says) in FAMILIES.items():
        yield chart(
            f"Targets: {title.lower()}",
            f"{says} Actions are drawn in: orange lines are the agent's, red ones findings.",
            *asked(family),
            empty="no target exports this: have Prometheus scrape what your agents act on",
            unit=unit,
            onward=onward,
        ).sized(24, 6)
    yield chart(
        "Targets: connections",
        "Connections to databases, as an exporter or the services themselves count them. "
        "Actions are drawn in.",
        *asked("resources", "postgres connections"),
        ask(
            f"sum by (job, __name__) ({{__name__=~`{CONNECTIONS}|"
            "db_client_connection_count|db_client_connections_usage`, job=~`${target:regex}`})",
            "{{job}} {{__name__}}",
        ),
        empty="no metric of the targets counts connections",
        onward=onward,
    ).sized(12, 7)
    yield chart(
        "Targets: processor time",
        "Cores that the targets' processes and containers use. Actions are drawn in.",
        *asked("resources", "process cpu", "container cpu"),
        empty="no target exports this",
        onward=onward,
    ).sized(12, 7)
    yield chart(
        "Targets: memory",
        "What the targets' processes and containers hold. Actions are drawn in.",
        *asked("resources", "process memory", "container memory"),
        empty="no target exports this",
        unit="bytes",
        onward=onward,
    ).sized(12, 7)


def asked(family: str, *names: str) -> tuple[Query, ...]:
    """The collector's own questions of one family, as a chart asks them."""
    found = [q for q in DEFAULT_QUERIES if q.family == family and (not names or q.name in names)]
    return tuple(
        ask(PLACEHOLDER.sub(lambda place: PLACES[place[1]], _back_quoted(query.query)), legend)
        for query in found
        for legend in [f"{{{{job}}}}{{{{datname}}}}{{{{pod}}}} {query.name}"]
    )


def _back_quoted(expression: str) -> str:
    """Strings in back quotes: a dashboard's variables bring backslashes of their own."""
    return expression.replace('"', "`")


def drawn_in(*more: str) -> tuple[Annotation, ...]:
    """Actions that have an effect, and findings, across every chart; actions lie on top."""
    return (
        Annotation(
            "Findings",
            log_lines(events("aftershock.finding", "aftershock_finding_state=`opened`", *more)),
            FINDING,
            "{{aftershock_finding_kind}}",
            "{{aftershock_finding_summary}}",
            "aftershock_finding_kind,aftershock_finding_level,gen_ai_agent_name",
        ),
        Annotation(
            "Actions",
            log_lines(events(STEP, "aftershock_step_state=`ended`", RISKY, *more)),
            ACTION,
            "{{gen_ai_agent_name}}: {{gen_ai_tool_name}}",
            "{{aftershock_action_targets}} {{aftershock_tool_result_outcome}}",
            "gen_ai_tool_name,aftershock_action_tier,gen_ai_agent_name",
        ),
    )
