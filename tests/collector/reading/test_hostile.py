"""Attributes of any type and size: nothing raises, nothing is kept without bound."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aftershock import attributes as names
from aftershock_collector.otlp.wire import SpanEvent
from aftershock_collector.reading.read import read, read_event
from tests.collector.reading.items import POLICY, T0, event, span, step_of, tool

KEYS = [
    *(value for key, value in vars(names).items() if key.isupper()),
    "openinference.span.kind", "input.value", "output.value", "tool.name", "traceloop.span.kind",
    "traceloop.entity.input", "traceloop.entity.output", "tool_arguments", "http.url", "url.full",
    "db.system", "peer.service", "exception.type", "neutral.kind", "k8s.event.reason",
]  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.binary(max_size=3)
    | st.sampled_from(["execute_tool", "chat", "invoke_agent", "decision", "TOOL", "LLM", "tool",
                       "message", "[", '{"a": [', '{"kwargs": 3}', "a\tb\tnan", "read", "ok",
                       '{"output": {"kwargs": {}}}', "http://[", "Warning", "Event"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["object", "kind", "type", "involvedObject", "name", "reason", "metadata",
                         "parts", "kwargs", "args", "output"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def test_a_step_keeps_no_text_and_no_list_without_bound() -> None:
    long = "x" * 60_000
    item = tool({names.TOOL_NAME: long, names.RUN_ID: long, names.ACTION_TARGETS: [long] * 4_000})
    step = step_of(item)

    assert step.action is not None
    assert max(map(len, (step.name, step.run_id, *step.action.targets))) == 256
    assert len(step.action.targets) == 4  # 8,192 characters of one list
    many = step_of(tool({names.ACTION_TARGETS: [f"service/{n}" for n in range(4_000)]}))
    assert many.action is not None
    assert len(many.action.targets) == 256


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(KEYS), ODD, max_size=10),
    st.sampled_from(["gen_ai.tool.message", "gen_ai.choice", "exception"]),
    st.dictionaries(st.sampled_from([*KEYS, "content", "message"]), ODD, max_size=3),
    st.integers(0, 5),
    st.integers(0, 2),
)
def test_no_attribute_of_an_odd_type_raises(
    own: dict[str, Any], name: str, inner: dict[str, Any], kind: int, status: int
) -> None:
    events = (SpanEvent(name, T0, inner),)
    for operation in (own.get(names.OPERATION), "execute_tool"):
        attributes = own | {names.OPERATION: operation}
        read(span(attributes, kind=kind, status_code=status, events=events, resource=inner), POLICY)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        [
            names.EVENT_STARTED,
            names.EVENT_HEARTBEAT,
            names.EVENT_FACT,
            names.EVENT_CHANGE,
            "",
            names.EVENT_APPROVAL,
        ]
    ),
    st.dictionaries(st.sampled_from(KEYS), ODD, max_size=8),
    ODD,
)
def test_no_event_of_an_odd_shape_raises(name: str, own: dict[str, Any], text: Any) -> None:
    read_event(event(name, own, text=text, severity=13, resource=own), POLICY)
