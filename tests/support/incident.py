"""The incident of the design's first page as values: what output tests render and pages tell."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from aftershock.grade import Grade
from aftershock.model import (
    Action,
    Alternative,
    Change,
    ChangeKind,
    Chart,
    Claim,
    Closing,
    Decision,
    Fact,
    Finding,
    Fingerprint,
    Impact,
    Level,
    Outcome,
    Parts,
    Step,
    StepKind,
    Tier,
    Tokens,
)

S = 1_000_000_000
T0 = 1_768_478_590 * S  # 2026-01-15 12:03:10 UTC
RUN = "9f3c2a7e51b84d06a1c0e2f4b6d8a9c3"
OTHER_RUN = "4be1d0c2a6f94e7788aa10cc55e2d7f1"
TRACE = RUN


def at(seconds: float) -> int:
    return T0 + int(seconds * S)


def tool(
    span: str,
    name: str,
    begins: float,
    lasts: float | None,
    *,
    arguments: str = "a0",
    outcome: Outcome | None = Outcome.OK,
    tier: Tier = Tier.READ,
    targets: tuple[str, ...] = (),
    error: str | None = None,
) -> Step:
    ended = None if lasts is None else at(begins + lasts)
    result = None if lasts is None else Fingerprint("r-" + arguments)
    return Step(
        run_id=RUN,
        span_id=span,
        kind=StepKind.TOOL_CALL,
        name=name,
        began_at_ns=at(begins),
        ended_at_ns=ended,
        trace_id=RUN,
        agent="sre-bot",
        service="sre-bot-app",
        action=Action(
            name,
            Fingerprint(arguments),
            result,
            outcome if lasts is not None else None,
            tier,
            targets,
            error_class=error,
        ),
    )


def inference(span: str, begins: float, lasts: float) -> Step:
    return Step(
        run_id=RUN,
        span_id=span,
        kind=StepKind.INFERENCE,
        name="gpt-4.1-mini",
        began_at_ns=at(begins),
        ended_at_ns=at(begins + lasts),
        trace_id=RUN,
        agent="sre-bot",
        service="sre-bot-app",
        tokens=Tokens(1_240, 85),
    )


def plain(span: str, kind: StepKind, name: str, begins: float, **more: object) -> Step:
    values: dict[str, object] = {
        "run_id": RUN,
        "span_id": span,
        "kind": kind,
        "name": name,
        "began_at_ns": at(begins),
        "ended_at_ns": at(begins),
        "trace_id": RUN,
        "agent": "sre-bot",
    }
    return Step(**(values | more))  # pyright: ignore[reportArgumentType]


def steps() -> list[Step]:
    found = [
        plain("frame", StepKind.AGENT, "sre-bot", 0.0, ended_at_ns=None),
        plain("ask", StepKind.MESSAGE, "user", 0.1),
        inference("i1", 0.4, 2.1),
        tool("t1", "get_metrics", 2.8, 0.4, arguments="m1"),
        inference("i2", 3.5, 1.7),
        tool("t2", "list_deployments", 5.4, 0.9, arguments="d1"),
        inference("i3", 6.6, 2.4),
        tool("t3", "get_runbook", 9.3, 0.3, arguments="b1", outcome=Outcome.EMPTY),
        plain(
            "f1",
            StepKind.FACT,
            "replicas",
            10.0,
            facts=(
                Fact(
                    "replicas", "checkout", "list_deployments", at(10.0), Outcome.OK, span_id="f1"
                ),
            ),
        ),
        inference("i4", 11.2, 6.2),
        plain(
            "d1",
            StepKind.DECISION,
            "decision",
            18.0,
            decision=Decision(
                "bring p95 under 300 ms",
                "scale checkout to 12",
                ("restart", "do nothing"),
                "p95 is 900 ms",
            ),
        ),
        inference("i5", 26.0, 4.4),
        tool(
            "act",
            "scale_deployment",
            31.0,
            3.2,
            arguments="s1",
            tier=Tier.WRITE,
            targets=("service/checkout",),
        ),
        plain(
            "act-http",
            StepKind.OUTGOING,
            "POST",
            31.4,
            parent_id="act",
            targets=("address/127.0.0.1:8080",),
        ),
    ]
    for n in range(7):
        found.append(inference(f"p{n}", 44.0 + 12 * n, 1.6))
        found.append(
            tool(f"s{n}", "get_status", 46.0 + 12 * n, 0.7 if n < 6 else None, arguments="st")
        )
    found += [
        replace(
            step, run_id=OTHER_RUN, trace_id=OTHER_RUN, agent="docs-bot", service="docs-bot-app"
        )
        for step in other_steps()
    ]
    return found


def other_steps() -> list[Step]:
    return [
        inference("o1", 8.0, 3.0),
        tool("o2", "read_page", 11.5, 0.8, arguments="w1"),
        inference("o3", 13.0, 5.5),
        tool(
            "o4",
            "restart_service",
            27.0,
            2.2,
            arguments="w2",
            tier=Tier.WRITE,
            targets=("service/docs",),
        ),
        inference("o5", 30.0, 4.0),
        tool(
            "o6",
            "publish_page",
            35.0,
            1.1,
            arguments="w3",
            outcome=Outcome.FAILED,
            error="HTTP <n>",
            tier=Tier.WRITE,
            targets=("service/docs",),
        ),
    ]


def chart(
    entity: str,
    metric: str,
    unit: str,
    usual: float,
    after: Callable[[float], float],
    *,
    start: float = -240.0,
    end: float = 150.0,
) -> Chart:
    moments = [start + 3.0 * n for n in range(int((end - start) / 3))]
    noise = [
        usual * 0.07 * (math.sin(n * 1.7) + 0.6 * math.sin(n * 0.61)) for n in range(len(moments))
    ]
    values = [
        usual + wiggle if t < 40 else after(t) + wiggle
        for t, wiggle in zip(moments, noise, strict=True)
    ]
    low, high = usual * 0.82, usual * 1.18
    return Chart(
        entity, metric, unit, tuple(at(t) for t in moments), tuple(values), usual, low, high
    )


def charts() -> tuple[Chart, ...]:
    return (
        chart(
            "service/checkout", "latency_p99", "s", 0.21, lambda t: 0.21 + min(1.7, (t - 40) * 0.06)
        ),
        chart(
            "service/checkout",
            "error_ratio",
            "1",
            0.004,
            lambda t: 0.004 + min(0.23, (t - 40) / 400),
        ),
        chart("db/orders", "connections", "1", 38.0, lambda t: min(100.0, 38 + (t - 40) * 2.5)),
        chart("service/docs", "latency_p99", "s", 0.08, lambda _: 0.08),
    )


def impact(probability: float | None = 0.91, label: str = "probable") -> Impact:
    return Impact(
        span_id="act",
        trace_id=TRACE,
        run_id=RUN,
        agent="sre-bot",
        tool="scale_deployment",
        acted_at_ns=at(34.2),
        entity="service/checkout",
        probability=probability,
        label=Grade(label),
        parts=Parts(own=8.4, before=0.6, callee=3.1, alternative=1.2),
        alternatives=(
            Alternative(None, None, "no agent action", 0.06),
            Alternative("o4", OTHER_RUN, "restart_service", 0.03, agent="docs-bot"),
        ),
        judged_at_ns=at(96),
        change=Change(
            "c1",
            ChangeKind.METRIC,
            "service/checkout",
            "latency_p99",
            at(43),
            size=14.2,
            detail="0.21 s before, 1.9 s now",
        ),
        lead_ns=int(8.8 * S),
        comparable=312,
        context_gap=("db/orders connections were at 94 % of their limit for 2 minutes",),
        missing=("only 6 minutes of history",),
        charts=charts(),
    )


def finding(kind: str, subject: str, summary: str, **more: object) -> Finding:
    values: dict[str, object] = {
        "kind": kind,
        "run_id": RUN,
        "subject": subject,
        "level": Level.ALARM,
        "began_at_ns": at(31),
        "as_of_ns": at(34.2),
        "evidence": ("act",),
        "summary": summary,
        "agent": "sre-bot",
        "trace_id": TRACE,
    }
    return Finding(**(values | more))  # pyright: ignore[reportArgumentType]


def missing_fact() -> Claim:
    return Claim(
        finding(
            "missing_fact",
            "scale_deployment/maintenance_window",
            "sre-bot called scale_deployment without ever having read maintenance_window of prod",
            facts=("wanted by policy: maintenance_window of prod, not older than 15 min",),
            lasting=True,
        ),
        opened_at_ns=at(31.2),
    )


def loop() -> Claim:
    return Claim(
        finding(
            "repeated_action",
            "get_status/st",
            "sre-bot called get_status 7 times with the same arguments and learnt nothing new",
            began_at_ns=at(46),
            as_of_ns=at(118),
            evidence=tuple(f"s{n}" for n in range(7)),
        ),
        opened_at_ns=at(70.7),
    )


def blamed(probability: float = 0.91, label: str = "probable", level: Level = Level.ALARM) -> Claim:
    judged = impact(probability, label)
    return Claim(
        finding(
            "agent_impact",
            "service/checkout",
            "scale_deployment probably degraded service/checkout",
            began_at_ns=judged.acted_at_ns,
            as_of_ns=at(96),
            level=level,
            impact=judged,
        ),
        opened_at_ns=at(64),
    )


def closed(claim: Claim, seconds: float = 140, closing: Closing = Closing.RECOVERED) -> Claim:
    return Claim(claim.finding, claim.opened_at_ns, at(seconds), closing)


def claims() -> list[Claim]:
    return [missing_fact(), loop(), blamed()]


def harmless() -> Impact:
    """The other agent's action, judged at the same looks: nothing speaks for it."""
    return replace(
        impact(0.03, "no metric evidence"),
        span_id="o4",
        trace_id=OTHER_RUN,
        run_id=OTHER_RUN,
        agent="docs-bot",
        tool="restart_service",
        acted_at_ns=at(29.2),
        entity="service/docs",
        parts=Parts(own=0.7, before=0.4, callee=0.0, alternative=8.4),
        alternatives=(
            Alternative("act", RUN, "scale_deployment", 0.91, agent="sre-bot"),
            Alternative(None, None, "no agent action", 0.06),
        ),
        change=None,
        lead_ns=None,
        context_gap=(),
        charts=charts()[3:],
    )
