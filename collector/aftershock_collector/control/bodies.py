"""JSON bodies of requests about calls: whatever an agent wrote into one, its call is judged.

An agent chooses its arguments. Half a character, or a nesting that nothing can print, must not end
in an error: where the collector gives none, a hook decides alone.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any, cast

from aftershock.gate import any_json
from aftershock.gate.any_json import DEPTH_MAX

BODY_BYTES_MAX = 16_000_000  # a hook sends a file that is written whole
VALUES_MAX = 100_000  # of lists and mappings, all in all; each costs a microsecond and more
TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


class Bad(ValueError):  # noqa: N818  (it names the request)
    """A request that cannot be understood; says why."""


def read_body(data: bytes) -> dict[str, Any]:
    """The object of a body, without half characters, and cut where it is nested too deeply.

    What is cut is named by a digest of the whole, so that no approval covers another call.
    Raises Bad.
    """
    if values_in(data) > VALUES_MAX:
        raise Bad(f"the body has more than {VALUES_MAX} values")
    try:
        body: Any = any_json.loads(data)
    except ValueError as error:
        raise Bad(f"the body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise Bad("the body is no JSON object")
    given = cast("dict[str, Any]", body)
    if data.count(b"{") + data.count(b"[") > DEPTH_MAX or b"\\ud" in data.lower():
        mark = f"nested too deeply: {blake2b(data, digest_size=16).hexdigest()}"
        return {whole(key): cleaned(value, mark) for key, value in given.items()}
    return given


def values_in(data: bytes) -> int:
    """About how many values some JSON has. Signs within texts count only where texts are many."""
    most = signs_in(data)
    texts = (data.count(b'"') - data.count(b'\\"')) // 2
    return most if most <= VALUES_MAX or texts > VALUES_MAX else signs_in(TEXT.sub(b"", data))


def signs_in(data: bytes) -> int:
    """Commas, and what opens a list or a mapping."""
    return sum(map(data.count, (b",", b"{", b"[")))


def cleaned(value: Any, mark: str, depth: int = 1) -> Any:
    """A value of JSON that can be kept and shown."""
    if isinstance(value, str):
        return whole(value)
    if not isinstance(value, dict | list):
        return value
    if depth >= DEPTH_MAX:
        return mark
    if isinstance(value, list):
        return [cleaned(one, mark, depth + 1) for one in cast("list[Any]", value)]
    given = cast("dict[str, Any]", value)
    return {whole(key): cleaned(one, mark, depth + 1) for key, one in given.items()}


def whole(text: str) -> str:
    """A text without half characters (lone surrogates), which no UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
