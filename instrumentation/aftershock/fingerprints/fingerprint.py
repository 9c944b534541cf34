"""Fingerprints of arguments, results and errors, which are compared without their content."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

from aftershock.fingerprints import keyed
from aftershock.fingerprints.answers import is_pagination_argument, is_volatile_argument, items_of
from aftershock.fingerprints.asked import asked_in, unnamed
from aftershock.fingerprints.cut import is_cut_by_recorder
from aftershock.fingerprints.keyed import hash_subject, smallest
from aftershock.limits import DEFAULTS, NESTING_MAX, Limits
from aftershock.model import Fingerprint, Outcome
from aftershock.wire import encode_named_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ERROR_CLASS_CHARS_MAX = 200  # of an error class: enough for a message, too short for a payload
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

FAILED = re.compile(
    r"""^\W{0,4}(?:
          (?:\w+\s){0,3}?\w*(?:error|exception)(?:\s\w+){0,3}\s?[:!\n(\[](?!\s?0\b)
        | (?:an?\s)?(?:\w+\s)?(?:error|exception)\s(?:occurred|while|in|executing|running|calling)
        | (?:fatal|failed|failure|unable\sto|could\snot|cannot|can't|invalid|unknown)\b
        | (?:the\s)?(?:tool|function|call|request|operation|command|execution|query|action|step|job)
          (?:\s[\w'"`.\-]+)?\s(?:has\s)?failed\b
        | (?:permission|access)\sdenied | unauthorized | forbidden | not\sauthorized
        | (?:request\s|operation\s|connection\s|command\s|call\s)?
          (?:timed?\sout|timeout|refused|reset\sby\speer|aborted)\b
        | (?:http\s)?[45]\d\d\s(?:[A-Z][a-z]+\s?){1,4}
        | [45]\d\d[\s\-][45]\.\d{1,3}\.\d{1,3}\s
        | traceback\s\(most\srecent
        | (?:[^\n]{0,80}\n)?[^\n:]{0,60}\b(?:returned|result|output|observation)\s?:\s
          (?:error|exception|traceback)\b
        | (?:[^\n]{0,120}\n)?
          (?:(?!\w*(?:state|status|result|phase|health|conclusion|outcome)\b)
             [\w.\-*,]{1,20}:\s){1,3}
          (?:\(\d+\)\s)?
          (?:fatal|error|failed\s(?!\d)|could\snot|couldn't|cannot|can't|unable|access\sdenied
             |insufficient\s(?:access|permission|privilege|right|scope)s?)\b
        | .{1,80}:\s(?:command\snot\sfound|no\ssuch\sfile|permission\sdenied)
        | (?:(?:i['’]?m|i\sam|we\sare|we['’]re)\s(?:\w+\s)?(?:sorry|afraid)|sorry|apologies
             |unfortunately)\b[^.\n]{0,40}?
          \b(?:(?:was|were)(?:n['’]t|\snot)\sable|unable|failed|can(?:not|['’]t)
             |could(?:n['’]t|\snot))\b
        )""",
    re.IGNORECASE | re.VERBOSE,
)
FAILED_FIELD = re.compile(
    r"""["'](?:is_?error|isError)["']\s?:\s?[Tt]rue
      | ["'](?:error|errors|exception|error_message)["']\s?:\s?
        (?!null|None|""|''|\[\]|\{\}|[Ff]alse|0\b)\S
      | ["'](?:status|state|result)["']\s?:\s?
        ["'](?i:error|failed|failure|aborted|timeout|timed[_\s-]?out|killed|crashed)["']
      | ["']reason["']\s?:\s?["'](?i:timeout|timed[_\s-]?out)["']
      | ["'](?:success|ok|succeeded|acknowledged|acked|applied|saved)["']\s?:\s?[Ff]alse
      | ["'](?:message|detail|fault)["']\s?:\s?["'](?i:
          [45]\d\d\s[a-z]|unauthorized|forbidden|access\sdenied|permission\sdenied|error\b)
      | ["'](?:status_?code|statusCode|http_status)["']\s?:\s?["']?[45]\d\d
      | ["'](?:exit_?code|returncode)["']\s?:\s?-?[1-9]
      | ^\s{0,9}(?:<\?xml[^>]{0,99}\?>\s{0,9})?
        <(?:\w{1,20}:)?(?:Error|Fault|ErrorResponse|Exception)[\s>]""",
    re.VERBOSE,
)
# What a spreadsheet shows instead of a value.
CELL_ERROR = re.compile(r"""(?:^|["'\s,;|\[])\#(?:REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|ERROR!)""")
SHORT_CHARS = 200
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
        | (?:\w+\s)?not\sfound | none\sfound
        | (?:your\s|the\s)?(?:search|query)\s.{0,80}?did\snot\s(?:match|return|find)\sany\b.{0,80}
        )?\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
# numEntries: 0, "total_results": 0, hits = 0: a report of a search that found nothing.
NONE_FOUND = re.compile(
    r"""(?:^|[{,\n])\s*["']?(?:num|number[_\s]of|total|n)?[_\s-]?
        (?:entries|results|matches|hits|rows|records|documents|items)
        (?:[_\s-]?(?:count|total|found|returned))?["']?\s?[:=]\s?0\s*(?:[},\n]|$)""",
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
# Cheap checks first: the patterns above are searched only if one of these is found.
FAILED_MARKS = ("exit", "Exit", "return")
TRUNCATED_MARKS = ("runcated", "clipped", "omitted", "cut off", "too l", "more", "...")
JSON_START = re.compile(r'^\s*(?:\{\s*["\}]|\[\s*[\{\["\]])')
BARE = re.compile(r"^\W*\w+\W*$")
QUOTED = re.compile(r"""(["'`])(?:(?!\1).){0,200}\1""")
PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\w.\-]*/)+[\w.\-]*|\b[\w\-]+\.[a-z]{1,4}\b(?=[\s:,)]|$)")
NUMBER = re.compile(r"\b(?:0x)?[0-9a-f]*\d[\w.\-]*", re.IGNORECASE)
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
    paginated = any(map(is_pagination_argument, arguments))
    stem = {
        key: item
        for key, item in arguments.items()
        if not (is_volatile_argument(key) or is_pagination_argument(key))
    }
    if len(stem) == len(arguments):
        return None
    return (PAGINATED if paginated else "") + keyed.hash_value(
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


def outcome_of(result: Any, error: str | None) -> Outcome:
    """Whether a result is usable: an error wins, then emptiness, then truncation."""
    if error:
        return Outcome.FAILED
    if isinstance(result, dict):
        answer = cast("dict[str, Any]", result)
        if answer.get("isError") or answer.get("is_error"):
            return Outcome.FAILED
    text = text_of(result)
    head, tail = text[:400], text[-400:]
    is_json = head.lstrip()[:1] in ("{", "[", "<")
    if is_json and FAILED_FIELD.search(head):
        return Outcome.FAILED  # before it is found empty: {"acknowledged": false, "ids": {}}
    if says_nothing(text.strip() if len(text) <= SHORT_CHARS else text):
        return Outcome.EMPTY
    if len(text) <= SHORT_CHARS and "#" in text and CELL_ERROR.search(text):
        return Outcome.FAILED
    if FAILED.match(head) or "Traceback (most recent call last)" in text:
        return Outcome.FAILED
    if any(mark in tail for mark in FAILED_MARKS) and FAILED_TAIL.search(tail):
        return Outcome.FAILED
    if any(mark in tail for mark in TRUNCATED_MARKS) and TRUNCATED.search(tail):
        return Outcome.TRUNCATED
    # The agent was shown the whole of what its recorder cut.
    cut = is_cut_json(text) and not is_cut_by_recorder(text)
    return Outcome.TRUNCATED if cut else Outcome.OK


def is_cut_json(text: str) -> bool:
    """True for JSON that begins and does not end; a log with a JSON object a line does end."""
    if not JSON_START.match(text):
        return False
    first = text.lstrip().partition("\n")[0]
    return text.rstrip()[-1:] not in ("}", "]") and first.rstrip()[-1:] not in ("}", "]")


def says_nothing(text: str) -> bool:
    """True for an empty text, a sentence such as "no results found", or an empty record."""
    if len(text) > SHORT_CHARS:
        return False
    if NOTHING.match(text) or NONE_FOUND.search(text):
        return True
    if text[:1] not in ("{", "["):
        return False
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return is_hollow(value)


def is_hollow(value: Any) -> bool:
    """True if a value holds only zeros, nulls and empty containers, and at least one container."""
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
    """The class of an error: its most specific line with quotes, numbers and paths masked."""
    lines = [line.strip() for line in text[:20_000].splitlines() if line.strip()]
    if not lines:
        return ""
    if any(line.startswith("Traceback (most recent") for line in lines):
        line = lines[-1]
    else:  # a bare "ERROR:" needs the line below it
        line = next((line for line in lines if not BARE.match(line)), lines[0])
    masked = QUOTED.sub("'…'", line[:1_000])
    masked = PATH.sub("<path>", masked)
    masked = NUMBER.sub("#", masked)
    return " ".join(masked.split())[:ERROR_CLASS_CHARS_MAX]


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
    value = SIGILS.sub("", value.strip())
    if value.isdecimal():
        return value if len(value) >= NUMBER_ID_DIGITS_MIN else None
    return value if IDENTIFIER.match(value) and not DATE.match(value) else None
