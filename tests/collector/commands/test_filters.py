"""Lists that are narrowed: by agent, rule, level, entity and time, and what is said of no match."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from aftershock.model import Level, Report
from aftershock_collector.store.writer import SqliteStore
from tests.support import incident
from tests.support.commands import Main, printed_data
from tests.support.traffic import EPOCH_NS, SECOND, Agent, span_request


@pytest.fixture
def run_id(home: Path, main: Main, tmp_path: Path) -> str:
    """A run in which dba-bot answers sre-bot, with an alarm and a warning."""
    agent = Agent(random.Random(1), "sre-bot")
    agent.think()
    agent.name = "dba-bot"
    agent.think()
    agent.call("db_query", {"sql": "select 1"}, "1")
    agent.name = "sre-bot"
    traffic = agent.finish()
    place = tmp_path / "run.pb"
    place.write_bytes(span_request(traffic.spans))
    main("import", str(place))
    blamed, loop = incident.blamed(), incident.loop()
    found = (
        replace(blamed, finding=replace(blamed.finding, run_id=traffic.run_id), opened_at_ns=at(1)),
        replace(
            loop,
            finding=replace(loop.finding, run_id=traffic.run_id, agent="dba-bot", level=Level.WARN),
            opened_at_ns=at(2),
        ),
    )
    store = SqliteStore.open(home / "aftershock.db")
    store.record(Report(at(3), opened=found), (), at(3))
    store.close()
    return traffic.run_id


def at(seconds: int) -> int:
    return EPOCH_NS + seconds * SECOND


@pytest.mark.usefixtures("run_id")
@pytest.mark.parametrize(
    ("filters", "kinds"),
    [
        ((), {"agent_impact", "repeated_action"}),
        (("--agent", "dba-bot"), {"repeated_action"}),
        (("--rule", "agent-impact"), {"agent_impact"}),
        (("--level", "warn"), {"repeated_action"}),
        (("--entity", "checkout"), {"agent_impact"}),
        (("--until", "2000-01-01"), set[str]()),
        (("--since", "30000d", "--limit", "1"), {"repeated_action"}),
    ],
)
def test_findings_are_narrowed(main: Main, filters: tuple[str, ...], kinds: set[str]) -> None:
    assert {one["kind"] for one in printed_data(main, "findings", *filters)} == kinds


@pytest.mark.parametrize(
    "filters",
    [
        ("--agent", "sre-bot"),
        ("--agent", "dba-bot"),
        ("--rule", "repeated_action"),
        ("--level", "alarm"),
        ("--entity", "service/checkout"),
        ("--since", "2000-01-01T00:00"),
    ],
)
def test_a_run_is_found_by_every_agent_and_by_its_findings(
    main: Main, run_id: str, filters: tuple[str, ...]
) -> None:
    (run,) = printed_data(main, "runs", *filters)

    assert (run["run"], run["agents"]) == (run_id, ["sre-bot", "dba-bot"])


@pytest.mark.usefixtures("run_id")
@pytest.mark.parametrize("command", ["runs", "findings"])
def test_a_filter_that_matches_nothing_does_not_deny_what_is_recorded(
    main: Main, command: str
) -> None:
    code, out, _ = main(command, "--agent", "nobody")

    assert code == 0
    assert "Nothing is recorded" not in out
    assert out.startswith(f"No {command[:-1]} matches; ")


def test_a_time_that_is_none_is_a_wrong_call(main: Main) -> None:
    code, _, err = main("runs", "--since", "yesterday")

    assert code == 2
    assert "--since 'yesterday' is not a time" in err


def test_the_list_and_the_timeline_count_the_same_steps(main: Main, run_id: str) -> None:
    (listed,) = printed_data(main, "runs")
    (shown,) = printed_data(main, "timeline", run_id)["runs"]

    assert listed["steps"] == shown["steps"] == 3
    assert "3 steps" in main("timeline", run_id)[1].splitlines()[0]
