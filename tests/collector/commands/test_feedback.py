"""A person says what it was: the finding closes, the feedback is kept, pages resolve, the prior moves."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from aftershock.model import Assessment, Claim, Closing, Report
from aftershock.policy.policy import EMPTY
from aftershock_collector.config.model import Address, Config, OnCall
from aftershock_collector.engine.engine import Engine
from aftershock_collector.impact.feedback import closing_words, decided, feedback_on
from aftershock_collector.notify.notifications import Notifications, Notified, Settings
from aftershock_collector.service.wiring import running
from aftershock_collector.service.worker import Worker
from aftershock_collector.store.incidents import Response
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.telemetry import Telemetry
from tests.support import incident
from tests.support.commands import Main, printed_data
from tests.support.receiver import Receiver, eventually
from tests.support.traffic import looping_run, span_request

PROTOBUF = {"content-type": "application/x-protobuf"}
ANY = Address("127.0.0.1", 0)
INFRASTRUCTURE = ("infrastructure", "--by", "Ada", "--because", "the disk was full")


@pytest.fixture
def home(home: Path) -> Path:
    home.mkdir()
    return home


def recorded(home: Path, *claims: Claim) -> None:
    store = SqliteStore.open(home / "aftershock.db")
    impacts = tuple(c.finding.impact for c in claims if c.finding.impact)
    store.record(Report(incident.at(96), opened=claims, impacts=impacts), (), incident.at(96))
    store.close()


def claims(home: Path) -> list[Claim]:
    with Reader.open(home / "aftershock.db") as reader:
        return reader.claims()


def test_without_a_collector_the_finding_closes_and_the_feedback_is_kept(
    main: Main, home: Path
) -> None:
    recorded(home, incident.blamed())
    assert "is 20 times as likely" in main("feedback", "--priors")[1]
    code, text, _ = main("feedback", "latest", *INFRASTRUCTURE)

    assert 0 == code
    assert "closed: the infrastructure did it, says Ada: the disk was full" in text
    assert "feedback on 1 attribution; 0 found the agent behind it, 0.9 were expected" in text
    (claim,) = claims(home)
    assert (Closing.FEEDBACK, "Ada") == (claim.closing, claim.feedback.by if claim.feedback else "")
    assert "a person decided: the infrastructure did it, says Ada" in main("impact")[1]
    assert 1 == printed_data(main, "feedback", "--priors")["feedback"]


def test_a_finding_that_is_over_is_decided_all_the_same(main: Main, home: Path) -> None:
    store = SqliteStore.open(home / "aftershock.db")
    over = incident.closed(incident.blamed())
    store.record(Report(incident.at(150), opened=(over,), closed=(over,)), (), incident.at(150))
    store.close()
    assert 0 == main("feedback", "latest", "agent", "--by", "Ada", "--because", "I saw it")[0]

    (claim,) = claims(home)
    assert over.closed_at_ns == claim.closed_at_ns
    assert "the agent did it, says Ada: I saw it" == closing_words(claim)


@pytest.mark.parametrize(
    ("argv", "wrong", "missing"),
    [
        (("latest", "agent", "--by", "Ada"), 2, "feedback needs --because TEXT"),
        (("latest", "agent", "--because", "x", "--by", " "), 2, "feedback needs --by NAME"),
        (("latest", "--by", "Ada", "--because", "x"), 2, "agent|infrastructure|coincidence"),
        (("nobody", *INFRASTRUCTURE), 1, "no finding begins with 'nobody'"),
    ],
)
def test_feedback_without_a_name_or_a_reason_is_refused(
    main: Main, home: Path, argv: tuple[str, ...], wrong: int, missing: str
) -> None:
    recorded(home, incident.blamed())
    code, _, err = main("feedback", *argv)

    assert code == wrong
    assert missing in err
    assert [None] == [claim.closing for claim in claims(home)]


class Recording(Notifications):
    """Remembers the reports with findings that a person closed."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.reports: list[Report] = []

    def notify(self, report: Report, responses: Sequence[Response] = ()) -> Notified:
        if report.closed:
            self.reports.append(report)
        return super().notify(report, responses)


class Desk:
    """A judging core on a real store, as a running collector has it."""

    def __init__(self, home: Path) -> None:
        self.store = SqliteStore.open(home / "aftershock.db")
        self.reader = Reader.open(home / "aftershock.db")
        self.notifications = Recording(Settings())
        self.judging = Worker(
            Engine(EMPTY), self.store, self.reader, Telemetry(), self.notifications
        )
        self.judging.resume(incident.at(97))

    def feedback_count(self, home: Path) -> int:
        with Reader.open(home / "aftershock.db") as reader:
            return len(reader.unreported_feedback())


def test_a_vote_cast_while_nobody_listened_is_told_by_the_next_collector_once(
    main: Main, home: Path
) -> None:
    recorded(home, incident.blamed())
    main("feedback", "latest", *INFRASTRUCTURE)
    desk = Desk(home)
    for second in (98, 99, 100):
        desk.judging.tick(incident.at(second))

    assert [["agent_impact"]] == [
        [c.finding.kind for c in r.closed] for r in desk.notifications.reports
    ]
    assert 0 == desk.feedback_count(home)
    assert pytest.approx(3.3, abs=0.05) == desk.judging.engine.correlator.observer.no_agent
    again = Desk(home)
    again.judging.tick(incident.at(101))
    assert [] == again.notifications.reports
    assert pytest.approx(3.3, abs=0.05) == again.judging.engine.correlator.observer.no_agent


def test_an_update_that_crosses_feedback_does_not_reopen_the_finding(home: Path) -> None:
    """The collector writes the open finding once more after the vote: the vote wins."""
    claim = incident.blamed()
    recorded(home, claim)
    desk = Desk(home)
    over = decided(
        claim, feedback_on(claim, Assessment.COINCIDENCE, "Ada", "it rained", incident.at(97))
    )
    desk.store.feedback(over, incident.at(97))
    desk.store.record(Report(incident.at(97), updated=(claim,)), (), incident.at(97))
    assert [None] == [one.closing for one in claims(home)]
    desk.judging.tick(incident.at(98))

    (kept,) = claims(home)
    assert over == kept


def test_feedback_resolves_the_page_while_the_collector_runs(home: Path, main: Main) -> None:
    run = looping_run(random.Random(1), began_ns=time.time_ns())
    body = span_request(run.spans[:-1])

    async def live(config: Config) -> None:
        async with running(config) as collector, httpx.AsyncClient() as client:
            base = f"http://{collector.http}"
            await client.post(f"{base}/v1/traces", content=body, headers=PROTOBUF)
            await asyncio.to_thread(eventually, lambda: states() == ["opened"])
            give_feedback = [
                sys.executable,
                "-m",
                "aftershock_collector.cli",
                "feedback",
                "latest",
                *INFRASTRUCTURE,
            ]
            with_feedback = await asyncio.to_thread(
                subprocess.run, give_feedback, capture_output=True, text=True, check=False
            )
            assert (0, "") == (with_feedback.returncode, with_feedback.stderr)
            await asyncio.to_thread(eventually, lambda: states() == ["opened", "closed"])
            await client.post(f"{base}/v1/traces", content=body, headers=PROTOBUF)
            await asyncio.sleep(0.5)

    with Receiver() as receiver:

        def pages() -> list[dict[str, Any]]:
            return [request.json for request in receiver.requests]

        def states() -> list[str]:
            return [page["state"] for page in pages()]

        config = Config(
            home=home,
            http=ANY,
            grpc=ANY,
            tick_s=0.05,
            on_call=OnCall(webhook_url=receiver.url, wait_s=0.0),
        )
        asyncio.run(live(config))
        closing = pages()[-1]
        assert ["opened", "closed"] == states()

    assert any(
        "the infrastructure did it, says Ada: the disk was full" in x for x in closing["body"]
    )
    alarms = [claim for claim in claims(home) if claim.finding.kind == "repeated_action"]
    assert [Closing.FEEDBACK] == [claim.closing for claim in alarms]
    assert "says Ada" in main("timeline", "latest")[1]
    assert "says Ada" in main("findings")[1]
    reports = [one["feedback"] for one in printed_data(main, "findings") if one["feedback"]]
    assert [("infrastructure", "Ada")] == [(one["assessment"], one["by"]) for one in reports]


def test_the_old_name_of_the_command_still_works_and_says_the_new_one(
    main: Main, home: Path
) -> None:
    recorded(home, incident.blamed())
    code, out, err = main("verdict", "latest", *INFRASTRUCTURE)

    assert (0, "aftershock verdict is now aftershock feedback\n") == (code, err)
    assert "closed: the infrastructure did it" in out
