"""Requests that wait, each sender's apart: every sender has its turn, and its share of the room.

A sender may hold no more than a multiple of what is free. So one sender alone may use most of the
room, several share it, and whoever comes next always finds some.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque

from aftershock_collector.sources.requests import IngestRequest

SHARE_OF_FREE = 3  # alone: three quarters of the room; two: three sevenths each


class FairQueue:
    """Waiting requests by sender. Not for several threads at once."""

    def __init__(self, bytes_max: int, requests_max: int) -> None:
        self._bytes_max = bytes_max
        self._requests_max = requests_max
        self._waiting: OrderedDict[str, deque[IngestRequest]] = OrderedDict()  # next turn first
        self._bytes: Counter[str] = Counter()  # of requests without an answer, by sender
        self._requests: Counter[str] = Counter()

    @property
    def bytes(self) -> int:
        """Of all requests that have no answer yet."""
        return self._bytes.total()

    @property
    def requests(self) -> int:
        """How many have no answer yet."""
        return self._requests.total()

    @property
    def most(self) -> tuple[str, float]:
        """The sender that holds most, and its share of what waits, 0 to 1; ("", 0) of nothing."""
        held = self._bytes if self._bytes.total() else self._requests
        if not held.total():
            return "", 0.0
        ((sender, most),) = held.most_common(1)
        return sender, most / held.total()

    def refusal(self, sender: str, size: int) -> str | None:
        """Why there is no room for another request of a sender; None where there is."""
        free = self._bytes_max - self.bytes - size
        if free < 0:
            return "the queue is full"
        if self._bytes[sender] and self._bytes[sender] + size > SHARE_OF_FREE * free:
            return "this sender's share of the queue is full"
        free = self._requests_max - self.requests - 1
        if free < 0 or (self._requests[sender] + 1 > SHARE_OF_FREE * free > 0):
            return "too many requests wait"
        return None

    def append(self, request: IngestRequest) -> None:
        """Add a request behind those of its sender."""
        self._bytes[request.sender] += len(request.body)
        self._requests[request.sender] += 1
        self._waiting.setdefault(request.sender, deque()).append(request)

    def settle(self, request: IngestRequest) -> None:
        """Give back the room of a request that has its answer."""
        sender = request.sender
        self._bytes[sender] -= len(request.body)
        self._requests[sender] -= 1
        if not self._requests[sender]:
            del self._requests[sender], self._bytes[sender]

    def group(self, bytes_max: int) -> list[IngestRequest]:
        """Remove one request of each sender in turn, as many as fit; at least one."""
        found: list[IngestRequest] = []
        size = 0
        while self._waiting:
            sender, waiting = next(iter(self._waiting.items()))
            size += len(waiting[0].body)
            if found and size > bytes_max:
                break
            found.append(waiting.popleft())
            self._waiting.move_to_end(sender)
            if not waiting:
                del self._waiting[sender]
        return found

    def __bool__(self) -> bool:
        return bool(self._waiting)
