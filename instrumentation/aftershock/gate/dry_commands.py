"""Command → the command that tries it without an effect, for programs that have such a mode.

Only one simple command is understood: no pipe, no redirection, no substitution, no variable. What
is not understood has no dry run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from aftershock.policy.tiers import is_shell, only_runs

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND_KEYS = ("command", "cmd")
# What a shell would read as more than words.
MORE_THAN_WORDS = re.compile(r"[\n\r;&|<>`$(){}*?\[\]~#!\\]")
QUOTED = re.compile(r"""'[^']*' | "[^"$`\\!]*\"""", re.VERBOSE)
KUBECTL_VERBS = frozenset(
    {
        "annotate", "apply", "autoscale", "cordon", "create", "delete", "drain", "expose", "label",
        "patch", "replace", "scale", "set", "taint", "uncordon",
    }
)  # fmt: skip
# It waits, opens an editor, or passes words on to something else.
NOT_TRIED = frozenset({"-w", "--watch", "--edit", "--raw", "edit-last-applied"})
KUBECTL_VALUES = frozenset(
    {"-n", "--namespace", "--context", "--cluster", "--kubeconfig", "--user", "-s", "--server"}
)
# Options of `terraform apply` and `destroy` that `plan` has as well.
PLAN_OPTIONS = ("-var=", "-var-file=", "-target=", "-replace=", "-refresh=", "-parallelism=")
PLAN_FLAGS = frozenset({"-destroy", "-refresh-only", "-refresh"})
APPLY_ONLY = frozenset({"-auto-approve", "-compact-warnings", "-no-color"})
APPLY_ONLY_OPTIONS = ("-input=", "-lock=", "-lock-timeout=", "-backup=", "-state-out=")
EXPLAINED = re.compile(r"\s*(?:insert\s+into|update|delete\s+from|merge\s+into)\s", re.IGNORECASE)
PSQL_VALUES = frozenset({"-d", "--dbname", "-h", "--host", "-p", "--port", "-U", "--username"})
PSQL_FLAGS = frozenset({"-w", "--no-password", "-X", "--no-psqlrc", "-q", "-A", "-t", "-e"})


def dry_command(tool: str, arguments: Mapping[str, Any]) -> list[str] | None:
    """The words of the command that tries a call. None: none is known to have no effect."""
    if not (is_shell(tool) or only_runs(tool)):
        return None
    for key in COMMAND_KEYS:
        given = arguments.get(key)
        words = words_of(given)
        if words:
            program = words[0].rpartition("/")[2]
            made = PROGRAMS.get(program)
            return None if made is None else made(words)
    return None


def words_of(given: Any) -> list[str]:
    """The words of one simple command; none where it is more than that."""
    if isinstance(given, list):
        listed = cast("list[Any]", given)
        return [str(one) for one in listed] if all(isinstance(one, str) for one in listed) else []
    if not isinstance(given, str) or MORE_THAN_WORDS.search(unquoted(given)):
        return []
    try:
        return shlex.split(given)
    except ValueError:
        return []


def unquoted(text: str) -> str:
    """A command without what stands in quotes where a shell reads nothing."""
    return QUOTED.sub("''", text)


def kubectl(words: Sequence[str]) -> list[str] | None:
    """`kubectl VERB … --dry-run=server`: the server admits and validates it, and keeps nothing."""
    rest = list(words[1:])
    if "-" in rest or any(word.startswith("--dry-run") for word in rest):
        return None  # it reads what we do not have, or is a dry run already
    if any(word in NOT_TRIED or word == "--" for word in rest):
        return None
    verb, place = "", 0
    while place < len(rest) and not verb:
        if rest[place] in KUBECTL_VALUES:
            place += 2
        elif rest[place].startswith("-"):
            place += 1
        else:
            verb = rest[place]
    if verb not in KUBECTL_VERBS:
        return None
    return [*words, "--dry-run=server"]


def terraform(words: Sequence[str]) -> list[str] | None:
    """`terraform plan` in place of `apply` and `destroy`; a plan that is a file is shown."""
    options: list[str] = []
    place = 1
    while place < len(words) and words[place].startswith("-chdir="):
        place += 1
    before, verb = list(words[1:place]), words[place] if place < len(words) else ""
    if verb not in {"apply", "destroy"}:
        return None
    files: list[str] = []
    for word in words[place + 1 :]:
        flag = f"-{word.lstrip('-')}" if word.startswith("-") else ""
        if not flag:
            files.append(word)
        elif flag in PLAN_FLAGS or flag.startswith(PLAN_OPTIONS):
            options.append(flag)
        elif flag not in APPLY_ONLY and not flag.startswith(APPLY_ONLY_OPTIONS):
            return None
    if files:
        shown = len(files) == 1 and verb == "apply" and not options
        return [words[0], *before, "show", "-no-color", files[0]] if shown else None
    if verb == "destroy":
        options.append("-destroy")
    return [words[0], *before, "plan", "-no-color", "-input=false", "-lock=false", *options]


def psql(words: Sequence[str]) -> list[str] | None:
    """`EXPLAIN` of the one statement of `psql -c`: it is planned and not run."""
    kept: list[str] = []
    statement = ""
    place = 1
    while place < len(words):
        word = words[place]
        if word in {"-c", "--command"} and not statement and place + 1 < len(words):
            statement = words[place + 1]
            place += 2
        elif word in PSQL_VALUES and place + 1 < len(words):
            kept += words[place : place + 2]
            place += 2
        elif word in PSQL_FLAGS or not word.startswith("-") or is_valued(word):
            kept.append(word)
            place += 1
        else:
            return None
    one = statement.strip().removesuffix(";")
    if EXPLAINED.match(one) is None or ";" in one or "\\" in one:
        return None
    return [words[0], "-X", "-w", *kept, "-c", f"EXPLAIN {one}"]


def is_valued(word: str) -> bool:
    """True for an option of psql with its value in one word."""
    return word.partition("=")[0] in PSQL_VALUES and "=" in word


PROGRAMS: Mapping[str, Callable[[Sequence[str]], list[str] | None]] = {
    "kubectl": kubectl,
    "terraform": terraform,
    "tofu": terraform,
    "psql": psql,
}
