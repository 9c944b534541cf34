"""One judged series as several lines of braille: its points, its frozen band, and the action."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aftershock_collector.views.chart import DOTS, Plot, across, ceiling, thinned
from aftershock_collector.wording import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 64  # characters: with its axis it fits a terminal of 80
HEIGHT = 8
BAND = "░"
ACTION = "│"
_BLANK = 0x2800
_ROWS = 4  # of dots in one character; it has two columns


class _Frame(NamedTuple):
    """What a picture spans, and how many characters it has for that."""

    began: int
    ended: int
    bottom: float
    top: float
    width: int
    height: int

    def column(self, at_ns: int, columns: int) -> int:
        """Which of so many columns a moment falls into."""
        return min(int(across(at_ns, self.began, self.ended) * columns), columns - 1)

    def level(self, value: float, levels: int) -> int:
        """Which of so many levels, from below, a value falls into."""
        share = (value - self.bottom) / (self.top - self.bottom)
        return min(max(int(share * levels), 0), levels - 1)

    def row(self, value: float) -> int:
        """The line, from above, that shows a value."""
        return self.height - 1 - self.level(value, self.height)


def canvas(plot: Plot, width: int = WIDTH, height: int = HEIGHT) -> Iterator[str]:
    """The lines: values on the left, times below, the band shaded, the action as a bar."""
    if len(plot.points) < 2:
        yield "too few points to draw"
        return
    frame = _Frame(
        plot.points[0][0], plot.points[-1][0], *ceiling(plot.points, plot.band), width, height
    )
    acted = None
    if plot.acted_at_ns is not None and frame.began <= plot.acted_at_ns <= frame.ended:
        acted = frame.column(plot.acted_at_ns, width)
    banded = _banded(plot, frame)
    labels = _labels(plot, frame)
    margin = max(len(label) for label in labels.values())
    for row, bits in enumerate(_dots(plot, frame)):
        empty = BAND if row in banded else " "
        line = "".join(
            chr(_BLANK + dots) if dots else ACTION if column == acted else empty
            for column, dots in enumerate(bits)
        )
        yield f"{labels.get(row, '').rjust(margin)} ┤{line.rstrip()}"
    yield f"{' ' * margin} └{'─' * width}"
    yield f"{' ' * margin}  {_times(plot, frame, acted)}"


def _dots(plot: Plot, frame: _Frame) -> list[list[int]]:
    """Bits of each cell; thinning keeps every peak."""
    cells = [[0] * frame.width for _ in range(frame.height)]
    for at, value in thinned(plot.points, 4 * frame.width):
        column = frame.column(at, frame.width * 2)
        level = frame.level(value, frame.height * _ROWS)
        row = frame.height - 1 - level // _ROWS
        cells[row][column // 2] |= DOTS[column % 2][level % _ROWS]
    return cells


def _banded(plot: Plot, frame: _Frame) -> range:
    """The lines that show a part of the frozen band."""
    if plot.band is None:
        return range(0)
    low, _, high = plot.band
    return range(frame.row(high), frame.row(low) + 1)


def _labels(plot: Plot, frame: _Frame) -> dict[int, str]:
    """Values beside the lines that show them: the highest, the band's upper edge, its median."""
    highest = max(value for _, value in plot.points)
    wanted = [highest] if plot.band is None else [highest, plot.band[2], plot.band[1]]
    found: dict[int, str] = {}
    for value in wanted:
        found.setdefault(frame.row(value), plot.words(value))
    return found


def _times(plot: Plot, frame: _Frame, acted: int | None) -> str:
    """The times of the first point, of the action and of the last point, where there is room."""
    line, last = clock(frame.began), clock(frame.ended)
    if acted is not None and plot.acted_at_ns is not None:
        mark = f"↑ {clock(plot.acted_at_ns)}"
        if len(line) < acted and acted + len(mark) < frame.width - len(last):
            line = line.ljust(acted) + mark
    return line.ljust(frame.width - len(last)) + last
