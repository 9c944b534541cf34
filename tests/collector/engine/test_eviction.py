"""Eviction: bounds in runs and in bytes, and a flood that evicts the flooder's own runs."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from aftershock.limits import Limits
from aftershock.model import Step, StepKind
from aftershock.policy.policy import Policy
from aftershock.runs.size import size_of
from aftershock_collector.engine.engine import Engine
from aftershock_collector.engine.eviction import LiveRun, runs_to_evict
from tests.support.scenario import START_NS, S, run

ONE = ("sender", "service", "agent")


def live(
    name: str, holder: tuple[str, str, str] = ONE, size: int = 1, *, ended: bool = False
) -> LiveRun:
    return LiveRun(name, holder, ended, size)


def evicted(runs: list[LiveRun], runs_max: int = 10**9, bytes_max: int = 10**9) -> list[str]:
    return [run.run_id for run in runs_to_evict(runs, runs_max, bytes_max)]


def test_of_one_holder_ended_runs_go_first_then_the_least_recently_active() -> None:
    runs = [live("a"), live("b"), live("c", ended=True), live("d")]

    assert evicted(runs, runs_max=2) == ["c", "a"]


def test_of_one_holder_the_largest_go_first_where_bytes_are_short() -> None:
    runs = [live("a", size=10), live("b", size=90), live("c", size=20)]

    assert evicted(runs, bytes_max=40) == ["b"]


def test_the_holder_with_most_runs_gives_them_up() -> None:
    flood = [live(f"f{n}", ("flooder", "x", "x")) for n in range(100)]

    assert "victim" not in evicted([live("victim"), *flood], runs_max=10)


def test_the_holder_with_most_bytes_gives_up_a_run() -> None:
    flood = [live(f"f{n}", ("flooder", "x", "x"), 50) for n in range(10)]
    gone = evicted([live("victim", size=60), *flood], bytes_max=300)

    assert gone
    assert "victim" not in gone


def test_within_a_sender_services_and_agents_share_alike() -> None:
    flood = [live(f"f{n}", ("sender", "other", f"agent-{n}")) for n in range(100)]

    assert "victim" not in evicted([live("victim"), *flood], runs_max=50)


def test_a_flood_under_ever_new_names_does_not_push_out_what_was_there_before() -> None:
    flood = [live(f"f{n}", ("sender", f"service-{n}", "x")) for n in range(100)]
    gone = evicted([live("victim"), *flood], runs_max=50)

    assert len(gone) == 51
    assert "victim" not in gone


def test_no_more_runs_leave_than_must_where_none_fits_an_equal_share() -> None:
    runs = [live(f"r{n}", ("sender", "service", f"agent-{n}"), 10) for n in range(100)]

    assert len(evicted(runs, bytes_max=905)) == 10


RUNS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("cd"), st.integers(0, 9), st.booleans()),
    max_size=40,
)


@given(RUNS, st.integers(0, 50), st.integers(0, 200))
def test_what_stays_fits_and_nothing_is_evicted_twice(
    drawn: list[tuple[str, str, int, bool]], runs_max: int, bytes_max: int
) -> None:
    runs = [
        live(str(place), (sender, service, ""), size, ended=ended)
        for place, (sender, service, size, ended) in enumerate(drawn)
    ]
    gone = evicted(runs, runs_max, bytes_max)
    left = [one for one in runs if one.run_id not in gone]

    assert len(gone) == len(set(gone))
    assert len(left) <= runs_max
    assert sum(one.size_bytes for one in left) <= bytes_max
    if len(runs) <= runs_max and sum(one.size_bytes for one in runs) <= bytes_max:
        assert gone == []


def heavy(name: str, texts: int = 50) -> list[Step]:
    """A run whose steps are as large as a hostile sender can make them."""
    played = run(name).calls("get_status", name="checkout").returns("well")
    targets = tuple(f"{n}-{'x' * 150}" for n in range(texts))
    return [
        replace(step, action=replace(step.action, targets=targets) if step.action else None)
        for step in played.steps
    ]


def test_live_runs_stay_within_their_bytes_and_every_eviction_is_counted() -> None:
    engine = Engine(bytes_max=100_000)
    for number in range(60):
        engine.observe(heavy(f"run-{number}"), sender="flooder")
    report = engine.conclude(START_NS + S)

    assert engine.size_bytes <= 100_000
    assert report.drops["memory_full"] == 60 - len(engine) > 0


def framed(name: str, frames: int) -> list[Step]:
    """A run of frames of agents, each with a goal as long as a step keeps one."""
    first = run(name).calls("ping").returns("well").steps[-1]
    return [
        replace(
            first, span_id=f"{name}-{n}", kind=StepKind.AGENT, action=None, facts=(),
            goal=f"{n} {'x' * 1_900}",
        )
        for n in range(frames)
    ]  # fmt: skip


def test_frames_of_agents_count_as_steps_do() -> None:
    engine = Engine(bytes_max=3_000_000)
    for number in range(20):
        engine.observe(framed(f"run-{number}", 100), sender="flooder")
    assert engine.size_bytes > 20 * 100 * 1_900
    report = engine.conclude(START_NS + S)

    assert engine.size_bytes <= 3_000_000
    assert report.drops["memory_full"] == 20 - len(engine) > 0


def test_what_the_rules_found_after_each_step_counts_as_well() -> None:
    """A run in which each call opens a finding of its own holds more claims than steps."""
    engine = Engine(live=False)
    played = run("busy")
    for number in range(120):
        for _ in range(4):
            played = played.calls(f"get_status_{number}", name="checkout").returns("pending")
    engine.observe(played.steps)
    steps_only = engine.size_bytes
    report = engine.conclude(START_NS + 10_000 * S)

    assert len(report.opened) > 50
    assert engine.size_bytes > steps_only + sum(range(len(report.opened))) * 100


def test_a_flood_of_runs_does_not_hide_that_another_agents_run_has_stalled() -> None:
    engine = Engine(Policy(limits=Limits(runs_max=20)))
    waiting = run("victim").calls("get_status", name="checkout")
    engine.observe(waiting.steps, START_NS, sender="host-a")
    for number in range(60):
        engine.observe(run(f"flood-{number}").calls("ping").steps, START_NS, sender="host-b")
        engine.conclude(START_NS + S)
    report = engine.conclude(START_NS + 1_000 * S)

    assert len(engine) == 20
    assert "victim" in {claim.finding.run_id for claim in report.opened}
    assert {claim.finding.kind for claim in report.opened} == {"stalled_run"}


def test_a_step_with_more_in_it_counts_as_larger() -> None:
    (small,), (large,) = heavy("a", texts=0), heavy("a", texts=50)

    assert size_of(large) > size_of(small) + 50 * 150


def test_open_runs_at_work_that_leave_are_a_loss_and_silent_ones_are_none() -> None:
    engine = Engine(Policy(limits=Limits(runs_max=2)))
    for number in range(4):
        engine.observe(run(f"r{number}").calls("ping").steps, START_NS, sender="ci")
    engine.conclude(START_NS + S)
    evicted, holding = engine.evicted()

    assert evicted == 2
    assert holding is not None
    assert (holding.sender, holding.share) == ("ci", 1.0)
    assert engine.evicted()[0] == 0

    engine.observe(run("newer").calls("ping").steps, START_NS, sender="ci")
    engine.conclude(START_NS + 700 * S)  # all have been silent for longer than ten minutes
    assert engine.evicted()[0] == 0
    assert len(engine) == 2
