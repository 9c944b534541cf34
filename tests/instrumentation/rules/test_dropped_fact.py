"""dropped_fact: it was shown once, and was gone when the agent decided."""

from __future__ import annotations

from dataclasses import replace

from aftershock.model import Level
from aftershock.policy.policy import Policy
from aftershock.rules.dropped_fact import dropped_fact
from tests.support.scenario import LIMITS, Scenario, run

POLICY = Policy.from_mapping(
    {
        "tools": {
            "scale": {"requires": [{"fact": "window", "subject": "prod"}]},
            "get_window": {"provides": [{"fact": "window", "subject": "{environment}"}]},
        }
    }
)


def informed(policy: Policy = POLICY) -> Scenario:
    """It reads the window, and one inference sees the answer."""
    return (
        run(policy=policy)
        .with_messages()
        .receives_message(text="scale checkout")
        .thinks()
        .calls("get_window", environment="prod")
        .returns("closed until 18:00")
        .thinks()
    )


def test_a_required_fact_that_was_cut_before_the_decision_alarms() -> None:
    (finding,) = informed().forgets().thinks().calls("scale", name="checkout").says(dropped_fact)

    assert finding.level == Level.ALARM
    assert finding.lasting
    assert finding.summary == (
        "scale was decided without the window of prod, which had been read and was no longer in "
        "the messages."
    )
    assert finding.facts == ("window of prod: read by get_window, then cut",)
    assert finding.evidence == ("span-005", "span-004", "span-002")


def test_what_is_still_in_the_messages_is_known() -> None:
    assert informed().thinks().calls("scale", name="checkout").says(dropped_fact) == []


def test_after_a_declared_compaction_it_only_warns() -> None:
    compacted = informed().forgets(declared=True).thinks().calls("scale", name="checkout")
    (finding,) = compacted.says(dropped_fact)

    assert finding.level == Level.WARN


def test_reading_it_again_makes_it_known_again() -> None:
    again = informed().forgets().thinks().calls("get_window", environment="prod").returns("open")

    assert again.thinks().calls("scale", name="checkout").says(dropped_fact) == []


def test_where_inferences_do_not_tell_what_they_were_shown_nothing_is_said() -> None:
    blind = run(policy=POLICY).thinks().calls("get_window", environment="prod").returns("open")

    assert blind.thinks().forgets().thinks().calls("scale").says(dropped_fact) == []


def test_what_never_was_in_the_messages_was_not_cut_from_them() -> None:
    unseen = run(policy=POLICY).with_messages().receives_message(text="go").thinks()
    unseen.calls("get_window", environment="prod").returns("open").forgets()

    assert unseen.thinks().calls("scale").says(dropped_fact) == []


def test_a_history_too_long_to_be_told_whole_says_nothing() -> None:
    full = replace(LIMITS, shown_max=0)

    assert informed().forgets().thinks().calls("scale").says(dropped_fact, full) == []


def test_a_fact_that_the_app_showed_as_well_was_not_dropped() -> None:
    recorded = informed().saw("window", "prod").forgets().thinks().calls("scale", name="checkout")

    assert recorded.says(dropped_fact) == []


def test_another_workers_messages_are_its_own() -> None:
    handed = informed().hands_off("helper").forgets().thinks().calls("scale", name="checkout")

    assert handed.says(dropped_fact) == []


def test_a_risky_call_whose_subject_was_read_and_cut_warns_without_a_policy() -> None:
    played = run().with_messages().receives_message(text="clean up").thinks()
    played.calls("get_volume", volume="vol-7f31").returns("in use by checkout").thinks()
    (finding,) = (
        played.forgets().thinks().calls("delete_volume", volume="vol-7f31").says(dropped_fact)
    )

    assert finding.level == Level.WARN
    assert played.calls("delete_volume", volume="vol-0000").says(dropped_fact) == []
