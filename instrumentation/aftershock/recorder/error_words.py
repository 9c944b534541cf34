"""Errors without content: their class, and of their text only the words that errors are made of.

The text of an error repeats what the tool was given: names, numbers, whole records. What stays is
enough for a person to see the kind of trouble, and a keyed hash tells two kinds apart.
"""

from __future__ import annotations

import re

from aftershock.fingerprints.keyed import hash_value
from aftershock.fingerprints.outcomes import error_class

OMITTED = "…"
CLASS = re.compile(
    r"(?:[a-z_]\w*\.){0,8}[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit|Timeout)"
)
CORE = re.compile(r"[\w…#]+")
CONSTANT = re.compile(r"E[A-Z]{3,14}")  # of errno
HASH_CHARS = 6
WORDS = frozenset(
    """
    a aborted accept access account after allowed already an and api argument arguments as at
    attempt attempts auth authentication authorization authorized available back bad be because
    before body broken bucket budget busy but by bytes call called can cancelled cannot certificate
    check client closed cluster code column command commit compile complete config configuration
    conflict connect connected connecting connection constraint container content corrupt could
    crash create credentials data database deadline deadlock decode default delete denied deployment
    depth descriptor did directory disabled disk dns does down due duplicate duration during empty
    encode end endpoint entity environment error errors exceeded exception execute execution exist
    existing exists exit exited expected expired fail failed failing failure fatal field file files
    flag for forbidden format found from full function gateway get given gone handle handshake has
    have header host http https id if image import in incorrect index input instance insufficient
    integer internal interrupted invalid io is it item job json key killed large length limit line
    list load local lock locked login long lost mapping match maximum memory message method
    minimum mismatch missing model module more must name names namespace needed network no node none
    not null number object of on one only open operation option or out output over overflow
    overloaded owner parameter parameters parse password path payload peer pending permission
    permissions permitted pod pool port position post process program property protocol provided put
    query queue quota range rate read reached readonly ready received recursion refused rejected
    release remote replica replicas request requested requests required reset resource resources
    response result results retries retry return returned row rows run running schema script seconds
    server service session set shape shutdown size slow small socket space specified ssl start
    started
    state status stop stopped stream string supported syntax system table target temporarily
    than the there this throttled time timed timeout tls to token tokens too tool transaction try
    type unable unauthorized unavailable undefined unexpected unhealthy unknown unprocessable
    unreachable unsupported update upstream url use used user valid value values version volume wait
    waiting was were while with without write wrong xml yaml zone
    """.split()  # noqa: SIM905 (a list of strings would be four times as long)
)


def without_content(text: str) -> str:
    """The class of an error: `ValueError: no … in … [3fa2c1]`. Empty for an empty text."""
    masked = error_class(text)
    kept: list[str] = []
    for token in masked.split():
        core = CORE.search(token)
        known = core is None or is_known(core[0]) or CLASS.search(token) is not None
        if known:
            kept.append(token)
        elif kept[-1:] != [OMITTED]:
            kept.append(OMITTED)
    if OMITTED not in kept:
        return masked
    return f"{' '.join(kept)} [{hash_value(masked.encode('utf-8', 'replace'))[:HASH_CHARS]}]"


def is_known(word: str) -> bool:
    """True for a word of errors, a code such as ECONNREFUSED, or what is masked already."""
    return word.strip("#…") == "" or word.lower() in WORDS or CONSTANT.fullmatch(word) is not None
