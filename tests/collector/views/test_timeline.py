"""Tests of what is laid on a timeline: order, folding, marks and the stable JSON."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from aftershock.approval import Approval, Gate
from aftershock.model import StepKind, Tier
from aftershock_collector.views import timeline, timeline_json
from aftershock_collector.views.timeline import lay_out
from tests.support import incident


def whole() -> timeline.Timeline:
    return lay_out(incident.steps(), incident.claims(), [incident.impact()])


def lines(laid: timeline.Timeline) -> list[tuple[str, int]]:
    return [(entry.what, entry.times) for entry in laid.entries]


def test_repeated_rounds_become_one_block_with_a_count() -> None:
    found = lines(whole())

    assert found.count(("get_status", 6)) == 1
    assert found.count(("asks gpt-4.1-mini", 6)) == 1
    assert found[-1] == ("get_status", 1)  # the seventh is not over


def test_folding_never_hides_where_the_evidence_begins() -> None:
    claim = incident.loop()
    moved = replace(claim, finding=replace(claim.finding, evidence=("s3", "s4", "s5")))
    laid = lay_out(incident.steps(), [moved])
    status = [e for e in laid.entries if e.what == "get_status" and not e.outcome]

    assert [(entry.times, entry.marks) for entry in status] == [(3, ()), (3, ("A",))]


def test_folding_keeps_calls_with_other_arguments_apart() -> None:
    steps = [
        incident.tool("a", "read", 0, 1, arguments="x"),
        incident.tool("b", "read", 2, 1, arguments="y"),
    ]

    assert lines(lay_out(steps)) == [("read", 1), ("read", 1)]


def test_every_step_of_a_fold_is_still_named() -> None:
    spans = [span for entry in whole().entries for span in entry.spans]
    shown = [step.span_id for lane in whole().lanes for step in lane.steps]

    assert sorted(spans) == sorted(shown)
    assert len(spans) == len(set(spans))


def test_findings_are_marked_in_the_order_in_which_their_evidence_began() -> None:
    laid = whole()

    assert [claim.finding.kind for claim in laid.claims] == [
        "missing_fact",
        "agent_impact",
        "repeated_action",
    ]
    (act,) = [entry for entry in laid.entries if "scale_deployment →" in entry.what]
    assert act.marks == ("A", "B")
    assert act.effect


def test_several_runs_share_one_axis() -> None:
    laid = whole()

    assert laid.runs == (incident.RUN, incident.OTHER_RUN)
    assert [lane.agent for lane in laid.lanes] == ["sre-bot", "docs-bot"]
    assert [e.at_ns for e in laid.entries] == sorted(e.at_ns for e in laid.entries)


def test_what_a_tool_reached_stands_with_the_tool() -> None:
    assert [e.what for e in whole().entries if e.kind == "outgoing"] == []


def test_what_a_command_of_a_tool_reached_stands_with_the_tool_too() -> None:
    tool = incident.tool("a", "Bash", 0, 2)
    execution = incident.plain("e", StepKind.OUTGOING, "tool.execution", 1, parent_id="a")
    psql = incident.plain("p", StepKind.OUTGOING, "psql", 1, parent_id="e", targets=("db/orders",))

    assert ["Bash"] == [entry.what for entry in lay_out([tool, execution, psql]).entries]


def test_a_tool_without_targets_acts_on_what_its_own_calls_reached() -> None:
    tool = incident.tool("a", "Bash", 0, 2, tier=Tier.DESTRUCTIVE)
    execution = incident.plain("e", StepKind.OUTGOING, "tool.execution", 1, parent_id="a")
    psql = incident.plain("p", StepKind.OUTGOING, "psql", 1, parent_id="e", targets=("db/orders",))

    assert ["Bash → db/orders"] == [
        entry.what for entry in lay_out([tool, execution, psql]).entries
    ]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_call_of_several_records_is_shown_with_what_each_of_them_says(
    order: tuple[int, int],
) -> None:
    span = replace(incident.tool("a", "Bash", 0, 1, tier=Tier.DESTRUCTIVE), records=("span",))
    denial = Approval("Bash", Gate.DENY, "hook", "hook")
    event = replace(span, records=("event",), approval=denial, error="denied")
    records = (span, event)
    (entry,) = lay_out([records[place] for place in order]).entries

    assert (entry.outcome, entry.effect) == ("failed: denied", False)


def test_an_outgoing_call_without_its_tool_is_still_shown() -> None:
    alone = incident.plain("o", StepKind.OUTGOING, "GET", 1, targets=("db/orders",))

    assert lines(lay_out([alone])) == [("reaches db/orders", 1)]


def test_the_change_that_a_verdict_carries_is_on_the_timeline_once() -> None:
    change = incident.impact().change
    assert change is not None
    laid = lay_out(incident.steps(), [incident.blamed()], [incident.impact()], [change])

    assert [e.source for e in laid.entries].count("change") == 1


def test_an_old_change_does_not_stretch_the_axis() -> None:
    change = incident.impact().change
    assert change is not None
    old = replace(change, id="old", began_at_ns=incident.at(-90_000))
    laid = lay_out(incident.steps(), changes=[old])

    assert laid.began_ns == incident.at(0)


@pytest.mark.parametrize("seed", range(20))
def test_order_and_duplicates_of_the_input_do_not_matter(seed: int) -> None:
    shuffled = incident.steps() + [s for s in incident.steps() if s.kind is StepKind.TOOL_CALL]
    random.Random(seed).shuffle(shuffled)
    claims = incident.claims()
    random.Random(seed).shuffle(claims)

    assert lay_out(shuffled, claims, [incident.impact()]) == whole(), f"seed {seed}"


def test_an_ended_step_replaces_its_open_version() -> None:
    ended = incident.tool("a", "read", 0, 1)
    begun = replace(ended, ended_at_ns=None)

    assert [e.until_ns for e in lay_out([begun, ended]).entries] == [ended.ended_at_ns]
    assert [e.until_ns for e in lay_out([ended, begun]).entries] == [ended.ended_at_ns]


def test_a_call_that_hangs_stays_on_the_timeline_while_heartbeats_arrive() -> None:
    begun = replace(incident.tool("a", "kubectl_logs", 0, 1), ended_at_ns=None)
    beat = incident.plain("a", StepKind.HEARTBEAT, "kubectl_logs", 30)
    laid = lay_out([begun, beat])

    assert [(e.what, e.outcome) for e in laid.entries] == [("kubectl_logs", "not over")]
    assert laid.ended_ns == incident.at(30)


def test_what_still_runs_lasts_until_now_while_its_run_gives_signs_of_life() -> None:
    begun = replace(incident.tool("a", "kubectl_logs", 0, 1), ended_at_ns=None)
    beat = incident.plain("a", StepKind.HEARTBEAT, "kubectl_logs", 30)
    alive = lay_out([begun, beat], now_ns=incident.at(45))
    silent = lay_out([begun, beat], now_ns=incident.at(300))

    (entry,) = alive.entries
    assert (entry.outcome, entry.lasts_ns, alive.ended_ns) == (
        "still running", 45 * incident.S, incident.at(45),
    )  # fmt: skip
    assert [(e.outcome, e.lasts_ns) for e in silent.entries] == [("not over", None)]
    assert silent.ended_ns == incident.at(30)


def test_no_steps_is_an_error_and_not_an_empty_picture() -> None:
    with pytest.raises(ValueError, match="at least one step"):
        lay_out([])


def test_json_has_a_stable_shape_and_holds_every_entry() -> None:
    body = json.loads(json.dumps(timeline_json.as_json(whole())))

    assert sorted(body) == [
        "began_at_ns", "ended_at_ns", "entries", "findings", "runs",
    ]  # fmt: skip
    assert sorted(body["entries"][0]) == [
        "agent", "at_ns", "effect", "evidence_for", "kind", "mark", "outcome", "run", "source",
        "spans", "times", "until_ns", "what",
    ]  # fmt: skip
    assert len(body["entries"]) == len(whole().entries)
    assert body["findings"][1]["impact"]["probability"] == 0.91


def test_letters_go_on_after_z() -> None:
    assert [timeline.letter(n) for n in (0, 25, 26, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip


def test_silences_are_what_lies_between_steps_that_do_not_overlap() -> None:
    (first, _) = whole().lanes
    stretches = timeline.silences(first, 5 * incident.S)

    assert (incident.at(34.2), incident.at(44)) in stretches
    assert all(end - begin >= 5 * incident.S for begin, end in stretches)
