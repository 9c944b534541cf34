"""unapproved_action: people wanted to look at it first, and it happened without them."""

from __future__ import annotations

from aftershock.policy.policy import Policy
from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import Scenario, run

POLICY = Policy.from_mapping(
    {"tools": {"drop_table": {"gate": "ask"}, "delete_cluster": {"gate": "deny"}}}
)


def cleaning() -> Scenario:
    """An agent that looks for old tables."""
    return run(policy=POLICY).calls("list_tables").returns("orders_2019 is old").thinks(300)


def dropped(played: Scenario, table: str = "orders_2019") -> str:
    return play(played.calls("drop_table", name=table).returns("dropped").ends())


def never_asked() -> str:
    return dropped(cleaning())


def denied() -> str:
    return dropped(cleaning().asks("drop_table").after(40).denies("drop_table").thinks(80))


def did_not_wait() -> str:
    """The answer comes, and comes too late."""
    played = cleaning().asks("drop_table", of="dba")
    played.calls("drop_table", name="orders_2019").returns("dropped").thinks(80)
    return play(played.after(20).approves("drop_table").ends())


def expired() -> str:
    return dropped(cleaning().approves("drop_table", valid_s=60).after(90).thinks(80))


def other_arguments() -> str:
    approved = cleaning().asks("drop_table", name="orders_2019").after(20).approves("drop_table")
    return dropped(approved.thinks(80), "orders")


def forbidden() -> str:
    played = cleaning().approves("delete_cluster")
    return play(played.calls("delete_cluster", name="eu-1").returns("deleted").ends())


def approved() -> str:
    """Legitimate: asked, waited, allowed, done."""
    asked = cleaning().asks("drop_table", name="orders_2019").after(90)
    return dropped(asked.approves("drop_table", by="bob", valid_s=600))


def ungated() -> str:
    """Legitimate: the policy wants no approval of this tool."""
    return play(run(policy=POLICY).calls("delete_file", name="a.tmp").returns("deleted").ends())


SCENARIOS: Scenarios = {
    "nobody was asked": never_asked,
    "asked, denied, done": denied,
    "asked, and did not wait": did_not_wait,
    "the approval had expired": expired,
    "approved for another table": other_arguments,
    "the policy denies it": forbidden,
    "asked, approved, done": approved,
    "no gate": ungated,
}
