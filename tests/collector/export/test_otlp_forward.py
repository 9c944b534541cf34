"""What is accepted goes on unchanged to a real next collector, which may be slow, rude or away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from aftershock_collector.config.model import Address, Config
from aftershock_collector.export import otlp_forward
from aftershock_collector.export.otlp_forward import Forwarder
from aftershock_collector.sources import otlp_http
from aftershock_collector.sources.requests import Accepted, Answer, Busy, Refused, Signal
from aftershock_collector.telemetry import Telemetry

CONFIG = replace(Config(Path("unused")), http=Address("127.0.0.1", 0))
PROTOBUF = "application/x-protobuf"
HOSTILE = bytes(range(256)) * 10  # no valid OTLP: nobody on the way may care


@dataclass
class Next:
    """The next collector: our own server with a list behind it."""

    answers: list[Answer] = field(default_factory=list[Answer])
    took: list[tuple[Signal, bytes, str]] = field(default_factory=list[tuple[Signal, bytes, str]])
    telemetry: Telemetry = field(default_factory=Telemetry)
    url: str = ""

    async def submit(self, signal: Signal, body: bytes, content_type: str, sender: str) -> Answer:
        answer = self.answers.pop(0) if self.answers else Accepted()
        if isinstance(answer, Accepted):
            self.took.append((signal, body, content_type))
        return answer

    @asynccontextmanager
    async def listening(self, address: Address = CONFIG.http) -> AsyncGenerator[Address]:
        app = otlp_http.otlp_app(self.submit, self.telemetry, CONFIG, lambda: ())
        async with otlp_http.listening(app, address, self.telemetry, CONFIG) as bound:
            self.url = f"http://{bound}"
            yield bound


def value(telemetry: Telemetry, name: str, **labels: str) -> float:
    return telemetry.registry.get_sample_value(f"aftershock_{name}", labels) or 0.0


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what is waited for is on the other side
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_forward, "RETRY_FIRST_S", 0.02)


def test_every_signal_goes_on_byte_for_byte_with_its_content_type() -> None:
    sent = [
        (Signal.TRACES, HOSTILE, PROTOBUF),
        (Signal.METRICS, b"", PROTOBUF),
        (Signal.LOGS, b'{"resourceLogs": [ ]}', "application/json"),
    ]

    async def play() -> list[tuple[Signal, bytes, str]]:
        behind, telemetry = Next(), Telemetry()
        async with behind.listening():
            forwarder = Forwarder(behind.url + "/", telemetry, CONFIG)
            async with forwarder.running():
                for parcel in sent:
                    forwarder.put(*parcel)
        assert value(telemetry, "forwarded_total", signal="traces", outcome="taken") == 1
        assert value(telemetry, "forward_queue_bytes") == 0
        return behind.took

    assert sorted(asyncio.run(play())) == sorted(sent)


def test_only_what_was_accepted_goes_on() -> None:
    answers: list[Answer] = [Accepted(1, "one"), Busy(1, "busy"), Refused("bad"), Accepted()]

    async def play() -> list[tuple[Signal, bytes, str]]:
        front, behind = Next(list(answers)), Next()
        async with behind.listening():
            forwarder = Forwarder(behind.url, Telemetry(), CONFIG)
            async with forwarder.running():
                submit = forwarder.forwarding(front.submit)
                answers_seen = [
                    await submit(Signal.TRACES, b"%d" % n, PROTOBUF, "10.0.0.7") for n in range(3)
                ]
                answers_seen.append(
                    await submit(Signal.ALERTS, b"{}", "application/json", "10.0.0.7")
                )
        assert answers == answers_seen
        return behind.took

    assert asyncio.run(play()) == [(Signal.TRACES, b"0", PROTOBUF)]


def test_a_next_collector_that_is_busy_or_away_gets_it_later() -> None:
    async def play() -> list[bytes]:
        behind, telemetry = Next([Busy(0.0, "busy")]), Telemetry()
        async with behind.listening() as address:
            pass  # it was there, and is gone
        forwarder = Forwarder(f"http://{address}", telemetry, CONFIG)
        async with forwarder.running():
            forwarder.put(Signal.TRACES, b"first", PROTOBUF)
            await until(
                lambda: (
                    value(telemetry, "forwarded_total", signal="traces", outcome="unreachable") > 0
                )
            )
            async with behind.listening(address):
                await until(lambda: b"first" in [body for _, body, _ in behind.took])
                forwarder.put(Signal.TRACES, b"second", PROTOBUF)
                await until(lambda: len(behind.took) == 2)
        assert value(telemetry, "forwarded_total", signal="traces", outcome="busy") >= 1
        return [body for _, body, _ in behind.took]

    assert asyncio.run(play()) == [b"first", b"second"]


def test_what_the_next_collector_refuses_is_dropped_and_counted() -> None:
    async def play() -> Telemetry:
        behind, telemetry = Next([Refused("not OTLP")]), Telemetry()
        async with behind.listening():
            forwarder = Forwarder(behind.url, telemetry, CONFIG)
            async with forwarder.running():
                forwarder.put(Signal.TRACES, HOSTILE, PROTOBUF)
                forwarder.put(Signal.LOGS, HOSTILE, PROTOBUF)
        return telemetry

    telemetry = asyncio.run(play())

    assert value(telemetry, "dropped_total", reason="forward_refused") == 1
    refused = sum(
        value(telemetry, "forwarded_total", signal=signal, outcome="refused")
        for signal in ("traces", "logs")
    )
    assert refused == 1


def test_the_queue_is_bounded_and_says_what_it_dropped() -> None:
    config = replace(CONFIG, forward_queue_bytes_max=1_000)

    async def play() -> Telemetry:
        telemetry = Telemetry()
        forwarder = Forwarder("http://127.0.0.1:9", telemetry, config)
        for place in range(5):
            forwarder.put(Signal.TRACES, bytes([place]) * 400, PROTOBUF)
        assert value(telemetry, "forward_queue_bytes") == 800
        return telemetry

    assert value(asyncio.run(play()), "dropped_total", reason="forward_queue_full") == 3


def test_an_error_of_whoever_runs_it_passes_through() -> None:
    async def play() -> None:
        async with Forwarder("http://127.0.0.1:9", Telemetry(), CONFIG).running():
            raise TimeoutError("theirs")

    with pytest.raises(TimeoutError, match="theirs"):
        asyncio.run(play())


def test_stopping_does_not_wait_for_one_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_forward, "CLOSE_S", 0.1)

    async def play() -> Telemetry:
        telemetry = Telemetry()
        forwarder = Forwarder("http://127.0.0.1:9", telemetry, CONFIG)
        async with asyncio.timeout(5), forwarder.running():
            for place in range(10):
                forwarder.put(Signal.TRACES, b"%d" % place, PROTOBUF)
        return telemetry

    assert value(asyncio.run(play()), "dropped_total", reason="forward_stopped") == 10


def test_nobody_is_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_forward, "RETRY_FOR_S", 0.1)

    async def play() -> Telemetry:
        telemetry = Telemetry()
        forwarder = Forwarder("http://127.0.0.1:9", telemetry, CONFIG)
        async with forwarder.running():
            forwarder.put(Signal.TRACES, b"x", PROTOBUF)
        return telemetry

    assert value(asyncio.run(play()), "dropped_total", reason="forward_expired") == 1


@dataclass
class Passing(Next):
    """One that passes on what it accepts."""

    forwarder: Forwarder | None = None

    async def submit(self, signal: Signal, body: bytes, content_type: str, sender: str) -> Answer:
        assert self.forwarder is not None
        passed_on = self.forwarder.forwarding(super().submit)
        return await passed_on(signal, body, content_type, sender)


def test_a_circle_of_collectors_passes_each_body_on_once() -> None:
    """Each is the next of the other; without an end they would send it for ever."""

    async def play() -> tuple[Passing, Passing]:
        one, other = Passing(), Passing()
        async with one.listening(), other.listening():
            one.forwarder = Forwarder(other.url, one.telemetry, CONFIG)
            other.forwarder = Forwarder(one.url, other.telemetry, CONFIG)
            async with one.forwarder.running(), other.forwarder.running():
                await one.submit(Signal.TRACES, b"a span", PROTOBUF, "10.0.0.7")
                await until(lambda: passed_on(one, "repeated") == 1)
        return one, other

    one, other = asyncio.run(play())

    assert (len(one.took), len(other.took)) == (2, 1), "from its sender, and from the circle"
    assert (passed_on(one, "taken"), passed_on(other, "taken")) == (1, 1)


def passed_on(one: Next, outcome: str) -> float:
    return value(one.telemetry, "forwarded_total", signal="traces", outcome=outcome)
