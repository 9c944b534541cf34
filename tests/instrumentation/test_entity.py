"""Entity keys name the most specific thing."""

from __future__ import annotations

import pytest

from aftershock.entity import entity_key


@pytest.mark.parametrize(
    ("attributes", "key"),
    [
        ({"k8s.namespace.name": "prod", "k8s.deployment.name": "shop"}, "k8s/prod/shop"),
        ({"k8s.namespace.name": "prod", "k8s.pod.name": "shop-1"}, "pod/prod/shop-1"),
        ({"service.name": "checkout"}, "service/checkout"),
        ({"db.system.name": "postgresql", "db.namespace": "orders"}, "db/orders"),
        ({"db.system.name": "postgresql"}, "db/postgresql"),
        ({"host.name": "web-1"}, "host/web-1"),
        ({"cloud.resource_id": "arn:1"}, "cloud/arn:1"),
        ({"server.address": "10.0.0.1", "server.port": "5432"}, "address/10.0.0.1:5432"),
        ({"service.name": "checkout", "db.namespace": "orders"}, "db/orders"),
        ({"service.name": "checkout", "host.name": "web-1"}, "service/checkout"),
        ({"k8s.namespace.name": "prod"}, None),
        ({"service.name": ""}, None),
        ({}, None),
    ],
)
def test_the_most_specific_attribute_names_the_entity(
    attributes: dict[str, str], key: str | None
) -> None:
    assert key == entity_key(attributes)
