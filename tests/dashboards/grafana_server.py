"""A Grafana on loopback: the real one where there is one, and one that answers as it does.

The stand-in keeps folders, dashboards with their versions, data sources and annotations, and
refuses what Grafana refuses, with Grafana's status codes and words.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.receiver import Loopback, Silent

Json = dict[str, Any]

EDITOR, VIEWER, ADMIN = "an-editors-token", "a-viewers-token", "an-admins-token"
ROLES = {EDITOR: "Editor", VIEWER: "Viewer", ADMIN: "Admin"}
NEEDED = "You'll need additional permissions to perform this action. Permissions needed: {}"
OURS = ("prometheus", "loki", "tempo")


class Refusal(Exception):  # noqa: N818  (it says what it is)
    def __init__(self, status: int, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message} | ({"status": kind} if kind else {})


@dataclass
class Kept:
    """What a Grafana holds."""

    sources: list[Json] = field(default_factory=list[Json])
    folders: list[Json] = field(default_factory=list[Json])
    boards: dict[str, Json] = field(default_factory=dict[str, Json])  # uid → meta and dashboard
    annotations: list[Json] = field(default_factory=list[Json])
    provisioned: set[str] = field(default_factory=set[str])
    asked: list[str] = field(default_factory=list[str])  # "POST /api/dashboards/db"


class StandIn(Loopback):
    """`with StandIn() as grafana: grafana.url`."""

    def __init__(self, *sources: str, prefix: str = "", down: int = 0) -> None:
        self.kept = Kept(
            sources=[{"id": n, "uid": uid, "type": kind, "name": uid.title()}
                     for n, (kind, _, uid) in enumerate(map(parted, sources or OURS), 1)]
        )  # fmt: skip
        self.down = down  # answers with 503 that come first
        self.stumbles = 0  # saves that its own busy database makes it refuse
        self.meddling = False  # somebody saves a dashboard right after it was looked at
        self.turn = threading.Lock()
        stand_in = self

        class Handler(Silent):
            def answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                with stand_in.turn:
                    try:
                        body: Any = stand_in.asked(
                            self.command, self.path, token, json.loads(raw) if raw else {}
                        )
                        status = 200
                    except Refusal as refusal:
                        status, body = refusal.status, refusal.body
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=UTF-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = answer  # noqa: N815  (theirs)

        super().__init__(Handler, prefix)

    # --- Answers -------------------------------------------------------------------------------

    def asked(self, method: str, target: str, token: str, body: Json) -> Any:
        parts = urlsplit(target)
        path = parts.path.removeprefix(self.prefix)
        self.kept.asked.append(f"{method} {path}")
        if not parts.path.startswith(f"{self.prefix}/api/"):
            raise Refusal(404, "Not found")
        if self.down:
            self.down -= 1
            raise Refusal(503, "Service Unavailable")
        if path == "/api/health":
            return {"database": "ok", "version": "13.2.0", "commit": "0000000"}
        if token not in ROLES:
            raise Refusal(401, "Invalid API key")
        query: Json = dict(parse_qs(parts.query))
        for wanted, pattern, answer in self.routes():
            found = re.fullmatch(pattern, path)
            if wanted == method and found:
                return answer(ROLES[token], body, query, *found.groups())
        raise Refusal(404, "Not found")

    def routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        return [
            ("GET", "/api/datasources", self.list_sources),
            ("GET", "/api/folders", self.list_folders),
            ("POST", "/api/folders", self.add_folder),
            ("GET", "/api/dashboards/uid/([^/]+)", self.show_board),
            ("POST", "/api/dashboards/db", self.save_board),
            ("GET", "/api/annotations", self.list_annotations),
            ("POST", "/api/annotations", self.add_annotation),
            ("PUT", "/api/annotations/([0-9]+)", self.change_annotation),
        ]

    def list_sources(self, role: str, _body: Json, _query: Json) -> Any:
        if role != "Admin":
            raise Refusal(403, NEEDED.format("datasources:read"))
        return self.kept.sources

    def list_folders(self, _role: str, _body: Json, _query: Json) -> Any:
        return self.kept.folders

    def add_folder(self, role: str, body: Json, _query: Json) -> Any:
        self.writes(role, "folders:create")
        if any(one["uid"] == body.get("uid") for one in self.kept.folders):
            message = "a folder with the same uid already exists"
            raise Refusal(412, message, "name-exists")
        made = {"id": len(self.kept.folders) + 1, "uid": body["uid"], "title": body["title"]}
        self.kept.folders.append(made)
        return made

    def show_board(self, _role: str, _body: Json, _query: Json, uid: str) -> Any:
        if uid not in self.kept.boards:
            raise Refusal(404, "Dashboard not found")
        shown = deepcopy(self.kept.boards[uid])
        if self.meddling:
            self.kept.boards[uid]["dashboard"]["version"] += 1
        return shown

    def save_board(self, role: str, body: Json, _query: Json) -> Any:
        self.writes(role, "dashboards:write")
        board = deepcopy(body["dashboard"])
        known = self.kept.boards.get(board["uid"])
        if board["uid"] in self.kept.provisioned:
            raise Refusal(400, "Cannot save provisioned dashboard")
        there = known["dashboard"]["version"] if known else 0
        if known and self.stumbles:
            self.stumbles -= 1
            message = "The dashboard has been changed by someone else"
            raise Refusal(412, message, "version-mismatch")
        if known and not body["overwrite"] and board.get("version") != there:
            message = "The dashboard has been changed by someone else"
            raise Refusal(412, message, "version-mismatch")
        number = known["dashboard"]["id"] if known else len(self.kept.boards) + 1
        # Grafana counts, and fills in what was left out.
        board |= {"id": number, "version": there + 1}
        for panel in board["panels"]:
            panel.setdefault("pluginVersion", "13.2.0")
        slug = re.sub("[^a-z]+", "-", board["title"].lower())
        meta = {"folderUid": body["folderUid"], "url": f"/d/{board['uid']}/{slug}"}
        self.kept.boards[board["uid"]] = {"meta": meta, "dashboard": board}
        saved = {"id": number, "uid": board["uid"], "url": meta["url"], "slug": slug}
        return saved | {"status": "success", "version": board["version"]}

    def list_annotations(self, _role: str, _body: Json, query: Json) -> Any:
        since, until = int(query["from"][0]), int(query["to"][0])
        wanted = set(query.get("tags", []))
        return [
            one for one in self.kept.annotations
            if wanted <= set(one["tags"]) and one["time"] <= until and one["timeEnd"] >= since
        ][: int(query["limit"][0])]  # fmt: skip

    def add_annotation(self, role: str, body: Json, _query: Json) -> Any:
        self.writes(role, "annotations:create")
        number = len(self.kept.annotations) + 1
        kept = {key: body[key] for key in ("time", "tags", "text")}
        self.kept.annotations.append(
            kept | {"id": number, "timeEnd": body["timeEnd"] or body["time"]}
        )
        return {"id": number, "message": "Annotation added"}

    def change_annotation(self, role: str, body: Json, _query: Json, number: str) -> Any:
        self.writes(role, "annotations:write")
        known = next(one for one in self.kept.annotations if one["id"] == int(number))
        known |= {key: body[key] for key in ("time", "timeEnd", "tags", "text")}
        return {"message": "Annotation updated"}

    def writes(self, role: str, permission: str) -> None:
        if role == "Viewer":
            raise Refusal(403, NEEDED.format(permission))


def parted(source: str) -> tuple[str, str, str]:
    """`loki=logs`, or `loki` for one whose uid is its type."""
    kind, equals, uid = source.partition("=")
    return kind, equals, uid or kind
