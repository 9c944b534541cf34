"""Figures beside the bars on recordings: situations, original files, warn rates, each rule alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from aftershock.model import Level, Step
from aftershock.policy.policy import EMPTY
from aftershock.rules import KINDS
from aftershock_collector.reading.decoder import PROTOBUF, Readers, Signal, decode
from aftershock_collector.sources.recorded_files import read_file
from tests.evaluation.situations.collections import HALVES
from tests.evaluation.situations.judging import judge_situation, summary
from tests.evaluation.traces import Judged, data_folder, judge_record

FALSE_PAGES_MAX = 0.02
MISSED_MAX = 0.10
WRITTEN_AFTER = ("half B", "half D")  # the rules were done: what they show is believed

Row = tuple[str, str, str, bool | None]  # name, figure, bar, met


def situations() -> Iterator[Row]:
    """False pages, misses and late findings of each half, and what each rule adds to them."""
    for half, collected in HALVES.items():
        counts = summary([judge_situation(one) for one in collected])
        healthy, sick = counts["healthy"], counts["sick"]
        false, missed = counts["false pages"], counts["missed"]
        is_bar = half in WRITTEN_AFTER
        bar = "≤ 2 %" if is_bar else ""
        met = false <= FALSE_PAGES_MAX * healthy if is_bar else None
        yield f"situations, {half}, false pages", f"{false} of {healthy}", bar, met
        bar = "≤ 10 %" if is_bar else ""
        met = missed <= MISSED_MAX * sick if is_bar else None
        yield f"situations, {half}, missed", f"{missed} of {sick}", bar, met
        yield f"  situations, {half}, late", f"{counts['late']} of {sick}", "", None
        yield (
            f"  situations, {half}, healthy runs that warn",
            f"{counts['healthy warns']} of {healthy}", "", None,
        )  # fmt: skip
        for kind in KINDS:
            without = summary([judge_situation(one, frozenset({kind})) for one in collected])
            more, fewer = without["missed"] - missed, false - without["false pages"]
            if more or fewer:
                figure = f"{more} missed more, {fewer} false pages fewer"
                yield f"  {half} without {kind}", figure, "", None


def warn_rate(name: str, runs: Sequence[Judged], most: float | None = None) -> Row:
    """The share of healthy runs in which any rule warns or pages."""
    share = sum(any(run.findings(KINDS)) for run in runs) / max(1, len(runs))
    bar = "" if most is None else f"≤ {most:.0%}"
    met = None if most is None else share <= most
    return f"healthy runs with any finding, {name}", f"{share:.2%} of {len(runs)}", bar, met


def firing(sets: Iterable[Judged]) -> Iterator[Row]:
    """In how many recorded runs each rule fires, at any level and as a page."""
    runs: Counter[str] = Counter()
    pages: Counter[str] = Counter()
    for judged in sets:
        found = [finding for _, finding in judged.findings(KINDS)]
        runs.update({finding.kind for finding in found})
        pages.update({finding.kind for finding in found if finding.level is Level.ALARM})
    for kind in KINDS:
        yield (
            f"  recorded runs in which {kind} fires",
            f"{runs[kind]} ({pages[kind]} page)",
            "",
            None,
        )


def original_steps(path: Path) -> list[Step]:
    """The steps of one original OpenInference file, as an import reads it, in event order."""
    steps = [
        step
        for body in read_file(path)
        if body.signal == Signal.TRACES
        for step in decode(
            body.body, Signal.TRACES, PROTOBUF, Readers.by(EMPTY), arrived_ns=0
        ).steps
    ]
    return sorted(steps, key=lambda step: (step.began_at_ns, step.span_id))


def original(record: dict[str, object]) -> Judged | None:
    """A TRAIL run through its original file; None where that file is not there."""
    name = str(record["id"]).rpartition("/")[2]
    path = data_folder() / "otel-openinference" / f"{name}.json.gz"
    return judge_record(record, EMPTY, original_steps(path)) if path.exists() else None
