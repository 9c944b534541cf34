"""Recorded files go through the same spine as live traffic, and every loss is counted."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aftershock.policy.policy import EMPTY
from aftershock_collector.service.replay import Imported, Importer
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.support.traffic import looping_run, span_request

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "otel-openinference"
SHIPPED = Path(__file__).parents[2] / "data"
NOW_NS = 1_790_000_000 * 10**9

needs_recordings = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="the recorded OpenInference files are not beside the repository"
)


def import_into(place: Path, *files: Path) -> list[Imported]:
    with closing(SqliteStore.open(place)) as store:
        importer = Importer(store, EMPTY, NOW_NS)
        return [importer.read(path) for path in files]


def spans_in(document: Any) -> Iterator[Any]:
    for span in document["spans"] if "spans" in document else document["child_spans"]:
        yield span
        yield from spans_in(span)


def check_that_nothing_is_lost(place: Path, files: Sequence[Path]) -> None:
    """Every span of the files is stored, known or counted, and every file has a run."""
    done = import_into(place, *files)
    inside = sum(
        len(list(spans_in(json.loads(gzip.decompress(path.read_bytes()))))) for path in files
    )
    lost = sum(
        count
        for imported in done
        for reason, count in imported.dropped.items()
        if reason != "records that say nothing about agents"  # logs, which are no spans
    )

    assert inside == sum(imported.spans + imported.known for imported in done) + lost
    assert len(files) == len({run for imported in done for run in imported.runs})


@pytest.mark.slow
@needs_recordings
def test_every_span_of_a_recorded_openinference_file_is_stored_or_counted(tmp_path: Path) -> None:
    files = sorted(RECORDED.glob("*.json.gz"), key=lambda path: path.stat().st_size)

    check_that_nothing_is_lost(tmp_path / "aftershock.db", files[:16])


@pytest.mark.slow
@pytest.mark.timeout(600)
@needs_recordings
def test_every_span_of_every_recorded_openinference_file_is_stored_or_counted(
    tmp_path: Path,
) -> None:
    files = sorted(RECORDED.glob("*.json.gz"))

    assert 49 == len(files)
    check_that_nothing_is_lost(tmp_path / "aftershock.db", files)


def test_importing_a_file_twice_adds_nothing(tmp_path: Path) -> None:
    path = SHIPPED / "openinference-trail.json.gz"
    first, again = import_into(tmp_path / "aftershock.db", path, path)

    assert first.spans > 0
    assert (0, first.spans) == (again.spans, again.known)


def test_an_imported_loop_is_found_and_closed_with_the_datas_own_time(tmp_path: Path) -> None:
    run = looping_run(random.Random(3))
    path = tmp_path / "run.pb"
    path.write_bytes(span_request(run.spans))
    (imported,) = import_into(tmp_path / "aftershock.db", path)
    with Reader.open(tmp_path / "aftershock.db") as reader:
        (summary,) = reader.runs()
        (claim,) = reader.claims(run.run_id)
        steps = reader.steps(run.run_id, EMPTY)

    assert {run.run_id} == imported.runs
    assert ("repeated_action", "alarm") == (claim.finding.kind, claim.finding.level)
    assert summary.ended_at_ns == claim.closed_at_ns == max(step.last_ns for step in steps)


def test_neutral_records_import_with_a_step_for_each_of_theirs(tmp_path: Path) -> None:
    path = SHIPPED / "neutral-tau.jsonl.gz"
    records = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    (imported,) = import_into(tmp_path / "aftershock.db", path)

    assert len(records) == len(imported.runs)
    assert sum(len(record["steps"]) for record in records) == imported.steps
