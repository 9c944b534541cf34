"""missing_fact: it acted without ever having asked."""

from __future__ import annotations

from aftershock_collector.engine.engine import Engine
from tests.scenarios.playing import Scenarios, play
from tests.scenarios.scaling import POLICY
from tests.support.scenario import run


def unread() -> str:
    played = run(policy=POLICY).calls("get_deployment", name="checkout").returns("3 replicas")
    return play(
        played.thinks(400).calls("scale_deployment", name="checkout").returns("scaled").ends()
    )


def other_subject() -> str:
    played = run(policy=POLICY).calls("get_calendar", environment="staging").returns("no window")
    played.calls("get_deployment", name="checkout").returns("3 replicas")
    return play(played.calls("scale_deployment", name="checkout").returns("scaled").ends())


def uncustomary() -> str:
    """No policy, but twenty runs of yesterday read the order before they updated it."""
    engine = Engine(live=False)
    for number in range(20):
        past = run(f"past-{number}").calls("get_order", order_id=f"A-{number}").returns("open")
        past.calls("update_order", order_id=f"A-{number}", state="paid").returns("updated")
        engine.observe(past.steps)
    engine.complete()
    hasty = run("hasty").after(86_400).calls("list_orders").returns("A-77, A-78")
    hasty.calls("update_order", order_id="A-77", state="paid").returns("updated")
    return play(hasty, engine=Engine(baseline=engine.correlator.baseline))


def complete() -> str:
    """Legitimate: everything was read."""
    played = run(policy=POLICY).calls("get_calendar", environment="prod").returns("no window today")
    played.calls("get_deployment", name="checkout").returns("3 replicas")
    return play(played.calls("scale_deployment", name="checkout").returns("scaled").ends())


SCENARIOS: Scenarios = {
    "the window was never read": unread,
    "the window of something else was read": other_subject,
    "what others customarily read was not": uncustomary,
    "everything was read": complete,
}
