"""Annotations: what is drawn of findings and actions, and that it is drawn once."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from aftershock.fingerprints.fingerprint import fingerprint_arguments
from aftershock.model import (
    Action,
    Claim,
    Closing,
    Finding,
    Level,
    Outcome,
    Report,
    Step,
    StepKind,
    Tier,
)
from aftershock_collector.config.model import Address, Config, OnCall
from aftershock_collector.notify import grafana_api as edge
from aftershock_collector.notify.deliverer import Deliverer
from aftershock_collector.notify.grafana_annotations import GrafanaAnnotations, parse
from aftershock_collector.notify.http_post import Permanent, Retryable
from aftershock_collector.notify.receiver import Message
from aftershock_collector.service.wiring import running
from aftershock_collector.store.interface import State
from aftershock_collector.store.outbox import SqliteOutbox
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.telemetry import Telemetry
from tests.dashboards.grafana_server import EDITOR, VIEWER, StandIn
from tests.support.traffic import looping_run, span_request

HEADERS = {"content-type": "application/x-protobuf"}
ANY = Address("127.0.0.1", 0)
NS = 10**9
AT = 1_700_000_000 * NS
FINDING = Finding(
    kind="missing_fact", subject="connection_limit orders", run_id="r 1", level=Level.WARN,
    evidence=("aa",), summary="<b>never read</b> connection_limit", began_at_ns=AT, as_of_ns=AT,
    agent="sre-bot",
)  # fmt: skip
CLAIM = Claim(FINDING, opened_at_ns=AT)
CALL = fingerprint_arguments({"service": "checkout"})
OVER = replace(CLAIM, closed_at_ns=AT + 60 * NS, closing=Closing.RUN_ENDED)


def call(number: int = 1, tier: Tier = Tier.PROVISION) -> Step:
    action = Action("scale_workers", CALL, None, Outcome.OK, tier, targets=("service/checkout",))
    return Step(
        run_id="r 1", span_id=f"{number:016x}", kind=StepKind.TOOL_CALL, name="scale_workers",
        began_at_ns=AT, ended_at_ns=AT + NS, agent="sre-bot", action=action,
    )  # fmt: skip


def deliver(store: SqliteStore, grafana: StandIn, token: str = EDITOR) -> int:
    receiver = edge.GrafanaReceiver(grafana.url, token)
    deliverer = Deliverer(SqliteOutbox(store), Telemetry(), [receiver])
    with httpx.Client() as client:
        return deliverer.deliver(client, receiver, time.time_ns())


def test_a_warning_is_drawn_when_it_opens_and_becomes_a_region_when_it_closes(
    tmp_path: Path,
) -> None:
    annotations, store = GrafanaAnnotations(), SqliteStore.open(tmp_path / "store.db")
    with StandIn() as grafana:
        opened = Report(AT, opened=(CLAIM,))
        store.record(opened, annotations.findings(opened), AT)
        assert 1 == deliver(store, grafana)
        (line,) = map(dict, grafana.kept.annotations)
        closed = Report(AT + 60 * NS, closed=(OVER,))
        store.record(closed, annotations.findings(closed), AT)
        assert 1 == deliver(store, grafana)
        (region,) = grafana.kept.annotations
    store.close()

    assert (AT // 10**6, AT // 10**6) == (line["time"], line["timeEnd"])
    assert ["aftershock", "missing_fact", "warn", "sre-bot"] == line["tags"]
    assert "&lt;b&gt;never read" in line["text"]
    assert 'href="/d/aftershock-run?var-run=r%201&amp;from=' in line["text"]
    assert AT // 10**6 + 60_000 == region["timeEnd"]
    assert "(closed: " in region["text"]


def test_telling_again_draws_nothing_twice(tmp_path: Path) -> None:
    """Neither a report that is told again, nor an answer that was lost on its way."""
    annotations, store = GrafanaAnnotations(), SqliteStore.open(tmp_path / "store.db")
    report = Report(AT, opened=(CLAIM,))
    store.record(report, annotations.findings(report), AT)
    store.record(report, annotations.findings(report), AT)
    with StandIn() as grafana:
        assert 1 == deliver(store, grafana)
        (body,) = (d.body for d in annotations.findings(report))
        edge.Grafana(grafana.url, EDITOR).draw(parse(body))
        assert 1 == len(grafana.kept.annotations)
    store.close()


def test_an_action_with_an_effect_is_drawn_once_it_has_ended() -> None:
    annotations = GrafanaAnnotations()
    begun = replace(call(2), ended_at_ns=None)
    (drawn,) = annotations.actions([call(1), begun, call(3, Tier.READ)], AT)
    body = json.loads(drawn.body)

    assert ["aftershock", "action", "provision", "sre-bot", "service/checkout"] == body["tags"]
    assert "sre-bot: scale_workers → service/checkout: 1.0 s" == body["words"]
    assert (AT, AT + NS) == (body["began_at_ns"], body["ended_at_ns"])


def test_more_actions_than_a_chart_can_show_are_counted_and_left_out() -> None:
    annotations = GrafanaAnnotations(actions_max=2)
    drawn = annotations.actions([call(number) for number in range(5)], AT)
    later = annotations.actions([call(9)], AT + 61 * NS)

    assert (2, 1) == (len(drawn), len(later))
    assert {"action_undrawn": 3} == dict(annotations.dropped)


def test_two_findings_of_one_moment_are_two_annotations() -> None:
    other = replace(CLAIM, finding=replace(FINDING, subject="maintenance_window prod"))
    with StandIn() as grafana:
        for one in GrafanaAnnotations().findings(Report(AT, opened=(CLAIM, other))):
            edge.Grafana(grafana.url, EDITOR).draw(parse(one.body))

        assert 2 == len(grafana.kept.annotations)


def test_what_may_work_later_is_tried_again_and_what_never_will_is_given_up() -> None:
    (one,) = GrafanaAnnotations().findings(Report(AT, opened=(CLAIM,)))
    other = replace(CLAIM, finding=replace(FINDING, subject="maintenance_window prod"))
    (two,) = GrafanaAnnotations().findings(Report(AT, opened=(other,)))
    with httpx.Client() as client, StandIn(down=1) as grafana:
        receiver = edge.GrafanaReceiver(grafana.url, EDITOR)
        with pytest.raises(Retryable, match="503"):
            receiver.send(client, Message(State.OPENED, one.body, AT))
        receiver.send(client, Message(State.OPENED, one.body, AT))
        with pytest.raises(Permanent, match="role Editor"):
            edge.GrafanaReceiver(grafana.url, VIEWER).send(
                client, Message(State.OPENED, two.body, AT)
            )
        grafana_url = grafana.url
    with httpx.Client() as client, pytest.raises(Retryable, match="nothing listens"):
        edge.GrafanaReceiver(grafana_url, EDITOR).send(client, Message(State.OPENED, one.body, AT))
    with httpx.Client() as client, pytest.raises(Permanent, match="not an address"):
        edge.GrafanaReceiver("http://", EDITOR).send(client, Message(State.OPENED, one.body, AT))


def test_links_of_a_grafana_below_a_path_keep_the_path() -> None:
    (one,) = GrafanaAnnotations().findings(Report(AT, opened=(CLAIM,)))
    with StandIn(prefix="/grafana") as grafana:
        edge.Grafana(grafana.url, EDITOR).draw(parse(one.body))

        assert 'href="/grafana/d/aftershock-run?' in grafana.kept.annotations[0]["text"]


def test_the_outbox_of_another_version_is_refused() -> None:
    (one,) = GrafanaAnnotations().findings(Report(AT, opened=(CLAIM,)))
    body = json.loads(one.body) | {"version": 2}
    with pytest.raises(ValueError, match="version 2"):
        parse(json.dumps(body))


def test_a_running_collector_draws_what_agents_do_and_what_is_found(tmp_path: Path) -> None:
    run = looping_run(random.Random(1), began_ns=time.time_ns())
    body = span_request(run.spans[:-1])
    policy = {"tools": {"search": {"tier": "write"}}}

    async def live(url: str) -> None:
        on_call = OnCall(grafana_url=url, grafana_token=EDITOR)
        config = Config(
            home=tmp_path, http=ANY, grpc=ANY, tick_s=0.05, on_call=on_call, document=policy
        )
        async with running(config) as collector, httpx.AsyncClient() as agent:
            place = f"http://{collector.http}/v1/traces"
            await agent.post(place, content=body, headers=HEADERS)
            await asyncio.sleep(1.0)
            await agent.post(place, content=body, headers=HEADERS)
            await asyncio.sleep(1.0)

    with StandIn() as grafana:
        asyncio.run(live(grafana.url))
        tags = [one["tags"][1] for one in grafana.kept.annotations]

    assert ["action", "repeated_action"] == sorted(tags)
