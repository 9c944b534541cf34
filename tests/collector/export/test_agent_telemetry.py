"""What agents do, as metrics and as an ordered log: counted once, bounded, with exemplars."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.openmetrics import parser

from aftershock.approval import Approval, Gate
from aftershock.limits import Budget, Limits
from aftershock.model import (
    Action,
    Fact,
    Fingerprint,
    Outcome,
    Requirement,
    Step,
    StepKind,
    Tier,
    Tokens,
)
from aftershock.policy.policy import Policy
from aftershock_collector.config.model import Address, Config
from aftershock_collector.engine.engine import Engine
from aftershock_collector.export.activity_log import sentence
from aftershock_collector.export.agent_telemetry import AgentTelemetry
from aftershock_collector.service.wiring import running
from tests.support.receiver import Receiver
from tests.support.traffic import looping_run, span_request

SECOND = 10**9
T0 = 1_790_000_000 * SECOND
TRACE = "ab" * 16
HOME = {"agent": "bot", "service": "shop", "environment": "prod"}
NOTHING = Fingerprint("same", frozenset({1}))


class Observed:
    """An engine with its fleet, and what a scrape would show."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.registry = CollectorRegistry()
        self.sent: list[bytes] = []
        self.engine = Engine(policy or Policy())
        self.fleet = AgentTelemetry(self.engine, self.registry, self.sent.append)

    def see(self, *steps: Step) -> None:
        now_ns = max(step.last_ns for step in steps)
        self.engine.observe(steps, now_ns)
        self.fleet.record_steps(steps, now_ns)

    def judge(self, at_s: float) -> None:
        self.fleet.record_report(self.engine.conclude(T0 + int(at_s * SECOND)))

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"aftershock_{name}", {**HOME, **labels})

    def log(self) -> list[tuple[str, dict[str, Any]]]:
        return [sent for body in self.sent for sent in records(body)]


def parsed(text: str) -> list[Metric]:
    read: Any = vars(parser)["text_string_to_metric_families"]  # it has no types
    return list(read(text))


def records(body: bytes) -> list[tuple[str, dict[str, Any]]]:
    request = ExportLogsServiceRequest.FromString(body)
    return [
        (
            record.body.string_value,
            {
                pair.key: [v.string_value for v in pair.value.array_value.values]
                or pair.value.string_value
                or pair.value.int_value
                or pair.value.double_value
                for pair in record.attributes
            },
        )
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def step(at_s: float, kind: StepKind = StepKind.TOOL_CALL, **given: Any) -> Step:
    began = T0 + int(at_s * SECOND)
    sent: dict[str, Any] = {
        "run_id": "run",
        "span_id": f"{int(at_s * 1000):016x}",
        "trace_id": TRACE,
        "kind": kind,
        "name": "get_status",
        "began_at_ns": began,
        "ended_at_ns": began + SECOND // 4,
        "parent_id": "root",
        "service": "shop",
        "environment": "prod",
        **given,
    }
    return Step(**sent)


def call(at_s: float, tool: str = "get_status", **given: Any) -> Step:
    action = Action(tool, NOTHING, NOTHING, Outcome.OK, Tier.READ)
    return step(at_s, name=tool, action=replace(action, **given))


def frame(ended_s: float | None = None) -> Step:
    return step(
        0,
        StepKind.AGENT,
        span_id="root",
        parent_id=None,
        name="bot",
        agent="bot",
        ended_at_ns=None if ended_s is None else T0 + int(ended_s * SECOND),
    )


def test_a_step_that_arrives_three_times_is_counted_once() -> None:
    seen = Observed()
    opened = replace(call(1), ended_at_ns=None)

    seen.see(frame(), opened)
    seen.see(call(1))
    seen.see(call(1))
    seen.see(opened)

    assert seen.value("agent_steps_total", kind="tool_call") == 1
    labels = {"tool": "get_status", "tier": "read", "outcome": "ok"}
    assert seen.value("agent_tool_calls_total", **labels) == 1
    assert seen.value("agent_tool_call_seconds_sum", tool="get_status") == 0.25
    states = [text_of["aftershock.step.state"] for _, text_of in seen.log()]
    assert ["began", "began", "ended"] == states


def test_what_a_tool_reaches_the_outside_by_is_no_step_of_its_own() -> None:
    seen = Observed()

    seen.see(frame(), call(1), step(1, StepKind.OUTGOING, span_id="http", name="GET /status"))

    assert seen.value("agent_steps_total", kind="tool_call") == 1
    assert seen.value("agent_steps_total", kind="outgoing") is None
    assert not any("GET /status" in text_of for text_of, _ in seen.log())
    assert any("get_status" in text_of for text_of, _ in seen.log())


def test_inferences_tokens_and_cost_are_counted_by_model() -> None:
    seen = Observed()
    asked = step(1, StepKind.INFERENCE, name="gpt-4o", tokens=Tokens(1_000, 100), error="timeout")

    seen.see(frame(), asked)
    seen.judge(2)

    assert seen.value("agent_inferences_total", model="gpt-4o", outcome="failed") == 1
    assert seen.value("agent_tokens_total", model="gpt-4o", direction="input") == 1_000
    cost_usd = seen.value("agent_cost_usd_total", model="gpt-4o")
    assert cost_usd is not None
    assert abs(cost_usd - 0.0035) < 1e-9
    assert seen.value("agent_context_window_used_ratio", model="gpt-4o") == 1_000 / 128_000


def test_what_a_loop_wastes_is_counted_from_its_alarm_until_the_run_is_over() -> None:
    seen = Observed()
    seen.see(frame(), *(call(at) for at in range(1, 5)))
    seen.judge(5)
    seen.see(call(5), call(6))
    seen.judge(7)
    labels = {"kind": "repeated_action", "level": "alarm"}

    assert seen.value("findings_total", **labels) == 1
    assert seen.value("findings_open", **labels) == 1
    assert seen.value("agent_wasted_steps_total", finding="repeated_action") == 2

    seen.see(frame(ended_s=8))
    seen.judge(12)
    seen.see(call(9))

    assert seen.value("findings_open", **labels) is None
    assert seen.value("agent_runs_open") is None
    assert seen.value("agent_runs_total", outcome="ok") == 1
    assert seen.value("agent_wasted_steps_total", finding="repeated_action") == 2


def test_a_finding_that_escalates_is_counted_at_both_levels() -> None:
    seen = Observed()
    seen.see(frame(), call(1), call(2))
    seen.judge(3)
    seen.see(call(3), call(4))
    seen.judge(5)

    for level in ("warn", "alarm"):
        assert seen.value("findings_total", kind="repeated_action", level=level) == 1


def test_an_action_tells_what_it_knew_and_what_it_lacked() -> None:
    seen = Observed()
    fact = Fact("window", "prod", "calendar", T0, Outcome.OK, "f")
    wanted = (Requirement("window", "prod"), Requirement("limit", "orders"))
    scaled = call(2, "scale", tier=Tier.PROVISION, targets=("service/shop",), requires=wanted)

    seen.see(frame(), step(1, StepKind.FACT, name="window", facts=(fact,)), scaled)
    seen.judge(3)

    text_of = dict(seen.log())["◆ scale → service/shop: 250 ms"]
    assert ["window of prod"] == text_of["aftershock.context.known"]
    assert ["limit of orders"] == text_of["aftershock.context.lacked"]
    assert seen.value("agent_required_facts_total", tool="scale") == 2
    assert seen.value("agent_unmet_facts_total", tool="scale", finding="missing_fact") == 1


def test_an_approval_waits_until_it_is_answered_and_the_story_says_by_whom() -> None:
    seen = Observed()
    asked = step(1, StepKind.APPROVAL, name="drop", ended_at_ns=None, parent_id="root")
    asked = replace(asked, approval=Approval("drop", Gate.ASK, by="alice"))
    answered = replace(
        asked, ended_at_ns=T0 + 9 * SECOND, approval=Approval("drop", Gate.ALLOW, by="bob")
    )

    seen.see(frame(), asked)
    seen.judge(2)
    assert seen.value("agent_approvals_waiting") == 1

    seen.see(answered)
    seen.judge(12)
    assert seen.value("agent_approvals_waiting") == 0
    _, text_of = seen.log()[-1]
    assert ("allow", "bob") == (
        text_of["aftershock.approval.outcome"],
        text_of["aftershock.approval.by"],
    )


def test_a_budget_is_surveyed_while_the_run_lasts() -> None:
    policy = Policy(limits=Limits(budget=Budget(steps=8, wall_time_s=20)))
    seen = Observed(policy)

    seen.see(frame(), call(1), call(2))
    seen.judge(5)

    assert seen.value("agent_budget_used_ratio", budget="steps") == 0.25
    assert seen.value("agent_budget_used_ratio", budget="wall_time") == 0.25
    silent_s = seen.value("agent_silent_seconds")
    assert silent_s is not None
    assert abs(silent_s - 2.75) < 0.01


def test_a_hostile_tool_name_is_one_line_of_the_story() -> None:
    text_of = sentence(call(1, "get\n\x1b[31mstatus\u202e"))

    assert "\n" not in text_of
    assert "\x1b" not in text_of
    assert "\u202e" not in text_of


def test_a_running_collector_shows_exemplars_and_tells_the_story(tmp_path: Path) -> None:
    run = looping_run(random.Random(3), began_ns=time.time_ns())
    address = Address("127.0.0.1", 0)

    async def live(activity_log_url: str) -> httpx.Response:
        config = Config(
            home=tmp_path,
            http=address,
            grpc=address,
            tick_s=0.05,
            activity_log_url=activity_log_url,
        )
        async with running(config) as collector, httpx.AsyncClient() as client:
            headers = {"content-type": "application/x-protobuf"}
            url = f"http://{collector.http}"
            await client.post(f"{url}/v1/traces", content=span_request(run.spans), headers=headers)
            await asyncio.sleep(0.5)
            wanted = {"accept": "application/openmetrics-text; version=1.0.0"}
            return await client.get(f"{url}/metrics", headers=wanted)

    with Receiver() as receiver:
        shown = asyncio.run(live(receiver.url))
        sent = [one for sent in receiver.requests for one in records(sent.content)]

    families = {family.name: family for family in parsed(shown.text)}
    calls = [s for s in families["aftershock_agent_tool_call_seconds"].samples if s.exemplar]
    traces = {sample.exemplar.labels["trace_id"] for sample in calls if sample.exemplar}
    assert {span.trace_id.hex() for span in run.spans} == traces
    assert {"/v1/logs"} == {sent.path for sent in receiver.requests}
    assert {"aftershock.step"} == {text_of["event.name"] for _, text_of in sent}
    steps = families["aftershock_agent_steps"].samples
    counted = sum(sample.value for sample in steps if sample.name.endswith("_total"))
    frames = [text_of for _, text_of in sent if text_of["aftershock.step.kind"] == "agent"]
    assert len(sent) - len(frames) == counted > 0
