"""One ASGI middleware in front of every route: host, origin, sender, scope."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from aftershock.guard.protocol import (
    HOOK_PATH,
    HOOK_TEXT_PATH,
    POLL_PATH,
    PREFLIGHT_PATH,
    SPEND_PATH,
    SPENDING_PATH,
    TICKETS_PATH,
)
from aftershock.guard.safeguard_protocol import CANARY_PATH
from aftershock_collector.access.hosts import SAFE_METHODS, Hosts, Refused
from aftershock_collector.access.people import COOKIE
from aftershock_collector.access.senders import Credentials, Senders, bearer_token
from aftershock_collector.access.tokens import Scope as Permission

PROBES = frozenset({"/healthz", "/readyz"})  # platforms' probes carry no token
SIGN_IN, CALLBACK, SIGN_OUT = "/sign-in", "/sign-in/callback", "/sign-out"
OPEN_PATHS = PROBES | {SIGN_IN, CALLBACK, SIGN_OUT}
ALERT_PATHS = frozenset({"/api/v1/alerts/alertmanager", "/api/v2/alerts"})
DEPLOY_PATHS = {f"/api/v1/deploys/{system}": system for system in ("argocd", "flux", "github")}
INGEST_PATHS = frozenset(
    {
        "/v1/traces",
        "/v1/metrics",
        "/v1/logs",
        # What agents' processes ask before a call.
        PREFLIGHT_PATH,
        POLL_PATH,
        TICKETS_PATH,
        SPEND_PATH,
        SPENDING_PATH,
        CANARY_PATH,
        HOOK_PATH,
        HOOK_TEXT_PATH,
    }
)
# What services post when a person answers there; only with a secret, by which it is signed.
ANSWER_PATHS = {f"/api/v1/approvals/{service}": service for service in ("slack", "pagerduty")}
SIGNED_PATHS = DEPLOY_PATHS | ANSWER_PATHS  # whose bodies may be signed instead of a token
# What a form of any site can send is no order: these verify what they are sent by themselves.
TYPED_PATHS = {"/v1/traces", "/v1/metrics", "/v1/logs"} | ALERT_PATHS | SIGNED_PATHS.keys()
JSON = "application/json"
ANSWER_PREFIXES = ("/approvals/", "/api/v1/approvals/")
# One action on one incident or request, as links in messages have it.
SIGNED_PATH = re.compile(r"/(?:incidents|approvals)/[0-9]{1,18}/[a-z]{1,20}")
SENDER = "sender"  # key of a request's state
CERTIFICATE = "certificate"  # key of a connection's state


class Gate:
    """Refuses what may not pass; puts the sender's name into the request's state."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Hosts,
        senders: Senders,
        refused: Callable[[str], None] = lambda _reason: None,
        signed_paths: Collection[str] = (),
        routes: Sequence[BaseRoute] = (),
    ) -> None:
        self._app = app
        self._routes = routes  # the app's: it answers by itself what none of them takes
        self._signed_paths = signed_paths  # whose bodies are signed: verified behind this gate
        self._hosts = hosts
        self._senders = senders
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer why not."""
        if scope["type"] != "http":
            return  # there are no web sockets and no lifespan events here
        headers = Headers(scope=scope)
        try:
            check_framing(headers)
            self._hosts.check(scope["method"], headers)
            if not is_typed(scope["method"], scope["path"], headers.get("content-type", "")):
                self._refuse_type(scope, headers.get("content-type", ""))
            signed = "signature" in QueryParams(scope.get("query_string", b""))
            permission = permission_for(scope["method"], scope["path"], signed=signed)
            if scope["method"] == "POST" and scope["path"] in self._signed_paths:
                permission = None
            state: dict[str, Any] = scope.setdefault("state", {})
            if permission is not None:
                state[SENDER] = self._senders.admit(_credentials(scope, headers), permission)
        except Refused as refused:
            self._refused(refused.reason)
            await self._answer(refused, scope, headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _answer(self, refused: Refused, scope: Scope, headers: Headers) -> Response:
        """Why a request is refused; where people sign in, a browser is sent there."""
        if refused.status == 401 and self._senders.people_sign_in and is_reading(scope, headers):
            return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': place_of(scope)})}", 303)
        return JSONResponse(
            {"code": refused.status, "message": refused.message},
            refused.status,
            {**refused.headers, "Connection": "close"},
        )

    def _refuse_type(self, scope: Scope, kind: str) -> None:
        if any(route.matches(scope)[0] is Match.FULL for route in self._routes):
            raise Refused(415, "content_type", f"content type {kind[:100]!r}: send {JSON}")


def check_framing(headers: Headers) -> None:
    """Refuse a body with two ends: a proxy before us may have found the other one (RFC 9112, 6.3).

    What follows the body would be another request, whose sender the proxy has not checked.
    """
    if "transfer-encoding" in headers and "content-length" in headers:
        raise Refused(400, "framing", "a body has Transfer-Encoding or Content-Length, not both")


def is_typed(method: str, path: str, kind: str) -> bool:
    """Whether no plain form could have sent this: a browser asks nobody before it sends one.

    Our own forms prove by a token that they are ours.
    """
    if method != "POST" or path in TYPED_PATHS or SIGNED_PATH.fullmatch(path):
        return True
    return kind.partition(";")[0].strip().lower() == JSON


def permission_for(method: str, path: str, *, signed: bool = False) -> Permission | None:
    """What a request needs; None: nothing. What is not listed and changes state needs control.

    `signed`: the address carries a signature, which the page behind a signed path verifies.
    """
    if path in OPEN_PATHS or (signed and SIGNED_PATH.fullmatch(path)):
        return None
    if method in SAFE_METHODS:
        return Permission.READ
    if path in INGEST_PATHS:
        return Permission.INGEST
    if path in ALERT_PATHS or path in DEPLOY_PATHS:
        return Permission.ALERTS
    return Permission.ANSWER if path.startswith(ANSWER_PREFIXES) else Permission.CONTROL


def is_reading(scope: Scope, headers: Headers) -> bool:
    """Whether a person's browser asks for a document."""
    return scope["method"] == "GET" and "text/html" in headers.get("accept", "")


def place_of(scope: Scope) -> str:
    """Path and query of a request."""
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])


def _credentials(scope: Scope, headers: Headers) -> Credentials:
    client = scope.get("client")
    return Credentials(
        peer=client[0] if client else "",
        token=bearer_token(headers.get("authorization")),
        certificate=scope["state"].get(CERTIFICATE),
        session=cookie_parser(headers.get("cookie", "")).get(COOKIE),
    )
