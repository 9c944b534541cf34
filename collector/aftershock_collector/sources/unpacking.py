"""Unpacks compressed bodies: bounded in bytes, members and time, and outside the event loop."""

from __future__ import annotations

import asyncio
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
CHUNK_BYTES = 65_536  # fed at once; what follows a member is copied, so it must not be the rest
MEMBERS_MAX = 64  # gzip members of one body; senders write one
UNPACK_S = 5.0  # for one body; the largest permitted one takes a tenth of a second
THREADS = 2  # unpacking releases the interpreter, so two bodies unpack beside everything else


class TooLarge(Exception):  # noqa: N818  (it names an event, and reads so in `except`)
    """The unpacked body is larger than it may be."""


class UnpackError(ValueError):
    """The body is no complete, bounded compressed body; says why."""


class Unpacker:
    """A small pool of threads that unpack. Belongs to one event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "aftershock-unpack")

    async def unpack(self, packed: bytes, encoding: str, bytes_max: int) -> bytes:
        """The unpacked body; `encoding` is a key of WINDOW_BITS. Raises as `unpack_body`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, unpack_body, packed, WINDOW_BITS[encoding], bytes_max
        )


def unpack_body(packed: bytes, window_bits: int, bytes_max: int) -> bytes:
    """The unpacked body. Raises TooLarge above `bytes_max`, UnpackError for anything else."""
    deadline_s = time.monotonic() + UNPACK_S
    source = memoryview(packed)
    position, size, members = 0, 0, 1
    parts: list[bytes] = []
    member = zlib.decompressobj(window_bits)
    try:
        while True:
            chunk = member.unconsumed_tail
            if not chunk:
                chunk = source[position : position + CHUNK_BYTES]
                position += len(chunk)
            if not chunk:
                raise UnpackError("the packed body ends too early")
            part = member.decompress(chunk, bytes_max + 1 - size)
            size += len(part)
            if size > bytes_max:
                raise TooLarge
            parts.append(part)
            if member.eof:  # gzip allows several members one after another
                position -= len(member.unused_data)
                if position == len(source):
                    return b"".join(parts)
                members += 1
                member = zlib.decompressobj(window_bits)
            if members > MEMBERS_MAX:
                raise UnpackError(f"the packed body has more than {MEMBERS_MAX} members")
            if time.monotonic() > deadline_s:
                raise UnpackError(f"unpacking takes more than {UNPACK_S:.0f} s")
    except zlib.error as error:
        raise UnpackError(f"the body cannot be unpacked: {error}") from error
