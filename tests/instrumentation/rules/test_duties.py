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


def paid(*answers: object, pause_s: float = 5, tool: str = "create_payment") -> set[Level]:
    paying = run()
    for answer in answers:
        paying.after(pause_s).calls(tool, invoice="INV-3307", amount=1_190)
        if isinstance(answer, str):
            paying.fails(answer)
        else:
            paying.returns(answer)
    return levels(paying)


def test_two_receipts_for_one_payment_page_at_the_second() -> None:
    first, second = {"payment": "pay_81c0", "ok": True}, {"payment": "pay_81d4", "ok": True}
    assert paid("ReadTimeout: no answer", first) == set()
    assert paid("ReadTimeout: no answer", first, second) == {Level.ALARM}
    uuid = "7c1e2f3a-90b1-4c1d-b7a1-6f9f3f1d0e5{}"
    assert Level.ALARM in paid({"id": uuid.format(1)}, {"id": uuid.format(2)})


def test_the_same_receipt_another_payment_and_a_monthly_one_are_in_order() -> None:
    receipt, other = {"payment": "pay_81c0", "request": "r-1771"}, {"payment": "pay_81d4"}
    assert Level.ALARM not in paid(receipt, {**receipt, "request": "r-1772"})
    assert Level.ALARM not in paid(receipt, other, tool="reserve_table")
    assert paid(receipt, other, pause_s=7_200) == set()
    paying = run()
    for number in range(4):
        paying.calls("create_payment", invoice=f"INV-{number}000", amount=1).returns(
            {"payment": f"pay_9{number}aa"}
        )
    assert levels(paying) == set()


def mailed(people: str, rounds: int, *, pause_s: float = 60) -> set[Level]:
    mailing = run()
    for turn in range(rounds):
        mailing.after(pause_s)
        for person in people:
            mailing.calls("send_email", to=f"{person}@client.example", template="welcome").returns(
                {"id": f"<{turn}{person}c7@mx>"}
            )
    return levels(mailing)


def test_a_round_of_mails_that_goes_out_a_second_time_pages() -> None:
    assert mailed("abcde", 1) == set()
    assert Level.ALARM in mailed("abcde", 2)
    assert Level.ALARM not in mailed("ab", 2)
    assert Level.ALARM not in mailed("abcde", 2, pause_s=1_800)


def ordered(tool: str, times: int, receipt: str = "R-{}") -> list[Level]:
    acting = run()
    for number in range(times):
        acting.calls(tool, at="Lind", day="2026-06-05").returns({"number": receipt.format(number)})
        acting.calls("look_at_page").returns(f"still loading {number}")
    found = acting.says(repeated_action)
    return [finding.level for finding in found if finding.subject.endswith("/twice")]


def test_a_third_booking_of_the_same_pages_and_a_second_may_be_wanted() -> None:
    for tool in ("book_table", "order_taxi"):
        assert ordered(tool, 2) == []
        assert ordered(tool, 3) == [Level.ALARM]


def test_the_same_receipt_three_times_and_a_message_are_no_third_booking() -> None:
    assert ordered("book_table", 3, receipt="R-7") == []
    assert ordered("notify_by_mail", 3) == []


def by_two(tool: str, reads: tuple[str, str], *, receipts: tuple[str, str]) -> set[Level]:
    acting = run()
    for agent, read, receipt in zip(("morning", "evening"), reads, receipts, strict=True):
        acting.as_worker(agent).calls("get_stock", shelf=read).returns({"lacking": 1})
        acting.calls(tool, part="V-belt", quantity=1).returns({"number": receipt})
    return levels(acting)


def test_two_agents_that_order_the_same_on_the_same_reading_page() -> None:
    for tool in ("order_part", "pay_supplier"):
        assert by_two(tool, ("s-1", "s-1"), receipts=("N-1", "N-2")) == {Level.ALARM}


def test_two_agents_with_two_needs_one_receipt_or_a_message_are_no_double_order() -> None:
    assert by_two("order_part", ("s-1", "s-2"), receipts=("N-1", "N-2")) == set()
    assert by_two("order_part", ("s-1", "s-1"), receipts=("N-1", "N-1")) == set()
    assert by_two("send_message", ("s-1", "s-1"), receipts=("N-1", "N-2")) == set()
