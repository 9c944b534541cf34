"""call_graph: who calls whom is learnt from calls that were seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aftershock_collector.metrics.call_graph import EDGES_MAX, CallGraph
from aftershock_collector.metrics.measure import Measurer
from aftershock_collector.otlp.wire import Sample, SampleKind

S = 1_000_000_000
DAY_NS = 86_400 * S


def calls(name: str, resource: dict[str, str], **labels: str) -> Measurer:
    measurer = Measurer()
    sample = Sample(
        name, "s", SampleKind.HISTOGRAM, {k.replace("_", "."): v for k, v in labels.items()},
        resource, S, observations=3, bounds=(0.1,), buckets=(2, 1),
    )  # fmt: skip
    measurer.measure([sample])
    return measurer


def test_a_client_metric_says_whom_its_process_calls() -> None:
    measurer = calls(
        "http.client.request.duration",
        {"service.name": "gateway"},
        server_address="checkout", server_port="8080",
    )  # fmt: skip

    assert measurer.calls.beside({}, S) == {"service/gateway": ["address/checkout:8080"]}


def test_a_database_client_metric_says_which_database_its_process_uses() -> None:
    measurer = calls(
        "db.client.operation.duration", {"service.name": "checkout"}, db_namespace="orders"
    )

    assert measurer.calls.beside({}, S) == {"service/checkout": ["db/orders"]}


def test_a_service_graph_names_both_sides_and_belongs_to_the_one_that_is_called() -> None:
    measurer = Measurer()
    for at, value in ((1, 5.0), (2, 9.0)):
        points = measurer.measure([
            Sample(
                "traces_service_graph_request_failed_total", "", SampleKind.SUM,
                {"client": "gateway", "server": "checkout"}, {"service.name": "tempo"},
                at * S, value=value, monotonic=True,
            )
        ])  # fmt: skip

    assert [(p.entity, p.value) for p in points] == [("service/checkout", 4.0)]
    assert measurer.calls.beside({}, S) == {"service/gateway": ["service/checkout"]}


def test_what_was_declared_stays_and_what_was_seen_is_added() -> None:
    graph = CallGraph()
    graph.record("service/gateway", "service/checkout", S)
    graph.record("service/gateway", "service/cart", S)

    found = graph.beside({"service/gateway": ["service/checkout"], "a": ["b"]}, S)

    assert found == {"service/gateway": ["service/checkout", "service/cart"], "a": ["b"]}


def test_a_pair_that_has_not_called_for_a_day_is_forgotten() -> None:
    graph = CallGraph()
    graph.record("a", "b", S)
    graph.record("a", "c", 2 * DAY_NS)

    assert graph.beside({}, 2 * DAY_NS) == {"a": ["c"]}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60))
def test_nobody_calls_himself(pairs: list[tuple[int, int]]) -> None:
    graph = CallGraph()
    for caller, callee in pairs:
        graph.record(str(caller), str(callee), S)

    found = graph.beside({}, S)
    assert all(caller not in callees for caller, callees in found.items())
    assert {(a, b) for a, callees in found.items() for b in callees} == {
        (str(a), str(b)) for a, b in pairs if a != b
    }


def test_pairs_are_bounded_and_what_is_forgotten_is_counted() -> None:
    graph = CallGraph()
    for number in range(EDGES_MAX + 5):
        graph.record("a", str(number), S)

    assert len(graph) == EDGES_MAX
    assert graph.dropped == {"call_pairs_full": 5}


def test_who_calls_whom_is_known_again_after_a_restart() -> None:
    before, after = CallGraph(), CallGraph()
    before.record("service/web", "service/payments", 5)
    before.record("service/payments", "db/orders", 3)

    after.restore(before.newest())

    assert after.beside({}, 10) == before.beside({}, 10)
    assert after.newest() == before.newest()
