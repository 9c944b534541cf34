"""Programs that shells start: what a command line of each can do, and to what.

A program that is not known is a write. A word that is only known when it runs, such as `$NAME`, is
`None`: whatever depends on it counts as the worst that it could be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aftershock.entity import entity_key
from aftershock.model import Tier
from aftershock.policy.command_tiers import READING_PROGRAMS
from aftershock_collector.control.effects import (
    DESTROYS,
    READS,
    UNKNOWN,
    WRITES,
    Effect,
    Words,
    option,
    positional,
)
from aftershock_collector.control.operations import (
    CLOUDS,
    SUBCOMMANDS,
    by_subcommand,
    cloud,
    kubectl,
)
from aftershock_collector.reading.sql import read_sql

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
HTTP_CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SQL_CLIENTS: Mapping[str, tuple[str, frozenset[str], frozenset[str]]] = {
    # program: dialect, options with a statement, options with the name of the database
    "psql": ("postgres", frozenset({"-c", "--command"}), frozenset({"-d", "--dbname"})),
    "mysql": ("mysql", frozenset({"-e", "--execute"}), frozenset({"-D", "--database"})),
    "mariadb": ("mysql", frozenset({"-e", "--execute"}), frozenset({"-D", "--database"})),
    "clickhouse-client": ("clickhouse", frozenset({"-q", "--query"}), frozenset({"-d"})),
    "sqlite3": ("sqlite", frozenset[str](), frozenset[str]()),
}
SQL_VALUES = frozenset(
    ["-h", "--host", "-p", "--port", "-U", "--username", "-u", "--user", "-v", "--set", "-F", "-R"]
)


def effect_of(words: Words, given: str | None = None) -> Effect:
    """What a simple command can do. `given`: what stands on its standard input, if it is known."""
    if not words:
        return READS
    if words[0] is None:
        return UNKNOWN
    program = words[0].rpartition("/")[2]
    rest = words[1:]
    if program in SQL_CLIENTS:
        return sql_client(program, rest, given)
    if (special := SPECIAL.get(program)) is not None:
        return special(rest)
    if program in DESTROYING or program.startswith("mkfs."):
        return DESTROYS
    if program in CLOUDS:
        return cloud(rest)
    if program in SUBCOMMANDS:
        return by_subcommand(program, rest)
    if program in READING_PROGRAMS:
        return READS
    return UNKNOWN


def sql_client(program: str, words: Words, given: str | None) -> Effect:
    """A client of a database: the statement on its command line, or on its standard input."""
    dialect, statements, databases = SQL_CLIENTS[program]
    places = positional(words, SQL_VALUES | statements | databases | frozenset({"-f", "--file"}))
    text = option(words, statements)
    database = option(words, databases)
    if program == "sqlite3":
        database = places[0] if places else None
        text = places[1] if len(places) > 1 else None
    elif database is None and places:
        database = places[0]
    target = None if database is None else entity_key({"db.namespace": database.rpartition("/")[2]})
    targets = () if target is None else (target,)
    script = option(words, frozenset({"-f", "--file"})) is not None
    text = given if text is None and not script else text
    if text is None:
        return Effect(Tier.WRITE, targets, understood=False)
    if text.lstrip().startswith("\\"):  # a meta command of psql: \d lists, \! runs a shell
        reads = text.lstrip()[1:2] in {"d", "l", "?", "z"}
        return Effect(Tier.READ if reads else Tier.WRITE, targets, understood=reads)
    found = read_sql(text, dialect)
    return Effect(found.tier, targets, found.understood)


def curl(words: Words) -> Effect:
    """Curl and wget: a method or a body that changes something, or an output file."""
    if None in words:
        return UNKNOWN
    method = (option(words, frozenset({"-X", "--request"})) or "GET").upper()
    bodies = ("-d", "--data", "-F", "--form", "-T", "--upload-file", "--json", "--post")
    if method == "DELETE":
        return DESTROYS
    sends = any(word and word.startswith(bodies) for word in words)
    saves = any(word in {"-o", "-O", "--output", "--remote-name", "-K"} for word in words)
    return WRITES if method in HTTP_CHANGES or sends or saves else READS


def find(words: Words) -> Effect:
    """find: it can delete; what it executes is read by `shell`."""
    if "-delete" in words:
        return DESTROYS
    writes = any(word and word.startswith(("-fprint", "-fls", "-exec", "-ok")) for word in words)
    return WRITES if writes else READS


def sed(words: Words) -> Effect:
    """Sed and perl -i: in place, they write; scripts of sed can write files and run commands."""
    in_place = any(word and word.startswith(("-i", "--in-place")) for word in words)
    scripts = [word for word in words if word and not word.startswith("-")]
    acts = None in words or any(one.rstrip("'\" ").endswith(("w", "e")) for one in scripts[:1])
    return WRITES if in_place or acts else READS


def tee(words: Words) -> Effect:
    """Tee writes each file that it names."""
    return WRITES if any(word is None or word != "/dev/null" for word in words) else READS


def awk(words: Words) -> Effect:
    """awk: its programs can write files and run commands."""
    script = next((w for w in words if w is None or not w.startswith("-")), "")
    acts = script is None or any(mark in script for mark in ("system(", ">", "|", "getline"))
    return WRITES if acts or "-i" in words or "-f" in words else READS


def sort(words: Words) -> Effect:
    """Sort -o writes."""
    return WRITES if any(word and word.startswith(("-o", "--output")) for word in words) else READS


SPECIAL: Mapping[str, Callable[[Words], Effect]] = {
    "kubectl": kubectl, "oc": kubectl, "curl": curl, "wget": lambda _words: WRITES, "find": find,
    "sed": sed, "tee": tee, "awk": awk, "gawk": awk, "mawk": awk, "sort": sort,
    ":": lambda _words: READS,
    "[": lambda _words: READS, "[[": lambda _words: READS, "set": lambda _words: READS,
    "export": lambda _words: READS, "unset": lambda _words: READS, "exit": lambda _words: READS,
    "return": lambda _words: READS, "break": lambda _words: READS, "read": lambda _words: READS,
    "wait": lambda _words: READS, "shift": lambda _words: READS, "local": lambda _words: READS,
}  # fmt: skip
