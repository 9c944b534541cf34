"""The full stack without docker: what docker-compose.yml mounts, run by the same programs.

Files are used as they are; where a program reads no environment (Prometheus, Alertmanager) a copy
is made in which only addresses and places of files differ.
"""

from __future__ import annotations

import contextlib
import sys
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aftershock_collector.demo.postgres import free_port
from aftershock_collector.demo.processes import Child, Children
from tests.stack.programs import locate
from tests.support.receiver import Receiver

ROOT = Path(__file__).parents[2]
SCRAPE_EVERY = "1s"  # five times as often as in compose: the incident is played in two minutes
NEEDED = ("alertmanager", "prometheus", "otelcol", "loki", "tempo", "node_exporter")
READY_S = 90.0  # Loki waits 15 s after it is ready
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# What stands in the files of compose → which of our own addresses takes its place.
COMPOSE = (
    "aftershock:4318",
    "otel-collector:8888",
    "prometheus:9090",
    "alertmanager:9093",
    "tempo:3200",
    "loki:3100",
    "grafana:3000",
    "node-exporter:9100",
)


@dataclass(frozen=True, slots=True)
class Stack:
    """Where everything listens: by the name and port of docker-compose.yml."""

    folder: Path
    children: Children
    on_call: Receiver  # what Alertmanager's webhook tells
    at: dict[str, str] = field(default_factory=dict[str, str])  # "tempo:3200" → "127.0.0.1:40123"

    def url(self, name: str) -> str:
        """The base URL of a service, by its name in compose."""
        address = next(where for place, where in self.at.items() if place.startswith(f"{name}:"))
        return f"http://{address}"


@contextmanager
def standing(folder: Path) -> Generator[Stack]:
    """Everything, up and ready; Grafana where it is built. Raises FailedError, with a log's end."""
    logs = folder / "logs"
    logs.mkdir(parents=True)
    with Receiver() as on_call, Children(logs) as children:
        stack = Stack(folder, children, on_call)
        for place in (*COMPOSE, "otel-collector:4317", "otel-collector:4318"):
            stack.at[place] = f"127.0.0.1:{free_port()}"
        for start in (alertmanager, tempo, loki, prometheus, aftershock, collector, node_exporter):
            child, ready = start(stack)
            child.wait_until(lambda ready=ready: answers(ready), READY_S)
        if locate("grafana") is not None:
            child, ready = grafana(stack)
            child.wait_until(lambda: answers(ready), READY_S)
        yield stack


def answers(url: str) -> bool:
    """True where it answers that all is well."""
    with contextlib.suppress(OSError), DIRECT.open(url, timeout=2) as answer:
        return bool(answer.status == 200)
    return False


# --- Each program: how compose starts it --------------------------------------------------------


def alertmanager(stack: Stack) -> tuple[Child, str]:
    """Its secrets are files, as `make stack-env` makes them."""
    secrets = stack.folder / "secrets"
    secrets.mkdir()
    for name in ("slack_url", "pagerduty_key", "opsgenie_key", "smtp_password"):
        (secrets / name).touch()
    (secrets / "webhook_url").write_text(f"{stack.on_call.url}/alertmanager", encoding="utf-8")
    config = native(
        stack, ROOT / "deploy" / "alertmanager" / "alertmanager.yml", {
            "/run/alertmanager": str(secrets),
            "/etc/alertmanager/templates": str(ROOT / "deploy" / "alertmanager" / "templates"),
        },
    )  # fmt: skip
    address = stack.at["alertmanager:9093"]
    child = run(
        stack, "alertmanager",
        f"--config.file={config}",
        f"--storage.path={stack.folder / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    )  # fmt: skip
    return child, f"http://{address}/-/ready"


def prometheus(stack: Stack) -> tuple[Child, str]:
    config = native(
        stack, ROOT / "deploy" / "prometheus" / "prometheus.yml", {
            "/etc/prometheus/rules": str(ROOT / "alerts" / "rules"),
            "scrape_interval: 5s": f"scrape_interval: {SCRAPE_EVERY}",
            "evaluation_interval: 5s": f"evaluation_interval: {SCRAPE_EVERY}",
        },
    )  # fmt: skip
    address = stack.at["prometheus:9090"]
    child = run(
        stack, "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={stack.folder / 'prometheus'}",
        f"--web.listen-address={address}",
        "--web.enable-otlp-receiver",
        "--enable-feature=exemplar-storage",
    )  # fmt: skip
    return child, f"http://{address}/-/ready"


def tempo(stack: Stack) -> tuple[Child, str]:
    host, _, port = stack.at["tempo:3200"].partition(":")
    stack.at["tempo:4317"] = f"127.0.0.1:{free_port()}"
    child = run(
        stack, "tempo",
        f"-config.file={ROOT / 'deploy' / 'tempo' / 'tempo.yaml'}",
        "-config.expand-env=true",
        TEMPO_HOST=host,
        TEMPO_PORT=port,
        TEMPO_INTERNAL_PORT=str(free_port()),
        TEMPO_OTLP=stack.at["tempo:4317"],
        TEMPO_DATA=str(stack.folder / "tempo"),
    )  # fmt: skip
    return child, f"{stack.url('tempo')}/ready"


def loki(stack: Stack) -> tuple[Child, str]:
    host, _, port = stack.at["loki:3100"].partition(":")
    child = run(
        stack, "loki",
        f"-config.file={ROOT / 'deploy' / 'loki' / 'loki.yaml'}",
        "-config.expand-env=true",
        LOKI_HOST=host,
        LOKI_PORT=port,
        LOKI_INTERNAL_PORT=str(free_port()),
        LOKI_DATA=str(stack.folder / "loki"),
    )  # fmt: skip
    return child, f"{stack.url('loki')}/ready"


def aftershock(stack: Stack) -> tuple[Child, str]:
    """The environment is that of docker-compose.yml."""
    stack.at["otel-collector:4319"] = f"127.0.0.1:{free_port()}"
    findings = f"http://{stack.at['otel-collector:4319']}"
    child = stack.children.start(
        "aftershock", [sys.executable, "-m", "aftershock_collector.cli", "up"], {
            "AFTERSHOCK_HOME": str(stack.folder / "aftershock"),
            "AFTERSHOCK_POLICY": str(ROOT / "deploy" / "aftershock" / "aftershock.yaml"),
            "AFTERSHOCK_HTTP": stack.at["aftershock:4318"],
            "AFTERSHOCK_GRPC": f"127.0.0.1:{free_port()}",
            "AFTERSHOCK_ALERTMANAGER_URL": stack.url("alertmanager"),
            "AFTERSHOCK_FINDINGS_OTLP": findings,
            "AFTERSHOCK_ACTIVITY_LOG": findings,
        },
    )  # fmt: skip
    return child, f"{stack.url('aftershock')}/readyz"


def collector(stack: Stack) -> tuple[Child, str]:
    """docker.yaml is left out: it needs Docker's socket."""
    health = f"127.0.0.1:{free_port()}"
    metrics_host, _, metrics_port = stack.at["otel-collector:8888"].partition(":")
    targets = stack.folder / "targets"
    targets.mkdir()
    child = run(
        stack, "otelcol",
        f"--config={ROOT / 'deploy' / 'otel-collector' / 'collector.yaml'}",
        COLLECTOR_GRPC=stack.at["otel-collector:4317"],
        COLLECTOR_HTTP=stack.at["otel-collector:4318"],
        COLLECTOR_FINDINGS=stack.at["otel-collector:4319"],
        COLLECTOR_HEALTH=health,
        COLLECTOR_METRICS_HOST=metrics_host,
        COLLECTOR_METRICS_PORT=metrics_port,
        COLLECTOR_QUEUES=str(stack.folder / "queues"),
        SCRAPE_EVERY=SCRAPE_EVERY,
        SCRAPE_TARGETS=str(targets),
        SAMPLING_WAIT="2s",
        AFTERSHOCK_URL=stack.url("aftershock"),
        TEMPO_GRPC=stack.at["tempo:4317"],
        PROMETHEUS_URL=stack.url("prometheus"),
        LOKI_URL=stack.url("loki"),
    )  # fmt: skip
    return child, f"http://{health}"


def node_exporter(stack: Stack) -> tuple[Child, str]:
    address = stack.at["node-exporter:9100"]
    child = run(stack, "node_exporter", f"--web.listen-address={address}")
    return child, f"http://{address}/"


def grafana(stack: Stack) -> tuple[Child, str]:
    """As compose provisions it; whoever takes its picture need not log in."""
    program = locate("grafana")
    assert program is not None, "the caller asked"
    host, _, port = stack.at["grafana:3000"].partition(":")
    place = stack.folder / "grafana"
    child = stack.children.start(
        "grafana", [str(program), "server", "--homepath", str(program.parent)], {
            "GF_PATHS_DATA": str(place / "data"),
            "GF_PATHS_LOGS": str(place / "logs"),
            "GF_PATHS_PLUGINS": str(place / "plugins"),
            "GF_PATHS_PROVISIONING": str(ROOT / "deploy" / "grafana" / "provisioning"),
            "GF_SERVER_HTTP_ADDR": host,
            "GF_SERVER_HTTP_PORT": port,
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
            "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
            "AFTERSHOCK_DASHBOARDS": str(ROOT / "dashboards" / "generated"),
            **{
                f"AFTERSHOCK_{name.upper()}_URL": stack.url(name)
                for name in ("prometheus", "tempo", "loki", "alertmanager")
            },
        },
    )  # fmt: skip
    return child, f"{stack.url('grafana')}/api/health"


def run(stack: Stack, name: str, *arguments: str, **environment: str) -> Child:
    """Start a program of the stack."""
    program = locate(name)
    assert program is not None, f"{name}: missing() names it"
    return stack.children.start(name, [str(program), *arguments], environment)


def native(stack: Stack, file: Path, places: Mapping[str, str]) -> Path:
    """A copy of a file of compose with our own addresses and places in it."""
    text = file.read_text(encoding="utf-8")
    for there, here in {**places, **{place: stack.at[place] for place in COMPOSE}}.items():
        text = text.replace(there, here)
    copy = stack.folder / file.name
    copy.write_text(text, encoding="utf-8")
    return copy
