"""Writes rules/*.yml, the same bytes each time; or says which of them are not what they should be.

    python -m alerts [--check] [--aftershock URL] [--grafana URL] [--out DIR]

The base URLs are where runbooks and dashboards are reached by whoever is paged. The committed files
derive them from Prometheus' own external URL and the ports of docker-compose.yml.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

from alerts import agents, infrastructure, pipeline, recording
from alerts.rule import Alert, Group, Places

RULES = Path(__file__).parent / "rules"
HOST = '{{ reReplaceAll ":[0-9]+$" "" $externalURL }}'  # scheme and host of Prometheus
LOCAL = Places(aftershock=f"{HOST}:4320", grafana=f"{HOST}:3000")
GROUPS: tuple[Group, ...] = (
    agents.GROUP,
    infrastructure.GROUP,
    pipeline.GROUP,
    recording.GROUP,
)


def alerts() -> list[Alert]:
    """Every alert of every group."""
    return [rule for group in GROUPS for rule in group.rules if isinstance(rule, Alert)]


def files(places: Places = LOCAL, folder: Path = RULES) -> dict[Path, str]:
    """What each file should hold."""
    return {folder / f"{group.name}.yml": text_of(group, places) for group in GROUPS}


def text_of(group: Group, places: Places) -> str:
    """One rule file."""
    body = yaml.safe_dump(group.document(places), sort_keys=False, width=100, allow_unicode=True)
    return f"# {group.title}. Written by `python -m alerts`: change alerts/*.py.\n{body}"


def differences() -> list[str]:
    """Names of files that are missing, outdated, or written by no group."""
    wanted = files()
    wrong = [path.name for path in sorted(RULES.glob("*.yml")) if path not in wanted]
    for path, text in wanted.items():
        if not path.is_file() or path.read_text("utf-8") != text:
            wrong.append(path.name)
    return wrong


def main() -> int:
    """Write, or check. Returns 1 where a check found a difference."""
    parser = argparse.ArgumentParser(prog="python -m alerts")
    parser.add_argument("--check", action="store_true", help="write nothing, name what differs")
    parser.add_argument("--aftershock", default=LOCAL.aftershock, help="base URL of the runbooks")
    parser.add_argument("--grafana", default=LOCAL.grafana, help="base URL of the dashboards")
    parser.add_argument("--out", type=Path, default=RULES, help="where the files go")
    arguments = parser.parse_args()
    if arguments.check:
        wrong = differences()
        if wrong:
            sys.stderr.write(f"not as `python -m alerts` writes them: {', '.join(wrong)}\n")
        return int(bool(wrong))
    arguments.out.mkdir(parents=True, exist_ok=True)
    places = Places(arguments.aftershock.rstrip("/"), arguments.grafana.rstrip("/"))
    for path, text in files(places, arguments.out).items():
        path.write_text(text, "utf-8")
    return 0
