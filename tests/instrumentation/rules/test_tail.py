"""The tail that loop rules see: the same whether it is made step by step or at once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aftershock.model import LOOP_REPORTED
from aftershock.rules.tail import STEPS_MAX, scan, tail_of
from tests.support.scenario import LIMITS, Scenario, run

MOVES = st.lists(
    st.tuples(
        st.sampled_from(["kubectl", "run_sql", "sleep", "think", "hand off", "report", "user"]),
        st.sampled_from(["a", "b"]),
    ),
    min_size=1,
    max_size=10,
)


def play(moves: list[tuple[str, str]], rounds: int) -> Scenario:
    played = run()
    for what, who in moves * rounds:
        played.as_worker(who)
        if what == "think":
            played.thinks()
        elif what == "hand off":
            played.hands_off("b")
        elif what == "user":
            played.receives_message()
        elif what == "report":
            played.saw(LOOP_REPORTED)
        else:
            played.calls(what, seconds=3).returns("" if what == "sleep" else "x")
    return played


@settings(max_examples=20, deadline=None)
@given(MOVES, st.sampled_from([1, 4, 40]))
def test_a_tail_made_step_by_step_equals_one_made_of_the_newest_steps(
    moves: list[tuple[str, str]], rounds: int
) -> None:
    played = play(moves, rounds)

    for length in range(1, len(played.steps) + 1):
        stood = played.run(length)
        tail = tail_of(stood, LIMITS)
        if length % 7 and length < len(played.steps):
            continue
        again = scan(stood.steps[-STEPS_MAX:], LIMITS.loop_window_actions)

        assert tail.lanes == again.lanes
        assert (tail.has_turns, tail.hand_offs, tail.report) == (
            again.has_turns,
            again.hand_offs,
            again.report,
        )
        assert {span: place.gap for span, place in tail.places.items()} == {
            span: place.gap for span, place in again.places.items()
        }


def test_an_action_that_comes_again_with_its_end_is_seen_with_its_end() -> None:
    played = run().calls("kubectl", command="get pods").returns("a").calls("kubectl", command="x")
    begun = tail_of(played.run(), LIMITS)

    ended = tail_of(played.returns("b").run(), LIMITS)

    assert [len(lane) for lane in begun.lanes] == [len(lane) for lane in ended.lanes] == [2]
    assert ended.lanes[0][-1].ended_at_ns is not None
