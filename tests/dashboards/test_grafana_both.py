"""The same through Grafana's API alone: against the stand-in, and against a real Grafana."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from aftershock.model import Claim, Closing, Finding, Level, Report
from aftershock_collector.cli import main
from aftershock_collector.demo.postgres import free_port
from aftershock_collector.demo.processes import Children
from aftershock_collector.notify.grafana_annotations import GrafanaAnnotations, parse
from aftershock_collector.notify.grafana_api import Grafana
from dashboards.generate import DASHBOARDS
from tests.dashboards.grafana_server import ADMIN, EDITOR, VIEWER, StandIn
from tests.stack.programs import locate
from tests.support.receiver import eventually

ROOT = Path(__file__).parents[2]
UIDS = sorted(dashboard.uid for dashboard in DASHBOARDS)
SOURCES = {"prometheus": "metrics", "loki": "loki", "tempo": "tempo"}  # type → uid
ADMINISTRATOR = "tests-only"  # of a Grafana that lives as long as one test run
READY_S = 60.0
NS = 10**9


@dataclass(frozen=True)
class There:
    """A Grafana, and tokens by role."""

    url: str
    tokens: dict[str, str]

    def get(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens['Admin']}"}
        answer = httpx.get(f"{self.url}/api{path}", headers=headers, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module", params=["stand-in", pytest.param("real", marks=pytest.mark.slow)])
def there(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[There]:
    if request.param == "stand-in":
        with StandIn(*(f"{kind}={uid}" for kind, uid in SOURCES.items())) as server:
            yield There(server.url, {"Admin": ADMIN, "Editor": EDITOR, "Viewer": VIEWER})
        return
    program = locate("grafana")
    if program is None:
        pytest.skip("NOT TESTED: Grafana is not built (python -m tests.stack.programs build)")
    folder = tmp_path_factory.mktemp("grafana")
    with Children(folder) as children:
        url = started(children, program, folder, {})
        yield There(url, prepared(url))


def started(children: Children, program: Path, folder: Path, more: dict[str, str]) -> str:
    """A real Grafana that is up; returns its address."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    child = children.start(
        "grafana",
        [str(program), "server", "--homepath", str(program.parent)],
        {
            "GF_PATHS_DATA": str(folder / "data"),
            "GF_PATHS_LOGS": str(folder / "logs"),
            "GF_PATHS_PLUGINS": str(folder / "plugins"),
            "GF_SERVER_HTTP_ADDR": "127.0.0.1",
            "GF_SERVER_HTTP_PORT": str(port),
            "GF_SECURITY_ADMIN_PASSWORD": ADMINISTRATOR,
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
            **more,
        },
    )
    child.wait_until(lambda: is_up(f"{url}/api/health"), READY_S)
    return url


def is_up(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def prepared(url: str) -> dict[str, str]:
    """Data sources, and a service account for each role."""
    tokens: dict[str, str] = {}
    with httpx.Client(
        base_url=f"{url}/api", auth=("admin", ADMINISTRATOR), trust_env=False, timeout=30
    ) as client:
        for kind, uid in SOURCES.items():
            source = {"name": uid, "uid": uid, "type": kind, "access": "proxy", "url": url}
            client.post("/datasources", json=source).raise_for_status()
        for role in ("Admin", "Editor", "Viewer"):
            made = client.post("/serviceaccounts", json={"name": role, "role": role})
            place = f"/serviceaccounts/{made.raise_for_status().json()['id']}/tokens"
            token = client.post(place, json={"name": role}).raise_for_status()
            tokens[role] = token.json()["key"]
    return tokens


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AFTERSHOCK_POLICY", raising=False)


@pytest.fixture
def push(there: There, monkeypatch: pytest.MonkeyPatch) -> Any:
    def pushed(*more: str, role: str = "Admin") -> int:
        token = there.tokens.get(role, "wrong")
        monkeypatch.setenv("AFTERSHOCK_GRAFANA_TOKEN", token)
        return main(["grafana", "push", "--url", there.url, *more])

    return pushed


def test_a_weak_or_wrong_token_changes_nothing(
    there: There, push: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(role="nobody") == 1
    assert "(HTTP 401)" in capsys.readouterr().err
    chosen = [f"--datasource={kind}={uid}" for kind, uid in SOURCES.items()]
    assert push(*chosen, role="Viewer") == 1
    printed = capsys.readouterr()
    assert "HTTP 403" in printed.err, printed.out
    assert [] == there.get("/folders")


def test_a_dry_run_a_push_and_a_push_again(
    there: There, push: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push("--dry-run") == 0
    assert capsys.readouterr().out.count("would create") == len(UIDS) + 1
    assert [] == there.get("/folders")

    assert push() == 0
    assert capsys.readouterr().out.count("created") == len(UIDS) + 1
    assert [("aftershock", "Aftershock")] == [(f["uid"], f["title"]) for f in there.get("/folders")]

    assert push() == 0
    assert capsys.readouterr().out.count("unchanged") == len(UIDS)


@pytest.mark.parametrize("uid", UIDS)
def test_a_dashboard_comes_back_as_it_was_sent(there: There, push: Any, uid: str) -> None:
    assert push() == 0
    board = next(d for d in DASHBOARDS if d.uid == uid).json()
    held = there.get(f"/dashboards/uid/{uid}")

    assert held["meta"]["folderUid"] == "aftershock"
    assert [p["title"] for p in board["panels"]] == [
        p["title"] for p in held["dashboard"]["panels"]
    ]
    assert '"uid": "metrics"' in json.dumps(held)
    assert '"uid": "prometheus"' not in json.dumps(held)


def test_an_editor_may_push_and_draw(there: There, push: Any) -> None:
    chosen = [f"--datasource={kind}={uid}" for kind, uid in SOURCES.items()]
    assert push(*chosen, "--folder", "Of an editor", role="Editor") == 0
    assert push() == 0  # back where they belong


def test_a_finding_is_drawn_once_and_becomes_a_region(there: There) -> None:
    at_ns = time.time_ns() // NS * NS - 120 * NS
    finding = Finding(
        kind="missing_fact", subject="connection_limit", run_id="r1", level=Level.ALARM,
        evidence=("aa",), summary="connection_limit was never read", began_at_ns=at_ns,
        as_of_ns=at_ns, agent="sre-bot",
    )  # fmt: skip
    open_claim = Claim(finding, opened_at_ns=at_ns)
    over = Claim(
        finding, opened_at_ns=at_ns, closed_at_ns=at_ns + 60 * NS, closing=Closing.RUN_ENDED
    )
    grafana = Grafana(there.url, there.tokens["Editor"])
    for report in (Report(at_ns, opened=(open_claim,)),) * 2 + (Report(at_ns, closed=(over,)),) * 2:
        (drawn,) = GrafanaAnnotations().findings(report)
        grafana.draw(parse(drawn.body))
    since, until = at_ns // 10**6 - 1_000, at_ns // 10**6 + 61_000
    (drawn,) = there.get(f"/annotations?from={since}&to={until}&tags=aftershock&limit=10")

    assert (at_ns // 10**6, at_ns // 10**6 + 60_000) == (drawn["time"], drawn["timeEnd"])
    assert {"aftershock", "missing_fact", "alarm", "sre-bot"} == set(drawn["tags"])
    assert "(closed: " in drawn["text"]


@pytest.mark.slow
def test_a_real_grafana_provisions_itself_from_our_files(tmp_path: Path) -> None:
    program = locate("grafana")
    if program is None:
        pytest.skip("NOT TESTED: Grafana is not built (python -m tests.stack.programs build)")
    stores = {
        f"AFTERSHOCK_{name}_URL": f"http://{name.lower()}.invalid:1"
        for name in ("PROMETHEUS", "TEMPO", "LOKI", "ALERTMANAGER")
    }
    more = {
        "GF_PATHS_PROVISIONING": str(ROOT / "deploy" / "grafana" / "provisioning"),
        "AFTERSHOCK_DASHBOARDS": str(ROOT / "dashboards" / "generated"),
        **stores,
    }
    with Children(tmp_path) as children:
        url = started(children, program, tmp_path, more)
        with httpx.Client(
            base_url=f"{url}/api", auth=("admin", ADMINISTRATOR), trust_env=False
        ) as client:
            sources = client.get("/datasources").json()
            found = "/search?type=dash-db"
            eventually(lambda: len(client.get(found).json()) == len(UIDS), 20)  # later than sources
            boards = client.get(found).json()
            loki = client.get("/datasources/uid/loki").json()["jsonData"]["derivedFields"]
            tempo = client.get("/datasources/uid/tempo").json()["jsonData"]["tracesToLogsV2"]

    assert {uid: uid for uid in ("prometheus", "tempo", "loki", "alertmanager")} == {
        one["uid"]: one["type"] for one in sources
    }
    assert sorted(stores.values()) == sorted(one["url"] for one in sources)
    assert [(uid, "Aftershock") for uid in UIDS] == sorted(
        (one["uid"], one["folderTitle"]) for one in boards
    )
    assert "${__value.raw}" == loki[0]["url"]
    assert 'trace_id="${__trace.traceId}"' in tempo["query"]
