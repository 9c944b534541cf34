"""Grafana's HTTP API: folders, dashboards, data sources, annotations.

Everything that can go wrong becomes one sentence that says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

import httpx

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify import grafana_annotations
from aftershock_collector.notify.http_post import (
    ANSWER_CHARS_MAX,
    RETRYABLE,
    Permanent,
    Retryable,
)
from aftershock_collector.notify.receiver import Content, Message, OpenPages, Receiver, Updates
from aftershock_collector.wording import clean

if TYPE_CHECKING:
    from grafana_client import GrafanaApi

Json = dict[str, Any]

TIMEOUT_S = 10.0
FOUND_MAX = 100  # annotations of one moment: among so many ours is found
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
NEVER = -1  # no status of HTTP: the address itself is wrong
CONFLICT = 412  # Grafana's "precondition failed"


class Refused(Exception):  # noqa: N818  (it names what happened)
    """What Grafana did not do, and what to do about it.

    `status` is 0 where nobody answered, and NEVER where it is not even worth asking.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Source(NamedTuple):
    """A data source as Grafana knows it."""

    uid: str
    type: str
    name: str


class Grafana:
    """One Grafana; every method raises Refused."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        self._api: Any = _connected(self.url, token)  # its methods have no types

    def version(self) -> str:
        """Its version. Needs no token, so it is asked first."""
        health: Json = _table(self._asked("report its version", self._api.health.check))
        if "database" not in health:
            raise Refused(f"what answers at {self.url} is not Grafana: give the address of its UI")
        return str(health.get("version") or "unknown")

    def sources(self) -> list[Source] | None:
        """All data sources; None where the token may not list them."""
        try:
            found = self._asked("list data sources", self._api.datasource.list_datasources)
        except Refused as refused:
            if refused.status == FORBIDDEN:
                return None
            raise
        return [Source(one["uid"], one["type"], one["name"]) for one in found]

    def folder(self, title: str) -> str | None:
        """The uid of a top-level folder."""
        found = self._asked("list folders", self._api.folder.get_all_folders)
        return next((one["uid"] for one in found if one["title"] == title), None)

    def add_folder(self, title: str, uid: str) -> str:
        """Make a folder; returns its uid."""
        made = self._asked(
            f"create the folder {title!r}", lambda: self._api.folder.create_folder(title, uid)
        )
        return str(made["uid"])

    def dashboard(self, uid: str) -> Json | None:
        """A dashboard with its `meta`; None where there is none."""
        try:
            return self._asked(f"show {uid}", lambda: self._api.dashboard.get_dashboard(uid))
        except Refused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise

    def save(self, dashboard: Json, folder: str, *, message: str, overwrite: bool) -> Json:
        """Create or replace a dashboard; without `overwrite` only the version that it names."""
        body = {
            "dashboard": dashboard,
            "folderUid": folder,
            "message": message,
            "overwrite": overwrite,
        }
        what = f"save {dashboard['uid']}"
        return self._asked(what, lambda: self._api.dashboard.update_dashboard(body))

    def draw(self, annotation: grafana_annotations.Annotation) -> None:
        """Make an annotation what it should be; doing it again changes nothing."""
        prefix = urlsplit(self.url).path.rstrip("/")
        began = annotation.began_at_ns // 1_000_000
        ended = annotation.ended_at_ns
        wanted: Json = {
            "time_from": began,
            "time_to": began if ended is None else max(began, ended // 1_000_000),
            "tags": list(annotation.tags),
            "text": annotation.text(prefix),
        }
        known = self._drawn(annotation, began)
        if known is None:
            self._asked(
                "draw an annotation", lambda: self._api.annotations.add_annotation(**wanted)
            )
        elif any(known.get(key) != wanted[ours] for key, ours in ANNOTATED):
            self._asked(
                "change an annotation",
                lambda: self._api.annotations.update_annotation(known["id"], **wanted),
            )

    def _drawn(self, annotation: grafana_annotations.Annotation, began: int) -> Json | None:
        """What was drawn before under the same key."""
        found = self._asked(
            "find annotations",
            lambda: self._api.annotations.get_annotation(
                time_from=began - 1,
                time_to=began + 1,
                tags=[grafana_annotations.TAG],
                ann_type="annotation",
                limit=FOUND_MAX,
            ),
        )
        return next((one for one in found if f"#{annotation.key}" in one.get("text", "")), None)

    def _asked(self, what: str, ask: Callable[[], Any]) -> Any:
        with _explained(self.url, what):
            return ask()


ANNOTATED = (("time", "time_from"), ("timeEnd", "time_to"), ("tags", "tags"), ("text", "text"))


class GrafanaReceiver:
    """Draws each annotation once, and its end when it has one."""

    def __init__(self, url: str, token: str | None) -> None:
        self.name = grafana_annotations.GRAFANA
        self.content = Content.ANNOTATIONS
        self.updates = Updates.FOLD
        self.renew_every_s: float | None = None
        self._url = url
        self._token = token
        self._grafana: Grafana | None = None  # connected at the first annotation

    def send(self, client: httpx.Client, message: Message) -> str | None:  # noqa: ARG002
        """Draw one annotation."""
        annotation = grafana_annotations.parse(message.body)
        try:
            if self._grafana is None:
                self._grafana = Grafana(self._url, self._token)
            self._grafana.draw(annotation)
        except Refused as refused:
            status, text = refused.status, clean(str(refused), ANSWER_CHARS_MAX)
            if not status or status in RETRYABLE or status >= 500:
                raise Retryable(text) from refused
            raise Permanent(text) from refused
        return None

    def renew(self, client: httpx.Client, now_ns: int) -> None:
        """Nothing: Grafana keeps annotations."""


def receivers(on_call: OnCall, _open_pages: OpenPages) -> Iterator[Receiver]:
    """The Grafana that is configured."""
    if on_call.grafana_url:
        yield GrafanaReceiver(on_call.grafana_url, on_call.grafana_token)


def _connected(url: str, token: str | None) -> GrafanaApi:
    """The client. Its `from_url` mistakes sub-paths and IPv6 hosts, so the parts are given."""
    from grafana_client import GrafanaApi  # noqa: PLC0415  (half a second that few need)

    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise Refused(f"{url!r} is not an address: {error}", NEVER) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise Refused(f"{url!r} is not an address: write http://host:3000", NEVER)
    path = parts.path.strip("/")
    return GrafanaApi(
        token,
        protocol=parts.scheme,
        host=f"[{host}]" if ":" in host else host,
        port=port,
        url_path_prefix=f"{path}/" if path else "",
        timeout=TIMEOUT_S,
        user_agent="aftershock",
    )


@contextmanager
def _explained(url: str, what: str) -> Generator[None]:
    """Turn the client's errors into sentences."""
    import requests  # noqa: PLC0415  (the client's own; as late as it)
    from grafana_client.client import GrafanaException  # noqa: PLC0415

    try:
        yield
    except GrafanaException as error:
        untyped: Any = error
        status = int(untyped.status_code or 0)
        raise Refused(_advice(url, what, status, untyped.response), status) from error
    except requests.exceptions.SSLError as error:
        reason = clean(str(error), ANSWER_CHARS_MAX)
        raise Refused(f"{url} has no certificate that this machine trusts: {reason}") from error
    except requests.exceptions.Timeout as error:
        raise Refused(
            f"{url} did not answer within {TIMEOUT_S:.0f} s: is it overloaded?"
        ) from error
    except requests.exceptions.ConnectionError as error:
        raise Refused(f"{url} cannot be reached: {_reason(error)}") from error
    except requests.exceptions.JSONDecodeError as error:
        raise Refused(f"what answers at {url} is not Grafana: it sent no JSON") from error
    except requests.exceptions.RequestException as error:
        raise Refused(f"{url}: {clean(str(error), ANSWER_CHARS_MAX)}") from error


def _reason(error: Exception) -> str:
    """What a connection failed of, out of the client's wrappings."""
    text = str(error)
    if "resolve" in text or "Name or service" in text or "nodename" in text:
        return "no such host; check the name in the address"
    if "refused" in text:
        return "nothing listens there; is Grafana running, and is the port right?"
    return clean(text, ANSWER_CHARS_MAX)


def _advice(url: str, what: str, status: int, response: Any) -> str:
    """What an answer means, and what to do."""
    answer = _table(response)
    text = clean(str(answer.get("message") or response or ""), ANSWER_CHARS_MAX)
    if status == UNAUTHORIZED:
        return (
            f"{url} does not accept the token (HTTP 401): create a service account token in "
            "Administration > Users and access > Service accounts, with the role Editor"
        )
    if status == FORBIDDEN:
        return f"the token may not {what} (HTTP 403: {text}): give its account the role Editor"
    if status == NOT_FOUND and what == "report its version":
        return f"what answers at {url} is not Grafana (HTTP 404): is its sub-path missing?"
    if status == CONFLICT:
        return _conflict(what, str(answer.get("status") or ""), text)
    if "provisioned" in text.lower():
        return (
            f"cannot {what}: Grafana reads that dashboard from a file (HTTP {status}); change the "
            "file, or remove it from the provisioning and push again"
        )
    return f"Grafana would not {what} (HTTP {status}): {text or 'it gave no reason'}"


def _table(value: Any) -> Json:
    """An answer's fields; none where it is something else."""
    return cast("Json", value) if isinstance(value, dict) else {}


def _conflict(what: str, kind: str, text: str) -> str:
    if kind == "version-mismatch":
        return (
            f"cannot {what}: somebody changed it in the same moment (HTTP 412); look at their "
            "change, then push again, or push with --overwrite"
        )
    return (
        f"cannot {what} (HTTP 412 {kind}: {text}): rename or move what stands in its place, or "
        "push into another --folder"
    )
