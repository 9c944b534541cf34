"""Follows log files: rotation, truncation, and where it stopped; a reader makes changes of records.

A file that was there at the very first start is read from its end. Later starts go on where the
last one stopped, as far as the file is still the same.
"""

from __future__ import annotations

import asyncio
import glob
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from aftershock.entity import entity_key
from aftershock.model import Change
from aftershock_collector.config.model import LogFiles
from aftershock_collector.reading.logs import RECORD_CHARS_MAX, Format, changes_in, format_named
from aftershock_collector.telemetry import Telemetry

EVERY_S = 0.25  # a page that names an action should not wait for its log
READ_BYTES_MAX = 1_000_000  # of one file at once: 4 MB a second, 20 ms of parsing each time
BEHIND_BYTES_MAX = 64_000_000  # what is further behind is left out: it is about the past
SEARCH_EVERY = 8  # rounds between two searches for new files
FILES_MAX = 64  # followed of one pattern, newest first
QUIET_ROUNDS = 2  # without anything new: the last record is whole

Deliver = Callable[["LogsRead"], None]


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file was read: everything before `offset`."""

    device: int
    inode: int
    offset: int


@dataclass(frozen=True, slots=True)
class Places:
    """How far every followed file was read, by path."""

    by_path: Mapping[str, Place] = field(default_factory=dict[str, Place])


@dataclass(frozen=True, slots=True)
class LogsRead:
    """What one round read, and how far."""

    changes: Sequence[Change]
    places: Places
    arrived_ns: int


class LogFollower:
    """Follows every file that the settings name."""

    def __init__(
        self,
        files: Sequence[LogFiles],
        deliver: Deliver,
        telemetry: Telemetry,
        *,
        clock: Callable[[], int],
        places: Places | None = None,
        deleted_rows_max: int | None = None,
    ) -> None:
        self._files = files
        self._deliver = deliver
        self._telemetry = telemetry
        self._clock = clock
        self._known: dict[str, Place] = dict(places.by_path) if places is not None else {}
        self._is_first = not self._known  # nothing was ever read: what is there is the past
        self._deleted_rows_max = deleted_rows_max
        self._followed: dict[str, _Followed] = {}
        self._rounds = 0

    async def run(self) -> None:
        """Read until cancelled."""
        try:
            while True:
                found = await asyncio.to_thread(self.read)
                if found is not None:
                    self._deliver(found)
                await asyncio.sleep(EVERY_S)
        finally:
            for followed in self._followed.values():
                followed.close()

    def read(self) -> LogsRead | None:
        """One round over all files; None where nothing was read."""
        if self._rounds % SEARCH_EVERY == 0:
            self._search()
            self._is_first = False
        self._rounds += 1
        arrived_ns = self._clock()
        changes: list[Change] = []
        before = dict(self._known)
        for path, followed in list(self._followed.items()):
            try:
                changes += self._read(followed, arrived_ns)
                self._known[path] = followed.place
            except OSError as error:
                self._telemetry.log_file_failed(path, error.strerror or str(error))
        if not changes and self._known == before:
            return None
        return LogsRead(changes, Places(dict(self._known)), arrived_ns)

    def _read(self, followed: _Followed, arrived_ns: int) -> Iterator[Change]:
        entity = followed.entity
        for record in followed.records():
            try:
                yield from changes_in(
                    record, followed.format, entity, arrived_ns, self._deleted_rows_max
                )
            except Exception as error:  # noqa: BLE001  our bug: the other records are read
                self._telemetry.failed("read a log", error)
        if followed.skipped_bytes:
            self._telemetry.drop({"log_bytes_behind": followed.skipped_bytes})
            followed.skipped_bytes = 0
        if followed.too_long:
            self._telemetry.drop({"log_record_too_long": followed.too_long})
            followed.too_long = 0

    def _search(self) -> None:
        for files in self._files:
            found = sorted(glob.glob(files.path), key=_newest_first)[:FILES_MAX]  # noqa: PTH207
            for path in found:
                if path not in self._followed:
                    self._follow(path, files)
            if not found and not any(f.pattern == files.path for f in self._followed.values()):
                self._telemetry.log_file_failed(files.path, "no such file")
        there = {f.path for f in self._followed.values() if Path(f.path).exists()}
        for path in [path for path in self._followed if path not in there]:
            if self._followed[path].is_done():
                self._followed.pop(path).close()
                self._known.pop(path, None)

    def _follow(self, path: str, files: LogFiles) -> None:
        try:
            handle = FileIO(path)
        except OSError as error:
            self._telemetry.log_file_failed(path, error.strerror or str(error))
            return
        status = os.fstat(handle.fileno())
        offset = status.st_size if self._is_first else 0
        known = self._known.get(path)
        if known is not None and (known.device, known.inode) == (status.st_dev, status.st_ino):
            offset = known.offset if known.offset <= status.st_size else 0
        self._followed[path] = _Followed(
            path, files.path, format_named(files.format), entity_key(files.entity), handle, offset
        )


def _newest_first(path: str) -> float:
    try:
        return -Path(path).stat().st_mtime
    except OSError:
        return 0.0


@dataclass(slots=True)
class _Followed:
    """One open file, and the record of which the end was not read yet."""

    path: str
    pattern: str
    format: Format
    entity: str | None
    handle: FileIO
    offset: int  # read so far
    skipped_bytes: int = 0  # not read: too far behind
    too_long: int = 0  # records that were not read
    _rest: bytes = b""  # of a line without its end
    _held: list[str] = field(default_factory=list[str])  # lines of a record that may go on
    _held_bytes: int = 0
    _overlong: bool = False  # the record that is being read is not kept
    _quiet: int = 0

    @property
    def place(self) -> Place:
        """From where to go on after a restart: the beginning of what is not whole yet."""
        status = os.fstat(self.handle.fileno())
        unread = len(self._rest) + self._held_bytes
        return Place(status.st_dev, status.st_ino, max(0, self.offset - unread))

    def close(self) -> None:
        """Close the file."""
        self.handle.close()

    def is_done(self) -> bool:
        """True where everything was read of a file that is not there any more."""
        return self.offset >= os.fstat(self.handle.fileno()).st_size and not self._held

    def records(self) -> Iterator[str]:
        """Whole records that were written since the last time, a bounded piece of them."""
        size = os.fstat(self.handle.fileno()).st_size
        if size < self.offset:  # truncated: it begins anew
            self._begin(0)
        if size - self.offset > BEHIND_BYTES_MAX:
            self.skipped_bytes += size - self.offset - READ_BYTES_MAX
            self._begin(size - READ_BYTES_MAX)
        self.handle.seek(self.offset)
        read = self.handle.read(READ_BYTES_MAX) or b""
        if read:
            self._quiet = 0
            self.offset += len(read)
            yield from self._split(read)
            return
        self._quiet += 1
        if self._quiet == QUIET_ROUNDS:
            yield from self._flush()
        if self._quiet >= QUIET_ROUNDS:
            self._reopen_if_rotated()

    def _begin(self, offset: int) -> None:
        self.offset, self._rest, self._held, self._held_bytes = offset, b"", [], 0

    def _split(self, read: bytes) -> Iterator[str]:
        *lines, self._rest = (self._rest + read).split(b"\n")
        for raw in lines:
            line = raw.decode("utf-8", "replace").removesuffix("\r")
            if (self._held or self._overlong) and self.format.begins(line, "\n".join(self._held)):
                yield from self._flush()
            self._held_bytes += len(raw) + 1
            if self._held_bytes > RECORD_CHARS_MAX:
                self._overlong = True
            if not self._overlong:
                self._held.append(line)
        if len(self._rest) > RECORD_CHARS_MAX:
            self._rest, self._overlong = b"", True

    def _flush(self) -> Iterator[str]:
        """The record that was read; a last line without its end belongs to it."""
        held, overlong = self._held, self._overlong
        self._held, self._held_bytes, self._overlong = [], 0, False
        self.too_long += overlong
        if held and not overlong:
            yield "\n".join(held)

    def _reopen_if_rotated(self) -> None:
        """Another file has this one's name now; everything of this one was read."""
        try:
            there = Path(self.path).stat()
        except FileNotFoundError:
            return
        own = os.fstat(self.handle.fileno())
        if (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino):
            return
        renamed = FileIO(self.path)
        self.handle.close()
        self.handle = renamed
        self._begin(0)
