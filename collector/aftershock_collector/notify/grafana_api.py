"""Grafana's HTTP API: folders, dashboards, data sources, annotations.

Everything that can go wrong becomes one sentence that says what to do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

import httpx

from aftershock_collector.notify import grafana_annotations
from aftershock_collector.notify.http_post import (
    RETRYABLE,
    SAID_CHARS_MAX,
    Permanent,
    Retryable,
    Send,
)
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


class Refused(Exception):  # noqa: N818  (it says what happened)
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
        """Its version; the first thing to ask, because nothing is needed for it."""
        told: Json = _table(self._asked("tell its version", self._api.health.check))
        if "database" not in told:
            raise Refused(f"what answers at {self.url} is not Grafana: give the address of its UI")
        return str(told.get("version") or "unknown")

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
        told: Json = {
            "time_from": began,
            "time_to": began if ended is None else max(began, ended // 1_000_000),
            "tags": list(annotation.tags),
            "text": annotation.text(prefix),
        }
        known = self._drawn(annotation, began)
        if known is None:
            self._asked("draw an annotation", lambda: self._api.annotations.add_annotation(**told))
        elif any(known.get(key) != told[ours] for key, ours in ANNOTATED):
            self._asked(
                "change an annotation",
                lambda: self._api.annotations.update_annotation(known["id"], **told),
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


def annotator(url: str, token: str | None) -> Send:
    """How the outbox draws: each annotation once, and its end when it has one."""
    connected: list[Grafana] = []  # once there is something to draw

    def send(_client: httpx.Client, body: str, _now_ns: int) -> None:
        annotation = grafana_annotations.from_json(json.loads(body))
        try:
            if not connected:
                connected.append(Grafana(url, token))
            connected[0].draw(annotation)
        except Refused as refused:
            status = refused.status
            if not status or status in RETRYABLE or status >= 500:
                raise Retryable(clean(str(refused), SAID_CHARS_MAX)) from refused
            raise Permanent(clean(str(refused), SAID_CHARS_MAX)) from refused

    return send


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
        told: Any = error  # its fields have no types
        status = int(told.status_code or 0)
        raise Refused(_advice(url, what, status, told.response), status) from error
    except requests.exceptions.SSLError as error:
        said = clean(str(error), SAID_CHARS_MAX)
        raise Refused(f"{url} has no certificate that this machine trusts: {said}") from error
    except requests.exceptions.Timeout as error:
        raise Refused(
            f"{url} did not answer within {TIMEOUT_S:.0f} s: is it overloaded?"
        ) from error
    except requests.exceptions.ConnectionError as error:
        raise Refused(f"{url} cannot be reached: {_reason(error)}") from error
    except requests.exceptions.JSONDecodeError as error:
        raise Refused(f"what answers at {url} is not Grafana: it sent no JSON") from error
    except requests.exceptions.RequestException as error:
        raise Refused(f"{url}: {clean(str(error), SAID_CHARS_MAX)}") from error


def _reason(error: Exception) -> str:
    """What a connection failed of, out of the client's wrappings."""
    text = str(error)
    if "resolve" in text or "Name or service" in text or "nodename" in text:
        return "no such host; check the name in the address"
    if "refused" in text:
        return "nothing listens there; is Grafana running, and is the port right?"
    return clean(text, SAID_CHARS_MAX)


def _advice(url: str, what: str, status: int, response: Any) -> str:
    """What an answer means, and what to do."""
    told = _table(response)
    said = clean(str(told.get("message") or response or ""), SAID_CHARS_MAX)
    if status == UNAUTHORIZED:
        return (
            f"{url} does not accept the token (HTTP 401): create a service account token in "
            "Administration > Users and access > Service accounts, with the role Editor"
        )
    if status == FORBIDDEN:
        return f"the token may not {what} (HTTP 403: {said}): give its account the role Editor"
    if status == NOT_FOUND and what == "tell its version":
        return f"what answers at {url} is not Grafana (HTTP 404): is its sub-path missing?"
    if status == CONFLICT:
        return _conflict(what, str(told.get("status") or ""), said)
    if "provisioned" in said.lower():
        return (
            f"cannot {what}: Grafana reads that dashboard from a file (HTTP {status}); change the "
            "file, or remove it from the provisioning and push again"
        )
    return f"Grafana would not {what} (HTTP {status}): {said or 'it did not say why'}"


def _table(value: Any) -> Json:
    """An answer's fields; none where it is something else."""
    return cast("Json", value) if isinstance(value, dict) else {}


def _conflict(what: str, kind: str, said: str) -> str:
    if kind == "version-mismatch":
        return (
            f"cannot {what}: somebody changed it in the same moment (HTTP 412); look at their "
            "change, then push again, or push with --overwrite"
        )
    return (
        f"cannot {what} (HTTP 412 {kind}: {said}): rename or move what stands in its place, or "
        "push into another --folder"
    )
