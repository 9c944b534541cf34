"""Server-sent events: what a stream carries, read while it passes."""

from __future__ import annotations

from collections.abc import Iterator

EVENT_BYTES_MAX = 64_000_000  # as of any message; a larger one passes unread


class EventReader:
    """The data of each event of one stream. Lines end with LF or CRLF."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The data of the events that end within the next piece of the stream."""
        *ended, last = piece.split(b"\n")
        for line in ended:
            self._line += line
            self._size += len(line)
            whole = bytes(self._line).removesuffix(b"\r")
            self._line.clear()
            if whole.startswith(b"data:"):
                self._data.append(whole[5:].removeprefix(b" "))
            elif not whole:
                if self._data and self._size <= EVENT_BYTES_MAX:
                    yield b"\n".join(self._data)
                self._data, self._size = [], 0
            if self._size > EVENT_BYTES_MAX:
                self._data = []
        self._size += len(last)
        if self._size <= EVENT_BYTES_MAX:
            self._line += last
