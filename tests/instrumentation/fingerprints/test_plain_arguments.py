"""Arguments that a page may name although content stays in the process."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as values

from aftershock.fingerprints.plain_arguments import ARGUMENTS_MAX, PLAIN, plain_arguments


def test_quantities_truths_and_names_of_infrastructure_may_be_named() -> None:
    given = {
        "deployment_name": "checkout",
        "replicas": 12,
        "dry_run": False,
        "ratio": 0.25,
        "targetService": "shop/checkout:v1.2",
        "spec": {"replicas": 3},
    }

    assert plain_arguments(given, captured=True) == (
        "deployment_name=checkout",
        "replicas=12",
        "dry_run=false",
        "ratio=0.25",
        "targetService=shop/checkout:v1.2",
        "spec.replicas=3",
    )


@pytest.mark.parametrize(
    "given",
    [
        {"query": "SELECT * FROM users"},
        {"note": "call"},  # no name of infrastructure
        {"name": "alice"},
        {"service": "Jane Doe"},  # a sentence, whatever it is called
        {"host": "jane@example.com"},
        {"customer_id": 42},
        {"patient": 7},
        {"pin": 1234},
        {"otp_code": 1234},
        {"age": 42},
        {"amount": 4_111_111_111_111_111},
        {"db_password": "hunter2"},
        {"service_token": "abc"},
        {"service": "sk-proj-abcdefghijklmnopqrstuvwx1234"},
        {"host": "ghp_abcdefghijklmnopqrstuvwxyz0123456789"},
        {"database": "postgres://shop:hunter2@db/orders"},
        {"ratio": float("nan")},
        {"a": {"b": {"replicas": 1}}},
        {1: 2},
        ["replicas", 12],
        "replicas=12",
        None,
    ],
)
def test_everything_else_is_content(given: Any) -> None:
    assert plain_arguments(given, captured=True) == ()


def test_without_content_only_names_that_the_policy_uses_may_be_named() -> None:
    given = {"service": "checkout", "namespace": "shop", "replicas": 12}

    assert plain_arguments(given, frozenset({"service"})) == ("service=checkout", "replicas=12")
    assert plain_arguments({"token": "abc"}, frozenset({"token"})) == ()
    assert plain_arguments({"service": "Jane Doe"}, frozenset({"service"})) == ()


@given(
    values.dictionaries(
        values.text(max_size=8), values.text() | values.floats() | values.integers()
    )
)
def test_whatever_a_call_was_given_what_is_named_is_short_and_plain(given: dict[str, Any]) -> None:
    found = plain_arguments({**given, "replicas": 2}, captured=True)

    assert len(found) <= ARGUMENTS_MAX
    assert all(PLAIN.fullmatch(one) for one in found)


def test_a_huge_call_is_not_read_to_its_end() -> None:
    assert len(plain_arguments({f"replicas_{n}": n for n in range(100_000)})) == ARGUMENTS_MAX
