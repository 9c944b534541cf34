"""Flux: events of its notification controller (providers `generic` and `generic-hmac`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aftershock.model import Change
from aftershock_collector.reading.deploys.fields import (
    CHANGES_MAX,
    WORKLOADS,
    deploy,
    table,
    text,
    version_of,
)
from aftershock_collector.reading.isotime import time_ns_of

_APPLIED = {
    "Progressing", "ReconciliationSucceeded", "InstallSucceeded", "UpgradeSucceeded",
    "RollbackSucceeded",
}  # fmt: skip
# Lines of a Kustomization's message: `Deployment/prod/web configured`.
_CHANGED = re.compile(
    rf"^({'|'.join(WORKLOADS)})/([a-z0-9.-]+)/([a-z0-9.-]+) (?:created|configured)$", re.MULTILINE
)
_MESSAGE_CHARS_MAX = 20_000


def read_flux(body: Mapping[str, Any], now_ns: int) -> list[Change] | str:
    """The workloads that a reconciliation changed."""
    about = table(body, "involvedObject")
    kind = text(about.get("kind"))
    if kind not in {"Kustomization", "HelmRelease"}:
        return "not about a Kustomization or a HelmRelease"
    if text(body.get("reason")) not in _APPLIED:
        return "a reconciliation that changed nothing"
    metadata = table(body, "metadata")
    revision = next((text(v) for k, v in metadata.items() if k.endswith("revision")), "")
    began_ns = time_ns_of(body.get("timestamp")) or now_ns
    name, namespace = text(about.get("name")), text(about.get("namespace")) or "default"
    message = body.get("message")
    if kind == "HelmRelease":
        entities = [f"k8s/{namespace}/{name}"] if name else []
    else:
        whole = message[:_MESSAGE_CHARS_MAX] if isinstance(message, str) else ""
        entities = [f"k8s/{each[2]}/{each[3]}" for each in _CHANGED.finditer(whole)]
    if not entities:
        return "a reconciliation that changed nothing"
    return [
        deploy(f"flux/{name}/{began_ns}", entity, version_of(revision), "Flux", began_ns, metadata)
        for entity in dict.fromkeys(entities[:CHANGES_MAX])
    ]
