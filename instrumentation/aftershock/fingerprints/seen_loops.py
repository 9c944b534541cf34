"""Answers in which a tool or a framework itself says that the agent goes round in a loop."""

from __future__ import annotations

import re

from aftershock.fingerprints.screening import Screened

SEEN = Screened(
    r"""["']?\bloop_?detected["']?\s*[:=]\s*true\b
      | \bloop\s(?:was\s)?detected\b(?=.{0,80}\b(?:calls?|called|tool|action|arguments?)\b)
      | \byou(?:['’]ve|\shave)?\s(?:\w+\s)?already\s(?:called|made|tried|executed|run|ran|used)\s
          (?:this|the\ssame|that|it)\b
      | \bwas\salready\scalled\s(?:\d+\stimes\s)?with\s(?:the\ssame|these|identical)\s(?:arg|param)
      | \b(?:identical|repeated|duplicate)\s(?:tool|function)\scalls?\b
      | \bsame\s(?:tool\s)?call\s(?:\d+\stimes|again|repeatedly)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def says_that_it_loops(short: str) -> bool:
    """True for a short answer that tells the agent that it repeats itself."""
    return SEEN.search(short) is not None
