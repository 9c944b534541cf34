"""Whether a collector that others can reach asks them who they are; what to say if it does not."""

from __future__ import annotations

from aftershock_collector.access.hosts import is_loopback
from aftershock_collector.access.tokens import TokenError, Tokens
from aftershock_collector.config.model import Config

NOTICE = "Insecure: anybody who reaches this collector may send and read (collector.insecure)."


class Exposed(Exception):  # noqa: N818  (it names a state, and reads so in `except`)
    """The collector would be reachable without asking who is calling; says what to do."""


def exposed_addresses(config: Config) -> tuple[str, ...]:
    """The addresses that other machines can reach."""
    return tuple(str(a) for a in (config.http, config.grpc) if not is_loopback(a.host))


def check_exposure(config: Config, tokens: Tokens) -> None:
    """Raise Exposed if other machines reach a collector that has neither tokens nor consent."""
    exposed = exposed_addresses(config)
    if not exposed or config.insecure or config.tls.client_ca or config.oidc or tokens.holds():
        return
    raise Exposed(
        f"{' and '.join(exposed)} can be reached from other machines and no token exists: run "
        "`aftershock token create NAME --scope ingest` first, bind to 127.0.0.1, or set "
        "collector.insecure: true in aftershock.yaml"
    )


def exposure_warning(config: Config, tokens: Tokens) -> str | None:
    """What is wrong with who can reach the collector, for `aftershock check`."""
    try:
        check_exposure(config, tokens)
    except (Exposed, TokenError) as error:
        return str(error)
    return notice(config)


def notice(config: Config) -> str | None:
    """The warning that every page shows, or None."""
    return NOTICE if config.insecure and exposed_addresses(config) else None
