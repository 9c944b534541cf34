"""Sanitizer: what every span, event and log goes through before it leaves the process.

It runs on the batching threads, never on the app's. It makes a copy: deferred attributes are added,
content is replaced by its fingerprint unless content capture is on, secrets are redacted, sizes are
capped.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status, StatusCode

from aftershock import attributes as names
from aftershock.fingerprints.fingerprint import WRAPPERS
from aftershock.gate import any_json
from aftershock.recorder.drop_counters import count_drop, record_failure
from aftershock.recorder.error_words import without_content
from aftershock.recorder.pending_spans import PENDING
from aftershock.recorder.process_identity import identified
from aftershock.recorder.redaction import TEXT_CHARS_MAX, redact_value
from aftershock.recorder.settings import captures_content, policy
from aftershock.recorder.tool_calls import describe_call, describe_result
from aftershock.redaction.content import ERROR_TEXTS, URLS, is_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.sdk._logs import ReadableLogRecord

SPAN_BYTES_MAX = 131_072  # of one span's texts: a whole batch must fit into one request
SHORT_CHARS_MAX = 256  # names and ids, which are kept however full a span is
EVENTS_MAX = 64  # of one span; streams can add one per chunk
OPENINFERENCE_KIND = "openinference.span.kind"
OPENINFERENCE_INPUT, OPENINFERENCE_OUTPUT = "input.value", "output.value"
# Our hashes, in which redaction would see numbers of cards.
HASHES = frozenset(
    {
        names.ARGUMENTS_DIGEST, names.ARGUMENTS_SKETCH, names.RESULT_DIGEST, names.RESULT_SKETCH,
        names.SUBJECTS, names.FACT_DIGEST, names.RUN_ID, names.ARGUMENT_IDS, names.RESULT_WORDS,
        names.INFERENCE_SHOWN, names.INFERENCE_WORDS, names.APPROVAL_ID,
        names.ACTION_SETS, names.OUTPUT_DIGEST, names.OUTPUT_SKETCH, names.CODE_DIGEST,
        names.CODE_SKETCH,
    }
)  # fmt: skip
# Of a span's event that is a message, what is no content.
MESSAGE_KEYS = frozenset({"role", "id", "name", "index", "finish_reason"})
# LangGraph pauses by raising; waiting for a person is not an error.
PAUSES = ("GraphInterrupt", "NodeInterrupt", "GraphBubbleUp")


def sanitize_spans(spans: Iterable[ReadableSpan]) -> list[ReadableSpan]:
    """The spans to export, each a copy that is fit to leave."""
    fit: list[ReadableSpan] = []
    for span in spans:
        try:
            safe = sanitize_span(span)
        except Exception:  # noqa: BLE001 (fails closed: a span that cannot be read stays)
            record_failure("preparing a span for export")
            continue
        if safe is not None:
            fit.append(safe)
    return fit


def sanitize_span(span: ReadableSpan) -> ReadableSpan | None:
    """One span, fit to leave. None: it is left out of the export."""
    context = span.get_span_context()
    assert context is not None
    pending = PENDING.pop(context.span_id)
    if pending is not None and pending.left_out:
        return None
    own = {**(span.attributes or {}), **({} if pending is None else pending.known)}
    status, events = span.status, span.events
    if str(own.get(names.ERROR_TYPE, "")).rpartition(".")[2] in PAUSES:
        del own[names.ERROR_TYPE]
        status, events = Status(StatusCode.UNSET), ()
    found, cut = sanitize_attributes(own, SPAN_BYTES_MAX)
    if cut:
        found[names.TRUNCATED] = cut
        count_drop("values_cut", cut)
    if len(events) > EVENTS_MAX:
        count_drop("span_events", len(events) - EVENTS_MAX)
        events = events[:EVENTS_MAX]
    return ReadableSpan(
        name=sanitize_text(span.name),
        context=context,
        parent=span.parent if pending is None else pending.parent or span.parent,
        resource=identified(span.resource),
        attributes=found,
        events=[
            Event(event.name, sanitize_attributes(event_attributes(event))[0], event.timestamp)
            for event in events
        ],
        links=[
            Link(link.context, sanitize_attributes(dict(link.attributes or {}))[0])
            for link in span.links
        ],
        kind=span.kind,
        status=Status(status.status_code, error_text(status.description or "") or None),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def sanitize_log(record: ReadableLogRecord) -> ReadableLogRecord | None:
    """One log record, fit to leave. None: it cannot be read."""
    try:
        log = record.log_record
        found, _cut = sanitize_attributes(dict(log.attributes or {}))
        body = log.body if captures_content() or log.event_name is None else None
        fit = copy(log)  # it keeps the trace and the span that it belongs to
        fit.attributes, fit.body = found, None if body is None else redact_value("", body)
        return replace(record, log_record=fit, resource=identified(record.resource))
    except Exception:  # noqa: BLE001 (fails closed: a log that cannot be read stays)
        record_failure("preparing a log for export")
        return None


def sanitize_attributes(
    own: dict[str, Any], bytes_max: int = SPAN_BYTES_MAX
) -> tuple[dict[str, Any], int]:
    """Attributes without unasked content and secrets, and how many of them were cut."""
    if not captures_content():
        own = fingerprint_content(own)
    found: dict[str, Any] = {}
    cut, room = 0, bytes_max
    for key, value in own.items():
        if key in HASHES:
            found[key] = value
            continue
        safe = redact_value(key, value)
        if isinstance(safe, str) and len(safe) > SHORT_CHARS_MAX:
            kept = safe[: max(SHORT_CHARS_MAX, min(TEXT_CHARS_MAX, room))]
            cut += len(kept) < len(safe)
            safe, room = kept, room - len(kept)
        found[key] = safe
    return found, cut


def event_attributes(event: Event) -> dict[str, Any]:
    """Attributes of a span's event; of one that is a message only what is known to be none of it.

    OpenTelemetry's messages were such events once, and some frameworks still send them.
    """
    own = dict(event.attributes or {})
    if captures_content() or not event.name.startswith(names.MESSAGE_EVENTS):
        return own
    return {key: value for key, value in own.items() if key in MESSAGE_KEYS}


def fingerprint_content(own: dict[str, Any]) -> dict[str, Any]:
    """Attributes without content; a tool's arguments and result leave fingerprints."""
    kept = {k: without_details(k, v) for k, v in own.items() if not is_content(k)}
    tool = own.get(names.TOOL_NAME)
    if not tool:
        return kept
    arguments, result = contents_of(own)
    if arguments is not None and names.ARGUMENTS_DIGEST not in own:
        described = describe_call(str(tool), unwrapped(parsed(arguments)), policy())
        kept = {**kept, **described, **declared_in(kept, described)}
    if result is not None and names.RESULT_DIGEST not in own:
        kept |= describe_result(parsed(result), failed=names.ERROR_TYPE in own)
    return kept


def without_details(key: str, value: Any) -> Any:
    """A value without the part of it that is content: a URL's query, an error's text."""
    if key in URLS and isinstance(value, str):
        return value.partition("?")[0].partition("#")[0]
    if key in ERROR_TEXTS and isinstance(value, str):
        return without_content(value)
    return value


def contents_of(own: Mapping[str, Any]) -> tuple[Any, Any]:
    """Arguments and result of a tool span, whichever family's attributes hold them.

    OpenInference's own win: where it writes both families, `gen_ai.tool.call.arguments` holds the
    schema of the tool, which is the same for every call.
    """
    arguments, result = own.get(names.TOOL_ARGUMENTS), own.get(names.TOOL_RESULT)
    if own.get(OPENINFERENCE_KIND) == "TOOL":
        return own.get(OPENINFERENCE_INPUT, arguments), own.get(OPENINFERENCE_OUTPUT, result)
    return arguments, result


def unwrapped(arguments: Any) -> Any:
    """Arguments without the wrapper that some frameworks put around them."""
    while isinstance(arguments, dict) and len(cast("dict[str, Any]", arguments)) == 1:
        ((name, inside),) = cast("dict[str, Any]", arguments).items()
        if name not in WRAPPERS or not isinstance(inside, dict):
            break
        arguments = cast("dict[str, Any]", inside)
    return cast("Any", arguments)


def declared_in(own: Mapping[str, Any], described: Mapping[str, Any]) -> dict[str, Any]:
    """Targets and requirements of a span that win over what the policy says of the call.

    One with a wildcard was made from the tool's name, before its arguments were known.
    """
    keys = (names.ACTION_TARGETS, names.CONTEXT_REQUIRED, names.FACTS)
    return {
        key: own[key]
        for key in keys
        if key in own and not (key in described and any("*" in str(one) for one in own[key]))
    }


def parsed(value: Any) -> Any:
    """A value from the JSON text that attributes hold, or the text."""
    if not isinstance(value, str):
        return value
    try:
        return any_json.loads(value)
    except ValueError:
        return value


def error_text(text: str) -> str:
    """The text of a status: its class only, unless content capture is on."""
    return sanitize_text(text if captures_content() else without_content(text))


def sanitize_text(text: str) -> str:
    """A name or a message without secrets, of a size that a name can have."""
    return str(redact_value("", text[: 2 * TEXT_CHARS_MAX]))[:TEXT_CHARS_MAX]
