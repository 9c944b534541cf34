"""Alerts about what agents do: the slow route to a page, which needs only a scrape.

The collector posts the same findings to Alertmanager itself, within a second and with the
evidence; alertmanager.yml inhibits these rules while it does. So they page where that route is
broken, and they fire no longer than their finding is open.
"""

from __future__ import annotations

from alerts.rule import Alert, Group, Severity, Team

LOOPS, CONTEXT, RUN = "aftershock-loops", "aftershock-context", "aftershock-run"
INCIDENT = "aftershock-incident"
WHOSE = "agent, service, environment"
STOP = "Stop the run first: its page and the runbook have the command."


def name_of(kind: str) -> str:
    """repeated_action → AgentRepeatedAction, as the fast route names it."""
    return "Agent" + "".join(word.capitalize() for word in kind.removeprefix("agent_").split("_"))


def found(kind: str, dashboard: str, summary: str, *, level: str = "alarm") -> Alert:
    """Fires while findings of one kind are open: alarms page, warnings are shown on dashboards."""
    pages = level == "alarm"
    return Alert(
        name=name_of(kind),
        expression=f"sum by ({WHOSE}) "
        f'(aftershock_findings_open{{kind="{kind}", level="{level}"}}) > 0',
        after="" if pages else "5m",
        severity=Severity.CRITICAL if pages else Severity.INFO,
        team=Team.AGENTS,
        summary=summary,
        description="{{ $labels.agent }} has {{ $value }} open finding(s) of kind "
        f"{kind}. {STOP}",
        dashboard=dashboard,
        variables=("environment", "agent"),
        labels=(("kind", kind),),
    )


FINDINGS = (
    found("silent_failure", LOOPS, "A tool fails in its answers only, and the agent goes on"),
    found("hung_tool", LOOPS, "A tool call runs far longer than it ever did"),
    found("crashed_run", LOOPS, "A run of an agent ended with an exception"),
    found("stopped_early", LOOPS, "An agent's run ended as done, and was not"),
    found(
        "unfounded_answer", LOOPS, "An agent answered from nothing that it looked up", level="warn"
    ),
    found("repeated_action", LOOPS, "An agent makes the same call again and again"),
    found("action_cycle", LOOPS, "An agent repeats a circle of calls"),
    found("error_streak", LOOPS, "An agent gets the same error again and again"),
    found("stalled_run", LOOPS, "An agent started something and fell silent"),
    found("missing_fact", CONTEXT, "An agent acted without a fact that its policy requires"),
    found("failed_fact", CONTEXT, "An agent acted although a read that it needed had failed"),
    found("stale_fact", CONTEXT, "An agent acted on something that is too old or has changed"),
    found("dropped_fact", CONTEXT, "An agent acted after what it knew was cut from its context"),
    found("ungrounded_argument", CONTEXT, "An agent used a name that nothing it read contains"),
    found("unapproved_action", CONTEXT, "An agent acted without the approval that policy wants"),
    found("failure_cascade", LOOPS, "Whatever an agent tries, it fails"),
    found("budget_exceeded", LOOPS, "An agent's run is over its budget"),
    found(
        "unexplained_action", CONTEXT, "An agent acted without recording a decision", level="warn"
    ),
    found("context_pressure", LOOPS, "An agent's context window is nearly full", level="warn"),
)

IMPACT = Alert(
    name=name_of("agent_impact"),
    expression=f"max by ({WHOSE}, tool, entity) (aftershock_impact_probability) >= 0.8",
    after="",
    severity=Severity.CRITICAL,
    team=Team.AGENTS,
    summary="An agent's action probably broke something",
    description="{{ $labels.tool }} of {{ $labels.agent }} probably degraded {{ $labels.entity }} "
    f"({{{{ $value | humanizePercentage }}}}). {STOP}",
    dashboard=INCIDENT,
    variables=("environment", "agent", "entity"),
    labels=(("kind", "agent_impact"),),
)

RATIOS = (
    Alert(
        name="AgentToolErrorRatio",
        expression="aftershock:agent_tool_errors:ratio_rate5m > 0.5 "
        f"and on ({WHOSE}) sum by ({WHOSE}) (increase(aftershock_agent_tool_calls_total[5m])) > 10",
        after="5m",
        severity=Severity.WARNING,
        team=Team.AGENTS,
        summary="More than half of an agent's tool calls fail",
        description="{{ $value | humanizePercentage }} of the tool calls of {{ $labels.agent }} "
        "failed in the last five minutes.",
        dashboard=LOOPS,
        variables=("environment", "agent"),
    ),
    Alert(
        name="AgentBudgetBurn",
        expression=f"max by ({WHOSE}, budget) (aftershock_agent_budget_used_ratio) > 0.8",
        after="30s",
        severity=Severity.WARNING,
        team=Team.AGENTS,
        summary="A run of an agent has nearly used up its budget",
        description="A run of {{ $labels.agent }} has used {{ $value | humanizePercentage }} of "
        "its {{ $labels.budget }}.",
        dashboard=LOOPS,
        variables=("environment", "agent"),
    ),
)

GROUP = Group("agents", "What agents do", (*FINDINGS, IMPACT, *RATIOS))
