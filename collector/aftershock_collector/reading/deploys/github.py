"""GitHub: the webhook `deployment_status`.

A deployment belongs to the service that its repository, or `service` in its payload, is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aftershock.model import Change
from aftershock_collector.reading.deploys.fields import deploy, table, text, version_of
from aftershock_collector.reading.isotime import time_ns_of

_BEGUN = {"in_progress", "success"}


def read_github(body: Mapping[str, Any], now_ns: int) -> list[Change] | str:
    """One deployment that is in progress or done; every later status of it is the same change."""
    deployment, status = table(body, "deployment"), table(body, "deployment_status")
    if not deployment or not status:
        return "not a deployment_status"
    if text(status.get("state")) not in _BEGUN:
        return "a deployment that has not begun or did not happen"
    payload = table(deployment, "payload")
    name = text(payload.get("service")) or text(table(body, "repository").get("name"))
    if not name:
        return "a deployment of nothing"
    creator = table(deployment, "creator")
    login = text(creator.get("login"))
    by = "CI" if creator.get("type") == "Bot" or login.endswith("[bot]") else login or "CI"
    version = version_of(text(payload.get("version")) or text(deployment.get("ref")))
    began_ns = time_ns_of(status.get("created_at")) or now_ns
    environment = text(deployment.get("environment"))
    return [
        deploy(
            f"github/{deployment.get('id')}", f"service/{name}", version, by, began_ns, payload,
            detail=f"to {environment}" if environment else "",
        )
    ]  # fmt: skip
