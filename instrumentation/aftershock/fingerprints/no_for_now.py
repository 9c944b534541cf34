"""A person's no that leaves nothing to be done for now, and questions that ask for leave.

A no alone may be to a detail: "by express?" "No, the usual way." So it counts only with the words
that hold the work itself back.
"""

from __future__ import annotations

import re

NO = re.compile(
    r"""^(?:\{\s*["']\w{1,20}["']\s*:\s*["'])?\W{0,3}
        (?:no|nope|nein|non|não|nee|nej|hold\son|wait|stop)\b[,.!;:\s\-–—]{1,3}
        (?:\w+\s){0,2}?
        (?:not\s(?:before|until|till|unless|without|yet)|do\snot|don['’]t|never|wait\b|hold\soff
          |not\snow
          |nicht\s(?:bevor|ohne|vor)|noch\snicht|erst\swenn|warte
          |pas\s(?:avant|sans|encore)|attends|no\s(?:antes|sin)|todav[ií]a\sno|espera
          |non\s(?:prima|senza|ancora)|aspetta|não\s(?:antes|sem)|ainda\snão
          |niet\s(?:voor|zonder)|nog\sniet)(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)
CHARS_MAX = 200  # a person's no is short
LEAVE = re.compile(
    r"""\b(?:shall|should|may|can|could)\s(?:i|we)\b | \b(?:ok(?:ay)?|fine)\sto\b
      | \bwant\s(?:me|us)\sto\b | \bgo\sahead\b | \bproceed\b
      | \b(?:soll(?:en)?|darf|dürfen|kann)\s(?:ich|wir)\b | \bdois-je\b | \bpuis-je\b
      | \b(?:debo|puedo|devo|posso)\b | \b(?:zal|mag|moet)\sik\b""",
    re.IGNORECASE | re.VERBOSE,
)
WORD = re.compile(r"[A-Za-z0-9][\w./@:\-]{2,63}")
# What a question names holds one of these: pr-3, INV_2210; a word alone may be anything.
NAMING = re.compile(r"[\d_/@\-]")


def says_not_now(short: str) -> bool:
    """True for an answer that begins with a no and holds the work back."""
    return len(short) <= CHARS_MAX and NO.match(short.strip()) is not None


def named_in_leave(text: str) -> list[str]:
    """What a question for leave names; empty for any other text."""
    if "?" not in text or not LEAVE.search(text):
        return []
    return [word.rstrip("./:-") for word in WORD.findall(text) if NAMING.search(word)]
