"""Real coding agents delete rows of a real PostgreSQL through their shell: its log says whose."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from aftershock.model import Finding
from aftershock_collector.config.model import Infrastructure, LogFiles
from aftershock_collector.demo.postgres import NEEDED, Postgres, find_client, find_programs
from aftershock_collector.demo.processes import Children
from aftershock_collector.store.reader import Reader
from tests.coding_agents.test_real_agents import ARRIVES_S, connect
from tests.support.coding_agents.clis import Agent, Session
from tests.support.coding_agents.scripted_model import Move, Script, ScriptedModel, shell
from tests.support.live_collector import live_collector

pytestmark = [pytest.mark.slow, pytest.mark.coding_agents]

NAME_THEIR_SESSION = {"claude-code", "codex", "copilot", "qwen-code"}
PROGRAMS = find_programs()
CLIENT = None if PROGRAMS is None else find_client(PROGRAMS)
EXEC = Path(sys.executable).parent / "aftershock"  # by its place: Codex has a PATH of its own
DELETE = shell(f'{EXEC} exec -- {CLIENT}/psql -d orders -c "delete from customers where id > 100"')


@pytest.fixture
def database(tmp_path: Path) -> Generator[tuple[Postgres, Path]]:
    """A server that logs what developers do, and its log."""
    if PROGRAMS is None or CLIENT is None:
        pytest.skip(NEEDED)
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(0o711)  # the server may have to run as another user
    with Children(tmp_path) as children:
        server = Postgres(tmp_path / "postgres", 20, explains=True)
        server.start(children, PROGRAMS)
        yield server, tmp_path / "postgres.log"


def alarms_of(home: Path) -> tuple[list[str], list[Finding]]:
    """The agents of all runs, and what was found to have done damage."""
    with Reader.open(home / "aftershock.db") as reader:
        found = [claim.finding for claim in reader.claims() if claim.finding.kind == "agent_impact"]
        return [run.agent or "" for run in reader.runs()], found


def test_who_deleted_rows_is_certain_and_is_the_agent_that_ran_the_command(
    agent: Agent,
    database: tuple[Postgres, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if agent.name not in NAME_THEIR_SESSION:
        pytest.skip(f"{agent.name} does not name its session to what it runs")
    server, log = database
    home, work = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    work.mkdir()
    observed = Infrastructure(logs=(LogFiles(str(log), "postgresql"),), deleted_rows_max=100)
    script = Script(scripted(agent.name), last="I did not delete anything.")
    with (
        live_collector(tmp_path / "collector", infrastructure=observed) as collector,
        ScriptedModel(script) as model,
    ):
        session = Session(home, work, model.url)
        connect(agent, session, collector.url, monkeypatch)
        session.environment |= {
            "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "developer",
            "AFTERSHOCK_HTTP": str(collector.http),
        }  # fmt: skip
        ran = agent.run(session, "Tidy up.")
        deadline = time.monotonic() + ARRIVES_S
        agents, found = alarms_of(collector.home)
        while not found and time.monotonic() < deadline:
            time.sleep(0.5)
            agents, found = alarms_of(collector.home)

    printed = (ran.stdout[-1_000:], ran.stderr[-1_000:], log.read_text()[-1_000:])
    assert len(agents) == 1, printed
    assert len(found) == 1, printed
    assert "(certain): DELETE customers deleted 399 rows" in found[0].summary
    assert (found[0].agent or "").startswith(who(agent.name)), found[0].summary


def scripted(name: str) -> dict[str, list[Move]]:
    """Claude Code has the trace in its shell, and so a sub-agent of it is known as well."""
    if name == "claude-code":
        return {"": [Move("agent", "SUBAGENT: tidy up.")], "SUBAGENT": [DELETE]}
    return {"": [DELETE]}


def who(name: str) -> str:
    return {"claude-code": "claude-code/a", "copilot": "github-copilot"}.get(name, name)
