"""Whether an answer is usable: it failed, is empty, is cut off; and the class of an error."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from aftershock.fingerprints import languages
from aftershock.fingerprints.cut import is_cut_by_recorder
from aftershock.fingerprints.exit_status import ends_with_failure, says_no_by_status
from aftershock.fingerprints.fingerprint import text_of
from aftershock.fingerprints.screening import Screened
from aftershock.model import Outcome

ERROR_CLASS_CHARS_MAX = 200  # of an error class: enough for a message, too short for a payload
HEAD_CHARS = 400  # of an answer that are read for a failure: logs hold every such word further on
ERROR_LISTS = frozenset({"error", "errors", "responses"})  # what a call says of itself

FAILED = Screened(
    r"""^\W{0,4}(?:
          (?:\w+\s){0,3}?\w*(?:error|exception)(?:\s\w+){0,3}\s?[:!\n(\[](?!\s?0\b)
        | (?:an?\s)?(?:\w+\s)?(?:error|exception)\s(?:occurred|while|in|executing|running|calling)
        | (?:fatal|failed|failure|unable\sto|could\snot|cannot|can't|invalid|unknown)\b
        | (?:the\s)?(?:tool|function|call|request|operation|command|execution|query|action|step|job)
          (?:\s[\w'"`.\-]+)?\s(?:has\s)?failed\b
        | (?:permission|access)\sdenied | unauthorized | forbidden | not\sauthorized
        | (?:request\s|operation\s|connection\s|command\s|call\s)?
          (?:timed?\sout|timeout|refused|reset\sby\speer|aborted)\b
        | traceback\s\(most\srecent
        | (?:[^\n]{0,80}\n)?[^\n:]{0,60}\b(?:returned|result|output|observation)\s?:\s
          (?:error|exception|traceback)\b
        | (?:[^\n]{0,120}\n)?
          (?:(?!\w*(?:state|status|result|phase|health|conclusion|outcome)\b)
             [\w.\-*,]{1,20}:\s){1,3}
          (?:\(\d+\)\s)?
          (?:fatal|(?:got\s)?error|failed\s(?!\d)|could\snot|couldn't|cannot|can't|unable
             |access\sdenied|insufficient\s(?:access|permission|privilege|right|scope)s?)\b
        | (?:the\s)?(?:\w+\s){1,2}(?:was\s)?(?:aborted|crashed|killed|terminated)\s
          (?:due\sto|because|with|by)\b
        | .{1,80}:\s(?:command\snot\sfound|no\ssuch\sfile|permission\sdenied)
        | (?:(?:i['’]?m|i\sam|we\sare|we['’]re)\s(?:\w+\s)?(?:sorry|afraid)|sorry|apologies
             |unfortunately)\b[^.\n]{0,40}?
          \b(?:(?:was|were)(?:n['’]t|\snot)\sable|unable|failed|can(?:not|['’]t)
             |could(?:n['’]t|\snot))\b
        )""",
    re.IGNORECASE | re.VERBOSE,
)
# 503 Service Unavailable, 550 5.1.1 No such user
FAILED_STATUS = re.compile(
    r"""^\W{0,4}(?:(?:http\s)?[45]\d\d\s(?:[A-Z][a-z]+\s?){1,4}
          | [45]\d\d[\s\-][45]\.\d{1,3}\.\d{1,3}\s)""",
    re.IGNORECASE | re.VERBOSE,
)
FAILED_FIELD = Screened(
    r"""["'](?:is_?error|isError)["']\s?:\s?[Tt]rue
      | ["'](?:error|errors|exception|error_message|erro|erreur|errore|fehler|fout|hata|błąd
          |ошибка|エラー|错误|錯誤|오류)["']\s?:\s?
        (?!null|None|""|''|\[\]|\{\}|[Ff]alse|0\b
          |["'](?:keine?r?|nenhum|ninguno|nessuno|aucune?|geen|yok|brak|нет|无|無|なし|없음)["'])\S
      | ["'](?:status|state|result)["']\s?:\s?
        ["'](?i:error|failed|failure|aborted|timeout|timed[_\s-]?out|killed|crashed)["']
      | ["']reason["']\s?:\s?["'](?i:timeout|timed[_\s-]?out)["']
      | ["'](?:success|ok|succeeded|acknowledged|acked|applied|saved)["']\s?:\s?[Ff]alse
      | ["'](?:message|detail|fault)["']\s?:\s?["'](?i:
          [45]\d\d\s[a-z]|unauthorized|forbidden|access\sdenied|permission\sdenied|error\b)
      | ["'](?:status_?code|statusCode|http_status)["']\s?:\s?["']?[45]\d\d
      | ["'](?:exit_?[cC]ode|exit_?[sS]tatus|return_?[cC]ode)["']\s?:\s?-?[1-9]
      | ^\s{0,9}(?:<\?xml[^>]{0,99}\?>\s{0,9})?
        <(?:\w{1,20}:)?(?:Error|Fault|ErrorResponse|Exception)[\s>]""",
    re.VERBOSE,
)
# What a spreadsheet shows instead of a value.
CELL_ERROR = Screened(r"""(?:^|["'\s,;|\[])\#(?:REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|ERROR!)""")
LISTED = re.compile(r'\s*\{\s*"\w+"\s*:\s*\[')  # {"failed": [ is a list of what failed
# A problem as RFC 9457 describes it: its status, and its title or its detail.
PROBLEM = Screened(
    r"""["']status["']\s?:\s?[45]\d\d\b(?=.*["'](?:title|detail)["']\s?:)
      | ["'](?:title|detail)["']\s?:(?=.*["']status["']\s?:\s?[45]\d\d\b)""",
    re.VERBOSE | re.DOTALL,
)
# A document that says by its title that it stands for another one.
ERROR_DOCUMENT = Screened(
    r"""<title>\s{0,9}(?:(?:error|http)\s)?[45]\d\d\b
      | <title>[^<]{0,80}?\b(?:not\sfound|access\sdenied|forbidden|bad\sgateway
        |service\sunavailable|gateway\stime-?out)\b""",
    re.IGNORECASE | re.VERBOSE,
)
SHORT_CHARS = 200
# The list that was asked for has nothing in it, and no other has.
EMPTY_LIST = Screened(
    r"""["'](?:results?|items|hits|rows|records|matches|documents|entries|data|values|series)["']
        \s?:\s?\[\s{0,9}\]""",
    re.VERBOSE,
)
FILLED_LIST = re.compile(
    r"""\[\s{0,9}[^\]\s]
      | ["'](?:total|count|num|matched|size|number)\w{0,20}["']\s?:\s?[1-9]""",
    re.VERBOSE | re.IGNORECASE,
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
NONE_FOUND = Screened(
    r"""(?:^|[{,\n])\s*["']?(?:num|number[_\s]of|total|n)?[_\s-]?
        (?:entries|results|matches|hits|rows|records|documents|items)
        (?:[_\s-]?(?:count|total|found|returned))?["']?\s?[:=]\s?["']?0["']?\s*(?:[},\n]|$)
      | ["'](?:hits|matches|results|rows|items|records|documents)["']\s?:\s?\[\s?\]
        (?=.{0,120}["']total\w*["']\s?:\s?["']?0\b)""",
    re.IGNORECASE | re.VERBOSE,
)
TRUNCATED = Screened(
    r"""[\[(<…]\s?(?:\w+\s){0,4}(?:truncated|clipped|omitted|cut\soff)\b
      | \b(?:output|result|content|response|text|file|log)s?\s
        (?:was\s|were\s|is\s|has\sbeen\s)?
        (?:too\s(?:long|large)|truncated|clipped|cut\soff)
      | \.\.\.\s?[\[(]?\d+\s(?:more|chars?|characters?|lines?|bytes)\b
      | \btruncated["']?\s?:\s?[Tt]rue""",
    re.IGNORECASE | re.VERBOSE,
)
JSON_START = re.compile(r'^\s*(?:\{\s*["\}]|\[\s*[\{\["\]])')
BARE = re.compile(r"^\W*\w+\W*$")
# What a terminal draws around a message: colours, boxes, bullets and crosses.
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
DRAWN = re.compile(r"^[\s\u2022\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\ufe0f]+")
LETTER = re.compile(r"[^\W\d_]")
QUOTED = re.compile(r"""(["'`])(?:(?!\1).){0,200}\1""")
PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\w.\-]*/)+[\w.\-]*|\b[\w\-]+\.[a-z]{1,4}\b(?=[\s:,)]|$)")
NUMBER = re.compile(r"\b(?:0x)?[0-9a-f]*\d[\w.\-]*", re.IGNORECASE)


def outcome_of(result: Any, error: str | None) -> Outcome:
    """Whether a result is usable: an error wins, then emptiness, then truncation."""
    if error:
        return Outcome.FAILED
    if isinstance(result, dict):
        answer = cast("dict[str, Any]", result)
        if answer.get("isError") or answer.get("is_error"):
            return Outcome.FAILED
    text = text_of(result)
    head, tail = text[:HEAD_CHARS], text[-HEAD_CHARS:]
    is_json = head.lstrip()[:1] in ("{", "[", "<")
    if is_json and reports_failure(text):
        # Before it is found empty: {"acknowledged": false, "ids": {}}.
        return Outcome.EMPTY if says_no_by_status(text) else Outcome.FAILED
    if says_nothing(text.strip() if len(text) <= SHORT_CHARS else text):
        return Outcome.EMPTY
    if len(text) <= SHORT_CHARS and "#" in text and CELL_ERROR.search(text):
        return Outcome.FAILED
    says_failed = FAILED.match(head) or FAILED_STATUS.match(head)
    says_failed = (says_failed and not LISTED.match(head)) or languages.says_failed(head)
    if says_failed or "Traceback (most recent call last)" in text:
        return Outcome.FAILED
    if ends_with_failure(tail):
        return Outcome.FAILED
    if TRUNCATED.search(tail):
        return Outcome.TRUNCATED
    # The agent was shown the whole of what its recorder cut.
    cut = is_cut_json(text) and not is_cut_by_recorder(text)
    return Outcome.TRUNCATED if cut else Outcome.OK


def reports_failure(text: str) -> bool:
    """True for JSON, XML or HTML that reports by a field or its title that a call failed."""
    own = outside_lists(text)[:HEAD_CHARS]
    return any(pattern.search(own) for pattern in (FAILED_FIELD, PROBLEM, ERROR_DOCUMENT))


def outside_lists(text: str) -> str:
    """A JSON text without the things that it lists: a list of what failed is no failure.

    What is wrong with a call may be a list too, and of a list alone its items are the answer.
    """
    if "[" not in text[1:HEAD_CHARS] or not FAILED_FIELD.search(text[:HEAD_CHARS]):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return json.dumps(without_lists(value)) if isinstance(value, dict) else text


def without_lists(value: Any) -> Any:
    """A JSON value whose lists of objects are left out, except those of errors."""
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    return {
        name: without_lists(item)
        for name, item in fields.items()
        if name in ERROR_LISTS or not is_list_of_objects(item)
    }


def is_list_of_objects(value: Any) -> bool:
    """True for a list of things with names and states."""
    return isinstance(value, list) and all(
        isinstance(item, dict) for item in cast("list[Any]", value)
    )


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
    if NOTHING.match(text) or NONE_FOUND.search(text) or says_no_by_status(text):
        return True
    if languages.says_nothing(text):
        return True
    if text[:1] not in ("{", "["):
        return False
    if EMPTY_LIST.search(text) and not FILLED_LIST.search(text):
        return True
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
    lines = lines_of_error(text[:20_000])
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


def lines_of_error(text: str) -> list[str]:
    """The lines of an error without what a terminal draws around them; those with words, if any."""
    drawn = ANSI.sub("", text) if "\x1b" in text else text
    lines = [line for raw in drawn.splitlines() if (line := DRAWN.sub("", raw).strip())]
    return [line for line in lines if LETTER.search(line)] or lines
