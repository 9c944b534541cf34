"""People sign in at a real OpenID Connect provider over loopback, and answer under their names."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from aftershock_collector.access.people import (
    COOKIE,
    NotAPerson,
    Person,
    Sessions,
    name_of_person,
    person_of,
)
from aftershock_collector.access.tokens import Scope, TokenError, Tokens
from aftershock_collector.config.model import Address, Config, OnCall
from aftershock_collector.config.oidc import Oidc
from aftershock_collector.service.wiring import running
from aftershock_collector.store.reader import Reader
from aftershock_collector.views.sign_in import safe_place
from tests.collector.access.test_forged_forms import TOKEN, stored_incident

with warnings.catch_warnings():  # the provider uses an old module of its library
    warnings.simplefilter("ignore")
    from oidc_provider_mock import User, run_server_in_thread

# The provider of these tests uses what its library will drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib")
EVERYWHERE = Address("0.0.0.0", 0)
HTML = {"accept": "text/html"}
ACKNOWLEDGE = "/incidents/1/acknowledge"
PEOPLE = [
    User(sub="ann", claims={"email": "ann@shop.example", "groups": ["sre"]}),
    User(sub="bob", claims={"email": "bob@shop.example", "groups": ["sales"]}),
    User(sub="eve", claims={"email": "ann@shop.example", "email_verified": False}),
]
MINE = Oidc("http://127.0.0.1:9", "aftershock", "secret", {"sre": ("read", "control")})


@pytest.fixture
def issuer() -> Generator[str]:
    with run_server_in_thread(user_claims=PEOPLE) as provider:
        yield f"http://localhost:{provider.server_port}"


@asynccontextmanager
async def collector(home: Path, issuer: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A collector that other machines reach, with one open incident; and a browser."""
    config = Config(
        home, http=EVERYWHERE, grpc=EVERYWHERE, on_call=OnCall(action_expiry_s=1e10),
        oidc=replace(MINE, issuer=issuer, groups={"sre": ("read", "control"), "*": ("read",)}),
    )  # fmt: skip
    stored_incident(home)
    async with running(config) as up, httpx.AsyncClient(timeout=30, headers=HTML) as browser:
        browser.base_url = f"http://127.0.0.1:{up.http.port}"
        yield browser


async def sign_in(browser: httpx.AsyncClient, who: str, place: str = "/") -> httpx.Response:
    """What a person sees who follows a link, signs in, and is led back."""
    asked = await browser.get(place, follow_redirects=True)
    assert "/oauth2/authorize" in str(asked.url), asked.text
    led = await browser.post(asked.url, data={"sub": who})
    return await browser.get(led.headers["location"], follow_redirects=True)


def test_a_person_who_signs_in_is_led_back_and_acts_under_that_name(
    tmp_path: Path, issuer: str
) -> None:
    async def act() -> tuple[str, httpx.Response, int]:
        async with collector(tmp_path, issuer) as browser:
            page = await sign_in(browser, "ann", "/incidents/1")
            form = dict(TOKEN.findall(page.text))
            fields = {"by": "Mallory", "because": "mine", "form_token": form[ACKNOWLEDGE]}
            done = await browser.post(ACKNOWLEDGE, data=fields)
            forged = await browser.post(ACKNOWLEDGE, data={"by": "ann", "because": "x"})
            return page.url.path, done, forged.status_code

    place, done, forged = asyncio.run(act())

    assert place == "/incidents/1"
    assert "Incident 1 is acknowledged by ann@shop.example." in done.text
    assert "Mallory" not in done.text
    assert forged == 403
    with Reader.open(Config(tmp_path).store) as reader:
        assert [one.by for one in reader.responses(1)] == ["ann@shop.example"]


def test_a_group_permits_what_it_is_given_and_nothing_else(tmp_path: Path, issuer: str) -> None:
    async def act() -> tuple[int, httpx.Response, int]:
        async with collector(tmp_path, issuer) as browser:
            page = await sign_in(browser, "bob", "/incidents/1")
            form = dict(TOKEN.findall(page.text))
            fields = {"because": "mine", "form_token": form[ACKNOWLEDGE]}
            stop = {"verb": "stop", "all": True, "by": "bob", "because": "x"}
            return (
                page.status_code,
                await browser.post(ACKNOWLEDGE, data=fields),
                (await browser.post("/v1/orders", json=stop)).status_code,
            )

    shown, refused, ordered = asyncio.run(act())

    assert shown == 200
    assert (refused.status_code, ordered) == (403, 403)
    assert refused.json()["message"] == "bob@shop.example is in no group with the scope 'control'"


def test_an_address_that_the_provider_did_not_verify_is_part(tmp_path: Path, issuer: str) -> None:
    async def act() -> httpx.Response:
        async with collector(tmp_path, issuer) as browser:
            return await sign_in(browser, "eve")

    refused = asyncio.run(act())

    assert refused.status_code == 403
    assert "did not verify the address ann@shop.example" in refused.text
    assert COOKIE not in refused.cookies


def test_an_answer_that_nobody_asked_for_signs_nobody_in(tmp_path: Path, issuer: str) -> None:
    """As another site would have it: a callback of its own sign-in, to act under its name."""

    async def act() -> httpx.Response:
        async with collector(tmp_path, issuer) as browser:
            return await browser.get("/sign-in/callback?code=stolen&state=invented")

    refused = asyncio.run(act())

    assert refused.status_code == 403
    assert COOKIE not in refused.cookies


def test_a_provider_that_is_away_is_said_and_tokens_go_on(tmp_path: Path) -> None:
    async def act() -> tuple[httpx.Response, int, int]:
        async with collector(tmp_path, MINE.issuer) as browser:
            _, secret = Tokens(Config(tmp_path).tokens).create("ops", [Scope.READ])
            away = await browser.get("/", follow_redirects=True)
            header = {"authorization": f"Bearer {secret}"}
            return (
                away,
                (await browser.get("/", headers=header)).status_code,
                (await browser.get("/", headers={"accept": "application/json"})).status_code,
            )

    away, by_token, by_nothing = asyncio.run(act())

    assert away.status_code == 503
    assert "http://127.0.0.1:9 cannot be asked" in away.text
    assert (by_token, by_nothing) == (200, 401)


def test_signing_out_forgets_the_browser(tmp_path: Path, issuer: str) -> None:
    async def act() -> tuple[bool, bool, int]:
        async with collector(tmp_path, issuer) as browser:
            await sign_in(browser, "ann")
            known = COOKIE in browser.cookies
            await browser.get("/sign-out")
            return known, COOKIE in browser.cookies, (await browser.get("/")).status_code

    assert asyncio.run(act()) == (True, False, 303)


# --- Cookies and claims ---------------------------------------------------------------------------


def test_a_cookie_is_good_for_one_process_and_one_time() -> None:
    ann = Person("ann", frozenset({Scope.READ}))
    sessions, over = Sessions(60), Sessions(-1)

    assert sessions.person(sessions.make(ann)) == ann
    assert Sessions(60).person(sessions.make(ann)) is None
    assert over.person(over.make(ann)) is None
    assert sessions.person(sessions.make(ann)[:-1]) is None
    for text in ("", ".", "a.b.c", "x" * 10_000, "ü"):
        assert sessions.person(text) is None


@pytest.mark.parametrize("groups", [None, {}, 7, ["sales"], [["sre"]], "sales"])
def test_who_is_in_no_known_group_may_do_nothing(groups: object) -> None:
    assert person_of({"email": "a@b", "groups": groups}, MINE).scopes == frozenset()


@pytest.mark.parametrize("groups", ["sre", ["sales", "sre"]])
def test_a_group_is_given_alone_or_in_a_list(groups: object) -> None:
    person = person_of({"email": "a@b", "groups": groups}, MINE)

    assert person.scopes == {Scope.READ, Scope.CONTROL}
    assert name_of_person(person.sender) == "a@b"


@pytest.mark.parametrize("email", [None, "", " \u200b ", 7, ["a@b"]])
def test_claims_that_name_nobody_are_refused(email: object) -> None:
    with pytest.raises(NotAPerson, match="gave no 'email'"):
        person_of({"email": email, "groups": ["sre"]}, MINE)


def test_no_token_can_have_the_name_of_a_person(tmp_path: Path) -> None:
    with pytest.raises(TokenError, match="person"):
        Tokens(tmp_path / "tokens.json").create("person ann@shop.example", [Scope.READ])


@pytest.mark.parametrize(
    "text", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\nb"]
)
def test_nobody_is_led_to_another_site(text: str) -> None:
    assert safe_place(text) == "/"


def test_a_place_of_ours_keeps_its_query() -> None:
    assert safe_place("/incidents?agent=sre-bot") == "/incidents?agent=sre-bot"
