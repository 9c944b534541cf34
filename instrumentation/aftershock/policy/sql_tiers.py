"""What SQL can do, without a parser: the gravest of its statements, and in doubt a write."""

from __future__ import annotations

import re

from aftershock.model import Tier
from aftershock.policy.words import words_of

# The second keyword distinguishes SQL from prose.
SQL = re.compile(
    r"""^[\s(]*(?:
          (?P<reads>select\b.*\bfrom\b | select\s+[\d'@\w(]+\s*$ | select\s+[\w."]+\s*\(
            | show\s+\w+\s*$
            | explain\s+(?:\([^)]*\)\s*|verbose\s+|analyze\s+)*(?:select|with\s+\w+\s+as)\b
            | describe\s+\w+\s*$ | with\s+(?:recursive\s+)?\w+(?:\s*\([^)]*\))?\s+as\s )
        | select\s+\S+\s+into\s+(?:out|dump)file\b
        | insert\s+(?:into|overwrite|ignore)\b | replace\s+into\b
        | update\s+(?:\S+\s+){1,4}?set\b | delete\s+(?:[\w.]+\s+)?from\b | merge\s+into\b
        | explain\s+(?:\([^)]*\)\s*|verbose\s+|analyze\s+)+\w
        | (?:drop|alter|create)\s+(?:or\s+replace\s+)?(?:unique\s+|temp(?:orary)?\s+
            |materialized\s+|global\s+)*
          (?:table|database|schema|index|view|user|role|function|procedure|trigger|extension|system
            |sequence|type|policy|publication|subscription)\b
        | truncate\s+(?:table\s+)?[\w".`]+\s*(?:,|cascade\b|restart\b|$)
        | (?:grant|revoke)\b.*\b(?:on|to|from)\b
        | do\s+(?:language\s+\w+\s+)?['$] | call\s+[\w.]+\s*\( | exec(?:ute)?\s+[\w.]+
        | copy\s+.*\b(?:from|to)\b | vacuum(?:\s+(?:full|analyze|verbose|freeze)\b|\s*\(|\s*$)
        | (?:begin|start\s+transaction|commit|rollback|end)\s*(?:$|work\b|transaction\b)
        | set\s+(?:global|session|local|role)\b | load\s+data\b
        | (?:lock|optimize)\s+tables?\s | attach\s+database\b | pragma\s+\w+\s*=
        | kill\s+\d+\s*$ )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
DESTROYING = re.compile(
    r"""\b(?:DROP|TRUNCATE)\s+(?:TABLE|DATABASE|SCHEMA|MATERIALIZED|VIEW|INDEX|USER|ROLE)\b
      | ^[\s(]*TRUNCATE\s+\w | \bDELETE\s+FROM\b
      | ^[\s(]*DELETE\s+[\w.]+\s+FROM\b""",
    re.IGNORECASE | re.VERBOSE,
)
WRITING = re.compile(r"\b(?:insert|delete|update|merge|into)\b", re.IGNORECASE)
LEXEMES = re.compile(
    r"""(?P<string>'(?:[^']|'')*') | (?P<name>"(?:[^"]|"")*") | (?P<comment>--[^\n]*|/\*.*?\*/)""",
    re.VERBOSE | re.DOTALL,
)
# What one database reads as a string or a comment, and another as a statement.
DOUBTFUL = re.compile(r"\\'|--[^\s]|/\*!|/\*(?:(?!\*/).)*/\*|\$\w*\$", re.DOTALL)
EXECUTABLE_COMMENT = re.compile(r"/\*!\d*|\*/")
# Functions that change something although they stand in a SELECT.
ACTING_FUNCTIONS = words_of("""
    pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_promote pg_switch_wal
    pg_create_restore_point pg_drop_replication_slot pg_replication_slot_advance pg_stat_reset
    pg_read_file pg_read_binary_file pg_write_file pg_file_write pg_file_unlink pg_file_rename
    lo_import lo_export lo_unlink lo_create lo_put lo_from_bytea setval nextval set_config dblink
    dblink_exec query_to_xml load_extension load_file writefile xp_cmdshell sys_exec sys_eval
""")
ACTS = re.compile(rf"\b(?:{'|'.join(sorted(ACTING_FUNCTIONS))})\b[\"`\]\s]*\(", re.IGNORECASE)


def tier_of_sql(text: str) -> Tier | None:
    """The tier of SQL, which may be several statements; None if the text is not SQL."""
    plain = EXECUTABLE_COMMENT.sub(" ", text) if "/*!" in text else text
    plain = LEXEMES.sub(without_text, plain)
    tiers = [tier_of_statement(each) for each in plain.split(";") if each.strip()]
    if not any(tiers):
        return None
    if DESTROYING.search(text) or Tier.DESTRUCTIVE in tiers:
        return Tier.DESTRUCTIVE
    only_reads = not is_doubtful(text) and all(tier is Tier.READ for tier in tiers)
    return Tier.READ if only_reads else Tier.WRITE


def is_doubtful(text: str) -> bool:
    """True where databases disagree about what is a string or a comment."""
    return DOUBTFUL.search(text) is not None or ("#" in text and "'" in text)


def without_text(match: re.Match[str]) -> str:
    """A space for a comment, an empty string for a string; names in quotes stay."""
    if match["comment"] is not None:
        return " "
    return match["name"] or "''"


def tier_of_statement(statement: str) -> Tier | None:
    """The tier of one statement without strings and comments; None if it is not SQL."""
    match = SQL.match(statement)
    if match is None:
        return None
    if DESTROYING.search(statement):
        return Tier.DESTRUCTIVE
    reads = match["reads"] and not WRITING.search(statement) and not ACTS.search(statement)
    return Tier.READ if reads else Tier.WRITE
