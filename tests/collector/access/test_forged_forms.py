"""Requests that change state and that a browser was made to send: real sockets, a whole collector."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest

from aftershock.model import Claim, Report
from aftershock_collector.access.form_tokens import LASTS_S, FormTokens
from aftershock_collector.access.middleware import TYPED_PATHS
from aftershock_collector.access.tokens import Scope, Tokens
from aftershock_collector.config.model import Config, OnCall
from aftershock_collector.notify.incident_book import muted_by
from aftershock_collector.sources.openapi import OPERATIONS
from aftershock_collector.store.incidents import Incident, Severity
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.collector.access.test_attacks import collector
from tests.support import incident

ACKNOWLEDGE, MUTE = "/incidents/1/acknowledge", "/incidents/1/mute"
LASTING = OnCall(action_expiry_s=1e10)  # or the first tick closes an incident of the past
FORM = {"by": "Mallory", "because": "forged"}
TOKEN = re.compile(r'action="([^"?]+)"[^>]*><input type="hidden" name="form_token" value="([^"]+)"')


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A collector's folder with one open incident."""
    stored_incident(tmp_path)
    return tmp_path


def stored_incident(home: Path, claim: Claim | None = None) -> None:
    """Keep one open incident in a collector's folder."""
    claim = claim or incident.blamed()
    found = Incident(
        number=1, key="aftershock-1", title="sre-bot broke checkout", severity=Severity.CRITICAL,
        opened_at_ns=incident.at(64), updated_at_ns=incident.at(64),
        findings=(claim.finding.id,), runs=(incident.RUN,), agents=("sre-bot",),
        kinds=("agent_impact",), open_findings=1,
    )  # fmt: skip
    store = SqliteStore.open(Config(home).store)
    store.record(Report(incident.at(96), opened=(claim,)), (), incident.at(96), incidents=(found,))
    store.close()


def responses(home: Path) -> int:
    with Reader.open(Config(home).store) as reader:
        return len(reader.responses(1)) + len(reader.mutes())


async def tokens_of(client: httpx.AsyncClient, **headers: str) -> dict[str, str]:
    """The form tokens of the incident's page, by where their form leads."""
    page = await client.get("/incidents/1", headers=headers)
    return dict(TOKEN.findall(page.text))


def post(home: Path, path: str, form: Mapping[str, str], **headers: str) -> int:
    async def send() -> int:
        async with collector(home, on_call=LASTING) as (_, client):
            return (await client.post(path, data=form, headers=headers)).status_code

    return asyncio.run(send())


def test_a_form_that_no_page_of_ours_made_changes_nothing(home: Path) -> None:
    """A browser that names neither its origin nor its site, as old ones and some proxies do."""
    assert post(home, ACKNOWLEDGE, FORM) == 403
    assert post(home, ACKNOWLEDGE, FORM | {"form_token": "1.x"}) == 403
    assert post(home, ACKNOWLEDGE, FORM | {"form_token": "９.ü"}) == 403
    assert responses(home) == 0


def test_the_pages_own_form_acts_and_its_token_is_good_for_that_form_only(home: Path) -> None:
    async def act() -> list[int]:
        async with collector(home, on_call=LASTING) as (_, client):
            tokens = await tokens_of(client)
            assert set(tokens) == {
                ACKNOWLEDGE,
                MUTE,
            }  # nothing degraded: it is no question of cause
            wrong = FORM | {"form_token": tokens[ACKNOWLEDGE], "for": "1h"}
            right = FORM | {"form_token": tokens[ACKNOWLEDGE]}
            return [
                (await client.post(MUTE, data=wrong)).status_code,
                (await client.post(ACKNOWLEDGE, data=right)).status_code,
            ]

    assert asyncio.run(act()) == [403, 200]
    assert responses(home) == 1


def test_a_form_of_one_person_is_not_good_in_the_hands_of_another() -> None:
    tokens = FormTokens()
    token = tokens.make("ann", ACKNOWLEDGE, 1_000)

    assert tokens.accepts(token, "ann", ACKNOWLEDGE, 1_000 + LASTS_S)
    assert not tokens.accepts(token, "ann", ACKNOWLEDGE, 1_001 + LASTS_S)
    assert not tokens.accepts(token, "bob", ACKNOWLEDGE, 1_000)
    assert not tokens.accepts(token, "ann", MUTE, 1_000)
    assert not FormTokens().accepts(token, "ann", ACKNOWLEDGE, 1_000)
    assert not tokens.accepts(f"9{token}", "ann", ACKNOWLEDGE, 1_000)


def test_a_program_with_a_bearer_token_needs_no_form(home: Path) -> None:
    """No page of another site can make a browser send that header."""
    _, secret = Tokens(Config(home).tokens).create("ops", [Scope.CONTROL])

    assert post(home, ACKNOWLEDGE, FORM, authorization=f"Bearer {secret}") == 200
    assert responses(home) == 1


ORDERS = [
    one.path
    for one in OPERATIONS
    if one.method == "post" and "{" not in one.path and one.path not in TYPED_PATHS
]


def test_every_order_is_among_those_that_are_tried() -> None:
    assert {"/v1/orders", "/v1/guard/tickets", "/v1/guard/spend", "/v1/preflight"} <= set(ORDERS)


@pytest.mark.parametrize("path", ORDERS)
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
def test_what_a_form_of_any_site_can_send_is_no_order(home: Path, path: str, kind: str) -> None:
    body = b'{"verb": "stop", "all": true, "by": "x", "because": "y", "wait_s": 0}'

    async def send() -> int:
        async with collector(home, on_call=LASTING) as (_, client):
            headers = {"content-type": kind} if kind else {}
            return (await client.post(path, content=body, headers=headers)).status_code

    assert asyncio.run(send()) == 415


@pytest.mark.parametrize("name", ["*", "[a-z]*", "sre-???", None])
def test_a_mute_of_one_agent_hides_no_other_whatever_the_agent_calls_itself(
    tmp_path: Path, name: str | None
) -> None:
    claim = incident.blamed()
    stored_incident(tmp_path, replace(claim, finding=replace(claim.finding, agent=name)))

    async def mute() -> int:
        async with collector(tmp_path, on_call=LASTING) as (_, client):
            form_token = (await tokens_of(client))[MUTE]
            form = {"by": "ann", "for": "2h", "form_token": form_token}
            return (await client.post(MUTE, data=form)).status_code

    status = asyncio.run(mute())
    with Reader.open(Config(tmp_path).store) as reader:
        (kept,) = reader.mutes()

    assert status == 200
    now_ns = kept.given_at_ns
    of = partial(replace, claim.finding)
    assert muted_by(of(agent=name), [kept], now_ns) is kept
    for other in ("sre-bot", "a", None if name else "nobody"):
        assert muted_by(of(agent=other), [kept], now_ns) is None
