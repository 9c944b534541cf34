"""Argo CD: the Application, as a notification's template sends it (`{{toJson .app}}`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aftershock.model import Change
from aftershock_collector.reading.deploys.fields import (
    CHANGES_MAX,
    WORKLOADS,
    deploy,
    rows,
    table,
    text,
    version_of,
)
from aftershock_collector.reading.isotime import time_ns_of


def read_argo_cd(body: Mapping[str, Any], now_ns: int) -> list[Change] | str:
    """The workloads that a sync of an application changed."""
    app = table(body, "app") or body
    if app.get("kind") != "Application" and not table(app, "status", "operationState"):
        return "not an application of Argo CD"
    state = table(app, "status", "operationState")
    if text(state.get("phase")) not in {"Running", "Succeeded"}:
        return "a sync that did not happen"
    operation = table(state, "operation")
    by = text(table(operation, "initiatedBy").get("username")) or "Argo CD"
    revision = text(table(state, "syncResult").get("revision"))
    began_ns = time_ns_of(state.get("startedAt")) or now_ns
    name = text(table(app, "metadata").get("name"))
    namespace = text(table(app, "spec", "destination").get("namespace")) or "default"
    listed = rows(table(state, "syncResult").get("resources")) or rows(
        table(app, "status").get("resources")
    )
    entities = [
        f"k8s/{text(each.get('namespace')) or namespace}/{text(each.get('name'))}"
        for each in listed
        if each.get("kind") in WORKLOADS and text(each.get("name"))
    ]
    if not entities and name:
        entities = [f"service/{name}"]
    annotations = table(app, "metadata", "annotations")
    return [
        deploy(f"argocd/{name}/{began_ns}", entity, version_of(revision), by, began_ns, annotations)
        for entity in dict.fromkeys(entities[:CHANGES_MAX])
    ]
