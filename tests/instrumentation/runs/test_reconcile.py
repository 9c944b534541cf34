"""Findings open, update and close for a reason, and silence is none."""

from __future__ import annotations

from dataclasses import replace

from aftershock.model import Claim, Closing, Finding, Level
from aftershock.runs.reconcile import NO_CLAIMS, Claims, advance, close, reconcile

LOOP = Finding(
    kind="repeated_action",
    run_id="run",
    subject="search",
    level=Level.WARN,
    began_at_ns=1,
    as_of_ns=10,
    evidence=("s1", "s2"),
    summary="search was called twice",
)
ACTION = replace(LOOP, kind="missing_fact", subject="scale", lasting=True)


def names(claims: list[Claim]) -> list[str]:
    return [claim.finding.kind for claim in claims]


def opened(*findings: Finding, at_ns: int = 10) -> Claims:
    return advance(NO_CLAIMS, findings, at_ns)


def test_rerun_with_unchanged_input_changes_nothing() -> None:
    claims = opened(LOOP, ACTION)
    *first, reported = reconcile(NO_CLAIMS, claims, 11)
    *again, _ = reconcile(reported, advance(claims, [LOOP, ACTION], 12), 13)

    assert [names(part) for part in first] == [["repeated_action", "missing_fact"], [], []]
    assert again == [[], [], []]
    assert advance(claims, [replace(LOOP, as_of_ns=99), ACTION], 99) is claims


def test_a_claim_that_no_longer_holds_closes_and_a_lasting_one_stays() -> None:
    claims = advance(opened(LOOP, ACTION), [], 20)

    assert Closing.CONTRADICTED is claims[LOOP.id].closing
    assert claims[ACTION.id].closing is None


def test_a_level_rises_and_never_falls_while_the_claim_stands() -> None:
    alarm = replace(LOOP, level=Level.ALARM, as_of_ns=11)
    claims = advance(advance(opened(LOOP), [alarm], 11), [replace(LOOP, as_of_ns=12)], 12)
    _, updated, _, _ = reconcile(opened(LOOP), claims, 12)

    assert Level.ALARM is claims[LOOP.id].finding.level
    assert [LOOP.id] == [claim.finding.id for claim in updated]


def test_what_opened_and_closed_between_two_looks_is_reported_as_both() -> None:
    claims = advance(opened(LOOP), [], 20)
    new, updated, over, _ = reconcile(NO_CLAIMS, claims, 21)

    assert (names(new), updated, names(over)) == (["repeated_action"], [], ["repeated_action"])


def test_late_evidence_retracts_what_was_never_true() -> None:
    _, _, _, reported = reconcile(NO_CLAIMS, opened(LOOP), 11)
    _, _, over, reported = reconcile(reported, NO_CLAIMS, 12)
    *again, _ = reconcile(reported, NO_CLAIMS, 13)

    assert [claim.closing for claim in over] == [Closing.RETRACTED]
    assert again == [[], [], []]


def test_the_end_of_the_run_closes_everything_once() -> None:
    ended = close(opened(LOOP, ACTION), 30, Closing.RUN_ENDED)
    _, _, over, reported = reconcile(opened(LOOP, ACTION), ended, 31)
    *again, _ = reconcile(reported, close(ended, 40, Closing.RUN_ENDED), 41)

    assert [(c.closed_at_ns, c.closing) for c in over] == [(30, Closing.RUN_ENDED)] * 2
    assert again == [[], [], []]


def test_a_closed_claim_comes_back_only_on_evidence_newer_than_its_closing() -> None:
    ended = close(opened(LOOP), 30, Closing.RUN_ENDED)
    stale, *_ = reconcile(ended, opened(LOOP), 31)
    fresh, *_ = reconcile(ended, opened(replace(LOOP, as_of_ns=35)), 36)

    assert (stale, names(fresh)) == ([], ["repeated_action"])


def test_late_evidence_from_before_the_end_updates_a_closed_claim_and_leaves_it_closed() -> None:
    louder = replace(LOOP, level=Level.ALARM, as_of_ns=20)
    ended = close(opened(LOOP), 30, Closing.RUN_ENDED)
    deferred = close(opened(louder, at_ns=20), 30, Closing.RUN_ENDED)
    new, updated, over, reported = reconcile(ended, deferred, 31)

    assert ([], [louder], []) == (new, [claim.finding for claim in updated], over)
    assert (10, 30) == (reported[LOOP.id].opened_at_ns, reported[LOOP.id].closed_at_ns)


def test_a_persons_verdict_is_final() -> None:
    decided = close(opened(LOOP), 30, Closing.FEEDBACK)
    new, updated, over, _ = reconcile(decided, opened(replace(LOOP, as_of_ns=99)), 100)

    assert (new, updated, over) == ([], [], [])
