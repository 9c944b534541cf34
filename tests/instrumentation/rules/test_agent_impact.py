"""agent_impact: a verdict becomes a finding by its probability, and stands until it recovers."""

from __future__ import annotations

from dataclasses import replace

from aftershock.grade import Grade
from aftershock.model import Alternative, Change, ChangeKind, Impact, Level, Parts, Run
from aftershock.rules.agent_impact import agent_impact
from tests.support.scenario import LIMITS, START_NS, S, run

ACTED_NS = START_NS + S
BROKE = Change(
    "c1", ChangeKind.METRIC, "service/checkout", "errors rate", ACTED_NS + 125 * S, detail="0 → 8"
)
ATTRIBUTION = Impact(
    span_id="span-000",
    trace_id="t",
    run_id="r",
    agent="bot",
    tool="scale_workers",
    acted_at_ns=ACTED_NS,
    entity="service/checkout",
    probability=0.91,
    label=Grade.PROBABLE,
    parts=Parts(own=7.0, before=0.5, callee=0.0, alternative=1.0),
    alternatives=(
        Alternative(None, None, "no agent action", 0.08),
        Alternative("span-9", "run-9", "restart", 0.01, agent="docs-bot"),
    ),
    judged_at_ns=ACTED_NS + 200 * S,
    change=BROKE,
    lead_ns=125 * S,
    comparable=40,
    context_gap=("alert DbSaturated on db/orders",),
    missing=("a longer history",),
)


def with_attribution(**fields: object) -> Run:
    acted = run().calls("scale_workers", service="checkout").returns().run()
    return replace(acted, impacts=(replace(ATTRIBUTION, **fields),))


def test_a_probable_verdict_pages_and_says_who_what_and_how_long_after() -> None:
    (finding,) = agent_impact(with_attribution(), LIMITS)

    assert finding.level == Level.ALARM
    assert finding.subject == "span-000/service/checkout"
    assert finding.evidence == ("span-000",)
    assert finding.began_at_ns == BROKE.began_at_ns
    assert finding.as_of_ns == ATTRIBUTION.judged_at_ns
    assert finding.impact is not None
    assert finding.summary == (
        "bot's scale_workers probably degraded service/checkout (91 %): "
        "errors rate 0 → 8, 2 min after the call."
    )


def test_its_facts_show_parts_rivals_gaps_and_what_would_make_it_surer() -> None:
    (finding,) = agent_impact(with_attribution(), LIMITS)

    assert finding.facts == (
        (
            "after the call service/checkout moved in a way that is very unlikely by chance "
            "(40 earlier stretches compared)"
        ),
        "other explanation: no agent action (8 %)",
        "other explanation: docs-bot's restart (1 %)",
        "had not been read: alert DbSaturated on db/orders",
        "less sure, because: a longer history",
    )


def test_a_suspected_one_warns_and_words_it_as_a_possibility() -> None:
    (finding,) = agent_impact(with_attribution(probability=0.6, label="suspected"), LIMITS)

    assert finding.level == Level.WARN
    assert "may have degraded" in finding.summary


def test_levels_follow_the_limits() -> None:
    strict = replace(LIMITS, impact_alarm=0.95, impact_warn=0.92)

    assert [] == list(agent_impact(with_attribution(), strict))
    (finding,) = agent_impact(with_attribution(), replace(strict, impact_warn=0.9))
    assert finding.level == Level.WARN


def test_what_recovered_what_is_unlikely_and_what_was_not_judged_is_no_finding() -> None:
    assert [] == list(agent_impact(with_attribution(recovered_at_ns=ACTED_NS + 300 * S), LIMITS))
    assert [] == list(agent_impact(with_attribution(probability=0.3, label="possible"), LIMITS))
    assert [] == list(agent_impact(with_attribution(probability=None), LIMITS))


def test_each_entity_that_an_action_may_have_broken_is_a_finding_of_its_own() -> None:
    acted = with_attribution()
    both = replace(acted, impacts=(*acted.impacts, replace(ATTRIBUTION, entity="db/orders")))

    assert {"span-000/service/checkout", "span-000/db/orders"} == {
        finding.subject for finding in agent_impact(both, LIMITS)
    }


def test_where_several_agents_acted_the_likeliest_pages_for_all_of_them() -> None:
    rest = (
        Alternative("b", "run-b", "restart", 0.35, agent="docs-bot"),
        Alternative("c", "run-c", "update", 0.15, agent="dba-bot"),
        Alternative(None, None, "no agent action", 0.1),
    )
    run = with_attribution(probability=0.4, label=Grade.POSSIBLE, alternatives=rest, any_agent=0.9)
    (finding,) = agent_impact(run, LIMITS)
    less = with_attribution(probability=0.3, label=Grade.POSSIBLE, alternatives=rest)

    assert finding.level == Level.ALARM
    assert finding.summary.startswith("One of 3 agent actions probably degraded service/checkout")
    assert [] == list(agent_impact(less, LIMITS))
