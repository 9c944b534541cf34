"""Which Host and Origin headers are served: the defence against DNS rebinding and forged forms.

A page in a browser can make the browser send requests here. A rebound name shows in `Host`, a
foreign page in `Origin` or `Sec-Fetch-Site`: browsers set these headers and pages cannot.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from aftershock_collector.config.model import Config

LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
SAFE_METHODS = frozenset({"GET", "HEAD"})
SHOWN_CHARS_MAX = 100  # of a header in an answer


class Refused(Exception):  # noqa: N818  (it names an event, and reads so in `except`)
    """A request that is not served. `status` is HTTP's; `reason` is the label of a counter."""

    def __init__(
        self, status: int, reason: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names under which a collector is served."""

    names: frozenset[str]  # lower case, without a port
    origins: frozenset[str]  # host:port of pages that may call, beside the request's own host
    any_address: bool  # bound to every address of the machine: any IP literal may be one of them

    @classmethod
    def of(cls, config: Config) -> Hosts:
        """Loopback, the bound host, the host of `on_call.link` and `collector.hosts`."""
        names = {host_in(config.http.host), *map(host_in, config.hosts)}
        origins: set[str] = set()
        if config.on_call.link:
            place = urlsplit(config.on_call.link).netloc.rpartition("@")[2].lower()
            names.add(host_in(place))
            origins.add(place)
        return cls(frozenset(names), frozenset(origins), is_wildcard(config.http.host))

    def check(self, method: str, headers: Mapping[str, str]) -> None:
        """Raise Refused for a host that is not ours, or for a request of a foreign page.

        `headers`: by lower-case name. A request without `Host` (HTTP/1.0) cannot be rebound.
        """
        host = headers.get("host", "")
        if host and not self.serves(host):
            message = (
                f"host {host[:SHOWN_CHARS_MAX]!r} is not served here: add it to collector.hosts "
                "in aftershock.yaml if it is a name of this collector"
            )
            raise Refused(421, "host", message)
        origin = headers.get("origin")
        if origin is not None and not self._is_ours(origin, host):
            message = f"requests from pages of {origin[:SHOWN_CHARS_MAX]!r} are refused"
            raise Refused(403, "origin", message)
        site = headers.get("sec-fetch-site", "none").lower()
        if site == "cross-site" and not _is_navigation(method, headers):
            raise Refused(403, "origin", "requests from pages of other sites are refused")
        if site == "same-site" and method not in SAFE_METHODS and origin is None:
            raise Refused(403, "origin", "requests from pages of other hosts are refused")

    def serves(self, host: str) -> bool:
        """Whether a Host header names this collector."""
        name = host_in(host)
        if name in self.names or name in LOOPBACK_NAMES:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or self.any_address

    def _is_ours(self, origin: str, host: str) -> bool:
        try:
            parts = urlsplit(origin.lower())
        except ValueError:
            return False
        if parts.scheme not in ("http", "https"):
            return False  # "null": a sandboxed frame or a file
        return parts.netloc == host.lower() or parts.netloc in self.origins


def host_in(text: str) -> str:
    """The host of `host`, `host:port` or `[v6]:port`, in lower case."""
    text = text.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return text.removesuffix(".")


def is_wildcard(host: str) -> bool:
    """Whether binding to `host` means every address of the machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that is bound to `host`."""
    if host_in(host) in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host_in(host)).is_loopback
    except ValueError:
        return False


def _is_navigation(method: str, headers: Mapping[str, str]) -> bool:
    """A person who follows a link to a page, from a chat for example."""
    return (
        method in SAFE_METHODS
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
