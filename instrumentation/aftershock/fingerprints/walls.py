"""Pages that stand in front of what was asked for: to sign in, or to prove that one is human."""

from __future__ import annotations

import re

from aftershock.fingerprints.screening import Screened

CHARS_MAX = 600  # of an answer: such a page names itself in its title or its first heading
TITLE = (
    r"""(?:<title[^>]*>|<h[12][^>]*>|\bheading\s+["']|\btitle["']?\s*[:=]\s*["']?|^\#{1,3}\s)\W*"""
)
WALL = Screened(
    rf"""{TITLE}(?:please\s)?(?:sign|log)[\s-]?[io]n\b
      | {TITLE}(?:authentication|login|captcha)\b
      | \bverify\s(?:that\s)?you(?:['’]re|\sare)\s(?:a\s)?(?:human|not\sa\s(?:ro)?bot)
      | \b(?:are\syou|i['’]?m\snot)\sa\srobot\b | \bunusual\straffic\sfrom\b
      | \benable\sjavascript\sand\scookies\sto\scontinue""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)


def shows_a_wall(text: str) -> bool:
    """True for a page that bars the way to what was asked for."""
    return WALL.search(text[:CHARS_MAX]) is not None
