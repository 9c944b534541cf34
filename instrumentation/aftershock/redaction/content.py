"""Which attributes hold content: messages, arguments, results, errors, in every family's names."""

from __future__ import annotations

import re

from aftershock import attributes as names
from aftershock.remembered import remembered

CONTENT = frozenset(
    {
        names.INPUT_MESSAGES,
        names.OUTPUT_MESSAGES,
        names.TOOL_ARGUMENTS,
        names.TOOL_RESULT,
        names.SYSTEM_INSTRUCTIONS,
        names.TOOL_DEFINITIONS,
        names.RUN_GOAL,
        names.DECISION_QUESTION,
        names.DECISION_OVER,
        names.DECISION_BECAUSE,
        names.DECISION_ASSUMES,
        names.APPROVAL_BECAUSE,
        "exception.stacktrace",
        "url.query",
        "input.value",
        "output.value",
        "tool.parameters",
        "traceloop.entity.input",
        "traceloop.entity.output",
    }
)
CONTENT_FIELDS = re.compile(rf"llm\.(?:input|output)_messages\.|{names.OLD_MESSAGES}")
ERROR_TEXTS = frozenset({"exception.message", "error.message"})
URLS = frozenset({"url.full", "http.url", "http.target", "url.original"})


@remembered
def is_content(key: str) -> bool:
    """True for attributes that hold messages, arguments, results or goals."""
    return key in CONTENT or CONTENT_FIELDS.match(key) is not None
