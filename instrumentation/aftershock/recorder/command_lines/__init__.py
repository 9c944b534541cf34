"""What a command line does and to what: tier and targets of tools that operate infrastructure.

A command line is read as its program reads it: options with their values, then words. Nothing is
searched for in its text. SQL is parsed by sqlglot where it is installed (`aftershock[exec]`);
what cannot be parsed may write.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from aftershock.model import Tier
from aftershock.recorder.command_lines import clouds, databases, kubernetes, machines
from aftershock.recorder.command_lines.words import Program, gravest, valued, words_of

TARGETS_MAX = 32
NESTED_MAX = 4  # shells in shells
_SPLIT = re.compile(r"--s|-\w*S")  # of env
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One command line as an action."""

    tool: str  # program and verb: `kubectl scale`
    tier: Tier
    targets: tuple[str, ...] = ()  # entity keys


def read_command(argv: Sequence[str], depth: int = 0) -> CommandLine:
    """What a command line does; of a program that is not known, only that it may write."""
    rest = _without_wrappers(list(argv))
    if not rest:
        return CommandLine("command", Tier.READ)
    program = PurePath(rest[0]).name
    if program in _SHELLS and depth < NESTED_MAX:
        return _shell(program, rest[1:], depth)
    known = _PROGRAMS.get(program)
    if known is None:
        return CommandLine(program or "command", Tier.WRITE)
    verb, tier, targets = known.read(words_of(rest[1:], known.valued))
    tool = f"{program} {verb}".strip()
    return CommandLine(tool, tier, tuple(dict.fromkeys(targets))[:TARGETS_MAX])


def _without_wrappers(rest: list[str]) -> list[str]:
    """The command behind `sudo -u ops`, `env A=1` and their like."""
    while rest and PurePath(rest[0]).name in _WRAPPERS:
        valued = _WRAPPERS[PurePath(rest[0]).name]
        if PurePath(rest[0]).name == "env" and any(map(_SPLIT.match, rest)):
            return rest  # the value of the option is a command line, which is not read
        del rest[0]
        while rest and (rest[0].startswith("-") or _ASSIGNMENT.match(rest[0])):
            has_value = rest[0] in valued
            del rest[: 2 if has_value else 1]
    return rest


def _shell(program: str, rest: Sequence[str], depth: int) -> CommandLine:
    """Every command of `sh -c`: together they are what the gravest of them is."""
    script = next((rest[n + 1] for n, each in enumerate(rest[:-1]) if _is_c(each)), None)
    if script is None:
        return CommandLine(program, Tier.WRITE)
    lexer = shlex.shlex(script, posix=True, punctuation_chars=True)
    lexer.wordchars += ":@%+,[]{}^$!"  # beside those that punctuation_chars adds: ~-./*?=
    try:
        tokens = list(lexer)
    except ValueError:
        return CommandLine(program, Tier.WRITE)
    commands: list[list[str]] = [[]]
    for token in tokens:
        if token and set(token) <= set("();<>|&"):
            commands.append([])
        else:
            commands[-1].append(token)
    found = [read_command(each, depth + 1) for each in commands if each]
    tier = gravest([each.tier for each in found], Tier.WRITE)
    targets = tuple(dict.fromkeys(t for each in found for t in each.targets))[:TARGETS_MAX]
    tool = found[0].tool if len(found) == 1 else program
    return CommandLine(tool, tier, targets)


def _is_c(option: str) -> bool:
    return option.startswith("-") and not option.startswith("--") and option.endswith("c")


_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ash", "ksh"})
_WRAPPERS = {
    "sudo": valued("-u -g -h -p -C -D -R -T"),
    "env": valued("-u -C"),
    "nice": valued("-n"),
    "nohup": frozenset[str](),
    "time": valued("-f -o"),
}
_PROGRAMS: Mapping[str, Program] = {
    **kubernetes.PROGRAMS,
    **clouds.PROGRAMS,
    **machines.PROGRAMS,
    **databases.PROGRAMS,
}
