"""Kubernetes Warning events, as the collector-contrib receivers write them, → Changes.

`k8sobjects` sends the whole Event object as the body (wrapped with the kind of change where it
watches); `k8s_events` spreads it over attributes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from aftershock.entity import K8S_NAMESPACE
from aftershock.model import Change, ChangeKind
from aftershock_collector.otlp.wire import LogEvent
from aftershock_collector.reading.dialects import name_in, text_in
from aftershock_collector.reading.isotime import time_ns_of
from aftershock_collector.reading.links import Link, link_in

WARN = 13  # SeverityNumber
DETAIL_CHARS_MAX = 2_000
# A ReplicaSet is called after its deployment and a hash of its template.
REPLICA_SET = re.compile(r"^(.+)-[a-z0-9]{5,10}$")


def read_kubernetes(event: LogEvent) -> Change | None:
    """Read a Warning event; None for anything else."""
    text: Any = event.text
    if isinstance(text, dict):
        body = cast("dict[str, Any]", text)
        inner = body.get("object")
        return _object(cast("dict[str, Any]", inner) if isinstance(inner, dict) else body, event)
    if "k8s.event.reason" in event.attributes and event.severity >= WARN:
        return _attributes(event)
    return None


def _object(body: Mapping[str, Any], event: LogEvent) -> Change | None:
    about = body.get("involvedObject", body.get("regarding"))
    if body.get("kind") != "Event" or body.get("type") != "Warning" or not isinstance(about, dict):
        return None
    involved = cast("dict[str, Any]", about)
    metadata = body.get("metadata")
    names = cast("dict[str, Any]", metadata) if isinstance(metadata, dict) else {}
    began = next(
        (
            time
            for key in ("firstTimestamp", "eventTime", "deprecatedFirstTimestamp", "lastTimestamp")
            if (time := time_ns_of(body.get(key))) is not None
        ),
        event.time_ns,
    )
    return _change(
        name_in(involved, "kind") or "",
        name_in(involved, "namespace") or name_in(names, "namespace"),
        name_in(involved, "name"),
        name_in(names, "uid", "name"),
        name_in(body, "reason"),
        text_in(body, "message", "note"),
        began,
        link_in(_annotations(names), _annotations(involved), event.attributes, event.resource),
    )


def _annotations(named: Mapping[str, Any]) -> Mapping[str, Any]:
    """What tools wrote onto the object that they changed."""
    found = named.get("annotations")
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _attributes(event: LogEvent) -> Change | None:
    everywhere = {**event.resource, **event.attributes}
    return _change(
        name_in(everywhere, "k8s.object.kind") or "",
        name_in(everywhere, K8S_NAMESPACE),
        name_in(everywhere, "k8s.object.name"),
        name_in(everywhere, "k8s.event.uid", "k8s.event.name"),
        name_in(everywhere, "k8s.event.reason"),
        event.text if isinstance(event.text, str) else None,
        event.time_ns,
        link_in(event.attributes, event.resource),
    )


def _change(  # noqa: PLR0917
    kind: str,
    namespace: str | None,
    name: str | None,
    uid: str | None,
    reason: str | None,
    message: str | None,
    began_at_ns: int,
    link: Link | None,
) -> Change | None:
    if name is None or reason is None:
        return None
    entity = entity_of(kind, namespace or "default", name)
    return Change(
        id=f"kubernetes/{uid or f'{entity}/{reason}/{began_at_ns}'}",
        kind=ChangeKind.WARNING,
        entity=entity,
        name=reason,
        began_at_ns=began_at_ns,
        detail=(message or "")[:DETAIL_CHARS_MAX],
        trace_id=link.trace_id if link else None,
        span_id=link.span_id if link else None,
    )


def entity_of(kind: str, namespace: str, name: str) -> str:
    """The key of what an event is about; anything that scales or runs is the workload it names."""
    if kind == "Pod":
        return f"pod/{namespace}/{name}"
    if kind == "Node":
        return f"host/{name}"
    if kind == "ReplicaSet" and (match := REPLICA_SET.match(name)):
        name = match[1]
    return f"k8s/{namespace}/{name}"
