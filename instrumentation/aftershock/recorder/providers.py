"""Providers: where spans and log events go, set up once and taken down in time.

With a provider of the app's own, our tracking joins it and our exporter stands beside its own.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider

from aftershock.recorder import fingerprint_key, implicit_run, settings, span_wrapping
from aftershock.recorder.app_providers import LOGS, METRICS, TRACES, yield_to_app
from aftershock.recorder.delivery import Outage, SanitizingLogExporter, SanitizingSpanExporter
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.exit_flush import LogQueue, SpanQueue, flush_at_exit
from aftershock.recorder.import_hooks import when_imported
from aftershock.recorder.lifecycle_events import LifecycleEvents
from aftershock.recorder.pending_spans import PENDING
from aftershock.recorder.span_tracking import SpanTracking
from aftershock.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("aftershock")

PROTOCOLS = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}


@dataclass(slots=True)
class Pipeline:
    """Everything that was set up in this process."""

    spans: TracerProvider
    logs: LoggerProvider
    lifecycle: LifecycleEvents
    outage: Outage
    queues: list[SpanQueue | LogQueue]


_pipeline: Pipeline | None = None


def start(*, export: bool = True) -> Pipeline | None:
    """Set up tracking and export, once. `export=False`: somebody else's exporters do it.

    None where OpenTelemetry is switched off.
    """
    global _pipeline  # noqa: PLW0603 (one process, one pipeline)
    if _pipeline is not None or switched_off():
        return _pipeline
    settings.set_defaults()
    fingerprint_key.install()
    outage = Outage(settings.endpoint())
    spans, logs = tracer_provider(), logger_provider()
    lifecycle = LifecycleEvents(
        lambda: logs.get_logger("aftershock", VERSION),
        on_tick=close_idle,
        heartbeat_s=heartbeat_s(),
    )
    _pipeline = Pipeline(spans, logs, lifecycle, outage, [])
    tracking = SpanTracking(lifecycle)
    join_spans(spans, tracking, export=export)
    yield_to_app(TRACES, spans, lambda other: join_spans(other, tracking, export=export))
    if export:
        join_logs(logs)
        yield_to_app(LOGS, logs, join_logs)
        outage.quiet()
        # At exit it is flushed after `finish` has ended what is open.
        start_metrics(spans.resource, outage)
    os.register_at_fork(after_in_child=implicit_run.forget)
    atexit.register(finish)
    finish_workers_too()
    return _pipeline


def join_spans(provider: Any, tracking: SpanTracking, *, export: bool) -> None:
    """Add our processors to a provider, where it takes some."""
    if _pipeline is None or not hasattr(provider, "add_span_processor"):
        return
    provider.add_span_processor(tracking)
    if export and (makers := exporters("traces", _pipeline.outage)):
        queue = SpanQueue(SanitizingSpanExporter(makers), _pipeline.outage)
        provider.add_span_processor(queue)
        _pipeline.queues.append(queue)
        PENDING.exported_by_us = True


def join_logs(provider: Any) -> None:
    """Add our processor to a provider of log events, where it takes some."""
    if _pipeline is None or not hasattr(provider, "add_log_record_processor"):
        return
    if makers := exporters("logs", _pipeline.outage):
        queue = LogQueue(SanitizingLogExporter(makers), _pipeline.outage)
        provider.add_log_record_processor(queue)
        _pipeline.queues.append(queue)


def switched_off() -> bool:
    """OpenTelemetry's own switch."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def heartbeat_s() -> float:
    """Seconds between heartbeats of a step that lasts."""
    try:
        return max(0.1, float(os.environ.get("AFTERSHOCK_HEARTBEAT_S", "30")))
    except ValueError:
        return 30.0


def resource() -> Resource:
    """Who sends: the program's name, unless the user named it."""
    own: dict[str, Any] = {
        "telemetry.distro.name": "aftershock",
        "telemetry.distro.version": VERSION,
    }
    if name := settings.named_service():
        own[SERVICE_NAME] = name
    return Resource.create(own)


def tracer_provider() -> TracerProvider:
    """The app's provider, if it has one that takes processors, else ours."""
    present = trace.get_tracer_provider()
    if isinstance(present, TracerProvider):
        return present
    made = TracerProvider(resource=resource())
    trace.set_tracer_provider(made)
    return made


def logger_provider() -> LoggerProvider:
    """The same for log events."""
    present = _logs.get_logger_provider()
    if isinstance(present, LoggerProvider):
        return present
    made = LoggerProvider(resource=resource())
    _logs.set_logger_provider(made)
    return made


def start_metrics(of: Resource, outage: Outage) -> None:
    """Metrics of the instrumentations, only where somebody asked for them."""
    makers = exporters("metrics", outage)
    if not makers:
        return
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 (20 ms, rarely wanted)
    from opentelemetry.sdk.metrics.export import (  # noqa: PLC0415
        MetricReader,
        PeriodicExportingMetricReader,
    )

    made = [make() for make, _ in makers]
    readers = [
        one if isinstance(one, MetricReader) else PeriodicExportingMetricReader(one) for one in made
    ]
    made_by_us = MeterProvider(resource=of, metric_readers=readers)
    metrics.set_meter_provider(made_by_us)
    yield_to_app(METRICS, made_by_us)


def exporters(signal: str, outage: Outage) -> list[tuple[Callable[[], Any], Outage]]:
    """Makers of the exporters that OTEL_*_EXPORTER names; none is made before it is needed.

    Those that go to the collector share its outage; another, such as the console, has its own.
    """
    named = os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "")
    found: list[tuple[Callable[[], Any], Outage]] = []
    for name in (one.strip() for one in named.split(",")):
        if not name or name.lower() == "none":
            continue
        entry = protocol_of(signal) if name == "otlp" else name
        make = maker(signal, entry)
        if make is None:
            logger.warning("aftershock: OTEL_*_EXPORTER names %s, which is not installed", name)
        else:
            found.append((make, outage if entry.startswith("otlp") else Outage()))
    return found


def protocol_of(signal: str) -> str:
    """The exporter for the protocol that the user wants."""
    wanted = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL") or (
        os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "")
    )
    return PROTOCOLS.get(wanted.strip(), "otlp_proto_http")


def maker(signal: str, entry: str) -> Callable[[], Any] | None:
    """A function that makes one exporter. None: there is no such exporter.

    What it needs is imported here, on the app's thread: a fork while another thread imports would
    leave half a module, and its lock, in the child.
    """
    found = list(entry_points(group=f"opentelemetry_{signal}_exporter", name=entry))
    if not found:
        return None
    kind: Any = found[0].load()
    if not wants_direct_session(entry):
        return kind
    import requests  # noqa: PLC0415 (what the exporter itself uses)

    def make() -> Any:
        session = requests.Session()
        session.trust_env = False  # a proxy could not reach this machine
        return kind(session=session)

    return make


def wants_direct_session(entry: str) -> bool:
    """True for OTLP over HTTP to this machine."""
    return (
        entry == "otlp_proto_http" and urlsplit(settings.endpoint()).hostname in settings.LOOPBACK
    )


def close_idle(now_ns: int) -> None:
    """Close implicit runs that are idle and steps that were abandoned."""
    implicit_run.close_idle(now_ns)
    span_wrapping.close_abandoned()


def finish() -> None:
    """The process ends: close what is open, and try an unreachable collector no more."""
    if _pipeline is None:
        return
    try:
        implicit_run.close_all()
        span_wrapping.close_abandoned()
        _pipeline.lifecycle.close()
        flush_at_exit(flush_queues, _pipeline.outage)
        _pipeline.outage.closing = True
    except Exception:  # noqa: BLE001 (ours)
        record_failure("finishing")


def flush() -> None:
    """Send what waits, now."""
    if _pipeline is not None:
        _pipeline.lifecycle.flush()
        flush_queues()
        flush_metrics()


def flush_queues() -> None:
    """Send the spans and log events that wait in our queues."""
    for queue in _pipeline.queues if _pipeline is not None else ():
        queue.force_flush()


def flush_metrics() -> None:
    """Send the metrics that wait, where somebody asked for them."""
    present: Any = metrics.get_meter_provider()
    if force_flush := getattr(present, "force_flush", None):
        force_flush()


def finish_workers_too() -> None:
    """Workers of multiprocessing end without the exit that providers flush in; flush in theirs."""

    def hook(name: str) -> None:
        module: Any = sys.modules[name]

        def in_worker(_: object) -> None:
            module.Finalize(None, finish_worker, exitpriority=100)

        module.register_after_fork(finish_worker, in_worker)

    when_imported("multiprocessing.util", hook)


def finish_worker() -> None:
    """The end of a worker process."""
    finish()
    if _pipeline is not None:
        _pipeline.spans.shutdown()
        _pipeline.logs.shutdown()
        flush_metrics()
