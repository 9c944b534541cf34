"""Numbers of people in arguments: too few values to hash one by one, even with a key."""

from __future__ import annotations

import re

from aftershock.remembered import remembered

# Arguments about one person, by name; and such values wherever they stand.
PERSONAL_NAME = re.compile(
    r"(?i)(?:^|[_\-. ])(?:phone|mobile|tel|telephone|fax|ssn|social_?security|tax_?id|card|pan|cvv|"
    r"iban|passport|e?_?mail|birth\w*|dob)(?:$|[_\-. ]|number|no$|address)"
)
PERSONAL = re.compile(
    r"[\w.+\-]{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,8}"  # e-mail
    r"|\+\d[\d ().\-]{7,20}\d"  # telephone, with its country
    r"|\(\d{3}\) ?\d{3}-\d{4}|\b\d{3}[-.]\d{3}[-.]\d{4}\b"  # telephone, as in the US
    r"|\b\d{3}-\d{2}-\d{4}\b"  # social security
    r"|\b(?:\d{4}[ \-]?){3}\d{1,7}\b|\b3[47]\d{2}[ \-]?\d{6}[ \-]?\d{5}\b"  # card
)
DIGITS_OF_PERSONS = re.compile(r"\d{3}[\d).\- ]{2,}\d{2}|\+\d")


@remembered
def is_personal_name(name: str) -> bool:
    """True for an argument about one person, by its name."""
    return PERSONAL_NAME.search(name) is not None


def without_personal(text: str) -> tuple[str, int]:
    """A text without numbers of people and e-mail addresses, and how many it held."""
    if "@" not in text and not DIGITS_OF_PERSONS.search(text):
        return text, 0
    return PERSONAL.subn(" ", text)
