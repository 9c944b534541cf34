"""Alerts about Aftershock and its stack: do they work themselves?"""

from __future__ import annotations

from alerts.rule import Alert, Group, Severity, Team

DASHBOARD = "aftershock-pipeline"


def about(  # noqa: PLR0917  # in the order in which people read them
    name: str, expression: str, after: str, severity: Severity, summary: str, description: str
) -> Alert:
    """An alert about the pipeline itself."""
    return Alert(name, expression, after, severity, Team.PLATFORM, summary, description, DASHBOARD)


def happened(metric: str, where: str, by: str, span: str = "15m") -> str:
    """True for a while after each time that a counter grew, the first time too.

    A counter with labels appears when it is first counted: then there is nothing to grow from.
    """
    counter = f"{metric}{where}"
    return (
        f"(sum by ({by}) (increase({counter}[{span}])) > 0) "
        f"or (sum by ({by}) ({counter} unless {counter} offset {span}) > 0)"
    )


RULES = (
    about(
        "AftershockAbsent",
        'absent(up{job="aftershock"} == 1)',
        "1m",
        Severity.CRITICAL,
        "No Aftershock collector answers",
        "Prometheus reaches no Aftershock collector: what agents do is neither kept nor judged.",
    ),
    about(
        "AftershockDropping",
        "sum by (instance, reason) (rate(aftershock_dropped_total[5m])) > 0",
        "5m",
        Severity.WARNING,
        "The collector drops what it should have kept",
        "{{ $labels.instance }} drops {{ $value | humanize }} items/s: {{ $labels.reason }}.",
    ),
    about(
        "AftershockFull",
        "max by (instance, bound) (aftershock_full) == 1",
        "1m",
        Severity.WARNING,
        "The collector is full",
        "A bound of {{ $labels.instance }} turns away what it should keep: {{ $labels.bound }}.",
    ),
    about(
        "AftershockRefusing",
        "sum by (instance, signal, reason) (rate(aftershock_rejected_total[5m])) > 0",
        "15m",
        Severity.INFO,
        "Somebody sends what the collector cannot read",
        "{{ $labels.instance }} refuses {{ $value | humanize }} {{ $labels.signal }}/s: "
        "{{ $labels.reason }}.",
    ),
    about(
        "AftershockLagging",
        "histogram_quantile(0.9, sum by (instance, le) "
        "(rate(aftershock_lag_seconds_bucket[5m]))) > 60",
        "10m",
        Severity.WARNING,
        "Spans arrive more than a minute after they ended",
        "A tenth of the spans reach {{ $labels.instance }} later than "
        "{{ $value | humanizeDuration }} after their end: findings are delayed as much.",
    ),
    about(
        "AftershockDeliveryFailing",
        happened("aftershock_deliveries_total", '{outcome="given_up"}', "instance, receiver"),
        "",
        Severity.CRITICAL,
        "A page did not reach its receiver",
        "{{ $labels.instance }} gave up delivering to {{ $labels.receiver }} in the last quarter "
        "of an hour; `aftershock findings` shows what it was about.",
    ),
    about(
        "AftershockPagesNoOne",
        "aftershock_receivers == 0",
        "10m",
        Severity.WARNING,
        "No receiver of pages is configured",
        "{{ $labels.instance }} finds what agents did and pages no one: name a receiver under "
        "on_call, then `aftershock send-test-page`.",
    ),
    about(
        "AftershockForwardingFailing",
        "sum by (instance, signal) "
        '(rate(aftershock_forwarded_total{outcome=~"dropped|refused|unreachable"}[5m])) > 0',
        "5m",
        Severity.WARNING,
        "What the collector passes on does not arrive",
        "{{ $labels.instance }} cannot pass on {{ $labels.signal }}: {{ $value | humanize }} "
        "failed attempts/s.",
    ),
    about(
        "AftershockStoreNotWritable",
        "aftershock_store_writable == 0",
        "1m",
        Severity.CRITICAL,
        "The collector's store takes no writes",
        "The store of {{ $labels.instance }} is full, locked or broken: senders are asked to wait.",
    ),
    about(
        "AftershockQueueFilling",
        "aftershock_queue_bytes > 48e6",  # three quarters of what collector.queue_bytes_max is
        "1m",
        Severity.WARNING,
        "Requests wait longer and longer to be stored",
        "{{ $value | humanize1024 }}B wait to be stored by {{ $labels.instance }}; at 64 MB "
        "senders are refused.",
    ),
    about(
        "AftershockJudgingSlow",
        "histogram_quantile(0.9, sum by (instance, le) "
        "(rate(aftershock_judge_seconds_bucket[5m]))) > 1",
        "5m",
        Severity.WARNING,
        "Judging takes longer than a second",
        "A tenth of the rounds of {{ $labels.instance }} take more than "
        "{{ $value | humanizeDuration }}.",
    ),
    about(
        "AftershockFailing",
        happened("aftershock_failures_total", "", "instance, place"),
        "",
        Severity.WARNING,
        "The collector ran into an error of its own",
        "{{ $labels.place }} of {{ $labels.instance }} failed in the last quarter of an hour; its "
        "log has the traceback.",
    ),
    about(
        "TelemetryExportFailing",
        "sum by (instance, exporter) (rate({"
        '__name__=~"otelcol_exporter_send_failed_spans_total'
        "|otelcol_exporter_send_failed_log_records_total"
        '|otelcol_exporter_send_failed_metric_points_total"}[5m])) > 0',
        "5m",
        Severity.WARNING,
        "The OpenTelemetry Collector loses telemetry",
        "{{ $labels.exporter }} fails to pass on {{ $value | humanize }} items/s.",
    ),
    about(
        "TelemetryStoreDown",
        'up{job=~"otel-collector|tempo|loki|alertmanager|grafana"} == 0',
        "2m",
        Severity.WARNING,
        "A part of the stack does not answer",
        "{{ $labels.job }} at {{ $labels.instance }} has not answered for two minutes.",
    ),
    about(
        "TelemetryNotificationsFailing",
        "(sum by (instance, integration) "
        "(increase(alertmanager_notifications_failed_total[5m])) > 0) "
        "or (sum by (instance) (increase(prometheus_notifications_errors_total[5m])) > 0)",
        "1m",
        Severity.CRITICAL,
        "Alerts do not reach their receivers",
        '{{ $labels.instance }} failed to deliver {{ printf "%.0f" $value }} notifications in five '
        "minutes{{ with $labels.integration }} by {{ . }}{{ end }}: somebody is not paged.",
    ),
    about(
        "Watchdog",
        "vector(1)",
        "",
        Severity.NONE,
        "Always fires: silence means that the path to you is broken",
        "This alert always fires. Whoever stops receiving it can no longer be paged.",
    ),
)

GROUP = Group("pipeline", "Whether Aftershock and its stack work themselves", RULES)
