"""stale_fact: it acted on a world that was no longer there."""

from __future__ import annotations

from aftershock.model import Change, ChangeKind
from tests.scenarios.playing import Scenarios, play
from tests.scenarios.scaling import POLICY
from tests.support.scenario import S, run


def too_old() -> str:
    played = run(policy=POLICY).calls("get_calendar", environment="prod").returns("no window today")
    played.after(700).calls("get_deployment", name="checkout").returns("3 replicas")
    return play(played.calls("scale_deployment", name="checkout").returns("scaled").ends())


def by_itself() -> str:
    played = run(policy=POLICY).calls("get_calendar", environment="prod").returns("no window today")
    played.calls("get_deployment", name="checkout").returns("3 replicas")
    played.calls("scale_deployment", name="checkout", replicas=6).returns("scaled").thinks(100)
    return play(
        played.calls("scale_deployment", name="checkout", replicas=9).returns("scaled").ends()
    )


def by_another_run() -> str:
    """Two agents on one target: each read it before the other one acted."""
    one = run("one", "capacity-bot", POLICY)
    one.calls("get_calendar", environment="prod").returns("no window today")
    one.calls("get_deployment", name="checkout").returns("3 replicas")
    other = run("two", "cost-bot", POLICY).after(1)
    other.calls("get_calendar", environment="prod").returns("no window today")
    other.calls("get_deployment", name="checkout").returns("3 replicas")
    other.calls("scale_deployment", name="checkout", replicas=1).returns("scaled")
    one.after(6).calls("scale_deployment", name="checkout", replicas=6).returns("scaled")
    return play(one, other)


def by_a_deploy() -> str:
    played = run(policy=POLICY).calls("get_calendar", environment="prod").returns("no window today")
    played.calls("get_deployment", name="checkout").returns("3 replicas").thinks(200).after(5)
    deployed = Change(
        "d1", ChangeKind.DEPLOY, "service/checkout", "deploy 42", played.now_ns - 3 * S
    )
    played.calls("scale_deployment", name="checkout").returns("scaled")
    return play(played.ends(), changes=[deployed])


def read_again() -> str:
    """Legitimate: it looked again after it had changed something."""
    played = run(policy=POLICY).calls("get_calendar", environment="prod").returns("no window today")
    for replicas in (6, 9):
        played.calls("get_deployment", name="checkout").returns(f"{replicas - 3} replicas")
        played.calls("scale_deployment", name="checkout", replicas=replicas).returns("scaled")
    return play(played.ends())


SCENARIOS: Scenarios = {
    "read too long ago": too_old,
    "changed by its own action": by_itself,
    "changed by another agent": by_another_run,
    "changed by a deploy": by_a_deploy,
    "read again in between": read_again,
}
