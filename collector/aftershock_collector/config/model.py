"""One frozen Config: every setting of the collector, with every limit and its reason.

`Config.parse` trusts its document: `config.load` has checked it against the schema, put the
environment's values in, and replaced secrets' files by what they hold.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import platformdirs

from aftershock.policy.policy import parse_seconds
from aftershock_collector.config.oidc import Oidc
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.metrics.queries import Prometheus, queries_of

Document = Mapping[str, Any]

HOME_VARIABLE = "AFTERSHOCK_HOME"
FILE_VARIABLE = "AFTERSHOCK_POLICY"  # the agent's process finds the same file by the same name
FILE_NAME = "aftershock.yaml"
TIMEZONE_VARIABLE = "AFTERSHOCK_TIMEZONE"  # of the commands too, which read no file for it
# Read in the agent's process only; `aftershock check` must not call them unknown.
AGENT_VARIABLES = frozenset(
    {
        "AFTERSHOCK_COLLECTOR",
        "AFTERSHOCK_HEARTBEAT_S",
        "AFTERSHOCK_REDACTION",
        "AFTERSHOCK_SERVICE_NAME",
        "AFTERSHOCK_TOKEN",  # of commands
    }
)


TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class ValueType(StrEnum):
    """How the text of an environment variable is to be read."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "true or false"
    TARGETS = "URLs with commas between them"
    NAMES = "names with commas between them"

    def read(self, text: str) -> Any:
        """The value as YAML would have read it. What does not fit stays text, for the schema."""
        text = text.strip()
        try:
            match self:
                case ValueType.NUMBER:
                    return float(text) if "." in text else int(text)
                case ValueType.TRUTH:
                    return TRUTHS[text.lower()]
                case ValueType.TARGETS:
                    return [{"url": url} for part in text.split(",") if (url := part.strip())]
                case ValueType.NAMES:
                    return [name for part in text.split(",") if (name := part.strip())]
                case ValueType.TEXT:
                    return text
        except (ValueError, KeyError):
            return text


# What the environment may say, and the key of aftershock.yaml that it then stands for.
ENVIRONMENT: dict[str, tuple[tuple[str, ...], ValueType]] = {
    "AFTERSHOCK_HTTP": (("collector", "http"), ValueType.TEXT),
    "AFTERSHOCK_GRPC": (("collector", "grpc"), ValueType.TEXT),
    "AFTERSHOCK_FORWARD": (("collector", "forward"), ValueType.TEXT),
    "AFTERSHOCK_ACTIVITY_LOG": (("collector", "activity_log"), ValueType.TEXT),
    "AFTERSHOCK_KEEP": (("collector", "keep"), ValueType.NUMBER),
    "AFTERSHOCK_STORE_BYTES_MAX": (("collector", "store_bytes_max"), ValueType.NUMBER),
    "AFTERSHOCK_QUEUE_BYTES_MAX": (("collector", "queue_bytes_max"), ValueType.NUMBER),
    "AFTERSHOCK_REQUEST_BYTES_MAX": (("collector", "request_bytes_max"), ValueType.NUMBER),
    "AFTERSHOCK_MEMORY_MAX": (("collector", "memory_max"), ValueType.NUMBER),
    "AFTERSHOCK_SERIES_MAX": (("collector", "series_max"), ValueType.NUMBER),
    "AFTERSHOCK_HOSTS": (("collector", "hosts"), ValueType.NAMES),
    "AFTERSHOCK_INSECURE": (("collector", "insecure"), ValueType.TRUTH),
    "AFTERSHOCK_TLS_CERTIFICATE": (("collector", "tls", "certificate"), ValueType.TEXT),
    "AFTERSHOCK_TLS_KEY": (("collector", "tls", "key"), ValueType.TEXT),
    "AFTERSHOCK_TLS_CLIENT_CA": (("collector", "tls", "client_ca"), ValueType.TEXT),
    "AFTERSHOCK_TICK": (("collector", "tick"), ValueType.NUMBER),
    "AFTERSHOCK_HOST": (("infrastructure", "host"), ValueType.TRUTH),
    "AFTERSHOCK_SCRAPE": (("infrastructure", "scrape"), ValueType.TARGETS),
    "AFTERSHOCK_PROMETHEUS": (("infrastructure", "prometheus", "url"), ValueType.TEXT),
    "AFTERSHOCK_OBSERVATION_WINDOW": (("infrastructure", "observation_window"), ValueType.NUMBER),
    "AFTERSHOCK_WEBHOOK_URL": (("on_call", "webhook", "url"), ValueType.TEXT),
    "AFTERSHOCK_SLACK_URL": (("on_call", "slack", "url"), ValueType.TEXT),
    "AFTERSHOCK_PAGERDUTY_ROUTING_KEY": (("on_call", "pagerduty", "routing_key"), ValueType.TEXT),
    "AFTERSHOCK_TEAMS_URL": (("on_call", "teams", "url"), ValueType.TEXT),
    "AFTERSHOCK_OPSGENIE_API_KEY": (("on_call", "opsgenie", "api_key"), ValueType.TEXT),
    "AFTERSHOCK_ALERTMANAGER_URL": (("on_call", "alertmanager", "url"), ValueType.TEXT),
    "AFTERSHOCK_GRAFANA_URL": (("on_call", "grafana", "url"), ValueType.TEXT),
    "AFTERSHOCK_GRAFANA_TOKEN": (("on_call", "grafana", "token"), ValueType.TEXT),
    "AFTERSHOCK_FINDINGS_OTLP": (("on_call", "otlp"), ValueType.TEXT),
    "AFTERSHOCK_LINK": (("on_call", "link"), ValueType.TEXT),
    "AFTERSHOCK_DASHBOARDS_URL": (("on_call", "dashboards_url"), ValueType.TEXT),
    "AFTERSHOCK_TRACE_URL": (("on_call", "trace_url"), ValueType.TEXT),
    TIMEZONE_VARIABLE: (("on_call", "timezone"), ValueType.TEXT),
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0 lets the system choose."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """`host:port`; an IPv6 host may stand in brackets."""
        host, _, port = text.rpartition(":")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificate of both servers, in PEM files; `None`: plain text."""

    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None  # clients may show a certificate that this authority signed


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """One Prometheus endpoint to read."""

    url: str
    every_s: float = (
        5.0  # an incident of three minutes then has 36 points, enough for an attribution
    )
    entity: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class LogFiles:
    """Log files of something that agents act on; `path` may be a pattern."""

    path: str
    format: str
    entity: Mapping[str, str] = field(default_factory=dict[str, str])  # empty: records say it


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """What is measured, and what calls what."""

    host: bool = False
    host_every_s: float = 5.0  # as often as targets are scraped: series of one rhythm compare
    scrape: tuple[ScrapeTarget, ...] = ()
    topology: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    prometheus: Prometheus | None = (
        None  # queried while actions are observed, beside what is scraped
    )
    logs: tuple[LogFiles, ...] = ()
    deleted_rows_max: int | None = None  # in one logged statement; None: deleting is no damage
    observation_window_s: float = (
        600.0  # later degradations could not be separated from chance in recordings
    )


POLICY_SECTIONS = ("tools", "agents", "models", "limits", "approvals_from", "gate")
MEMORY_BYTES_MAX = 512_000_000  # of the whole process; a container of 1 GB has room to spare


@dataclass(frozen=True, slots=True)
class Config:
    """How one collector runs. `document` keeps what the policy reads: tools, agents, limits."""

    home: Path
    http: Address = Address("127.0.0.1", 4318)  # loopback: nothing here asks who is calling
    grpc: Address = Address("127.0.0.1", 4317)
    hosts: tuple[str, ...] = ()  # names to serve beside loopback's, the bound one and the link's
    shared_runs: tuple[str, ...] = ()  # patterns of senders that may add to each other's runs
    insecure: bool = False  # True: reachable from other machines without asking who is calling
    tls: Tls = Tls()
    oidc: Oidc | None = None  # where people sign in; None: they are known by tokens
    sender_requests_per_s_max: float = 1_000.0  # a fleet's own collector sends a tenth of it
    forward_url: str | None = None
    activity_log_url: str | None = (
        None  # receives a log event for each step; usually a store of logs
    )
    keep_s: float = 7 * 86_400.0  # incidents are reviewed within the week
    store_bytes_max: int = 4_000_000_000  # two to three million spans; fits any laptop
    queue_bytes_max: int = 64_000_000  # three seconds of full load; decoded it is 300 MB at worst
    request_bytes_max: int = 16_000_000  # unpacked; four times the largest batch SDKs send
    requests_max: int = 1_024  # waiting at once; each holds a connection and a future
    group_bytes_max: int = 4_000_000  # of one commit: decodes in 50 ms, so no sender waits for long
    answer_s: float = 3.0  # before 503: exporters give up after 10 s, so they get three tries
    retry_after_s: float = 1.0  # what a refused sender is asked to wait, for the same reason
    forward_queue_bytes_max: int = 32_000_000  # half of the queue: passing on comes second
    memory_bytes_max: int = MEMORY_BYTES_MAX
    series_max: int = 20_000  # 300 bytes and one ring each: 100 MB at worst
    tick_s: float = 0.5  # a finding within a second needs two conclusions a second
    # System → what it signs its webhooks with; such webhooks need no token.
    webhook_secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    infrastructure: Infrastructure = Infrastructure()
    on_call: OnCall = field(default_factory=OnCall)
    document: Document = field(default_factory=dict[str, Any])

    @property
    def store(self) -> Path:
        """The one file that holds everything durable."""
        return self.home / "aftershock.db"

    @property
    def tokens(self) -> Path:
        """The file that holds the hashes of tokens."""
        return self.home / "tokens.json"

    @classmethod
    def parse(cls, document: Document, home: Path) -> Config:
        """Read a checked document (`config.load.load` is the way to get one)."""
        collector: Document = document.get("collector") or {}
        given: dict[str, Any] = {
            key: collector[key]
            for key in (
                "store_bytes_max",
                "queue_bytes_max",
                "request_bytes_max",
                "series_max",
                "sender_requests_per_s_max",
            )
            if key in collector
        }
        given |= {
            f"{key}_s": parse_seconds(collector[key])
            for key in ("keep", "tick")
            if key in collector
        }
        given |= {
            key: Address.parse(collector[key]) for key in ("http", "grpc") if key in collector
        }
        return cls(
            home=home,
            memory_bytes_max=collector.get("memory_max") or MEMORY_BYTES_MAX,
            hosts=tuple(collector.get("hosts") or ()),
            shared_runs=tuple(collector.get("shared_runs") or ()),
            insecure=bool(collector.get("insecure")),
            tls=_tls(collector.get("tls") or {}),
            oidc=Oidc.parse(collector.get("oidc") or {}),
            forward_url=collector.get("forward"),
            activity_log_url=collector.get("activity_log"),
            webhook_secrets=_webhook_secrets(collector.get("webhooks") or {}),
            infrastructure=_infrastructure(document.get("infrastructure") or {}),
            on_call=OnCall.parse(document.get("on_call") or {}),
            document={key: document[key] for key in POLICY_SECTIONS if document.get(key)},
            **given,
        )


def home(environment: Mapping[str, str] | None = None) -> Path:
    """The one folder that holds all state."""
    named = (os.environ if environment is None else environment).get(HOME_VARIABLE)
    return (
        Path(named).expanduser()
        if named
        else platformdirs.user_data_path("aftershock", appauthor=False)
    )


def _tls(given: Document) -> Tls:
    return Tls(**{name: Path(place).expanduser() for name, place in given.items()})


def _webhook_secrets(given: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    return {system: section["secret"] for system, section in given.items()}


def _infrastructure(given: Document) -> Infrastructure:
    options: dict[str, Any] = {"host": given["host"]} if "host" in given else {}
    options |= {
        f"{key}_s": parse_seconds(given[key])
        for key in ("host_every", "observation_window")
        if key in given
    }
    topology: Document = given.get("topology") or {}
    return Infrastructure(
        scrape=tuple(_scrape_target(target) for target in given.get("scrape") or ()),
        topology={caller: tuple(called) for caller, called in topology.items()},
        prometheus=_prometheus(given.get("prometheus") or {}),
        logs=tuple(
            LogFiles(each["path"], each["format"], each.get("entity") or {})
            for each in given.get("logs") or ()
        ),
        deleted_rows_max=given.get("deleted_rows_max"),
        **options,
    )


def _scrape_target(given: Document) -> ScrapeTarget:
    options = {"every_s": parse_seconds(given["every"])} if "every" in given else {}
    return ScrapeTarget(url=given["url"], entity=dict(given.get("entity") or {}), **options)


def _prometheus(given: Document) -> Prometheus | None:
    if "url" not in given:
        return None
    options: dict[str, Any] = {
        f"{key}_s": parse_seconds(given[key]) for key in ("step", "timeout") if key in given
    }
    queries = queries_of(given.get("queries") or {})
    return Prometheus(given["url"], headers=given.get("headers") or {}, queries=queries, **options)
