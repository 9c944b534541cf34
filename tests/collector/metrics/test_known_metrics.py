"""known_metrics: what common exporters write is classified out of the box."""

from __future__ import annotations

from collections import Counter

import pytest

from aftershock_collector.metrics.classification import classify
from aftershock_collector.metrics.exposition import samples_of
from aftershock_collector.metrics.known_metrics import KNOWN, known
from aftershock_collector.metrics.measure import Measurer, Point
from aftershock_collector.metrics.series import Family, SeriesStore
from aftershock_collector.otlp.wire import SampleKind

S = 1_000_000_000
TEXT = "text/plain; version=0.0.4"
POD = 'namespace="prod",pod="web-7d4b9c6f5b-x2x9k"'


def measured(text: str, job: str = "exporter", scrapes: int = 2) -> dict[tuple[str, str], Point]:
    """The newest point of every series after the same text was scraped some times."""
    measurer = Measurer()
    found: dict[tuple[str, str], Point] = {}
    for number in range(scrapes):
        resource = {"service.name": job, "instance": "node-3:9100"}
        for point in measurer.measure(samples_of(text, TEXT, resource, (number + 1) * 15 * S)):
            found[point.entity, point.metric] = point
    return found


def test_a_name_stands_in_the_table_once() -> None:
    counted = Counter(name.lower() for metric in KNOWN for name in metric.names)

    assert [name for name, count in counted.items() if count > 1] == []


@pytest.mark.parametrize(
    ("name", "kind", "family"),
    [
        ("kube_pod_container_status_restarts_total", SampleKind.SUM, Family.ERRORS),
        ("k8s.container.restarts", SampleKind.GAUGE, Family.ERRORS),
        ("container_cpu_cfs_throttled_seconds_total", SampleKind.SUM, Family.RESOURCES),
        ("container_memory_working_set_bytes", SampleKind.GAUGE, Family.RESOURCES),
        ("node_pressure_io_stalled_seconds_total", SampleKind.SUM, Family.RESOURCES),
        ("jvm.memory.used", SampleKind.GAUGE, Family.RESOURCES),
        ("jvm_memory_used_bytes", SampleKind.GAUGE, Family.RESOURCES),
        ("jvm_gc_pause_seconds", SampleKind.SUMMARY, Family.RESOURCES),
        ("pg_stat_database_deadlocks", SampleKind.SUM, Family.ERRORS),
        ("postgresql.backends", SampleKind.GAUGE, Family.RESOURCES),
        ("pg_replication_lag_seconds", SampleKind.GAUGE, Family.LATENCY),
        ("mysql_global_status_threads_running", SampleKind.GAUGE, Family.RESOURCES),
        ("mysql_slave_status_seconds_behind_master", SampleKind.GAUGE, Family.LATENCY),
        ("redis_rejected_connections_total", SampleKind.SUM, Family.ERRORS),
        ("redis.memory.used", SampleKind.GAUGE, Family.RESOURCES),
        ("kafka_consumergroup_lag", SampleKind.GAUGE, Family.RESOURCES),
        ("rabbitmq_queue_messages_ready", SampleKind.GAUGE, Family.RESOURCES),
        ("nginx_http_requests_total", SampleKind.SUM, Family.TRAFFIC),
        ("envoy_cluster_upstream_rq_timeout", SampleKind.SUM, Family.ERRORS),
        ("grpc_server_handled_total", SampleKind.SUM, Family.TRAFFIC),
        ("http.server.request.duration", SampleKind.EXPONENTIAL_HISTOGRAM, Family.LATENCY),
        ("rpc.server.duration", SampleKind.HISTOGRAM, Family.LATENCY),
        ("grpc_server_handling_seconds", SampleKind.HISTOGRAM, Family.LATENCY),
    ],
)
def test_names_of_exporters_and_of_conventions_are_known(
    name: str, kind: SampleKind, family: Family
) -> None:
    found = classify(name, "", kind, kind is SampleKind.SUM)

    assert found is not None
    assert found.family is family


@pytest.mark.parametrize(
    "name",
    ["kube_pod_container_resource_limits", "container_spec_memory_limit_bytes",
     "jvm_memory_max_bytes", "hikaricp_connections_max", "pg_settings_max_connections",
     "kube_deployment_spec_replicas", "redis_memory_max_bytes"],
)  # fmt: skip
def test_limits_and_wishes_are_not_measured(name: str) -> None:
    assert classify(name, "", SampleKind.GAUGE, False) is None


def test_a_pod_that_was_killed_for_memory_is_an_error_of_its_deployment() -> None:
    reason = "kube_pod_container_status_last_terminated_reason"
    point = measured(
        f'{reason}{{{POD},reason="OOMKilled"}} 1\n{reason}{{{POD},reason="Completed"}} 0\n',
        job="kube-state-metrics",
    )["k8s/prod/web", reason]

    assert (point.family, point.value) == (Family.ERRORS, 1.0)


def test_only_pods_that_wait_or_failed_count_as_trouble() -> None:
    def phases(running: int, pending: int) -> float:
        name = "kube_pod_status_phase"
        text = f'{name}{{{POD},phase="Running"}} {running}\n'
        text += f'{name}{{{POD},phase="Pending"}} {pending}\n'
        return measured(text)["k8s/prod/web", name].value

    assert phases(1, 0) == 0.0
    assert phases(0, 1) == 1.0


def test_a_node_that_is_not_ready_is_trouble_of_that_host() -> None:
    name = "kube_node_status_condition"
    ready = '{node="node-7",condition="Ready",status="%s"} %d\n'
    text = name + ready % ("true", 0) + name + ready % ("false", 1)

    assert measured(text)["host/node-7", name].value == 1.0
    assert (
        measured(name + ready % ("true", 1) + name + ready % ("false", 0))[
            "host/node-7", name
        ].value
        == 0.0
    )


def test_what_node_exporter_says_belongs_to_the_machine_it_runs_on() -> None:
    found = measured("# TYPE node_load1 gauge\nnode_load1 3.5\n")

    assert found["host/node-3", "node_load1"].value == 3.5


def test_an_exporter_of_the_platform_is_no_other_name_of_what_it_reports() -> None:
    store = SeriesStore()
    resource = {"service.name": "kube-state-metrics"}
    text = 'kube_deployment_status_replicas_unavailable{namespace="prod",deployment="web"} 2\n'
    Measurer().record(samples_of(text, TEXT, resource, S), store)

    assert store.entities() == ["k8s/prod/web"]
    assert store.canonical("service/kube-state-metrics") == "service/kube-state-metrics"


@pytest.mark.parametrize("name", ["up", "pg_up", "mysql_up", "redis_up", "probe_success"])
def test_what_is_down_is_an_error(name: str) -> None:
    assert measured(f"{name} 0\n")["service/exporter", name].value == 1.0
    assert measured(f"{name} 1\n")["service/exporter", name].value == 0.0


def test_the_end_of_garbage_collection_is_no_traffic_that_stopped() -> None:
    text = "# TYPE jvm_gc_pause_seconds summary\njvm_gc_pause_seconds_count %d\n"
    text += "jvm_gc_pause_seconds_sum %d\n"
    measurer = Measurer()
    resource = {"service.name": "cart"}
    points = [
        point
        for number in range(40)
        for point in measurer.measure(
            samples_of(text % (min(number, 30) * 20, number), TEXT, resource, number * 15 * S)
        )
    ]

    assert [p for p in points if p.metric.endswith("stopped")] == []


def test_a_name_that_only_resembles_one_is_not_known() -> None:
    assert known("kube_pod_status_phases") is None
    assert known("my_redis_up") is None
