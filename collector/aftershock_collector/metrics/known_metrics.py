"""Metrics of common exporters and conventions, as data: what each shows, by its name.

Names are Prometheus's; dots of OpenTelemetry's names are read as underscores, and a unit or
`_total` that a translation adds is left out: `jvm.memory.used` is `jvm_memory_used_bytes`. What is
not in this table is classified by its name alone (`classification.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aftershock_collector.metrics.series import Family


class Fold(StrEnum):
    """How the instances of one entity become one number."""

    SUM = "sum"
    MEAN = "mean"
    MAX = "max"


Kept = Mapping[str, tuple[str, ...]]  # label → values that are trouble; all labels must fit


@dataclass(frozen=True, slots=True)
class KnownMetric:
    """One metric of one exporter. `family` None: it does not move with trouble."""

    system: str
    names: tuple[str, ...]
    family: Family | None
    unit: str = "1"
    fold: Fold = Fold.SUM
    inverted: bool = False  # larger is better: measured as 1 - value
    kept: tuple[Kept, ...] = field(default=())  # any of these; empty: every label set


LATENCY, ERRORS = Family.LATENCY, Family.ERRORS
RESOURCES, TRAFFIC = Family.RESOURCES, Family.TRAFFIC
PER_ERROR, PER_REQUEST = "{error}/s", "{request}/s"


def _of(system: str, *rows: KnownMetric) -> tuple[KnownMetric, ...]:
    return tuple(
        KnownMetric(system, r.names, r.family, r.unit, r.fold, r.inverted, r.kept) for r in rows
    )


def _errors(*names: str, unit: str = PER_ERROR, kept: tuple[Kept, ...] = ()) -> KnownMetric:
    return KnownMetric("", names, ERRORS, unit, kept=kept)


def _broken(*names: str, kept: tuple[Kept, ...] = (), inverted: bool = False) -> KnownMetric:
    """A state that is trouble while it is not zero."""
    if inverted:
        return KnownMetric("", names, ERRORS, "1", Fold.MEAN, inverted=True)
    return KnownMetric("", names, ERRORS, "{item}", kept=kept)


def _traffic(*names: str) -> KnownMetric:
    return KnownMetric("", names, TRAFFIC, PER_REQUEST)


def _used(*names: str, unit: str = "1", fold: Fold = Fold.SUM) -> KnownMetric:
    return KnownMetric("", names, RESOURCES, unit, fold)


def _seconds(*names: str) -> KnownMetric:
    return KnownMetric("", names, LATENCY, "s", Fold.MAX)


def _ignored(*names: str) -> KnownMetric:
    return KnownMetric("", names, None)


_WAITING = (
    "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError",
    "CreateContainerError", "RunContainerError", "InvalidImageName",
)  # fmt: skip

KNOWN: tuple[KnownMetric, ...] = (
    *_of(
        "Kubernetes (kube-state-metrics)",
        _errors("kube_pod_container_status_restarts", "k8s_container_restarts"),
        _broken(
            "kube_pod_container_status_last_terminated_reason",
            "kube_pod_container_status_terminated_reason",
            kept=({"reason": ("OOMKilled", "Error", "ContainerCannotRun", "DeadlineExceeded")},),
        ),
        _broken("kube_pod_container_status_waiting_reason", kept=({"reason": _WAITING},)),
        _broken(
            "kube_pod_status_reason",
            kept=({"reason": ("Evicted", "NodeLost", "NodeAffinity", "Shutdown")},),
        ),
        _broken("kube_pod_status_phase", kept=({"phase": ("Pending", "Failed", "Unknown")},)),
        _broken("kube_pod_status_ready", kept=({"condition": ("false", "unknown")},)),
        _broken("kube_pod_status_unschedulable"),
        _broken(
            "kube_deployment_status_replicas_unavailable",
            "kube_daemonset_status_number_unavailable",
            "kube_daemonset_status_number_misscheduled",
        ),
        _broken("kube_job_status_failed", "kube_job_failed"),
        _broken(
            "kube_node_status_condition",
            kept=(
                {"condition": ("Ready",), "status": ("false", "unknown")},
                {
                    "condition": (
                        "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"
                    ),
                    "status": ("true",),
                },
            ),
        ),
        _broken("kube_node_spec_unschedulable"),
        _ignored(
            "kube_pod_container_status_running",
            "kube_pod_container_status_ready",
            "kube_pod_container_status_waiting",
            "kube_pod_container_status_terminated",
            "kube_pod_container_resource_requests",
            "kube_pod_container_resource_limits",
            "kube_deployment_spec_replicas",
            "kube_deployment_status_replicas",
            "kube_deployment_status_replicas_available",
            "kube_deployment_status_replicas_ready",
            "kube_deployment_status_replicas_updated",
            "kube_horizontalpodautoscaler_status_current_replicas",
            "kube_horizontalpodautoscaler_status_desired_replicas",
            "kube_node_status_allocatable",
            "kube_node_status_capacity",
        ),
    ),
    *_of(
        "Kubernetes (cAdvisor)",
        _errors("container_oom_events"),
        _used("container_cpu_usage", fold=Fold.MEAN),
        _used("container_cpu_cfs_throttled", "container_cpu_cfs_throttled_periods", fold=Fold.MEAN),
        _used(
            "container_memory_working_set", "container_memory_rss", unit="By", fold=Fold.MEAN
        ),
        _used("container_fs_usage", unit="By"),
        _errors(
            "container_network_receive_errors",
            "container_network_transmit_errors",
            "container_network_receive_packets_dropped",
            "container_network_transmit_packets_dropped",
        ),
        _ignored(
            "container_spec_memory_limit", "container_spec_cpu_quota", "container_spec_cpu_shares",
            "container_spec_cpu_period", "container_memory_cache", "container_memory_max_usage",
            "container_memory_usage", "container_memory_failures", "container_tasks_state",
            "container_cpu_load_average_10s",
        ),
    ),
    *_of(
        "Hosts (node exporter, OpenTelemetry)",
        _used("node_cpu", "system_cpu_time", fold=Fold.MEAN),
        _used("system_cpu_utilization", "system_memory_utilization", fold=Fold.MAX),
        _used("system_filesystem_utilization", "system_paging_utilization", fold=Fold.MAX),
        _used("node_load1", "system_cpu_load_average_1m", fold=Fold.MAX),
        _used("node_disk_io_time", "system_disk_io_time", fold=Fold.MAX),
        _used(
            "node_pressure_cpu_waiting", "node_pressure_memory_waiting",
            "node_pressure_memory_stalled", "node_pressure_io_waiting", "node_pressure_io_stalled",
        ),
        _used("node_nf_conntrack_entries", "node_filefd_allocated", unit="{item}"),
        _errors("node_vmstat_oom_kill"),
        _errors(
            "node_network_receive_errs", "node_network_transmit_errs",
            "node_network_receive_drop", "node_network_transmit_drop",
            "system_network_errors", "system_network_dropped",
            "node_netstat_TcpExt_ListenDrops", "node_netstat_TcpExt_ListenOverflows",
        ),
        _broken("node_filesystem_readonly", "node_filesystem_device_error"),
        _ignored("node_load5", "node_load15", "system_memory_limit", "node_entropy_available_bits"),
    ),
    *_of(
        "JVM (Micrometer, OpenTelemetry, client_java)",
        _used("jvm_memory_used", "jvm_memory_bytes_used", unit="By"),
        _used("jvm_buffer_memory_used", unit="By"),
        _used("jvm_gc_duration", "jvm_gc_pause", "jvm_gc_collection", unit="s", fold=Fold.MAX),
        _used("jvm_threads_live_threads", "jvm_threads_current", "jvm_thread_count"),
        _broken("jvm_threads_deadlocked"),
        _used("jvm_cpu_recent_utilization", "process_cpu_usage", fold=Fold.MEAN),
        _used("jvm_cpu_time", fold=Fold.MEAN),
        _used("hikaricp_connections_active", "jdbc_connections_active", unit="{connection}"),
        _used("hikaricp_connections_pending", "executor_queued_tasks", unit="{item}"),
        _errors("hikaricp_connections_timeout"),
        _seconds("hikaricp_connections_acquire", "hikaricp_connections_usage"),
        _used("tomcat_threads_busy_threads", "jetty_threads_busy", unit="{item}"),
        _errors("logback_events", kept=({"level": ("error", "ERROR")},)),
        _ignored(
            "jvm_memory_max", "jvm_memory_committed", "jvm_memory_limit", "jvm_gc_memory_promoted",
            "jvm_gc_memory_allocated", "jvm_memory_usage_after_gc", "jvm_classes_loaded",
            "jvm_threads_peak_threads", "jvm_threads_daemon_threads", "hikaricp_connections",
            "hikaricp_connections_idle", "hikaricp_connections_max", "hikaricp_connections_min",
            "hikaricp_connections_creation", "tomcat_threads_config_max_threads",
        ),
    ),
    *_of(
        "PostgreSQL (postgres_exporter, OpenTelemetry)",
        _broken("pg_up", inverted=True),
        _used(
            "pg_stat_activity_count", "pg_stat_database_numbackends", "postgresql_backends",
            unit="{connection}",
        ),
        _used("pg_locks_count", "postgresql_database_locks", unit="{item}"),
        _seconds("pg_stat_activity_max_tx_duration"),
        _seconds("pg_replication_lag", "postgresql_wal_lag"),
        _errors("pg_stat_database_deadlocks", "postgresql_deadlocks"),
        _errors("pg_stat_database_xact_rollback", "postgresql_rollbacks"),
        _errors("pg_stat_database_conflicts"),
        _errors("pg_stat_database_temp_files", "postgresql_temp_files"),
        _traffic("pg_stat_database_xact_commit", "postgresql_commits"),
        _ignored("pg_settings_max_connections", "postgresql_connection_max", "pg_database_size"),
    ),
    *_of(
        "MySQL (mysqld_exporter, OpenTelemetry)",
        _broken("mysql_up", inverted=True),
        _used(
            "mysql_global_status_threads_connected", "mysql_global_status_threads_running",
            "mysql_threads", unit="{connection}",
        ),
        _errors(
            "mysql_global_status_aborted_connects", "mysql_global_status_aborted_clients",
            "mysql_global_status_connection_errors",
        ),
        _errors("mysql_global_status_slow_queries", "mysql_query_slow_count"),
        _errors(
            "mysql_global_status_innodb_row_lock_waits", "mysql_global_status_innodb_deadlocks",
            "mysql_row_locks", "mysql_global_status_table_locks_waited",
        ),
        _seconds("mysql_slave_status_seconds_behind_master", "mysql_replica_time_behind_source"),
        _traffic("mysql_global_status_queries", "mysql_global_status_questions"),
        _ignored("mysql_global_variables_max_connections", "mysql_global_status_uptime"),
    ),
    *_of(
        "Redis (redis_exporter, OpenTelemetry)",
        _broken("redis_up", inverted=True),
        _used("redis_connected_clients", "redis_clients_connected", unit="{connection}"),
        _used("redis_blocked_clients", "redis_clients_blocked", unit="{connection}"),
        _used("redis_memory_used", unit="By", fold=Fold.MAX),
        _errors("redis_evicted_keys", "redis_keys_evicted"),
        _errors("redis_rejected_connections", "redis_connections_rejected"),
        _errors("redis_errors", "redis_commands_failed_calls", "redis_commands_rejected_calls"),
        _broken("redis_master_link_up", inverted=True),
        _traffic("redis_commands_processed", "redis_commands"),
        _ignored("redis_memory_max", "redis_config_maxmemory", "redis_memory_fragmentation_ratio"),
    ),
    *_of(
        "Kafka (kafka_exporter, JMX, OpenTelemetry)",
        _used(
            "kafka_consumergroup_lag", "kafka_consumer_group_lag",
            "kafka_consumer_fetch_manager_records_lag_max", "kafka_consumer_records_lag_max",
            unit="{item}",
        ),
        _broken(
            "kafka_topic_partition_under_replicated_partition",
            "kafka_server_replicamanager_underreplicatedpartitions",
            "kafka_server_replicamanager_value", "kafka_partition_under_replicated",
        ),
        _broken(
            "kafka_controller_kafkacontroller_offlinepartitionscount", "kafka_partition_offline",
        ),
        _errors(
            "kafka_server_brokertopicmetrics_failedproducerequests",
            "kafka_server_brokertopicmetrics_failedfetchrequests", "kafka_request_failed",
        ),
        _errors("kafka_controller_controllerstats_uncleanleaderelections"),
        _used(
            "kafka_network_requestchannel_requestqueuesize", "kafka_request_queue", unit="{item}"
        ),
        _traffic(
            "kafka_server_brokertopicmetrics_messagesin", "kafka_message_count",
            "kafka_topic_partition_current_offset",
        ),
    ),
    *_of(
        "RabbitMQ (its own plugin, OpenTelemetry)",
        _used(
            "rabbitmq_queue_messages", "rabbitmq_queue_messages_ready",
            "rabbitmq_queue_messages_unacked", "rabbitmq_message_current", unit="{item}",
        ),
        _used("rabbitmq_connections", "rabbitmq_channels", unit="{connection}"),
        _errors("rabbitmq_channel_messages_redelivered", "rabbitmq_global_messages_redelivered"),
        _errors(
            "rabbitmq_channel_messages_unroutable_dropped",
            "rabbitmq_global_messages_unroutable_dropped", "rabbitmq_message_dropped",
        ),
        _broken(
            "rabbitmq_alarms_memory_used_watermark", "rabbitmq_alarms_free_disk_space_watermark",
            "rabbitmq_alarms_file_descriptor_limit",
        ),
        _used("rabbitmq_process_resident_memory", unit="By", fold=Fold.MAX),
        _traffic(
            "rabbitmq_channel_messages_published", "rabbitmq_global_messages_received",
            "rabbitmq_message_published",
        ),
        _ignored("rabbitmq_queue_consumers", "rabbitmq_consumers", "rabbitmq_queues"),
    ),
    *_of(
        "nginx, Envoy, HAProxy",
        _broken("nginx_up", "nginxplus_up", "haproxy_up", inverted=True),
        _traffic("nginx_http_requests", "nginx_ingress_controller_requests"),
        _used("nginx_connections_active", "nginx_connections_waiting", unit="{connection}"),
        _used("envoy_cluster_upstream_rq_active", "envoy_cluster_upstream_rq_pending_active"),
        _errors(
            "envoy_cluster_upstream_rq_timeout", "envoy_cluster_upstream_rq_pending_overflow",
            "envoy_cluster_upstream_cx_connect_fail", "envoy_cluster_upstream_rq_retry",
            "envoy_cluster_upstream_cx_overflow",
        ),
        _errors("envoy_cluster_upstream_rq_xx", kept=({"envoy_response_code_class": ("5",)},)),
        _traffic("envoy_cluster_upstream_rq"),
        _used("haproxy_backend_current_queue", unit="{item}"),
        _errors(
            "haproxy_backend_connection_errors", "haproxy_backend_response_errors",
            "haproxy_server_check_failures",
        ),
        _ignored("nginx_connections_accepted", "nginx_connections_handled"),
    ),
    *_of(
        "gRPC, scraping itself",
        _traffic("grpc_server_handled", "grpc_server_started", "grpc_client_handled"),
        _broken("up", inverted=True),
        _broken("probe_success", inverted=True),
    ),
)  # fmt: skip


def known(plain: str) -> KnownMetric | None:
    """What the table says of a name with underscores, in lower case; None where it is not in it."""
    found = _BY_NAME.get(plain)
    for ending in _ENDINGS:
        if found is None and plain.endswith(ending):
            plain = plain.removesuffix(ending)
            found = _BY_NAME.get(plain)
    return found


_ENDINGS = ("_total", "_seconds", "_milliseconds", "_bytes", "_ratio")
_BY_NAME = {name.lower(): metric for metric in KNOWN for name in metric.names}
