"""Client spans: what a service or an agent reached."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock import attributes as names
from aftershock.model import StepKind
from aftershock.policy.policy import EMPTY
from aftershock_collector.otlp.wire import CLIENT, SERVER
from aftershock_collector.reading.read import read
from tests.collector.reading.items import span, step_of


@pytest.mark.parametrize(
    ("own", "targets"),
    [
        (
            {"http.request.method": "POST", "server.address": "shop", "server.port": 8080},
            ("address/shop:8080",),
        ),
        ({"http.method": "GET", "http.url": "https://u:p@shop:81/a?b#c"}, ("address/shop:81",)),
        ({"url.full": "http://[::1]:9/x"}, ("address/::1:9",)),
        (
            {"db.system.name": "postgresql", "db.namespace": "orders", "server.address": "pg"},
            ("db/orders",),
        ),
        ({"db.system": "redis", "net.peer.name": "cache"}, ("address/cache",)),
        ({"db.system": "sqlite"}, ("db/sqlite",)),
        (
            {"rpc.system": "grpc", "peer.service": "checkout", "server.address": "10.0.0.1"},
            ("service/checkout", "address/10.0.0.1"),
        ),
    ],
)
def test_client_spans_say_what_was_reached(own: dict[str, Any], targets: tuple[str, ...]) -> None:
    step = step_of(span(own, kind=CLIENT))

    assert (step.kind, step.targets) == (StepKind.OUTGOING, targets)


def test_a_command_that_a_tool_ran_says_what_its_words_name() -> None:
    own = {names.ACTION_TIER: "destructive", names.RUN_ID: "session-7"}
    named = step_of(span(own | {names.ACTION_TARGETS: ["db/orders"]}, kind=CLIENT))
    unnamed = step_of(span(own, kind=CLIENT))

    assert (named.kind, named.run_id, named.targets) == (
        StepKind.OUTGOING, "session-7", ("db/orders",),
    )  # fmt: skip
    assert (unnamed.kind, unnamed.targets) == (StepKind.OUTGOING, ())


def test_only_client_spans_of_calls_are_outgoing() -> None:
    own = {"http.request.method": "GET", "server.address": "shop"}

    assert read(span(own, kind=SERVER), EMPTY) is None
    assert read(span({"server.address": "shop"}, kind=CLIENT), EMPTY) is None
    assert read(span({"http.method": "GET"}, kind=CLIENT), EMPTY) is None
