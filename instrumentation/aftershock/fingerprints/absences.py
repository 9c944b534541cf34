"""Claims that nothing bad was there: "no errors", "0 findings", "without downtime"."""

from __future__ import annotations

import re

from aftershock.fingerprints.screening import Screened

# What a report says that there was none of: such a sentence names no failure of its own.
BAD = (
    r"(?:alarm|alert|anomal|breach|bug|conflict|corruption|crash|defect|deviation|difference"
    r"|discrepanc|downtime|drift|duplicate|error|exception|failure|finding|flaw|gap|incident"
    r"|infection|inconsistenc|interruption|issue|leak|loss|mismatch|outage|outlier|problem"
    r"|regression|threat|timeout|trouble|violation|vulnerabilit|warning)\w*"
)
# A share of errors is a figure that somebody measured, however large.
ABSENCE = Screened(
    rf"""\b(?:no|zero|0|none\sof\sthe|free\sof|without(?:\sany)?)\s(?:[\w/\-]+,?\s){{0,4}}?{BAD}
      | \b\d[\d.,]*\s?%\s(?:of\s)?(?:[\w\-]+\s)?{BAD}
      | \b{BAD}\srate(?:\s(?:is|was|of|at|stayed\sat))?\s?[:=]?\s?\d[\d.,]*\s?%
      | \b{BAD}\s?[:=]\s?0\b(?![.,]\d)
      | \bnothing\s(?:was\s)?(?:suspicious|unusual|wrong|missing)\b""",
    re.IGNORECASE | re.VERBOSE,
)


def without_absences(text: str) -> str:
    """A text without its claims that nothing bad was there."""
    return ABSENCE.sub("fine", text)
