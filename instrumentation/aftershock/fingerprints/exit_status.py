"""What the exit status of a command says: that it failed, or only that the answer is no."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from aftershock.fingerprints.screening import Screened

# "exit code 2", "returned code: 1"; at the very end also "[exit 127]". There, 1 is left to the
# words before it: programs that answer yes or no (grep, nc, test) exit with it for a no.
FAILED_TAIL = Screened(
    r"""(?:exit(?:ed\swith)?\s(?:code|status)|return(?:ed)?\scode)\s?:?\s?-?[1-9]
      | \bexit(?:ed)?(?:\swith)?\s?[:=]?\s?-?(?:[2-9]|[1-9]\d{1,2})\W{0,3}$""",
    re.IGNORECASE | re.VERBOSE,
)
# The status 1 and nothing else.
ONLY_NO = re.compile(
    r"""^\W*(?:(?:the\s)?(?:command|process|program)\s)?
        (?:exit(?:ed)?|return(?:ed)?)(?:\swith)?(?:\s(?:code|status))?\s?[:=]?\s?1\b
        (?:\s(?:and|with)\s(?:no|empty)\soutput|\W+\(?no\soutput\)?)?\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
ONLY_CHARS_MAX = 80
STATUS_FIELD = re.compile(r"(?i)^(?:exit_?(?:code|status)|return_?code|rc)$")
ECHOED_FIELD = re.compile(r"(?i)^(?:command|cmd|cwd|shell|host)$")
JSON_CHARS_MAX = 400  # an answer that holds no more than a status is short
MARKS = ("xit", "eturn", '"rc"')  # cheaper than the patterns


def ends_with_failure(tail: str) -> bool:
    """True where the end of an answer says that a command failed."""
    return FAILED_TAIL.search(tail) is not None


def says_no_by_status(text: str) -> bool:
    """True for the exit status 1 and nothing printed: grep, diff and test say no by it."""
    if len(text) > JSON_CHARS_MAX or not any(mark in text for mark in MARKS):
        return False
    if text.lstrip()[:1] != "{":
        return len(text) <= ONLY_CHARS_MAX and ONLY_NO.match(text) is not None
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict) and holds_only_a_no(cast("dict[str, Any]", value))


def holds_only_a_no(fields: dict[str, Any]) -> bool:
    """True for a record of a command with the status 1 and without a word of output."""
    status = [item for name, item in fields.items() if STATUS_FIELD.match(name)]
    if status not in ([1], ["1"]):
        return False
    others = (item for name, item in fields.items() if not ECHOED_FIELD.match(name))
    return not any(
        isinstance(item, list | dict | str) and item not in ("", "1", [], {}) for item in others
    )
