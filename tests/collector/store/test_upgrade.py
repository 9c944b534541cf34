"""A store that version 0.1 wrote, opened today (`tests/data/store-0.1.0.sql`, made by its code)."""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aftershock.model import Assessment, Closing
from aftershock_collector.store.interface import State
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.support import incident

OLD = Path(__file__).parents[2] / "data" / "store-0.1.0.sql"
DAY = 86_400 * 10**9


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "aftershock.db"
    with closing(sqlite3.connect(place)) as connection:
        connection.executescript(OLD.read_text("utf-8"))
    return place


def test_findings_and_feedback_of_an_old_store_read_as_todays(path: Path) -> None:
    SqliteStore.open(path).close()
    with Reader.open(path) as reader:
        missing, impact = sorted(reader.claims(), key=lambda claim: claim.opened_at_ns)
        (feedback,) = reader.feedback()

        assert impact == incident.blamed()
        assert missing.closing is Closing.FEEDBACK
        assert missing.feedback == feedback
        assert (feedback.assessment, feedback.by) == (Assessment.AGENT, "alice")
        assert feedback.given_at_ns == incident.at(90)
        assert [row for row, *_ in reader.unreported_feedback()] == [1]
        assert reader.impacts(incident.RUN) == [incident.impact()]
        assert [reader.number_of(missing), reader.number_of(impact)] == [1, 2]


def test_alternatives_of_an_old_impact_keep_their_probabilities(path: Path) -> None:
    SqliteStore.open(path).close()
    with Reader.open(path) as reader:
        (impact,) = reader.impacts(incident.RUN)

    assert impact.parts.alternative == 1.2
    assert [a.probability for a in impact.alternatives][:1] == [0.06]


def test_alerts_of_an_old_store_keep_their_suspects_and_sizes(path: Path) -> None:
    SqliteStore.open(path).close()
    with Reader.open(path) as reader:
        (suspects,) = reader.suspects("ErrorRatio")
        (change,) = reader.changes(incident.at(0), incident.at(50))

    assert suspects.ranked[0].probability == 0.7
    assert change.size == math.inf


def test_pages_that_waited_in_an_old_store_are_still_sent(path: Path) -> None:
    with closing(SqliteStore.open(path)) as store:
        due = SqliteOutbox(store).due(incident.at(64) + DAY, receiver="webhook")
        bodies = [json.loads(one.body) for one in due]

        assert [one.state for one in due] == [State.OPENED, State.OPENED]
        assert {body["version"] for body in bodies} == {2}
        assert "probably degraded service/checkout" in bodies[1]["title"]
        assert bodies[1]["sections"][0]["lines"][0].startswith("What the agent did")


def test_opening_an_upgraded_store_again_changes_nothing(path: Path) -> None:
    SqliteStore.open(path).close()
    with Reader.open(path) as reader:
        before = reader.counts(), reader.claims()
    SqliteStore.open(path).close()
    with Reader.open(path) as reader:
        assert before == (reader.counts(), reader.claims())
