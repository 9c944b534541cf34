"""The audit log of Kubernetes' API server (audit.k8s.io): who changed which object.

The trace comes back in an annotation of the object that was sent, or in the user agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aftershock.model import Tier
from aftershock_collector.reading.dialects.kubernetes import entity_of
from aftershock_collector.reading.links import Link, link_in
from aftershock_collector.reading.logs.line import (
    Logged,
    Record,
    document,
    link_anywhere,
    moment,
    number,
    table,
    text,
)

_READING = frozenset({"get", "list", "watch", "proxy"})
_KINDS = {"pods": "Pod", "nodes": "Node", "replicasets": "ReplicaSet"}
_OVER = frozenset({"ResponseComplete", "Panic"})
SERVER_FAILED, FAILED = 500, 400


def read_kubernetes_audit(record: Record) -> list[Logged]:
    """What one audit event says was done in a trace."""
    event = document(record)
    if (
        event.get("kind") != "Event"
        or "auditID" not in event
        or text(event.get("stage")) not in _OVER
    ):
        return []
    link, verb = _link(event), text(event.get("verb"))
    about = table(event, "objectRef")
    code = number(table(event, "responseStatus").get("code")) or 0
    if link is None or not about or (verb in _READING and code < FAILED):
        return []
    resource, part = text(about.get("resource")), text(about.get("subresource"))
    name = text(about.get("name")) or text(table(event, "requestObject", "metadata").get("name"))
    namespace = text(about.get("namespace")) or "default"
    tier = Tier.READ if verb in _READING else Tier.WRITE
    return [
        Logged(
            link,
            f"{verb} {resource}{f'/{part}' if part else ''}",
            Tier.DESTRUCTIVE if verb.startswith("delete") else tier,
            moment(text(event.get("stageTimestamp"))),
            entity_of(_KINDS.get(resource, ""), namespace, name) if name else None,
            error=f"HTTP status {code}" if code >= FAILED else None,
            trouble=code >= SERVER_FAILED or event.get("stage") == "Panic",
        )
    ]


def _link(event: Mapping[str, Any]) -> Link | None:
    sent = table(event, "requestObject")
    return (
        link_in(
            table(sent, "metadata", "annotations"),
            table(sent, "spec", "template", "metadata", "annotations"),
            table(event, "annotations"),
        )
        or link_anywhere(text(event.get("userAgent")))
        or link_in(table(event, "responseObject", "metadata", "annotations"))
    )
