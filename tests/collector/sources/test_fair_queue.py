"""A flood fills its own share of the ingest queue and leaves the others their turns."""

from __future__ import annotations

from typing import Any

from aftershock_collector.reading.decoder import Signal
from aftershock_collector.sources.fair_queue import FairQueue
from aftershock_collector.sources.requests import IngestRequest

NO_FUTURE: Any = None


def request(sender: str, size: int = 100) -> IngestRequest:
    return IngestRequest(Signal.TRACES, bytes(size), "", sender, 0, NO_FUTURE)


def filled(queue: FairQueue, sender: str, most: int = 10_000) -> int:
    """How many requests of a sender find room."""
    for number in range(most):
        if queue.refusal(sender, 100) is not None:
            return number
        queue.append(request(sender))
    return most


def test_a_flood_leaves_room_for_whoever_comes_next() -> None:
    queue = FairQueue(bytes_max=100_000, requests_max=100_000)

    assert filled(queue, "flooder") == 750
    assert filled(queue, "second") > 150
    assert queue.refusal("third", 100) is None
    assert queue.refusal("flooder", 100) == "this sender's share of the queue is full"
    assert queue.refusal("fourth", 50_000) == "the queue is full"


def test_requests_are_shared_like_bytes() -> None:
    queue = FairQueue(bytes_max=10**9, requests_max=1_000)

    assert 700 <= filled(queue, "flooder") <= 750
    assert queue.refusal("second", 1) is None


def test_room_comes_back_with_the_answers() -> None:
    queue = FairQueue(bytes_max=100_000, requests_max=1_000)
    filled(queue, "flooder")
    for one in queue.group(10**9):
        queue.settle(one)

    assert (queue.bytes, queue.requests) == (0, 0)
    assert not queue
    assert filled(queue, "flooder") == 750


def test_every_sender_has_its_turn_and_keeps_its_own_order() -> None:
    queue = FairQueue(bytes_max=100_000, requests_max=1_000)
    first = [request("flooder") for _ in range(5)]
    newcomer = request("other")
    for one in (*first, newcomer):
        queue.append(one)

    assert queue.group(200) == [first[0], newcomer]
    assert queue.group(10**9) == first[1:]
    assert queue.group(10**9) == []


def test_a_request_that_is_larger_than_a_group_is_a_group() -> None:
    queue = FairQueue(bytes_max=100_000, requests_max=1_000)
    large = request("a", 5_000)
    queue.append(large)
    queue.append(request("b"))

    assert queue.group(1_000) == [large]
