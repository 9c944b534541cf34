"""The whole process stays within `memory_max`, whatever is sent: a real `aftershock up`."""

from __future__ import annotations

import socket
import tempfile
import time
from pathlib import Path

import h2.config
import h2.connection
import pytest
from h2.events import StreamEnded, StreamReset

from tests.bench.loads import LOADS
from tests.bench.memory import measure, up

MEMORY_MAX_MB = 512  # the default
SHARES = {
    "large_steps": 0.3, "many_large_steps": 0.1, "large_sketches": 0.5, "large_attributes": 0.5,
    "large_resources": 0.5,
    "distinct_names": 0.1, "distinct_series": 0.1, "distinct_counters": 0.25,
    "distinct_alerts": 0.2, "distinct_changes": 0.2, "nested_json": 0.1, "packed_bombs": 0.2,
    "honest": 0.25,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_memory_stays_within_its_bound_over_half_a_minute_of_what_is_cheapest_to_send() -> None:
    """One load of those below, so that a store without a bound is noticed the same day."""
    seen = measure(LOADS["large_sketches"](0.2))

    assert seen.most <= MEMORY_MAX_MB, seen
    assert seen.answers.get(200, 0) >= 50, seen  # most of it was taken in


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("load", LOADS)
def test_memory_stays_within_its_bound(load: str) -> None:
    seen = measure(LOADS[load](SHARES[load]))

    assert seen.most <= MEMORY_MAX_MB, seen
    assert seen.answers.keys() <= {200, 400, 413, 503}, seen
    assert not any("place=" in label for label in seen.dropped), seen  # no failure of ours


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(300)
def test_half_sent_bodies_over_grpc_take_bounded_memory() -> None:
    with tempfile.TemporaryDirectory() as name, up(Path(name)) as (_, address, process):
        before = process.memory_info().rss
        with half_sent(address, streams=60, body_bytes=15_000_000, seconds=15):
            grown = process.memory_info().rss - before

    assert grown < 150_000_000


class half_sent:  # noqa: N801
    """One connection that sends all but the end of many bodies, as fast as it may."""

    def __init__(self, address: str, *, streams: int, body_bytes: int, seconds: float) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.settimeout(0.05)
        settings = h2.config.H2Configuration(client_side=True)
        self.connection = h2.connection.H2Connection(settings)
        self.connection.initiate_connection()
        path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        self.left: dict[int, int] = {}
        for _ in range(streams):
            stream = self.connection.get_next_available_stream_id()
            head = [
                (":method", "POST"), (":scheme", "http"), (":path", path),
                (":authority", address), ("content-type", "application/grpc"), ("te", "trailers"),
            ]  # fmt: skip
            self.connection.send_headers(stream, head)
            self.connection.send_data(stream, b"\x00" + body_bytes.to_bytes(4, "big"))
            self.left[stream] = body_bytes - 1_000
        self.seconds = seconds

    def __enter__(self) -> None:
        until_s = time.monotonic() + self.seconds
        while time.monotonic() < until_s:
            for stream, left in list(self.left.items()):
                size = min(self.connection.local_flow_control_window(stream), 16_000, left)
                if size > 0:
                    self.connection.send_data(stream, bytes(size))
                    self.left[stream] -= size
            self.socket.sendall(self.connection.data_to_send())
            try:
                for event in self.connection.receive_data(self.socket.recv(1 << 20)):
                    if isinstance(event, StreamEnded | StreamReset):
                        self.left.pop(event.stream_id, None)
            except TimeoutError:
                continue

    def __exit__(self, *_: object) -> None:
        self.socket.close()
