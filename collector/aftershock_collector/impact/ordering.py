"""Order statistics of many short stretches at once, by a sorting network over whole columns."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


@cache
def _network(length: int) -> tuple[tuple[int, int], ...]:
    """Which columns are compared, in order, so that the middle and the last end up in place.

    Batcher's merge exchange (Knuth, TAOCP 3, algorithm 5.2.2M), without the comparisons that
    decide about neither.
    """
    found: list[tuple[int, int]] = []
    bits = max(1, (length - 1).bit_length())
    step = 1 << (bits - 1)
    while step:
        far, rest, distance = 1 << (bits - 1), 0, step
        while True:
            found += [
                (low, low + distance) for low in range(length - distance) if low & step == rest
            ]
            if far == step:
                break
            distance, far, rest = far - step, far >> 1, step
        step >>= 1
    wanted = {(length - 1) // 2, length // 2, length - 1}
    kept: list[tuple[int, int]] = []
    for low, high in reversed(found):
        if low in wanted or high in wanted:
            wanted |= {low, high}
            kept.append((low, high))
    return tuple(reversed(kept))


def middle_and_largest(columns: list[Matrix]) -> tuple[Matrix, Matrix]:
    """Median and maximum of each stretch; `columns` holds one point of every stretch each.

    The columns are changed. A sort of each stretch by itself gives the same numbers, and takes
    several times as long.
    """
    length = len(columns)
    spare = np.empty_like(columns[0])
    for low, high in _network(length):
        one, other = columns[low], columns[high]
        np.minimum(one, other, out=spare)
        np.maximum(one, other, out=other)
        columns[low], spare = spare, one
    middle = (columns[(length - 1) // 2] + columns[length // 2]) * np.float32(0.5)
    return middle, columns[-1]
