"""What a shell command or a SQL statement can do: it only reads if every part is known to read."""

from __future__ import annotations

import re
from functools import lru_cache

from aftershock.model import Tier
from aftershock.policy.words import words_of

# Programs that start another one, and their options that have a value.
WRAPPERS = frozenset(["(", "aftershock", "command", "env", "exec", "ionice", "nice", "nohup",
                      "stdbuf", "sudo", "time", "timeout"])  # fmt: skip
WITH_VALUE = frozenset(["-u", "-g"])  # of a user or a group
DURATION = re.compile(r"\d+(?:\.\d+)?[smhd]?")
SEPARATOR = re.compile(r"&&|\|\||[;|\n]")
REDIRECT = re.compile(r"(?<![0-9&>-])>>?\s*(?!/dev/null|&)\S|\btee\s")
READING_PROGRAMS = words_of("""
    ls cat head tail grep rg egrep fgrep find wc stat file du df ps top free uptime date whoami
    pwd echo printf env printenv which type tree less more awk sort uniq cut tr diff cmp jq yq dig
    nslookup host ping traceroute netstat ss lsof id uname hostname history cd test true false
    sleep column nl od xxd md5sum sha256sum basename dirname realpath readlink journalctl
    pgrep lsblk lscpu vmstat iostat getent pytest ctest jest vitest eslint flake8 mypy pyright
    pg_isready nc
""")
# A client with one quoted statement, or with one command of psql that lists something.
OTHER_WORDS = r"""(?:(?!\s(?:-[A-Za-z]*[cef]\b|--(?:command|execute|file)))[^\n"'|;&<>`$])*"""
SQL_CLIENT = re.compile(
    rf"""\b(?:psql|mysql|mariadb)\b{OTHER_WORDS}\s(?:-[A-Za-z]*[ce]|--command|--execute)[\s=]*
        (["'])(?P<sql>[^"'`$]*)\1{OTHER_WORDS}(?=$|[|;&\n])""",
    re.VERBOSE,
)
INTO = re.compile(r"\binto\b", re.IGNORECASE)  # SELECT … INTO makes a table
LISTS = re.compile(r"\\+(?:d\w*|l)\b[^\\]*$")
# Programs whose second word decides.
READING_SUBCOMMANDS = {
    "kubectl": words_of(
        "get describe logs top explain version cluster-info api-resources auth diff events wait"
    )
    | {"rollout status", "rollout history", "config view", "config current-context"},
    "git": words_of("status log diff show blame branch grep ls-files rev-parse remote"),
    "docker": words_of("ps logs inspect images stats top version info"),
    "helm": words_of("list ls get status history show template search version"),
    "systemctl": words_of("status list-units is-active is-enabled show cat"),
    "pip": words_of("list show freeze"),
    "terraform": words_of("plan show output validate version state"),
}
# Options before a subcommand that have a value.
GLOBAL_OPTIONS = words_of("""
    -n --namespace --context --kube-context --cluster --kubeconfig -C -c -H --host -M --machine
""")
DESTROYING = re.compile(
    r"""\brm\b | \brmdir\b | \bdd\s+if= | \bmkfs | \bkill(?:all)?\s | \bpkill\s
      | \bkubectl\s+(?:\S+\s+){0,4}?(?:delete|drain)\b | \bterraform\s+destroy\b
      | \bjournalctl\b[^|;&]*--(?:vacuum|rotate)
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
# The second keyword distinguishes SQL from prose.
SQL = re.compile(
    r"""^\s*(?:--[^\n]*\n\s*)*(?:
          (?P<reads>select\b.*\bfrom\b | select\s+[\d'@\w(]+\s*;?\s*$ | show\s+\w+\s*;?\s*$
            | explain\s+(?:select|analyze) | describe\s+\w+\s*;?\s*$ | with\s+\w+\s+as\s*\(
              (?!.*\b(?:insert\s+into|delete\s+from|update\s+\w+\s+set)\b))
        | insert\s+into\b | update\s+\S+\s+set\b | delete\s+from\b | merge\s+into\b
        | with\s+\w+\s+as\s*\(
        | (?:drop|truncate|alter|create)\s+(?:or\s+replace\s+)?(?:unique\s+)?
          (?:table|database|schema|index|view|user|role)\b
        | (?:grant|revoke)\b.*\bon\b )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def tier_of_sql(text: str) -> Tier | None:
    """The tier of a SQL statement; None if the text is not SQL."""
    match = SQL.match(text)
    if match is None:
        return None
    if DESTROYING.search(text):
        return Tier.DESTRUCTIVE
    return Tier.READ if match["reads"] else Tier.WRITE


@lru_cache(maxsize=2_048)  # a looping agent repeats its commands
def tier_of_command(command: str) -> Tier:
    """The tier of a shell command: READ only if every part is known to read."""
    if DESTROYING.search(command):
        return Tier.DESTRUCTIVE
    if PROVISIONING.search(command):
        return Tier.PROVISION
    command = SQL_CLIENT.sub(without_read, command)
    if REDIRECT.search(command):
        return Tier.WRITE
    parts = [part.split() for part in SEPARATOR.split(command)]
    return Tier.READ if all(reads(part) for part in parts if part) else Tier.WRITE


def without_read(client: re.Match[str]) -> str:
    """A client of a database that only reads, as a command that is known to."""
    sql = client["sql"].strip().removesuffix(";")
    only_reads = tier_of_sql(sql) is Tier.READ and ";" not in sql and not INTO.search(sql)
    return "true" if only_reads or LISTS.fullmatch(sql) else client[0]


def without_wrappers(words: list[str]) -> list[str]:
    """A simple command without what only starts it: `sudo -u app timeout 25 ls` is `ls`."""
    wrapper = ""
    while words:
        first = words[0]
        if wrapper and (first.startswith("-") or DURATION.fullmatch(first)):
            words = words[2 if first in WITH_VALUE else 1 :]
        elif first in WRAPPERS or "=" in first:
            wrapper, words = first, words[1:]
        else:
            break
    return words


def reads(words: list[str]) -> bool:
    """True if one simple command is known only to read."""
    words = without_wrappers(words)
    if not words:
        return True
    program = words[0].rpartition("/")[2].strip("()")
    if program == "find" and any(word in ("-delete", "-exec", "-execdir") for word in words):
        return False
    if program in READING_PROGRAMS:
        return True
    if program == "sed":
        return not any(word.startswith("-i") for word in words)
    if program == "curl":
        return not any(word.startswith(("-X", "-d", "--data", "--request")) for word in words)
    named = subcommands(words[1:])
    return any(name in READING_SUBCOMMANDS.get(program, ()) for name in named)


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
