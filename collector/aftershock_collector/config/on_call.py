"""Where pages go, when, and to whom: the section `on_call` of aftershock.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aftershock.policy.policy import parse_seconds

Document = Mapping[str, Any]
Place = tuple[str | int, ...]

KINDS = ("webhook", "slack", "pagerduty", "alertmanager", "opsgenie", "teams", "email")
# Secrets by kind of receiver; the same under `on_call.receivers.<name>.<kind>`.
SECRET_KEYS = {
    "webhook": ("secret",),
    "slack": ("url", "token"),
    "pagerduty": ("routing_key",),
    "opsgenie": ("api_key",),
    "teams": ("url",),
    "email": ("password",),
    "grafana": ("token",),
}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server and who gets pages. `tls`: starttls, implicit, or none (on loopback)."""

    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587  # submission, RFC 6409
    tls: str = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, given: Document) -> Mail:
        """Read a checked `email` section."""
        tls = given.get("tls", "starttls")
        return cls(
            host=given["host"],
            sender=given["from"],
            to=tuple(given["to"]),
            port=given.get("port", 465 if tls == "implicit" else 587),
            tls=tls,
            user=given.get("user"),
            password=given.get("password"),
        )


@dataclass(frozen=True, slots=True)
class NamedReceiver:
    """A further receiver, which routes name."""

    name: str
    kind: str
    settings: Document = field(repr=False)

    def text(self, key: str) -> str:
        """A setting that the schema requires."""
        return str(self.settings[key])

    def optional(self, key: str) -> str | None:
        """A setting that may be left out."""
        value = self.settings.get(key)
        return None if value is None else str(value)

    @property
    def headers(self) -> Mapping[str, str]:
        """Further headers of a webhook."""
        return dict(self.settings.get("headers") or {})


@dataclass(frozen=True, slots=True)
class Route:
    """Agents, the team that owns them, and the receivers that get their pages."""

    agent: str = "*"  # name or glob
    team: str | None = None
    receivers: tuple[str, ...] = ()  # none: all


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When only critical incidents page; the others wait for the end. Minutes after midnight."""

    begins_min: int
    ends_min: int
    timezone: str = "UTC"

    @classmethod
    def parse(cls, given: Document, timezone: str = "UTC") -> QuietHours:
        """Read a checked section: `from` and `until` as HH:MM, in `timezone` if it names none."""
        named = given.get("timezone", timezone)
        return cls(_minutes(given["from"]), _minutes(given["until"]), named)


@dataclass(frozen=True, slots=True)
class OnCall:
    """Where findings go; `None` where no receiver is configured. Secrets do not show in a repr."""

    webhook_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    slack_url: str | None = field(default=None, repr=False)
    pagerduty_routing_key: str | None = field(default=None, repr=False)
    pagerduty_url: str = "https://events.pagerduty.com"
    alertmanager_url: str | None = None
    opsgenie_api_key: str | None = field(default=None, repr=False)
    opsgenie_url: str = "https://api.opsgenie.com"
    teams_url: str | None = field(default=None, repr=False)
    mail: Mail | None = None
    otlp_url: str | None = None
    link: str | None = None  # None: the collector's own pages
    trace_url: str | None = None  # of one trace, with {trace_id}
    dashboards_url: str | None = None  # Grafana as people reach it; None: as we do
    timezone: str = "UTC"  # of times that people read
    grafana_url: str | None = None
    grafana_token: str | None = field(default=None, repr=False)
    receivers: tuple[NamedReceiver, ...] = ()
    routes: tuple[Route, ...] = ()
    quiet_hours: QuietHours | None = None
    wait_s: float = 5.0  # for siblings: three rules see one loop within a few steps of each other
    severities: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    waits_s: Mapping[str, float] = field(default_factory=dict[str, float])
    approvals: tuple[str, ...] | None = None  # receivers that are asked; None: all
    action_expiry_s: float = 7 * 86_400.0  # as long as findings are kept
    pages_per_minute_max: int = 20  # openings to one receiver; Slack's webhooks allow one a second

    @property
    def dashboards(self) -> str | None:
        """Grafana as people reach it."""
        return self.dashboards_url or self.grafana_url

    def named(self, kind: str) -> tuple[NamedReceiver, ...]:
        """The further receivers of a kind."""
        return tuple(receiver for receiver in self.receivers if receiver.kind == kind)

    def wait_of(self, receiver: str) -> float:
        """Seconds that a receiver's pages wait for findings of the same incident."""
        return self.waits_s.get(receiver, self.wait_s)

    def wants(self, receiver: str, severity: str) -> bool:
        """False where a receiver is configured for other severities only."""
        wanted = self.severities.get(receiver)
        return wanted is None or severity in wanted

    @classmethod
    def parse(cls, given: Document) -> OnCall:
        """Read a checked section."""
        sections: dict[str, Document] = {kind: given.get(kind) or {} for kind in KINDS}
        further: Mapping[str, Document] = given.get("receivers") or {}
        options = {k: section for k, section in sections.items() if section} | dict(further)
        grafana: Document = given.get("grafana") or {}
        found: dict[str, Any] = {
            f"{kind}_url": sections[kind]["url"]
            for kind in ("pagerduty", "opsgenie")
            if "url" in sections[kind]
        }
        found |= {
            f"{key}_s": parse_seconds(given[key])
            for key in ("wait", "action_expiry")
            if key in given
        }
        if "pages_per_minute_max" in given:
            found["pages_per_minute_max"] = given["pages_per_minute_max"]
        if "approvals" in given:
            found["approvals"] = tuple(given["approvals"])
        quiet: Document | None = given.get("quiet_hours")
        timezone: str = given.get("timezone", "UTC")
        return cls(
            webhook_url=sections["webhook"].get("url"),
            webhook_secret=sections["webhook"].get("secret"),
            slack_url=sections["slack"].get("url"),
            pagerduty_routing_key=sections["pagerduty"].get("routing_key"),
            alertmanager_url=sections["alertmanager"].get("url"),
            opsgenie_api_key=sections["opsgenie"].get("api_key"),
            teams_url=sections["teams"].get("url"),
            mail=Mail.parse(sections["email"]) if sections["email"] else None,
            grafana_url=grafana.get("url"),
            grafana_token=grafana.get("token"),
            otlp_url=given.get("otlp"),
            link=given.get("link"),
            trace_url=given.get("trace_url"),
            dashboards_url=given.get("dashboards_url"),
            timezone=timezone,
            receivers=tuple(_named(name, section) for name, section in further.items()),
            routes=tuple(_route(one) for one in given.get("routes") or ()),
            quiet_hours=None if quiet is None else QuietHours.parse(quiet, timezone),
            severities={
                n: frozenset(s["severities"]) for n, s in options.items() if "severities" in s
            },
            waits_s={n: parse_seconds(s["wait"]) for n, s in options.items() if "wait" in s},
            **found,
        )


def _named(name: str, given: Document) -> NamedReceiver:
    kind = next(kind for kind in KINDS if kind in given)
    return NamedReceiver(name, kind, given[kind])


def _route(given: Document) -> Route:
    return Route(given.get("agent", "*"), given.get("team"), tuple(given.get("receivers") or ()))


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def zone_of(timezone: str) -> tzinfo | None:
    """The zone with an IANA name; None for `local`: the machine's own.

    Raises:
        ValueError: there is no such zone.
    """
    if timezone in {"UTC", "local"}:
        return UTC if timezone == "UTC" else None
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"{timezone!r} is no time zone: write Europe/Berlin, UTC or local"
        ) from error


def unknown_zones(on_call: Document) -> Iterator[tuple[Place, str]]:
    """Time zones that this machine does not know: where they stand, and what to write."""
    quiet: Document = on_call.get("quiet_hours") or {}
    named: list[tuple[Place, Any]] = [
        (("timezone",), on_call.get("timezone", "UTC")),
        (("quiet_hours", "timezone"), quiet.get("timezone", "UTC")),
    ]
    for place, timezone in named:
        try:
            zone_of(timezone)
        except ValueError as error:
            yield ("on_call", *place), str(error)


def secret_files(document: Document) -> Iterator[tuple[Place, dict[str, Any], str]]:
    """Secrets that are given as files: where they stand, and the section and key to fill in."""
    on_call: dict[str, Any] = document.get("on_call") or {}
    further: dict[str, dict[str, Any]] = on_call.get("receivers") or {}
    places: dict[Place, dict[str, Any]] = {("on_call",): on_call}
    places |= {("on_call", "receivers", name): section for name, section in further.items()}
    for place, sections in places.items():
        for kind, keys in SECRET_KEYS.items():
            owner: dict[str, Any] = sections.get(kind) or {}
            for key in keys:
                if isinstance(owner.get(key), dict):
                    yield (*place, kind, key, "file"), owner, key
    collector: dict[str, dict[str, dict[str, Any]]] = document.get("collector") or {}
    for system, owner in (collector.get("webhooks") or {}).items():
        if isinstance(owner.get("secret"), dict):
            yield ("collector", "webhooks", system, "secret", "file"), owner, "secret"


def unknown_receivers(on_call: Document) -> Iterator[tuple[Place, str, list[str]]]:
    """Names that no receiver has: where they stand, and the names that there are."""
    further: Mapping[str, Any] = on_call.get("receivers") or {}
    known = sorted({kind for kind in KINDS if kind in on_call} | set(further))
    routes: Sequence[Document] = on_call.get("routes") or ()
    named: list[tuple[Place, Sequence[str]]] = [
        (("on_call", "routes", number, "receivers"), route.get("receivers") or ())
        for number, route in enumerate(routes)
    ]
    named.append((("on_call", "approvals"), on_call.get("approvals") or ()))
    for where, names in named:
        for place, name in enumerate(names):
            if name not in known:
                yield (*where, place), name, known
