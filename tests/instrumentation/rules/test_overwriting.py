"""action_cycle: writes that set one thing back and forth, by two agents or by one."""

from __future__ import annotations

import pytest

from aftershock.model import Level
from aftershock.policy.setters import setting_of
from aftershock.rules.action_cycle import action_cycle
from tests.support.scenario import Scenario, run


def contest(rounds: int) -> Scenario:
    """Two agents that point one name to their own address, ten minutes after each other."""
    contested = run(agent="failover")
    for _ in range(rounds):
        for agent, address in (("failover", "203.0.113.9"), ("cost", "198.51.100.4")):
            contested.as_worker(agent).after(600)
            contested.calls("dns_upsert", name="api.example.org", value=address).returns("ok")
    return contested


def test_two_agents_that_overwrite_each_other_are_named_on_one_page() -> None:
    assert contest(1).says(action_cycle) == []
    assert [f.level for f in contest(2).says(action_cycle)] == [Level.WARN]
    (finding,) = contest(3).says(action_cycle)
    assert finding.level is Level.ALARM
    assert finding.summary == (
        "cost and failover overwrite each other: dns_upsert set the same thing back 4 times."
    )
    assert len(finding.evidence) == 6


def test_an_agent_that_writes_what_is_there_already_overwrites_nothing() -> None:
    renewing = run(agent="a")
    for _ in range(6):
        for agent in ("a", "b"):
            renewing.as_worker(agent).after(60)
            renewing.calls("update_lease", worker=agent, state="alive").returns("ok")

    assert renewing.says(action_cycle) == []


def test_one_agent_that_sets_a_value_back_and_forth_needs_more_rounds() -> None:
    flapping = run()
    levels = list[Level]()
    for replicas in (3, 9, 3, 9, 3, 9, 3, 9):
        flapping.after(300).calls("get_load").returns(f"{replicas * 7} %")
        flapping.after(300).calls("scale", deployment="web", replicas=replicas).returns("ok")
        levels += [finding.level for finding in flapping.says(action_cycle)]

    assert levels == [Level.WARN, Level.WARN, Level.ALARM]


def test_what_is_set_back_by_the_clock_follows_a_schedule() -> None:
    heating = run()
    for celsius in (17, 21) * 7:
        heating.after(8 * 3600).calls("set_temperature", room="r-201", celsius=celsius).returns()

    assert heating.says(action_cycle) == []


def test_a_person_who_speaks_in_between_wants_the_change() -> None:
    asked = run()
    for replicas in (3, 9) * 5:
        asked.receives_message("user", "the other way round, please")
        asked.calls("scale", deployment="web", replicas=replicas).returns("ok")

    assert asked.says(action_cycle) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("kubectl scale deploy/web --replicas=3", "kubectl scale deploy/web --replicas=8", True),
        ("kubectl scale deploy/web --replicas=3", "kubectl scale deploy/api --replicas=3", False),
        ("UPDATE c SET v = 'a' WHERE k = 1", "UPDATE c SET v = 'b' WHERE k = 1", True),
        ("UPDATE c SET v = 'a' WHERE k = 1", "UPDATE c SET v = 'a' WHERE k = 2", False),
        (
            "kubectl set image deploy/web web=web:1.4",
            "kubectl set image deploy/web web=web:1.3",
            True,
        ),
    ],
)
def test_commands_set_the_same_thing_whatever_to(one: str, other: str, *, same: bool) -> None:
    first, second = (setting_of("Bash", {"command": text}) for text in (one, other))

    assert first is not None
    assert (first == second) is same


def test_a_command_that_runs_or_commits_something_sets_nothing() -> None:
    assert setting_of("Bash", {"command": "git commit -m wip"}) is None
    assert setting_of("Bash", {"command": "make bench N=1"}) is None


def test_an_edit_that_is_made_and_undone_again_sets_one_line_back_and_forth() -> None:
    levels = list[Level]()
    tossing, renaming = run(), run()
    for turn in range(8):
        old, new = ("x < hi", "x <= hi") if turn % 2 else ("x <= hi", "x < hi")
        tossing.calls("str_replace", path="bins.py", old_str=old, new_str=new).returns("edited")
        levels += [finding.level for finding in tossing.says(action_cycle)]
        tossing.calls("read_file", path=f"tests/case_{turn}.py").returns(f"case {turn}")
        renaming.calls("str_replace", path=f"m{turn}.py", old_str="lo", new_str="low").returns("ok")

    assert levels == [Level.WARN, Level.WARN, Level.ALARM]
    assert renaming.says(action_cycle) == []
