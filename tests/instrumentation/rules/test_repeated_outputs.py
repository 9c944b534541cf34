"""repeated_action: the same answer of a model again and again, without a call in between."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import Scenario, run

PLAN = "Plan: export the posts, copy the pictures, switch the name. I will begin with step one."
FACT = "The pod restarts because its configuration map lacks a key, so that its process exits."


def levels(thinking: Scenario) -> list[Level]:
    return [finding.level for finding in thinking.says(repeated_action)]


def test_a_plan_that_is_announced_again_and_again_warns_and_then_pages() -> None:
    planning = run().thinks(900, text=PLAN)

    assert levels(planning.thinks(900, text=PLAN)) == []
    assert levels(planning.thinks(900, text=PLAN.replace("step one", "step 1"))) == [Level.WARN]
    for _ in range(3):
        planning.thinks(900, text=PLAN)
    (finding,) = planning.says(repeated_action)
    assert finding.level is Level.ALARM
    assert finding.summary == (
        "The model answered the same 6 times and no call was made in between."
    )


def test_any_answer_counts_while_the_messages_grow() -> None:
    growing, workflow = run(), run()
    for number in range(6):
        growing.thinks(900 + 50 * number, text=FACT)
        workflow.thinks(900 + 211 * number % 500, text=FACT)

    assert levels(growing) == [Level.ALARM]
    assert levels(workflow) == []


def test_a_call_or_a_person_in_between_ends_it() -> None:
    acting, asked = run(), run()
    for _ in range(6):
        acting.thinks(900, text=PLAN).calls("copy", name="a").returns("copied")
        asked.receives_message("user", "go on").thinks(900, text=PLAN)

    assert [f for f in acting.says(repeated_action) if f.subject == "answer"] == []
    assert levels(asked) == []


def test_short_answers_may_well_be_equal() -> None:
    labelling = run()
    for number in range(9):
        labelling.thinks(900 + number, text="I will reply: spam.")

    assert levels(labelling) == []


def test_a_short_announcement_counts_and_a_short_answer_does_not() -> None:
    announcing, answering = run(), run()
    for number in range(6):
        announcing.thinks(900, text="I will now move the three cron jobs.")
        announcing.receives_message("user", "Continue.", automatic=True)
        answering.thinks(900 + number, text="The third of these is the right one.")

    assert levels(announcing.thinks(900, text="I will now move the three cron jobs.")) == [
        Level.ALARM
    ]
    assert levels(answering) == []
