"""Checks of what only looks like a secret: numbers of cards, accounts, keys without a name."""

from __future__ import annotations

import re

LOWER_RUN = re.compile(r"[a-z]{7,}|[A-Z]{9,}")  # words, as paths and prose have them
PLAIN = re.compile(r"(?:\d{1,5}(?:\.\d+)?|[a-z]{1,20}|[A-Z]{1,20}|[A-Z][a-z]{1,20}|\W*)")


def is_card(text: str) -> bool:
    """True for a number of a length and issuer that there is, whose check digit is right."""
    digits = [int(c) for c in text if c.isdigit()]
    number, length = "".join(map(str, digits)), len(digits)
    known = (
        (number[0] == "4" and length in {13, 16, 19})
        or (length == 16 and (51 <= int(number[:2]) <= 55 or 2221 <= int(number[:4]) <= 2720))
        or (length == 15 and number[:2] in {"34", "37"})
        or (length == 14 and (number[:2] in {"36", "38", "39"} or 300 <= int(number[:3]) <= 305))
        or (length >= 16 and number.startswith(("6011", "65", "62", "35", "644", "648", "649")))
    )
    doubled = (d if place % 2 == 0 else d * 2 - 9 * (d > 4) for place, d in enumerate(digits[::-1]))
    return known and sum(doubled) % 10 == 0


def is_iban(text: str) -> bool:
    """True where the check digits of an account number are right (ISO 13616)."""
    plain = "".join(c for c in text if c.isalnum())
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def is_phone(text: str) -> bool:
    """True for as many digits as numbers of telephones have (E.164)."""
    return 7 <= sum(c.isdigit() for c in text) <= 17


def is_random(text: str) -> bool:
    """True for forty characters that no path and no hash in hexadecimal has: an AWS secret."""
    return (
        any(c.islower() for c in text)
        and any(c.isupper() for c in text)
        and sum(c.isdigit() for c in text) >= 2
        and len(set(text)) >= 18
        and not LOWER_RUN.search(text)
    )


def is_token_like(value: str) -> bool:
    """True for a value that is no count, flag or word: letters with digits or signs, or long."""
    bare = value.strip("\\\"'")
    if PLAIN.fullmatch(bare):
        return False
    kinds = (
        any(c.isalpha() for c in bare),
        any(c.isdigit() for c in bare),
        any(not c.isalnum() and c not in "_-. " for c in bare),
    )
    return len(bare) >= 6 and (sum(kinds) >= 2 or len(bare) >= 32)
