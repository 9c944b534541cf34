"""Series that are born with a fault, traffic that stops, and quantiles of few calls."""

from __future__ import annotations

from aftershock_collector.metrics.exposition import samples_of
from aftershock_collector.metrics.measure import Measurer
from aftershock_collector.metrics.reporting import Expected
from aftershock_collector.metrics.series import SeriesStore

S = 1_000_000_000
TEXT = "text/plain"
CHECKOUT = "service/checkout"


def calls(total: int, *, errors: int | None = None) -> str:
    """The exposition of a service after so many calls."""
    lines = [
        "# TYPE http_server_request_duration_seconds histogram",
        f'http_server_request_duration_seconds_bucket{{le="0.1"}} {total}',
        f'http_server_request_duration_seconds_bucket{{le="+Inf"}} {total}',
        "http_server_request_duration_seconds_sum 1",
        f"http_server_request_duration_seconds_count {total}",
    ]
    if errors is not None:
        lines += ["# TYPE worker_errors_total counter", f"worker_errors_total {errors}"]
    return "\n".join(lines) + "\n"


def scraped(*texts: str) -> dict[str, list[float]]:
    """Values by metric after one scrape every 15 s."""
    store, measurer = SeriesStore(), Measurer()
    for number, text in enumerate(texts):
        at_ns = number * 15 * S
        measurer.record(samples_of(text, TEXT, {"service.name": "checkout"}, at_ns), store)
    series = store.window([CHECKOUT], 0, 10**18)
    return {each.metric: each.values.tolist() for each in series}


def test_a_counter_of_errors_that_is_born_with_a_fault_was_zero_before() -> None:
    quiet = [calls(100 * n) for n in range(12)]
    found = scraped(*quiet, calls(1_200, errors=30), calls(1_300, errors=60))

    assert found["worker_errors_total rate"] == [0.0] * 12 + [2.0, 2.0]


def test_at_the_first_scrapes_nothing_is_known_to_be_born() -> None:
    found = scraped(calls(100, errors=30), calls(200, errors=30))

    assert found["worker_errors_total rate"] == [0.0]


def test_traffic_that_stops_is_an_error_and_a_service_that_is_rarely_called_is_not() -> None:
    busy = scraped(*[calls(100 * n) for n in range(15)], calls(1_400), calls(1_400))
    idle = scraped(*[calls(n) for n in range(15)], calls(14), calls(14))

    assert busy["http_server_request_duration_seconds stopped"][-3:] == [0.0, 1.0, 1.0]
    assert set(idle["http_server_request_duration_seconds stopped"]) == {0.0}


def test_a_p99_of_few_calls_waits_for_more_of_them() -> None:
    few = scraped(*[calls(3 * n) for n in range(6)])
    enough = scraped(*[calls(60 * n) for n in range(3)])

    assert "http_server_request_duration_seconds p99" not in few
    assert len(enough["http_server_request_duration_seconds p99"]) == 2


def test_an_interval_without_calls_does_not_change_what_is_usual() -> None:
    expected = Expected()
    for _ in range(20):
        expected.stopped(100.0)

    assert [expected.stopped(0.0) for _ in range(30)] == [1.0] * 30
