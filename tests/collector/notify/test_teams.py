"""What Teams is sent, against the limits that it documents."""

from __future__ import annotations

import json

import pytest

from aftershock_collector.notify import teams
from aftershock_collector.store.interface import State
from tests.collector.notify.pages import STATES, huge_page, impact_page


@pytest.mark.parametrize("state", STATES)
def test_a_teams_card_is_within_the_documented_limits_and_has_no_markdown(state: State) -> None:
    card = teams.card(huge_page(), state)
    content = card["attachments"][0]["content"]

    assert len(json.dumps(card).encode()) <= 28_000
    assert len(content["actions"]) <= 6
    assert {item["type"] for item in content["body"]} <= {"Container", "RichTextBlock"}


def test_a_teams_card_keeps_every_section_of_an_ordinary_page() -> None:
    page = impact_page()
    content = json.dumps(teams.card(page, State.OPENED), ensure_ascii=False)

    assert all(section.label in content for section in page.sections)
