"""An agent's own word does not end its run: it is over when it was said and nothing follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aftershock.model import Action, Claim, Fingerprint, Outcome, Step, StepKind, Tier
from aftershock_collector.engine.engine import Engine

S = 10**9
T0 = 1_790_000_000 * S
YEAR = 365 * 86_400


def call(seconds: float, *, ahead_s: float = 0) -> Step:
    began = T0 + int((seconds + ahead_s) * S)
    return Step(
        run_id="run", span_id=f"call{seconds}", kind=StepKind.TOOL_CALL, name="get",
        began_at_ns=began, ended_at_ns=began + S // 10, agent="looper",
        action=Action("get", Fingerprint("a"), Fingerprint("same"), Outcome.OK, Tier.READ),
    )  # fmt: skip


def frame(began: float, ended: float | None) -> Step:
    return Step(
        run_id="run", span_id="frame", kind=StepKind.AGENT, name="looper",
        began_at_ns=T0 + int(began * S),
        ended_at_ns=None if ended is None else T0 + int(ended * S), agent="looper",
    )  # fmt: skip


def loops(engine: Engine, seconds: float) -> list[Claim]:
    """What is open and was not closed at this moment."""
    report = engine.conclude(T0 + int(seconds * S))
    found = {c.finding.id: c for c in (*report.opened, *report.updated, *report.closed)}
    return [c for c in found.values() if c.closing is None and c.finding.kind == "repeated_action"]


def looping(engine: Engine, *, ahead_s: float = 0) -> None:
    for second in range(1, 11):
        engine.observe([call(second, ahead_s=ahead_s)], T0 + second * S + S // 10)


def test_p13_an_end_before_the_work_closes_no_alarm() -> None:
    engine = Engine()
    engine.observe([frame(0, 0.5)], T0 + S // 2)
    looping(engine)

    assert [claim.finding.level.value for claim in loops(engine, 11)] == ["alarm"]


@pytest.mark.parametrize("ahead_s", [60, 3_600, YEAR, 170 * YEAR])
def test_p13_an_end_in_the_future_closes_no_alarm(ahead_s: float) -> None:
    engine = Engine()
    engine.observe([frame(0, ahead_s)], T0 + S // 2)
    looping(engine)

    assert loops(engine, 11)
    assert engine.conclude(T0 + 12 * S).closed == ()


def test_an_honest_end_ends_the_run_whatever_its_clock_says() -> None:
    for ahead_s in (0, -7_200, 28_800):
        engine = Engine()
        looping(engine, ahead_s=ahead_s)
        assert loops(engine, 11)
        engine.observe([frame(ahead_s, 11 + ahead_s)], T0 + 11 * S)
        (closed,) = engine.conclude(T0 + 12 * S).closed
        assert closed.closing == "run ended"


def test_a_run_that_goes_on_with_another_turn_ends_with_that() -> None:
    engine = Engine()
    looping(engine)
    engine.observe([frame(0, 5)], T0 + 11 * S)
    assert loops(engine, 11)
    engine.observe([frame(0, 11)], T0 + 12 * S)
    (closed,) = engine.conclude(T0 + 13 * S).closed

    assert closed.closing == "run ended"


@pytest.mark.parametrize("calls", [8, 40])
def test_p12_equal_calls_whose_ends_are_reported_late_are_found_all_the_same(calls: int) -> None:
    engine = Engine()
    for number in range(calls):
        step = call(number / 2)
        step = replace(step, ended_at_ns=step.began_at_ns + 5 * S)
        engine.observe([step], step.began_at_ns + S // 2)

    assert len(loops(engine, calls)) == 1
