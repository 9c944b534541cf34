"""`aftershock why`: the evidence of a finding, out of real stores, for people and for programs."""

from __future__ import annotations

import json
import random
from contextlib import closing
from pathlib import Path
from typing import Any

from aftershock.model import Report
from aftershock_collector.store.writer import SqliteStore
from tests.support import incident
from tests.support.commands import Main, printed_data, schema
from tests.support.traffic import Agent, log_request, span_request

DATA = Path(__file__).parents[2] / "data"
POLICY = """
tools:
  scale:
    requires:
      - {fact: maintenance_window, subject: "{environment}", max_age: 1h}
      - {fact: limit, subject: "{database}"}
      - {fact: owner}
  get_window:
    provides: [{fact: maintenance_window, subject: "{environment}"}]
  "*_limit":
    provides: [{fact: limit, subject: "{database}"}]
"""


def record(tmp_path: Path, main: Main, *agents: Agent) -> None:
    """Import what agents did."""
    for number, agent in enumerate(agents):
        traffic = agent.finish()
        (tmp_path / f"{number}.pb").write_bytes(span_request(traffic.spans))
        (tmp_path / f"{number}.logs.pb").write_bytes(log_request(traffic.started))
        assert main("import", str(tmp_path / f"{number}.pb"))[0] == 0


def why(main: Main, *argv: str) -> Any:
    code, out, error = main("why", *argv, "--json")
    assert (code, error) == (0, "")
    document = json.loads(out)
    schema().validate(document)
    return document["data"]


def progress(number: int) -> Agent:
    """Starts the same job again and again; only a number in the answer moves."""
    agent = Agent(random.Random(number), "poller")
    for share in (3, 4, 5, 6, 7, 8, 9):
        agent.think()
        agent.call("restart_job", {"job": "A-1"}, f"state: failed\npercent: {share}\nowner: ops")
    return agent


def test_repeated_calls_stand_side_by_side_with_what_moved_in_each_answer(
    tmp_path: Path, main: Main
) -> None:
    record(tmp_path, main, progress(1))
    code, out, _ = main("why")

    assert code == 0
    assert out.startswith("alarm repeated_action: restart_job was called 7 times")
    assert 'arguments {"job": "A-1"}' in out
    assert "restart_job = as in 1 ~ as in 1 but for numbers" in " ".join(out.split())
    assert "~ percent: 3 → percent: 4" in out
    assert "in between: asks gpt-x ×6; nothing that could have changed something" in out


def test_the_same_is_told_to_programs(tmp_path: Path, main: Main) -> None:
    record(tmp_path, main, progress(1))
    body = why(main, "1")
    second = body["calls"][1]

    assert "repeated_action" == body["finding"]["kind"]
    assert list(range(1, 8)) == [call["number"] for call in body["calls"]]
    assert ("same", 1) == (second["arguments"]["likeness"], second["arguments"]["beside"])
    assert ("numbers", 1) == (second["answer"]["likeness"], second["answer"]["beside"])
    assert [{"where": "", "before": "percent: 3", "now": "percent: 4"}] == (
        second["answer"]["differences"]
    )
    assert {"job": "A-1"} == second["content"]["arguments"]
    assert {"steps": {"asks gpt-x": 6}, "other_kinds": 0, "effects": 0} == body["between"]


def test_a_finding_states_what_was_spent_since_it_was_certain(tmp_path: Path, main: Main) -> None:
    agent = Agent(random.Random(5), "poller")
    for _ in range(6):
        agent.think()
        agent.call("get_order", {"order": "A-1"}, "open")
    record(tmp_path, main, agent)
    body = why(main)
    (listed,) = printed_data(main, "findings")
    thoughts = [span for span in agent.traffic.spans if span.name.startswith("chat")]
    tokens = [
        sum(a.value.int_value for a in t.attributes if a.key.startswith("gen_ai.usage.in")
            or a.key.startswith("gen_ai.usage.out"))
        for t in thoughts
    ]  # fmt: skip
    fourth = [span for span in agent.traffic.spans if "get_order" in span.name][3]

    assert body["spent"] == listed["spent"]
    assert body["spent"]["certain"]
    assert fourth.span_id.hex() == body["spent"]["span"]
    assert (4, sum(tokens[4:])) == (body["spent"]["steps"], body["spent"]["tokens"])
    assert fourth.end_time_unix_nano == body["spent"]["since_ns"]
    assert agent.now_ns == body["spent"]["until_ns"]
    assert "Spent since this was certain (" in main("why")[1]
    assert f"step 4): 4 steps, {sum(tokens[4:]):,} tokens, " in main("why")[1]


def test_a_missing_fact_says_which_tool_would_have_told_it_and_whether_it_was_asked(
    tmp_path: Path, main: Main
) -> None:
    (tmp_path / "aftershock.yaml").write_text(POLICY)
    agent = Agent(random.Random(2), "sre")
    agent.call("read_limit", {"database": "orders"}, "100 connections")
    agent.call("scale", {"service": "shop", "environment": "prod", "database": "orders"}, "scaled")
    agent.call("get_window", {"environment": "prod"}, "none until Sunday")
    record(tmp_path, main, agent)
    _, out, _ = main("why", "latest")
    by_fact = {need["fact"]: need for need in why(main)["needs"]}
    window = by_fact["maintenance_window"]

    assert "✗ maintenance_window of prod, not older than 1 h: never asked for" in out
    assert "get_window provides it: it was called only afterwards" in out
    assert "✓ limit of orders: known" in out
    assert "read_limit was called about orders at" in out
    assert "✗ owner: never asked for" in out
    assert "names no tool that provides it: declare one with `provides`" in out
    assert ("never", "prod", 3600.0) == (window["state"], window["subject"], window["max_age_s"])
    assert [] == window["providers"][0]["called_before"]
    assert ["get_window"] == [c["what"] for c in window["providers"][0]["called_after"]]
    assert "known" == by_fact["limit"]["state"]
    assert "orders" == by_fact["limit"]["reads"][0]["subject"]


def test_a_fact_of_something_else_and_a_failed_one_are_told_apart(
    tmp_path: Path, main: Main
) -> None:
    (tmp_path / "aftershock.yaml").write_text(POLICY)
    agent = Agent(random.Random(2), "sre")
    agent.call("get_window", {"environment": "staging"}, "none")
    agent.call("read_limit", {"database": "orders"}, "HTTP 503", error="TimeoutError")
    agent.call("scale", {"service": "shop", "environment": "prod", "database": "orders"}, "scaled")
    record(tmp_path, main, agent)
    kinds = {f["kind"]: f["id"] for f in printed_data(main, "findings")}
    states = {need["fact"]: need["state"] for need in why(main, kinds["missing_fact"])["needs"]}
    out = main("why", kinds["failed_fact"])[1]

    assert {"missing_fact", "failed_fact"} == set(kinds)
    assert {"maintenance_window": "elsewhere", "limit": "failed", "owner": "never"} == states
    assert "get_window was called about staging at" in out
    assert "read_limit was called about orders at" in out
    assert ": failed: HTTP #" in out


def test_an_impact_is_shown_with_its_parts_its_rivals_and_its_chart(
    tmp_path: Path, main: Main
) -> None:
    record(tmp_path, main, Agent(random.Random(1), "sre"))
    with closing(SqliteStore.open(tmp_path / "home" / "aftershock.db")) as store:
        report = Report(0, opened=(incident.blamed(),), impacts=(incident.impact(),))
        store.record(report, (), incident.at(9))
    _, out, _ = main("why")
    impact = why(main, incident.RUN[:6])["finding"]["impact"]

    assert "alarm agent_impact: sre-bot's scale_deployment probably degraded" in out
    assert "service/checkout became far more unusual after the call than in 312" in out
    assert "nats" not in out
    assert "no agent action" in out
    assert "service/checkout latency_p99" in out
    assert "│" in out
    assert "1 step of the evidence is no longer stored" in out
    assert {"own": 8.4, "before": 0.6, "callee": 3.1, "alternative": 1.2} == impact["parts"]
    assert 4 == len(impact["charts"])
    assert {(None, "no agent action"), ("docs-bot", "restart_service")} == {
        (alternative["agent"], alternative["name"]) for alternative in impact["alternatives"]
    }


def test_a_finding_is_named_by_number_by_prefix_or_as_the_latest(
    tmp_path: Path, main: Main
) -> None:
    record(tmp_path, main, progress(1), progress(2))
    listed = printed_data(main, "findings")
    ids = [found["id"] for found in listed]
    rows = main("findings")[1].splitlines()

    assert 2 == len(ids)
    numbers = [row.split()[0] for row in rows[1:3]]
    assert ids == [why(main, number)["finding"]["id"] for number in numbers]
    assert ids == [why(main, one[:12])["finding"]["id"] for one in ids]
    assert ids[0] == why(main, ids[0])["finding"]["id"] == why(main)["finding"]["id"]
    assert 2 == len(set(numbers))
    run_of_second = listed[1]["run"]
    listed_alone = main("findings", "--run", run_of_second)[1].splitlines()[1]
    assert numbers[1] == listed_alone.split()[0]


def test_what_names_no_finding_or_several_is_one_line_with_what_to_do(
    tmp_path: Path, main: Main
) -> None:
    agent = Agent(random.Random(3), "sre")
    for tool in ("get_order", "get_stock"):
        for _ in range(4):
            agent.call(tool, {"order": "A-1"}, "open")
    record(tmp_path, main, agent)
    run_id = agent.traffic.run_id
    unknown = main("why", "zz")
    several = main("why", run_id)
    beyond = main("why", "77")

    assert [1, 1, 1] == [code for code, _, _ in (unknown, several, beyond)]
    assert (
        "aftershock why: no finding begins with 'zz'; `aftershock findings` lists them\n"
        == (unknown[2])
    )
    assert "give a number, 2 (repeated_action), 1 (repeated_action)" in several[2]
    assert 1 == several[2].count("\n") == beyond[2].count("\n")
    assert "there is no finding 77; 2 are listed" in beyond[2]


def test_an_empty_store_says_what_to_do_next(main: Main) -> None:
    assert "Nothing is recorded yet" in main("why")[1]
    assert printed_data(main, "why") is None
    assert 1 == main("why", "3")[0]


def test_every_finding_of_a_recorded_trace_can_be_explained(main: Main) -> None:
    assert main("import", str(DATA / "openinference-trail.json.gz"))[0] == 0
    found = printed_data(main, "findings")

    assert found
    rows = main("findings")[1].splitlines()[1:]
    for one, row in zip(found, rows, strict=False):
        number = row.split()[0]
        body = why(main, number)
        assert one["id"] == body["finding"]["id"]
        assert set(one["evidence"]) == {call["span"] for call in body["calls"]}
        assert (0, "") == (body["lost"], main("why", number)[2])
