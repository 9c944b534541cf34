"""JSON-RPC messages: read strictly, and changed in place, so that all else stays as it was written.

A message that two parsers could read differently is refused: the server must not see another call
than the one that was judged.
"""

from __future__ import annotations

import json
import re
from json import JSONDecoder
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

CALL = "tools/call"
CANCELLED = "notifications/cancelled"
PARSE_ERROR, INVALID_REQUEST = -32_700, -32_600  # of JSON-RPC 2.0
CLIENT_KEY = "io.modelcontextprotocol/clientInfo"
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
ID_FIRST = re.compile(rb'\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(-?\d+|"(?:[^"\\]|\\.)*")')
MEMBERS = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
PARAMETERS = frozenset({"name", "arguments", "_meta"})
BATCH_MAX = 1_000  # messages
# Ends of lines for some reader: white space between the parts of JSON, or inside of texts.
LINE_ENDS = {b"\r": b" ", b"\xc2\x85": rb"\u0085", b"\xe2\x80\xa8": rb"\u2028",
             b"\xe2\x80\xa9": rb"\u2029"}  # fmt: skip
SPACE = re.compile(r"[ \t\n\r]*")

ID_LAST = 2**53  # above it, readers with numbers of 64 bits round

Message = dict[str, Any]


class Unreadable(Exception):  # noqa: N818  (it names the message's state)
    """A message that cannot be read in one way only; `code` is JSON-RPC's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def read(raw: bytes) -> Any:
    """The message or the batch in some bytes. Raises Unreadable."""
    message = decoded(raw)
    if len(each(message)) > BATCH_MAX:
        raise Unreadable(INVALID_REQUEST, f"more than {BATCH_MAX} messages in one batch")
    for one in each(message):
        check_names(one)
    return message


def decoded(raw: bytes) -> Any:
    """The JSON in some bytes, no key of which occurs twice in one object. Raises Unreadable."""
    try:
        return STRICT.decode(raw.decode("utf-8"))
    except RecursionError as error:
        raise Unreadable(PARSE_ERROR, "nested too deeply") from error
    except ValueError as error:  # of either decoder
        raise Unreadable(PARSE_ERROR, f"not JSON: {error}") from error


def check_names(message: Any) -> None:
    """Raises Unreadable where a reader that ignores case finds another message.

    Go's is one (https://pkg.go.dev/encoding/json#Unmarshal), and many servers are written in Go.
    """
    if not isinstance(message, dict):
        raise Unreadable(INVALID_REQUEST, "a message is an object")
    check_case(cast("Message", message), MEMBERS)
    if cast("Message", message).get("method") == CALL:
        params = params_of(message)
        check_case(params, PARAMETERS)
        check_case(as_object(params.get("arguments")), frozenset())


def check_case(found: Message, known: frozenset[str]) -> None:
    """Raises Unreadable where two keys, or a key and a known one, differ in case only."""
    if len({key.casefold() for key in found}) != len(found):
        raise Unreadable(INVALID_REQUEST, "two keys of one object differ in case only")
    for key in found:
        if key not in known and key.casefold() in known:
            raise Unreadable(INVALID_REQUEST, f"{key!a} is written {key.casefold()}")


def once(pairs: list[tuple[str, Any]]) -> Message:
    """An object each of whose keys occurs once. Raises Unreadable."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable(INVALID_REQUEST, "a key occurs twice in one object")
    return found


DECODER = JSONDecoder()
STRICT = JSONDecoder(object_pairs_hook=once)


def each(message: Any) -> list[Any]:
    """The messages of a batch, or the one that is none."""
    return cast("list[Any]", message) if isinstance(message, list) else [message]


def is_call(message: Any) -> bool:
    """True for a message that calls a tool, in the form that servers accept."""
    return (
        as_object(message).get("method") == CALL
        and isinstance(as_object(params_of(message)).get("name"), str)
    )  # fmt: skip


def is_response(message: Any) -> bool:
    """True for the answer to a request."""
    found = as_object(message)
    return "id" in found and "method" not in found


def params_of(message: Any) -> Message:
    """The parameters of a message by name; empty where they have no names."""
    return as_object(as_object(message).get("params"))


def meta_of(message: Any) -> Message:
    """What a message says about itself."""
    return as_object(params_of(message).get("_meta"))


def as_object(value: Any) -> Message:
    """A JSON object; an empty one for anything else."""
    return cast("Message", value) if isinstance(value, dict) else {}


def is_id(value: Any) -> bool:
    """True for what MCP lets a request be called, and every reader reads as the same."""
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if is_whole and not isinstance(value, bool):
        return abs(cast("float", value)) <= ID_LAST
    return isinstance(value, str)


def key_of(identifier: Any) -> str:
    """A request's id as a key: 1 and "1" are two, 1 and 1.0 are one."""
    is_whole = isinstance(identifier, float) and identifier.is_integer()
    return json.dumps(int(identifier) if is_whole else identifier)


def client_name(message: Any) -> str | None:
    """What the client calls itself in this message."""
    given = params_of(message).get("clientInfo") or meta_of(message).get(CLIENT_KEY)
    name = as_object(given).get("name")
    return name if isinstance(name, str) and name else None


def held_answer(call: Any, text: str) -> Message:
    """The result of a call that was held back, as its client reads results."""
    result: Message = {"content": [{"type": "text", "text": text}], "isError": True}
    if VERSION_KEY in meta_of(call):  # since revision 2026-07-28 results say what they are
        result["resultType"] = "complete"
    return {"jsonrpc": "2.0", "id": call["id"], "result": result}


def error_answer(error: Unreadable) -> Message:
    """The answer to what cannot be read; JSON-RPC's id is then null."""
    found = {"code": error.code, "message": f"aftershock mcp-proxy: {error}"}
    return {"jsonrpc": "2.0", "id": None, "error": found}


def encoded(value: Any) -> bytes:
    """A message of ours as bytes."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def as_line(raw: bytes) -> bytes:
    """A message that was read, the same for every reader of lines: it ends nowhere before its end.

    Readers of lines split at a carriage return, too, or at every line separator of Unicode.
    """
    for end, same in LINE_ENDS.items():
        raw = raw.replace(end, same)
    return raw


# --- Changes in place ----------------------------------------------------------------------------


def with_meta(text: str, carried: Mapping[str, str]) -> str:
    """A message that has parameters, with these texts in its `_meta`, else letter for letter."""
    where = members(text, after_space(text, 0))["params"][0]
    found = members(text, where).get("_meta")
    if found is None:
        return with_members(text, where, {"_meta": dict(carried)})
    if text[found[0]] != "{":
        return text[: found[0]] + json.dumps(dict(carried)) + text[found[1] :]
    return with_members(text, found[0], carried)


def items_of(text: str) -> list[str]:
    """The elements of an array, each as it is written."""
    at = after_space(text, after_space(text, 0) + 1)
    found: list[str] = []
    while text[at] != "]":
        _, end = DECODER.raw_decode(text, at)
        found.append(text[at:end])
        at = after_comma(text, end)
    return found


def with_members(text: str, start: int, given: Mapping[str, Any]) -> str:
    """The text in which the object at `start` has these members, replaced or put first."""
    known = members(text, start)
    for key in sorted(known.keys() & given.keys(), key=lambda key: known[key], reverse=True):
        begin, end = known[key]
        text = text[:begin] + json.dumps(given[key]) + text[end:]
    new = ", ".join(
        f"{json.dumps(key)}: {json.dumps(value)}"
        for key, value in given.items()
        if key not in known
    )
    if not new:
        return text
    return f"{text[: start + 1]}{new}{', ' if known else ''}{text[start + 1 :]}"


def members(text: str, start: int) -> dict[str, tuple[int, int]]:
    """Where the value of each member of the object at `start` begins and ends."""
    at = after_space(text, start + 1)
    found: dict[str, tuple[int, int]] = {}
    while text[at] != "}":
        key, at = DECODER.raw_decode(text, at)
        begin = after_space(text, after_space(text, at) + 1)  # behind the colon
        _, end = DECODER.raw_decode(text, begin)
        found[key] = begin, end
        at = after_comma(text, end)
    return found


def after_space(text: str, at: int) -> int:
    """The next place that is no white space."""
    found = SPACE.match(text, at)
    assert found is not None, "it matches nothing, too"
    return found.end()


def after_comma(text: str, at: int) -> int:
    """The next element, or the end of what holds them."""
    at = after_space(text, at)
    return after_space(text, at + 1) if text[at] == "," else at
