"""Rings and PromQL: the same past gives the same verdicts; what could not be asked is said."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from aftershock.model import Action, Fingerprint, Impact, Outcome, Step, StepKind, Tier
from aftershock_collector.config.model import Address, Config, Infrastructure
from aftershock_collector.engine.engine import Engine
from aftershock_collector.impact.observation import ActionObserver
from aftershock_collector.metrics.queries import DEFAULT_QUERIES, Prometheus, Query
from aftershock_collector.metrics.series import Series, SeriesSource
from aftershock_collector.service.wiring import running
from aftershock_collector.sources.prometheus_query import Poller, PrometheusSource, QueryFailed
from aftershock_collector.store.reader import Reader
from aftershock_collector.telemetry import Telemetry
from tests.collector.service.test_suspects import PROTOBUF, tool_span
from tests.support.prometheus_server import STEP_S, Past, S, Service, needs_prometheus, prometheus
from tests.support.receiver import eventually
from tests.support.traffic import span_request

ACTED, BROKE, STEPS = 290, 291, 300  # steps of the past
ANY = Address("127.0.0.1", 0)


@pytest.fixture(scope="module")
def past() -> Past:
    """An hour and a quarter of four services, of which two broke at the end."""
    end_s = int(time.time()) // STEP_S * STEP_S
    services = (
        Service("checkout", broken_from=BROKE),
        Service("catalog"),
        Service("payments", broken_from=BROKE - 12),
        Service("search"),
    )
    return Past(services, end_s, STEPS)


@pytest.fixture(scope="module")
def server(past: Past, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus(tmp_path_factory.mktemp("prometheus"), past) as url:
        yield url


def settings(url: str) -> Prometheus:
    return Prometheus(url, step_s=STEP_S, timeout_s=5.0, queries=DEFAULT_QUERIES)


def scale(at_ns: int, target: str) -> Step:
    return Step(
        run_id="run",
        span_id=f"scale {target}",
        trace_id="run",
        kind=StepKind.TOOL_CALL,
        name="scale",
        began_at_ns=at_ns,
        ended_at_ns=at_ns + S,
        agent="sre-bot",
        action=Action(
            "scale", Fingerprint("a"), Fingerprint("r"), Outcome.OK, Tier.WRITE, (target,)
        ),
    )


def attribution(past: Past, source: SeriesSource, target: str) -> Impact:
    """The verdict on one action on a target, after a look at each scrape."""
    acted_ns = past.at_s(ACTED) * S + S
    observer = ActionObserver()
    observer.open(scale(acted_ns, target))
    best: Impact | None = None
    for step in range(ACTED + 1, STEPS):
        for impact in observer.score(past.at_s(step) * S + S, source, {}):
            best = impact
    assert best is not None
    return best


@pytest.mark.slow
@needs_prometheus
@pytest.mark.parametrize(
    ("target", "label"),
    [
        ("service/checkout", "probable"),  # it broke after the action
        ("service/catalog", "no metric evidence"),  # others broke, this did not
        ("service/payments", "no metric evidence"),  # it was broken before
        ("service/nobody", "no metric evidence"),  # nothing is measured
    ],
)
def test_rings_and_prometheus_give_the_same_verdicts_on_the_same_past(
    past: Past, server: str, target: str, label: str
) -> None:
    live = attribution(past, past.rings(), target)
    source = PrometheusSource(settings(server))
    asked = attribution(past, source, target)

    assert () == source.problems
    assert label == live.label
    assert live.entity == asked.entity == target
    assert live.missing == asked.missing
    if label != "probable":  # 30 s points say less than rings: neither blames
        assert max(live.probability or 0, asked.probability or 0) < 0.5
        return
    assert label == asked.label
    assert pytest.approx(live.probability or 0, abs=0.1) == (asked.probability or 0)
    if live.change is not None and asked.change is not None:
        assert abs(live.change.began_at_ns - asked.change.began_at_ns) <= 2 * STEP_S * S


@needs_prometheus
def test_points_of_a_window_do_not_move_between_looks(past: Past, server: str) -> None:
    source = PrometheusSource(settings(server))
    end_ns = past.end_s * S

    def points(end: int) -> dict[str, dict[int, float]]:
        found = source.window(["service/checkout"], end_ns - 600 * S, end)
        return {
            each.metric: dict(zip(each.times_ns.tolist(), each.values.tolist(), strict=True))
            for each in found
        }

    first, later = points(end_ns - 37 * S), points(end_ns - 3 * S)
    assert {
        "http server request p99",
        "http server request errors",
        "http server request rate",
    } == set(first)
    for metric, known in first.items():
        assert known == {at: value for at, value in later[metric].items() if at in known}
    assert all(at % (STEP_S * S) == 0 for known in later.values() for at in known)


@needs_prometheus
def test_a_query_that_prometheus_refuses_is_named_and_the_others_are_asked(server: str) -> None:
    wrong = Query("errors", "broken", "sum by (job (up)", "1")
    source = PrometheusSource(replace(settings(server), queries=(wrong, *DEFAULT_QUERIES)))
    found = source.window(None, 0, time.time_ns())

    (problem,) = source.problems
    assert problem.startswith("Prometheus query broken failed: ")
    assert "parse error" in problem
    assert {"service/checkout", "service/catalog"} <= {each.entity for each in found}


@pytest.mark.slow
def test_a_prometheus_that_is_away_or_hangs_is_said_once_and_soon() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        away = PrometheusSource(replace(settings(url), timeout_s=0.3))
        assert [] == away.window(None, 0, time.time_ns())
        assert 1 == len(away.problems)

        silent.listen()
        began = time.monotonic()
        hanging = PrometheusSource(replace(settings(url), timeout_s=0.3))
        assert [] == hanging.window(None, 0, time.time_ns())
        assert time.monotonic() - began < 2.0
        assert "no answer within 0.3 s" in hanging.problems[0]
        with pytest.raises(QueryFailed):
            hanging.ask(DEFAULT_QUERIES[0], None, 0, time.time_ns())


def test_what_could_not_be_asked_stands_in_the_verdict_and_no_look_is_not_calm() -> None:
    engine = Engine(patience_s=35.0)
    acted_ns = 1_790_000_000 * S
    engine.observe([scale(acted_ns, "service/checkout")], acted_ns + S)
    assert () == engine.conclude(acted_ns + S).impacts
    assert () == engine.conclude(acted_ns + 20 * S).impacts  # an answer may still come
    problem = "Prometheus could not tell http p99: no answer within 5 s"
    engine.correlator.record_series((), {}, (problem,))
    (impact,) = engine.conclude(acted_ns + 36 * S).impacts

    assert ("no metric evidence", None) == (impact.label, impact.probability)
    assert ("nothing is measured on service/checkout", problem) == impact.missing


def test_nobody_asks_while_no_action_is_watched() -> None:
    asked: list[int] = []

    def deliver(*_: object) -> None:
        asked.append(2)

    async def idle() -> None:
        async def wanted() -> bool:
            asked.append(1)
            return False

        source = PrometheusSource(settings("http://127.0.0.1:1"))
        telemetry = Telemetry()
        poller = Poller(source, wanted, deliver, telemetry)
        task = asyncio.create_task(poller.run())
        await asyncio.sleep(0.1)
        task.cancel()
        assert b"aftershock_queries_total{" not in telemetry.exposition()[0]

    asyncio.run(idle())
    assert [1] == asked


@needs_prometheus
def test_a_second_look_asks_only_for_what_is_new(past: Past, server: str) -> None:
    poller = Poller(
        PrometheusSource(settings(server)), lambda: asyncio.sleep(0, True), print, Telemetry()
    )
    middle_ns, end_ns = past.at_s(200) * S + S, past.end_s * S + S
    first, problems = poller.poll(middle_ns)
    second, _ = poller.poll(end_ns)

    def times(found: Sequence[Series]) -> list[int]:
        return sorted({at for each in found for at in each.times_ns.tolist()})

    assert () == problems
    assert times(second)[0] == times(first)[-1] + STEP_S * S
    assert times(second)[-1] == past.end_s * S


@needs_prometheus
def test_a_running_collector_blames_an_action_on_what_prometheus_saw(
    past: Past, server: str, tmp_path: Path
) -> None:
    acted_ns = past.at_s(ACTED) * S + S
    infrastructure = Infrastructure(prometheus=replace(settings(server), step_s=float(STEP_S)))
    config = Config(home=tmp_path, http=ANY, grpc=ANY, tick_s=0.05, infrastructure=infrastructure)

    def impacts() -> list[Impact]:
        with Reader.open(config.store) as reader:
            found = reader.impacts_named("scale_workers")
            return [i for i in found if i.label == "probable"]

    async def live() -> None:
        async with running(config) as collector, httpx.AsyncClient() as client:
            acted = tool_span(acted_ns, "scale_workers", "write", "ac" * 8)
            newest = tool_span(time.time_ns() - 2 * S, "get_status", "read", "ad" * 8)
            await client.post(
                f"http://{collector.http}/v1/traces",
                content=span_request([acted, newest]),
                headers=PROTOBUF,
            )
            await asyncio.to_thread(eventually, impacts, 45.0)

    asyncio.run(live())
    (impact,) = impacts()
    assert ("service/checkout", "probable") == (impact.entity, impact.label)
    assert impact.change is not None
    assert impact.change.name.startswith("http server request")
