"""`aftershock policy init`: a draft that `check` accepts, with what past runs did."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aftershock.policy.policy import EMPTY, Policy, describe, rule_of
from aftershock.runs.expectations import LearnedExpectations, learn_expectations
from aftershock_collector.review.habits import Habits
from aftershock_collector.review.policy_draft import draft, fact_of, pattern, rounded, scalar
from tests.support.commands import Main, printed_data
from tests.support.scenario import Scenario, run
from tests.support.traffic import EPOCH_NS, SECOND, Agent, span_request

DATA = Path(__file__).parents[2] / "data"
COMMENTED = re.compile(r"^(\s*)# (requires:|targets:|polls:|agents:| {2,}\S)(.*)$")


def order(number: int, *, read: bool = True, began_ns: int = EPOCH_NS) -> Agent:
    """A clerk that ships an order, usually after having looked it up."""
    agent = Agent(random.Random(number), "clerk", began_ns=began_ns)
    if read:
        agent.call("get_order", {"id": f"A-{number:05d}"}, f"order {number}: paid, two socks")
    agent.think()
    agent.call("ship_order", {"order": f"A-{number:05d}", "service": "dhl"}, "on its way")
    return agent


def record(tmp_path: Path, main: Main, *agents: Agent) -> None:
    place = tmp_path / "runs.pb"
    spans = [span for agent in agents for span in agent.finish().spans]
    place.write_bytes(span_request(spans))
    assert main("import", str(place))[0] == 0


def drafted(main: Main, *argv: str) -> tuple[str, Any]:
    """The text of a draft, and what YAML reads in it."""
    code, out, error = main("policy", "init", "--out", "-", *argv)
    assert (code, error) == (0, "")
    return out, yaml.safe_load(out)


def uncommented(text: str) -> str:
    """A draft with everything in it that is a suggestion put in force."""
    head, tools, body = text.partition("\ntools:")
    return head + tools + "\n".join(COMMENTED.sub(r"\1\2\3", line) for line in body.split("\n"))


# --- The command -------------------------------------------------------------------------------


def test_what_every_call_rested_on_is_required_and_wakes_nobody(tmp_path: Path, main: Main) -> None:
    record(tmp_path, main, *(order(number) for number in range(20)))
    text, document = drafted(main)
    (tmp_path / "aftershock.yaml").write_text(text)
    (tmp_path / "nothing.yaml").write_text("tools: {}\n")
    tried = printed_data(main, "backtest", "--policy", "nothing.yaml")

    assert {
        "tier": "write",
        "requires": [{"fact": "order", "subject": "{order}", "max_age": "1m"}],
    } == document["tools"]["ship_order"]
    assert {"tier": "read", "provides": [{"fact": "order", "subject": "{id}"}]} == (
        document["tools"]["get_order"]
    )
    assert "ship_order:  # 20 calls in 20 runs" in text
    assert "tier: write  # a guess, the cautious one" in text
    assert "# learned: 100% of 20 calls with order read it first; of this tool 20 of 20" in text
    assert "aftershock.yaml is right: 2 tools" in main("check")[1]
    assert (20, []) == (tried["runs"], tried["rules"])


def test_the_draft_finds_the_run_that_does_otherwise(tmp_path: Path, main: Main) -> None:
    record(tmp_path, main, *(order(number) for number in range(20)))
    assert main("policy", "init")[0] == 0
    record(tmp_path, main, order(77, read=False))
    (found,) = printed_data(main, "findings")
    need = printed_data(main, "why")["needs"][0]

    assert ("missing_fact", "alarm") == (found["kind"], found["level"])
    assert ("order", "A-00077", "never") == (need["fact"], need["subject"], need["state"])
    assert ["get_order"] == [provider["tool"] for provider in need["providers"]]


def test_what_some_calls_did_without_is_only_suggested(tmp_path: Path, main: Main) -> None:
    agents = [order(number, read=number % 20 != 3) for number in range(60)]
    record(tmp_path, main, *agents)
    text, document = drafted(main)
    (tmp_path / "all.yaml").write_text(uncommented(text))

    assert {"tier": "write"} == document["tools"]["ship_order"]
    assert "    # requires:\n    #   - fact: order  # provided by get_order" in text
    assert "# learned: 95% of 60 calls with order read it first; of this tool 57 of 60" in text
    assert "all.yaml is right" in main("check", "all.yaml")[1]
    assert [{"fact": "order", "subject": "{order}", "max_age": "1m"}] == (
        yaml.safe_load(uncommented(text))["tools"]["ship_order"]["requires"]
    )
    body = printed_data(main, "backtest", "--policy", "all.yaml")
    assert [("missing_fact", "alarm", 0, 3)] == [
        (one["rule"], one["level"], one["today"], one["new"])
        for one in body["rules"]
        if one["rule"] == "missing_fact"
    ]


def test_a_file_that_is_there_is_left_alone(tmp_path: Path, main: Main) -> None:
    record(tmp_path, main, order(1))
    place = tmp_path / "aftershock.yaml"
    place.write_text("tools: {}\n")
    code, _, error = main("policy", "init")

    assert (1, "tools: {}\n") == (code, place.read_text())
    assert error == (
        "aftershock policy: aftershock.yaml is there already: give another --out, or --force\n"
    )
    assert (
        "other.yaml: 2 tools from 1 run; read it, then"
        in (main("policy", "init", "--out", "other.yaml")[1])
    )
    assert main("policy", "init", "--force")[0] == 0
    assert place.read_text() == (tmp_path / "other.yaml").read_text()
    assert 1 == main("policy", "init", "--out", "no/such/folder.yaml")[0]


def test_an_empty_store_and_an_empty_time_say_what_to_do(tmp_path: Path, main: Main) -> None:
    assert "Nothing is recorded yet" in main("policy", "init")[1]
    assert not (tmp_path / "aftershock.yaml").exists()
    record(tmp_path, main, order(1, began_ns=time.time_ns() - 40 * 86_400 * SECOND))
    code, _, error = main("policy", "init", "--since", "30d")

    assert (1, 1) == (code, error.count("\n"))
    assert "no run of that time is stored" in error
    assert main("policy", "init", "--since", "50d", "--out", "-")[0] == 0
    assert "--since: 'soon' is not a time" in main("policy", "init", "--since", "soon")[2]
    assert 2 == main("policy")[0]


def test_drafts_of_recorded_runs_pass_the_check_whole_and_uncommented(
    tmp_path: Path, main: Main
) -> None:
    assert main("import", *map(str, sorted(DATA.glob("*.gz"))))[0] == 0
    text, document = drafted(main)
    (tmp_path / "draft.yaml").write_text(text)
    (tmp_path / "all.yaml").write_text(uncommented(text))

    assert "tier" in document["tools"]["get_reservation_details"]
    assert "draft.yaml is right" in main("check", "draft.yaml")[1]
    code, _, err = main("check", "all.yaml")
    assert (0, 1) == (code, err.count("\n"))  # only that no receiver is configured
    assert yaml.safe_load(uncommented(text))["agents"]


def test_agents_are_listed_with_a_budget_that_nobody_has_used_up(
    tmp_path: Path, main: Main
) -> None:
    long = order(3)
    for _ in range(7):
        long.think()
    record(tmp_path, main, order(1), order(2), long)
    text, document = drafted(main)
    suggested = yaml.safe_load(uncommented(text))["agents"]["clerk"]["budget"]

    assert "agents" not in document
    assert "#   clerk:  # 3 runs; half of them took 3 steps or fewer" in text
    assert 20 == suggested["steps"]
    assert suggested["tokens"] > 0


# --- What is learnt ----------------------------------------------------------------------------


def text_of(*scenarios: Scenario) -> str:
    """A draft from scenarios."""
    habits = Habits()
    learned = learn_expectations(habits.recorded((one.steps, {}) for one in scenarios))
    return draft(habits, learned)


def test_a_tool_that_is_asked_until_it_is_done_may_be_a_poller() -> None:
    polled = run().calls("build_status", job="J-1").returns("running").times(6)
    polled.calls("build_status", job="J-1").returns("done")
    stuck = run().calls("get_order", id="A-1").returns("pending").times(6)
    text = text_of(polled, stuck)

    assert (
        "# polls: true  # a guess: asked the same up to 7 times, and in 1 run until its answer"
        in text
    )
    assert 1 == text.count("# polls: true")


def test_a_shell_has_no_tier_because_its_commands_have() -> None:
    shell = (
        run().calls("bash", command="ls").returns("a").calls("bash", command="rm -r a").returns()
    )
    text = text_of(shell)

    assert {"bash": {}} == yaml.safe_load(text)["tools"]
    assert (
        "No tier: it differs from call to call, with the command (read 1, destructive 1)." in text
    )


def test_a_read_of_before_a_change_is_not_what_the_next_call_rests_on() -> None:
    """The second write acts on what the first one changed, and nobody looked again."""

    def edits(number: int, answer: str) -> Scenario:
        scenario = run(run_id=f"r{number}").calls("get_order", id=f"A-{number:05d}")
        scenario.returns(f"number {number}\nowner mia\nitem socks\nstate paid\ncount 2")
        for _ in range(2):
            scenario.calls("update_order", id=f"A-{number:05d}").returns(answer)
        return scenario

    silent = text_of(*(edits(number, "done") for number in range(30)))
    provides = text_of(
        *(edits(n, f"number {n}\nowner mia\nitem socks\nstate paid\ncount 3") for n in range(30))
    )

    assert "of this tool 30 of 60" in silent
    assert "30 calls read it only before another call changed it" in silent
    assert "requires" not in yaml.safe_load(silent)["tools"]["update_order"]
    assert "- fact: order  # its answer held most of it in 60 calls" in provides
    assert [{"fact": "order", "subject": "{id}", "max_age": "1m"}] == (
        yaml.safe_load(provides)["tools"]["update_order"]["requires"]
    )


def test_a_fact_is_about_the_argument_that_tells_most_things_apart() -> None:
    """Every call carries the project, but what is read is one of its files."""
    runs = [
        run(run_id=f"r{n}")
        .calls("read_file", project="shop", path=f"src/file{n}.py").returns(f"text {n}")
        .calls("write_patch", project="shop", path=f"src/file{n}.py").returns()
        for n in range(30)
    ]  # fmt: skip
    document = yaml.safe_load(text_of(*runs))

    assert [{"fact": "file", "subject": "{path}", "max_age": "1m"}] == (
        document["tools"]["write_patch"]["requires"]
    )
    assert [{"fact": "file", "subject": "{path}"}] == document["tools"]["read_file"]["provides"]


def test_what_is_named_inside_another_argument_fills_no_placeholder() -> None:
    habits = Habits()
    scenarios = [
        run(run_id=f"r{n}").calls("get_order", id=f"A-{n:05d}").returns(f"order {n}")
        .calls("ship", parcel={"order": f"A-{n:05d}"}).returns()
        for n in range(30)
    ]  # fmt: skip
    recorded = (
        (
            one.steps,
            {
                one.steps[0].span_id: ({"id": "A"}, False),
                one.steps[1].span_id: ({"parcel": {"order": "A"}}, False),
            },
        )
        for one in scenarios
    )
    text = draft(habits, learn_expectations(habits.recorded(recorded)))

    assert "requires" not in text.partition("tools:")[2]


def test_arguments_that_name_what_is_touched_are_suggested_as_targets() -> None:
    text = text_of(run().calls("scale", service="shop", replicas=3).returns())

    assert '    # targets:\n    #   - service.name: "{service}"' in text
    assert [{"service.name": "{service}"}] == (
        yaml.safe_load(uncommented(text))["tools"]["scale"]["targets"]
    )


# --- Hostile names -----------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_any_name_of_a_tool_gives_a_file_that_is_about_that_tool_alone(name: str) -> None:
    text = text_of(run().calls(name, item="A-1").returns())
    document = yaml.safe_load(text)
    policy = Policy.from_mapping(document)

    assert [pattern(name)] == list(document["tools"])
    assert rule_of(policy, name).tier is describe(EMPTY, name, {}).tier
    assert rule_of(policy, name + "x").tier is None


@given(st.text(max_size=40))
def test_any_text_is_one_yaml_scalar(text: str) -> None:
    assert text == yaml.safe_load(scalar(text))
    assert "\n" not in scalar(text)


def test_names_of_facts_and_times_are_round() -> None:
    assert ["user_details", "order", "think"] == [
        fact_of("get_user_details"), fact_of("mcp__shop__lookupOrder"), fact_of("think"),
    ]  # fmt: skip
    assert ["1m", "5m", "1d", "7d"] == [rounded(s) for s in (0.0, 61.0, 80_000.0, 1e9)]


def test_without_any_tool_the_file_still_stands() -> None:
    assert {"tools": {}} == yaml.safe_load(draft(Habits(), LearnedExpectations()))
