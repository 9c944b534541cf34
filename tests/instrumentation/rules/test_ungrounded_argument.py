"""ungrounded_argument: an id from nowhere, where everything that was shown is known."""

from __future__ import annotations

from dataclasses import replace

from aftershock.model import Level
from aftershock.rules.ungrounded_argument import ungrounded_argument
from tests.support.scenario import LIMITS, Scenario, run


def informed() -> Scenario:
    """A user names one id, a tool tells another."""
    return (
        run()
        .receives_message(text="Hi, I am mia_li_3668.")
        .calls("get_user_details", user_id="mia_li_3668")
        .returns({"payment": "credit_card_4421486", "flights": ["HAT170"]})
    )


def test_an_id_that_nothing_contains_warns_and_shows_where_the_others_came_from() -> None:
    (finding,) = (
        informed()
        .calls("book_flight", user_id="mia_li_3668", payment_id="credit_card_9999999")
        .says(ungrounded_argument)
    )

    assert finding.level == Level.WARN
    assert finding.lasting
    assert finding.summary == (
        "The payment_id of book_flight is in no message and no result of the run."
    )
    assert finding.facts == (
        "payment_id: in no message and in no result",
        "user_id: from a message of user",
    )
    assert finding.evidence == ("span-002", "span-000")


def test_a_call_that_destroys_by_such_an_id_alarms() -> None:
    (finding,) = informed().calls("delete_card", id="credit_card_1").says(ungrounded_argument)

    assert finding.level == Level.ALARM


def test_a_tool_that_refuses_such_an_id_leaves_nothing_to_say_but_for_a_destructive_call() -> None:
    def levels(tool: str) -> list[Level]:
        refused = informed().calls(tool, id="credit_card_1").fails("NotFound")
        return [finding.level for finding in refused.says(ungrounded_argument)]

    assert levels("charge_card") == []
    assert levels("delete_card") == [Level.WARN]


def test_ids_from_messages_and_results_are_grounded() -> None:
    grounded = informed().calls(
        "book_flight", user_id="MIA_LI_3668", flight="HAT170", pay=["credit_card_4421486"]
    )

    assert grounded.says(ungrounded_argument) == []


def test_dates_times_amounts_and_prose_are_not_ids() -> None:
    plain = informed().calls(
        "book_flight",
        date="2024-05-20",
        at="2024-05-20T10:30:00",
        price=12345,
        memory="512Mi",
        remark="see ticket T-1000x of today",
        cabin="economy",
    )

    assert plain.says(ungrounded_argument) == []


def test_what_a_call_worked_with_is_there() -> None:
    made = informed().calls("create_file", name="notes_v2x.txt").returns("created")

    assert made.calls("delete_file", name="notes_v2x.txt").says(ungrounded_argument) == []


def test_reads_may_guess() -> None:
    assert informed().calls("get_order", id="ORD-99812").says(ungrounded_argument) == []


def test_nothing_is_said_where_messages_are_not_known() -> None:
    unknown = run().receives_message().calls("delete_card", id="credit_card_1")

    assert unknown.says(ungrounded_argument) == []
    assert run().thinks().calls("delete_card", id="credit_card_1").says(ungrounded_argument) == []


def test_nothing_is_said_after_a_result_that_was_too_long_to_be_read_whole() -> None:
    long = informed().calls("get_log", day="monday").returns("x " * 20_000)

    assert long.calls("delete_card", id="credit_card_1").says(ungrounded_argument) == []


def test_of_a_result_with_too_many_ids_only_what_is_certain_is_said() -> None:
    tight = replace(LIMITS, words_max=1)
    reported = [
        len(informed().calls("delete_card", id=f"card-{n}x").says(ungrounded_argument, tight))
        for n in range(40)
    ]

    assert 0 < sum(reported) < len(reported)


def test_messages_of_inferences_ground_ids_as_well() -> None:
    played = run().with_messages().receives_message(text="delete volume vol-7f31").thinks()

    assert played.calls("delete_volume", id="vol-7f31").says(ungrounded_argument) == []
    assert len(played.calls("delete_volume", id="vol-9c22").says(ungrounded_argument)) == 1


def test_a_run_that_begins_with_results_of_an_earlier_one_says_nothing() -> None:
    earlier = (
        run().with_messages().receives_message(text="go").calls("list_volumes").returns("vol-1234a")
    )
    (resumed := run().with_messages())._messages = earlier._messages  # pyright: ignore[reportPrivateUsage]

    assert resumed.thinks().calls("delete_volume", id="vol-9c22").says(ungrounded_argument) == []


def test_nothing_is_said_once_older_steps_fell_out_of_the_window() -> None:
    played = informed().calls("delete_card", id="credit_card_1").run()

    assert len(list(ungrounded_argument(played, LIMITS))) == 1
    assert [] == list(ungrounded_argument(replace(played, dropped_steps=1), LIMITS))


def test_an_id_that_a_person_approved_for_this_very_call_is_grounded() -> None:
    exactly = informed().approves("delete_card", id="credit_card_1")

    assert exactly.calls("delete_card", id="credit_card_1").says(ungrounded_argument) == []


def test_an_approval_of_other_arguments_or_of_any_grounds_no_id() -> None:
    for given in (
        informed().approves("delete_card", id="credit_card_2"),
        informed().approves("delete_card"),
    ):
        assert given.calls("delete_card", id="credit_card_1").says(ungrounded_argument)
    denied = informed().denies("delete_card", id="credit_card_1")
    assert denied.calls("delete_card", id="credit_card_1").says(ungrounded_argument)
