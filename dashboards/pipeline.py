"""Pipeline health: does Aftershock keep up, lose nothing, and deliver its pages?"""

from __future__ import annotations

from dashboards import links
from dashboards.dashboard import Dashboard, Row, listed
from dashboards.panels import chart, stat
from dashboards.queries import ask, ask_now, chosen, counted, own, quantile, rate
from dashboards.style import ANY, steps

HERE = chosen("instance", "collector")
COLLECTOR = listed(
    "collector",
    "Collector",
    "Aftershock collectors that Prometheus scrapes",
    "label_values(aftershock_store_writable, instance)",
)
TO_FLEET = (links.plain(links.FLEET, "Fleet"),)
NOTHING = "no collector is scraped: add its /metrics to Prometheus"


def of(name: str, *more: str) -> str:
    """A metric of the chosen collectors."""
    return own(name, HERE, *more)


# Every process exports these names; only collectors are meant.
OF_PROCESS = {
    "memory": f"process_resident_memory_bytes{{{HERE}}}",
    "cpu": f"process_cpu_seconds_total{{{HERE}}}",
}
IS_OURS = f"and on (instance, job) {of('store_writable')}"


def slow(name: str) -> str:
    """The 95th percentile of one of the collector's own histograms."""
    return quantile(of(f"{name}_bucket"), 0.95, "instance")


NOW = (
    stat(
        "Collectors up",
        "Collectors that answer Prometheus's scrapes and can write.",
        ask_now(f"sum({of('store_writable')})"),
        empty="none",
        thresholds=steps((1, "semi-dark-green"), first="semi-dark-red"),
        onward=TO_FLEET,
    ),
    stat(
        "Lost",
        "Items that were lost on our side, for any reason.",
        ask_now(counted(of("dropped_total"))),
        empty="none",
        thresholds=ANY,
        onward=TO_FLEET,
        quiet="nothing is lost while the store writes",
    ),
    stat(
        "Undelivered",
        "Pages and events that were given up after all attempts.",
        ask_now(counted(of("deliveries_total", "outcome=`given_up`"))),
        empty="none",
        thresholds=ANY,
        onward=TO_FLEET,
        quiet="nothing is given up while all receivers answer",
    ),
    stat(
        "Own errors",
        "The collector's own errors, stopped where they happened.",
        ask_now(counted(of("failures_total"))),
        empty="none",
        thresholds=ANY,
        onward=TO_FLEET,
        quiet="nothing fails",
    ),
    stat(
        "Runs in memory",
        "Runs that are judged.",
        ask_now(f"sum({of('runs_live')})"),
        empty=NOTHING,
        onward=TO_FLEET,
    ),
    stat(
        "Series in memory",
        "Metric series of the infrastructure that actions are judged by.",
        ask_now(f"sum({of('series_live')})"),
        empty=NOTHING,
        onward=TO_FLEET,
    ),
)

IN = (
    chart(
        "Received",
        "Spans, log events and samples that were read.",
        ask(rate(of("received_total"), "signal"), "{{signal}}"),
        empty=NOTHING,
        unit="ops",
        stacked=True,
        onward=TO_FLEET,
    ),
    chart(
        "Dropped, by reason",
        "What was lost on our side: each reason is a limit that was reached.",
        ask(rate(of("dropped_total"), "reason"), "{{reason}}"),
        empty="nothing was lost",
        unit="ops",
        stacked=True,
        bars=True,
        onward=TO_FLEET,
        quiet="nothing is lost",
    ),
    chart(
        "Refused, by reason",
        "Items that cannot be used: a bug of the sender, and each answer said so.",
        ask(rate(of("rejected_total"), "signal, reason"), "{{signal}}: {{reason}}"),
        empty="nothing was refused",
        unit="ops",
        stacked=True,
        bars=True,
        onward=TO_FLEET,
        quiet="nothing is refused",
    ),
    chart(
        "Requests, by answer",
        "Requests over both transports; 503 asks a sender to come back.",
        ask(rate(of("requests_total"), "transport, answer"), "{{transport}} {{answer}}"),
        empty=NOTHING,
        unit="reqps",
        stacked=True,
        onward=TO_FLEET,
    ),
)

TIME = (
    chart(
        "Lag",
        "95th percentile from the end of a span to its arrival: what agents' exporters add.",
        ask(slow("lag_seconds"), "{{instance}}"),
        empty="no span arrived",
        unit="s",
        thresholds=steps((30, "semi-dark-red")),
        limit_shown=True,
        onward=TO_FLEET,
    ),
    chart(
        "From request to commit",
        "95th percentile: what is acknowledged is stored.",
        ask(slow("acknowledge_seconds"), "{{instance}}"),
        empty="no request arrived",
        unit="s",
        thresholds=steps((3, "semi-dark-red")),
        limit_shown=True,
        onward=TO_FLEET,
    ),
    chart(
        "Cost of judging",
        "95th percentile of one round over everything that is new.",
        ask(slow("judge_seconds"), "one round"),
        empty=NOTHING,
        unit="s",
        thresholds=steps((0.5, "semi-dark-red")),
        limit_shown=True,
        onward=TO_FLEET,
    ),
    chart(
        "Time spent judging",
        "Share of one core.",
        ask(rate(of("judge_seconds_sum"), "instance"), "{{instance}}"),
        empty=NOTHING,
        unit="percentunit",
        thresholds=steps((0.8, "semi-dark-red")),
        limit_shown=True,
        onward=TO_FLEET,
    ),
)

STORE = (
    chart(
        "Queue",
        "Bytes that wait to be stored; senders are asked to wait when it is full.",
        ask(f"sum by (instance) ({of('queue_bytes')})", "{{instance}}"),
        empty=NOTHING,
        unit="bytes",
        onward=TO_FLEET,
    ),
    chart(
        "Requests waiting",
        "Requests that wait to be stored; each holds a connection.",
        ask(f"sum by (instance) ({of('queue_requests')})", "{{instance}}"),
        empty=NOTHING,
        onward=TO_FLEET,
    ),
    chart(
        "Store",
        "Bytes that rows use.",
        ask(f"sum by (instance) ({of('store_bytes')})", "{{instance}}"),
        empty=NOTHING,
        unit="bytes",
        onward=TO_FLEET,
    ),
    chart(
        "Writes that the store refused",
        "By reason. Nothing is acknowledged meanwhile.",
        ask(rate(of("store_errors_total"), "reason"), "{{reason}}"),
        empty="none",
        unit="ops",
        bars=True,
        onward=TO_FLEET,
        quiet="the store refuses nothing",
    ),
    chart(
        "Rows removed",
        "For age or size, by table.",
        ask(rate(of("pruned_total"), "table"), "{{table}}"),
        empty="none was old enough",
        unit="ops",
        stacked=True,
        onward=TO_FLEET,
        quiet="nothing is old enough in minutes",
    ),
    chart(
        "Memory",
        "Resident memory of the collector's process.",
        ask(f"sum by (instance) ({OF_PROCESS['memory']} {IS_OURS})", "{{instance}}"),
        empty=NOTHING,
        unit="bytes",
        onward=TO_FLEET,
    ),
    chart(
        "Processor time",
        "Cores that the collector uses.",
        ask(
            f"sum by (instance) (rate({OF_PROCESS['cpu']}[$__rate_interval]) {IS_OURS})",
            "{{instance}}",
        ),
        empty=NOTHING,
        onward=TO_FLEET,
    ),
)

OUT = (
    chart(
        "Deliveries, by receiver",
        "Attempts to deliver: delivered, retried, given up, renewed.",
        ask(rate(of("deliveries_total"), "receiver, outcome"), "{{receiver}} {{outcome}}"),
        empty="nothing was sent: no receiver is configured, or nothing was found",
        unit="ops",
        stacked=True,
        onward=TO_FLEET,
    ),
    chart(
        "Alertmanager's deliveries",
        "Notifications that Alertmanager sent, and those that failed, by receiver.",
        ask(
            "sum by (integration) "
            "(increase(alertmanager_notifications_total[$__rate_interval])) > 0",
            "{{integration}} sent",
        ),
        ask(
            "sum by (integration) "
            "(increase(alertmanager_notifications_failed_total[$__rate_interval])) > 0",
            "{{integration}} failed",
        ),
        empty="Alertmanager sent nothing, or Prometheus does not scrape it",
        quiet="nothing is sent but in the first minutes",
        bars=True,
        stacked=True,
        onward=TO_FLEET,
    ),
    chart(
        "Parts of the stack",
        "1 while Prometheus reaches it: Collector, Prometheus, Alertmanager, Tempo, Loki, Grafana.",
        ask(
            "min by (job) (up{job=~`aftershock|otel-collector|prometheus|alertmanager|tempo|loki"
            "|grafana`})",
            "{{job}}",
        ),
        empty="Prometheus scrapes no part of the stack",
        onward=TO_FLEET,
    ),
    chart(
        "Passed on",
        "Requests that were passed on to the next collector and to the store of logs.",
        ask(rate(of("forwarded_total"), "signal, outcome"), "{{signal}} {{outcome}}"),
        empty="nothing is passed on: collector.forward and collector.activity_log are not set",
        unit="reqps",
        stacked=True,
        onward=TO_FLEET,
    ),
    chart(
        "Waiting to be passed on",
        "Bytes; what finds no room is dropped and counted.",
        ask(f"sum by (instance) ({of('forward_queue_bytes')})", "{{instance}}"),
        empty=NOTHING,
        unit="bytes",
        onward=TO_FLEET,
    ),
    chart(
        "Scrapes",
        "Reads of Prometheus targets by the collector itself.",
        ask(rate(of("scrapes_total"), "outcome"), "{{outcome}}"),
        empty="the collector scrapes nothing itself",
        unit="ops",
        onward=TO_FLEET,
        quiet="in the stack the collector scrapes nothing itself",
    ),
    chart(
        "Queries to Prometheus",
        "Made while actions are observed: answered, or failed.",
        ask(rate(of("queries_total"), "outcome"), "{{outcome}}"),
        empty="nothing was queried: infrastructure.prometheus is not set, or no action is observed",
        quiet="in the stack series arrive by OTLP, so none are queried",
        unit="reqps",
        onward=TO_FLEET,
    ),
    chart(
        "Findings closed",
        "By reason: the run ended, the evidence changed, or a person decided.",
        ask(rate(of("findings_closed_total"), "reason"), "{{reason}}"),
        empty="none was closed",
        unit="ops",
        stacked=True,
        bars=True,
        onward=TO_FLEET,
    ),
)

DASHBOARD = Dashboard(
    uid=links.PIPELINE,
    title="Aftershock / Pipeline health",
    says="Does Aftershock keep up, lose nothing, and deliver its pages?",
    variables=(COLLECTOR,),
    rows=(
        Row("Now", NOW),
        Row("In", IN),
        Row("How fast", TIME),
        Row("Store and process", STORE),
        Row("Out", OUT),
    ),
)
