"""Short answers that say that the thing which was asked about has failed."""

from __future__ import annotations

import re

from aftershock.fingerprints.absences import without_absences
from aftershock.fingerprints.screening import Screened

CHARS_MAX = 600  # of an answer; logs and prose hold every such word
# "failed": 0, errors = none: a count or a field that says that there are none.
NONE_OF_IT = Screened(
    r"""["']?\b\w*(?:fail|error|exception|abort|crash|timeout)\w*["']?\s*[:=]\s*
        (?:0\b(?!\.\d)|null|none|false|""|''|\[\]|\{\})
      | \b(?:0|no|zero|none)\s(?:\w+\s)?
        (?:failed|failures?|errors?|errored|crashed|killed)\b""",
    re.IGNORECASE | re.VERBOSE,
)
WRONG = Screened(
    r"""(?<![A-Za-z])(?:failed|failure|failing|fatal|errors?|errored|crash(?:ed|loop\w*)?
          |oom(?:killed)?|out[\s_]of[\s_]memory|killed|unhealthy|broken|timed[\s_]out|aborted
          |traceback)(?![A-Za-z])
      | exception(?![A-Za-z])
      | \b(?:healthy|ok|ready|passed|success\w*|valid|alive|available)["']?\s*[:=]\s*
        ["']?false\b""",
    re.IGNORECASE | re.VERBOSE,
)


def reports_failure(text: str) -> bool:
    """True for a short answer that says that something failed, and not that nothing did."""
    if len(text) > CHARS_MAX or not WRONG.search(text):
        return False
    return WRONG.search(without_absences(NONE_OF_IT.sub("", text))) is not None
