"""Ratios that alerts and dashboards share, worked out once."""

from __future__ import annotations

from alerts.rule import Group, Recording

WHOSE = "agent, service, environment"


def summed(metric: str, span: str, function: str = "rate", where: str = "") -> str:
    """A counter's growth by agent."""
    return f"sum by ({WHOSE}) ({function}({metric}{where}[{span}]))"


CALLS = "aftershock_agent_tool_calls_total"
FAILED = '{outcome="failed"}'
RULES = (
    Recording(
        "aftershock:agent_tool_errors:ratio_rate5m",
        f"{summed(CALLS, '5m', where=FAILED)} / {summed(CALLS, '5m')}",
    ),
    Recording(
        "aftershock:agent_unmet_facts:ratio_increase1h",
        f"{summed('aftershock_agent_unmet_facts_total', '1h', 'increase')} "
        f"/ {summed('aftershock_agent_required_facts_total', '1h', 'increase')}",
    ),
    Recording(
        "aftershock:agent_wasted_steps:ratio_increase1h",
        f"{summed('aftershock_agent_wasted_steps_total', '1h', 'increase')} "
        f"/ {summed('aftershock_agent_steps_total', '1h', 'increase')}",
    ),
    Recording(
        "aftershock:agent_cost_usd:increase1h",
        summed("aftershock_agent_cost_usd_total", "1h", "increase"),
    ),
    Recording(
        "aftershock:dropped:ratio_rate5m",
        "sum by (instance) (rate(aftershock_dropped_total[5m])) "
        "/ sum by (instance) (rate(aftershock_received_total[5m]))",
    ),
)

GROUP = Group("recording", "Ratios that alerts and dashboards share", RULES)
