"""Fingerprints of arguments, results and errors, which are compared without their content."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

from aftershock.fingerprints import keyed
from aftershock.fingerprints.answers import is_volatile_argument, items_of, pagination_arguments
from aftershock.fingerprints.asked import asked_in, unnamed
from aftershock.fingerprints.cache_busters import without_cache_buster
from aftershock.fingerprints.keyed import hash_subject, smallest
from aftershock.fingerprints.no_for_now import named_in_leave
from aftershock.fingerprints.statements import ARGUMENTS, subjects_in
from aftershock.limits import DEFAULTS, NESTING_MAX, Limits
from aftershock.model import Fingerprint
from aftershock.wire import encode_named_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

QUESTION_CHARS_MAX = 1_000  # that a person is asked in
LEAVE = "leave"  # the name under which subjects hold what a question for leave names
SUBJECTS_MAX = 32  # id-like values of one call
NUMBER_ID_DIGITS_MIN = 4  # shorter numbers are counts, pages and replicas more often than ids

# Models sometimes wrap the same arguments, or add a comment on what they do.
WRAPPERS = frozenset({"", "arguments", "args", "kwargs", "input", "inputs", "parameters", "params"})
COMMANDS = frozenset({"command", "cmd", "code", "script", "query", "sql"})
COMMENTARY = frozenset(
    {"description", "explanation", "thought", "reasoning", "rationale", "security_risk", "intent"}
)
# Created once, because `json.dumps` with options creates one at each call.
CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False)
TEXT_OF = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str)
DECODER = json.JSONDecoder(strict=False)  # lenient about raw newlines in texts

WORD = re.compile(r"\w+")
HAS_DIGIT = re.compile(r"\d")
WITHOUT_DIGITS = str.maketrans("", "", "0123456789")

UNSEEN = "unseen-"  # prefix of the digest of arguments that were not recorded
PAGINATED = "paginated-"  # prefix of a stem that leaves out which page the arguments ask for
SIGILS = re.compile(r"^(?:urn:(?:[\w.\-]+:)+|[#@$~/]+)")  # #W123, @ann, urn:order:17, /orders/17
IDENTIFIER = re.compile(r"^(?=.{2,128}$)[A-Za-z0-9][\w.:/@#+\-]*$")
DATE = re.compile(r"^\d{4}-\d\d-\d\d(?:[T ].*)?$")


def fingerprint_arguments(arguments: Any, limits: Limits = DEFAULTS) -> Fingerprint:
    """The fingerprint of a call's arguments, equal for calls that differ in form only.

    Key order, white space, empty values, wrappers (`{"arguments": {…}}`), and JSON or numbers in
    text do not matter. The sketch (`asked`) separates "the same question reworded" from "the next
    page". Numbers of people (telephone, card, social security, e-mail) are never in it.
    """
    normal = normalise(arguments)
    text = CANONICAL.encode(normal) if normal else ""
    digest = keyed.hash_value(text.encode("utf-8", "replace"))
    hashes, left_out = asked_in(normal, limits.value_chars_max) if normal else (set[int](), 0)
    if left_out:
        hashes.add(unnamed(int(digest[:8], 16)))
    size = len(arguments) if isinstance(arguments, str) else len(text)
    return Fingerprint(digest, smallest(hashes, limits.sketch_parts_max), size, stem_of(normal))


def stem_of(normal: Any) -> str | None:
    """The digest of arguments without request ids, clocks and pages; None if there are none.

    It begins with PAGINATED where a page was left out: to read another one may be the same question
    while to write another one is not the same work.
    """
    if not isinstance(normal, dict):
        return None
    arguments = cast("dict[str, Any]", normal)
    pages = pagination_arguments(arguments)
    stem = {
        key: item
        for key, item in arguments.items()
        if not (is_volatile_argument(key) or key in pages)
    }
    fresh = {key: without_cache_buster(item) for key, item in stem.items()}
    if fresh == arguments:
        return None
    stem = fresh
    return (PAGINATED if pages else "") + keyed.hash_value(
        CANONICAL.encode(stem).encode("utf-8", "replace")
    )


def unseen_arguments(span_id: str) -> Fingerprint:
    """The fingerprint of arguments that were not recorded. It equals no other fingerprint.

    Two unknown calls must not look like a loop.
    """
    return Fingerprint(f"{UNSEEN}{span_id}")


def fingerprint_result(result: Any, limits: Limits = DEFAULTS) -> Fingerprint:
    """The fingerprint of what a tool returned.

    The digest covers every item of the answer (`answers.items_of`), in any order: equal digests
    mean that nothing but times, ids and the like differs. The sketch ignores every number too:
    equal sketches mean that at most numbers differ.
    """
    text = text_of(result)
    size = len(text)
    if size > limits.value_chars_max:
        half = limits.value_chars_max // 2
        text = f"{text[:half]}\n{text[-half:]}"
    items = sorted(items_of(text))
    digest = keyed.hash_value("\n".join(items).encode("utf-8", "replace"))
    parts = set("\n".join(items).translate(WITHOUT_DIGITS).split("\n"))
    parts.discard("")
    return Fingerprint(
        digest,
        smallest(
            {keyed.hash_line(part.encode("utf-8", "replace")) for part in parts},
            limits.sketch_parts_max,
        ),
        size,
    )


def normalise(value: Any, depth: int = 0) -> Any:
    """A value in its canonical form: dicts, lists and texts only, without empty parts."""
    if isinstance(value, str):
        return normalise_text(value, depth)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int):
        return str(value)
    if depth >= NESTING_MAX:
        return " ".join(str(value).split())
    if isinstance(value, dict):
        return normalise_mapping(cast("dict[Any, Any]", value), depth)
    if isinstance(value, list | tuple):
        return [normalise(item, depth + 1) for item in cast("Sequence[Any]", value)]
    return " ".join(str(value).split())


def normalise_text(text: str, depth: int) -> Any:
    """Text with single spaces, or the value of its JSON."""
    stripped = text.strip()
    if stripped[:1] in ("{", "[") and stripped[-1:] in ("}", "]") and depth < NESTING_MAX:
        try:
            return normalise(DECODER.decode(stripped), depth + 1)
        except (ValueError, RecursionError):
            pass  # it only looked like JSON
    return " ".join(stripped.split())


def normalise_mapping(mapping: dict[Any, Any], depth: int) -> Any:
    """A mapping without empty values, wrappers, and narration beside a command."""
    narrated = not COMMANDS.isdisjoint(mapping)
    kept = {
        str(key): normal
        for key, item in mapping.items()
        if not (narrated and key in COMMENTARY) and (normal := normalise(item, depth + 1))
    }
    if len(kept) == 1:
        ((key, only),) = kept.items()
        if key in WRAPPERS and isinstance(only, dict):
            return cast("dict[str, Any]", only)
    return kept


def text_of(result: Any) -> str:
    """A result as text: MCP and message content blocks become their text, the rest JSON."""
    if isinstance(result, str):
        return result
    if result is None:
        return ""
    if isinstance(result, dict):
        content = cast("dict[str, Any]", result).get("content")
        if isinstance(content, str | list):
            return text_of(content)
    if isinstance(result, list):
        blocks = cast("list[Any]", result)
        if blocks and all(is_text_block(block) for block in blocks):
            return "\n".join(block["text"] for block in blocks)
    try:
        return TEXT_OF.encode(cast("Any", result))
    except (TypeError, ValueError, RecursionError):
        return str(cast("Any", result))


def is_text_block(block: Any) -> bool:
    """True for `{"type": "text", "text": …}` as messages and MCP results hold it."""
    return isinstance(block, dict) and isinstance(cast("dict[str, Any]", block).get("text"), str)


def subjects_of(arguments: Any) -> frozenset[str]:
    """`argument=hash` of the values in arguments that look like names or ids.

    The hash joins a write to a read with the same value, even if the argument has another name
    there. The argument's own name gives the kind of the value.
    """
    found: dict[tuple[str, str], None] = {}
    collect_subjects(arguments, "", found, 0)
    return frozenset(encode_named_hash(name, hash_subject(value)) for name, value in found)


def collect_subjects(value: Any, name: str, found: dict[tuple[str, str], None], depth: int) -> None:
    """Add the id-like values inside a value, bounded in depth and number."""
    if len(found) >= SUBJECTS_MAX or depth > NESTING_MAX:
        return
    if isinstance(value, dict):
        for key, item in cast("Mapping[Any, Any]", value).items():
            collect_subjects(item, str(key), found, depth + 1)
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[Any]", value):
            collect_subjects(item, name, found, depth + 1)
    elif isinstance(value, str) and (stated := stated_in(value, name)):
        found.update(dict.fromkeys(stated))
    elif (identifier := identifier_of(value)) is not None:
        found[name, identifier] = None
    elif isinstance(value, str) and value[:1] in ("{", "["):
        parsed = normalise_text(value, depth)
        if not isinstance(parsed, str):
            collect_subjects(parsed, name, found, depth + 1)


def stated_in(text: str, name: str) -> list[tuple[str, str]]:
    """What a SQL statement is about, or what a question for leave names; empty for other texts."""
    if name in ARGUMENTS and (stated := subjects_in(text)):
        return stated
    if "?" not in text or len(text) > QUESTION_CHARS_MAX:
        return []
    return [(LEAVE, named) for named in named_in_leave(text)]


def identifier_of(value: Any) -> str | None:
    """A name or an id as text; None for prose, dates, small numbers and everything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    value = SIGILS.sub("", value.strip())
    if value.isdecimal():
        return value if len(value) >= NUMBER_ID_DIGITS_MIN else None
    return value if IDENTIFIER.match(value) and not DATE.match(value) else None
