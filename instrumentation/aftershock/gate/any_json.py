"""JSON that an agent had a say in: whatever is JSON to the agent's own reader can be read here.

Python's reader gives up on a thousand levels, on a number of 4,301 digits and on a byte that is not
UTF-8. An agent chooses its arguments, and a call whose event cannot be read would not be judged.
"""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import Any

DEPTH_MAX = 64  # of values inside values: tools' arguments have five
DIGITS_MAX = 4_300  # of a whole number: Python neither reads nor prints longer ones
LONG = re.compile(rf"\d{{{DIGITS_MAX + 1}}}")
TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def loads(data: bytes | str) -> Any:
    """The value in some JSON.

    What lies deeper than DEPTH_MAX is left out if the whole is nested too deeply, and a number of
    too many digits is text; both are named by a digest of what they were. Raises ValueError.
    """
    text = data if isinstance(data, str) else data.decode("utf-8-sig", "replace")
    try:
        return DECODER.decode(text)
    except RecursionError:
        pass
    except ValueError:
        if LONG.search(text) is None:
            raise
    return BOUNDED.decode(shallow(text))


def value_of(given: Any) -> Any:
    """What a text of JSON says, if it is one of a list or an object; anything else as it is."""
    if not isinstance(given, str) or given.lstrip()[:1] not in {"{", "["}:
        return given
    try:
        return loads(given)
    except ValueError:
        return given


def whole_number(digits: str) -> int | str:
    """A number that can be printed, or what stands in its place."""
    if len(digits) <= DIGITS_MAX:
        return int(digits)
    return f"{digits[:20]}… ({len(digits)} digits, {digest(digits)})"


# Lenient about raw newlines in texts; made once, because `json.loads` makes one at each call.
DECODER = json.JSONDecoder(strict=False)
BOUNDED = json.JSONDecoder(strict=False, parse_int=whole_number)


def shallow(text: str) -> str:
    """JSON in which a text stands for each value that lies too deep. Raises ValueError."""
    kept: list[str] = []
    depth = begin = 0
    for token in TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == DEPTH_MAX + 1:
                kept.append(text[begin : token.start()])
                begin = token.start()
        elif token[0] in "]}":
            if depth == DEPTH_MAX + 1:
                deep = text[begin : token.end()]
                kept.append(f'"nested too deeply: {digest(deep)}"')
                begin = token.end()
            depth -= 1
    if depth > 0:
        raise ValueError("a list or an object has no end")
    return "".join(kept) + text[begin:]


def digest(text: str) -> str:
    """What tells two texts apart."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
