"""Log events that say what changed: deployments, flags, warnings of Kubernetes."""

from __future__ import annotations

from aftershock import attributes as names
from aftershock.entity import entity_key
from aftershock.model import Change, ChangeKind
from aftershock.policy.policy import EMPTY
from aftershock_collector.reading.read import read_event
from tests.collector.reading.items import event


def test_a_change_that_was_told() -> None:
    own = {names.CHANGE_NAME: "checkout 2.4", names.CHANGE_KIND: "deploy"}
    change = read_event(event(names.EVENT_CHANGE, own, text="by ci\nbuild 7"), EMPTY)
    flag = event(names.EVENT_CHANGE, {"service.name": "checkout"}, text="flag new_cart on")

    assert isinstance(change, Change)
    assert (change.kind, change.entity, change.name) == (
        ChangeKind.DEPLOY, "service/agents", "checkout 2.4",
    )  # fmt: skip
    read_flag = read_event(flag, EMPTY)
    assert isinstance(read_flag, Change)
    assert (read_flag.entity, read_flag.name, read_flag.kind) == (
        "service/checkout", "flag new_cart on", ChangeKind.EVENT,
    )  # fmt: skip
    assert read_event(event(names.EVENT_CHANGE, own, resource={}), EMPTY) is None


KUBERNETES = {
    "apiVersion": "v1",
    "kind": "Event",
    "type": "Warning",
    "reason": "BackOff",
    "message": "Back-off restarting failed container",
    "metadata": {"name": "checkout.17", "namespace": "shop", "uid": "u-1"},
    "involvedObject": {"kind": "Pod", "name": "checkout-7d9f-x2", "namespace": "shop"},
    "firstTimestamp": "2026-01-15T12:00:00Z",
    "lastTimestamp": "2026-01-15T12:05:00Z",
}


def test_warnings_of_kubernetes_are_changes() -> None:
    pulled = read_event(event("", {}, text=KUBERNETES), EMPTY)
    observed = read_event(event("", {}, text={"type": "MODIFIED", "object": KUBERNETES}), EMPTY)

    assert pulled == observed
    assert isinstance(pulled, Change)
    assert (pulled.kind, pulled.name, pulled.entity) == (
        ChangeKind.WARNING, "BackOff", "pod/shop/checkout-7d9f-x2",
    )  # fmt: skip
    assert pulled.began_at_ns == 1_768_478_400 * 10**9
    assert read_event(event("", {}, text=KUBERNETES | {"type": "Normal"}), EMPTY) is None
    assert read_event(event("", {}, text="a plain line"), EMPTY) is None


def test_warnings_about_workloads_and_nodes_name_what_actions_name() -> None:
    def about(kind: str, name: str) -> str:
        involved = {"kind": kind, "name": name, "namespace": "shop"}
        change = read_event(event("", {}, text=KUBERNETES | {"involvedObject": involved}), EMPTY)
        assert isinstance(change, Change)
        return change.entity

    deployment = {"k8s.namespace.name": "shop", "k8s.deployment.name": "checkout"}
    assert about("Deployment", "checkout") == entity_key(deployment)
    assert about("ReplicaSet", "checkout-6d4cf56db6") == entity_key(deployment)
    assert about("Node", "node-1") == entity_key({"host.name": "node-1"})


def test_the_k8s_events_receiver_is_read_too() -> None:
    own = {
        "k8s.event.reason": "FailedScheduling",
        "k8s.event.uid": "u-2",
        "k8s.namespace.name": "a",
    }
    resource = {"k8s.object.kind": "Deployment", "k8s.object.name": "checkout"}
    warning = event("checkout.1", own, resource=resource, severity=13, text="0/3 nodes")
    change = read_event(warning, EMPTY)

    assert isinstance(change, Change)
    assert (change.entity, change.name, change.detail) == (
        "k8s/a/checkout", "FailedScheduling", "0/3 nodes",
    )  # fmt: skip
    assert read_event(warning._replace(severity=9), EMPTY) is None
