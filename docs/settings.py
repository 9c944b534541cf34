"""Every setting: keys of aftershock.yaml, environment variables, limits with their reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from aftershock import limits as limits_module
from aftershock.recorder.settings import DEFAULTS, ENDPOINT
from aftershock_collector.config.load import schema
from aftershock_collector.config.model import ENVIRONMENT, HOME_VARIABLE
from docs.comments import assignments
from docs.markdown import code, sentence, table

Json = Mapping[str, Any]

# How values of a kind are written that the schema defines once.
KINDS: Mapping[str, str] = {
    "seconds": "duration: `30s`, `15m`, `2h`, or seconds",
    "url": "URL",
    "address": "`host:port`",
    "secret": "text, or `{file: PATH}`",
    "entity": "resource attributes",
}

# Variables of the agent's process, and the collector's own folder: they have no key in the file.
OTHER_VARIABLES = {
    HOME_VARIABLE: "The one folder that holds all state. Default: the user's data directory.",
    "AFTERSHOCK_POLICY": "Where `aftershock.yaml` is. Default: the working directory.",
    "AFTERSHOCK_SERVICE_NAME": "The agent's process: its `service.name` where OpenTelemetry's own "
    "`OTEL_SERVICE_NAME` is not set. Default: the script's or module's name.",
    "AFTERSHOCK_COLLECTOR": "Agents with a gate, and commands that give orders: URL of the "
    "collector. Default: where telemetry is sent to.",
    "AFTERSHOCK_TOKEN": "Commands that give orders: the token to send, with the scope `control`.",
    "AFTERSHOCK_HEARTBEAT_S": "The agent's process: seconds between heartbeats of a step that "
    "lasts.",
    "AFTERSHOCK_REDACTION": "The agent's process: `off` exports texts without removing secrets and "
    "personal data first.",
    "AFTERSHOCK_FINGERPRINT_KEY": "Agents and collector: the key of fingerprints, 16 characters or "
    "more. Default: the key that the collector made in its folder, else a random one.",
    "AFTERSHOCK_FINGERPRINT_KEY_FILE": "The same, as the path of a file.",
    "AFTERSHOCK_EXIT_STALL_S": "The agent's process: seconds without progress after which the "
    "flush at its exit is given up. Default: 0.35.",
    "AFTERSHOCK_DEBUG": "The agent's process: `1` adds tracebacks to the one-line reports of "
    "failures of our own.",
}


def environment(section: str = "") -> str:
    """Environment variables, with the key that each stands for; of one section, or all."""
    rows = [] if section else [(code(name), "", text) for name, text in OTHER_VARIABLES.items()]
    properties = dict(_keys(schema()))
    for name, (key, _) in ENVIRONMENT.items():
        dotted = ".".join(key)
        if not section or key[0] == section:
            meaning = sentence(_described(properties.get(dotted, {})))
            rows.append((code(name), code(dotted), meaning))
    return table(("Variable", "Key of `aftershock.yaml`", "Meaning"), rows)


def opentelemetry() -> str:
    """What OpenTelemetry's own variables are set to where the user left them open."""
    rows = [(code(name), code(value)) for name, value in DEFAULTS.items()]
    rows.append((code("OTEL_EXPORTER_OTLP_ENDPOINT"), code(ENDPOINT)))
    return table(("Variable", "Value"), rows)


def policy(section: str) -> str:
    """The keys of one section of aftershock.yaml, from its JSON schema."""
    rows = [
        (code(key), _type(about), sentence(_described(about)))
        for key, about in _keys(schema())
        if key.partition(".")[0] == section and key != section and ".limits." not in key
    ]
    return table(("Key", "Value", "Meaning"), rows)


def limits(*names: str) -> str:
    """Limits with their defaults and reasons; without names, all of them."""
    path = Path(limits_module.__file__)
    rows = [
        (code(found.name), code(found.value), sentence(found.comment))
        for found in assignments(path, "Limits")
        if (not names or found.name in names) and "default_factory" not in found.value
    ]
    return table(("Limit", "Default", "Why"), rows)


def _keys(
    document: Json, prefix: str = "", about: Json | None = None
) -> Iterator[tuple[str, Json]]:
    """Every key that the schema allows, dotted; `NAME` stands for any name, `[]` for a list."""
    about = _resolved(document, document if about is None else about)
    if prefix:
        yield prefix, about
    for name, value in part(about, "properties").items():
        yield from _keys(document, f"{prefix}.{name}" if prefix else name, value)
    anything = part(about, "additionalProperties")
    if "properties" in _resolved(document, anything):
        yield from _keys(document, f"{prefix}.NAME", anything)
    if items := part(about, "items"):
        inside = _keys(document, f"{prefix}[]", items)
        yield from ((key, value) for key, value in inside if key != f"{prefix}[]")


def part(about: Json, name: str) -> Json:
    """A schema inside another; empty where there is none, or only true or false."""
    found = about.get(name)
    return cast("Json", found) if isinstance(found, dict) else {}


def _resolved(document: Json, about: Json) -> Json:
    """A schema with what it refers to; what stands beside the reference wins.

    What is said of a kind of value in general, such as a duration, says nothing about a key.
    """
    reference = about.get("$ref")
    if not isinstance(reference, str):
        return about
    name = reference.rpartition("/")[2]
    found = dict(document["$defs"][name])
    if name in KINDS:
        found.pop("description", None)
    return {"name": name, **found, **about, "$ref": None}


def _described(about: Json) -> str:
    return str(about.get("description", ""))


def _type(about: Json) -> str:
    if "enum" in about:
        return ", ".join(code(str(value)) for value in about["enum"])
    if (name := str(about.get("name"))) in KINDS:
        return KINDS[name]
    kind = str(about.get("type", ""))
    words = {"object": "mapping", "array": "list", "string": "text", "boolean": "true or false"}
    minimum = f", at least {about['minimum']}" if about.get("minimum") else ""
    return words.get(kind, kind) + minimum
