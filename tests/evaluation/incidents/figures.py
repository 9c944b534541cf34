"""Figures of simulated incidents, as the live path shows them."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from tests.evaluation.incidents.classes import FIRST, SECOND, THIRD, Kind, Make, cases
from tests.evaluation.incidents.fifth import FIFTH
from tests.evaluation.incidents.fourth import FOURTH
from tests.evaluation.incidents.play import PAGED, SUSPECTED, Played, play
from tests.evaluation.rules import Line

HARMLESS = {Kind.HARMLESS, Kind.HELPING, Kind.COINCIDENT, Kind.REACTING, Kind.OTHERS}
HALVES: dict[str, tuple[Make, ...]] = {
    "first": FIRST, "second": SECOND, "third": THIRD, "fourth": FOURTH, "fifth": FIFTH,
}  # fmt: skip
ONSET_SCRAPES = 2
FOUND_SCRAPES = 3


def played(half: str) -> list[Played]:
    """Every class at every interval, on all cores; half of them without a declared topology."""
    count = sum(1 for _ in cases(HALVES[half]))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(_played, [half] * count, range(count)))


def _played(half: str, number: int) -> Played:
    every, seed, case = next(islice(cases(HALVES[half]), number, None))
    return play(case, every, seed, declared=number % 2 == 0)


def share(hits: Iterable[bool]) -> tuple[float, str]:
    """A share with its counts."""
    counted = list(hits)
    value = sum(counted) / len(counted) if counted else 0.0
    return value, f"{value:.3f}  ({sum(counted)} of {len(counted)})"


def _bar(name: str, figure: tuple[float, str], bar: float, *, least: bool = True) -> Line:
    met = figure[0] >= bar if least else figure[0] <= bar
    return Line(name, figure[1], f"{'≥' if least else '≤'} {bar:g}", met)


def lines(half: str, found: Sequence[Played]) -> Iterator[Line]:
    """The bars of one part."""
    harmful = [(p, span, onset) for p in found for span, onset in p.case.guilty.items()]
    shown = share(
        max(p.peak.get(span, 0.0), p.joint.get(span, 0.0)) >= SUSPECTED for p, span, _ in harmful
    )
    yield _bar(f"{half}: harmful found", shown, 0.85)
    paged = share(
        max(p.peak.get(span, 0.0), p.joint.get(span, 0.0)) >= PAGED for p, span, _ in harmful
    )
    yield Line(f"{half}: harmful paged", paged[1])
    waits = [
        (p.found_s[span] - onset) / p.every_s for p, span, onset in harmful if span in p.found_s
    ]
    wait = statistics.median(waits) if waits else 99.0
    yield _bar(
        f"{half}: scrapes from visible damage, median", (wait, f"{wait:.1f}"), FOUND_SCRAPES,
        least=False,
    )  # fmt: skip
    innocent = [p for p in found if p.case.kind in HARMLESS]
    wrong = share(peak >= PAGED for p in innocent for peak in p.peak.values())
    yield _bar(f"{half}: harmless, helping, coincident paged", wrong, 0.02, least=False)
    several = share(any(joint >= PAGED for joint in p.joint.values()) for p in innocent)
    yield Line(f"{half}: incidents of no agent, paged as one of several actions", several[1])
    beside = share(
        peak >= PAGED
        for p, peaks in ((p, p.peak) for p in found if p.case.kind is Kind.HARMFUL)
        for span, peak in peaks.items()
        if span not in p.case.guilty
    )
    yield Line(f"{half}: innocent beside the guilty, paged alone", beside[1])
    suspected = share(peak >= SUSPECTED for p in innocent for peak in p.peak.values())
    yield Line(f"{half}: the same, suspected", suspected[1])
    helping = [span in p.helped for p in found for span in p.case.helping]
    if helping:
        yield _bar(f'{half}: "helped" reported', share(helping), 0.80)
    onsets = share(
        abs(p.onset_s[span] - onset) <= ONSET_SCRAPES * p.every_s
        for p, span, onset in harmful
        if span in p.onset_s
    )
    yield _bar(f"{half}: onset within ± {ONSET_SCRAPES} scrapes", onsets, 0.90)


def misses(found: Sequence[Played]) -> Iterator[str]:
    """Which class and interval went wrong, for whoever works on the method."""
    for p in found:
        innocent = p.case.kind in HARMLESS
        worst = max(p.peak.values(), default=0.0)
        missed = [
            span
            for span in p.case.guilty
            if max(p.peak.get(span, 0.0), p.joint.get(span, 0.0)) < SUSPECTED
        ]
        unhelped = p.case.helping - p.helped
        if (innocent and worst >= PAGED) or missed or unhelped:
            peaks = {span: round(peak, 2) for span, peak in p.peak.items()}
            yield f"{p.case.kind.value}, {p.case.name}, every {p.every_s:g} s: {peaks}"


def main() -> None:
    """Print the figures of all parts and what went wrong."""
    for half in HALVES:
        found = played(half)
        for line in lines(half, found):
            print(line, flush=True)
        for miss in misses(found):
            print("   ", miss, flush=True)


if __name__ == "__main__":
    main()
