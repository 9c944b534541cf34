"""Which order of people holds for a run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aftershock.gate.orders import Order, Verb, in_force, order_for


def order(number: int, verb: str, run: str | None = None, agent: str | None = None) -> Order:
    return Order(number, Verb(verb), "ann", "why", 0, run, agent)


def holds(*orders: Order, run: str = "r", agent: str | None = "bot") -> str | None:
    found = order_for(orders, run, agent)
    return None if found is None else str(found.verb)


def test_an_order_holds_for_its_run_its_agents_or_all() -> None:
    assert "stop" == holds(order(1, "stop", run="r"))
    assert holds(order(1, "stop", run="other")) is None
    assert "pause" == holds(order(1, "pause", agent="b*"))
    assert holds(order(1, "pause", agent="b*"), agent=None) is None
    assert "stop" == holds(order(1, "stop"), agent=None)


def test_the_newest_order_about_a_run_wins() -> None:
    assert holds(order(1, "stop"), order(2, "resume", run="r")) is None
    assert "stop" == holds(order(1, "stop"), order(2, "resume", run="other"))
    assert "stop" == holds(order(1, "resume", run="r"), order(2, "stop"))


SCOPES = [(None, None), ("r", None), ("s", None), (None, "bot"), (None, "b*"), (None, "cat")]


@given(st.lists(st.tuples(st.sampled_from(list(Verb)), st.sampled_from(SCOPES)), max_size=12))
def test_what_is_kept_in_force_decides_as_the_whole_history(
    history: list[tuple[Verb, tuple[str | None, str | None]]],
) -> None:
    orders = [order(n, str(v), *scope) for n, (v, scope) in enumerate(history)]
    kept = in_force(orders)

    for run in ("r", "s", "t"):
        for agent in ("bot", "cat", "dog", None):
            assert holds(*orders, run=run, agent=agent) == holds(*kept, run=run, agent=agent)
    assert len({(one.run, one.agent) for one in kept}) == len(kept)
