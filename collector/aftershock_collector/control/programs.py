"""Programs that shells start: what a command line of each can do, and to what.

A program that is not known is a write. A word that is only known when it runs, such as `$NAME`, is
`None`: whatever depends on it counts as the worst that it could be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from aftershock.entity import entity_key
from aftershock.model import Tier
from aftershock.policy.reading_programs import (
    READING_PROGRAMS,
    curl_method,
    is_installed,
    only_reads,
)
from aftershock_collector.control.effects import (
    DESTROYS,
    READS,
    UNKNOWN,
    WRITES,
    Effect,
    Words,
    positional,
    values,
)
from aftershock_collector.control.operations import (
    CLOUDS,
    SUBCOMMANDS,
    by_subcommand,
    cloud,
    kubectl,
)
from aftershock_collector.reading.sql import read_sql
from aftershock_collector.reading.tiers import worst

DESTROYING = frozenset(
    [
        "rm",
        "rmdir",
        "shred",
        "mkfs",
        "dd",
        "kill",
        "killall",
        "pkill",
        "dropdb",
        "dropuser",
        "shutdown",
        "reboot",
        "halt",
        "poweroff",
        "truncate",
        "wipefs",
        "fdisk",
        "userdel",
        "groupdel",
    ]
)
# Options with which other programs destroy.
DESTROYING_WITH: Mapping[str, frozenset[str]] = {
    "find": frozenset({"-delete"}),
    "rsync": frozenset({"--delete", "--remove-source-files"}),
}
BUILTINS = frozenset(
    [":", "[", "[[", "set", "export", "unset", "exit", "return", "break", "read", "wait", "shift",
     "local"]
)  # fmt: skip
SQL_CLIENTS: Mapping[str, tuple[str, frozenset[str], frozenset[str]]] = {
    # program: dialect, options with a statement, options with the name of the database
    "psql": ("postgres", frozenset({"-c", "--command"}), frozenset({"-d", "--dbname"})),
    "mysql": ("mysql", frozenset({"-e", "--execute"}), frozenset({"-D", "--database"})),
    "mariadb": ("mysql", frozenset({"-e", "--execute"}), frozenset({"-D", "--database"})),
    "clickhouse-client": ("clickhouse", frozenset({"-q", "--query"}), frozenset({"-d"})),
    "sqlite3": ("sqlite", frozenset({"-cmd"}), frozenset[str]()),
}
FILES = frozenset({"-f", "--file", "-init"})
SQL_VALUES = frozenset(
    ["-h", "--host", "-p", "--port", "-U", "--username", "-u", "--user", "-v", "--set", "-F", "-R"]
)


def effect_of(words: Words, given: str | None = None) -> Effect:
    """What a simple command can do. `given`: what stands on its standard input, if it is known."""
    if not words:
        return READS
    if words[0] is None:
        return UNKNOWN
    folder, _, program = words[0].rpartition("/")
    rest = words[1:]
    if program in SQL_CLIENTS:
        return sql_client(program, rest, given)
    if destroys(program, rest):
        return DESTROYS
    if not is_installed(folder):
        return UNKNOWN  # ./kubectl is whatever somebody wrote there
    if program in READING_PROGRAMS or program in BUILTINS:
        return READS if only_reads(program, rest) else WRITES
    if program in {"tee", "wget"}:
        return tee(rest) if program == "tee" else WRITES
    return operation(program, rest)


def destroys(program: str, words: Words) -> bool:
    """True for a program that destroys whatever follows, or with these words."""
    if program in DESTROYING or program.startswith("mkfs."):
        return True
    if program == "curl":
        return curl_method(words) == "DELETE"
    return not DESTROYING_WITH.get(program, frozenset()).isdisjoint(words)


def operation(program: str, words: Words) -> Effect:
    """A program that operates infrastructure; of any other nothing is known."""
    if program in {"kubectl", "oc"}:
        return kubectl(words)
    if program in CLOUDS:
        return cloud(program, words)
    return by_subcommand(program, words) if program in SUBCOMMANDS else UNKNOWN


def sql_client(program: str, words: Words, given: str | None) -> Effect:
    """A client of a database: the statements on its command line, or on its standard input."""
    dialect, statements, databases = SQL_CLIENTS[program]
    valued = SQL_VALUES | statements | databases | FILES
    places = positional(words, valued)
    texts = values(words, statements, valued)
    named = values(words, databases, valued)
    if program == "sqlite3":
        named, texts = places[:1], [*texts, *places[1:]]
    elif not named:
        named = places[:1]
    database = named[-1] if named else None
    target = None if database is None else entity_key({"db.namespace": database.rpartition("/")[2]})
    targets = () if target is None else (target,)
    if not texts:
        texts = [given]
    effects = [sql_effect(text, dialect) for text in texts]
    if values(words, FILES, valued):
        effects.append(UNKNOWN)
    return Effect(
        worst(effect.tier for effect in effects),
        targets,
        all(effect.understood for effect in effects),
    )


def sql_effect(text: str | None, dialect: str) -> Effect:
    """One text that a client sends, or a meta command that it obeys itself."""
    if text is None:
        return UNKNOWN
    if text.lstrip().startswith("\\"):  # a meta command of psql: \d lists, \! runs a shell
        reads = re.fullmatch(r"\s*\\(?:[dlz?]\S*|conninfo|timing)[^\\`|]*", text)
        return READS if reads else UNKNOWN
    found = read_sql(text, dialect)
    # A statement may end in \gexec, which executes what it found.
    if dialect == "postgres" and re.search(r"\\[a-z!]", text):
        return Effect(worst([found.tier, Tier.WRITE]), understood=False)
    return Effect(found.tier, (), found.understood)


def tee(words: Words) -> Effect:
    """Tee writes each file that it names."""
    return WRITES if any(word is None or word != "/dev/null" for word in words) else READS
