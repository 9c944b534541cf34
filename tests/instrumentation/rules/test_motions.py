"""repeated_action: clicks after which a look shows what it showed before."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import run

DIALOG = "dialog 'We value your privacy'\n  button 'Accept'\n  link 'More about it'"


def clicked(
    times: int,
    *,
    motion: str = "page_click",
    view: str = "page_snapshot",
    shown: str = DIALOG,
) -> list[Level]:
    clicking = run()
    for number in range(times):
        clicking.calls(motion, selector=f"button >> nth={number}").returns("done")
        clicking.calls(view).returns(shown.format(number))
    return [finding.level for finding in clicking.says(repeated_action)]


def test_a_dead_button_warns_and_pages_at_the_eighth_equal_look() -> None:
    assert clicked(4) == []
    assert clicked(5) == [Level.WARN]
    assert clicked(8) == [Level.ALARM]


def test_clicks_that_show_something_new_forms_and_pictures_are_no_dead_buttons() -> None:
    assert clicked(9, shown="heading 'Step {}' and a button to go on to the next one") == []
    assert clicked(9, motion="page_fill") == []
    assert clicked(9, view="take_screenshot") == []


def test_looks_without_clicks_are_the_other_mechanism() -> None:
    looking = run()
    for _ in range(9):
        looking.calls("page_snapshot").returns(DIALOG)

    assert not [f for f in looking.says(repeated_action) if "click before each" in f.summary]
