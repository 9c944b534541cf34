"""Steps fold to the same run in whatever order, and however often, they arrive."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.approval import Approval, Gate
from aftershock.limits import Limits
from aftershock.model import Action, Fingerprint, Outcome, Run, Step, StepKind, Tier
from aftershock.runs.fold import Window

LIMITS = Limits(run_steps_max=16)
SECOND = 10**9


def tool_call(at_s: int, *, tool: str = "search", ended: bool = True, parent: str = "a") -> Step:
    seen = Fingerprint("r") if ended else None
    return Step(
        run_id="run",
        span_id=f"tool-{at_s}",
        kind=StepKind.TOOL_CALL,
        name=tool,
        began_at_ns=at_s * SECOND,
        ended_at_ns=(at_s + 1) * SECOND if ended else None,
        parent_id=parent,
        action=Action(tool, Fingerprint("a"), seen, Outcome.OK if ended else None, Tier.READ),
    )


def frame(span: str, *, ended_s: int | None, name: str = "bot", parent: str | None = None) -> Step:
    return Step(
        run_id="run",
        span_id=span,
        kind=StepKind.AGENT,
        name=name,
        began_at_ns=0,
        ended_at_ns=None if ended_s is None else ended_s * SECOND,
        parent_id=parent,
        agent=name,
    )


def fold(steps: list[Step], *, limits: Limits = LIMITS) -> Run:
    window = Window("run", limits)
    for step in steps:
        window.add([step])
    return window.whole(99 * SECOND)


def part(span: str, parent: str | None, *, error: str | None = None, ended_s: int = 3) -> Step:
    """A part of an app around its steps, such as a chain, which names nobody."""
    whole = frame(span, ended_s=ended_s, name="", parent=parent)
    return replace(whole, agent=None, error=error, is_part=True)


def test_a_step_inside_parts_of_an_app_is_the_agents_around_these() -> None:
    steps = [
        tool_call(1, parent="turn"),
        part("turn", "node"),
        part("node", "a"),
        frame("a", ended_s=9, name="ops", parent="graph"),
        part("graph", None, ended_s=9),
    ]
    for given_order in permutations(steps):
        run = fold(list(given_order))
        assert [step.agent for step in run.steps] == ["ops"]
        assert (run.agent, run.ended_at_ns) == ("ops", 9 * SECOND)


def test_what_follows_a_hand_off_is_the_takers_until_a_frame_says_whose_it_is() -> None:
    handed = Step("run", "h", StepKind.HAND_OFF, "ops", 2 * SECOND, 2 * SECOND, parent_id="t")
    steps = [tool_call(1, parent="t"), handed, tool_call(3, parent="b"), tool_call(4, parent="b")]
    triage = frame("t", ended_s=2, name="triage")
    known = [
        [step.agent for step in fold([*order, triage]).steps if step.kind is StepKind.TOOL_CALL]
        for order in permutations(steps)
    ]
    assert known == [["triage", "ops", "ops"]] * 24

    run = fold([*steps, triage, frame("b", ended_s=9, name="database")])
    assert [step.agent for step in run.steps] == ["triage", "triage", "database", "database"]


def test_an_agent_without_a_name_ends_its_run_all_the_same() -> None:
    unnamed = replace(frame("a", ended_s=5, name="", parent="request"), agent=None)
    run = fold([tool_call(1), unnamed])

    assert run.ended_at_ns == 5 * SECOND


def test_a_part_of_an_app_that_failed_inside_another_ends_no_run() -> None:
    run = fold([tool_call(1, parent="node"), part("node", "graph", error="ConnectionError")])

    assert (run.ended_at_ns, run.error) == (None, None)


def test_steps_stand_in_event_order_and_know_whose_they_are() -> None:
    run = fold([tool_call(3), frame("a", ended_s=9), tool_call(1), tool_call(2)])

    assert [step.began_at_ns // SECOND for step in run.steps] == [1, 2, 3]
    assert {"bot"} == {step.agent for step in run.steps}
    assert (run.agent, run.ended_at_ns) == ("bot", 9 * SECOND)


@given(seed=st.integers(0, 10_000), copies=st.integers(1, 3))
def test_shuffling_and_duplicating_changes_nothing(seed: int, copies: int) -> None:
    steps = [frame("a", ended_s=20), frame("b", ended_s=10, name="inner", parent="a")]
    steps += [tool_call(n, parent="b" if n % 2 else "a") for n in range(1, 9)]
    steps += [tool_call(n, parent="b" if n % 2 else "a", ended=False) for n in range(1, 9)]
    shuffled = steps * copies
    random.Random(seed).shuffle(shuffled)

    assert fold(steps) == fold(shuffled)


def test_an_ended_step_replaces_its_open_one_and_never_the_other_way_round() -> None:
    started, ended = tool_call(1, ended=False), tool_call(1)

    assert (ended,) == fold([started, ended]).steps
    assert (ended,) == fold([ended, started]).steps


def test_a_run_is_over_only_when_every_outermost_agent_has_ended() -> None:
    first, second = frame("a", ended_s=5), frame("b", ended_s=None, name="second")

    assert fold([first, second]).ended_at_ns is None
    assert fold([first, second, replace(second, ended_at_ns=8 * SECOND)]).ended_at_ns == 8 * SECOND


def test_an_inner_agent_that_is_still_open_does_not_keep_the_run_open() -> None:
    """A frame whose end was lost must not hold a finished run open for ever."""
    run = fold([frame("a", ended_s=5), frame("b", ended_s=None, parent="a")])

    assert run.ended_at_ns == 5 * SECOND


def test_the_window_is_bounded_and_says_what_fell_out() -> None:
    run = fold([tool_call(n) for n in range(40)])

    assert (len(run.steps), run.dropped_steps) == (16, 24)
    assert run.steps[0].began_at_ns == 24 * SECOND


def test_a_step_older_than_a_full_window_is_dropped_with_a_reason() -> None:
    window = Window("run", LIMITS)
    window.add([tool_call(n) for n in range(10, 40)])

    assert window.add([tool_call(1)]).changed_from is None
    assert dict(window.dropped) == {"older_than_window": 1}


def test_adding_says_from_where_on_the_run_reads_differently() -> None:
    window = Window("run", LIMITS)

    assert window.add([tool_call(n) for n in (1, 3, 5)]).changed_from == 0
    assert window.add([tool_call(5)]).changed_from is None
    assert window.add([tool_call(7)]).changed_from == 3
    assert window.add([tool_call(4)]).changed_from == 2


def test_an_outgoing_call_names_the_target_of_its_tool_before_or_after_it() -> None:
    outgoing = Step(
        run_id="run",
        span_id="http",
        kind=StepKind.OUTGOING,
        name="POST",
        began_at_ns=SECOND + 1,
        ended_at_ns=SECOND + 2,
        parent_id="tool-1",
        targets=("service/checkout",),
    )
    for order in ([outgoing, tool_call(1)], [tool_call(1), outgoing]):
        action = fold(order).steps[0].action

        assert action is not None
        assert action.targets == ("service/checkout",)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_an_outgoing_call_reached_by_another_is_a_target_of_the_tool(
    order: tuple[int, ...],
) -> None:
    execution = replace(
        tool_call(2), span_id="execution", kind=StepKind.OUTGOING, action=None, parent_id="tool-1"
    )
    psql = replace(execution, span_id="psql", parent_id="execution", targets=("db/orders",))
    steps = [tool_call(1), execution, psql]
    window = Window("run", LIMITS)
    for place in order:
        window.add([steps[place]])
    found = window.of_span("tool-1")

    assert found is not None
    assert found.action is not None
    assert found.action.targets == ("db/orders",)


def test_where_an_agent_lives_is_not_what_its_tools_started() -> None:
    window = Window("run", LIMITS)
    psql = replace(
        tool_call(1), kind=StepKind.OUTGOING, action=None, service="psql", process="pid/host/7"
    )
    window.add([psql, replace(tool_call(2), service="bot", process="pid/host/1")])

    assert (window.service, window.process, window.is_mixed) == ("bot", "pid/host/1", False)


def test_heartbeats_are_heard_and_are_not_steps() -> None:
    beat = replace(tool_call(50, ended=False), kind=StepKind.HEARTBEAT, action=None)
    run = fold([tool_call(1), beat])

    assert (len(run.steps), run.received_at_ns) == (1, 50 * SECOND)


def test_parents_that_form_a_circle_end_the_search_for_an_agent() -> None:
    steps = [
        replace(tool_call(1), parent_id="tool-2"),
        replace(tool_call(2), parent_id="tool-1"),
        frame("elsewhere", ended_s=3),
    ]

    assert [step.agent for step in fold(steps).steps] == [None, None]


def approval(
    at_s: int, *, answered_s: int | None = None, span: str = "", outcome: Gate = Gate.ALLOW
) -> Step:
    waits = answered_s is None
    return Step(
        run_id="run",
        span_id=span or f"approval-{at_s:03d}",
        kind=StepKind.APPROVAL,
        name="drop",
        began_at_ns=at_s * SECOND,
        ended_at_ns=None if answered_s is None else answered_s * SECOND,
        approval=Approval("drop", Gate.ASK if waits else outcome),
    )


def test_an_answer_takes_the_place_of_its_request_in_either_order() -> None:
    asked, answered = approval(1, span="x"), approval(1, answered_s=5, span="x")

    for steps in ([asked, answered], [answered, asked], [answered, asked, answered]):
        assert fold(steps).steps == (answered,)


@given(st.integers(0, 2**32), st.integers(0, 30))
def test_approvals_hold_after_they_fell_out_of_the_window_in_whatever_order(
    seed: int, at_s: int
) -> None:
    dice = random.Random(seed)
    answered = approval(at_s, answered_s=at_s)
    run = fold(dice.sample(steps := [answered, *(tool_call(n) for n in range(1, 60))], len(steps)))
    kept = [*run.dropped_approvals, *run.steps]

    assert answered in [replace(step, agent=None) for step in kept]


def test_an_answer_to_a_request_that_fell_out_is_still_heard() -> None:
    window = Window("run", LIMITS)
    window.add([approval(0, span="x"), *(tool_call(n) for n in range(1, 40))])
    (waiting,) = window.prefix(1).dropped_approvals
    shift = window.add([approval(0, answered_s=50, span="x")])
    (answered,) = window.prefix(1).dropped_approvals

    assert (waiting.ended_at_ns, answered.ended_at_ns) == (None, 50 * SECOND)
    assert shift.changed_from == 0
    assert window.add([approval(0, answered_s=50, span="x")]).changed_from is None


def test_approvals_outside_the_window_are_bounded_and_the_newest_stay() -> None:
    window = Window("run", LIMITS)
    window.add([approval(n, answered_s=n) for n in range(200)])

    assert len(window.prefix(1).dropped_approvals) == 64
    assert window.prefix(1).dropped_approvals[-1].began_at_ns == 183 * SECOND
    assert window.dropped["approvals_full"] == 120


def outgoing(number: int, parent: str) -> Step:
    return Step(
        run_id="run",
        span_id=f"http-{number}",
        kind=StepKind.OUTGOING,
        name="POST",
        began_at_ns=number * SECOND,
        ended_at_ns=number * SECOND + 1,
        parent_id=parent,
        targets=(f"service/{number}",),
    )


def test_what_calls_of_no_known_tool_reached_takes_bounded_memory() -> None:
    window = Window("run", LIMITS)
    for number in range(200):
        window.add([outgoing(number, "one parent"), outgoing(1_000 + number, f"p-{number}")])
    kept = window._touched  # pyright: ignore[reportPrivateUsage]

    assert len(kept) <= 2 * LIMITS.run_steps_max + 1
    assert max(map(len, kept.values())) <= 64


def test_a_tool_whose_calls_reach_ever_more_keeps_the_targets_that_it_had() -> None:
    steps = [tool_call(0), *(outgoing(number, "tool-0") for number in range(1, 100))]
    action = fold(steps, limits=Limits(run_steps_max=200)).steps[0].action

    assert action is not None
    assert action.targets == tuple(f"service/{number}" for number in range(1, 65))
