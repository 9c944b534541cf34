"""ungrounded_argument: an action on the id that was looked up, with two digits swapped."""

from __future__ import annotations

from typing import Any

import pytest

from aftershock.model import Level
from aftershock.rules.ungrounded_argument import ungrounded_argument
from tests.support.scenario import Scenario, run


def levels(acting: Scenario) -> list[Level]:
    return [finding.level for finding in acting.says(ungrounded_argument)]


def acted(read: dict[str, Any], act: dict[str, Any], *, tool: str = "close_account") -> Scenario:
    acting = run().receives_message(text="please close it")
    acting.calls("get_account", **read).returns({"owner": "A. Berg", "open": True})
    return acting.calls(tool, **act).returns({"state": "closed"})


@pytest.mark.parametrize(
    ("read", "act"),
    [
        ({"account": 60_418}, {"account": 60_481}),
        ({"account": "urn:account:7731"}, {"account": "urn:account:7713"}),
        ({"id": "c-3058"}, {"customer": "c-3085", "reason": "asked for"}),
    ],
)
def test_what_is_done_to_the_neighbour_of_what_was_looked_up_pages(
    read: dict[str, Any], act: dict[str, Any]
) -> None:
    acting = acted(read, act)
    (finding,) = acting.says(ungrounded_argument)

    name = next(iter(act))
    assert finding.level is Level.ALARM
    assert finding.lasting
    assert finding.summary == (
        f"The {name} of close_account is that of get_account with two digits swapped."
    )
    assert len(finding.evidence) == 2
    other_tool = acted(read, act, tool="mcp__bank__block_card")
    assert [f.level for f in other_tool.says(ungrounded_argument)] == [Level.ALARM]


@pytest.mark.parametrize(
    ("read", "act"),
    [
        ({"account": 60_418}, {"account": 60_418}),
        ({"account": 60_418}, {"account": 60_914}),
        ({"amount": 1_200}, {"amount": 2_100}),
        ({"year": 2_012}, {"year": 2_021}),
        ({"version": "1.32"}, {"version": "1.23"}),
    ],
)
def test_the_same_id_quite_another_one_and_numbers_that_are_no_ids_are_silent(
    read: dict[str, Any], act: dict[str, Any]
) -> None:
    assert levels(acted(read, act)) == []


def test_who_looked_it_up_dealt_with_the_first_or_goes_through_a_list_meets_it_by_chance() -> None:
    both = run().receives_message(text="close both").calls("get_account", account=7731)
    both.returns("open").calls("get_account", account=7713).returns("open")
    done = acted({"account": 7731}, {"account": 7731}).calls("notify_owner", account=7713)
    swept = run().receives_message(text="close all").calls("close_account", account=7001)
    swept.returns("closed").calls("get_account", account=7731).returns("open")

    assert levels(both.calls("close_account", account=7713).returns("closed")) == []
    assert levels(done.returns("sent")) == []
    assert levels(swept.calls("close_account", account=7713).returns("closed")) == []


def test_what_a_tool_refused_did_no_harm() -> None:
    acting = run().receives_message(text="close it").calls("get_account", account=7731)
    acting.returns("open").calls("close_account", account=7713).fails("no such account")

    assert levels(acting) == []


def test_a_made_up_id_that_is_nearly_one_that_was_shown_pages() -> None:
    def closed(number: str) -> list[Level]:
        listing = run().receives_message(text="close my ticket")
        listing.calls("search_tickets", by="m.okafor").returns([{"number": "#REQ-58213"}])
        return levels(listing.calls("close_ticket", number=number).returns("closed"))

    assert closed("REQ-58231") == [Level.ALARM]
    assert closed("REQ-99914") == [Level.WARN]
    assert closed("REQ-58213") == []
