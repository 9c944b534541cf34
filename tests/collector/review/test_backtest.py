"""`aftershock backtest`: past runs under another policy, out of real stores and real files."""

from __future__ import annotations

import json
import random
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aftershock import attributes as names
from aftershock.limits import Limits
from aftershock.model import Level, Report, Step, StepKind
from aftershock.policy.policy import EMPTY, Policy
from aftershock_collector.engine.engine import Engine
from aftershock_collector.otlp.decode import decode_traces
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.read import read
from aftershock_collector.review.backtest import EXAMPLES_MAX, Backtest, rejudge
from aftershock_collector.review.rereading import Rereader
from aftershock_collector.store.writer import SqliteStore
from tests.support import incident
from tests.support.commands import Main, printed_data
from tests.support.scenario import run
from tests.support.traffic import (
    EPOCH_NS,
    SECOND,
    Agent,
    Traffic,
    any_runs,
    attribute,
    log_request,
    looping_run,
    span_request,
)

DATA = Path(__file__).parents[2] / "data"
DAY = 86_400 * SECOND
STRICT = """
tools:
  update_price:
    requires: [{fact: approval, subject: "{item}"}]
  ask_owner:
    provides: [{fact: approval, subject: "{item}"}]
"""


def write(tmp_path: Path, *runs: Traffic) -> list[Path]:
    """Runs as files, each all in one."""
    places = [tmp_path / f"{number}.pb" for number in range(len(runs))]
    for place, one in zip(places, runs, strict=True):
        place.write_bytes(span_request(one.spans))
    return places


def tried(main: Main, *argv: str) -> Any:
    code, out, error = main("backtest", *argv, "--json")
    assert (code, error) == (0, "")
    return json.loads(out)["data"]


def rows(body: Any) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    return {
        (one["rule"], one["level"]): (one["today"], one["new"], one["gained"], one["lost"])
        for one in body["rules"]
    }


# --- The command -------------------------------------------------------------------------------


def test_a_stricter_policy_shows_what_would_be_gained_and_whom_it_wakes(
    tmp_path: Path, main: Main
) -> None:
    dice = random.Random(4)
    asked, blind = Agent(dice, "clerk"), Agent(dice, "clerk", began_ns=EPOCH_NS + DAY)
    asked.call("ask_owner", {"item": "socks"}, "fine with me")
    for agent in (asked, blind):
        agent.call("update_price", {"item": "socks", "price": 4}, "updated")
    files = write(tmp_path, asked.finish(), blind.finish())
    (tmp_path / "strict.yaml").write_text(STRICT)
    body = tried(main, "--policy", "strict.yaml", *map(str, files))

    assert {("missing_fact", "alarm"): (0, 1, 1, 0)} == rows(body)
    assert {"total": 1, "a_day": 0.5, "worst_day": 1} == body["pages"]["new"]
    assert 0 == body["pages"]["today"]["total"]
    assert [(blind.traffic.run_id, None, "alarm")] == [
        (one["run"], one["today"], one["new"]) for one in body["examples"]
    ]
    assert "update_price was called without knowing" in body["examples"][0]["summary"]
    assert not (tmp_path / "home").exists()


def test_a_laxer_limit_shows_what_would_be_lost_and_what_only_warns(
    tmp_path: Path, main: Main
) -> None:
    runs = [looping_run(random.Random(seed)) for seed in range(5)]
    for place in write(tmp_path, *runs):
        assert main("import", str(place))[0] == 0
    body = tried(main, "--limit", "repeats_alarm=50")
    gone = tried(main, "--limit", "repeats_alarm=50", "--limit", "repeats_warn=40")

    assert {
        ("repeated_action", "alarm"): (5, 0, 0, 5),
        ("repeated_action", "warn"): (0, 5, 5, 0),
    } == rows(body)
    assert [{"rule": "repeated_action", "today": "alarm", "new": "warn", "count": 5}] == (
        body["differences"]
    )
    assert EXAMPLES_MAX == len(body["examples"])
    assert (5, 0) == (body["pages"]["today"]["total"], body["pages"]["new"]["total"])
    assert {("repeated_action", "alarm"): (5, 0, 0, 5)} == rows(gone)


def test_today_is_what_was_found_when_the_runs_came(tmp_path: Path, main: Main) -> None:
    runs = list(any_runs(random.Random(8), 30))
    for place in write(tmp_path, *runs):
        assert main("import", str(place))[0] == 0
    stored = printed_data(main, "findings", "--limit", "1000")
    body = tried(main, "--limit", "evidence_max=49")
    printed = sorted((one["kind"], one["level"]) for one in stored)

    assert printed
    assert printed == sorted(key for key, counts in rows(body).items() for _ in range(counts[0]))
    assert (30, []) == (body["runs"], body["differences"])
    assert "The two find the same." in main("backtest", "--limit", "evidence_max=49")[1]


def test_files_and_the_store_give_the_same(tmp_path: Path, main: Main) -> None:
    files = [*DATA.glob("*.gz")]
    from_files = tried(main, "--limit", "repeats_warn=4", *map(str, files))
    assert main("import", *map(str, files))[0] == 0
    from_store = tried(main, "--limit", "repeats_warn=4")

    assert 4 == from_files["runs"]
    assert from_files["differences"]
    assert from_files == from_store


def test_the_text_says_which_policies_how_much_and_what_differs(tmp_path: Path, main: Main) -> None:
    (file,) = write(tmp_path, looping_run(random.Random(1)))
    code, out, _ = main("backtest", "--limit", "repeats_alarm=50", str(file))

    assert code == 0
    assert out.startswith("today: the defaults\nnew:   the defaults with repeats_alarm=50\n1 run, ")
    assert "RULE             LEVEL  TODAY  NEW  GAINED  LOST" in out
    assert "pages a day: 1.0 → 0.0 (in all 1 → 0 on 1 day with runs; the worst day 1 → 0)" in out
    assert "~ alarm → warn: 1 repeated_action" in out
    assert "\x1b" not in out


def test_only_runs_of_the_asked_time_are_judged(tmp_path: Path, main: Main) -> None:
    now_ns = time.time_ns()
    old = looping_run(random.Random(1), began_ns=now_ns - 9 * DAY)
    new = looping_run(random.Random(2), began_ns=now_ns - 2 * DAY)
    for place in write(tmp_path, old, new):
        assert main("import", str(place))[0] == 0

    assert 2 == tried(main, "--limit", "repeats_alarm=4")["runs"]
    assert 1 == tried(main, "--limit", "repeats_alarm=4", "--since", "7d")["runs"]
    assert 0 == tried(main, "--limit", "repeats_alarm=4", "--since", "1h")["runs"]
    assert main("backtest", "--limit", "repeats_alarm=4", "--since", "1h")[0] == 0


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ((), "nothing to try: give --policy FILE, or --limit NAME=NUMBER"),
        (("--policy", "gone.yaml"), "gone.yaml: cannot be read: No such file or directory"),
        (("--policy", "bad.yaml"), "bad.yaml:3:5 tools.scale.teir: unknown key 'teir'"),
        (("--limit", "nonsense=4"), "nonsense: unknown key"),
        (("--limit", "repeats_warn=many"), "'repeats_warn=many' is not NAME=NUMBER"),
        (("--limit", "repeats_warn=2", "--since", "soon"), "--since: 'soon' is not a time"),
        (("--limit", "repeats_warn=2", "--since", "7d", "x.pb"), "give it, or files, not both"),
        (("--limit", "repeats_warn=2", "x.pb"), "x.pb: No such file or directory"),
        (("--limit", "repeats_warn=2", "bad.yaml"), "bad.yaml holds nothing that can be read"),
    ],
)
def test_what_cannot_be_tried_is_said_in_one_line(
    tmp_path: Path, main: Main, argv: tuple[str, ...], says: str
) -> None:
    (tmp_path / "bad.yaml").write_text("tools:\n  scale:\n    teir: write\n")
    code, out, error = main("backtest", *argv)

    assert (code, out) == (1, "")
    assert 1 == error.count("\n")
    assert says in error


def test_a_wrong_policy_of_today_is_refused_and_not_replaced(tmp_path: Path, main: Main) -> None:
    (tmp_path / "aftershock.yaml").write_text("nonsense: 1\n")
    code, _, error = main("backtest", "--limit", "repeats_warn=2")

    assert code == 1
    assert "aftershock.yaml:1:1 nonsense" in error


def test_an_empty_store_says_what_to_do_next(main: Main) -> None:
    assert "Nothing is recorded yet" in main("backtest", "--limit", "repeats_warn=2")[1]


def test_thresholds_of_impact_are_tried_on_the_verdicts_that_were_stored(
    tmp_path: Path, main: Main
) -> None:
    agent = Agent(random.Random(3), "sre")
    agent.call("scale", {"service": "shop"}, "scaled")
    traffic = agent.finish()
    (file,) = write(tmp_path, traffic)
    assert main("import", str(file))[0] == 0
    recovered = replace(incident.impact(0.85), run_id=traffic.run_id, recovered_at_ns=9)
    with closing(SqliteStore.open(tmp_path / "home" / "aftershock.db")) as store:
        store.record(Report(0, impacts=(recovered,)), (), 0)
    body = tried(main, "--limit", "impact_alarm=0.9")

    assert {
        ("agent_impact", "alarm"): (1, 0, 0, 1),
        ("agent_impact", "warn"): (0, 1, 1, 0),
    } == rows(body)


def test_a_silence_is_judged_by_either_limit(tmp_path: Path, main: Main) -> None:
    agent = Agent(random.Random(3), "sre")
    agent.call("get_status", {"job": "A"}, "running")
    agent.now_ns += 200 * SECOND
    agent.traffic.spans[-1].end_time_unix_nano = agent.now_ns  # it took that long to answer
    agent.call("get_other", {"job": "B"}, "done")
    traffic = agent.finish()
    spans, logs = tmp_path / "spans.pb", tmp_path / "logs.pb"
    spans.write_bytes(span_request(traffic.spans))
    logs.write_bytes(log_request(traffic.started))
    body = tried(main, "--limit", "stall_s=300", str(spans), str(logs))

    assert {("stalled_run", "alarm"): (1, 0, 0, 1)} == rows(body)
    assert {} == rows(tried(main, "--limit", "stall_s=300", str(spans)))  # nothing told it began


# --- Judging again -----------------------------------------------------------------------------


def test_a_run_judged_again_gives_what_the_engine_gave(tmp_path: Path) -> None:
    for traffic in any_runs(random.Random(5), 12):
        spans = decode_traces(span_request(traffic.spans), "application/x-protobuf").items
        steps = [step for span in spans if (step := read(span, EMPTY)) is not None]
        engine = Engine(EMPTY, live=False)
        engine.observe(list(steps))
        found = {claim.finding.id: claim.finding for claim in engine.complete().opened}

        assert found == {claim.finding.id: claim.finding for claim in rejudge(steps, EMPTY)}


def test_an_agents_own_limit_counts_for_its_silence() -> None:
    patient = Policy.from_mapping({"agents": {"batch-*": {"limits": {"stall_s": 900}}}})
    begun = run(agent="batch-1").calls("export").steps
    until_ns = begun[-1].last_ns + 600 * SECOND

    assert ["stalled_run"] == [c.finding.kind for c in rejudge(begun, EMPTY, (), until_ns)]
    assert [] == rejudge(begun, patient, (), until_ns)
    assert [] == rejudge(begun, EMPTY)


def test_counts_stay_small_however_many_runs_there_are() -> None:
    backtest = Backtest()
    for number in range(500):
        scenario = run(run_id=f"r{number}").calls("get", id="A").returns("x").times(4)
        backtest.add(scenario.steps, rejudge(scenario.steps, EMPTY), [])

    assert 500 == backtest.lost["repeated_action", Level.ALARM]
    assert EXAMPLES_MAX == sum(map(len, backtest.examples.values()))


# --- Words of another day ----------------------------------------------------------------------


def recorded(**words: Any) -> Span:
    """A call as an agent's process exports it by default: fingerprints, and its policy's words."""
    agent = Agent(random.Random(1), "sre")
    agent.call("scale", {"environment": "prod"}, "scaled")
    (span,) = agent.traffic.spans
    kept = [a for a in span.attributes if not a.key.startswith("gen_ai.tool.call.")]
    del span.attributes[:]
    span.attributes.extend(kept)
    span.attributes.extend(attribute(key, value) for key, value in words.items())
    (decoded,) = decode_traces(span_request([span]), "application/x-protobuf").items
    return decoded


def policy(**tool: Any) -> Policy:
    return Policy.from_mapping({"tools": {"scale": tool}})


def action_of(step: Step | None) -> Any:
    assert step is not None
    return step.action


def test_another_policy_is_not_overruled_by_the_words_of_todays() -> None:
    span = recorded(
        **{
            names.ACTION_TIER: "provision",
            names.ACTION_TARGETS: ["service/shop"],
            names.CONTEXT_REQUIRED: ["window\tprod\t60"],
        }
    )
    today = policy(tier="provision", requires=[{"fact": "window", "subject": "{environment}"}])
    other = policy(
        tier="read",
        requires=[
            {"fact": "window", "subject": "{environment}", "max_age": "1h"},
            {"fact": "owner", "subject": "{environment}"},
        ],
    )
    reader = Rereader(other, today, is_other=True)
    before = action_of(Rereader(today, other, is_other=False).span(span))
    after = action_of(reader.span(span))

    assert ("provision", "read") == (before.tier, after.tier)
    assert [("window", "prod")] == [(w.kind, w.subject) for w in before.requires]
    # Arguments are not exported: what the record knows is kept, what it does not stays open.
    assert [("window", "prod", 3600.0), ("owner", "*", None)] == [
        (w.kind, w.subject, w.max_age_s) for w in after.requires
    ]
    assert ("service/shop",) == after.targets
    assert 1 == reader.unfilled


def test_what_both_policies_say_wins_over_what_was_recorded() -> None:
    span = recorded(**{names.ACTION_TIER: "destructive", names.POLLS: True})
    same = policy(tier="write")
    other = Policy.from_mapping({"tools": {"scale": {"tier": "write"}}, "limits": {"stall_s": 9}})

    assert read(span, other) == Rereader(other, same, is_other=True).span(span)
    assert "write" == action_of(Rereader(same, other, is_other=False).span(span)).tier


def test_a_word_of_the_tools_author_stays_where_todays_policy_is_silent() -> None:
    span = recorded(**{names.ACTION_TIER: "destructive"})
    other = policy(tier="read")

    assert "destructive" == action_of(Rereader(EMPTY, other, is_other=False).span(span)).tier
    assert "read" == action_of(Rereader(other, EMPTY, is_other=True).span(span)).tier


def test_what_is_taken_out_of_the_policy_is_let_go() -> None:
    span = recorded(**{names.CONTEXT_REQUIRED: ["window\tprod\t"]})
    today = policy(requires=[{"fact": "window"}])

    assert () == action_of(Rereader(EMPTY, today, is_other=True).span(span)).requires


def test_other_steps_are_read_as_they_are() -> None:
    agent = Agent(random.Random(1), "sre")
    agent.think()
    (thought,) = decode_traces(span_request(agent.traffic.spans), "application/x-protobuf").items
    step = Rereader(EMPTY, policy(tier="read"), is_other=False).span(thought)

    assert step is not None
    assert StepKind.INFERENCE == step.kind
    assert Limits().stall_s == EMPTY.limits.stall_s
