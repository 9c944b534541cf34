"""Fingerprints: equal for what is equal to a person, different for what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.fingerprints.fingerprint import (
    fingerprint_arguments,
    fingerprint_result,
    normalise,
    subjects_of,
)
from aftershock.fingerprints.outcomes import error_class, outcome_of
from aftershock.limits import Limits
from aftershock.model import Outcome

LIMITS = Limits()
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(VALUES)
def test_normalising_twice_changes_nothing(value: Any) -> None:
    assert normalise(value) == normalise(normalise(value))


@given(st.dictionaries(st.text(), VALUES, min_size=2), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(arguments: dict[str, Any], random: Any) -> None:
    items = list(arguments.items())
    random.shuffle(items)

    assert fingerprint_arguments(arguments) == fingerprint_arguments(dict(items))


@given(st.dictionaries(st.text(), VALUES))
def test_arguments_given_as_json_text_are_the_same_arguments(arguments: dict[str, Any]) -> None:
    text = json.dumps(arguments)

    assert fingerprint_arguments(arguments).digest == fingerprint_arguments(text).digest


@given(VALUES, st.integers(1, 8))
def test_a_sketch_is_bounded(value: Any, parts: int) -> None:
    limits = Limits(sketch_parts_max=parts)

    assert len(fingerprint_arguments(value, limits).sketch) <= parts
    assert len(fingerprint_result(value, limits).sketch) <= parts


@pytest.mark.parametrize(
    "same",
    [
        ({"q": "a b"}, {"q": " a  b "}),
        ({"n": 1}, {"n": "1"}),
        ({"n": 1.0}, {"n": 1}),
        ({"on": True}, {"on": "true"}),
        ({}, {"": ""}, {"": {}}, {"arguments": {}}, {"query": None}, {"a": []}),
        ({"q": "x"}, {"arguments": {"q": "x"}}, {"input": '{"q": "x"}'}),
        ({"command": "ls"}, {"command": "ls", "description": "List the files."}),
    ],
)
def test_calls_that_differ_in_form_only_are_equal(same: tuple[dict[str, Any], ...]) -> None:
    assert len({fingerprint_arguments(arguments).digest for arguments in same}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"q": "a"}, {"q": "b"}),
        ({"origin": "A"}, {"destination": "A"}),
        ({"page": 1}, {"page": 2}),
        ({"description": "a"}, {"description": "b"}),
        ({"thought": "a"}, {"thought": "b"}),
    ],
)
def test_calls_that_ask_something_else_differ(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert fingerprint_arguments(one).digest != fingerprint_arguments(other).digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("up since 2026-01-15T12:03:10Z", "up since 2026-01-16T08:00:59Z"),
        ("request 4f9c12ab took", "request 77e01bc9 took"),
        ("pid 123456", "pid 654321"),
    ],
)
def test_times_and_ids_do_not_make_a_result_new(one: str, other: str) -> None:
    assert fingerprint_result(one).digest == fingerprint_result(other).digest


def test_counters_change_the_digest_and_keep_the_sketch() -> None:
    one, other = fingerprint_result("ready 3/12"), fingerprint_result("ready 4/12")

    assert one.digest != other.digest
    assert one.sketch == other.sketch


def test_new_lines_change_the_sketch() -> None:
    assert fingerprint_result("a\nb").sketch < fingerprint_result("a\nb\nc").sketch


def test_one_long_line_is_compared_clause_by_clause() -> None:
    one = fingerprint_result('{"status": "pending", "name": "job"}').sketch
    other = fingerprint_result('{"status": "running", "name": "job"}').sketch

    assert len(one & other) == 1


def test_content_blocks_read_as_their_text() -> None:
    blocks = [{"type": "text", "text": "hello"}]

    assert fingerprint_result("hello") == fingerprint_result(blocks)
    assert fingerprint_result("hello") == fingerprint_result({"content": blocks})


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("all good", Outcome.OK),
        ({"error": None, "rows": [1]}, Outcome.OK),
        ('{"errors": [], "rows": [1]}', Outcome.OK),
        ("No errors were found in 12 files", Outcome.OK),
        ("Error: upstream request timed out", Outcome.FAILED),
        ("ValueError: bad id", Outcome.FAILED),
        ("Error from server (Forbidden): pods", Outcome.FAILED),
        ("Connection refused", Outcome.FAILED),
        ("Traceback (most recent call last):\n  x\nKeyError: 'a'", Outcome.FAILED),
        ("make: stopped\n[exit code 2]", Outcome.FAILED),
        ({"isError": True, "content": "x"}, Outcome.FAILED),
        ({"error": "no such order"}, Outcome.FAILED),
        ('{"status_code": 503}', Outcome.FAILED),
        ("bash: foo: command not found", Outcome.FAILED),
        ("", Outcome.EMPTY),
        (None, Outcome.EMPTY),
        ([], Outcome.EMPTY),
        ("{}", Outcome.EMPTY),
        ('{"items": [], "total": 0}', Outcome.EMPTY),
        ("No results found.", Outcome.EMPTY),
        ("none", Outcome.EMPTY),
        ("I'm sorry, I wasn't able to reach the warehouse. Please try again.", Outcome.FAILED),
        ("Unfortunately the report could not be made.", Outcome.FAILED),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend", Outcome.FAILED),
        ("curl: (7) Failed to connect to localhost port 9000", Outcome.FAILED),
        ("tests: failed 0, passed 12", Outcome.OK),
        ('{"values": [["#REF!"]]}', Outcome.FAILED),
        ('{"result": "ABORTED", "reason": "no valid path"}', Outcome.FAILED),
        ("Your search did not match any documents.", Outcome.EMPTY),
        ("result: 0 Success\nnumEntries: 0", Outcome.EMPTY),
        ('{"took": 3, "total_results": 0}', Outcome.EMPTY),
        ("numEntries: 10", Outcome.OK),
        ("errors: 0\nstate: ready", Outcome.OK),
        ('{"id": "A", "flights": … [truncated]', Outcome.TRUNCATED),
        ('{"id": "A", "flights": [{"fro', Outcome.TRUNCATED),
        ("line\n... (output truncated)", Outcome.TRUNCATED),
        ("line\n<response clipped>", Outcome.TRUNCATED),
        ("[2026-01-15 12:00] INFO started", Outcome.OK),
        ('{"level":"info"}\nstarted', Outcome.OK),
        ('<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', Outcome.FAILED),
        ("<soap:Fault><faultcode>soap:Server</faultcode></soap:Fault>", Outcome.FAILED),
        ("<ErrorBudget><left>99</left></ErrorBudget>", Outcome.OK),
    ],
)
def test_the_outcome_is_what_an_agent_could_use(result: Any, outcome: Outcome) -> None:
    assert outcome == outcome_of(result, None)


def test_a_reported_error_wins_over_the_result() -> None:
    assert outcome_of("all good", "TimeoutError") == Outcome.FAILED


@given(st.text(max_size=300))
def test_any_text_has_an_outcome_and_an_error_class(text: str) -> None:
    assert outcome_of(text, None) in set(Outcome)
    assert len(error_class(text)) <= 200


@pytest.mark.parametrize(
    "alike",
    [
        ("No such file: '/tmp/a.txt'", "No such file: '/var/b.txt'"),
        ("port 8080 is in use", "port 9090 is in use"),
        ("cannot open /etc/a/b", "cannot open /opt/c"),
        ("ERROR:\nFile exists: 'a'", "ERROR:\nFile exists: 'b'"),
        ("╷\n│ Error: no lock on 17\n╵", "\x1b[31m╷\x1b[0m\n│ Error: no lock on 4\n╵"),
        ("    ^^^^\n✗ build of step 3 failed", "• build of step 9 failed"),
        (
            "Traceback (most recent call last):\n  File x\nKeyError: 'a'",
            "Traceback (most recent call last):\n  File y, line 2\nKeyError: 'b'",
        ),
    ],
)
def test_errors_of_one_kind_have_one_class(alike: tuple[str, str]) -> None:
    assert error_class(alike[0]) == error_class(alike[1])


def test_errors_of_two_kinds_have_two_classes() -> None:
    assert error_class("ERROR:\nFile exists") != error_class("ERROR:\nParameter is missing")
    assert error_class("KeyError: 'a'") != error_class("ValueError: 'a'")
    assert error_class("╷\n│ Error: locked\n╵") != error_class("╷\n│ Error: no provider\n╵")


def test_an_error_that_is_only_drawn_keeps_what_is_drawn() -> None:
    assert error_class("*** ***\n--- ---") == "*** ***"


def test_subjects_join_a_read_to_a_write_whatever_their_arguments_are_called() -> None:
    (read,) = subjects_of({"reservation_id": "M05KNL"})
    (write,) = subjects_of({"id": "m05knl", "note": "please change it", "n": 3})

    assert read.partition("=")[0] == "reservation_id"
    assert read.partition("=")[2] == write.partition("=")[2]


def test_prose_dates_flags_and_small_numbers_are_no_subjects() -> None:
    assert subjects_of({"text": "two words", "flag": True, "on": "2024-05-24", "n": 3}) == set()


def test_subjects_are_found_inside_lists_records_and_json_text() -> None:
    nested = subjects_of({"flights": [{"number": "HAT266"}], "more": '{"user": "u-77"}'})

    assert {subject.partition("=")[0] for subject in nested} == {"number", "user"}


def test_where_a_list_goes_on_says_nothing_of_what_it_lists() -> None:
    def page(rows: list[str], way: str, on: str) -> str:
        return fingerprint_result({"rows": rows, way: on, "more": True}).digest

    for way in ("next", "cursor", "next_url"):
        assert page(["a", "b"], way, "k1") == page(["a", "b"], way, "k2")
        assert page(["a", "b"], way, "k1") != page(["c"], way, "k1")
    assert fingerprint_result({"next": "step-2"}) != fingerprint_result({"next": "step-3"})
    assert fingerprint_result({"rows": [], "next": 2}) != fingerprint_result(
        {"rows": [], "next": 3}
    )
