"""What the dashboards ask, asked: promtool reads every PromQL, a real Loki answers every LogQL."""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from aftershock.model import Alternative, Report
from aftershock_collector.config.model import Address, Config, OnCall
from aftershock_collector.demo.postgres import free_port
from aftershock_collector.demo.processes import Children
from aftershock_collector.notify.otlp_findings import encode_logs
from aftershock_collector.service.wiring import running
from dashboards.asking import Asked, queries
from dashboards.generate import DASHBOARDS
from dashboards.queries import Form, Source
from tests.stack.programs import locate
from tests.support import incident
from tests.support.traffic import failing_run, looping_run, span_request

ROOT = Path(__file__).parents[2]
LOKI = ROOT / "deploy" / "loki"
ANY = Address("127.0.0.1", 0)
PROTOBUF = {"content-type": "application/x-protobuf"}
NS = 10**9
READY_S = 60.0  # Loki waits a quarter of a minute after it is ready

Answers = dict[tuple[str, str], list[Any]]  # dashboard and panel → what was answered

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None and locate("promtool") is None,
    reason="NOT TESTED: promtool is not installed (apt-get install prometheus)",
)


def asked_of(source: Source) -> list[Asked]:
    return [one for board in DASHBOARDS for one in queries(board) if one.source is source]


@needs_promtool
def test_promtool_reads_every_question_to_prometheus(tmp_path: Path) -> None:
    rules = [
        {"record": f"asked_{number}", "expr": one.expression}
        for number, one in enumerate(asked_of(Source.PROMETHEUS))
    ]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    ran = subprocess.run(
        [str(locate("promtool") or "promtool"), "check", "rules", str(file)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"SUCCESS: {len(rules)} rules found" in ran.stdout


# --- A real Loki ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loki(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    program = locate("loki")
    if program is None:
        pytest.skip("NOT TESTED: Loki is not built (python -m tests.stack.programs build loki)")
    folder, port = tmp_path_factory.mktemp("loki"), free_port()
    with Children(folder) as children:
        child = children.start(
            "loki",
            [str(program), f"-config.file={LOKI / 'loki.yaml'}", "-config.expand-env=true"],
            {
                "LOKI_HOST": "127.0.0.1",
                "LOKI_PORT": str(port),
                "LOKI_INTERNAL_PORT": str(free_port()),
                "LOKI_DATA": str(folder / "data"),
            },
        )
        url = f"http://127.0.0.1:{port}"
        child.wait_until(lambda: is_up(f"{url}/ready"), READY_S)
        asyncio.run(send(url, folder))
        yield url


def is_up(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


async def send(url: str, folder: Path) -> None:
    """Two agents that loop and fail, through a whole collector; and an incident's findings."""
    on_call = OnCall(otlp_url=f"{url}/otlp")
    config = Config(
        home=folder / "home", http=ANY, grpc=ANY, tick_s=0.05, activity_log_url=f"{url}/otlp",
        on_call=on_call, document={"tools": {"search": {"tier": "write"}}},
    )  # fmt: skip
    began = time.time_ns() - 60 * NS
    async with running(config) as collector, httpx.AsyncClient(trust_env=False) as agent:
        place = f"http://{collector.http}/v1/traces"
        for make in (looping_run, failing_run):
            body = span_request(make(random.Random(7), began_ns=began).spans)
            (await agent.post(place, content=body, headers=PROTOBUF)).raise_for_status()
        await asyncio.sleep(3.0)
        (await agent.post(f"{url}/otlp/v1/logs", content=incident_now(), headers=PROTOBUF)
         ).raise_for_status()  # fmt: skip
    await asyncio.sleep(1.0)


def incident_now() -> bytes:
    """The findings of the recorded incident, as if it happened now: Loki refuses what is old."""
    early = incident.blamed(0.5, "suspected")
    even = (Alternative(None, None, "no agent action", 0.5),)
    suspected = replace(incident.impact(0.5, "suspected"), alternatives=even)
    early = replace(early, finding=replace(early.finding, impact=suspected))
    blamed = incident.blamed()
    alternatives = (
        Alternative(None, None, "no agent action", 0.06),
        Alternative("aa", "r", "restart", 0.03),
    )
    judged = replace(incident.impact(), alternatives=alternatives)
    blamed = replace(blamed, finding=replace(blamed.finding, impact=judged))
    encoded = encode_logs(Report(1, opened=(early, blamed, incident.missing_fact())))
    request = ExportLogsServiceRequest.FromString(encoded or b"")
    for record in request.resource_logs[0].scope_logs[0].log_records:
        record.time_unix_nano = time.time_ns()
    return request.SerializeToString()


@pytest.fixture(scope="module")
def answers(loki: str) -> Answers:
    """What Loki answers, with the words of what it refuses."""
    found: Answers = {}
    now = time.time_ns()
    span = {"start": str(now - 3600 * NS), "end": str(now + NS), "step": "15s", "limit": "5000"}
    with httpx.Client(base_url=f"{loki}/loki/api/v1", timeout=30, trust_env=False) as client:
        for one in asked_of(Source.LOKI):
            if one.form is Form.INSTANT:
                answer = client.get("query", params={"query": one.expression, "time": str(now)})
            else:
                answer = client.get("query_range", params={"query": one.expression, **span})
            assert answer.status_code == 200, f"{one.panel}: {answer.text}\n{one.expression}"
            found.setdefault((one.dashboard, one.panel), []).extend(answer.json()["data"]["result"])
    return found


@pytest.mark.slow
def test_loki_answers_every_question(answers: Answers) -> None:
    assert len(answers) == len({(one.dashboard, one.panel) for one in asked_of(Source.LOKI)})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "panel"),
    [
        ("fleet", "Findings by kind"),
        ("fleet", "Runs"),
        ("run", "Steps"),
        ("run", "Tokens"),
        ("run", "What the agent does"),
        ("run", "Findings"),
        ("run", "Activity log"),
        ("run", "What it knew and what it lacked at each action"),
        ("run", "annotation Actions"),
        ("incident", "What is behind the degradation"),
        ("incident", "Attributions"),
        ("incident", "Context gap"),
        ("incident", "Incomplete context"),
        ("loops", "Loops found"),
        ("context", "Missing facts"),
        ("context", "Decisions and actions"),
    ],
)
def test_what_the_collector_told_is_found(answers: Answers, board: str, panel: str) -> None:
    assert answers[f"aftershock-{board}", panel]


@pytest.mark.slow
def test_each_explanation_of_the_newest_attribution_is_drawn_once(answers: Answers) -> None:
    shares = [
        (one["metric"]["explanation"], float(one["value"][1]))
        for one in answers["aftershock-incident", "What is behind the degradation"]
    ]

    assert sorted(shares) == [
        ("an unnamed agent's restart", 0.03),
        ("no agent action", 0.06),
        ("sre-bot's scale_deployment", 0.91),
    ]


@pytest.mark.slow
def test_events_carry_what_columns_and_rows_are_made_of(answers: Answers) -> None:
    activity = [one["stream"] for one in answers["aftershock-run", "What the agent does"]]
    attributions = [one["stream"] for one in answers["aftershock-incident", "Attributions"]]

    assert {"poller", "retrier"} == {one["gen_ai_agent_name"] for one in activity}
    assert {"inference", "tool", "waiting"} >= {one["aftershock_step_activity"] for one in activity}
    assert all("trace_id" in one for one in activity)
    assert {"aftershock_impact_probability", "aftershock_impact_nats_own"} <= attributions[0].keys()
