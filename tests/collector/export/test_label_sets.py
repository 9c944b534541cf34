"""Label sets when they are full: a flood of names fills its own share, and idle sets make room."""

from __future__ import annotations

from collections import Counter as Tally

from prometheus_client import CollectorRegistry, Counter

from aftershock_collector.export.label_sets import HOME, IDLE_S, OTHER, Bounded


class Sets:
    """A counter with ten label sets, and a clock that is told the time."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.dropped: Tally[str] = Tally()
        self.now_s = 0.0
        metric = Counter("calls", "Calls", (*HOME, "tool"), registry=self.registry)
        self.sets = Bounded(metric, self.dropped, sets_max=10, clock=lambda: self.now_s)

    def count(self, agent: str, tool: str, service: str = "") -> None:
        self.sets.at(agent, service, "", tool).inc()

    def value(self, agent: str, tool: str, service: str = "") -> float | None:
        labels = {"agent": agent, "service": service, "environment": "", "tool": tool}
        return self.registry.get_sample_value("calls_total", labels)


def test_p19_an_agent_with_ever_new_tools_gives_up_its_own_sets() -> None:
    sets = Sets()
    sets.count("quiet", "get")
    for number in range(50):
        sets.count("flooder", f"tool{number}")
    sets.count("newcomer", "get")

    assert sets.value("quiet", "get") == 1
    assert sets.value("newcomer", "get") == 1
    assert sets.dropped == {"metric_labels_full": 41}


def test_p19_a_service_with_ever_new_agents_gives_up_its_own_sets() -> None:
    sets = Sets()
    sets.count("quiet", "get", service="a")
    for number in range(50):
        sets.count(f"flooder{number}", "get", service="b")
    for number in range(3):
        sets.count(f"newcomer{number}", "get", service="c")

    assert sets.value("quiet", "get", service="a") == 1
    assert [sets.value(f"newcomer{n}", "get", service="c") for n in range(3)] == [1, 1, 1]


def test_p19_idle_sets_make_room_and_others_share_one() -> None:
    sets = Sets()
    for number in range(20):
        sets.count(f"agent{number}", "get")
    other = {"agent": OTHER, "service": OTHER, "environment": OTHER, "tool": OTHER}

    assert sets.registry.get_sample_value("calls_total", other) == 10
    sets.now_s = IDLE_S - 1
    for number in range(1, 10):
        sets.count(f"agent{number}", "get")
    sets.now_s = IDLE_S + 1
    sets.count("newcomer", "get")
    assert sets.value("newcomer", "get") == 1
    assert sets.value("agent0", "get") is None
    assert sets.value("agent1", "get") == 2
