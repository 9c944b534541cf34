"""Tests of the command line: real files in, what people and programs read out, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from aftershock.model import Report
from aftershock_collector import cli
from aftershock_collector.store.interface import Delivery, State
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.serialization import to_text
from aftershock_collector.store.writer import SqliteStore
from tests.support import incident
from tests.support.commands import Main, printed_data, run_main
from tests.support.desk import page_of

FIRST, SECOND = "a1" + "0" * 30, "a2" + "0" * 30
EXTRA = (
    "grpc", "httpx", "jsonschema", "numpy", "platformdirs", "prometheus_client", "psutil", "rich",
    "starlette", "uvicorn",
)  # fmt: skip


def span(trace: str, number: int, tool: str, seconds: float, **attributes: str) -> dict[str, Any]:
    recorded = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool,
        "gen_ai.agent.name": "sre-bot",
        "aftershock.tool.arguments.digest": "d0",
        "aftershock.tool.result.digest": "r0",
        "aftershock.tool.result.outcome": "ok",
    } | attributes
    return {
        "traceId": trace,
        "spanId": f"{trace[:2]}{number:014x}",
        "name": f"execute_tool {tool}",
        "kind": 1,
        "startTimeUnixNano": str(incident.at(seconds)),
        "endTimeUnixNano": str(incident.at(seconds + 0.5)),
        "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in recorded.items()],
    }


@pytest.fixture
def recorded(tmp_path: Path, main: Main) -> Path:
    """A store with two runs, one of which loops."""
    looping = [span(FIRST, n, "get_status", n * 2.0) for n in range(5)]
    other = [span(SECOND, 1, "read_page", 4.0), span(SECOND, 2, "publish", 5.0)]
    scope = [{"scopeSpans": [{"spans": looping + other}]}]
    place = tmp_path / "recorded.json"
    place.write_text(json.dumps({"resourceSpans": scope}))
    assert main("import", str(place))[0] == 0
    return place


def test_without_a_command_it_says_where_to_start(main: Main) -> None:
    code, out, _ = main()

    assert code == 2
    assert "aftershock run python your_agent.py" in out
    assert [line for name in cli.COMMANDS if (line := name.name) not in out] == []


def test_help_works_for_every_command_and_exits_with_zero(main: Main) -> None:
    for command in cli.COMMANDS:
        code, out, _ = main(command.name, "--help")

        assert code == 0
        assert f"usage: aftershock {command.name}" in out


def test_an_unknown_command_is_a_wrong_call(main: Main) -> None:
    code, _, error = main("nonsense")

    assert code == 2
    assert "nonsense" in error


def test_the_version_is_the_distributions(main: Main) -> None:
    code, out, _ = main("--version")

    assert code == 0
    assert out.startswith("aftershock 0.")


@pytest.mark.parametrize("command", [("runs",), ("timeline",), ("findings",)])
def test_an_empty_store_says_what_to_do_next(main: Main, command: tuple[str, ...]) -> None:
    code, out, _ = main(*command)

    assert code == 0
    assert "Nothing is recorded yet" in out
    assert "aftershock up" in out
    assert not printed_data(main, *command)


def test_an_import_accounts_for_everything_and_twice_adds_nothing(
    main: Main, recorded: Path
) -> None:
    code, out, _ = main("import", str(recorded))

    assert code == 0
    assert "0 spans, 7 known already, 7 steps, 2 runs" in out


def test_a_file_that_cannot_be_read_is_said_and_stops_none_of_the_others(
    tmp_path: Path, main: Main, recorded: Path
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{nonsense")
    code, out, error = main("import", str(bad), str(tmp_path / "gone.json"), str(recorded))

    assert code == 1
    assert "7 known already" in out
    assert len(error.splitlines()) == 2
    assert "gone.json: No such file or directory" in error


def test_runs_are_listed_newest_first(main: Main, recorded: Path) -> None:
    code, out, _ = main("runs")
    lines = out.splitlines()

    assert code == 0
    assert lines[0].split() == ["RUN", "AGENT", "BEGAN", "(UTC)", "LASTED", "STEPS", "FINDINGS"]
    assert lines[1].startswith("a1000000  sre-bot  2026-01-15 12:03:10")
    assert "1 alarm" in lines[1]
    assert {run["run"] for run in printed_data(main, "runs")} == {FIRST, SECOND}


def test_a_timeline_takes_a_unique_beginning_or_latest(main: Main, recorded: Path) -> None:
    by_prefix = main("timeline", "a1")

    assert by_prefix[0] == 0
    assert "get_status ×" in by_prefix[1]
    assert "▲ alarm repeated_action" in by_prefix[1]
    assert main("timeline", "latest")[1] == main("timeline")[1] == by_prefix[1]


def test_several_runs_are_merged(main: Main, recorded: Path) -> None:
    body = printed_data(main, "timeline", "a1", "a2")

    assert [run["run"] for run in body["runs"]] == [FIRST, SECOND]
    assert {entry["run"] for entry in body["entries"]} == {FIRST, SECOND}


def test_an_ambiguous_or_unknown_run_says_what_to_do(main: Main, recorded: Path) -> None:
    code, _, ambiguous = main("timeline", "a")
    unknown = main("timeline", "zz")[2]

    assert code == 1
    assert FIRST in ambiguous
    assert SECOND in ambiguous
    assert ambiguous.count("\n") == unknown.count("\n") == 1
    assert unknown == (
        "aftershock timeline: no run begins with 'zz'; `aftershock runs` lists them\n"
    )


def test_the_page_is_written_with_the_pages_that_were_sent(
    tmp_path: Path, main: Main, recorded: Path
) -> None:
    (found,) = printed_data(main, "findings", "--run", "a1")
    store = SqliteStore.open(tmp_path / "home" / "aftershock.db")
    page = page_of(incident.loop())
    body = to_text(page)
    store.record(Report(0), [Delivery(found["id"], State.OPENED, "webhook", body)], incident.at(9))
    SqliteOutbox(store).delivered(1, incident.at(10))
    store.close()
    code, out, error = main("timeline", "a1", "--html", "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")

    assert (code, out) == (0, "")
    assert error == f"{(tmp_path / 'page.html').as_uri()}\n"
    assert "get_status" in text
    assert page.title in text
    assert main("timeline", "a1", "--html", "no/such/folder.html")[0] == 1


def test_findings_are_listed_with_their_state(main: Main, recorded: Path) -> None:
    code, out, _ = main("findings")
    body = printed_data(main, "findings")

    assert code == 0
    assert "repeated_action" in out
    assert [found["kind"] for found in body] == ["repeated_action"]
    assert body[0]["closing"] == "run ended"
    assert "No finding matches" in main("findings", "--open")[1]


def test_output_for_pipes_has_no_colours(main: Main, recorded: Path) -> None:
    for command in (("runs",), ("findings",), ("timeline",)):
        assert "\x1b" not in main(*command)[1]


def test_check_names_the_line_the_key_and_what_was_meant(tmp_path: Path, main: Main) -> None:
    place = tmp_path / "aftershock.yaml"
    assert main("check")[0] == 0
    place.write_text("tools:\n  scale:\n    tier: write\n")
    assert main("check")[:2] == (0, "aftershock.yaml is right: 1 tool, 0 agents, 0 limits\n")
    place.write_text("tools:\n  scale:\n    teir: write\n")
    code, _, error = main("check")

    assert code == 1
    assert "aftershock.yaml:3" in error
    assert "did you mean 'tier'" in error


def test_a_wrong_policy_does_not_hide_what_was_recorded(
    tmp_path: Path, main: Main, recorded: Path
) -> None:
    (tmp_path / "aftershock.yaml").write_text("nonsense: 1\n")
    code, out, error = main("timeline", "a1")

    assert code == 0
    assert "get_status" in out
    assert "aftershock check" in error


def test_up_refuses_a_wrong_configuration_in_one_line(tmp_path: Path, main: Main) -> None:
    (tmp_path / "aftershock.yaml").write_text("collector:\n  tick: fast\nnonsense: 1\n")
    code, _, error = main("up")

    assert code == 1
    assert error.count("\n") == 1
    assert "1 further problem; see `aftershock check`" in error


def test_a_damaged_store_is_one_line_and_not_a_traceback(tmp_path: Path, main: Main) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "aftershock.db").write_bytes(b"not a database" * 100)
    code, _, error = main("runs")

    assert code == 1
    assert error.count("\n") == 1
    assert "aftershock.db cannot be read" in error


def alone(*argv: str) -> subprocess.CompletedProcess[str]:
    """The command in a process that has the base dependencies only."""
    program = f"""
    import sys

    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in {EXTRA!r}:
                raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

    sys.meta_path.insert(0, Missing())
    from aftershock_collector.cli import main
    raise SystemExit(main({list(argv)!r}))
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_run_works_with_base_dependencies_only() -> None:
    done = alone("run", sys.executable, "-S", "-c", "print('it ran')")

    assert (done.returncode, done.stdout) == (0, "it ran\n")


def test_other_commands_say_what_to_install() -> None:
    done = alone("runs")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install 'aftershock[collector]'" in done.stderr


def test_a_reader_that_goes_away_is_not_an_error(tmp_path: Path, recorded: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m aftershock_collector.cli timeline a1 --json | head -c 10",
        shell=True, capture_output=True, text=True, timeout=60, check=False,
        env={"AFTERSHOCK_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip

    assert done.stdout == '{\n  "versi'
    assert done.stderr == ""


def test_help_of_a_command_is_found_under_help_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(capsys, "help", "runs") == run_main(capsys, "runs", "--help")
    assert run_main(capsys, "help")[0] == 0
