"""What one approval covers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock.gate.binding import digest_of

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def test_an_approval_covers_neither_other_arguments_nor_other_targets_nor_other_agents() -> None:
    call: dict[str, Any] = {"replicas": 3, "dry_run": True}
    digests = {
        digest_of("bot", "scale", call, ["k8s/a"]),
        digest_of("bot", "scale", {**call, "replicas": 30}, ["k8s/a"]),
        digest_of("bot", "scale", {**call, "replicas": "3"}, ["k8s/a"]),
        digest_of("bot", "scale", {**call, "replicas": 3.0}, ["k8s/a"]),
        digest_of("bot", "scale", {**call, "dry_run": 1}, ["k8s/a"]),
        digest_of("bot", "scale", {**call, "dry_run": None}, ["k8s/a"]),
        digest_of("bot", "scale", {"replicas": 3}, ["k8s/a"]),
        digest_of("bot", "scale", call, ["k8s/a", "db/b"]),
        digest_of("other", "scale", call, ["k8s/a"]),
        digest_of(None, "scale", call, ["k8s/a"]),
        digest_of("bot", "drop", call, ["k8s/a"]),
    }

    assert len(digests) == 11
    assert None not in digests


@given(st.dictionaries(st.text(max_size=5), PLAIN, max_size=4))
def test_the_order_of_names_does_not_matter(arguments: dict[str, Any]) -> None:
    backwards = dict(reversed(list(arguments.items())))

    assert digest_of("a", "t", arguments, []) == digest_of("a", "t", backwards, [])


@pytest.mark.parametrize("value", [object(), {1: "x"}, b"bytes", {"deep": [object()]}])
def test_what_json_cannot_hold_is_bound_to_nothing(value: Any) -> None:
    """Two objects look the same in a digest: an approval of one must not cover the other."""
    assert digest_of("a", "t", {"value": value}, []) is None
