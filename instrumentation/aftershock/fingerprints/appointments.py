"""Answers that say at what hour or on what day something is expected."""

from __future__ import annotations

import re

# "expected at 15:00", "available from 2026-03-06", "voraussichtlich 18:30".
EXPECTED = re.compile(
    r"""(?:\b(?:eta|expected|estimated|scheduled|due|planned|available|ready|starts?|begins?|opens?
          |resumes?|settles?|until|not\sbefore|next\s(?:run|window|batch)
          |voraussichtlich|erwartet|geplant|verfügbar|pr[ée]vue?|estimad[oa]|previst[oa]|prevedibile
          |verwacht|gepland|beräkna[ds]|förväntas|planowan\w+|przewidywan\w+|tahmini|ожидается)\b
        | 预计|預計|预定|予定|見込|예정|예상)
        [^\d\n]{0,24}
        (?:\d{1,2}\s?[:：時时시]\s?\d\d | \d{4}-\d\d-\d\d | \d{1,2}\s?(?:am|pm)\b
          | \d{1,2}\s?[時时点點시])""",
    re.IGNORECASE | re.VERBOSE,
)
HAS_DIGIT = re.compile(r"\d")


def names_an_hour(short: str) -> bool:
    """True for a short answer that says at what hour or on what day to expect something."""
    return HAS_DIGIT.search(short) is not None and EXPECTED.search(short) is not None
