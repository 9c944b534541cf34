"""Server-sent events: what a stream carries, read while it passes."""

from __future__ import annotations

from collections.abc import Iterator

EVENT_BYTES_MAX = 64_000_000  # as of any message; a larger one passes unread


class EventReader:
    """The data of each event of one stream. Lines end with LF, CRLF or CR, as HTML has it."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._ends_with_return = False  # of the last piece: a line feed after it ends no other line

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The data of the events that end within the next piece of the stream."""
        if self._ends_with_return and piece.startswith(b"\n"):
            piece = piece[1:]
        self._ends_with_return = piece.endswith(b"\r") or (not piece and self._ends_with_return)
        *ended, last = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in ended:
            self._line += line
            self._size += len(line)
            whole = bytes(self._line)
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
