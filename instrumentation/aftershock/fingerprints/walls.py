"""Pages that stand in front of what was asked for: to sign in, or to prove that one is human."""

from __future__ import annotations

import re

CHARS_MAX = 600  # of an answer: such a page names itself in its title or its first heading
TITLE = (
    r"""(?:<title[^>]*>|<h[12][^>]*>|\bheading\s+["']|\btitle["']?\s*[:=]\s*["']?|^\#{1,3}\s)\W*"""
)
WALL = re.compile(
    rf"""{TITLE}(?:please\s)?(?:sign|log)[\s-]?[io]n\b
      | {TITLE}(?:authentication|login|captcha)\b
      | \bverify\s(?:that\s)?you(?:['’]re|\sare)\s(?:a\s)?(?:human|not\sa\s(?:ro)?bot)
      | \b(?:are\syou|i['’]?m\snot)\sa\srobot\b | \bunusual\straffic\sfrom\b
      | \benable\sjavascript\sand\scookies\sto\scontinue""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
# Cheaper than the pattern: a title with one of these words, or a sentence of its own.
TITLES = ("<title", "<h1", "<h2", "heading", "title", "# ")
BARRING = ("sign", "log", "authentic", "captcha")
SENTENCES = ("human", "not a bot", "a robot", "unusual traffic", "enable javascript")


def shows_a_wall(text: str) -> bool:
    """True for a page that bars the way to what was asked for."""
    head = text[:CHARS_MAX]
    lower = head.lower()
    titled = any(mark in lower for mark in TITLES) and any(word in lower for word in BARRING)
    if not titled and not any(sentence in lower for sentence in SENTENCES):
        return False
    return WALL.search(head) is not None
