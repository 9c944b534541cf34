"""Fingerprints: what can be said about arguments, results and errors without keeping them."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from aftershock.fingerprints import keyed
from aftershock.fingerprints.keyed import hash_subject
from aftershock.fingerprints.personal import PERSONAL_NAME, without_personal
from aftershock.limits import Limits
from aftershock.model import Fingerprint, Outcome
from aftershock.wire import encode_named_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULTS = Limits()
ERROR_CLASS_CHARS_MAX = 200  # of an error class: enough for a message, too short for a payload
DEPTH_MAX = 12  # nested values of arguments; deeper ones are compared as text
SUBJECTS_MAX = 32  # id-like values of one call
NUMBER_ID_DIGITS_MIN = 4  # shorter numbers are counts, pages and replicas more often than ids

# Models wrap the same arguments now and then, and tell what they are doing beside the doing.
WRAPPERS = frozenset({"", "arguments", "args", "kwargs", "input", "inputs", "parameters", "params"})
COMMANDS = frozenset({"command", "cmd", "code", "script", "query", "sql"})
NARRATION = frozenset(
    {"description", "explanation", "thought", "reasoning", "rationale", "security_risk", "intent"}
)
# Made once, because `json.dumps` with options makes one at each call.
CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False)
TEXT_OF = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str)
DECODER = json.JSONDecoder(strict=False)  # lenient about raw newlines in texts

WORD = re.compile(r"\w+")
HAS_DIGIT = re.compile(r"\d")
# Times, dates, uuids, addresses and long counters: from their first digit to their end.
VARYING = re.compile(rb"\d[\w:.\-]{4,}")
DIGITS = b"0123456789"

FAILED = re.compile(
    r"""^\W{0,4}(?:
          (?:\w+\s){0,3}?\w*(?:error|exception)(?:\s\w+){0,3}\s?[:!\n(\[]
        | (?:an?\s)?(?:\w+\s)?(?:error|exception)\s(?:occurred|while|in|executing|running|calling)
        | (?:fatal|failed|failure|unable\sto|could\snot|cannot|can't|invalid|unknown)\b
        | (?:permission|access)\sdenied | unauthorized | forbidden | not\sauthorized
        | (?:request\s|operation\s|connection\s|command\s|call\s)?
          (?:timed?\sout|timeout|refused|reset\sby\speer|aborted)\b
        | (?:http\s)?[45]\d\d\s(?:[A-Z][a-z]+\s?){1,4}
        | traceback\s\(most\srecent
        | (?:[^\n]{0,80}\n)?[^\n:]{0,60}\b(?:returned|result|output|observation)\s?:\s
          (?:error|exception|traceback)\b
        | .{1,80}:\s(?:command\snot\sfound|no\ssuch\sfile|permission\sdenied)
        )""",
    re.IGNORECASE | re.VERBOSE,
)
FAILED_FIELD = re.compile(
    r"""["'](?:is_?error|isError)["']\s?:\s?[Tt]rue
      | ["'](?:error|errors|exception|error_message)["']\s?:\s?
        (?!null|None|""|''|\[\]|\{\}|[Ff]alse|0\b)\S
      | ["'](?:status|state|result)["']\s?:\s?["'](?:error|failed|failure)["']
      | ["'](?:success|ok)["']\s?:\s?[Ff]alse
      | ["'](?:status_?code|statusCode|http_status)["']\s?:\s?["']?[45]\d\d
      | ["'](?:exit_?code|returncode)["']\s?:\s?-?[1-9]""",
    re.VERBOSE,
)
FAILED_TAIL = re.compile(
    r"(?:exit(?:ed with)? (?:code|status)|return(?:ed)? code)\s?:?\s?-?[1-9]", re.IGNORECASE
)
NOTHING = re.compile(
    r"""^\W*(?:null|none|nil|undefined|empty|n/?a|ok\W+0\srows?|nothing(?:\sfound)?
        | (?:sorry,?\s)?(?:there\s(?:are|were|is)\s)?(?:no|0|zero)\s(?:\w+\s){0,3}?
          (?:results?|match(?:es)?|data|rows?|items?|entries|records?|documents?|files?|output
           |hits|content|emails?|events?|messages?)
          (?:\s(?:were\s|was\s)?(?:found|returned|available|match\w*))?
          (?:\s(?:for|in|matching)\s.{0,120})?
        | (?:\w+\s)?not\sfound | none\sfound )?\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
TRUNCATED = re.compile(
    r"""[\[(<…]\s?(?:\w+\s){0,4}(?:truncated|clipped|omitted|cut\soff)\b
      | \b(?:output|result|content|response|text|file|log)s?\s
        (?:was\s|were\s|is\s|has\sbeen\s)?
        (?:too\s(?:long|large)|truncated|clipped|cut\soff)
      | \.\.\.\s?[\[(]?\d+\s(?:more|chars?|characters?|lines?|bytes)\b
      | \btruncated["']?\s?:\s?[Tt]rue""",
    re.IGNORECASE | re.VERBOSE,
)
# Looked for first, because they are cheap: the patterns above are searched only where one is.
FAILED_MARKS = ("exit", "Exit", "return")
TRUNCATED_MARKS = ("runcated", "clipped", "omitted", "cut off", "too l", "more", "...")
JSON_START = re.compile(r'^\s*(?:\{\s*["\}]|\[\s*[\{\["\]])')
BARE = re.compile(r"^\W*\w+\W*$")
QUOTED = re.compile(r"""(["'`])(?:(?!\1).){0,200}\1""")
PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\w.\-]*/)+[\w.\-]*|\b[\w\-]+\.[a-z]{1,4}\b(?=[\s:,)]|$)")
NUMBER = re.compile(r"\b(?:0x)?[0-9a-f]*\d[\w.\-]*", re.IGNORECASE)
UNSEEN = "unseen-"  # how a digest begins that is none
IDENTIFIER = re.compile(r"^(?=.{2,128}$)[A-Za-z0-9][\w.:/@#+\-]*$")
DATE = re.compile(r"^\d{4}-\d\d-\d\d(?:[T ].*)?$")


def fingerprint_arguments(arguments: Any, limits: Limits = DEFAULTS) -> Fingerprint:
    """The fingerprint of a call's arguments, equal for calls that differ in form only.

    Key order, white space, empty values, wrappers (`{"arguments": {…}}`), JSON given as text and
    numbers given as text do not matter. The sketch holds the words of the values; names are odd
    (see `names_in`), so that "the same question reworded" can be told from "the next page".
    Numbers of people (telephone, card, social security, e-mail) are never in the sketch.
    """
    normal = normalise(arguments)
    text = CANONICAL.encode(normal) if normal else ""
    leaves: list[str] = []
    collect_leaves(normal, leaves)
    spoken, personal = without_personal("\n".join(leaves)[: limits.value_chars_max])
    digest = keyed.hash_value(text.encode("utf-8", "replace"))
    hashes = set(map(hash_sketch_word, set(WORD.findall(spoken.casefold()))))
    if personal or len(leaves) < count_leaves(normal):
        # What was left out still tells this call from another, but only together with the rest.
        hashes.add(int(digest[:8], 16) | 1)
    size = len(arguments) if isinstance(arguments, str) else len(text)
    return Fingerprint(digest, smallest(hashes, limits), size)


def unseen_arguments(span_id: str) -> Fingerprint:
    """What stands for arguments that nobody recorded: they equal no others.

    Two unknowns must not look like a loop.
    """
    return Fingerprint(f"{UNSEEN}{span_id}")


def fingerprint_result(result: Any, limits: Limits = DEFAULTS) -> Fingerprint:
    """The fingerprint of what a tool returned.

    The digest ignores times, ids and long counters; the sketch, one hash a line, ignores every
    number. So equal digests say "the same again", and equal sketches "only numbers moved".
    """
    text = text_of(result)
    size = len(text)
    if size > limits.value_chars_max:
        half = limits.value_chars_max // 2
        text = text[:half] + text[-half:]
    masked = VARYING.sub(b"#", text.encode("utf-8", "replace"))
    digest = keyed.hash_value(masked)
    lines = masked.translate(None, DIGITS)
    if lines.count(b"\n") < 4:  # one long line: JSON, or prose; compare its clauses
        lines = lines.replace(b",", b"\n").replace(b". ", b"\n")
    parts = set(map(bytes.strip, lines.split(b"\n")))
    parts.discard(b"")
    return Fingerprint(digest, smallest(set(map(keyed.hash_line, parts)), limits), size)


def hash_sketch_word(word: str) -> int:
    """A word's hash: odd where it has a digit, as ids, dates and page numbers have; else even."""
    hashed = keyed.hash_word(word)
    if word.isalpha() or not HAS_DIGIT.search(word):
        return hashed & ~1
    return hashed | 1


@lru_cache(maxsize=4_096)  # asked for at each step of a run that holds the value
def names_in(sketch: frozenset[int]) -> frozenset[int]:
    """The words of arguments that name one thing among many: those with a digit."""
    return frozenset(word for word in sketch if word & 1)


def smallest(hashes: set[int], limits: Limits) -> frozenset[int]:
    """Hashes, or where there are too many the smallest, so that equal values stay equal."""
    if len(hashes) > limits.sketch_parts_max:
        return frozenset(sorted(hashes)[: limits.sketch_parts_max])
    return frozenset(hashes)


def normalise(value: Any, depth: int = 0) -> Any:
    """A value in its canonical form: dicts, lists and texts only, without what says nothing."""
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
    if depth >= DEPTH_MAX:
        return " ".join(str(value).split())
    if isinstance(value, dict):
        return normalise_mapping(cast("dict[Any, Any]", value), depth)
    if isinstance(value, list | tuple):
        return [normalise(item, depth + 1) for item in cast("Sequence[Any]", value)]
    return " ".join(str(value).split())


def normalise_text(text: str, depth: int) -> Any:
    """Text with single spaces, or the value that it spells in JSON."""
    stripped = text.strip()
    if stripped[:1] in ("{", "[") and stripped[-1:] in ("}", "]") and depth < DEPTH_MAX:
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
        if not (narrated and key in NARRATION) and (normal := normalise(item, depth + 1))
    }
    if len(kept) == 1:
        ((key, only),) = kept.items()
        if key in WRAPPERS and isinstance(only, dict):
            return cast("dict[str, Any]", only)
    return kept


def collect_leaves(normal: Any, leaves: list[str]) -> None:
    """Add the texts inside a normal form, apart from those whose name says "about a person"."""
    if isinstance(normal, str):
        leaves.append(normal)
    elif isinstance(normal, dict):
        for name, item in cast("dict[str, Any]", normal).items():
            if not PERSONAL_NAME.search(name):
                collect_leaves(item, leaves)
    else:
        for item in normal:
            collect_leaves(item, leaves)


def count_leaves(normal: Any) -> int:
    """The number of texts inside a normal form."""
    if isinstance(normal, str):
        return 1
    inside = cast("dict[str, Any]", normal).values() if isinstance(normal, dict) else normal
    return sum(map(count_leaves, inside))


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


def outcome_of(result: Any, error: str | None) -> Outcome:
    """What an agent could use of a result: an error wins, then emptiness, then truncation."""
    if error:
        return Outcome.FAILED
    if isinstance(result, dict):
        answer = cast("dict[str, Any]", result)
        if answer.get("isError") or answer.get("is_error"):
            return Outcome.FAILED
    text = text_of(result)
    head, tail = text[:400], text[-400:]
    if says_nothing(text.strip() if len(text) <= 200 else text):
        return Outcome.EMPTY
    if FAILED.match(head) or "Traceback (most recent call last)" in text:
        return Outcome.FAILED
    if any(mark in tail for mark in FAILED_MARKS) and FAILED_TAIL.search(tail):
        return Outcome.FAILED
    if head.lstrip()[:1] in ("{", "[", "<") and FAILED_FIELD.search(head):
        return Outcome.FAILED
    if any(mark in tail for mark in TRUNCATED_MARKS) and TRUNCATED.search(tail):
        return Outcome.TRUNCATED
    return Outcome.TRUNCATED if is_cut_json(text) else Outcome.OK


def is_cut_json(text: str) -> bool:
    """True for JSON that begins and does not end; lines of JSON, as logs have them, do end."""
    if not JSON_START.match(text):
        return False
    first = text.lstrip().partition("\n")[0]
    return text.rstrip()[-1:] not in ("}", "]") and first.rstrip()[-1:] not in ("}", "]")


def says_nothing(text: str) -> bool:
    """True for an empty answer, a sentence that says so, or a record with nothing in it."""
    if len(text) > 200:
        return False
    if NOTHING.match(text):
        return True
    if text[:1] not in ("{", "["):
        return False
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return is_hollow(value)


def is_hollow(value: Any) -> bool:
    """True where nothing but zero, null and empty containers is inside, and a container is."""
    if isinstance(value, dict):
        items = list(cast("dict[str, Any]", value).values())
        lists: list[Any] = [item for item in items if isinstance(item, list | dict)]
        return not items or (
            bool(lists) and all(is_hollow(item) or item in (0, "") for item in items)
        )
    if isinstance(value, list):
        return all(is_hollow(item) for item in cast("list[Any]", value))
    return value is None


def error_class(text: str) -> str:
    """The kind of an error: its telling line with quotes, numbers and paths masked."""
    lines = [line.strip() for line in text[:20_000].splitlines() if line.strip()]
    if not lines:
        return ""
    if any(line.startswith("Traceback (most recent") for line in lines):
        line = lines[-1]
    else:  # a bare "ERROR:" tells nothing without the line below it
        line = next((line for line in lines if not BARE.match(line)), lines[0])
    masked = QUOTED.sub("'…'", line[:1_000])
    masked = PATH.sub("<path>", masked)
    masked = NUMBER.sub("#", masked)
    return " ".join(masked.split())[:ERROR_CLASS_CHARS_MAX]


def subjects_of(arguments: Any) -> frozenset[str]:
    """`argument=hash` of the values in arguments that look like names or ids.

    The hash joins a write to the read that told about the same thing, whatever the argument was
    called there; the argument's own name says what kind of thing it is.
    """
    found: dict[tuple[str, str], None] = {}
    collect_subjects(arguments, "", found, 0)
    return frozenset(encode_named_hash(name, hash_subject(value)) for name, value in found)


def collect_subjects(value: Any, name: str, found: dict[tuple[str, str], None], depth: int) -> None:
    """Add the id-like values inside a value, bounded in depth and number."""
    if len(found) >= SUBJECTS_MAX or depth > DEPTH_MAX:
        return
    if isinstance(value, dict):
        for key, item in cast("Mapping[Any, Any]", value).items():
            collect_subjects(item, str(key), found, depth + 1)
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[Any]", value):
            collect_subjects(item, name, found, depth + 1)
    elif (identifier := identifier_of(value)) is not None:
        found[name, identifier] = None
    elif isinstance(value, str) and value[:1] in ("{", "["):
        parsed = normalise_text(value, depth)
        if not isinstance(parsed, str):
            collect_subjects(parsed, name, found, depth + 1)


def identifier_of(value: Any) -> str | None:
    """A name or an id as text; None for prose, dates, small numbers and everything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    if value.isdecimal():
        return value if len(value) >= NUMBER_ID_DIGITS_MIN else None
    return value if IDENTIFIER.match(value) and not DATE.match(value) else None
