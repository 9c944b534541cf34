"""What live runs may take, so that the whole process stays within its memory. Pure.

Sizes of steps are estimates, and other parts take what they take. So the share of live runs gives
way as the process as a whole nears its bound. What is freed is used again by Python and only rarely
given back to the system: runs leave only while the process still grows.
"""

from __future__ import annotations

SHARE = 0.375  # of the process, at most: series, indexes, the queue and decoding take the rest
SHARE_MIN = 0.02  # a few runs, where something else fills the memory
NEAR = 0.85  # of the bound: from here on runs give way
GROWN = 1.02  # times the size at which runs left last


class MemoryShare:
    """The bytes that the steps of all live runs may take."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._left_at = 0  # resident bytes when runs left last; 0: they did not have to

    @property
    def most(self) -> int:
        """The bytes while there is room."""
        return int(self._bytes_max * SHARE)

    def is_near(self, resident_bytes: int) -> bool:
        """True where the process nears its bound."""
        return resident_bytes > int(self._bytes_max * NEAR)

    def allowed(self, resident_bytes: int, held_bytes: int) -> int:
        """The bytes now.

        Args:
            resident_bytes: what the process takes.
            held_bytes: what live runs take, estimated.
        """
        near = int(self._bytes_max * NEAR)
        if not self.is_near(resident_bytes):
            self._left_at = 0
            return self.most
        if resident_bytes <= self._left_at * GROWN:
            return min(self.most, held_bytes)
        self._left_at = resident_bytes
        least = int(self._bytes_max * SHARE_MIN)
        return max(least, min(self.most, held_bytes - (resident_bytes - near)))
