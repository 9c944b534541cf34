"""Both plays end to end: the incident is one page, ordinary work pages no one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sysconfig
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from aftershock.model import Impact, Level
from aftershock_collector.store.reader import Reader

PROGRAM = str(Path(sysconfig.get_path("scripts")) / "aftershock")
MARK = "DEMO_TEST_MARK"  # every process that the play starts inherits it

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Played(NamedTuple):
    """What is left of one play."""

    out: Path
    printed: str
    took_s: float
    left_behind: list[str]

    @property
    def pages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.out / "pages.json").read_text())
        return found

    def page(self, kind: str) -> dict[str, Any]:
        (found,) = [page for page in self.pages if page["kind"] == kind]
        return found

    @property
    def findings(self) -> dict[str, str]:
        """What was found, by kind: the sentence of one alarm each."""
        with Reader.open(self.out / "home" / "aftershock.db") as reader:
            return {
                claim.finding.kind: claim.finding.summary
                for claim in reader.claims()
                if claim.finding.level is Level.ALARM
            }

    @property
    def impacts(self) -> dict[str, Impact]:
        """The newest attribution of each tool."""
        with Reader.open(self.out / "home" / "aftershock.db") as reader:
            return {i.tool: i for run in reader.runs() for i in reader.impacts(run.run_id)}


def start(out: Path, mark: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PROGRAM, "demo", "--out", str(out), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, MARK: mark},
    )


def marked(mark: str) -> list[str]:
    """Processes that a play left behind."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def play(out: Path, *arguments: str) -> Played:
    mark, began = uuid.uuid4().hex, time.monotonic()
    with start(out, mark, *arguments) as process:
        printed, _ = process.communicate(timeout=240)
    assert process.returncode == 0, printed
    return Played(out, printed, time.monotonic() - began, marked(mark))


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("incident"))


@pytest.fixture(scope="module")
def ordinary_day(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("ordinary"), "--without-fault")


def test_the_incident_is_one_page_and_all_that_was_wrong_is_found(incident: Played):
    assert Counter(page["kind"] for page in incident.pages) == {"missing_fact": 1}
    assert {"missing_fact", "repeated_action", "agent_impact"} <= incident.findings.keys()


def test_the_page_names_both_facts_that_the_agent_did_not_know(incident: Played):
    page = incident.page("missing_fact")
    body = "\n".join(page["body"])

    assert page["agent"] == "sre-agent"
    assert "maintenance_window of prod" in body
    assert "connection_limit of orders" in body


def test_the_finding_about_the_loop_names_the_call(incident: Played):
    assert "get_status" in incident.findings["repeated_action"]


def test_the_damage_is_put_down_to_the_scaling_of_checkout(incident: Played):
    impact = incident.impacts["scale_workers"]

    assert "sre-agent's scale_workers" in incident.findings["agent_impact"]
    assert impact.entity == "service/checkout"
    assert impact.probability is not None
    assert impact.probability >= 0.8
    assert None in {
        alternative.span_id for alternative in impact.alternatives
    }  # "no agent action" competed
    assert impact.change is not None
    assert impact.charts


def test_the_agent_that_did_no_harm_is_not_blamed(incident: Played):
    assert {page["agent"] for page in incident.pages} == {"sre-agent"}
    assert (incident.impacts["set_cache_ttl"].probability or 0.0) < 0.5


def test_on_an_ordinary_day_the_same_agents_page_nobody(ordinary_day: Played):
    assert ordinary_day.pages == []
    assert "Nobody was paged." in ordinary_day.printed
    assert ordinary_day.impacts.keys() == {"scale_workers", "set_cache_ttl"}
    assert all((i.probability or 0.0) < 0.8 for i in ordinary_day.impacts.values())


@pytest.mark.parametrize("which", ["incident", "ordinary_day"])
def test_a_play_is_told_within_two_minutes_and_leaves_nothing_behind(
    which: str, request: pytest.FixtureRequest
):
    played: Played = request.getfixturevalue(which)
    html = (played.out / "timeline.html").read_text()

    assert played.left_behind == []
    assert played.took_s < 120
    assert "scale_workers" in played.printed
    assert "customers&#39; p95" in html or "customers' p95" in html
    assert 'src="http' not in html
    assert (played.out / "logs" / "collector.log").exists()


def test_ctrl_c_stops_everything_at_once(tmp_path: Path):
    mark = uuid.uuid4().hex
    with start(tmp_path, mark, "--seconds", "30") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while lines[-1] and "Ordinary life" not in lines[-1]:
            lines.append(process.stdout.readline())
        assert len(marked(mark)) > 5, "".join(lines)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)  # an impatient person
        printed = process.stdout.read()

    assert process.returncode == 130
    assert "Stopped." in printed
    assert marked(mark) == []
