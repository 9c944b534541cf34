"""Examples of alerts about services and hosts, with the label that joins them with agents' actions.

The label `entity` says what each is about, in the words of Aftershock: `service/checkout`,
`db/orders`, `host/web-1`. With it, an alert gets its suspects, and an attribution on the same
entity inhibits its page. Give your own alerts one, by a label as here or by relabelling.
"""

from __future__ import annotations

from alerts.rule import Alert, Group, Severity, Team

INCIDENT = "aftershock-incident"


def about(  # noqa: PLR0917  # in the order in which people read them
    name: str, expression: str, after: str, entity: str, summary: str, description: str
) -> Alert:
    """An alert about one entity."""
    return Alert(
        name,
        expression,
        after,
        Severity.CRITICAL,
        Team.INFRASTRUCTURE,
        summary,
        description,
        INCIDENT,
        labels=(("entity", entity),),
    )


SERVICE, HOST = "service/{{ $labels.job }}", "host/{{ $labels.host_name }}"
RULES = (
    about(
        "ServiceErrorRatio",
        'sum by (job) (rate(http_requests_total{code=~"5.."}[1m])) '
        "/ sum by (job) (rate(http_requests_total[1m])) > 0.05",
        "15s",
        SERVICE,
        "A service fails its customers",
        "{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} fail.",
    ),
    about(
        "ServiceSlow",
        "histogram_quantile(0.95, sum by (job, le) "
        "(rate(http_request_duration_seconds_bucket[1m]))) > 1",
        "30s",
        SERVICE,
        "A service keeps its customers waiting",
        "One in twenty requests to {{ $labels.job }} takes longer than "
        "{{ $value | humanizeDuration }}.",
    ),
    about(
        "HostMemoryFull",
        'max by (host_name) (system_memory_utilization_ratio{state="used"}) > 0.95',
        "5m",
        HOST,
        "A host has hardly any memory left",
        "{{ $labels.host_name }} uses {{ $value | humanizePercentage }} of its memory.",
    ),
    about(
        "HostDiskFull",
        "max by (host_name) "
        '(system_filesystem_utilization_ratio{type!~"squashfs|iso9660|erofs"}) > 0.95',
        "5m",
        HOST,
        "A file system is nearly full",
        "{{ $labels.host_name }} uses {{ $value | humanizePercentage }} of a file system.",
    ),
)

GROUP = Group("infrastructure", "Examples of alerts about services and hosts", RULES)
