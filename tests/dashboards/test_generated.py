"""The dashboards themselves: what is committed, what is shown, and what leads where."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from aftershock import attributes
from aftershock.rules import KINDS
from aftershock_collector.export.agent_counters import Counting
from aftershock_collector.export.agent_gauges import GAUGES
from aftershock_collector.telemetry import Telemetry
from dashboards import links, style
from dashboards.asking import NOTHING_CHOSEN, Asked, queries
from dashboards.generate import DASHBOARDS, GENERATED, differences
from dashboards.queries import Form, Source

Json = dict[str, Any]
UIDS = [dashboard.uid for dashboard in DASHBOARDS]
WHOLE = {dashboard.uid: dashboard.json() for dashboard in DASHBOARDS}

# What others expose: the targets, Prometheus itself, and every process.
FOREIGN = {
    "ALERTS",
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "http_request_duration_seconds_bucket",
    "http_request_duration_seconds_count",
    "http_requests_total",
    "http_server_request_duration_seconds_bucket",
    "http_server_request_duration_seconds_count",
    "kube_pod_container_status_restarts_total",
    "pg_stat_activity_count",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "up",
}


def panels(uid: str) -> Iterator[Json]:
    for panel in WHOLE[uid]["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def every_panel() -> list[Any]:
    return [
        pytest.param(uid, panel, id=f"{uid}: {panel['title']}")
        for uid in UIDS
        for panel in panels(uid)
    ]


def asked() -> list[Asked]:
    return [found for dashboard in DASHBOARDS for found in queries(dashboard)]


def exposed_metrics() -> set[str]:
    """Every series name that the product exposes."""
    telemetry = Telemetry()
    Counting(telemetry.registry)
    names = {f"aftershock_{name}" for name in GAUGES}
    for family in telemetry.registry.collect():
        names |= {family.name, f"{family.name}_total"}
        if family.type == "histogram":
            names |= {f"{family.name}_{part}" for part in ("bucket", "count", "sum")}
    return names


def test_the_committed_files_are_what_the_code_writes() -> None:
    assert [] == differences()


def test_writing_again_changes_nothing() -> None:
    assert [d.json() for d in DASHBOARDS] == [
        json.loads((GENERATED / f"{uid}.json").read_text("utf-8")) for uid in UIDS
    ]


def test_the_uids_that_alerts_and_pages_link_to_exist() -> None:
    wanted = ["fleet", "run", "incident", "loops", "context", "pipeline"]

    assert [f"aftershock-{name}" for name in wanted] == UIDS


@pytest.mark.parametrize(("uid", "panel"), every_panel())
def test_a_panel_says_what_it_shows_in_which_unit_and_what_nothing_means(
    uid: str, panel: Json
) -> None:
    defaults = panel["fieldConfig"]["defaults"]

    assert panel["description"].endswith((".", "%."))
    assert defaults["unit"]
    assert defaults["noValue"]
    assert panel["targets"]


@pytest.mark.parametrize(("uid", "panel"), every_panel())
def test_a_panel_leads_onward_to_another_dashboard_with_time_kept(uid: str, panel: Json) -> None:
    found = [link["url"] for link in panel["links"]]

    assert found
    for url in found:
        assert re.fullmatch(r"/d/([a-z-]+)\?.*\$\{__url_time_range\}", url), url
        assert url.split("?")[0].removeprefix("/d/") in UIDS


def test_a_link_sets_only_variables_that_its_dashboard_has() -> None:
    known = {uid: {v["name"] for v in WHOLE[uid]["templating"]["list"]} for uid in UIDS}
    wrong: list[str] = []
    for uid in UIDS:
        for url in re.findall(r'"(/d/[^"]*?)"', json.dumps(WHOLE[uid]).replace('\\"', "'")):
            target, _, given = url.removeprefix("/d/").partition("?")
            wrong += [url for name in re.findall(r"var-(\w+)=", given) if name not in known[target]]

    assert [] == wrong


def test_links_keep_only_variables_that_stand_on_their_own_dashboard() -> None:
    """`${agent:queryparam}` on a dashboard without such a variable would stay as it is."""
    wrong = [
        (uid, name)
        for uid in UIDS
        for name in re.findall(r"\$\{(\w+)(?::\w+)?\}", json.dumps(WHOLE[uid]))
        if not name.startswith("__")
        and name not in {v["name"] for v in WHOLE[uid]["templating"]["list"]}
    ]

    assert [] == wrong


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_finding_appears_by_name_and_in_its_colour(kind: str) -> None:
    shown = [
        panel["title"]
        for uid in UIDS
        for panel in panels(uid)
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["options"] == kind
    ]

    assert len(shown) >= 2


def test_the_style_knows_exactly_the_rules_that_judge() -> None:
    assert set(style.KINDS) == set(KINDS)
    assert len(set(style.KINDS.values())) == len(style.KINDS)


@pytest.mark.parametrize("uid", UIDS)
def test_panels_have_numbers_of_their_own_and_do_not_overlap(uid: str) -> None:
    numbers: list[int] = []
    occupied: set[tuple[int, int]] = set()
    for panel in (*panels(uid), *(p for p in WHOLE[uid]["panels"] if p["type"] == "row")):
        numbers.append(panel["id"])
        grid = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & occupied, panel["title"]
        assert grid["x"] + grid["w"] <= 24
        occupied |= cells
    assert len(numbers) == len(set(numbers))


def test_every_metric_that_is_asked_for_is_one_that_something_exposes() -> None:
    known = exposed_metrics() | FOREIGN
    named = {
        (found.panel, name)
        for found in asked()
        if found.source is Source.PROMETHEUS
        for name in re.findall(r"([A-Za-z_:][A-Za-z0-9_:]*)\{", found.expression)
    }

    assert named
    assert set() == {(panel, name) for panel, name in named if name not in known}


def test_every_attribute_that_is_asked_for_is_one_that_we_send() -> None:
    """Loki and Tempo: names as they are on the wire, with underscores for Loki."""
    wire = {value for value in vars(attributes).values() if isinstance(value, str)}
    known = {name.replace(".", "_") for name in wire} | wire
    named = {
        name
        for found in asked()
        if found.source is not Source.PROMETHEUS
        for name in re.findall(
            r"\b((?:aftershock|gen_ai|deployment|event)[._][a-z_.]+)", found.expression
        )
    }

    assert named
    assert set() == named - known


def test_columns_of_tables_are_attributes_that_we_send() -> None:
    known = {v.replace(".", "_") for v in vars(attributes).values() if isinstance(v, str)}
    known |= {"Time", "timestamp", "Line", "body", "trace_id", "agent", "tool", "finding"}
    known |= {"at", "state", "explanation"}  # worked out by the query itself
    shown = {
        name
        for uid in UIDS
        for panel in panels(uid)
        for step in panel.get("transformations", ())
        if step["id"] == "filterFieldsByName"
        for name in step["options"]["include"]["names"]
        if not name.startswith("Value")
    }

    assert set() == shown - known


def test_no_query_holds_a_variable_after_filling_in() -> None:
    assert [] == [found for found in asked() if re.search(r"\$[a-z_{]", found.expression)]
    assert set(NOTHING_CHOSEN) == {
        variable["name"] for uid in UIDS for variable in WHOLE[uid]["templating"]["list"]
    }


def test_a_run_can_be_chosen() -> None:
    run = next(d for d in DASHBOARDS if d.uid == links.RUN)
    steps = next(f for f in queries(run, {"run": "4bf92f"}) if f.panel == "Activity log")

    assert steps.form is Form.LINES
    assert "aftershock_run_id=~`4bf92f.*`" in steps.expression
