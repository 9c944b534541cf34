"""What has a limit and is half used is a fact before a call, from whatever measures it."""

from __future__ import annotations

import math

from aftershock_collector.control.knowledge import Knowledge
from aftershock_collector.control.saturation import ENTRIES_MAX, SaturationLevels
from aftershock_collector.otlp.wire import Sample, SampleKind

NOW = 1_000 * 10**9


def sample(name: str, value: float, at_ns: int = NOW, db: str = "orders", **labels: str) -> Sample:
    return Sample(
        name, "", SampleKind.GAUGE, labels, {"db.namespace": db}, at_ns, value=value
    )  # fmt: skip


def test_an_agent_that_would_act_on_a_service_reads_how_full_its_database_is() -> None:
    knowledge = Knowledge({"service/checkout": ["db/orders"]})
    knowledge.measure(
        [sample("db_connections_in_use", 20), sample("db_connections_max", 37),
         sample("db.sessions.used", 1), sample("db.sessions.limit", 100)]
    )  # fmt: skip

    (fact,) = knowledge.about(["service/checkout"], "run", NOW + 5 * 10**9)

    assert fact["kind"] == "saturation"
    assert fact["subject"] == "db/orders"
    assert fact["text"].startswith("db connections of db/orders: 20 of 37 are used (54%)")
    assert fact["age_s"] == 5
    assert knowledge.about(["service/catalog"], "run", NOW) == []


def test_what_is_old_unlimited_memory_or_not_a_number_is_no_fact() -> None:
    levels = SaturationLevels()
    levels.record(
        [
            sample("a_connections_used", 9, NOW - 200 * 10**9), sample("a_connections_max", 10),
            sample("b_connections_used", 9),
            sample("memory_used", 9), sample("memory_max", 10),
            sample("c_connections_used", math.nan), sample("c_connections_max", 10),
            sample("d_connections_used", 9), sample("d_connections_max", 0),
        ]
    )  # fmt: skip

    assert list(levels.about(frozenset({"db/orders"}), NOW)) == []


def test_pools_of_one_service_are_kept_apart() -> None:
    levels = SaturationLevels()
    for pool, used in (("a", 9), ("b", 1)):
        levels.record([sample("pool_used", used, pool=pool), sample("pool_max", 10, pool=pool)])

    (found,) = levels.about(frozenset({"db/orders"}), NOW)
    assert (found.used, found.most) == (9, 10)


def test_levels_are_bounded() -> None:
    levels = SaturationLevels()
    levels.record(sample("pool_used", 1, db=f"d{n}") for n in range(ENTRIES_MAX + 50))

    assert len(levels) == ENTRIES_MAX
