"""Alerts, warnings, deploys and flags: their surprise in nats, and what it does to a verdict."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.model import (
    Action,
    Change,
    ChangeKind,
    Fingerprint,
    Impact,
    Outcome,
    Step,
    StepKind,
    Tier,
)
from aftershock_collector.impact import events as module
from aftershock_collector.impact.events import CHANGES_MAX, NATS_MAX, Events
from aftershock_collector.impact.observation import ActionObserver
from aftershock_collector.metrics.series import Family, SeriesStore

S = 10**9
T0 = 1_790_000_000 * S
CHECKOUT = "service/checkout"


def at(seconds: float) -> int:
    return T0 + int(seconds * S)


def change(
    name: str,
    seconds: float,
    *,
    kind: ChangeKind = ChangeKind.ALERT,
    entity: str = CHECKOUT,
    ended_s: float | None = None,
) -> Change:
    return Change(
        id=f"{entity}/{name}/{seconds}",
        kind=kind,
        entity=entity,
        name=name,
        began_at_ns=at(seconds),
        ended_at_ns=None if ended_s is None else at(ended_s),
    )


def received(*changes: Change, since_s: float = 0.0) -> Events:
    events = Events()
    events.observing(at(since_s))
    for each in changes:
        events.record(each)
    return events


def same(entity: str) -> str:
    return entity


def after(events: Events, moment_s: float, entity: str = CHECKOUT) -> float | None:
    found = events.around(same, at(1e6)).after(entity, at(moment_s))
    return None if found is None else found.nats


def test_an_alert_soon_after_a_quiet_day_is_as_surprising_as_the_formula_says() -> None:
    # One in (0.5 / (19 h + τ)) within 60 s; capped, because the formula was never measured.
    assert NATS_MAX == after(received(change("Slow", 68_460)), 68_400)
    rate = 0.5 / (600 + 3_600)
    assert -log(rate * 540) == pytest.approx(
        after(received(change("Slow", 1_140)), 600) or 0, abs=0.3
    )


def test_an_alert_that_fires_all_the_time_surprises_nobody() -> None:
    often = [change("Noisy", 300 * n) for n in range(1, 200)]
    rare = [change("Noisy", 300 * n, entity="service/other") for n in range(1, 200)]

    nats = after(received(*often), 30_000)
    assert nats is not None
    assert nats < 1.0
    assert nats < (after(received(*rare, change("Noisy", 30_300)), 30_000) or 0.0)


def test_the_sooner_the_more_surprising() -> None:
    waits = [
        after(received(change("Slow", 3_600 + wait)), 3_600) or 0.0 for wait in (60, 300, 1_800)
    ]

    assert sorted(waits, reverse=True) == waits
    assert waits[0] - waits[2] > 2.0


def test_many_names_on_one_entity_make_each_of_them_less_surprising() -> None:
    alone = after(received(change("A", 3_900)), 3_600) or 0.0
    other_names = [change(f"B{n}", 10, ended_s=20) for n in range(9)]
    among_others = after(received(change("A", 3_900), *other_names), 3_600) or 0.0

    assert pytest.approx(log(10), abs=0.01) == alone - among_others


def test_what_fires_before_an_action_was_there_when_it_acted() -> None:
    around = received(
        change("Firing", 100),
        change("Resolved", 100, ended_s=200, entity="service/a"),
        change("OOMKilled", 3_500, kind=ChangeKind.WARNING, entity="service/b"),
        change("OOMKilled", 100, kind=ChangeKind.WARNING, entity="service/c"),
    ).around(same, at(4_000))

    assert around.before(CHECKOUT, at(3_600)) is not None
    assert around.before("service/a", at(3_600)) is None
    assert around.before("service/b", at(3_600)) is not None
    assert around.before("service/c", at(3_600)) is None


def test_repeated_notifications_of_one_alert_count_once_and_ask_for_one_look() -> None:
    events = Events()

    assert [True, False, False] == [events.record(change("Slow", 5)) for _ in range(3)]
    assert not events.record(change("v2", 6, kind=ChangeKind.DEPLOY))
    assert 2 == len(events)


def test_a_warning_about_a_pod_is_about_its_deployment() -> None:
    pod = "pod/prod/checkout-6d4cf56db6-x7x2p"
    around = received(change("OOMKilled", 60, kind=ChangeKind.WARNING, entity=pod)).around(
        same, at(99)
    )

    assert around.after("k8s/prod/checkout", at(0)) is not None
    assert around.after(pod, at(0)) is not None
    assert around.after("k8s/prod/cart", at(0)) is None


def test_an_alert_that_names_nothing_speaks_for_and_against_nobody() -> None:
    around = received(change("Watchdog", 10, entity="alert/Watchdog")).around(same, at(60))

    assert [] == around.entities()


@given(st.lists(st.tuples(st.integers(0, 90_000), st.sampled_from("abc")), max_size=60))
def test_nats_are_never_negative_and_never_above_their_limit(
    reported: list[tuple[int, str]],
) -> None:
    events = received(*(change(name, at_s) for at_s, name in reported))
    around = events.around(same, at(90_000))
    for moment in (0, 30_000, 89_999):
        for found in (around.after(CHECKOUT, at(moment)), around.before(CHECKOUT, at(moment))):
            assert found is None or 0.0 <= found.nats <= NATS_MAX


def test_a_storm_of_alerts_takes_bounded_memory_and_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert CHANGES_MAX >= 10_000
    monkeypatch.setattr(module, "CHANGES_MAX", 100)
    events = received(*(change(f"A{n % 7}", n) for n in range(1_000)))

    assert 100 == len(events)
    assert {"changes_full": 900} == dict(events.dropped)
    assert at(899) == events.since_ns


# --- In a verdict ------------------------------------------------------------------------------


def write(seconds: float, tool: str = "scale", target: str = CHECKOUT) -> Step:
    return Step(
        run_id="run",
        span_id=f"{tool}-{seconds}",
        trace_id="run",
        kind=StepKind.TOOL_CALL,
        name=tool,
        began_at_ns=at(seconds),
        ended_at_ns=at(seconds + 1),
        agent="sre-bot",
        action=Action(tool, Fingerprint("a"), Fingerprint("r"), Outcome.OK, Tier.WRITE, (target,)),
    )


def store(until_s: float, *, broken_from_s: float | None = None) -> SeriesStore:
    """Ten-second points of checkout's latency: calm, or ten times as high from some moment on."""
    series = SeriesStore()
    random = np.random.default_rng(7)
    for second in range(0, int(until_s), 10):
        broken = broken_from_s is not None and second >= broken_from_s
        value = (2.0 if broken else 0.2) + float(random.normal(0, 0.01))
        series.append(CHECKOUT, "latency p99", Family.LATENCY, "s", at(second), value)
    return series


def attribution(
    observer: ActionObserver, now_s: float, series: SeriesStore | None = None, tool: str = "scale"
) -> Impact:
    """The newest attribution after rounds around a moment: one round alone shows nothing."""
    found: dict[str, Impact] = {}
    earlier = () if series is None else (now_s - 20, now_s - 10)
    for moment_s in (*earlier, now_s, now_s + 1):
        reported = observer.score(at(moment_s), series or SeriesStore(), {})
        found |= {each.tool: each for each in reported}
    return found[tool]


def quiet_day() -> ActionObserver:
    observer = ActionObserver()
    observer.score(at(0), SeriesStore(), {})
    return observer


def test_an_alert_on_an_unmeasured_target_makes_the_action_suspected_and_never_more() -> None:
    observer = quiet_day()
    observer.open(write(80_000))
    before = attribution(observer, 80_010)
    observer.on_change(change("CheckoutDown", 80_040))
    after_it = attribution(observer, 80_041)

    assert ("no metric evidence", None) == (before.label, before.probability)
    assert "suspected" == after_it.label
    assert after_it.change is not None
    assert ("CheckoutDown", 40 * S) == (after_it.change.name, after_it.lead_ns)
    assert ("nothing is measured on service/checkout",) == after_it.missing[:1]


def test_a_new_alert_asks_for_a_look_before_the_next_scrape() -> None:
    observer = quiet_day()
    series = store(79_990)
    observer.open(write(80_000))
    observer.score(at(80_010), series, {})
    assert [] == observer.score(at(80_020), series, {})
    observer.on_change(change("CheckoutDown", 80_020))
    observer.score(at(80_021), series, {})

    assert ["suspected"] == [each.label for each in observer.score(at(80_022), series, {})]


def test_the_alert_that_was_blamed_on_an_action_resolves_and_so_does_the_verdict() -> None:
    observer = quiet_day()
    observer.open(write(80_000))
    observer.on_change(change("CheckoutDown", 80_040))
    for moment_s in (80_041, 80_042):
        observer.score(at(moment_s), SeriesStore(), {})
    observer.on_change(change("CheckoutDown", 80_040, ended_s=80_200))

    assert at(80_200) == attribution(observer, 80_201).recovered_at_ns


def test_an_agent_that_reacts_to_an_alert_is_less_to_blame_than_one_that_comes_first() -> None:
    def judged(alert_s: float) -> float:
        observer = quiet_day()
        observer.on_change(change("CheckoutSlow", alert_s))
        observer.open(write(4_000))
        series = store(4_100, broken_from_s=4_010)
        return attribution(observer, 4_100, series).probability or 0.0

    assert judged(4_050) > 0.75
    assert judged(3_960) < judged(4_050)


def test_an_alert_before_the_action_that_nobody_read_is_a_context_gap() -> None:
    observer = quiet_day()
    observer.on_change(change("CheckoutSlow", 3_880))
    observer.open(write(4_000))

    gap = attribution(observer, 4_100, store(4_100, broken_from_s=4_010)).context_gap
    assert "service/checkout alert CheckoutSlow had been there for 2 min" == gap[0]


def test_a_deploy_at_the_same_moment_explains_as_much_as_the_action() -> None:
    def judged(*others: Change) -> Impact:
        observer = quiet_day()
        observer.open(write(4_000))
        for other in others:
            observer.on_change(other)
        return attribution(observer, 4_100, store(4_100, broken_from_s=4_010))

    alone = judged()
    together = judged(change("v2", 4_001, kind=ChangeKind.DEPLOY))
    elsewhere = judged(change("v2", 4_001, kind=ChangeKind.FLAG, entity="service/docs"))
    alternatives = {
        alternative.name: alternative.probability for alternative in together.alternatives
    }

    assert (alone.probability or 0) > 0.75
    assert (together.probability or 0) < 0.5
    assert pytest.approx(together.probability, abs=0.05) == alternatives["deploy of checkout v2"]
    assert pytest.approx(1.0) == (together.probability or 0) + sum(alternatives.values())
    assert alone.probability == elsewhere.probability


def test_a_deploy_after_the_damage_explains_nothing() -> None:
    observer = quiet_day()
    observer.open(write(4_000))
    observer.on_change(change("hotfix", 4_080, kind=ChangeKind.DEPLOY))

    assert (attribution(observer, 4_100, store(4_100, broken_from_s=4_010)).probability or 0) > 0.75


def test_trouble_where_nobody_acted_speaks_for_nobody() -> None:
    def judged(*others: Change) -> float:
        observer = quiet_day()
        observer.open(write(80_000))
        observer.on_change(change("CheckoutDown", 80_060))
        for other in others:
            observer.on_change(other)
        return attribution(observer, 80_061).probability or 0.0

    elsewhere = change("DatabaseDown", 80_050, entity="db/orders")
    assert judged(elsewhere) < judged() - 0.2
