"""Which entity a sample is about, from OpenTelemetry attributes and Prometheus labels.

Series are filed under the key that actions use most: a deployment and not each of its pods, a
service and not each of its processes. The other keys of the same thing become aliases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from aftershock.attributes import DB_NAMESPACE, DB_SYSTEM, SERVER_ADDRESS, SERVER_PORT, SERVICE_NAME
from aftershock.entity import (
    CLOUD_RESOURCE,
    HOST_NAME,
    K8S_DEPLOYMENT,
    K8S_NAMESPACE,
    K8S_POD,
    entity_key,
)
from aftershock.names import shortened

# Prometheus label → the attribute that says the same. Earlier labels win over later ones.
_LABELS: tuple[tuple[str, str], ...] = (
    ("datname", DB_NAMESPACE),
    ("database", DB_NAMESPACE),
    ("db", DB_NAMESPACE),
    ("exported_namespace", K8S_NAMESPACE),
    ("namespace", K8S_NAMESPACE),
    ("kubernetes_namespace", K8S_NAMESPACE),
    ("exported_pod", K8S_POD),
    ("pod", K8S_POD),
    ("pod_name", K8S_POD),
    ("kubernetes_pod_name", K8S_POD),
    ("deployment", K8S_DEPLOYMENT),
    ("statefulset", K8S_DEPLOYMENT),
    ("daemonset", K8S_DEPLOYMENT),
    ("job_name", K8S_DEPLOYMENT),
    ("service", SERVICE_NAME),
    ("app", SERVICE_NAME),
    ("service_name", SERVICE_NAME),
    ("job", SERVICE_NAME),
    ("node", HOST_NAME),
    ("nodename", HOST_NAME),
    ("host", HOST_NAME),
)
_INSTANCES = ("service.instance.id", K8S_POD, "instance", "pod", HOST_NAME, "process.pid", "pid")
_REPLICA = re.compile(r"^(?P<deployment>.+)-[bcdf0-9]{6,10}-[a-z0-9]{5}$")  # of a replica set
_CALLED = (DB_NAMESPACE, DB_SYSTEM, SERVER_ADDRESS, SERVER_PORT)
_NODE_METRICS = ("node_", "system.", "kube_node_")  # about a machine, whatever exported them
_PLATFORM_METRICS = ("kube_", "container_")  # of an exporter that is not what they are about
# Metrics about calls between two services: how their names begin, and labels of both sides.
_CALL_METRICS = (
    ("traces_service_graph_", "client", "server"),  # OpenTelemetry's connector, Tempo, Alloy
    ("istio_", "source_workload", "destination_workload"),
)


class Place(NamedTuple):
    """Where a sample belongs."""

    entity: str
    instance: str  # which of several processes or pods of the entity it came from
    aliases: tuple[str, ...]  # other keys of the same thing


def place_of(
    name: str, resource: Mapping[str, Any], attributes: Mapping[str, Any], *, called: bool
) -> Place | None:
    """The entity that a sample is about; None where nothing names one.

    Args:
        name: of the metric.
        resource: who reports.
        attributes: of the data point: Prometheus labels, or OpenTelemetry attributes.
        called: the metric is a caller's view (of a database, of a server): it says how the
            callee is doing, and belongs to it.
    """
    if (pair := called_pair(name, attributes)) is not None:
        return Place(pair[1], _instance(resource, attributes), ())
    if called:
        seen = {k: _name(attributes[k]) for k in _CALLED if attributes.get(k) is not None}
        callee = entity_key(seen)
        if callee is not None:
            address = entity_key({k: v for k, v in seen.items() if k.startswith("server.")})
            other = (address,) if address is not None and address != callee else ()
            return Place(callee, _instance(resource, attributes), other)
    named = _named(resource, attributes)
    if name.startswith(_PLATFORM_METRICS) and (K8S_POD in named or K8S_DEPLOYMENT in named):
        named.pop(SERVICE_NAME, None)
    if name.startswith("node_") and HOST_NAME not in named and (at := resource.get("instance")):
        named[HOST_NAME] = str(at).rpartition(":")[0] or str(at)
    if name.startswith(_NODE_METRICS) and HOST_NAME in named and DB_NAMESPACE not in named:
        return Place(f"host/{named[HOST_NAME]}", "", ())
    return _own(named, _instance(resource, attributes))


def called_pair(name: str, attributes: Mapping[str, Any]) -> tuple[str, str] | None:
    """Caller and callee that a metric about calls names; None for any other metric."""
    for beginning, client, server in _CALL_METRICS:
        if name.startswith(beginning) and attributes.get(client) and attributes.get(server):
            return f"service/{attributes[client]}", f"service/{attributes[server]}"
    return None


def caller_of(resource: Mapping[str, Any]) -> str | None:
    """Whoever reports a call of its own."""
    place = _own(_named(resource, {}), "")
    return None if place is None else place.entity


def workload(entity: str) -> str:
    """The deployment that a pod's key names; any other key as it is."""
    kind, _, rest = entity.partition("/")
    namespace, _, pod = rest.partition("/")
    replica = _REPLICA.match(pod) if kind == "pod" else None
    return entity if replica is None else f"k8s/{namespace}/{replica['deployment']}"


def _own(named: Mapping[str, str], instance: str) -> Place | None:
    """The most specific thing that lives longer than one pod, and its other keys."""
    if DB_NAMESPACE in named:
        return Place(f"db/{named[DB_NAMESPACE]}", instance, ())
    others: list[str] = []
    deployment = named.get(K8S_DEPLOYMENT)
    pod = named.get(K8S_POD)
    if pod is not None:
        replica = _REPLICA.match(pod)
        deployment = deployment or (replica["deployment"] if replica else None)
        others.append(_key(named, K8S_NAMESPACE, K8S_POD))
    if deployment is not None:
        others.append(_key({**named, K8S_DEPLOYMENT: deployment}, K8S_NAMESPACE, K8S_DEPLOYMENT))
    if SERVICE_NAME in named:
        others.append(f"service/{named[SERVICE_NAME]}")
    if CLOUD_RESOURCE in named:
        others.append(f"cloud/{named[CLOUD_RESOURCE]}")
    if not others:
        key = entity_key(named)
        return None if key is None else Place(key, instance, ())
    entity = next((key for key in others if not key.startswith("pod/")), others[0])
    return Place(entity, instance, tuple(key for key in others if key != entity))


def _key(named: Mapping[str, str], *keys: str) -> str:
    found = entity_key({key: named[key] for key in keys if key in named})
    assert found is not None, "the caller checked that it is named"
    return found


def _named(resource: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, str]:
    """What names an entity, under OpenTelemetry's names; the resource wins over labels."""
    named: dict[str, str] = {}
    for label, key in _LABELS:
        if key not in named and (value := attributes.get(label)):
            named[key] = _name(value)
    for source in (attributes, resource):
        for key in (DB_NAMESPACE, K8S_NAMESPACE, K8S_POD, K8S_DEPLOYMENT, SERVICE_NAME):
            if value := source.get(key):
                named[key] = _name(value)
    for key in (HOST_NAME, CLOUD_RESOURCE, SERVER_ADDRESS, SERVER_PORT, DB_SYSTEM):
        if value := resource.get(key):
            named[key] = _name(value)
    return named


def _instance(resource: Mapping[str, Any], attributes: Mapping[str, Any]) -> str:
    for source in (resource, attributes):
        for key in _INSTANCES:
            if value := source.get(key):
                return _name(value)
    return ""


def _name(value: Any) -> str:
    return shortened(str(value))
