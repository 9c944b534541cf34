"""psql and mysql: the database, and the gravest statement, parsed by sqlglot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from aftershock.model import Tier
from aftershock.policy.sql_tiers import ACTS
from aftershock.recorder.command_lines.words import Program, Read, Words, gravest, valued


def tier_of_sql(statements: str, dialect: str) -> Tier:
    """The gravest thing that some SQL does; what cannot be parsed may write."""
    try:
        import sqlglot  # noqa: PLC0415  (an extra: most agents run no SQL clients)
        from sqlglot import exp  # noqa: PLC0415
        from sqlglot.errors import SqlglotError  # noqa: PLC0415
    except ImportError:
        return Tier.WRITE
    try:
        parsed: list[Any] = [each for each in sqlglot.parse(statements, read=dialect) if each]
    except SqlglotError:
        return Tier.WRITE
    destructive = (exp.Delete, exp.Drop, exp.TruncateTable)
    writing = (exp.Insert, exp.Update, exp.Merge, exp.Create, exp.Alter, exp.Command, exp.Copy,
               exp.Into)  # fmt: skip
    if any(each.find(*destructive) for each in parsed):
        return Tier.DESTRUCTIVE
    if ACTS.search(statements) or any(each.find(*writing) for each in parsed):
        return Tier.WRITE
    read = (exp.Query, exp.Show, exp.Describe, exp.Use, exp.Set)
    return Tier.READ if all(isinstance(each, read) for each in parsed) else Tier.WRITE


def _psql(given: Words) -> Read:
    database = given.value("-d", "--dbname") or given.word(0) or os.environ.get("PGDATABASE", "")
    listed = [*given.options.get("-c", ()), *given.options.get("--command", ())]
    return _sql([each for each in listed if not each.startswith("\\")], database, given, "postgres")


def _mysql(given: Words) -> Read:
    database = given.value("-D", "--database") or given.word(0)
    listed = [*given.options.get("-e", ()), *given.options.get("--execute", ())]
    return _sql(listed, database, given, "mysql")


def _sql(listed: Sequence[str], database: str, given: Words, dialect: str) -> Read:
    if "://" in database:
        database = database.partition("?")[0].rpartition("/")[2]
    tiers = [tier_of_sql(each, dialect) for each in listed]
    if given.has("-f", "--file") or not (listed or given.has("-l", "--list", "-c", "--command")):
        tiers.append(Tier.WRITE)
    tier = gravest(tiers, Tier.READ)
    return "", tier, [f"db/{database}"] if database else []


PROGRAMS = {
    "psql": Program(
        valued(
            "-c --command -d --dbname -f --file -h --host -p --port -U --username -v --set "
            "--variable -o --output -F -P -R -T"
        ),
        _psql,
    ),
    "mysql": Program(
        valued("-e --execute -D --database -h --host -P --port -u --user -S --socket"), _mysql
    ),
}  # fmt: skip
