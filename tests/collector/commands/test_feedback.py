"""A person decides: the finding closes, the vote is kept, pages resolve, the prior moves."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from aftershock.model import Assessment, Claim, Closing, Report
from aftershock.policy.policy import EMPTY
from aftershock_collector import cli
from aftershock_collector.config.model import Address, Config, OnCall
from aftershock_collector.engine.engine import Engine
from aftershock_collector.impact.feedback import closing_words, decided, feedback_on
from aftershock_collector.service.wiring import running
from aftershock_collector.service.worker import Worker
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import Store
from aftershock_collector.telemetry import Telemetry
from tests.support import incident
from tests.support.receiver import Receiver, eventually
from tests.support.traffic import looping_run, span_request

PROTOBUF = {"content-type": "application/x-protobuf"}
ANY = Address("127.0.0.1", 0)
SAID = ("infrastructure", "--by", "Ada", "--because", "the disk was full")
Main = Callable[..., tuple[int, str, str]]


@pytest.fixture
def main(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Main:
    monkeypatch.setenv("AFTERSHOCK_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def call(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(argv)
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def recorded(home: Path, *claims: Claim) -> None:
    store = Store.open(home / "aftershock.db")
    impacts = tuple(c.finding.impact for c in claims if c.finding.impact)
    store.record(Report(incident.at(96), opened=claims, impacts=impacts), (), incident.at(96))
    store.close()


def claims(home: Path) -> list[Claim]:
    with Reader.open(home / "aftershock.db") as reader:
        return reader.claims()


def test_without_a_collector_the_finding_closes_and_the_vote_is_kept(
    main: Main, tmp_path: Path
) -> None:
    recorded(tmp_path, incident.blamed())
    assert "starts 2.7 nats" in main("verdict", "--priors")[1]
    code, text, _ = main("verdict", "latest", *SAID)

    assert 0 == code
    assert "closed: the infrastructure did it, says Ada: the disk was full" in text
    assert "moved by +0.3 by people: 1 vote, 0 found the agent behind it, 0.9 were expected" in text
    (claim,) = claims(tmp_path)
    assert (Closing.FEEDBACK, "Ada") == (claim.closing, claim.feedback.by if claim.feedback else "")
    assert "a person decided: the infrastructure did it, says Ada" in main("impact")[1]
    assert 1 == json.loads(main("verdict", "--priors", "--json")[1])["votes"]


def test_a_finding_that_is_over_is_decided_all_the_same(main: Main, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "aftershock.db")
    over = incident.closed(incident.blamed())
    store.record(Report(incident.at(150), opened=(over,), closed=(over,)), (), incident.at(150))
    store.close()
    assert 0 == main("verdict", "latest", "agent", "--by", "Ada", "--because", "I saw it")[0]

    (claim,) = claims(tmp_path)
    assert over.closed_at_ns == claim.closed_at_ns
    assert "the agent did it, says Ada: I saw it" == closing_words(claim)


@pytest.mark.parametrize(
    ("argv", "missing"),
    [
        (("latest", "agent", "--by", "Ada"), "a verdict needs --because TEXT"),
        (("latest", "agent", "--because", "x", "--by", " "), "a verdict needs --by NAME"),
        (("latest", "--by", "Ada", "--because", "x"), "agent|infrastructure|coincidence"),
        (("nobody", *SAID), "no finding begins with 'nobody'"),
    ],
)
def test_a_verdict_without_a_name_or_a_reason_is_refused(
    main: Main, tmp_path: Path, argv: tuple[str, ...], missing: str
) -> None:
    recorded(tmp_path, incident.blamed())
    code, _, said = main("verdict", *argv)

    assert 1 == code
    assert missing in said
    assert [None] == [claim.closing for claim in claims(tmp_path)]


class Desk:
    """A judging core on a real store, as a running collector has it."""

    def __init__(self, home: Path) -> None:
        self.store = Store.open(home / "aftershock.db")
        self.reader = Reader.open(home / "aftershock.db")
        self.told: list[Report] = []

        def tell(report: Report) -> tuple[()]:
            self.told.append(report)
            return ()

        self.judging = Worker(Engine(EMPTY), self.store, self.reader, Telemetry(), tell)
        self.judging.resume(incident.at(97))

    def votes(self, home: Path) -> int:
        with Reader.open(home / "aftershock.db") as reader:
            return len(reader.unreported_feedback())


def test_a_vote_cast_while_nobody_listened_is_told_by_the_next_collector_once(
    main: Main, tmp_path: Path
) -> None:
    recorded(tmp_path, incident.blamed())
    main("verdict", "latest", *SAID)
    desk = Desk(tmp_path)
    for second in (98, 99, 100):
        desk.judging.tick(incident.at(second))

    assert [["agent_impact"]] == [[c.finding.kind for c in r.closed] for r in desk.told]
    assert 0 == desk.votes(tmp_path)
    assert pytest.approx(3.0, abs=0.05) == desk.judging.engine.correlator.observer.nobody
    again = Desk(tmp_path)
    again.judging.tick(incident.at(101))
    assert [] == again.told
    assert pytest.approx(3.0, abs=0.05) == again.judging.engine.correlator.observer.nobody


def test_an_update_that_crosses_a_vote_does_not_reopen_the_finding(tmp_path: Path) -> None:
    """The collector writes the open finding once more after the vote: the vote wins."""
    claim = incident.blamed()
    recorded(tmp_path, claim)
    desk = Desk(tmp_path)
    over = decided(
        claim, feedback_on(claim, Assessment.COINCIDENCE, "Ada", "it rained", incident.at(97))
    )
    desk.store.feedback(over, incident.at(97))
    desk.store.record(Report(incident.at(97), updated=(claim,)), (), incident.at(97))
    assert [None] == [one.closing for one in claims(tmp_path)]
    desk.judging.tick(incident.at(98))

    (kept,) = claims(tmp_path)
    assert over == kept


def test_a_verdict_resolves_the_page_while_the_collector_runs(tmp_path: Path, main: Main) -> None:
    run = looping_run(random.Random(1), began_ns=time.time_ns())
    body = span_request(run.spans[:-1])

    async def live(config: Config) -> None:
        async with running(config) as collector, httpx.AsyncClient() as client:
            base = f"http://{collector.http}"
            await client.post(f"{base}/v1/traces", content=body, headers=PROTOBUF)
            await asyncio.to_thread(eventually, lambda: states() == ["opened"])
            voting = [sys.executable, "-m", "aftershock_collector.cli", "verdict", "latest", *SAID]
            voted = await asyncio.to_thread(
                subprocess.run, voting, capture_output=True, text=True, check=False
            )
            assert (0, "") == (voted.returncode, voted.stderr)
            await asyncio.to_thread(eventually, lambda: states() == ["opened", "closed"])
            await client.post(f"{base}/v1/traces", content=body, headers=PROTOBUF)
            await asyncio.sleep(0.5)

    with Receiver() as receiver:

        def pages() -> list[dict[str, Any]]:
            return [request.json for request in receiver.requests]

        def states() -> list[str]:
            return [page["state"] for page in pages()]

        config = Config(
            home=tmp_path, http=ANY, grpc=ANY, tick_s=0.05, on_call=OnCall(webhook_url=receiver.url)
        )
        asyncio.run(live(config))
        closing = pages()[-1]
        assert ["opened", "closed"] == states()

    assert any(
        "the infrastructure did it, says Ada: the disk was full" in x for x in closing["body"]
    )
    alarms = [claim for claim in claims(tmp_path) if claim.finding.kind == "repeated_action"]
    assert [Closing.FEEDBACK] == [claim.closing for claim in alarms]
    assert "says Ada" in main("timeline", "latest")[1]
    assert "says Ada" in main("findings")[1]
    told = [one["verdict"] for one in json.loads(main("findings", "--json")[1]) if one["verdict"]]
    assert [("infrastructure", "Ada")] == [(one["cause"], one["by"]) for one in told]
