"""Settings of the agent's process: environment variables, their defaults, and the policy file."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aftershock.model import Tier

if TYPE_CHECKING:
    from aftershock.policy.admission import GateRules
    from aftershock.policy.policy import Policy

logger = logging.getLogger("aftershock")

ENDPOINT = "http://127.0.0.1:4318"  # where `aftershock up` listens
# How this machine reaches a server that is bound to every address.
REACHED = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "::": "[::1]"}  # noqa: S104
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
POLICY_FILE = "aftershock.yaml"
POLICY_BYTES_MAX = 1_000_000  # a policy is written by hand

# What OpenTelemetry's own variables are set to where the user set none of them.
DEFAULTS = {
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "none",  # only if asked for: metrics come from the infrastructure
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "1.5",  # s; bounds how long an app's exit can wait for us
    "OTEL_BSP_SCHEDULE_DELAY": "200",  # ms: a short call sends its span and no start event
    "OTEL_BSP_MAX_QUEUE_SIZE": "8192",
    # ms; with the moment that start events wait it is 200 too: they are how a hung tool is seen.
    "OTEL_BLRP_SCHEDULE_DELAY": "150",
    "OTEL_BLRP_MAX_QUEUE_SIZE": "8192",
    "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK": "aftershock",
    "OPENINFERENCE_ENABLE_GENAI_SEMCONV": "true",
    "OTEL_PYTHON_HTTPX_EXCLUDED_URLS": "/v1/traces/ingest",  # the OpenAI Agents SDK reports there
    "ANTHROPIC_OPEN_TELEMETRY": "false",  # its spans have no calls, and each is a run of its own
    "ANTHROPIC_OPEN_TELEMETRY_PROPAGATION": "false",
}
ENDPOINT_VARIABLES = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
)
CONTENT_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def set_defaults() -> None:
    """Set what the user left open; child processes inherit it."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if not any(os.environ.get(name) for name in ENDPOINT_VARIABLES):
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector_url()


def collector_url() -> str:
    """Where `aftershock up` listens by the same variable or file: a typing error is its to name."""
    place = Path(os.environ.get("AFTERSHOCK_POLICY") or POLICY_FILE)
    collector: Any = {}
    try:
        if place.is_file() and "collector" in place.read_text("utf-8")[:POLICY_BYTES_MAX]:
            collector = read_document(place).get("collector") or {}
        address = str(os.environ.get("AFTERSHOCK_HTTP") or collector.get("http") or "")
        is_encrypted = bool(os.environ.get("AFTERSHOCK_TLS_CERTIFICATE") or collector.get("tls"))
    except Exception:  # noqa: BLE001 (a bad file must not stop the app)
        return ENDPOINT
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or port == "0":
        return ENDPOINT
    return f"{'https' if is_encrypted else 'http'}://{REACHED.get(host, host)}:{port}"


def endpoint() -> str:
    """Where telemetry goes, as a message names it."""
    return next((value for name in ENDPOINT_VARIABLES if (value := os.environ.get(name))), ENDPOINT)


@cache
def captures_content() -> bool:
    """True where the user asked for prompts, arguments and results to be exported."""
    mode = os.environ.get(CONTENT_VARIABLE, "").strip().upper()
    return mode in {"SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"}


def service_name(arguments: list[str] | None = None) -> str | None:
    """The name of the program in a command line: its script, module or command. None: no name."""
    words = list(sys.orig_argv if arguments is None else arguments)
    while words:
        word = words.pop(0)
        name = Path(word).name
        if name.startswith(("python", "pypy")) and not name.endswith(".py"):
            continue
        if word == "-m":
            return words[0] if words else None
        if word in {"-c", "-"}:
            return None
        if word in {"-W", "-X"}:
            words = words[1:]
        elif not word.startswith("-"):
            return name.removesuffix(".py").removesuffix(".exe") or None
    return None


def named_service() -> str | None:
    """The service name to use where the user set none: ours, else that of who started us."""
    given = os.environ.get("OTEL_SERVICE_NAME") or (
        "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    )
    return None if given else service_name() or os.environ.get("AFTERSHOCK_SERVICE_NAME")


@cache
def policy() -> Policy:
    """The policy of this process. A file that cannot be obeyed is one warning, and the defaults."""
    from aftershock.policy.policy import Policy  # noqa: PLC0415  only a process with an agent pays

    named = os.environ.get("AFTERSHOCK_POLICY")
    place = Path(named or POLICY_FILE)
    try:
        if not place.is_file():
            if named:
                logger.warning("aftershock: no policy at %s; using the defaults", place)
            return Policy()
        return Policy.from_mapping(read_document(place))
    except Exception as error:  # noqa: BLE001 (a bad file must not stop the app)
        logger.warning("aftershock: %s is not obeyed, using the defaults: %s", place, error)
        return Policy(gate=closed_gate(place))


def closed_gate(place: Path) -> GateRules:
    """The gate of a policy that is wrong elsewhere: what has an effect is as if nobody answered.

    A mistake in the description of one tool must not open the gate for all of them.
    """
    from aftershock.policy.admission import GATE_OFF, read_gate  # noqa: PLC0415 (as above)

    try:
        rules = read_gate(read_document(place).get("gate"), ("gate",))
    except Exception:  # noqa: BLE001 (there is nothing to obey)
        return GATE_OFF
    return replace(rules, tiers=tuple((tier, rules.when_unreachable(tier)) for tier in Tier))


def read_document(place: Path) -> dict[str, Any]:
    """The YAML mapping in a file. Raises ValueError, OSError or a YAML error."""
    import yaml  # noqa: PLC0415 (15 ms that only an agent with a policy pays)

    with place.open("rb") as file:
        raw = file.read(POLICY_BYTES_MAX + 1)
    if len(raw) > POLICY_BYTES_MAX:
        raise ValueError(f"larger than {POLICY_BYTES_MAX} bytes")
    document: Any = yaml.safe_load(raw)
    return {} if document is None else document
