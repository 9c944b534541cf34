"""`aftershock grafana push` against a server that speaks Grafana's API."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from aftershock_collector.cli import main
from aftershock_collector.commands.grafana import covers, mapped
from dashboards.generate import DASHBOARDS
from tests.dashboards.grafana_server import ADMIN, EDITOR, VIEWER, StandIn

UIDS = sorted(dashboard.uid for dashboard in DASHBOARDS)
WRITES = ("POST /api/dashboards/db", "POST /api/folders")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration of this machine."""
    monkeypatch.chdir(tmp_path)
    for name in ("AFTERSHOCK_POLICY", "AFTERSHOCK_GRAFANA_URL", "AFTERSHOCK_GRAFANA_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def grafana() -> Generator[StandIn]:
    with StandIn() as server:
        yield server


def push(monkeypatch: pytest.MonkeyPatch, url: str, *more: str, token: str = ADMIN) -> int:
    monkeypatch.setenv("AFTERSHOCK_GRAFANA_TOKEN", token)
    return main(["grafana", "push", "--url", url, *more])


def writes(grafana: StandIn) -> list[str]:
    return [asked for asked in grafana.kept.asked if asked in WRITES]


def test_all_dashboards_arrive_in_their_folder(
    grafana: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(monkeypatch, grafana.url) == 0

    printed = capsys.readouterr().out
    assert UIDS == sorted(grafana.kept.boards)
    assert [("aftershock", "Aftershock")] == [(f["uid"], f["title"]) for f in grafana.kept.folders]
    assert {"aftershock"} == {b["meta"]["folderUid"] for b in grafana.kept.boards.values()}
    assert f"{grafana.url}/d/aftershock-run" in printed
    assert printed.count("created") == len(UIDS) + 1


def test_a_second_run_changes_nothing_and_says_so(
    grafana: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    push(monkeypatch, grafana.url)
    before = len(writes(grafana))
    capsys.readouterr()

    assert push(monkeypatch, grafana.url) == 0

    assert before == len(writes(grafana))
    assert len(UIDS) == capsys.readouterr().out.count("unchanged")


def test_a_dry_run_writes_nothing_and_tells_the_plan(
    grafana: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(monkeypatch, grafana.url, "--dry-run") == 0

    printed = capsys.readouterr().out
    assert [] == writes(grafana)
    assert "would create  folder Aftershock" in printed
    assert len(UIDS) + 1 == printed.count("would create")


def test_only_what_somebody_changed_is_put_back(
    grafana: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    push(monkeypatch, grafana.url)
    there = grafana.kept.boards["aftershock-run"]["dashboard"]
    there["title"] = "Mine now"
    capsys.readouterr()

    assert push(monkeypatch, grafana.url) == 0

    printed = capsys.readouterr().out
    assert "updated    aftershock-run" in printed
    assert len(UIDS) - 1 == printed.count("unchanged")
    assert grafana.kept.boards["aftershock-run"]["dashboard"]["version"] == 2


def test_a_folder_of_another_name_is_made_or_found(
    grafana: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert push(monkeypatch, grafana.url, "--folder", "SRE / agents") == 0
    assert push(monkeypatch, grafana.url, "--folder", "SRE / agents") == 0

    (folder,) = grafana.kept.folders
    assert folder["title"] == "SRE / agents"
    assert grafana.kept.boards["aftershock-run"]["meta"]["folderUid"] == folder["uid"]


def test_data_sources_with_other_uids_are_found_by_type_or_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with StandIn("prometheus=p1", "prometheus=p2", "loki=logs", "tempo") as grafana:
        assert push(monkeypatch, grafana.url) == 1
        assert "--datasource prometheus=UID: p1 (P1), p2 (P2)" in capsys.readouterr().err

        assert push(monkeypatch, grafana.url, "--datasource", "prometheus=p2") == 0

        saved = json.dumps(grafana.kept.boards)
    assert '"uid": "p2"' in saved
    assert '"uid": "logs"' in saved
    assert '"uid": "prometheus"' not in saved
    assert '"uid": "loki"' not in saved


def test_a_missing_data_source_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with StandIn("prometheus", "tempo") as grafana:
        assert push(monkeypatch, grafana.url) == 1
        assert [] == writes(grafana)

    assert "Grafana has no loki data source; add one" in capsys.readouterr().err


def test_an_uid_that_no_data_source_has_is_refused(
    grafana: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(monkeypatch, grafana.url, "--datasource", "loki=other") == 1

    printed = capsys.readouterr().err
    assert "no loki data source has the uid other; there are: loki (Loki)" in printed


def test_an_editor_who_may_not_list_data_sources_can_push(
    grafana: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(monkeypatch, grafana.url, token=EDITOR) == 0

    assert "uids are not checked" in capsys.readouterr().out
    assert UIDS == sorted(grafana.kept.boards)


@pytest.mark.parametrize(
    ("token", "advice"),
    [
        ("wrong", "does not accept the token (HTTP 401): create a service account token"),
        (VIEWER, "(HTTP 403: You'll need additional permissions"),
    ],
)
def test_a_token_that_is_wrong_or_too_weak_says_which_one_is_needed(
    grafana: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    token: str, advice: str,
) -> None:  # fmt: skip
    assert push(monkeypatch, grafana.url, token=token) == 1

    printed = capsys.readouterr().err
    assert advice in printed
    assert "role Editor" in printed
    assert token not in printed or token == "wrong"


def test_a_change_in_the_same_moment_is_not_overwritten_unless_told_to(
    grafana: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    push(monkeypatch, grafana.url)
    grafana.kept.boards["aftershock-run"]["dashboard"]["title"] = "Mine now"
    grafana.meddling = True

    assert push(monkeypatch, grafana.url) == 1
    assert "somebody changed it in the same moment (HTTP 412)" in capsys.readouterr().err
    assert push(monkeypatch, grafana.url, "--overwrite") == 0


def test_a_grafana_that_refuses_its_own_save_is_asked_again(
    grafana: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    push(monkeypatch, grafana.url)
    grafana.stumbles = 2

    assert push(monkeypatch, grafana.url, "--folder", "Elsewhere") == 0
    grafana.stumbles = 3  # not a moment of bad luck any more
    assert push(monkeypatch, grafana.url) == 1
    assert "HTTP 412" in capsys.readouterr().err


def test_a_provisioned_dashboard_is_left_to_its_file(
    grafana: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grafana.kept.provisioned.add("aftershock-fleet")

    assert push(monkeypatch, grafana.url) == 1

    assert "Grafana reads that dashboard from a file" in capsys.readouterr().err


def test_an_address_where_nothing_listens_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        port = occupied.getsockname()[1]

    assert push(monkeypatch, f"http://127.0.0.1:{port}") == 1
    assert "cannot be reached: nothing listens there" in capsys.readouterr().err


def test_a_host_that_does_not_exist_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(monkeypatch, "http://grafana.invalid:3000") == 1

    assert "no such host; check the name" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["grafana:3000", "http://", "ftp://grafana", "http://a:port"])
def test_what_is_no_address_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert push(monkeypatch, url) == 1

    assert "is not an address" in capsys.readouterr().err


def test_a_grafana_below_a_path_is_reached_and_a_missing_path_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with StandIn(prefix="/grafana") as grafana:
        assert push(monkeypatch, f"{grafana.url}/") == 0
        assert push(monkeypatch, grafana.url.removesuffix("/grafana")) == 1

    assert "is its sub-path missing?" in capsys.readouterr().err


def test_address_and_token_may_stand_in_the_configuration_and_in_files(
    grafana: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text(f"{ADMIN}\n")
    (tmp_path / "aftershock.yaml").write_text(
        f"on_call:\n  grafana:\n    url: {grafana.url}\n    token:\n      file: token\n"
    )

    assert main(["grafana", "push"]) == 0
    assert main(["grafana", "push", "--url", grafana.url, "--token-file", "token"]) == 0
    assert main(["grafana", "push", "--url", grafana.url, "--token-file", "none"]) == 1
    assert "--token-file none cannot be read" in capsys.readouterr().err


def test_a_token_is_not_sent_to_another_grafana_than_its_own(
    grafana: StandIn, tmp_path: Path
) -> None:
    (tmp_path / "aftershock.yaml").write_text(
        f"on_call:\n  grafana:\n    url: http://grafana.invalid:3000\n    token: {ADMIN}\n"
    )

    assert main(["grafana", "push", "--url", grafana.url]) == 1
    assert [] == writes(grafana)


def test_without_an_address_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grafana", "push"]) == 1

    assert "say where Grafana is: --url http://host:3000" in capsys.readouterr().err


def test_links_to_the_explorer_follow_their_data_source() -> None:
    board = next(d for d in DASHBOARDS if d.uid == "aftershock-run").json()
    found = json.dumps(mapped(board, {"tempo": "T1", "loki": "L1", "prometheus": "P1"}))

    assert "%22datasource%22%3A%22T1%22" in found
    assert "%22uid%22%3A%22T1%22" in found
    assert "%22tempo%22%2C%22queries" not in found


def test_what_grafana_adds_is_no_difference_and_what_it_lacks_is() -> None:
    assert covers({"a": [{"b": 1, "new": 2}], "id": 9}, {"a": [{"b": 1}], "id": None})
    assert not covers({"a": [{"b": 1}, {}]}, {"a": [{"b": 1}]})
    assert not covers({}, {"a": 1})
