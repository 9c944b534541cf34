"""The stage of the play: the shop, the model, the collector, and how agents are let in."""

from __future__ import annotations

import contextlib
import json
import string
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aftershock.attributes import CHANGE_KIND, CHANGE_NAME, DB_NAMESPACE, EVENT_CHANGE
from aftershock_collector.demo.infrastructure import (
    Shop,
    let_customers_in,
    open_shop,
    open_shop_for_developers,
)
from aftershock_collector.demo.postgres import free_port
from aftershock_collector.demo.processes import Child, Children, FailedError

POLICY = Path(__file__).with_name("aftershock.yaml")
GATE = Path(__file__).with_name("guarded.yaml")  # added to the policy of the guarded play
WINDOW_AGE_S = 1_200.0  # since the maintenance window of the incident opened
STANDING = {
    "postgres", "checkout", "catalog", "operations", "load", "model_server", "collector",
}  # fmt: skip
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy
SCRIPTS = "aftershock_collector.demo.agents.scripts"
PROGRAM = [sys.executable, "-m", "aftershock_collector.cli"]  # wherever its script is installed


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs during the play."""

    children: Children
    shop: Shop
    customers: Child
    model: str
    collector: str
    home: Path
    policy: Path
    agent_home: Path  # of a coding agent
    forward: str | None = None  # a full stack that gets everything too

    def numbers(self) -> dict[str, Any]:
        """The newest that customers and the database saw."""
        lines = self.customers.lines
        newest: dict[str, Any] = json.loads(lines[-1]) if lines else {}
        with contextlib.suppress(OSError):  # a reading that is late is a gap in a chart
            newest["database"] = read_json(f"{self.shop.operations['admin']}/connections")
        return newest

    def must_run(self) -> None:
        """Raises FailedError where something that should run has ended."""
        for child in self.children.started:
            if child.name in STANDING and not child.running:
                raise FailedError(f"{child.name} has ended.\n{child.last_words()}")

    def start_agent(self, name: str) -> Child:
        """Start one agent through `aftershock run`, unchanged."""
        module = f"aftershock_collector.demo.agents.{name}"
        metrics = "none" if self.forward is None else "otlp"  # a full stack keeps those too
        return self.children.start(
            name,
            [*PROGRAM, "run", sys.executable, "-m", module],
            {
                "OTEL_SERVICE_NAME": name.replace("_", "-"),
                "OPENAI_BASE_URL": self.model,
                "OPENAI_API_KEY": "none",
                "CHECKOUT_ADMIN": self.shop.checkout["admin"],
                "CATALOG_ADMIN": self.shop.catalog["admin"],
                "OPERATIONS": self.shop.operations["admin"],
                "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector,
                "OTEL_METRICS_EXPORTER": metrics,
                "AFTERSHOCK_POLICY": str(self.policy),
            },
        )


@contextmanager
def raised_stage(
    out: Path,
    on_call: str,
    *,
    fault: bool,
    show: Callable[[str], None],
    guarded: bool = False,
    coding_agent: bool = False,
    forward: str | None = None,
) -> Generator[Stage]:
    """Start everything and wait until it is healthy; stop everything afterwards.

    Raises FailedError where something can't start.
    """
    logs, home = out / "logs", out / "home"
    logs.mkdir(parents=True, exist_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    for file in home.glob("aftershock.db*"):
        file.unlink()  # an earlier play in the same folder
    with tempfile.TemporaryDirectory(prefix="aftershock-") as folder, Children(logs) as children:
        Path(folder).chmod(0o711)  # the database may have to run as another user
        show("database and services")
        if coding_agent:
            shop, script = open_shop_for_developers(children, Path(folder)), "delegated"
        else:
            shop = open_shop(children, Path(folder), tight=fault)
            script = "held_back" if guarded else "in_a_hurry" if fault else "with_care"
        model = children.start_module("model_server", "--script", f"{SCRIPTS}:{script}")
        port = free_port()
        place = (out / "aftershock.yaml").resolve()
        policy = write_policy(place, shop, on_call, port, logs=logs, guarded=guarded)
        collector = children.start(
            "collector",
            [*PROGRAM, "up"],
            {
                "AFTERSHOCK_HOME": str(home),
                "AFTERSHOCK_POLICY": str(policy),
                **({} if forward is None else {"AFTERSHOCK_FORWARD": forward}),
            },
        )
        address = f"http://127.0.0.1:{port}"
        show("the collector")
        collector.wait_until(lambda: is_healthy(address))
        if guarded and not coding_agent:
            announce_window(address)
        show("the workers")
        status = f"{shop.checkout['admin']}/admin/status"
        children.named("checkout").wait_until(lambda: read_json(status)["state"] == "ready")
        customers = let_customers_in(children, shop)
        show("all healthy")
        url = model.addresses()["url"]
        agent_home = (out / "agent").resolve()
        yield Stage(children, shop, customers, url, address, home, policy, agent_home, forward)


def announce_window(collector: str) -> None:
    """The operations team reports its maintenance window, as a calendar's integration would."""
    attributes = {CHANGE_NAME: "maintenance window", CHANGE_KIND: "event", DB_NAMESPACE: "orders"}
    record = {
        "timeUnixNano": str(time.time_ns() - int(WINDOW_AGE_S * 1e9)),
        "eventName": EVENT_CHANGE,
        "body": {"stringValue": "smaller instance during storage migration"},
        "attributes": [
            {"key": key, "value": {"stringValue": value}} for key, value in attributes.items()
        ],
    }
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    request = urllib.request.Request(  # noqa: S310  (our own collector)
        f"{collector}/v1/logs",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with DIRECT.open(request, timeout=10):
        pass


def write_policy(
    place: Path, shop: Shop, on_call: str, port: int, *, logs: Path, guarded: bool = False
) -> Path:
    """The policy file with this play's addresses in it."""
    text = POLICY.read_text(encoding="utf-8")
    if guarded:
        text += GATE.read_text(encoding="utf-8")
    text = string.Template(text).substitute(
        http_port=port,
        grpc_port=free_port(),
        checkout=shop.checkout["admin"],
        catalog=shop.catalog["admin"],
        operations=shop.operations["admin"],
        on_call=on_call,
        database_log=logs.resolve() / "postgres.log",
    )
    place.write_text(text, encoding="utf-8")
    return place


def read_json(url: str) -> dict[str, Any]:
    """What an address of ours answers. Raises OSError."""
    with DIRECT.open(url, timeout=5) as answer:
        body: dict[str, Any] = json.load(answer)
        return body


def is_healthy(collector: str) -> bool:
    """True once the collector says so."""
    try:
        with DIRECT.open(f"{collector}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:  # not listening yet, or not healthy yet
        return False
