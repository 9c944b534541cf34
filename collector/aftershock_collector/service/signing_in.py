"""Whether people sign in, and the routes by which they do."""

from __future__ import annotations

from starlette.routing import Route

from aftershock_collector.access.people import Sessions
from aftershock_collector.config.model import Config


class SignInUnavailable(Exception):  # noqa: N818  (it names a state, and reads so in `except`)
    """People are to sign in, and what that needs is not installed; says what to install."""


def signing_in(config: Config, routes: list[Route]) -> Sessions | None:
    """Add the routes of signing in; returns the sessions, None where nobody signs in."""
    if config.oidc is None:
        return None
    try:
        from aftershock_collector.views.sign_in import SignIn  # noqa: PLC0415  (an extra)

        sessions = Sessions(config.oidc.session_s)
    except ModuleNotFoundError as error:
        message = f"collector.oidc needs {error.name}: pip install 'aftershock[oidc]'"
        raise SignInUnavailable(message) from error
    link = config.on_call.link or ""
    secure = config.tls.certificate is not None or link.startswith("https://")
    routes += SignIn(config.oidc, sessions, secure, link).routes()
    return sessions
