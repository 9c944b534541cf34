"""context_pressure: measured against the model's window, and said of summaries."""

from __future__ import annotations

from dataclasses import replace

from aftershock.limits import Model
from aftershock.model import Level
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
