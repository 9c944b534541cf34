"""Backward from an alert: who is asked about, how they rank, and that nobody is among them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.grade import Grade
from aftershock.model import (
    Action,
    Alternative,
    Change,
    ChangeKind,
    Fingerprint,
    Impact,
    Outcome,
    Parts,
    Step,
    StepKind,
    Tier,
)
from aftershock_collector.impact import suspects as module
from aftershock_collector.impact.events import Events
from aftershock_collector.impact.suspects import SuspectIndex, Suspects

S = 10**9
T0 = 1_790_000_000 * S
DAY = 86_400.0
TOPOLOGY = {"service/web": ["service/checkout"], "service/checkout": ["db/orders"]}


def at(seconds: float) -> int:
    return T0 + int(seconds * S)


def candidate(
    tool: str, seconds: float, *targets: str, tier: Tier = Tier.WRITE, agent: str = "sre-bot"
) -> Step:
    return Step(
        run_id=f"run of {agent}",
        span_id=tool,
        trace_id="trace",
        kind=StepKind.TOOL_CALL,
        name=tool,
        began_at_ns=at(seconds),
        ended_at_ns=at(seconds + 1),
        agent=agent,
        action=Action(
            tool, Fingerprint("a"), Fingerprint("r"), Outcome.OK, tier, targets or ("service/web",)
        ),
    )


def alert(entity: str = "service/checkout", seconds: float = DAY, name: str = "Slow") -> Change:
    return Change(f"alert/{name}/{seconds}", ChangeKind.ALERT, entity, name, at(seconds))


def ranked(
    about: Change, *candidates: Step, topology: dict[str, list[str]] | None = None
) -> Suspects:
    suspect_index = SuspectIndex()
    for each in candidates:
        suspect_index.record(each)
    return rank(suspect_index, about, topology)


def rank(
    suspect_index: SuspectIndex, about: Change, topology: dict[str, list[str]] | None = None
) -> Suspects:
    events = Events()
    events.observing(T0)
    events.record(about)
    known = TOPOLOGY if topology is None else topology
    return suspect_index.rank(about, known, lambda entity: entity, about.began_at_ns, events=events)


def names(found: Suspects) -> list[tuple[str, str]]:
    return [(suspect.tool, suspect.relation) for suspect in found.ranked]


def impact_of(step: Step, own: float, before: float = 0.0) -> Impact:
    assert step.action
    return Impact(
        span_id=step.span_id,
        trace_id=step.trace_id,
        run_id=step.run_id,
        agent=step.agent,
        tool=step.action.tool,
        acted_at_ns=step.began_at_ns,
        entity=step.action.targets[0],
        probability=0.9,
        label=Grade.PROBABLE,
        parts=Parts(own=own, before=before, callee=0.0, alternative=0.0),
        alternatives=(),
        judged_at_ns=step.began_at_ns,
    )


def test_actions_near_the_alert_are_asked_about_and_others_are_not() -> None:
    found = ranked(
        alert(),
        candidate("here", DAY - 60, "service/checkout"),
        candidate("below", DAY - 60, "db/orders"),
        candidate("above", DAY - 60, "service/web"),
        candidate("elsewhere", DAY - 60, "service/docs"),
        candidate("reads", DAY - 60, "service/checkout", tier=Tier.READ),
        candidate("long ago", DAY - 601, "service/checkout"),
        candidate("afterwards", DAY + 1, "service/checkout"),
        candidate("anything", DAY - 60, "service/*"),
    )

    assert "here" == found.ranked[0].tool
    assert {
        ("here", "the same"),
        ("below", "its dependency"),
        ("above", "its caller"),
    } == set(names(found))


def test_an_alert_on_a_database_asks_about_the_service_that_calls_it_and_its_callers() -> None:
    found = ranked(
        alert("db/orders"),
        candidate("scale", DAY - 60, "service/checkout"),
        candidate("deploy", DAY - 60),
    )

    assert [("scale", "its caller"), ("deploy", "a caller of its caller")] == names(found)
    assert found.ranked[0].probability > found.ranked[1].probability


def test_nobody_is_always_among_the_explanations() -> None:
    nothing = ranked(alert())
    one = ranked(alert(), candidate("scale", DAY - 30, "service/checkout"))

    assert ((), 1.0, None) == (nothing.ranked, nothing.no_agent, nothing.top)
    assert pytest.approx(1.0) == one.no_agent + one.ranked[0].probability
    assert one.top is not None


def test_an_alert_that_fires_all_the_time_points_at_nobody() -> None:
    suspect_index = SuspectIndex()
    suspect_index.record(candidate("scale", DAY - 60, "service/checkout"))
    events = Events()
    events.observing(T0)
    for n in range(719):
        events.record(alert(seconds=120 * n))
    about = alert()
    found = suspect_index.rank(about, TOPOLOGY, str, about.began_at_ns, events=events)

    assert found.no_agent > 0.8


def test_what_an_action_did_to_its_target_counts_more_than_when_it_was() -> None:
    suspect_index = SuspectIndex()
    harmful, recent = candidate("scale", DAY - 300), candidate("label", DAY - 20)
    suspect_index.record(harmful)
    suspect_index.record(recent)
    about = alert("service/web")

    assert ["label", "scale"] == [s.tool for s in rank(suspect_index, about).ranked]
    suspect_index.judged(impact_of(harmful, own=14.0))
    after = rank(suspect_index, about)
    assert "scale" == after.ranked[0].tool
    assert after.ranked[0].probability > 0.9


def test_without_a_topology_every_action_is_asked_about_and_none_of_them_is_suspected() -> None:
    found = ranked(alert(), candidate("scale", DAY - 30, "service/web"), topology={})

    assert [("scale", "not known to be related")] == names(found)
    assert found.top is None


def test_an_alert_that_names_nothing_asks_about_everybody() -> None:
    found = ranked(alert("alert/Slow"), candidate("scale", DAY - 30, "service/web"))

    assert [("scale", "not known to be related")] == names(found)


def test_a_ranking_is_told_when_it_is_new_and_when_it_changed() -> None:
    suspect_index = SuspectIndex()
    step = candidate("scale", DAY - 60, "service/checkout")
    about = alert()
    suspect_index.record(step)
    suspect_index.on_change(about, at(DAY))
    suspect_index.on_change(about, at(DAY + 30))  # Alertmanager says it again

    def changed_rankings(now_s: float) -> list[float]:
        reported = suspect_index.changed_rankings(lambda each: rank(suspect_index, each), at(now_s))
        return [each.ranked[0].probability for each in reported]

    (first,) = changed_rankings(DAY)
    assert [] == changed_rankings(DAY + 1)
    suspect_index.judged(impact_of(step, own=5.9))
    assert [] == changed_rankings(DAY + 2)
    suspect_index.judged(impact_of(step, own=14.0))
    (second,) = changed_rankings(DAY + 3)
    assert second > first
    assert [] == changed_rankings(DAY + 700)
    suspect_index.judged(impact_of(step, own=1.0))
    assert [] == changed_rankings(DAY + 701)


def test_a_resolved_alert_and_a_warning_are_not_followed() -> None:
    suspect_index = SuspectIndex()
    suspect_index.on_change(replace(alert(), ended_at_ns=at(DAY + 5)), at(DAY))
    suspect_index.on_change(replace(alert(), kind=ChangeKind.WARNING), at(DAY))

    assert [] == suspect_index.changed_rankings(lambda each: rank(suspect_index, each), at(DAY))


def test_storms_of_alerts_and_actions_take_bounded_memory_and_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ACTIONS_MAX", 10)
    monkeypatch.setattr(module, "ALERTS_MAX", 5)
    suspect_index = SuspectIndex()
    for n in range(30):
        suspect_index.record(candidate(f"t{n}", DAY - 60, "service/checkout"))
        suspect_index.on_change(alert(name=f"A{n}"), at(DAY))
    found = rank(suspect_index, alert())

    assert {"suspects_full": 20, "alerts_unfollowed": 25} == dict(suspect_index.dropped)
    assert (8, 2) == (len(found.ranked), found.more)
    assert 5 == len(suspect_index.changed_rankings(lambda each: rank(suspect_index, each), at(DAY)))


@given(
    st.lists(
        st.tuples(
            st.floats(-700, 10),
            st.sampled_from(["service/web", "service/checkout", "db/orders", "db/*"]),
            st.sampled_from(list(Tier)),
        ),
        max_size=20,
    ),
    st.sampled_from(["service/checkout", "db/orders", "alert/X"]),
)
def test_shares_are_probabilities_and_ranked(
    acted: list[tuple[float, str, Tier]], entity: str
) -> None:
    candidates = [candidate(f"t{n}", DAY + s, t, tier=tier) for n, (s, t, tier) in enumerate(acted)]
    found = ranked(alert(entity), *candidates)
    shares = [suspect.probability for suspect in found.ranked]

    assert sorted(shares, reverse=True) == shares
    assert sum(shares) + found.no_agent <= 1.0 + 1e-9
    assert all(0 <= share <= 1 for share in shares)
    if not found.more:
        assert pytest.approx(1.0) == sum(shares) + found.no_agent


def test_an_alert_about_a_measured_degradation_has_the_ranking_of_its_attribution() -> None:
    """Seven actions on one target in minutes: the alert must not contradict what was measured."""
    scale = candidate("scale", DAY - 396, "service/checkout")
    delete = candidate("delete", DAY - 567, "service/checkout", tier=Tier.DESTRUCTIVE)
    other = candidate("restart", DAY - 30, "service/checkout")
    degradation = Change(
        "c", ChangeKind.METRIC, "service/checkout", "errors", at(DAY - 395), size=9.0
    )
    impact = replace(
        impact_of(scale, 9.0),
        probability=0.51,
        label=Grade.SUSPECTED,
        change=degradation,
        alternatives=(
            Alternative(None, None, "no agent action", 0.31),
            Alternative("delete", "run of sre-bot", "delete", 0.18, agent="sre-bot"),
        ),
    )
    suspect_index = SuspectIndex()
    for each in (delete, scale, other):
        suspect_index.record(each)
    suspect_index.judged(impact)
    found = rank(suspect_index, alert())
    later = rank(suspect_index, alert(seconds=DAY + 150))

    assert [("scale", 0.51), ("delete", 0.18)] == [(s.tool, s.probability) for s in found.ranked]
    assert (0.31, 1) == (pytest.approx(found.no_agent), found.more)
    assert ("scale", 0.51) == (later.ranked[0].tool, later.ranked[0].probability)


def test_an_attribution_of_what_had_recovered_says_nothing_about_a_later_alert() -> None:
    scale = candidate("scale", DAY - 396, "service/checkout")
    degradation = Change("c", ChangeKind.METRIC, "service/checkout", "errors", at(DAY - 395))
    impact = replace(impact_of(scale, 9.0), change=degradation, recovered_at_ns=at(DAY - 200))
    suspect_index = SuspectIndex()
    suspect_index.record(scale)
    suspect_index.judged(impact)

    assert rank(suspect_index, alert()).ranked[0].probability != 0.9
