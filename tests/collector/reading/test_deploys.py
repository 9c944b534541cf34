"""deploys: what Argo CD, Flux and GitHub post becomes deploys of named workloads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, cast

import pytest

from aftershock.model import Change, ChangeKind
from aftershock_collector.otlp.wire import Decoded, Unreadable
from aftershock_collector.reading.deploys import WEBHOOKS, changes_of_deploys
from aftershock_collector.reading.isotime import time_ns_of

NOW_NS = 1_790_000_000 * 10**9
SHA = "8f6d1c0e9b7a5d4c3b2a19080706050403020100"

ARGO_CD: dict[str, Any] = {
    "app": {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd", "annotations": {}},
        "spec": {"destination": {"namespace": "prod", "server": "https://kubernetes.default.svc"}},
        "status": {
            "operationState": {
                "phase": "Succeeded",
                "startedAt": "2026-11-30T01:00:00Z",
                "finishedAt": "2026-11-30T01:00:09Z",
                "operation": {"initiatedBy": {"username": "ada"}, "sync": {"revision": SHA}},
                "syncResult": {
                    "revision": SHA,
                    "resources": [
                        {"group": "apps", "kind": "Deployment", "namespace": "prod",
                         "name": "checkout", "status": "Synced"},
                        {"group": "", "kind": "ConfigMap", "namespace": "prod", "name": "flags"},
                    ],
                },
            },
        },
    }
}  # fmt: skip
FLUX: dict[str, Any] = {
    "involvedObject": {
        "kind": "Kustomization", "namespace": "flux-system", "name": "apps",
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
    },
    "severity": "info",
    "timestamp": "2026-11-30T01:00:00Z",
    "message": "Deployment/prod/checkout configured\nService/prod/checkout unchanged\n",
    "reason": "Progressing",
    "metadata": {"kustomize.toolkit.fluxcd.io/revision": f"main@sha1:{SHA}"},
    "reportingController": "kustomize-controller",
}  # fmt: skip
GITHUB: dict[str, Any] = {
    "action": "created",
    "deployment_status": {"state": "in_progress", "created_at": "2026-11-30T01:00:00Z"},
    "deployment": {
        "id": 1_234, "ref": "2.1.4", "sha": SHA, "environment": "production", "payload": {},
        "creator": {"login": "github-actions[bot]", "type": "Bot"},
    },
    "repository": {"name": "checkout", "full_name": "shop/checkout"},
}  # fmt: skip


def read(system: str, body: Any) -> Decoded[Change]:
    return changes_of_deploys(system, json.dumps(body).encode(), NOW_NS)


def test_a_sync_of_argo_cd_is_a_deploy_of_each_workload_that_it_changed() -> None:
    (change,) = read("argocd", ARGO_CD).items

    assert change.kind is ChangeKind.DEPLOY
    assert (change.entity, change.name) == ("k8s/prod/checkout", "8f6d1c0 by ada")
    assert change.began_at_ns == time_ns_of("2026-11-30T01:00:00Z")


def test_the_application_may_be_the_whole_body() -> None:
    assert read("argocd", ARGO_CD["app"]).items == read("argocd", ARGO_CD).items


def test_an_automatic_sync_is_argo_cds_own() -> None:
    body = deepcopy(ARGO_CD)
    body["app"]["status"]["operationState"]["operation"] = {"initiatedBy": {"automated": True}}

    assert read("argocd", body).items[0].name == "8f6d1c0 by Argo CD"


def test_flux_names_what_a_kustomization_changed() -> None:
    (change,) = read("flux", FLUX).items

    assert (change.entity, change.name) == ("k8s/prod/checkout", "8f6d1c0 by Flux")


def test_flux_names_a_release_of_helm() -> None:
    body = FLUX | {
        "involvedObject": {"kind": "HelmRelease", "namespace": "prod", "name": "checkout"},
        "reason": "UpgradeSucceeded",
        "message": "Helm upgrade succeeded for release prod/checkout.v7 with chart checkout@2.1.4",
        "metadata": {"helm.toolkit.fluxcd.io/revision": "2.1.4"},
    }

    (change,) = read("flux", body).items
    assert (change.entity, change.name) == ("k8s/prod/checkout", "2.1.4 by Flux")


def test_github_names_the_service_that_the_repository_is_called() -> None:
    (change,) = read("github", GITHUB).items

    assert (change.entity, change.name) == ("service/checkout", "2.1.4 by CI")
    assert change.detail == "to production"


def test_later_statuses_of_a_deployment_are_the_same_change() -> None:
    done = GITHUB | {
        "deployment_status": {"state": "success", "created_at": "2026-11-30T01:04:00Z"}
    }

    assert read("github", done).items[0].id == read("github", GITHUB).items[0].id


def test_a_deployment_by_a_person_carries_the_name() -> None:
    body = deepcopy(GITHUB)
    body["deployment"]["creator"] = {"login": "ada", "type": "User"}
    body["deployment"]["payload"] = {"service": "basket"}

    (change,) = read("github", body).items
    assert (change.entity, change.name) == ("service/basket", "2.1.4 by ada")


@pytest.mark.parametrize(
    ("system", "body"),
    [
        ("argocd", {"app": {"kind": "Application", "status": {"operationState": {"phase": "Failed"}}}}),
        ("argocd", {"text": "a message"}),
        ("flux", FLUX | {"reason": "HealthCheckFailed"}),
        ("flux", FLUX | {"message": "Service/prod/checkout unchanged"}),
        ("flux", FLUX | {"involvedObject": {"kind": "GitRepository", "name": "apps"}}),
        ("github", {"zen": "Keep it logically awesome.", "hook_id": 1}),
        ("github", GITHUB | {"deployment_status": {"state": "failure"}}),
    ],
)  # fmt: skip
def test_what_changed_nothing_is_rejected_with_a_reason(system: str, body: Any) -> None:
    decoded = read(system, body)

    assert decoded.items == []
    assert decoded.rejected.total() == 1


@pytest.mark.parametrize("system", WEBHOOKS)
@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{" * 100_000])
def test_a_body_that_is_no_object_is_unreadable(system: str, body: bytes) -> None:
    with pytest.raises(Unreadable):
        changes_of_deploys(system, body, NOW_NS)


ODD = [*json.loads('[null, true, 7, -1.5, "", [], [null], {}, {"a": [{}]}]'), "x" * 10_000]


def places(body: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key of a body, however deep."""
    if isinstance(body, dict):
        for key, value in cast("dict[str, Any]", body).items():
            yield (*path, key)
            yield from places(value, (*path, key))


@pytest.mark.parametrize(
    ("system", "body"), [("argocd", ARGO_CD), ("flux", FLUX), ("github", GITHUB)]
)
def test_whatever_stands_in_a_field_nothing_breaks(system: str, body: dict[str, Any]) -> None:
    for *path, last in places(body):
        for odd in ODD:
            changed = deepcopy(body)
            table = changed
            for key in path:
                table = table[key]
            table[last] = odd
            decoded = read(system, changed)
            assert len(decoded.items) + decoded.rejected.total() >= 1
