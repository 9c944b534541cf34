"""Query templates and the answers to them, without a Prometheus."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftershock_collector.metrics.promql import RESULTS_MAX, read_answer
from aftershock_collector.metrics.queries import (
    DEFAULT_QUERIES,
    PLACEHOLDER,
    Query,
    fill,
    queries_of,
    unknown_placeholders,
)

CPU = Query("resources", "cpu", 'rate(cpu{namespace=~"{namespace}",pod=~"{pod}"}[{window}])', "1")
UP = Query("errors", "down", '1 - avg by (job) (up{job=~"{service}"})', "1")


def answer(*results: tuple[dict[str, str], Sequence[tuple[float, str]]]) -> dict[str, Any]:
    rows = [{"metric": labels, "values": [list(v) for v in values]} for labels, values in results]
    return {"status": "success", "data": {"resultType": "matrix", "result": rows}}


def test_a_template_is_filled_with_what_the_entities_keys_name() -> None:
    assert '1 - avg by (job) (up{job=~"cart|checkout"})' == fill(
        UP, ["service/checkout", "service/cart", "db/orders"], 15
    )
    assert 'rate(cpu{namespace=~"prod",pod=~"checkout-.+"}[60s])' == fill(
        CPU, ["k8s/prod/checkout"], 15
    )
    assert 'rate(cpu{namespace=~".+",pod=~".+"}[4s])' == fill(CPU, None, 1)
    assert fill(CPU, ["service/checkout"], 15) is None
    assert fill(UP, [], 15) is None


def test_a_hostile_name_stays_inside_its_string() -> None:
    query = fill(UP, ['service/x"} or vector(1) or up{a="\\'], 15) or ""
    inside = re.fullmatch(r'1 - avg by \(job\) \(up\{job=~"((?:[^"\\]|\\.)*)"\}\)', query)

    assert inside, query


def test_every_default_is_whole_and_every_placeholder_in_it_is_known() -> None:
    names = [query.name for query in DEFAULT_QUERIES]

    assert len(names) == len(set(names))
    for query in DEFAULT_QUERIES:
        filled = fill(query, None, 15) or ""
        assert [] == unknown_placeholders(query.query)
        assert "{{" not in filled
        assert [] == PLACEHOLDER.findall(filled)
        assert filled.count("(") == filled.count(")")
        assert filled.count("{") == filled.count("}")


def test_a_family_that_is_configured_replaces_its_defaults_and_no_others() -> None:
    queries = queries_of({"latency": {"mine": "x", "other": {"query": "y", "unit": "ms"}}})

    assert [("mine", "s"), ("other", "ms")] == [
        (query.name, query.unit) for query in queries if query.family == "latency"
    ]
    assert "down" in [query.name for query in queries]
    assert ["servce"] == unknown_placeholders('up{job=~"{servce}"}[{window}]')


def test_results_become_series_under_the_usual_keys_and_the_worst_of_several_counts() -> None:
    pod = {"namespace": "prod", "pod": "checkout-6d4cf56db6-x7x2p"}
    other = {"namespace": "prod", "pod": "checkout-6d4cf56db6-bbbbb"}
    found = read_answer(
        CPU,
        answer(
            (pod, [(10, "1"), (25, "5"), (40, "NaN")]),
            (other, [(10.0, "9"), (25, "4"), (40, "+Inf")]),
            ({}, [(10, "1")]),
        ),
    )

    (series,) = found.series
    assert ("k8s/prod/checkout", "cpu", "resources") == (
        series.entity, series.metric, series.family.value,
    )  # fmt: skip
    assert [10 * 10**9, 25 * 10**9] == series.times_ns.tolist()
    assert [9.0, 5.0] == series.values.tolist()
    assert 1 == found.unplaced
    assert "k8s/prod/checkout" == found.aliases["pod/prod/checkout-6d4cf56db6-x7x2p"]


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {"status": "error", "error": "parse error"},
        {"status": "success", "data": {"resultType": "vector", "result": []}},
        answer() | {"warnings": ["store gateway is away"]},
        answer(*[({"job": str(n)}, [(1, "1")]) for n in range(RESULTS_MAX + 1)]),
    ],
)
def test_what_is_no_whole_answer_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError):
        read_answer(UP, wrong)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["metric", "values", "job", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=5))
def test_any_results_become_finite_ascending_series_or_nothing(results: list[Any]) -> None:
    reported = {"status": "success", "data": {"resultType": "matrix", "result": results}}
    for series in read_answer(UP, reported).series:
        assert np.isfinite(series.values).all()
        assert (np.diff(series.times_ns) > 0).all()
