"""The page of an incident: what it says first, and that only a form's POST acts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from aftershock.model import Assessment, Report
from aftershock.policy.policy import EMPTY
from aftershock_collector.access.form_tokens import FormTokens
from aftershock_collector.access.middleware import SENDER, permission_for
from aftershock_collector.access.tokens import Scope as Permission
from aftershock_collector.notify.signed_links import LinkAction
from aftershock_collector.store.incidents import Incident, Severity
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from aftershock_collector.views.incident_web import IncidentViews
from tests.support import incident

NOW_S = 4_000_000_000
EVIL = "<script>alert(1)</script>"
Ask = Callable[..., httpx.Response]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    claims = (incident.missing_fact(), incident.blamed())
    found = Incident(
        number=1,
        key="aftershock-1",
        title=f"sre-bot broke checkout {EVIL}",
        severity=Severity.CRITICAL,
        opened_at_ns=incident.at(64),
        updated_at_ns=incident.at(64),
        findings=tuple(claim.finding.id for claim in claims),
        runs=(incident.RUN,),
        agents=("sre-bot", EVIL),
        kinds=("agent_impact", "missing_fact"),
        entities=("service/checkout",),
        open_findings=2,
    )
    store = SqliteStore.open(tmp_path / "aftershock.db")
    store.record(Report(incident.at(96), opened=claims), (), incident.at(96), incidents=(found,))
    store.close()
    return tmp_path / "aftershock.db"


def known(app: ASGIApp) -> ASGIApp:
    """The app behind a gate that knows everybody."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": {SENDER: "Ada"}}, receive, send)

    return served


@pytest.fixture
def ask(place: Path) -> Ask:
    """One request to the pages."""

    def request(method: str, path: str, **form: str) -> httpx.Response:
        async def send() -> httpx.Response:
            store = SqliteStore.open(place)
            forms = FormTokens()
            pages = IncidentViews(place, EMPTY, store, accepts, forms=forms)
            transport = httpx.ASGITransport(known(Starlette(routes=pages.routes())))
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                token = forms.make("Ada", path.partition("?")[0], int(time.time()))
                data = {**form, "form_token": token} if form else None
                found = await client.request(method, path, data=data)
            store.close()
            return found

        return asyncio.run(send())

    return request


def test_the_first_screen_answers_what_a_person_on_call_asks(ask: Ask) -> None:
    page = ask("GET", "/incidents/1")
    text = page.text

    assert 200 == page.status_code
    assert text.index("<h1>sre-bot broke checkout") < text.index("What happened")
    for words in ("scale_deployment", "maintenance_window", "91 %", "How to stop"):
        assert words in text, words
    assert f'href="/runs/{incident.RUN}"' in text
    assert 'href="/runbooks/agent_impact"' in text
    assert EVIL not in text


def test_an_incident_that_is_not_known_is_a_page_too(ask: Ask) -> None:
    assert 404 == ask("GET", "/incidents/9").status_code
    assert 404 == ask("POST", "/incidents/1/delete", by="Ada").status_code


def test_looking_at_a_form_changes_nothing_and_its_post_acts(ask: Ask, place: Path) -> None:
    for action in LinkAction:
        assert 200 == ask("GET", f"/incidents/1/{action}").status_code
    with Reader.open(place) as reader:
        assert ([], [], []) == (reader.responses(1), reader.mutes(), reader.feedback())

    ask("POST", "/incidents/1/acknowledge", by="Ada", because=EVIL)
    muted = ask("POST", "/incidents/1/mute", by="Ada", **{"for": "4h"})
    ask("POST", "/incidents/1/feedback", by="Ada", assessment="infrastructure")

    with Reader.open(place) as reader:
        (response,), (mute,), (feedback,) = reader.responses(1), reader.mutes(), reader.feedback()
    assert ("Ada", EVIL) == (response.by, response.because)
    assert ("sre-bot", "agent_impact") == (mute.agent, mute.rule)
    assert Assessment.INFRASTRUCTURE is feedback.assessment
    assert "Acknowledge by Ada" in muted.text
    assert EVIL not in muted.text


@pytest.mark.parametrize(
    ("action", "form", "words"),
    [
        ("acknowledge", {"by": " "}, "Say who you are."),
        ("feedback", {"by": "Ada", "assessment": "weather"}, "Choose what was behind it."),
        ("mute", {"by": "Ada", "for": "soon"}, "For how long?"),
        ("acknowledge", {"by": "Ada", "because": "x" * 20_000}, "too much text"),
    ],
)
def test_a_form_that_is_wrong_says_so_and_keeps_nothing(
    ask: Ask, place: Path, action: str, form: dict[str, str], words: str
) -> None:
    found = ask("POST", f"/incidents/1/{action}", **form)

    assert 400 == found.status_code
    assert words in found.text
    with Reader.open(place) as reader:
        assert ([], []) == (reader.responses(1), reader.mutes())


def accepts(action: str, number: int, expires_s: int, signature: str, now_s: int) -> bool:
    return signature == f"{action}-{number}-{expires_s}" and now_s <= expires_s


def test_a_signed_link_acts_until_it_expires_and_for_its_own_action_only(ask: Ask) -> None:
    query = f"expires={NOW_S}&signature=acknowledge-1-{NOW_S}"
    good = f"/incidents/1/acknowledge?{query}"

    assert 200 == ask("GET", good).status_code
    assert query.replace("&", "&amp;") in ask("GET", good).text
    assert 200 == ask("POST", good, by="Ada").status_code
    old = "/incidents/1/acknowledge?expires=1&signature=acknowledge-1-1"
    assert 403 == ask("GET", old).status_code
    assert 403 == ask("POST", good.replace("acknowledge?", "mute?"), by="Ada").status_code
    assert 403 == ask("POST", good + "x", by="Ada").status_code


def test_the_door_lets_signed_actions_pass_and_nothing_else() -> None:
    assert permission_for("POST", "/incidents/1/mute", signed=True) is None
    assert permission_for("POST", "/incidents/1/mute") is Permission.CONTROL
    assert permission_for("GET", "/incidents/1", signed=True) is Permission.READ
    assert permission_for("POST", "/v1/traces", signed=True) is Permission.INGEST
