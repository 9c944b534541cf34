"""Entity keys: one short text for one infrastructure entity, equal in every process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aftershock.attributes import DB_NAMESPACE, DB_SYSTEM, SERVER_ADDRESS, SERVER_PORT, SERVICE_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

K8S_NAMESPACE = "k8s.namespace.name"
K8S_DEPLOYMENT = "k8s.deployment.name"
K8S_POD = "k8s.pod.name"
HOST_NAME = "host.name"
CLOUD_RESOURCE = "cloud.resource_id"


def entity_key(attributes: Mapping[str, str]) -> str | None:
    """The key of the most specific entity that resource attributes name; None if they name none.

    A database wins over the service that uses it, and a pod over its deployment. An address comes
    last, because it does not say which service answers there.
    """
    get = attributes.get
    if database := get(DB_NAMESPACE):
        return f"db/{database}"
    if pod := get(K8S_POD):
        return f"pod/{get(K8S_NAMESPACE) or 'default'}/{pod}"
    if deployment := get(K8S_DEPLOYMENT):
        return f"k8s/{get(K8S_NAMESPACE) or 'default'}/{deployment}"
    if service := get(SERVICE_NAME):
        return f"service/{service}"
    if host := get(HOST_NAME):
        return f"host/{host}"
    if resource := get(CLOUD_RESOURCE):
        return f"cloud/{resource}"
    if address := get(SERVER_ADDRESS):
        port = get(SERVER_PORT)
        return f"address/{address}:{port}" if port else f"address/{address}"
    if system := get(DB_SYSTEM):
        return f"db/{system}"
    return None
