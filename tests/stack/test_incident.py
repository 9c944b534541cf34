"""The demo's incident, played into the whole stack, and what an SRE would then see in it.

`make stack-test` runs it; it takes five minutes and needs the programs of `tests.stack.programs`.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from dashboards.asking import Asked, queries
from dashboards.generate import DASHBOARDS
from dashboards.queries import Source
from dashboards.runs import TARGET
from tests.stack.asking_stores import Refused, answers, shown
from tests.stack.requirements import need
from tests.stack.standing import NEEDED, ROOT, Stack, standing
from tests.support.browser import WIDTHS, opened, photograph

pytestmark = [pytest.mark.slow, pytest.mark.stack, pytest.mark.timeout(900)]

BASELINE_S = 60  # of ordinary life, scraped once a second
SETTLE_S = 25  # until everything that was reported has been scraped, stored and evaluated
PLAY_MAX_S = 300
PICTURES = ROOT / "out" / "pictures"  # to look at, and for the README
GRAFANA_HEIGHT = 3_000  # a dashboard scrolls inside itself: pixels that show it whole


@dataclass(frozen=True, slots=True)
class Played:
    """The stack after the incident."""

    stack: Stack
    began_s: float
    ended_s: float

    def get(self, name: str, path: str, **parameters: Any) -> Any:
        """What a service answers, by its name in compose."""
        with httpx.Client(timeout=30, trust_env=False) as client:
            response = client.get(self.stack.url(name) + path, params=parameters)
        response.raise_for_status()
        return response.json()

    def events(self, query: str) -> list[dict[str, str]]:
        """Log events of Loki: their labels, structured metadata included, and their line."""
        answer = self.get(
            "loki", "/loki/api/v1/query_range",
            query=query, start=self.began_s, end=time.time(), limit=1_000,
        )  # fmt: skip
        streams = answer["data"]["result"]
        return [{**s["stream"], "line": line} for s in streams for _, line in s["values"]]

    def samples(self, query: str) -> list[dict[str, Any]]:
        """What Prometheus answers now."""
        found: list[dict[str, Any]] = self.get("prometheus", "/api/v1/query", query=query)["data"][
            "result"
        ]
        return found

    def notifications(self) -> list[tuple[float, dict[str, Any]]]:
        """Alerts that Alertmanager reported on call, with when they came."""
        return [
            (request.at_s, alert)
            for request in list(self.stack.on_call.requests)
            for alert in request.json["alerts"]
        ]

    def agents_run(self) -> str:
        """The run of the agent that scaled the workers."""
        found = self.events('{service_name="aftershock"} | gen_ai_tool_name="scale_workers"')
        return next(event["aftershock_run_id"] for event in found if "aftershock_run_id" in event)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Generator[Played]:
    need(*NEEDED)
    folder = tmp_path_factory.mktemp("stack")
    with contextlib.ExitStack() as context:
        stack = context.enter_context(standing(folder))
        began_s = time.time()
        command = [sys.executable, "-m", "aftershock_collector.cli", "demo"]
        command += ["--seconds", str(BASELINE_S), "--out", str(folder / "demo")]
        command += ["--forward", f"http://{stack.at['otel-collector:4318']}"]
        command += ["--targets", str(folder / "targets")]
        demo = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=PLAY_MAX_S
        )
        assert demo.returncode == 0, demo.stdout + demo.stderr
        time.sleep(SETTLE_S)
        yield Played(stack, began_s, time.time())


def test_the_agents_spans_are_in_tempo(played: Played) -> None:
    found = played.get(
        "tempo", "/api/search",
        q='{ span.aftershock.action.tier = "provision" && span.gen_ai.tool.name = "scale_workers" }',
        start=int(played.began_s), end=int(played.ended_s) + 1,
    )  # fmt: skip

    assert len(found["traces"]) >= 1
    trace = played.get("tempo", f"/api/v2/traces/{found['traces'][0]['traceID']}")
    spans = [
        span
        for resource in trace["trace"]["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    names = {span["name"] for span in spans}
    assert {"execute_tool scale_workers", "execute_tool get_latency"} <= names
    assert any(name.startswith("attribution") for name in names)


def test_findings_are_in_loki_with_the_traces_that_they_are_about(played: Played) -> None:
    found = played.events('{service_name="aftershock"} | event_name="aftershock.finding"')

    kinds = {event["aftershock_finding_kind"] for event in found}
    assert {"missing_fact", "agent_impact", "repeated_action"} <= kinds
    for event in found:
        trace = played.get("tempo", f"/api/v2/traces/{event['trace_id']}")
        assert trace["trace"]["resourceSpans"], event


def test_the_story_of_the_run_is_in_loki_in_order(played: Played) -> None:
    run = played.agents_run()
    found = played.events(
        f'{{service_name="aftershock"}} | event_name="aftershock.step" '
        f'| aftershock_run_id="{run}" | aftershock_step_state="ended"'
    )

    kinds = {event["aftershock_step_kind"] for event in found}
    assert {"inference", "tool_call"} <= kinds
    (scaled,) = [e for e in found if e.get("gen_ai_tool_name") == "scale_workers"]
    assert "service/checkout" in scaled["aftershock_action_targets"]
    assert "maintenance_window of prod" in scaled["aftershock_context_lacked"]


def test_exemplars_in_prometheus_lead_to_traces_in_tempo(played: Played) -> None:
    found = played.get(
        "prometheus", "/api/v1/query_exemplars",
        query="aftershock_agent_tool_calls_total",
        start=played.began_s, end=time.time(),
    )["data"]  # fmt: skip

    traces = {e["labels"]["trace_id"] for series in found for e in series["exemplars"]}
    assert len(traces) >= 1
    for trace in traces:
        assert played.get("tempo", f"/api/v2/traces/{trace}")["trace"]["resourceSpans"]


def test_the_shop_is_measured_under_the_names_that_actions_use(played: Played) -> None:
    assert played.samples('last_over_time(up{job="checkout"}[5m])')
    assert played.samples('aftershock_impact_probability{entity="service/checkout"}') or (
        played.samples(
            'max_over_time(aftershock_impact_probability{entity="service/checkout"}[5m])'
        )
    )


def test_nothing_was_dropped_on_the_way(played: Played) -> None:
    assert played.samples("aftershock_dropped_total > 0") == []
    assert played.samples("aftershock_rejected_total > 0") == []
    assert played.samples("otelcol_exporter_send_failed_spans_total > 0") == []
    assert played.samples("otelcol_exporter_send_failed_log_records_total > 0") == []
    assert played.samples("otelcol_exporter_send_failed_metric_points_total > 0") == []


def targets(played: Played) -> list[str]:
    """What Grafana lists to choose targets from."""
    matcher, _, label = TARGET["definition"].removeprefix("label_values(").rpartition(", ")
    place = f"/api/v1/label/{label.rstrip(')')}/values"
    found: list[str] = played.get("prometheus", place, **{"match[]": matcher})["data"]
    return found


def test_targets_are_what_agents_act_on_and_not_the_stack_itself(played: Played) -> None:
    assert sorted(targets(played)) == ["catalog", "checkout", "operations"]


def asked_by_dashboards(played: Played) -> list[Asked]:
    chosen = {
        "run": played.agents_run(),
        "entity": "service/checkout",
        "target": "|".join(targets(played)),
    }
    return [asked for dashboard in DASHBOARDS for asked in queries(dashboard, chosen)]


def test_every_panel_of_every_dashboard_shows_data_or_says_why_not(played: Played) -> None:
    empty: list[str] = []
    loud: list[str] = []
    panels: dict[tuple[str, str], int] = {}
    quiet: dict[tuple[str, str], str] = {}
    for asked in asked_by_dashboards(played):
        panel = asked.dashboard, asked.panel
        rows = answers(played.stack, asked, played.began_s, played.ended_s)
        panels[panel] = panels.get(panel, 0) + rows
        quiet[panel] = asked.quiet
    for panel, rows in panels.items():
        if not rows and not quiet[panel]:
            empty.append(": ".join(panel))
        if rows and quiet[panel]:
            loud.append(f"{': '.join(panel)} (said: {quiet[panel]})")

    full = sum(1 for rows in panels.values() if rows)
    print(f"{full} of {len(panels)} panels show data; {len(panels) - full} do not")
    for line in loud:
        print(f"shows data although it may be empty: {line}")
    assert empty == []


def test_grafana_itself_gets_an_answer_for_every_panel(played: Played) -> None:
    need("grafana")
    refused: list[str] = []
    panels: dict[tuple[str, str], int] = {}
    for asked in asked_by_dashboards(played):
        if asked.source is Source.TEMPO:
            continue  # its pages ask Tempo by themselves
        panel = asked.dashboard, asked.panel
        try:
            frames = shown(played.stack, asked, played.began_s, played.ended_s)
        except Refused as error:
            refused.append(str(error))
        else:
            panels[panel] = panels.get(panel, 0) + frames

    print(f"Grafana shows data in {sum(1 for n in panels.values() if n)} of {len(panels)} panels")
    assert refused == []
    assert sum(1 for frames in panels.values() if frames) > len(panels) // 2


def test_dashboards_are_drawn_in_a_browser(played: Played) -> None:
    need("grafana")
    seen = {"from": int(played.began_s * 1_000), "to": int(played.ended_s * 1_000)}
    chosen = {"var-run": played.agents_run(), "var-entity": "service/checkout"}
    query = urlencode({**seen, **chosen, "kiosk": "true", "theme": "light"})
    PICTURES.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        with opened(width, GRAFANA_HEIGHT) as page:
            for uid in (dashboard.uid for dashboard in DASHBOARDS):
                picture = PICTURES / f"{uid.removeprefix('aftershock-')}-{width}.png"
                photograph(page, f"{played.stack.url('grafana')}/d/{uid}?{query}", picture)

                assert picture.stat().st_size > 30_000, "an empty document is smaller"


def test_the_collectors_own_views_are_drawn_in_a_browser(played: Played) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    places = {"incident": "/incidents/1", "timeline": f"/runs/{played.agents_run()}", "runs": "/"}
    for width in WIDTHS:
        with opened(width) as page:
            for name, place in places.items():
                picture = PICTURES / f"own-{name}-{width}.png"
                photograph(page, played.stack.url("aftershock") + place, picture)

                assert picture.stat().st_size > 20_000, "an empty document is smaller"


def test_every_rule_is_evaluated_without_an_error(played: Played) -> None:
    groups = played.get("prometheus", "/api/v1/rules")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]

    assert len(rules) > 20
    assert [] == [(r["name"], r.get("lastError")) for r in rules if r["health"] != "ok"]


def test_the_page_arrives_at_once_by_the_fast_route_and_only_once(played: Played) -> None:
    alerts = [alert for _, alert in played.notifications() if alert["status"] == "firing"]
    names = [(alert["labels"]["alertname"], alert["labels"].get("agent")) for alert in alerts]

    assert ("AgentMissingFact", "sre-agent") in names
    assert ("AgentImpact", "sre-agent") in names
    fast = [alert for alert in alerts if alert["labels"].get("source") == "aftershock"]
    slow = [alert for alert in alerts if alert["labels"].get("source") != "aftershock"]
    about_agents = {a["labels"]["alertname"] for a in slow if "agent" in a["labels"]}
    assert about_agents.isdisjoint({a["labels"]["alertname"] for a in fast})
    starts = [(a["labels"]["alertname"], a["labels"].get("agent"), a["startsAt"]) for a in fast]
    assert len(starts) == len(set(starts))


def test_both_routes_know_of_it_and_say_how_long_they_took(played: Played) -> None:
    run = played.agents_run()
    (scaled,) = [
        event
        for event in played.events(
            f'{{service_name="aftershock"}} | aftershock_run_id="{run}" '
            '| event_name="aftershock.step" | aftershock_step_state="ended"'
        )
        if event.get("gen_ai_tool_name") == "scale_workers"
    ]
    acted_s = int(scaled["observed_timestamp"]) / 1e9
    fast_s = min(
        at_s for at_s, alert in played.notifications()
        if alert["labels"]["alertname"] == "AgentMissingFact"
    )  # fmt: skip
    fired = played.get(
        "prometheus", "/api/v1/query_range",
        query='ALERTS{alertname="AgentMissingFact",alertstate="firing"}',
        start=played.began_s, end=time.time(), step="1s",
    )["data"]["result"]  # fmt: skip

    assert fired, "the rule over metrics found it too"
    slow_s = min(float(series["values"][0][0]) for series in fired)
    print(
        f"from the call to the page: {fast_s - acted_s:.1f} s fast, {slow_s - acted_s:.1f} s slow"
    )
    assert fast_s < slow_s + 1
