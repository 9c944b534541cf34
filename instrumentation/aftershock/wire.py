"""Composed values of attributes, encoded and decoded: the agent's process writes what we read.

A set of hashes is one text of eight hexadecimal digits for each, ascending: as a list of numbers it
would be three times as large, and cost ten times as much to read. The fields of a fact, a
requirement or a requested call are joined by tabs, so that subjects may hold spaces.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from typing import NamedTuple

from aftershock.model import Requirement

HASHES_MAX = 256  # of one text, the smallest: what the largest of our own attributes holds; 25 kB
EVERYTHING = "*"  # the subject of a fact that is about nothing in particular
NAMED_HASH = re.compile(r"(?s)^(.*)=([0-9a-f]{8,16})$")


class RequestedCall(NamedTuple):
    """A tool call that a model asked for."""

    tool: str
    digest: str  # of its arguments
    call_id: str | None = None


def encode_hashes(hashes: Iterable[int]) -> str:
    """The text of a set of 32-bit hashes."""
    ordered = sorted(hashes)
    return struct.pack(f">{len(ordered)}I", *ordered).hex()


def decode_hashes(text: object) -> frozenset[int] | None:
    """At most HASHES_MAX hashes of a text; None for anything that is not such a text."""
    if not isinstance(text, str) or len(text) % 8:
        return None
    try:
        packed = bytes.fromhex(text[: 8 * HASHES_MAX])
    except ValueError:
        return None
    if len(packed) % 4:  # `fromhex` skips white space
        return None
    return frozenset(struct.unpack(f">{len(packed) // 4}I", packed))


def encode_fact(kind: str, subject: str) -> str:
    """A fact that a call provides."""
    return f"{without_tabs(kind)}\t{subject}"


def decode_fact(text: str) -> tuple[str, str]:
    """Kind and subject of a fact."""
    kind, _, subject = text.partition("\t")
    return kind, subject or EVERYTHING


def encode_requirement(requirement: Requirement) -> str:
    """A fact that should be known before a call, with the age at which it is too old."""
    age = "" if requirement.max_age_s is None else str(requirement.max_age_s)
    return f"{encode_fact(requirement.kind, requirement.subject)}\t{age}"


def decode_requirement(text: str) -> Requirement:
    """A requirement without its sources; an age that is no positive number is None."""
    fact, tab, age = text.rpartition("\t")
    if "\t" not in fact:  # one tab only: no age
        fact, tab, age = text, "", ""
    kind, subject = decode_fact(fact)
    return Requirement(kind, subject, decode_seconds(age) if tab else None)


def decode_seconds(text: str) -> float | None:
    """A positive, finite number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 < seconds < float("inf") else None


def encode_named_hash(argument: str, hashed: str) -> str:
    """The hash of a value of an argument: `argument=hash`."""
    return f"{argument}={hashed}"


def decode_named_hash(text: str) -> tuple[str, str] | None:
    """Argument and hash; None for anything else."""
    match = NAMED_HASH.match(text)
    return None if match is None else (match[1], match[2])


def encode_requested_call(call: RequestedCall) -> str:
    """A call that a model asked for."""
    fields = (without_tabs(call.tool), call.digest, without_tabs(call.call_id or ""))
    return "\t".join(fields).rstrip("\t")


def decode_requested_call(text: str) -> RequestedCall | None:
    """A call that a model asked for; None where a field is missing."""
    tool, _, rest = text.partition("\t")
    digest, _, call_id = rest.partition("\t")
    return RequestedCall(tool, digest, call_id or None) if tool and digest else None


def without_tabs(text: str) -> str:
    """A field that cannot be taken for two."""
    return text.replace("\t", " ")
