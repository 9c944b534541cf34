"""Recordings of OpenInference: every span is stored or counted."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aftershock.model import Outcome, StepKind
from aftershock_collector.reading.isotime import duration_ns_of, time_ns_of
from aftershock_collector.reading.openinference_json import NO_TIME
from tests.collector.sources.recordings import ROOT, SHARED, found_in, write

OPENINFERENCE = ROOT / "tests" / "data" / "openinference-trail.json.gz"
RECORDED_OPENINFERENCE = sorted((SHARED / "otel-openinference").glob("*.json.gz"))


def nested(spans: list[Any]) -> Iterator[Any]:
    for span in spans:
        yield span
        yield from nested(span["child_spans"])


def read_json(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        OPENINFERENCE,
        *(
            RECORDED_OPENINFERENCE
            or [pytest.param(None, marks=pytest.mark.skip("../shared/data is not here"))]
        ),
    ],
    ids=lambda path: path.name[:8] if path else "none",
)
def test_every_span_and_log_of_an_openinference_file_is_stored_or_counted(path: Path) -> None:
    raw = list(nested(read_json(path)["spans"]))
    found = found_in(path)

    assert len(found.spans) + found.lost.total() == len(raw)
    assert found.lost == Counter()
    assert len(found.logs) == sum(len(span["logs"]) for span in raw)
    kinds = Counter(span["span_attributes"].get("openinference.span.kind") for span in raw)
    steps = Counter(step.kind for step in found.steps if not step.is_part)
    parts = sum(step.is_part for step in found.steps)
    assert parts == kinds["CHAIN"] - sum(map(ran_code, raw))
    assert steps == +Counter(
        {
            StepKind.AGENT: kinds["AGENT"],
            StepKind.INFERENCE: kinds["LLM"],
            StepKind.TOOL_CALL: kinds["TOOL"] + sum(map(ran_code, raw)),
        }
    )


def ran_code(span: Any) -> bool:
    """True for a step of smolagents that ran code: a chain with what the code printed."""
    attributes = span["span_attributes"]
    return (
        attributes.get("openinference.span.kind") == "CHAIN"
        and span["span_name"].startswith("Step ")
        and (
            attributes.get("output.value", "").startswith("Execution logs:")
            or "Error: Code execution failed" in span["status_message"]
            or "Error: Error in code parsing" in span["status_message"]
        )
    )


def test_a_span_of_an_openinference_file_keeps_what_it_said() -> None:
    raw = {span["span_id"]: span for span in nested(read_json(OPENINFERENCE)["spans"])}
    found = found_in(OPENINFERENCE)

    for span in found.spans:
        recorded = raw[span.span_id]
        assert (span.trace_id, span.parent_id) == (recorded["trace_id"], recorded["parent_span_id"])
        assert (span.name, span.attributes) == (recorded["span_name"], recorded["span_attributes"])
        assert (span.resource, span.scope) == (
            recorded["resource_attributes"],
            recorded["scope_name"],
        )
        assert span.status_message == recorded["status_message"]
        assert span.began_at_ns == time_ns_of(recorded["timestamp"])
        assert span.ended_at_ns - span.began_at_ns == duration_ns_of(recorded["duration"])
        assert [event.name for event in span.events] == [one["Name"] for one in recorded["events"]]
    paged = [step for step in found.steps if step.name == "page_down"]
    assert {step.error for step in paged} == {"TypeError"}
    assert {step.action.outcome for step in paged if step.action} == {Outcome.FAILED}
    assert len({step.action.arguments.digest for step in paged if step.action}) == 1


def test_a_damaged_openinference_span_costs_no_other(tmp_path: Path) -> None:
    document = read_json(OPENINFERENCE)
    spans = list(nested(document["spans"]))
    spans[-1]["timestamp"] = "yesterday"
    spans[-2]["span_id"] = "zz"
    spans[0]["child_spans"].append("not a span")
    found = found_in(write(tmp_path / "damaged.json", document))

    assert len(found.spans) == len(spans) - 2
    assert found.lost.total() == 3
    assert found.lost[NO_TIME] == 1
