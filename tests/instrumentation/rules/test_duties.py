"""Writes that are repeated with pauses: what is a duty, and what is done once too often."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import Scenario, run


def levels(acting: Scenario) -> set[Level]:
    return {finding.level for finding in acting.says(repeated_action)}


def test_the_same_update_each_half_hour_does_not_page() -> None:
    posting = run()
    for number in range(6):
        posting.after(1_790).calls("read_feed", id="f").returns({"status": "open"})
        posting.calls("update_notice", notice=4, body="Still open.").returns({"id": f"n{number}"})

    assert levels(posting) == {Level.WARN}


def test_the_same_update_each_minute_pages() -> None:
    posting = run()
    for number in range(6):
        posting.after(60).calls("read_feed", id="f").returns({"status": "open"})
        posting.calls("update_notice", notice=4, body="Still open.").returns({"id": f"n{number}"})

    assert levels(posting) == {Level.ALARM}


def test_a_payment_that_is_made_again_after_a_pause_is_no_poll() -> None:
    paying, renewing = run(), run()
    for number in range(3):
        paying.after(45).calls("wire_transfer", iban="CH93", amount=90).returns(
            {"status": "settled", "reference": f"w-{number}"}
        )
        renewing.after(45).calls("renew_lease", lease="l-7").returns({"status": "renewed"})

    assert levels(paying) == {Level.ALARM}
    assert levels(renewing) == set()


def test_a_status_and_a_heartbeat_are_no_payments() -> None:
    asking = run()
    for _ in range(5):
        asking.after(45).calls("get_payment", id="p-1").returns({"status": "settled"})
        asking.after(45).calls("send_heartbeat", worker="w-1").returns({"status": "noted"})

    assert levels(asking) == set()


def test_a_write_that_counts_no_change_breaks_no_chain() -> None:
    marking = run()
    for _ in range(4):
        marking.after(300).calls("list_open", queue="q").returns([{"id": 7}])
        marking.calls("notify_owner", owner="ann", about="7 is open").returns("accepted")
        marking.calls("mark_seen", id=7).returns({"matchedCount": 1, "modifiedCount": 0})

    assert Level.ALARM in levels(marking)


def again(tool: str, failure: str, *, checked: bool = False, same: bool = False) -> set[Level]:
    acting = run()
    for number in range(3):
        reference = "r-0" if same else f"r-{number}"
        acting.calls(tool, account="acc-7", total="80.00", reference=reference).fails(failure)
        if checked:
            acting.calls("list_bookings", account="acc-7").returns({"bookings": [{"id": "b1"}]})
    return levels(acting.calls(tool, account="acc-7", total="80.00", reference="r-9").returns("ok"))


def test_what_is_sent_again_under_another_reference_after_nothing_was_heard_of_it_pages() -> None:
    assert Level.ALARM in again("create_refund", "ReadTimeout: no response within 20 s")
    assert Level.ALARM in again("send_sms", "connection reset by peer")


def test_whoever_looks_it_up_is_refused_or_repeats_the_call_as_it_was_is_careful() -> None:
    assert Level.ALARM not in again("create_refund", "request timed out", checked=True)
    assert Level.ALARM not in again("create_refund", "insufficient funds")
    assert Level.ALARM not in again("create_refund", "request timed out", same=True)
    assert Level.ALARM not in again("update_label", "request timed out")
