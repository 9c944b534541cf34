"""`aftershock check`: mistakes that the schema cannot see, doubts, and who would be paged."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support.commands import Main

POLICY = """
on_call: {webhook: {url: "http://127.0.0.1:9/page"}}
tools:
  get_limit:
    provides: [{fact: connection_limit, subject: "{database}"}]
  scale:
    targets: [{k8s.namespace.name: "{namespace}", k8s.deployment.name: "{deployment}"}]
    requires: [{fact: connection_limit, subject: "{deployment}"}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "aftershock.yaml"


def test_a_right_file_is_right_without_a_warning(main: Main, file: Path) -> None:
    file.write_text(POLICY)

    assert main("check") == (0, "aftershock.yaml is right: 2 tools, 0 agents, 0 limits\n", "")


def test_a_misspelt_fact_is_a_problem_with_its_line(main: Main, file: Path) -> None:
    file.write_text(POLICY.replace("requires: [{fact: connection", "requires: [{fact: conection"))
    code, _, err = main("check")

    assert code == 1
    assert "aftershock.yaml:8" in err
    assert "no tool provides the fact 'conection_limit'; did you mean 'connection_limit'?" in err


def test_a_fact_that_no_tool_provides_is_a_warning(main: Main, file: Path) -> None:
    file.write_text(POLICY.replace("requires: [{fact: connection_limit", "requires: [{fact: owner"))
    code, _, err = main("check")

    assert code == 0
    assert "warning: aftershock.yaml:8" in err
    assert "no tool provides the fact 'owner'" in err


def test_a_misspelt_placeholder_is_a_problem(main: Main, file: Path) -> None:
    file.write_text(POLICY.replace('subject: "{deployment}"', 'subject: "{deploymnt}"'))
    code, _, err = main("check")

    assert code == 1
    assert "unknown placeholder '{deploymnt}'; did you mean '{deployment}'?" in err


def test_a_variable_of_ours_that_nothing_reads_is_a_warning(
    main: Main, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(POLICY)
    monkeypatch.setenv("AFTERSHOCK_TYPO", "1")
    monkeypatch.setenv("AFTERSHOCK_REDACTION", "off")
    code, _, err = main("check")

    assert code == 0
    assert err == "warning: AFTERSHOCK_TYPO: unknown variable: it changes nothing\n"


def test_without_a_receiver_it_says_that_alarms_page_no_one(main: Main, file: Path) -> None:
    file.write_text("tools: {}\n")

    assert "no one is paged" in main("check")[2]


def test_up_names_what_is_in_the_way(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERSHOCK_HOME", "/proc/x")
    code, _, err = main("up")

    assert code == 1
    assert err.startswith("aftershock up: /proc/x cannot be created: ")
    assert "4318" not in err


def test_up_names_the_port_that_another_program_has(
    main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        monkeypatch.setenv("AFTERSHOCK_HTTP", address)
        monkeypatch.setenv("AFTERSHOCK_GRPC", "127.0.0.1:0")
        code, _, err = main("up")

    assert code == 1
    assert err == (
        f"aftershock up: collector.http: {address} is in use by another program; "
        "set collector.http in aftershock.yaml, or AFTERSHOCK_HTTP\n"
    )
