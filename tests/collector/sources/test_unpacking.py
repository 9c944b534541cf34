"""Packed bodies: every honest one comes out, every other one ends early and says why."""

from __future__ import annotations

import gzip
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from aftershock_collector.sources import unpacking
from aftershock_collector.sources.unpacking import (
    CHUNK_BYTES,
    MEMBERS_MAX,
    WINDOW_BITS,
    TooLarge,
    UnpackError,
    unpack_body,
)

GZIP, DEFLATE = WINDOW_BITS["gzip"], WINDOW_BITS["deflate"]
LIMIT = 1_000_000


@given(some.lists(some.binary(max_size=2_000), min_size=1, max_size=MEMBERS_MAX))
def test_members_come_out_one_after_another(parts: list[bytes]) -> None:
    packed = b"".join(map(gzip.compress, parts))

    assert unpack_body(packed, GZIP, LIMIT) == b"".join(parts)


@given(some.binary(max_size=5_000))
def test_deflate_comes_out(body: bytes) -> None:
    assert unpack_body(zlib.compress(body), DEFLATE, LIMIT) == body


@pytest.mark.parametrize("size", [CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES * 3 + 7, LIMIT])
def test_a_body_of_many_chunks_comes_out(size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    packed = gzip.compress(body[:size], compresslevel=0)

    assert unpack_body(packed, GZIP, LIMIT) == body[:size]


@given(some.binary(min_size=1, max_size=200), some.integers(0, 200))
def test_a_body_that_was_cut_is_refused(body: bytes, cut: int) -> None:
    packed = gzip.compress(body)

    with pytest.raises(UnpackError):
        unpack_body(packed[: min(cut, len(packed) - 1)], GZIP, LIMIT)


@given(some.binary(max_size=300))
def test_bytes_that_are_no_gzip_never_do_anything_else_than_fail(body: bytes) -> None:
    with pytest.raises(UnpackError):
        unpack_body(b"\x00" + body, GZIP, LIMIT)


def test_a_bomb_stops_at_the_limit() -> None:
    packed = gzip.compress(bytes(LIMIT + 1))

    with pytest.raises(TooLarge):
        unpack_body(packed, GZIP, LIMIT)
    assert len(unpack_body(gzip.compress(bytes(LIMIT)), GZIP, LIMIT)) == LIMIT


def test_too_many_members_are_refused_before_they_cost_time() -> None:
    packed = gzip.compress(b"") * 200_000
    began_s = time.process_time()

    with pytest.raises(UnpackError, match="64 members"):
        unpack_body(packed, GZIP, LIMIT)
    assert time.process_time() - began_s < 0.5


def test_unpacking_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "UNPACK_S", -1.0)

    with pytest.raises(UnpackError, match="takes more than"):
        unpack_body(gzip.compress(b"a") * 2, GZIP, LIMIT)
