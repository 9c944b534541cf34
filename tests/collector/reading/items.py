"""Spans and log events as they arrive, and what is read of them."""

from __future__ import annotations

from typing import Any

from aftershock import attributes as names
from aftershock.model import Step
from aftershock.policy.policy import EMPTY, Policy
from aftershock_collector.otlp.wire import INTERNAL, STATUS_OK, LogEvent, Span
from aftershock_collector.reading.read import read, read_event

T0 = 1_790_000_000_000_000_000
TRACE = "ab" * 16
POLICY = Policy.from_mapping(
    {
        "tools": {
            "scale_*": {
                "tier": "provision",
                "targets": [{"k8s.namespace.name": "{namespace}", "k8s.deployment.name": "{name}"}],
                "requires": [
                    {"fact": "maintenance_window", "subject": "{namespace}", "max_age": "15m"}
                ],
            },
            "get_calendar": {"provides": [{"fact": "maintenance_window", "subject": "{team}"}]},
            "wait_*": {"polls": True},
        }
    }
)


def span(attributes: dict[str, Any], **changes: Any) -> Span:
    fields: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": "cd" * 8,
        "parent_id": "ef" * 8,
        "name": "a span",
        "kind": INTERNAL,
        "began_at_ns": T0,
        "ended_at_ns": T0 + 7,
        "status_code": STATUS_OK,
        "status_message": "",
        "attributes": attributes,
        "resource": {"service.name": "agents"},
        "scope": "test",
    }
    return Span(**(fields | changes))


def tool(attributes: dict[str, Any] | None = None, **changes: Any) -> Span:
    own = {names.OPERATION: "execute_tool", names.TOOL_NAME: "scale_deployment"}
    return span(own | (attributes or {}), **changes)


def event(name: str, attributes: dict[str, Any], **changes: Any) -> LogEvent:
    fields: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": "cd" * 8,
        "name": name,
        "text": None,
        "time_ns": T0,
        "severity": 9,
        "attributes": attributes,
        "resource": {"service.name": "agents"},
        "scope": "aftershock",
    }
    return LogEvent(**(fields | changes))


def step_of(item: Span, policy: Policy = EMPTY) -> Step:
    step = read(item, policy)
    assert step is not None
    return step


def reported(item: LogEvent, policy: Policy = EMPTY) -> Step:
    step = read_event(item, policy)
    assert isinstance(step, Step)
    return step


def action_of(item: Span, policy: Policy = EMPTY) -> Any:
    action = step_of(item, policy).action
    assert action is not None
    return action
