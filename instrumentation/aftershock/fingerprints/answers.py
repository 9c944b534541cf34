"""What a tool's answer holds, item by item, without what differs each time; and its state.

An item is one value with its place: a JSON path, a table cell, a `key: value` line, or a line.
Times, durations, ages, uuids, hashes and request ids differ at each call and are left out. Every
other difference is something new: a number is compared as a value, so that 3 % and 20 % differ.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

from aftershock.fingerprints.appointments import names_an_hour
from aftershock.fingerprints.exit_status import says_no_by_status
from aftershock.fingerprints.languages import state_in_words
from aftershock.fingerprints.no_for_now import says_not_now
from aftershock.fingerprints.portions import portion_in
from aftershock.fingerprints.reported_failures import reports_failure
from aftershock.fingerprints.screening import Screened
from aftershock.fingerprints.seen_loops import says_that_it_loops
from aftershock.fingerprints.walls import shows_a_wall
from aftershock.model import AnswerState
from aftershock.remembered import remembered

LISTS = ("entry", "entries", "items", "results", "records", "rows", "resources", "data")
WAY_ON = frozenset({"next", "next_url", "nexturl", "cursor", "continue", "marker", "after"})
ITEMS_MAX = 2_000  # of one answer; further ones are compared as text
IDENTITIES = ("name", "id", "key", "title", "host", "pod")  # fields that name an item of a list

# Fields that differ at each call, by name (after `camelCase` became `camel_case`).
VOLATILE_NAME = re.compile(
    r"^(?:request|(?:last_)?(?:checked|generated|fetched|served))$"
    r"|(?:^|_)(?:timestamp|ts|stamp|now|time|at|elapsed|duration|took|uptime|age|ttl|expires?"
    r"|expires_in|request_?id|trace_?id|span_?id|correlation_?id|invocation_?id|message_?id"
    r"|nonce|etag|uuid|guid|pid"
    r"|next_(?:page_)?(?:token|cursor)|(?:end|next|start)_cursor|continuation(?:_token)?"
    r"|idempotency_?key|attempts?|retr(?:y|ies)|retry_count|polls?|poll_count|heartbeat"
    r"|last_(?:seen|checked|polled|probe\w*|transition\w*))"
    r"(?:_(?:in_)?(?:ns|us|ms|s|sec|seconds|minutes|nanos|micros|millis|utc|iso))?$"
)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Arguments that differ at each call although the question is the same, by name. The next page is
# the same question too: what shows progress is that its answer differs.
VOLATILE_ARGUMENT = re.compile(
    r"^(?:now|current_?time|timestamp|ts|nonce|uuid|(?:client_|x_)?(?:request|trace|span"
    r"|correlation|invocation|idempotency)_?(?:id|key|token)?)$"
)
PAGINATION_ARGUMENT = re.compile(
    r"^(?:page|page_?(?:no|num|number|index|token)|offset|skip|cursor|starting_after|marker"
    r"|next_?(?:page_?)?token|continuation(?:_?token)?|start_?(?:at|index))$"
)
# `start` may also be a date; beside an argument that bounds how much is returned it is a page.
START_ARGUMENT = re.compile(r"^(?:start|from|first)$")
BOUND_ARGUMENT = re.compile(r"^(?:limit|size|rows|per_?page|page_?size|max_?(?:results|items)?)$")
START_DIGITS_MAX = 7
# A measurement keeps its durations: p95 0.35 s and 5.9 s are not the same.
MEASURED = re.compile(
    r"p\d\d|latenc|response.?time|percentile|average|\bavg|\bmean|median|\blag|delay|rtt|ttfb",
    re.IGNORECASE,
)
UNIT = r"(?:ns|us|µs|ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)"
VOLATILE = re.compile(
    r"""\b\d{4}-\d\d-\d\d[T\s]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?Z|\s?[+-]\d\d:?\d\d)?
      | \b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b
      | \b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b
      | \b0x[0-9a-f]+\b
      | \b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{8,}\b
      | \b(?:req|request|trace|span|corr|invocation|evt|event|msg|call)[-_](?=\w*\d)[\w-]+
      | \b(?:ray|request|trace|correlation|reference|session)[\s_-]?id\s?[:=\#]\s?["']?[\w-]+
      | \b(?:pid|process)[\s=:]+\d+ | \[ref=\w+\]
      | \b(?:iteration|attempt|retry|turn|try)[\s#=:]{0,2}\d+
      | \b(?:timestamp|uptime|elapsed|took)(?:_?(?:in_?)?(?:ns|us|ms|s|sec|seconds|millis))?
        ["']?(?:\s?[=:]\s?["']?|>)\d[\d.:]*
      | \b1[5-9]\d{8}(?:\d{3})?(?:\.\d+)?\b""",
    re.IGNORECASE | re.VERBOSE,
)
DURATION = re.compile(rf"\b\d+(?:\.\d+)?\s?{UNIT}(?:\d+{UNIT})*\b", re.IGNORECASE)
HAS_DIGIT = re.compile(r"\d")
LINES = re.compile(r"[\r\n]+")

STATE_FIELD = Screened(
    r"""["']?\b(?:\w{0,24}(?:status|state|phase)|stage|result|decision|approval|zustand|estado
          |statut|stato)
        ["']?\s*[:=]\s*
        ["']?([A-Za-z][\w \-]{1,40})""",
    re.IGNORECASE | re.VERBOSE,
)
REFUSED_STATE = re.compile(
    r"(?:not[\s_-]approved|rejected|refused|denied|declined)$", re.IGNORECASE
)
DENIED_FIELD = Screened(
    r"""\b(?:decision|approval|freigabe|aprobación)["']?\s*[:=]\s*["']?
        (?:denied|declined|rejected|refused|not[\s_-]approved|abgelehnt|denegad[oa]
          |rechazad[oa])\b""",
    re.IGNORECASE | re.VERBOSE,
)
# States that work does not leave by itself; what is unhealthy may recover.
FAILED_STATE = re.compile(
    r"(?:failed|failure|error(?:ed)?|aborted|cancell?ed|killed|crashed|timed[\s_-]?out"
    r"|(?:create|update|delete|import|rollback)[\s_-]failed"
    r"|rolled[\s_-]?back|rollback[\s_-]complete"
    r"|fehlgeschlagen|gescheitert|abgebrochen|fallid[oa]|échouée?|fallit[oa]|falhou)(?![\w-])",
    re.IGNORECASE,
)
# Work that stands still until somebody or something lets it go on.
HELD_STATE = re.compile(
    r"(?:paused|on[\s_-]hold|suspended|halted|pausiert|angehalten|unterbrochen"
    r"|(?:in|en|em)\spausa|en\spause|pausad[oa]|suspendu|sospeso|suspendido|gepauzeerd"
    r"|wstrzyman\w)(?![\w-])",
    re.IGNORECASE,
)
PERSON = Screened(
    r"(?:await|wait|pend|need|requir)\w*[\s_-]+(?:for[\s_-]+)?(?:an?[\s_-]+|the[\s_-]+)?"
    r"(?:human|person|manual|user|customer|manager|owner|peer|approv|review|sign.?off|confirm)"
    r"|\b(?:approved|reviewed|decided|answered|confirmed|signed)_?by[\"']?\s*[:=]\s*"
    r"(?:null|none|nil|[\"']{2})"
    r"|\b(?:approval|review|sign_?off)\w*[\"']?\s*[:=]\s*[\"']?"
    r"(?:requested|required|pending|awaiting|waiting|open\b|undecided|not[\s_]yet)",
    re.IGNORECASE,
)
UNCHANGED = Screened(
    r"""\bno\s(?:changes?|modifications?|updates?|edits?)\s(?:were\s|are\s)?
          (?:made|detected|needed|applied|necessary|to\b)
      | \bno\s(?:effect|op)\b | \bno-op\b | \bhad\sno\seffect
      | \bnothing\s(?:was\s)?(?:changed|to\s(?:commit|do|change|update)|modified|updated)
      | \balready[\s_](?:up[\s-]to[\s-]date|exists?|has\sthis|applied
          |in\s(?:the\s)?(?:desired|this))
      | \bunchanged\b | \bnot\smodified\b
      | \b0\s(?:rows?|files?|records?|documents?)\s(?:were\s)?(?:affected|changed|updated|modified)
      | ^(?:UPDATE|DELETE|INSERT\s0)\s0\b""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
# "updated": 0, "rowsAffected": 12: how much a call changed, as JSON counts it.
CHANGES = Screened(
    r"""["'](?:rows?|num|n|total|docs?|documents?|records?|items?)?_?
        (?:updated|modified|changed|affected|upserted|inserted|deleted|removed|written|created|moved
          |replaced|added|applied)
        _?(?:count|rows?|records?|items?|docs?|documents?)?["']\s*:\s*(\d+)\b(?!\.)""",
    re.IGNORECASE | re.VERBOSE,
)
# {"rowCount": 0, "command": "UPDATE"}, as drivers of databases answer.
NO_ROW = Screened(
    r"""["']row_?count["']\s*:\s*0\b(?=.*["'](?:update|delete|insert|merge)\b)
      | ["'](?:update|delete|insert|merge)["'](?=.*["']row_?count["']\s*:\s*0\b)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
REFUSED = Screened(
    r"""\b(?:was|were|is|been|has\sbeen|got)\s(?:rejected|refused|declined|denied|not\saccepted)
      | \b(?:rejected|refused|declined)\s?[:(.!]
      | \bnot\s(?:accepted|permitted|allowed|valid)\b | \bstill\sfail
      | \bdid\snot\s(?:appear|target|match|apply|pass|succeed|change|compile|validate|parse)\b
      | \bno\s(?:replacements?|edits?|match(?:es)?)\s(?:was|were)\s(?:made|performed|done|found)
      | \b(?:is|are|was)\s(?:empty|missing|incorrect|incomplete|malformed)\b
      | \bdo\snot\s(?:execute|call|run|use|try|repeat)\b[^.]{0,40}\bagain\b
      | ^\W*(?:invalid|rejected|refused|denied|declined)\b""",
    re.IGNORECASE | re.VERBOSE,
)
PENDING = Screened(
    r"""(?:\b|_)(?:pending|queued|enqueued|in[\s_-]?progress|waiting|creating|provisioning|starting
          |initiali[sz]ing|processing|building|deploying|scheduled|progressing|rolling|running
          |containercreating|imagepullbackoff|errimagepull|crashloopbackoff|unschedulable|syncing
          |uploading|downloading|acknowledged|submitted|requested|validating|verifying|allocating
          |preparing|generating|please\swait|\w*never[\s_-]?satisfied|unsatisfiable
          |cannot\sbe\s(?:satisfied|scheduled|fulfilled)
          |being\s(?:prepared|processed|generated|created|built|calculated|exported|imported)
          |not[\s_-](?:yet[\s_-])?(?:ready|available|started|finished|done|complete\w*))\b
      | (?:^|\n)\W*(?!\w*thing\b)\w{3,}ing\b[^\n]{0,60}(?:…|\.{3})\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
# What harnesses send so that an agent goes on; it is no new instruction.
AUTOMATIC = re.compile(
    r"^\W*(?:please\s)?"
    r"(?:continue|go\son|proceed|keep\s(?:going|working)|carry\son|go\sahead|next)\b"
    r"[^?]{0,200}$",
    re.IGNORECASE | re.DOTALL,
)
STATE_CHARS_MAX = 600  # of an answer that is read as prose about a state


def items_of(text: str) -> set[str]:
    """What an answer says, item by item, without what differs at each call."""
    found: set[str] = set()
    if text[:1] in ("{", "["):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            pass  # it only looks like JSON
        else:
            collect(value, "", found)
            return found
    for line in LINES.split(text):
        if item := masked(line):
            found.add(item)
    return found


def collect(value: Any, path: str, found: set[str]) -> None:
    """Add the items inside a JSON value; bounded in number by ITEMS_MAX."""
    if len(found) >= ITEMS_MAX:
        return
    if isinstance(value, dict):
        collect_fields(cast("dict[str, Any]", value), path, found)
    elif isinstance(value, list):
        for place, item in enumerate(cast("list[Any]", value)):
            collect(item, f"{path}[{identity_of(item, place)}]", found)
        if not value:
            found.add(f"{path}=[]")
    elif isinstance(value, str):
        if value[:1] in ("{", "[") or "\n" in value:
            found.update(f"{path}:{item}" for item in items_of(value))
        else:
            found.add(f"{path}={masked(value, path)}")
    else:
        found.add(f"{path}={value}")


def collect_fields(fields: dict[str, Any], path: str, found: set[str]) -> None:
    """Add the items inside a JSON object, without what differs at each call."""
    lists = not path and any(isinstance(fields.get(name), list) for name in LISTS)
    is_page = not path and any(isinstance(item, list) and item != [] for item in fields.values())
    for key, item in fields.items():
        if lists and key.lower() == "id":
            continue  # of the answer itself, not of something that it lists
        if is_page and key.lower() in WAY_ON and isinstance(item, str | int):
            continue  # says where the list goes on, and nothing of what it lists
        if not is_volatile_name(key):
            collect(item, f"{path}.{key}", found)


def identity_of(item: Any, place: int) -> str:
    """What tells an item of a list from the others: its name, or its place."""
    if isinstance(item, dict):
        fields = cast("dict[str, Any]", item)
        for name in IDENTITIES:
            if isinstance(identity := fields.get(name), str | int):
                return masked(str(identity))
    return str(place)


def masked(text: str, path: str = "") -> str:
    """A line or a value with single spaces and without what differs at each call."""
    plain = " ".join(text.split())
    if not HAS_DIGIT.search(plain):
        return plain
    plain = VOLATILE.sub("~", plain)
    return plain if MEASURED.search(path or plain) else DURATION.sub("~", plain)


@remembered
def is_volatile_name(name: str) -> bool:
    """True for a field that differs at each call although nothing else does."""
    snake = CAMEL.sub("_", name).lower() if not name.islower() else name
    return VOLATILE_NAME.search(snake) is not None


@remembered
def is_volatile_argument(name: str) -> bool:
    """True for an argument that differs at each call although the question is the same."""
    return VOLATILE_ARGUMENT.match(CAMEL.sub("_", name).lower()) is not None


@remembered
def is_pagination_argument(name: str) -> bool:
    """True for an argument that says which part of an amount a call is about."""
    return PAGINATION_ARGUMENT.match(CAMEL.sub("_", name).lower()) is not None


@remembered
def is_bound_argument(name: str) -> bool:
    """True for an argument that says how much is returned at most."""
    return BOUND_ARGUMENT.match(CAMEL.sub("_", name).lower()) is not None


def pagination_arguments(arguments: dict[str, Any]) -> frozenset[str]:
    """The names of those normalised arguments that say which part of an amount a call is about."""
    found = {name for name in arguments if is_pagination_argument(name)}
    if any(map(is_bound_argument, arguments)):
        found |= {name for name, item in arguments.items() if is_start(name, item)}
    return frozenset(found)


def is_start(name: str, value: Any) -> bool:
    """True for `start=50`."""
    is_number = isinstance(value, str) and value.isdecimal() and len(value) <= START_DIGITS_MAX
    return is_number and START_ARGUMENT.match(name.lower()) is not None


def state_of(text: str) -> AnswerState | None:
    """What a short answer says of the state of what was asked for; None if it does not say it.

    Of a long answer only its fields are read, because prose and logs hold every such word.
    """
    state = state_in(text)
    is_pending = state is AnswerState.PENDING and len(text) <= STATE_CHARS_MAX
    return AnswerState.SCHEDULED if is_pending and names_an_hour(text) else state


def state_in(text: str) -> AnswerState | None:
    """The same, whether or not it says when."""
    short = text if len(text) <= STATE_CHARS_MAX else ""
    if shows_a_wall(text):
        return AnswerState.BARRED
    if short and says_that_it_loops(short):
        return AnswerState.LOOP_SEEN
    if short and DENIED_FIELD.search(short):
        return AnswerState.DENIED
    if short and (state := state_by_words(short)) is not None:
        return state
    return state_by_fields(text, short)


def state_by_fields(text: str, short: str) -> AnswerState | None:
    """The state that the fields of an answer name; `short` is empty for a long one."""
    fields = STATE_FIELD.findall(text[:STATE_CHARS_MAX])
    if any(map(REFUSED_STATE.match, fields)):
        return AnswerState.REFUSED
    if any(map(PENDING.search, fields)) or (short and not fields and PENDING.search(short)):
        return AnswerState.PENDING
    if short and (portion := portion_in(short)) is not None:
        return portion
    if short and fields and HELD_STATE.match(fields[0]):
        return AnswerState.HELD
    if short and fields and FAILED_STATE.match(fields[0]):
        return AnswerState.ENDED_WRONG
    if short and reports_failure(short):
        return AnswerState.WENT_WRONG
    if fields:
        return AnswerState.SETTLED
    return AnswerState.NOT_NOW if short and says_not_now(short) else None


def state_by_words(short: str) -> AnswerState | None:
    """The state that the words of a short answer name, whatever its fields say."""
    if PERSON.search(short):
        return AnswerState.WAITS_FOR_PERSON
    if UNCHANGED.search(short) or counts_no_change(short):
        return AnswerState.UNCHANGED
    if says_no_by_status(short):
        return AnswerState.NONE_FOUND
    return AnswerState.REFUSED if REFUSED.search(short) else state_in_words(short)


def counts_no_change(text: str) -> bool:
    """True for JSON that counts what was changed, and counts nothing."""
    counts = CHANGES.findall(text) if ": 0" in text or ":0" in text else ()
    if not counts:
        return NO_ROW.search(text) is not None
    return not any(map(int, counts))


def is_automatic(text: str) -> bool:
    """True for a message such as "continue", which a harness sends after each turn."""
    return AUTOMATIC.match(text) is not None
