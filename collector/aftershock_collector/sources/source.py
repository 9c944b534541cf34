"""The seam to where telemetry comes from: what every source can do."""

from __future__ import annotations

from typing import Protocol


class Source(Protocol):
    """Something that fetches telemetry by itself: a scrape, a query, this host, a queue.

    It hands what it found to the callback that it was made with. The callback puts it on the
    worker's thread; a source never touches the engine. (Servers that others push to, OTLP over
    HTTP and gRPC, hand whole requests to `IngestQueue.submit` instead: those are acknowledged.)
    """

    async def run(self) -> None:
        """Collect until cancelled. What fails is counted, logged and tried again."""
        ...
