"""entities: the same key on series and on actions, from resource attributes and from labels."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock_collector.metrics.entities import place_of, workload


def entity(resource: dict[str, Any], labels: dict[str, Any], name: str = "requests") -> str | None:
    place = place_of(name, resource, labels, called=False)
    return None if place is None else place.entity


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"job": "cart"}, "service/cart"),
        ({"job": "kubernetes-pods", "app": "cart"}, "service/cart"),
        ({"service": "cart", "job": "x"}, "service/cart"),
        ({"namespace": "shop", "pod": "cart-7d9f8b6c5d-x2x4z", "job": "cart"}, "k8s/shop/cart"),
        ({"namespace": "shop", "pod": "orders-0"}, "pod/shop/orders-0"),
        ({"namespace": "shop", "deployment": "cart"}, "k8s/shop/cart"),
        ({"datname": "orders", "job": "postgres"}, "db/orders"),
        ({"node": "n1"}, "host/n1"),
        ({}, None),
    ],
)
def test_prometheus_labels_name_an_entity(labels: dict[str, str], expected: str | None) -> None:
    assert entity({}, labels) == expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"service.name": "cart", "host.name": "n1"}, "service/cart"),
        (
            {
                "service.name": "cart",
                "k8s.namespace.name": "shop",
                "k8s.deployment.name": "cart-v2",
                "k8s.pod.name": "cart-v2-6b7-9xkzq",
            },
            "k8s/shop/cart-v2",
        ),
        ({"db.namespace": "orders"}, "db/orders"),
        ({"host.name": "n1"}, "host/n1"),
        ({"cloud.resource_id": "arn:1"}, "cloud/arn:1"),
        ({"server.address": "10.0.0.1", "server.port": "80"}, "address/10.0.0.1:80"),
    ],
)
def test_resource_attributes_name_an_entity(resource: dict[str, str], expected: str) -> None:
    assert entity(resource, {}) == expected


def test_what_was_declared_for_a_target_wins_over_its_labels() -> None:
    assert entity({"service.name": "checkout"}, {"job": "node", "app": "other"}) == (
        "service/checkout"
    )


def test_one_thing_keeps_all_of_its_names() -> None:
    place = place_of(
        "requests",
        {"service.name": "cart"},
        {"namespace": "shop", "pod": "cart-7d9f8b6c5d-x2x4z"},
        called=False,
    )

    assert place is not None
    assert place.entity == "k8s/shop/cart"
    assert set(place.aliases) == {"service/cart", "pod/shop/cart-7d9f8b6c5d-x2x4z"}


def test_a_callers_view_of_a_database_belongs_to_the_database() -> None:
    place = place_of(
        "db.client.operation.duration",
        {"service.name": "cart"},
        {"db.namespace": "orders", "server.address": "pg", "server.port": 5432},
        called=True,
    )

    assert place is not None
    assert (place.entity, place.aliases) == ("db/orders", ("address/pg:5432",))


def test_a_callers_view_that_names_no_callee_stays_with_the_caller() -> None:
    place = place_of("http.client.request.duration", {"service.name": "cart"}, {}, called=True)

    assert place is not None
    assert place.entity == "service/cart"


def test_pods_of_one_deployment_are_instances_of_one_entity() -> None:
    pods = [f"cart-7d9f8b6c5d-x2x4{letter}" for letter in "abc"]
    places = [place_of("up", {}, {"namespace": "shop", "pod": pod}, called=False) for pod in pods]

    assert {place.entity for place in places if place} == {"k8s/shop/cart"}
    assert [place.instance for place in places if place] == pods


def test_metrics_of_a_machine_belong_to_the_machine() -> None:
    resource = {"service.name": "agent", "host.name": "n1"}

    assert entity(resource, {}, "system.cpu.utilization") == "host/n1"
    assert entity(resource, {}, "process.cpu.utilization") == "service/agent"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("pod/shop/cart-7d9f8b6c5d-x2x4z", "k8s/shop/cart"),
        ("pod/shop/orders-0", "pod/shop/orders-0"),
        ("service/cart", "service/cart"),
    ],
)
def test_a_pods_key_leads_to_its_deployment(key: str, expected: str) -> None:
    assert workload(key) == expected
