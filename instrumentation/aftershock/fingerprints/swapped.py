"""The ids of a call, and what they would be with two neighbouring digits in each other's place.

Hashes of two ids show that they differ and not how little. So the hashes of what an id is easily
mistaken for are sent beside it, under the argument's name with a mark before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aftershock.fingerprints.fingerprint import LEAVE, collect_subjects
from aftershock.fingerprints.keyed import hash_subject, hash_word
from aftershock.fingerprints.statements import CONDITION, SUBJECT
from aftershock.fingerprints.words import ids_in, is_id
from aftershock.wire import encode_named_hash

MARK = "~"  # before the argument's name: the hash is of a neighbour of its value
NEIGHBOURS_MAX = 16  # of one call: two ids, or three
DIGITS_MIN = 3  # web-12 and web-21 are two hosts of many
DIGITS_MAX = 9  # what is longer is copied and not typed
DIGIT = re.compile(r"\d")
# Years, versions and addresses are no ids, however they are written.
NUMBERED = re.compile(r"(?:19|20)\d\d|.*\d[.:/]\d.*|\d{4}-?\d\d(?:-?\d\d)?")
SWAPPABLE = re.compile(r"(?=(\d)(?!\1)\d)")
OTHERS = frozenset({LEAVE, SUBJECT, CONDITION})


def ids_of(arguments: Any) -> frozenset[str]:
    """`argument=hash` of the ids in a call's arguments, and `~argument=hash` of their neighbours.

    A neighbour is hashed as a subject, to be compared with what another call named, and as a word,
    to be compared with what was shown.
    """
    found: dict[tuple[str, str], None] = {}
    collect_subjects(arguments, "", found, 0)
    neighbours = (
        encode_named_hash(MARK + name, hashed)
        for name, value in found
        if name not in OTHERS
        for neighbour in neighbours_of(value.casefold())
        for hashed in hashes_of(neighbour)
    )
    return ids_in(arguments) | frozenset(islice(neighbours, NEIGHBOURS_MAX))


def neighbours_of(value: str) -> Iterator[str]:
    """The value with two neighbouring digits in each other's place, for each such pair."""
    digits = len(DIGIT.findall(value))
    if not DIGITS_MIN <= digits <= DIGITS_MAX or NUMBERED.fullmatch(value):
        return
    for pair in SWAPPABLE.finditer(value):
        at = pair.start()
        yield f"{value[:at]}{value[at + 1]}{value[at]}{value[at + 2 :]}"


def hashes_of(value: str) -> Iterator[str]:
    """The hashes by which a neighbour may be met."""
    yield hash_subject(value)
    if is_id(value):
        yield f"{hash_word(value):08x}"
