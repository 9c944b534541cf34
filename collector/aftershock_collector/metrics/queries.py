"""The PromQL queries that are sent to Prometheus, by family: templates over entity keys.

`{service}` and its like stand in `=~` matchers: one name, several with | between them, or `.+`.
Larger must be worse, except in traffic. `{window}` is the stretch that a rate is taken over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

WINDOW = "window"
PLACEHOLDERS = ("service", "namespace", "deployment", "pod", "database", "host", WINDOW)
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")  # PromQL's own braces always hold a comparison
WINDOW_STEPS = 4  # a rate needs two points, and scrapes are missed
UNITS = {"latency": "s", "errors": "1", "resources": "1", "traffic": "{request}/s"}
ANY = ".+"


@dataclass(frozen=True, slots=True)
class Query:
    """One template, and what its answer is called and means."""

    family: str  # latency | errors | resources | traffic
    name: str
    query: str
    unit: str  # UCUM, as OpenTelemetry writes it


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Address and queries of a Prometheus API: also of Mimir, Thanos and VictoriaMetrics."""

    url: str
    step_s: float = 15.0  # as often as most Prometheus scrape
    timeout_s: float = 5.0  # of one query; a slower answer arrives too late to help
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    queries: tuple[Query, ...] = ()


def _http(metric: str, code: str) -> tuple[Query, ...]:
    """Latency, errors and traffic of servers whose histogram is called so."""
    name = metric.removesuffix("_duration_seconds").replace("_", " ")
    asked = 'job=~"{service}"'
    total = f"sum by (job) (rate({metric}_count{{{asked}}}[{{window}}]))"
    buckets = f"sum by (le, job) (rate({metric}_bucket{{{asked}}}[{{window}}]))"
    return (
        Query("latency", f"{name} p99", f"histogram_quantile(0.99, {buckets})", "s"),
        _failed(f"{name} errors", f"{metric}_count", code),
        Query("traffic", f"{name} rate", total, "{request}/s"),
    )


def _failed(name: str, counter: str, code: str) -> Query:
    """The share of answers with a 5xx; nothing where the counter does not tell the codes."""
    asked = 'job=~"{service}"'
    reported = f'sum by (job) (rate({counter}{{{asked},{code}!=""}}[{{window}}]))'
    bad = f'sum by (job) (rate({counter}{{{asked},{code}=~"5.."}}[{{window}}]))'
    return Query("errors", name, f"({bad} or 0 * {reported}) / {reported}", "1")


def _pods(metric: str, *, rate: bool) -> str:
    """A container's metric, by pod; pods are filed under their deployment."""
    containers = f'{metric}{{namespace=~"{{namespace}}",pod=~"{{pod}}",container!=""}}'
    inner = f"rate({containers}[{{window}}])" if rate else containers
    return f"sum by (namespace, pod) ({inner})"


_RESTARTS = _pods("kube_pod_container_status_restarts_total", rate=True)
_CPU = _pods("container_cpu_usage_seconds_total", rate=True)
_MEMORY = _pods("container_memory_working_set_bytes", rate=False)
_PROCESS_CPU = 'avg by (job) (rate(process_cpu_seconds_total{job=~"{service}"}[{window}]))'
_PROCESS_MEMORY = 'avg by (job) (process_resident_memory_bytes{job=~"{service}"})'
_POSTGRES = 'sum by (datname) (pg_stat_activity_count{datname=~"{database}"})'

DEFAULT_QUERIES = (
    *_http("http_server_request_duration_seconds", "http_response_status_code"),
    *_http("http_request_duration_seconds", "code"),
    _failed("http errors", "http_requests_total", "code"),
    Query("errors", "down", '1 - avg by (job) (up{job=~"{service}"})', "1"),
    Query("errors", "container restarts", _RESTARTS, "{error}/s"),
    Query("resources", "container cpu", _CPU, "1"),
    Query("resources", "container memory", _MEMORY, "By"),
    Query("resources", "process cpu", _PROCESS_CPU, "1"),
    Query("resources", "process memory", _PROCESS_MEMORY, "By"),
    Query("resources", "postgres connections", _POSTGRES, "{connection}"),
)


def queries_of(given: Mapping[str, Mapping[str, Any]]) -> tuple[Query, ...]:
    """The configured queries; a family that is not configured keeps its defaults."""
    queries: list[Query] = []
    for family, usual in UNITS.items():
        if family not in given:
            queries += [query for query in DEFAULT_QUERIES if query.family == family]
        for name, value in given.get(family, {}).items():
            whole = {"query": value} if isinstance(value, str) else value
            queries.append(Query(family, name, whole["query"], whole.get("unit", usual)))
    return tuple(queries)


def unknown_placeholders(query: str) -> list[str]:
    """Placeholders that stand for nothing we know."""
    return [name for name in PLACEHOLDER.findall(query) if name not in PLACEHOLDERS]


def fill(query: Query, entities: Iterable[str] | None, step_s: float) -> str | None:
    """The query about these entities (None: about all); None where it is about none of them."""
    named = _named(entities)
    values = {WINDOW: f"{max(1, round(WINDOW_STEPS * step_s))}s"}
    for name in set(PLACEHOLDER.findall(query.query)) - {WINDOW}:
        if named is None:
            values[name] = ANY
        elif found := named.get(name):
            values[name] = "|".join(sorted(found))
        else:
            return None
    return PLACEHOLDER.sub(lambda place: values[place[1]], query.query)


def _named(entities: Iterable[str] | None) -> dict[str, set[str]] | None:
    """Placeholder → regular expressions of what the entities' keys name."""
    if entities is None:
        return None
    found: dict[str, set[str]] = {}
    for entity in entities:
        match entity.split("/", 2):
            case ["service", *rest]:
                parts = {"service": _literal("/".join(rest))}
            case ["k8s", namespace, deployment]:
                parts = {
                    "namespace": _literal(namespace),
                    "deployment": _literal(deployment),
                    "pod": f"{_literal(deployment)}-.+",
                }
            case ["pod", namespace, pod]:
                parts = {"namespace": _literal(namespace), "pod": _literal(pod)}
            case ["db", *rest]:
                parts = {"database": _literal("/".join(rest))}
            case ["host", *rest]:
                parts = {"host": _literal("/".join(rest))}
            case _:
                parts = {}
        for name, value in parts.items():
            found.setdefault(name, set()).add(value)
    return found


def _literal(name: str) -> str:
    """A name as a regular expression inside a PromQL string."""
    return re.escape(name).replace("\\", "\\\\").replace('"', '\\"')
