"""What Teams is sent, against the limits that it documents."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from aftershock_collector.notify import teams
from aftershock_collector.notify.page import PageLink, Section
from aftershock_collector.store.interface import State
from tests.collector.notify.pages import STATES, huge_page, impact_page


@pytest.mark.parametrize("state", STATES)
def test_a_teams_card_is_within_the_documented_limits_and_has_no_markdown(state: State) -> None:
    card = teams.card(huge_page(), state)
    content = card["attachments"][0]["content"]

    assert teams.size_of(card) <= 28_000
    assert content["body"], "a page that is too long must not lose everything"
    assert len(content["actions"]) <= 6
    assert {item["type"] for item in content["body"]} <= {"Container", "RichTextBlock"}


def test_a_teams_card_that_is_too_long_loses_lines_of_its_longest_section_first() -> None:
    page = impact_page()
    long = Section("Evidence", tuple(f"line {n} " + "x" * 280 for n in range(90)))
    text = json.dumps(teams.card(replace(page, sections=(*page.sections, long)), State.OPENED))

    assert all(json.dumps(section.label)[1:-1] in text for section in page.sections)
    assert "line 0" in text
    assert "line 89" not in text


def test_a_teams_card_loses_no_link_of_a_page() -> None:
    links = tuple(PageLink(f"link {number}", f"http://x/{number}") for number in range(10))
    content = teams.card(replace(impact_page(), links=links), State.OPENED)["attachments"][0]
    text = json.dumps(content)

    assert all(link.url in text for link in links)


def test_a_teams_card_keeps_every_section_of_an_ordinary_page() -> None:
    page = impact_page()
    content = json.dumps(teams.card(page, State.OPENED), ensure_ascii=False)

    assert all(section.label in content for section in page.sections)
