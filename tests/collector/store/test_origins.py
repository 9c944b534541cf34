"""Resources that are remembered between commits: few in number, and few in bytes."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import random
from pathlib import Path

import pytest

from aftershock_collector.otlp import decode as decoding
from aftershock_collector.otlp.decode import decode_traces
from aftershock_collector.store import writer
from aftershock_collector.store.writer import SqliteStore
from tests.bench.loads import large_resources
from tests.support.traffic import healthy_run, span_request


def test_large_resources_are_stored_and_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ORIGINS_BYTES_MAX", 10_000_000)
    store = SqliteStore.open(tmp_path / "aftershock.db")
    bodies = [body.content for body in large_resources(3 / 120)]

    for body in [*bodies, span_request(healthy_run(random.Random(1)).spans)]:
        spans = decode_traces(body, "application/x-protobuf").items
        store.append([(span, None) for span in spans], [], [], 1)

    assert store.select("SELECT count(*) FROM origins WHERE length(body) > 7000000") == [(3,)]
    assert sum(map(len, store._origins)) <= 10_000_000
    assert sum(map(len, decoding._resources)) < 10_000_000
    store.close()
