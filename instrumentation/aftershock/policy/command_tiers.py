"""What a shell command can do: it only reads if every part is known to read."""

from __future__ import annotations

import re
import shlex
from functools import lru_cache

from aftershock.model import Tier
from aftershock.policy.reading_programs import (
    READING_PROGRAMS,
    STARTS_PROGRAM,
    git_reads,
    is_installed,
    only_reads,
)
from aftershock.policy.sql_clients import SQL_CLIENTS, client_only_reads
from aftershock.policy.words import words_of

REMEMBERED_CHARS_MAX = 2_000
COMMAND_CHARS_MAX = 20_000  # a longer one may write

# Programs that start another one, and their options that have a value.
WRAPPERS = frozenset(["(", "aftershock", "command", "env", "exec", "ionice", "nice", "nohup",
                      "stdbuf", "sudo", "time", "timeout"])  # fmt: skip
ASSIGNED = re.compile(r"([A-Za-z_]\w*)\+?=")
WITH_VALUE = frozenset(["-u", "-g"])  # of a user or a group
DURATION = re.compile(r"\d+(?:\.\d+)?[smhd]?")
# A single & ends a command too; >& and &> do not.
SEPARATOR = re.compile(r"&&|\|\||(?<![<>&])&(?![>&])|[;|\n]")
REDIRECT = re.compile(
    r">(?!\()[>|]?\s*(?!/dev/(?:null|stdout|stderr)(?:$|[\s;|&)]))(?!&\s*[\d-])\S|\btee\s"
)
ARITHMETIC = re.compile(r"\$\(\([^()`]*\)\)")
# The innermost substitutions, whose text is a command of its own.
SUBSTITUTION = re.compile(r"[$<>]\(([^()`]*)\)|`([^`]*)`")
NESTED_MAX = 16
# What a shell takes as one word or none; a comment too, because an apostrophe in it opens nothing.
QUOTED = re.compile(
    r"""\\. | \$'(?:[^'\\]|\\.)*' | '[^']*' | "(?:[^"\\]|\\.)*" | (?:^|(?<=\s))\#[^\n]*""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
PIECE = re.compile(f"(?:{QUOTED.pattern})|(?P<separator>{SEPARATOR.pattern})", QUOTED.flags)
# Programs whose second word decides.
READING_SUBCOMMANDS = {
    "kubectl": words_of(
        "get describe logs top explain version cluster-info api-resources diff events wait"
    )
    | {
        "auth can-i",
        "auth whoami",
        "rollout status",
        "rollout history",
        "config view",
        "config current-context",
    },
    "git": words_of("status log diff show blame branch grep ls-files rev-parse remote"),
    "docker": words_of("ps logs inspect images stats top version info"),
    "helm": words_of("list ls get status history show template search version"),
    "systemctl": words_of("status list-units is-active is-enabled show cat"),
    "pip": words_of("list show freeze"),
    "terraform": words_of("plan show output validate version")
    | {"state list", "state show", "state pull"},
}
# Options before a subcommand that have a value.
GLOBAL_OPTIONS = words_of("""
    -n --namespace --context --kube-context --cluster --kubeconfig -C -c -H --host -M --machine
""")
DESTROYING = re.compile(
    r"""\brm\b | \brmdir\b | \bdd\s+if= | \bmkfs | \bkill(?:all)?\s | \bpkill\s
      | \bkubectl\s+(?:\S+\s+){0,4}?(?:delete|drain)\b | \bterraform\s+destroy\b
      | \bjournalctl\b(?:(?!journalctl)[^|;&])*--(?:vacuum|rotate)
      | \bhelm\s+(?:uninstall|delete)\b | \bgit\s+(?:reset\s+--hard|clean)\b
      | \bdocker\s+(?:rm|rmi|kill)\b | \b(?:DROP|TRUNCATE)\s+(?:TABLE|DATABASE|SCHEMA)\b
      | \bDELETE\s+FROM\b""",
    re.IGNORECASE | re.VERBOSE,
)
PROVISIONING = re.compile(
    r"""\bkubectl\s+(?:\S+\s+){0,4}?(?:scale|autoscale)\b
      | \b(?:terraform|tofu|terragrunt)\s+(?:-\S+\s+){0,4}?apply\b
      | \bpulumi\s+up\b | \bcdk\s+deploy\b""",
    re.IGNORECASE | re.VERBOSE,
)


def tier_of_command(command: str) -> Tier:
    """The tier of a shell command: READ only if every part is known to read."""
    if len(command) > REMEMBERED_CHARS_MAX:
        return _tier_of_command(command)
    return _remembered_tier(command)


def _tier_of_command(command: str) -> Tier:
    if DESTROYING.search(command):
        return Tier.DESTRUCTIVE
    if PROVISIONING.search(command):
        return Tier.PROVISION
    if len(command) > COMMAND_CHARS_MAX or redirects(command):
        return Tier.WRITE
    parts = [part for text in with_substitutions(command) for part in simple_commands(text)]
    return Tier.READ if all(reads(split(part)) for part in parts) else Tier.WRITE


_remembered_tier = lru_cache(maxsize=2_048)(_tier_of_command)  # a looping agent repeats itself


def redirects(command: str) -> bool:
    """True if output may go to a file; what stands in quotes redirects nothing."""
    plain = command
    if "<<" not in command:  # in a here-document quotes are only characters
        plain = QUOTED.sub(kept_substitution, command)
    return REDIRECT.search(plain) is not None


def kept_substitution(match: re.Match[str]) -> str:
    """A quoted text as one letter, unless a shell runs a part of it."""
    text = match[0]
    return text if text.startswith('"') and ("$(" in text or "`" in text) else "x"


def with_substitutions(command: str) -> list[str]:
    """The command with a name for each substitution, and the commands inside them."""
    found: list[str] = []

    def named(match: re.Match[str]) -> str:
        found.append(match[1] or match[2] or "")
        return "$_"

    text, count = ARITHMETIC.sub("0", command), 1
    for _ in range(NESTED_MAX):
        text, count = SUBSTITUTION.subn(named, text)
        if not count:
            break
    is_open = count or "$(" in text or "`" in text or "<(" in text
    return [text, *found, *(["unknown"] if is_open else [])]


def simple_commands(text: str) -> list[str]:
    """What a command runs one after the other; a separator in quotes separates nothing."""
    if "<<" in text:  # in a here-document quotes are only characters
        return SEPARATOR.split(text)
    parts, start = list[str](), 0
    for piece in PIECE.finditer(text):
        if piece["separator"]:
            parts.append(text[start : piece.start()])
            start = piece.end()
    return [*parts, text[start:]]


def split(part: str) -> list[str]:
    """The words of a simple command; as they stand, where quotes do not close."""
    try:
        return shlex.split(part)
    except ValueError:
        return part.split()


def without_wrappers(words: list[str]) -> list[str]:
    """A simple command without what only starts it: `sudo -u app timeout 25 ls` is `ls`."""
    wrapper = ""
    while words:
        first = words[0]
        if wrapper == "env" and first.startswith(("-S", "--s", "-vS")):
            return ["unknown"]  # its value is a command line
        if wrapper and (first.startswith("-") or DURATION.fullmatch(first)):
            words = words[2 if first in WITH_VALUE else 1 :]
        elif first in WRAPPERS:
            wrapper, words = first, words[1:]
        elif (assigned := ASSIGNED.match(first)) is not None:
            if STARTS_PROGRAM.fullmatch(assigned[1]):
                return ["unknown"]
            words = words[1:]
        else:
            break
    return words


def reads(words: list[str]) -> bool:
    """True if one simple command is known only to read."""
    words = without_wrappers(words)
    if not words:
        return True
    folder, _, name = words[0].strip("()").rpartition("/")
    program = name if is_installed(folder) else ""
    if program in READING_PROGRAMS:
        return only_reads(program, words[1:])
    if program in SQL_CLIENTS:
        return client_only_reads(words[1:])
    first, both = subcommands(words[1:])
    if program == "git":
        rest = words[words.index(first) + 1 :] if first else []
        return bool(first) and git_reads(first, rest) and "-c" not in words[: words.index(first)]
    return any(name in READING_SUBCOMMANDS.get(program, ()) for name in (first, both))


def subcommands(words: list[str]) -> tuple[str, str]:
    """`get` and `get pods` of `kubectl -n shop get pods`."""
    bare: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in GLOBAL_OPTIONS and not bare:
            next(rest, None)
        elif not word.startswith("-"):
            bare.append(word)
    return "".join(bare[:1]), " ".join(bare[:2])
