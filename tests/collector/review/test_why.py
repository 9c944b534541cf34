"""`aftershock why`: the evidence of a finding, out of real stores, for people and for programs."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from aftershock.model import Claim, Closing, Finding, Level, Report, Step
from aftershock.policy.policy import EMPTY, Policy
from aftershock.rules import Rule
from aftershock.rules.dropped_fact import dropped_fact
from aftershock.rules.missing_fact import missing_fact
from aftershock.rules.stale_fact import stale_fact
from aftershock_collector.review.comparison import Content, Likeness, side_by_side
from aftershock_collector.review.explanation import Explanation, State, explain
from aftershock_collector.review.spending import courses_of, saving_of
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.views.terminal import why_text
from tests.support import incident
from tests.support.commands import Main, printed_data, schema
from tests.support.scenario import Scenario, run
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
        agent.call("retry_job", {"job": "A-1"}, f"state: failed\npercent: {share}\nowner: ops")
    return agent


# --- The command -------------------------------------------------------------------------------


def test_repeated_calls_stand_side_by_side_with_what_moved_in_each_answer(
    tmp_path: Path, main: Main
) -> None:
    record(tmp_path, main, progress(1))
    code, out, _ = main("why")

    assert code == 0
    assert out.startswith("alarm repeated_action: retry_job was called 7 times")
    assert 'arguments {"job": "A-1"}' in out
    assert "retry_job = as in 1 ~ as in 1 but for numbers" in " ".join(out.split())
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
    third = [span for span in agent.traffic.spans if "get_order" in span.name][2]

    assert body["spent"] == listed["spent"]
    assert body["spent"]["certain"]
    assert third.span_id.hex() == body["spent"]["span"]
    assert (6, sum(tokens[3:])) == (body["spent"]["steps"], body["spent"]["tokens"])
    assert third.end_time_unix_nano == body["spent"]["since_ns"]
    assert agent.now_ns == body["spent"]["until_ns"]
    assert "Spent since this was certain (" in main("why")[1]
    assert f"step 3): 6 steps, {sum(tokens[3:]):,} tokens, " in main("why")[1]


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
    assert "get_window would have told: it was called only afterwards" in out
    assert "✓ limit of orders: known" in out
    assert "read_limit was called about orders at" in out
    assert "✗ owner: never asked for" in out
    assert "no tool is known to tell it: say so with `provides`" in out
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


# --- Side by side ------------------------------------------------------------------------------


def of(scenario: Scenario, contents: dict[int, Content] | None = None) -> list[Any]:
    """The tool calls of a scenario, compared; contents by place."""
    steps = [step for step in scenario.steps if step.action]
    held = {steps[at].span_id: content for at, content in (contents or {}).items()}
    return list(side_by_side(steps, held))


def test_fingerprints_alone_tell_same_numbers_and_new_apart() -> None:
    spent = "line one\nline two\nline three\nline four\nat 12:00 it was {}"
    calls = of(
        run()
        .calls("read", page=1).returns(spent.format(5))
        .calls("read", page=1).returns(spent.format(6))
        .calls("read", page=2).returns(spent.format(6) + "\nline six")
        .calls("read", page=1).fails("Error: no page 1")
        .calls("read", page=1).fails("Error: no page 2")
        .calls("read", page=1)
    )  # fmt: skip
    arguments = [call.arguments.likeness for call in calls]
    answers = [call.answer.likeness for call in calls]

    assert [Likeness.FIRST, Likeness.SAME, Likeness.NUMBERS] == arguments[:3]
    assert [3, 1, 2] == [calls[2].arguments.beside + 1, calls[3].arguments.beside - 1, 2]
    assert [Likeness.FIRST, Likeness.NUMBERS, Likeness.DIFFERENT] == answers[:3]
    assert 1 / 6 == pytest.approx(calls[2].answer.share_new)
    assert [Likeness.FIRST, Likeness.SAME, Likeness.UNKNOWN] == answers[3:]
    assert () == calls[2].arguments.differences


def test_recorded_content_names_what_differs() -> None:
    first = Content({"q": "socks", "page": 1, "filter": {"size": "M"}}, "a\nb\nc\nd\ne")
    second = Content({"q": "socks", "page": 2, "filter": {"colour": "red"}}, "a\nb\nc\nd\nf")
    calls = of(
        run()
        .calls("find", **first.arguments).returns(first.result)
        .calls("find", **second.arguments).returns(second.result),
        {0: first, 1: second},
    )  # fmt: skip

    assert [
        ("page", "1", "2"),
        ("filter.size", "M", None),
        ("filter.colour", None, "red"),
    ] == [tuple(one) for one in calls[1].arguments.differences]
    assert [("", None, "f")] == [tuple(one) for one in calls[1].answer.differences]


def test_many_differences_are_counted_and_not_listed() -> None:
    before = Content({f"k{n}": n for n in range(40)}, "x")
    now = Content({f"k{n}": n + 1 for n in range(40)}, "x")
    calls = of(
        run().calls("put", **before.arguments).returns("x").calls("put", **now.arguments)
        .returns("x"),
        {0: before, 1: now},
    )  # fmt: skip

    assert (6, 34) == (len(calls[1].arguments.differences), calls[1].arguments.more)


# --- What is said of it ------------------------------------------------------------------------


def rows_of(scenario: Scenario, rule: Rule, policy: Policy = EMPTY) -> Explanation:
    """The explanation of the one thing that a rule said at any step."""
    lengths = range(1, len(scenario.steps) + 1)
    found = [f for n in lengths for f in rule(scenario.run(n), policy.limits)]
    claim = Claim(found[-1], found[0].as_of_ns)
    return explain(claim, scenario.steps, {}, policy)


def test_an_outdated_fact_says_what_made_it_so() -> None:
    policy = Policy.from_mapping(
        {
            "tools": {
                "scale": {"requires": [{"fact": "limit", "subject": "db", "max_age": "1m"}]},
                "get_limit": {"provides": [{"fact": "limit", "subject": "db"}]},
            }
        }
    )
    scenario = (
        run(policy=policy).calls("get_limit").returns("100").after(90).calls("scale").returns()
    )
    (need,) = rows_of(scenario, stale_fact, policy).needs

    assert (State.OUTDATED, "read 91 s before") == (need.state, need.why)
    assert ["get_limit"] == [step.name for step in need.providers[0].before]


def test_a_fact_that_was_cut_from_the_messages_is_neither_known_nor_missing() -> None:
    policy = Policy.from_mapping(
        {
            "tools": {
                "scale": {"requires": [{"fact": "limit", "subject": "db"}]},
                "get_limit": {"provides": [{"fact": "limit", "subject": "db"}]},
            }
        }
    )
    scenario = run(policy=policy).with_messages().receives_message(text="scale it").thinks()
    scenario.calls("get_limit").returns("at most 100").thinks().forgets().thinks().calls("scale")
    explanation = rows_of(scenario, dropped_fact, policy)
    (need,) = explanation.needs

    assert State.DROPPED == need.state
    assert "✗ limit of db: read, and cut from the messages before this was decided" in (
        why_text.plain(explanation)
    )


def test_a_custom_is_shown_with_its_support_and_never_with_a_hash() -> None:
    policy = Policy.from_mapping({"tools": {"scale": {"requires": [{"fact": "get_limit"}]}}})
    scenario = run(policy=policy).calls("scale", database="orders").returns()
    step = scenario.steps[0]
    assert step.action
    (wanted,) = step.action.requires
    learnt = replace(
        wanted, subject="9a8b7c", learnt_support=40, learnt_confidence=0.95, sources=("get_limit",)
    )
    scenario.steps[0] = replace(step, action=replace(step.action, requires=(learnt,)))
    text = why_text.plain(rows_of(scenario, missing_fact, policy))

    assert "✗ get_limit, as 95% of 40 earlier actions had read: never asked for" in text
    assert "9a8b7c" not in text.split("What it needed to know")[1].split("The step")[0]


def loop(length: int, tool: str = "get_status") -> Explanation:
    scenario = run(agent="sre").thinks(100)
    for _ in range(length):
        scenario.calls(tool, job="A-1").returns("open").thinks(100)
    finding = Finding(
        kind="repeated_action",
        run_id="r",
        subject=tool,
        level=Level.ALARM,
        began_at_ns=scenario.steps[1].began_at_ns,
        as_of_ns=scenario.now_ns,
        evidence=tuple(step.span_id for step in scenario.steps if step.action),
        summary=f"{tool} was called {length} times.",
    )
    return explain(Claim(finding, scenario.steps[3].last_ns), scenario.steps, {}, EMPTY)


def test_a_long_loop_is_folded_to_its_first_and_its_last() -> None:
    explanation = loop(30)
    text = why_text.plain(explanation)

    assert 30 == len(explanation.calls)
    assert "28 more like it" not in text  # the first call is like no other
    assert "27 more like it" in text
    assert len(text.splitlines()) < 20


def test_a_narrow_terminal_gets_no_longer_lines_than_it_has_columns() -> None:
    out = io.StringIO()
    explanation = loop(5)
    why_text.show(explanation, Console(file=out, width=60, force_terminal=True, color_system=None))
    narrow = out.getvalue().splitlines()

    assert max(map(len, narrow)) <= 60
    assert max(map(len, why_text.plain(explanation).splitlines())) > 60


def test_a_hostile_name_breaks_no_line() -> None:
    text = why_text.plain(loop(3, "evil\n\x1b[31m\u202etool"))

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert [] == [line for line in text.splitlines() if line.startswith("tool")]


def test_the_saving_of_a_life_counts_from_that_life() -> None:
    scenario = run(agent="sre")
    for state in ("open", "shipped"):
        for _ in range(4):
            scenario.calls("get_order", order="A-1").returns(state)
        scenario.calls("update_order", order="A-1").returns("updated")
    steps: Sequence[Step] = scenario.steps
    courses = courses_of(steps, EMPTY)
    identity = next(one for one in courses if "get_order" in one)
    lives = courses[identity]
    first, second = (
        Claim(
            replace(loop(3).claim.finding, subject=identity.removeprefix("r/repeated_action/")),
            life.first.last_ns,
            closed.last_ns,
            Closing.CONTRADICTED,
        )
        for life, closed in zip(lives, (steps[4], steps[9]), strict=True)
    )
    savings = [saving_of(claim, steps, courses, EMPTY) for claim in (first, second)]

    assert ["span-002", "span-007"] == [one.span_id for one in savings if one]
    assert [2, 2] == [one.spent.steps for one in savings if one]
    assert [False, False] == [one.tokens_known for one in savings if one]


def test_deeds_and_damage_have_no_saving() -> None:
    steps = incident.steps()
    mine = [step for step in steps if step.run_id == incident.RUN]

    assert saving_of(incident.missing_fact(), mine, {}, EMPTY) is None
    assert saving_of(incident.blamed(), mine, {}, EMPTY) is None
    assert saving_of(incident.loop(), mine, {}, EMPTY) is not None
