"""Spans without content: fingerprints, tier, targets and outcome in place of what was written.

Of a shell command its programs remain, so that a command that only reads is still known to.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from aftershock import attributes as names
from aftershock.model import Action, Step
from aftershock.policy.command_tiers import READING_SUBCOMMANDS, SEPARATOR, redirects
from aftershock.policy.command_tiers import tier_of_command as tier_of
from aftershock.policy.tiers import COMMAND_KEYS
from aftershock_collector.otlp.decode import decode_span
from aftershock_collector.otlp.values import key_values
from aftershock_collector.otlp.wire import Span
from aftershock_collector.reading.dialects import parsed
from aftershock_collector.reading.dialects.neutral import TEXT
from aftershock_collector.reading.redaction import errors_of, fingerprints_of

CONTENT = frozenset(
    {names.TOOL_ARGUMENTS, names.TOOL_RESULT, names.INPUT_MESSAGES, names.OUTPUT_MESSAGES,
     names.SYSTEM_INSTRUCTIONS, TEXT}
)  # fmt: skip
PROGRAM = re.compile(r"[A-Za-z0-9_.+-]{1,40}")
PROGRAMS_MAX = 16


def without_content(span: Span, step: Step | None) -> Span:
    """A span that says the same of its step and holds nothing that anybody wrote."""
    message = SpanMessage.FromString(span.body)
    kept = [pair for pair in message.attributes if pair.key not in CONTENT]
    made: dict[str, Any] = {}
    if step is not None:
        made = fingerprints_of(step) | errors_of(step)
        if step.action is not None:
            made |= described(step.action)
            outline = outline_of(parsed(span.attributes.get(names.TOOL_ARGUMENTS)))
            if outline is not None:
                made[names.TOOL_ARGUMENTS] = json.dumps({"command": outline})
    del message.attributes[:]
    message.status.message = ""
    message.attributes.extend(kept)
    known = {pair.key for pair in kept}
    message.attributes.extend(key_values({k: v for k, v in made.items() if k not in known}))
    return decode_span(message.SerializeToString(), span.resource_body, span.scope_body)


def described(action: Action) -> dict[str, Any]:
    """What the policy and the arguments said of a call."""
    found: dict[str, Any] = {
        names.ACTION_TIER: str(action.tier),
        names.ACTION_TARGETS: list(action.targets),
        names.ACTION_WAIT: action.waits_s,
        names.ACTION_ALLOWED: action.allowed_s,
        names.ACTION_PORTION: action.is_portion or None,
        names.ACTION_SETS: action.sets,
    }
    return {key: value for key, value in found.items() if value not in (None, [])}


def outline_of(arguments: Any) -> str | None:
    """The programs of a command, with the words that decide what those do; None: it has none.

    None as well where the outline would not be of the command's own tier.
    """
    if not isinstance(arguments, dict):
        return None
    given = cast("dict[str, Any]", arguments)
    command = next((given[key] for key in COMMAND_KEYS if isinstance(given.get(key), str)), None)
    if command is None or (set(given) & {"sql", "query"}):
        return None
    found: list[str] = []
    for part in SEPARATOR.split(command)[:PROGRAMS_MAX]:
        words = [word for word in part.split() if "=" not in word]
        program = words[0].rpartition("/")[2] if words else ""
        if not PROGRAM.fullmatch(program):
            continue
        verb = next((word for word in words[1:] if not word.startswith("-")), "")
        decides = program in READING_SUBCOMMANDS and PROGRAM.fullmatch(verb)
        found.append(f"{program} {verb}" if decides else program)
    outline = "; ".join(found) + (" > file" if redirects(command) else "")
    return outline if found and tier_of(outline) is tier_of(command) else None
