"""`aftershock grafana push`: the dashboards that ship with this command, into a Grafana."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from aftershock_collector.commands import CommandError
from aftershock_collector.commands.up import configured
from aftershock_collector.config.shipped_files import shipped
from aftershock_collector.notify.grafana_api import CONFLICT, Grafana, Refused, Source

Json = dict[str, Any]

FOLDER = "Aftershock"
FOLDER_UID = "aftershock"  # as the provisioned one has, so that both ways lead to one folder
TYPES = ("prometheus", "loki", "tempo")  # uids in the files are the names of the types
TOKEN_VARIABLE = "AFTERSHOCK_GRAFANA_TOKEN"  # noqa: S105  (its name, not the token)
URL_VARIABLE = "AFTERSHOCK_GRAFANA_URL"
MESSAGE = "aftershock grafana push"  # in a dashboard's history
SAVES_MAX = 3  # of one dashboard: a busy Grafana refuses its own save now and then
THEIRS = frozenset({"id", "version"})  # Grafana counts these itself


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of one dashboard."""

    what: str  # create | update | unchanged
    dashboard: Json


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    commands = parser.add_subparsers(metavar="push", required=True)
    push = commands.add_parser("push", help="create or update the dashboards")
    push.add_argument("--url", metavar="URL", help=f"of Grafana; default: {URL_VARIABLE}")
    push.add_argument(
        "--token-file", type=Path, metavar="FILE",
        help=f"a service account token, role Editor; default: {TOKEN_VARIABLE}",
    )  # fmt: skip
    push.add_argument("--folder", default=FOLDER, metavar="TITLE", help=f"default: {FOLDER}")
    push.add_argument(
        "--datasource", action="append", default=[], metavar="TYPE=UID",
        help="which of Grafana's data sources is prometheus, loki or tempo",
    )  # fmt: skip
    push.add_argument("--dry-run", action="store_true", help="say what would be done")
    push.add_argument(
        "--overwrite", action="store_true", help="also where somebody changed it meanwhile"
    )


def main(arguments: argparse.Namespace) -> int:
    """Push; running it again changes nothing."""
    chosen = choices(arguments.datasource)
    url, token = address(arguments)
    boards = dashboards()
    try:
        grafana = Grafana(url, token)
        print_line(f"Grafana {grafana.version()} at {grafana.url}")
        uids = resolved(grafana.sources(), chosen)
        folder = grafana.folder(arguments.folder)
        plans = [planned(grafana, mapped(board, uids), folder) for board in boards]
        if arguments.dry_run:
            print_plan(arguments.folder, folder, plans)
            return 0
        carry_out(grafana, arguments, folder, plans)
    except Refused as refused:
        raise CommandError(str(refused)) from refused
    return 0


# --- What is asked for ----------------------------------------------------------------------------


def choices(given: Sequence[str]) -> dict[str, str]:
    """`--datasource TYPE=UID`, as often as it was given."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, uid = one.partition("=")
        if name not in TYPES or not equals or not uid:
            raise CommandError(f"--datasource {one!r}: write {'|'.join(TYPES)}=UID")
        found[name] = uid
    return found


def address(arguments: argparse.Namespace) -> tuple[str, str | None]:
    """Where Grafana is, and the token: from the options, else the environment, else the file."""
    token = None if arguments.token_file is None else secret(arguments.token_file)
    url: str | None = arguments.url or os.environ.get(URL_VARIABLE)
    token = token or os.environ.get(TOKEN_VARIABLE)
    if url is None or token is None:
        kept = configured(None).on_call
        # A token belongs to its own Grafana: it is not sent to another one.
        if token is None and url in {None, kept.grafana_url}:
            token = kept.grafana_token
        url = url or kept.grafana_url
    if url is None:
        raise CommandError(f"say where Grafana is: --url http://host:3000, or set {URL_VARIABLE}")
    return url, token


def secret(file: Path) -> str:
    """What a file holds."""
    try:
        held = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise CommandError(f"--token-file {file} cannot be read: {reason}") from error
    if not held:
        raise CommandError(f"--token-file {file} is empty")
    return held


def dashboards() -> list[Json]:
    """The dashboards that ship with this command."""
    place = shipped("dashboards/generated")
    found = [json.loads(path.read_text("utf-8")) for path in sorted(place.glob("*.json"))]
    if not found:
        raise CommandError(f"{place} holds no dashboards: run python -m dashboards")
    return found


# --- What has to be done --------------------------------------------------------------------------


def resolved(sources: Sequence[Source] | None, chosen: Mapping[str, str]) -> dict[str, str]:
    """Type → uid: the chosen one, the one that is called so, or the only one of its type."""
    if sources is None:
        print_line("the token may not list data sources: their uids are not checked")
        return {name: chosen.get(name, name) for name in TYPES}
    found: dict[str, str] = {}
    problems: list[str] = []
    for name in TYPES:
        known = [source for source in sources if source.type == name]
        uid = picked(known, chosen.get(name), name)
        if uid is None:
            problems.append(missing(known, chosen.get(name), name))
            continue
        found[name] = uid
        if uid != name:
            print_line(f"data source {name}: {uid}")
    if problems:
        raise CommandError("; ".join(problems))
    return found


def picked(known: Sequence[Source], chosen: str | None, name: str) -> str | None:
    """Of the data sources of one type, the one to use; None where there is no one choice."""
    uids = [source.uid for source in known]
    if chosen is not None:
        return chosen if chosen in uids else None
    if name in uids:
        return name
    return uids[0] if len(uids) == 1 else None


def missing(known: Sequence[Source], chosen: str | None, name: str) -> str:
    """Why no data source could be picked, and what to do."""
    listed = ", ".join(f"{source.uid} ({source.name})" for source in known)
    if chosen is not None:
        there = f"there are: {listed}" if listed else "there is none; add one in Grafana first"
        return f"no {name} data source has the uid {chosen}; {there}"
    if not known:
        return f"Grafana has no {name} data source; add one (Connections > Data sources) and push"
    return f"several data sources are of type {name}: say which, --datasource {name}=UID: {listed}"


def mapped(board: Json, uids: Mapping[str, str]) -> Json:
    """A dashboard that asks this Grafana's data sources."""

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            held = cast("Json", value)
            if held.keys() == {"type", "uid"} and held["uid"] in uids:
                return {"type": held["type"], "uid": uids[held["uid"]]}
            return {key: replaced(inner) for key, inner in held.items()}
        if isinstance(value, list):
            return [replaced(inner) for inner in cast("list[Any]", value)]
        return explored(value, uids) if isinstance(value, str) else value

    return cast("Json", replaced(deepcopy(board)))


def explored(text: str, uids: Mapping[str, str]) -> str:
    """Links to the explorer name their data source in their address."""
    if not text.startswith("/explore?"):
        return text
    for name, uid in uids.items():
        for key in ("datasource", "uid"):
            text = text.replace(quote(f'"{key}":"{name}"'), quote(f'"{key}":"{uid}"'))
    return text


def planned(grafana: Grafana, board: Json, folder: str | None) -> Plan:
    """What is to become of one dashboard, by what Grafana holds."""
    held = grafana.dashboard(board["uid"])
    if held is None:
        return Plan("create", board)
    there: Json = held["dashboard"]
    same = covers(there, board) and held.get("meta", {}).get("folderUid", "") == folder
    return Plan("unchanged" if same else "update", {**board, "version": there.get("version", 0)})


def covers(theirs: Any, ours: Any) -> bool:
    """True where they hold all that we say; Grafana adds defaults of its own."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        held, wanted = cast("Json", theirs), cast("Json", ours)
        return all(
            key in THEIRS or (key in held and covers(held[key], value))
            for key, value in wanted.items()
        )
    if isinstance(ours, list) and isinstance(theirs, list):
        mine, other = cast("list[Any]", ours), cast("list[Any]", theirs)
        return len(mine) == len(other) and all(map(covers, other, mine))
    return theirs == ours


# --- What is done ---------------------------------------------------------------------------------


def carry_out(
    grafana: Grafana, arguments: argparse.Namespace, folder: str | None, plans: Sequence[Plan]
) -> None:
    """Make the folder, save what differs."""
    if folder is None:
        folder = grafana.add_folder(arguments.folder, folder_uid(arguments.folder))
        print_line(f"created    folder {arguments.folder}")
    for plan in plans:
        if plan.what == "unchanged":
            print_line(line("unchanged", plan))
            continue
        saved = saved_in(grafana, plan, folder, overwrite=bool(arguments.overwrite))
        words = line("created" if plan.what == "create" else "updated", plan)
        print_line(f"{words}  {grafana.url}/d/{saved['uid']}")


def saved_in(grafana: Grafana, plan: Plan, folder: str, *, overwrite: bool) -> Json:
    """Save one dashboard; returns Grafana's answer, with its `uid`.

    Grafana counts a dashboard's version up before it commits. Where its own database was busy it
    tries again with the counted version, and refuses its own save as somebody else's change. So a
    refusal counts only if the version there is another one than the one that was planned for.
    """
    for _ in range(SAVES_MAX - 1):
        try:
            return grafana.save(plan.dashboard, folder, message=MESSAGE, overwrite=overwrite)
        except Refused as refused:
            if refused.status != CONFLICT or plan.what != "update":
                raise
            held = grafana.dashboard(plan.dashboard["uid"]) or {}
            if held.get("dashboard", {}).get("version") != plan.dashboard["version"]:
                raise
    return grafana.save(plan.dashboard, folder, message=MESSAGE, overwrite=overwrite)


def folder_uid(title: str) -> str:
    """A uid for a folder, the same each time."""
    return FOLDER_UID if title == FOLDER else f"{FOLDER_UID}-{title.encode().hex()[:24]}"


def print_plan(title: str, folder: str | None, plans: Sequence[Plan]) -> None:
    """What would be done."""
    if folder is None:
        print_line(f"would create  folder {title}")
    for plan in plans:
        verb = "unchanged" if plan.what == "unchanged" else f"would {plan.what}"
        print_line(line(verb, plan, width=13))


def line(verb: str, plan: Plan, width: int = 10) -> str:
    """One dashboard on one line."""
    return f"{verb:<{width}} {plan.dashboard['uid']:<20} {plan.dashboard['title']}"


def print_line(words: str) -> None:
    """One line for whoever runs this."""
    sys.stdout.write(f"{words}\n")
