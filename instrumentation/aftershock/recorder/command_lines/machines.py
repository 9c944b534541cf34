"""docker and systemctl: verbs, and the containers and units that they name."""

from __future__ import annotations

from aftershock.model import Tier
from aftershock.recorder.command_lines.words import Program, Read, Words, tier_by, valued

_DOCKER = {
    Tier.READ: frozenset(
        [
            "ps",
            "images",
            "logs",
            "inspect",
            "stats",
            "top",
            "version",
            "info",
            "events",
            "port",
            "diff",
            "history",
            "search",
            "ls",
        ]
    ),
    Tier.DESTRUCTIVE: frozenset({"rm", "rmi", "prune", "down", "kill"}),
}
_DOCKER_OBJECTS = {
    "container", "image", "volume", "network", "system", "compose", "service", "stack", "node",
}  # fmt: skip


def _docker(given: Words) -> Read:
    verb, start = given.word(0), 1
    if verb in _DOCKER_OBJECTS:
        verb, start = given.word(1), 2
    tool = " ".join(given.words[:start])
    if verb in {"run", "create", "build", "pull", "push", "login"}:
        name = given.value("--name")
        return tool, Tier.WRITE, [f"container/{name}"] if name else []
    named = given.words[start : start + 1] if verb == "exec" else given.words[start:]
    return tool, tier_by(verb, _DOCKER), [f"container/{each}" for each in named]


_SYSTEMCTL = {
    Tier.READ: frozenset(
        [
            "status",
            "show",
            "cat",
            "list-units",
            "list-unit-files",
            "list-timers",
            "is-active",
            "is-enabled",
            "is-failed",
            "help",
            "list-dependencies",
        ]
    ),
    Tier.DESTRUCTIVE: frozenset(
        {"stop", "kill", "mask", "disable", "isolate", "poweroff", "reboot", "halt"}
    ),
}


def _systemctl(given: Words) -> Read:
    verb = given.word(0) or "list-units"
    units = [each.removesuffix(".service") for each in given.words[1:]]
    return verb, tier_by(verb, _SYSTEMCTL), [f"service/{unit}" for unit in units]


PROGRAMS = {
    "docker": Program(
        valued(
            "--name -p --publish -v --volume -e --env --network -w --workdir -u --user -f --file "
            "--filter --format -t --tag -n --tail --since --until -H --host --entrypoint -m "
            "--memory"
        ),
        _docker,
    ),
    "podman": Program(valued("--name -p -v -e --network -f --filter --format -t --tail"), _docker),
    "systemctl": Program(
        valued("-t --type --state -p --property -H --host -M --machine -s --signal -n --lines"),
        _systemctl,
    ),
}  # fmt: skip
