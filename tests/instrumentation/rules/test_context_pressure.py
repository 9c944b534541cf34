"""context_pressure: measured against the model's window, and said of summaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aftershock.limits import Model
from aftershock.model import Level, Run, Tokens
from aftershock.rules.context_pressure import context_pressure
from tests.support.scenario import LIMITS, run


def test_four_fifths_of_a_known_models_window_warn() -> None:
    (finding,) = run().thinks(102_400, model="gpt-4o-2024-08-06").says(context_pressure)

    assert finding.level == Level.WARN
    assert finding.summary == (
        "gpt-4o-2024-08-06 was sent 102,400 tokens: 80% of its context window of 128,000."
    )


def test_less_is_fine_and_so_is_a_model_that_nobody_knows() -> None:
    assert run().thinks(102_000, model="gpt-4o").says(context_pressure) == []
    assert run().thinks(10**9, model="our-own-model").says(context_pressure) == []


def test_the_agents_own_window_wins_over_the_models() -> None:
    counted = replace(LIMITS, context_window_tokens=1_000)

    assert len(run().thinks(900, model="gpt-4o").says(context_pressure, counted)) == 1
    assert run().thinks(700, model="our-own-model").says(context_pressure, counted) == []


def test_a_declared_model_wins_over_the_table() -> None:
    declared = replace(LIMITS, models=(Model("gpt-4o*", context_window=10_000),))

    assert len(run().thinks(9_000, model="gpt-4o").says(context_pressure, declared)) == 1


def test_only_the_newest_inference_of_a_worker_counts() -> None:
    relieved = run().thinks(120_000, model="gpt-4o").thinks(9_000, model="gpt-4o")

    assert relieved.says(context_pressure) == []


def test_workers_are_measured_apart() -> None:
    team = run().thinks(120_000, model="gpt-4o").as_worker("helper").thinks(9_000, model="gpt-4o")

    assert ["agent"] == [finding.subject for finding in team.says(context_pressure)]


def test_a_summary_of_the_conversation_is_said_once_and_lasts() -> None:
    compacted = run().with_messages().calls("search", q="a").returns("x").forgets(declared=True)
    (finding,) = compacted.thinks(5).says(context_pressure)

    assert finding.lasting
    assert finding.subject == "compacted/span-001"
    assert compacted.thinks(5).says(context_pressure) == []


def thinking(seconds: Sequence[float], tokens: Sequence[int], output: int = 100) -> Run:
    """A run of inferences that last so long with so many tokens of context."""
    scenario = run()
    for lasted_s, sent in zip(seconds, tokens, strict=True):
        scenario.thinks(sent, output=output).after(lasted_s)
        newest = scenario.steps[-1]
        ended_ns = newest.began_at_ns + int(lasted_s * 1e9)
        scenario.steps[-1] = replace(newest, ended_at_ns=ended_ns)
    return scenario.run()


def test_inferences_that_get_slower_with_a_growing_context_warn() -> None:
    grown = thinking([2, 3, 2, 2, 3, 9, 12, 11, 12, 10], [2_000] * 5 + [40_000] * 5)
    (finding,) = context_pressure(grown, LIMITS)

    assert finding.level == Level.WARN
    assert finding.summary == (
        "Inferences take 6 times as long as at first, and their context is 20 times as large."
    )


def test_a_slow_model_without_more_context_and_longer_answers_are_something_else() -> None:
    slow = [2.0] * 5 + [12.0] * 5

    assert list(context_pressure(thinking(slow, [2_000] * 10), LIMITS)) == []
    assert list(context_pressure(thinking(slow[:8], [2_000] * 5 + [40_000] * 3), LIMITS)) == []
    longer = thinking(slow, [2_000] * 5 + [40_000] * 5)
    steps = tuple(
        replace(
            step,
            tokens=Tokens(step.tokens.input, int(50 * (step.last_ns - step.began_at_ns) / 1e9)),
        )
        for step in longer.steps
        if step.tokens
    )
    assert list(context_pressure(replace(longer, steps=steps), LIMITS)) == []
