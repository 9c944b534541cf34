from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftershock.grade import Grade
from aftershock.model import (
    Alternative,
    Change,
    Chart,
    Claim,
    Closing,
    Finding,
    Impact,
    Level,
    Parts,
    Report,
)
from aftershock_collector.store.serialization import from_plain, from_text, to_text

FINDING = Finding(
    "repeated_action", "run-1", "get_status/ab", Level.ALARM, 1, 2, ("aa", "bb"), "It repeats."
)


TEXTS = st.lists(st.text(max_size=8), min_size=1, max_size=3).map(tuple)
FEW = settings(max_examples=40, deadline=None)


@FEW
@given(
    st.builds(
        Claim,
        finding=st.builds(Finding, evidence=TEXTS, impact=st.none()),
        closed_at_ns=st.none() | st.integers(),
        closing=st.none() | st.sampled_from(Closing),
    )
)
def test_every_claim_comes_back_equal(claim: Claim) -> None:
    assert claim == from_text(Claim, to_text(claim))


@FEW
@given(st.from_type(Impact))
def test_every_impact_comes_back_equal(impact: Impact) -> None:
    text = to_text(impact)
    again = from_text(Impact, text)

    assert text == to_text(again)
    assert again == impact or "nan" in text  # not a number is not equal to itself
    assert hash(again) is not None


@FEW
@given(st.from_type(Change))
def test_every_change_comes_back_equal(change: Change) -> None:
    text = to_text(change)
    again = from_text(Change, text)

    assert text == to_text(again)
    assert again == change or "nan" in text


def test_a_claim_keeps_its_impact() -> None:
    impact = Impact(
        "aa", "t", "run-1", None, "scale", 5, "db/orders", 0.9, Grade.PROBABLE, Parts(7.0, 0.1, 0, 1),
        (Alternative(None, None, "no agent action", 0.1),), 9,
        charts=(Chart("db/orders", "wait", "s", (1, 2), (0.5, 3.0), 0.5, 0.4, 0.6),),
    )  # fmt: skip
    claim = Claim(replace(FINDING, impact=impact), 3)

    assert claim == from_text(Claim, to_text(claim))


def test_the_text_is_json_that_every_reader_accepts() -> None:
    change = replace(from_text(Change, to_text(_change())), size=float("inf"))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert json.loads(to_text(change), parse_constant=refuse)["size"] == "inf"
    assert change == from_text(Change, to_text(change))


def test_an_unknown_key_of_a_newer_version_is_ignored() -> None:
    plain = json.loads(to_text(FINDING)) | {"colour": "red"}

    assert from_text(Finding, json.dumps(plain)) == FINDING


def test_a_key_that_an_older_version_did_not_write_takes_its_default() -> None:
    plain = json.loads(to_text(FINDING))
    del plain["lasting"], plain["facts"]

    assert from_text(Finding, json.dumps(plain)) == FINDING


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "3",
        "null",
        "{}",
        '{"finding": 3}',
        to_text(FINDING).replace('"alarm"', '"loud"'),
        to_text(FINDING).replace('["aa","bb"]', '"aa"'),
        to_text(FINDING).replace('["aa","bb"]', "[]"),
        to_text(FINDING).replace('"began_at_ns":1', '"began_at_ns":"soon"'),
    ],
)
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        from_text(Finding, text)


def test_a_report_is_json_too() -> None:
    report = Report(5, opened=(Claim(FINDING, 2),), drops={"late": 3})

    assert from_plain(Report, json.loads(to_text(report))) == report


def _change() -> Change:
    return from_plain(
        Change,
        {"id": "c", "kind": "deploy", "entity": "service/a", "name": "v2", "began_at_ns": 1},
    )
