"""Signing in at the OpenID Connect provider: code flow with PKCE, state and nonce, by Authlib."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from aftershock_collector.access.middleware import CALLBACK, SIGN_IN, SIGN_OUT
from aftershock_collector.access.people import COOKIE, NotAPerson, Sessions, person_of
from aftershock_collector.config.oidc import Oidc
from aftershock_collector.views.html.runbook_document import Link, message
from aftershock_collector.views.web_answers import answer

STATE_COOKIE = "aftershock_sign_in"  # state, nonce and PKCE's verifier, until the provider answers
STATE_S = 600  # people look for their second factor
AGAIN = Link(SIGN_IN, "Sign in again")
# A token that is not right, an answer that is none, a provider that is away.
FAILURES = (AuthlibBaseError, JoseError, httpx2.HTTPError, KeyError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True)
class SignIn:
    """The routes of signing in and out.

    Attributes:
        secure: cookies go over HTTPS only.
        base_url: where browsers reach this collector; "": where they say that they asked.
    """

    oidc: Oidc
    sessions: Sessions
    secure: bool
    base_url: str = ""

    def routes(self) -> list[Route]:
        """Three addresses; of other sites a browser only ever follows a link to them."""
        oauth: Any = OAuth()  # Authlib has no types
        oauth.register(
            "people",
            client_id=self.oidc.client_id,
            client_secret=self.oidc.client_secret,
            server_metadata_url=f"{self.oidc.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": " ".join(self.oidc.request),
                "code_challenge_method": "S256",
                "timeout": 10.0,
            },
        )
        provider: Any = oauth.create_client("people")
        states = Middleware(
            SessionMiddleware,
            secret_key=secrets.token_hex(32),
            session_cookie=STATE_COOKIE,
            max_age=STATE_S,
            https_only=self.secure,
            path=SIGN_IN,
        )

        async def begin(request: Request) -> Response:
            request.session.clear()
            try:
                sent: Response = await provider.authorize_redirect(request, self._callback(request))
            except FAILURES as error:
                return failed(f"{self.oidc.issuer} cannot be asked: {_words(error)}", 503)
            request.session["next"] = safe_place(request.query_params.get("next", "/"))
            return sent

        async def end(request: Request) -> Response:
            place = request.session.get("next", "/")
            try:
                token: dict[str, Any] = await provider.authorize_access_token(request)
                person = person_of(token["userinfo"], self.oidc)
            except NotAPerson as error:
                return failed(str(error), 403)
            except FAILURES as error:
                return failed(f"{self.oidc.issuer} did not confirm it: {_words(error)}", 403)
            finally:
                request.session.clear()
            back = RedirectResponse(place, 303, {"Cache-Control": "no-store"})
            back.set_cookie(
                COOKIE,
                self.sessions.make(person),
                max_age=int(self.oidc.session_s),
                secure=self.secure,
                httponly=True,
                samesite="lax",  # or a link in a message would ask again
            )
            return back

        return [
            Route(SIGN_IN, begin, middleware=[states]),
            Route(CALLBACK, end, middleware=[states]),
            Route(SIGN_OUT, self.leave),
        ]

    async def leave(self, _request: Request) -> Response:
        """Forget the cookie in this browser. The provider's own session goes on."""
        left = answer(message("Signed out", "This browser has forgotten you.", [AGAIN]))
        left.delete_cookie(COOKIE, secure=self.secure, httponly=True, samesite="lax")
        return left

    def _callback(self, request: Request) -> str:
        base = self.base_url or str(request.base_url)
        return base.rstrip("/") + CALLBACK


def safe_place(text: str) -> str:
    """A path of ours; what could lead to another site is the start page."""
    is_path = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if is_path and text.isprintable() and len(text) <= 2_000 else "/"


def failed(text: str, status: int) -> Response:
    """A page that says why nobody was signed in."""
    return answer(message("You are not signed in", text, [AGAIN]), status)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
