"""repeated_action: the same call, the same answer; and what is legitimate."""

from __future__ import annotations

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import run


def stuck() -> str:
    return play(
        run().thinks(900).calls("get_order", id="A-1001").returns({"state": "open"}).times(4).ends()
    )


def rewording() -> str:
    played = run()
    for words in (
        "what is the refund policy for shoes",
        "refund policy for shoes: what is it",
        "shoes: refund and return policy, please",
    ):
        played.thinks(300).calls("search", q=words).returns(f"nothing for {words}")
    return play(played.ends())


def edits_and_tests() -> str:
    """Legitimate: a write that worked stands between two equal calls."""
    played = run()
    for attempt in range(4):
        played.calls("edit_file", path="a.py", text=f"attempt {attempt}").returns("written")
        played.calls("run_tests", path="tests").returns("1 failed: test_a")
    return play(played.ends())


def pages() -> str:
    """Legitimate: each page brings something new."""
    played = run()
    for page in range(1, 6):
        played.calls("list_orders", page=page).returns(
            "\n".join(f"order {page}x{n}" for n in "abc")
        )
    return play(played.ends())


SCENARIOS: Scenarios = {
    "the same call four times": stuck,
    "the same question reworded": rewording,
    "edit and test": edits_and_tests,
    "page after page": pages,
}
