"""The lists and an incident as a real browser lays them out, on a phone and on a desk."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

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

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
PHONE, DESK = 390, 1600
MEASURE = """
const rows = [...document.querySelectorAll("tbody tr")];
const cells = rows.flatMap(row => [...row.children]).filter(cell => cell.offsetWidth);
parent.document.body.dataset.measured = JSON.stringify({
  window: innerWidth,
  width: document.documentElement.scrollWidth,
  tallest_row: Math.max(0, ...rows.map(row => row.offsetHeight)),
  narrowest_cell: Math.min(9999, ...cells.map(cell => cell.offsetWidth)),
});
"""
LONG = "агент-with-a-name-that-is-longer-than-anybody-expects-" + "x" * 60
Measure = Callable[[str, int], dict[str, Any]]


@pytest.fixture
def measure(tmp_path: Path) -> Measure:
    """Sizes of a document at a width; its policy is left out, so that the page can be measured.

    It stands in a frame: a browser's window is never as narrow as a phone.
    """

    def measured(text: str, width: int) -> dict[str, Any]:
        place = tmp_path / f"page-{width}.html"
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        inner = html.escape(f"{text}<script>{MEASURE}</script>")
        style = f"width:{width}px;height:900px;border:0"
        frame = f'<!doctype html><body><iframe style="{style}" srcdoc="{inner}"></iframe>'
        place.write_text(frame, encoding="utf-8")
        done = subprocess.run(
            [
                str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-background-networking", "--window-size=1700,1000", "--dump-dom",
                f"--user-data-dir={tmp_path / 'profile'}", place.as_uri(),
            ],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        found = re.search(r'data-measured="([^"]*)"', done.stdout)
        assert found is not None, done.stderr[-500:]
        return json.loads(html.unescape(found[1]))

    return measured


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
def test_a_long_name_takes_no_room_from_the_other_columns(measure: Measure, width: int) -> None:
    found = measure(runs("sre-bot", LONG), width)

    assert found["window"] == width
    assert found["width"] <= width
    assert found["narrowest_cell"] >= 12  # no word is broken letter by letter
    assert found["tallest_row"] <= 170  # five lines of the name, one of the rest


def test_runs_are_named_by_their_agents_and_their_ids_come_second() -> None:
    text = runs("sre-bot")

    assert text.index(">sre-bot</a>") < text.index(f"run {incident.RUN[:8]} of a-service")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_an_incident_needs_no_sideways_scrolling(
    measure: Measure, tmp_path: Path, width: int
) -> None:
    page = incident_page(tmp_path / "aftershock.db", f"{LONG}: scale was called " + "again " * 20)

    assert measure(page, width)["width"] <= width


def test_what_was_behind_it_is_asked_only_where_something_degraded(tmp_path: Path) -> None:
    page = incident_page(tmp_path / "aftershock.db", "sre-bot broke checkout")

    assert "Was it the agent?" in page
    assert "open for 35 s" in page
