"""The lists and an incident as a real browser lays them out, on a phone and on a desk."""

from __future__ import annotations

from pathlib import Path

import pytest

from aftershock.model import Report
from aftershock.policy.policy import EMPTY
from aftershock_collector.store.incidents import Incident, Severity
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.run_summary import RunSummary
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.views.html import incident_document, lists, templates
from aftershock_collector.views.html.incident_document import Form
from aftershock_collector.views.load_incident import incident_view
from tests.support import incident
from tests.support.browser import DESK, PHONE, opened

pytestmark = pytest.mark.slow
MEASURE = """() => {
  const rows = [...document.querySelectorAll("tbody tr")];
  const cells = rows.flatMap(row => [...row.children]).filter(cell => cell.offsetWidth);
  return {
    window: innerWidth,
    width: document.documentElement.scrollWidth,
    tallest_row: Math.max(0, ...rows.map(row => row.offsetHeight)),
    narrowest_cell: Math.min(9999, ...cells.map(cell => cell.offsetWidth)),
  };
}"""
LONG = "агент-with-a-name-that-is-longer-than-anybody-expects-" + "x" * 60


def measure(text: str, width: int) -> dict[str, int]:
    """Sizes of a document in pixels, laid out at a width."""
    with opened(width) as page:
        page.set_content(text)
        return page.evaluate(MEASURE)


def runs(*agents: str) -> str:
    rows = [
        RunSummary(incident.RUN, agent, "a-service", 1, 2, None, {"tool_call": 1}, 0, 2, 1, 36, (agent,))
        for agent in agents
    ]  # fmt: skip
    return templates.render(
        "runs.html", served=True, zone="UTC", headline="2 runs", incidents=[], recorded="",
        runs=[lists.run_row(run, 9) for run in rows], kept=lists.asked({}, 9)[1],
    )  # fmt: skip


def incident_page(place: Path, title: str) -> str:
    claims = (incident.missing_fact(), incident.blamed())
    found = Incident(
        number=1, key="aftershock-1", title=title, severity=Severity.CRITICAL,
        opened_at_ns=incident.at(64), updated_at_ns=incident.at(64),
        findings=tuple(claim.finding.id for claim in claims), runs=(incident.RUN,), agents=(LONG,),
        kinds=("agent_impact", "missing_fact"), entities=("service/checkout",), open_findings=2,
    )  # fmt: skip
    store = SqliteStore.open(place)
    store.record(Report(incident.at(96), opened=claims), (), incident.at(96), incidents=(found,))
    store.close()
    with Reader.open(place) as reader:
        view = incident_view(reader, 1, EMPTY)
    assert view is not None
    return incident_document.render(view, incident.at(99), (), Form())


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_long_name_takes_no_room_from_the_other_columns(width: int) -> None:
    found = measure(runs("sre-bot", LONG), width)

    assert found["window"] == width
    assert found["width"] <= width
    assert found["narrowest_cell"] >= 12  # no word is broken letter by letter
    assert found["tallest_row"] <= 170  # five lines of the name, one of the rest


def test_runs_are_named_by_their_agents_and_their_ids_come_second() -> None:
    text = runs("sre-bot")

    assert text.index(">sre-bot</a>") < text.index(f"run {incident.RUN[:8]} of a-service")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_an_incident_needs_no_sideways_scrolling(tmp_path: Path, width: int) -> None:
    page = incident_page(tmp_path / "aftershock.db", f"{LONG}: scale was called " + "again " * 20)

    assert measure(page, width)["width"] <= width


def test_what_was_behind_it_is_asked_only_where_something_degraded(tmp_path: Path) -> None:
    page = incident_page(tmp_path / "aftershock.db", "sre-bot broke checkout")

    assert "Was it the agent?" in page
    assert "open for 35 s" in page
