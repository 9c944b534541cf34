"""The frozen configuration: what a checked document becomes."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock_collector.config.model import Address, Config, OnCall, ScrapeTarget, home

HOME = Path("somewhere")


def test_nothing_told_listens_on_loopback_and_keeps_a_week() -> None:
    config = Config.parse({}, HOME)

    assert (Address("127.0.0.1", 4318), Address("127.0.0.1", 4317)) == (config.http, config.grpc)
    assert config.keep_s == 7 * 24 * 3_600
    assert config.store == HOME / "aftershock.db"
    assert OnCall() == config.on_call


EVERY_SECTION: dict[str, Any] = {
    "tools": {"scale": {"tier": "provision"}},
    "collector": {
        "http": "0.0.0.0:80",
        "grpc": "[::1]:0",
        "forward": "http://next:4318",
        "keep": "2d",
        "tick": 0.25,
        "store_bytes_max": 10_000_000,
        "queue_bytes_max": 1_000_000,
        "request_bytes_max": 10_000,
        "series_max": 7,
    },
    "infrastructure": {
        "host": True,
        "host_every": "1s",
        "observation_window": "3m",
        "scrape": [
            {"url": "http://a/metrics", "every": 1, "entity": {"service.name": "a"}},
            {"url": "http://b/metrics"},
        ],
        "topology": {"service/a": ["db/orders"]},
        "prometheus": {
            "url": "http://prom",
            "step": "30s",
            "headers": {"X-Scope-OrgID": "S3CRET"},
            "queries": {"traffic": {"calls": "x"}, "latency": {}},
        },
    },
    "on_call": {
        "webhook": {"url": "http://hook"},
        "slack": {"url": "https://slack"},
        "pagerduty": {"routing_key": "key", "url": "http://pd"},
        "alertmanager": {"url": "http://am"},
        "otlp": "http://otlp",
        "link": "http://me",
        "grafana": {"url": "http://graf", "token": "t"},
    },
}


def test_every_section_reaches_its_field() -> None:
    config = Config.parse(EVERY_SECTION, HOME)

    assert (Address("0.0.0.0", 80), Address("::1", 0)) == (config.http, config.grpc)
    assert (config.keep_s, config.tick_s) == (2 * 86_400, 0.25)
    assert config.forward_url == "http://next:4318"
    assert (config.store_bytes_max, config.queue_bytes_max) == (10_000_000, 1_000_000)
    assert (config.request_bytes_max, config.series_max) == (10_000, 7)
    seen = config.infrastructure
    assert (seen.host, seen.host_every_s, seen.observation_window_s) == (True, 1.0, 180.0)
    assert seen.scrape == (
        ScrapeTarget("http://a/metrics", 1.0, {"service.name": "a"}),
        ScrapeTarget("http://b/metrics"),
    )
    assert seen.topology == {"service/a": ("db/orders",)}
    assert seen.prometheus is not None
    assert (30.0, 5.0) == (seen.prometheus.step_s, seen.prometheus.timeout_s)
    assert ["calls"] == [q.name for q in seen.prometheus.queries if q.family == "traffic"]
    assert [] == [q for q in seen.prometheus.queries if q.family == "latency"]
    assert "S3CRET" not in repr(config)
    assert config.on_call == OnCall(
        webhook_url="http://hook",
        slack_url="https://slack",
        pagerduty_routing_key="key",
        pagerduty_url="http://pd",
        alertmanager_url="http://am",
        otlp_url="http://otlp",
        link="http://me",
        grafana_url="http://graf",
        grafana_token="t",
    )
    assert config.document == {"tools": {"scale": {"tier": "provision"}}}


def test_secrets_do_not_show_when_a_config_is_printed() -> None:
    on_call = {"slack": {"url": "https://slack/S3CRET"}, "pagerduty": {"routing_key": "S3CRET"}}
    on_call["grafana"] = {"url": "http://graf", "token": "S3CRET"}

    assert "S3CRET" not in repr(Config.parse({"on_call": on_call}, HOME))


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Config.parse({}, HOME).tick_s = 1.0  # type: ignore[misc]


def test_home_is_named_by_the_environment_or_is_the_users_data_folder() -> None:
    assert home({"AFTERSHOCK_HOME": "named"}) == Path("named")
    assert home({}).name == "aftershock"


def test_every_bound_is_more_than_nothing() -> None:
    config = Config(HOME)
    bounds = [f.name for f in fields(Config) if f.name.endswith(("_max", "_s"))]

    assert len(bounds) > 10
    assert [name for name in bounds if getattr(config, name) <= 0] == []


@given(st.from_regex(r"[a-z0-9.\-]{1,20}|[0-9a-f:]{2,20}", fullmatch=True), st.integers(0, 65_535))
def test_an_address_reads_what_it_writes(host: str, port: int) -> None:
    address = Address(host, port)

    assert Address.parse(str(address)) == address
