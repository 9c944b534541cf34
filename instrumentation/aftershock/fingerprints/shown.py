"""What an inference was shown: which tool results and which ids stood in its messages, hashed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

from aftershock.fingerprints.fingerprint import fingerprint_result, text_of
from aftershock.fingerprints.keyed import hash_public, key_id
from aftershock.fingerprints.words import smallest, words_in
from aftershock.limits import Limits

DEFAULTS = Limits()
PARTS_MAX = 4_096  # of one history; 50 agents' worth of a long day
RESULTS = frozenset({"tool_call_response", "server_tool_call_response"})
TEXTS = frozenset({"text", "reasoning", "compaction"})
ASSISTANTS = frozenset({"assistant", "model", "ai"})


class Part(NamedTuple):
    """One part of one message. `text` None: something that no text tells, such as an image."""

    role: str
    text: str | None
    is_result: bool = False
    call_id: str | None = None


class Shown(NamedTuple):
    """Hashes of what stood in an inference's messages. None: it could not be told."""

    results: frozenset[int] | None = None
    words: frozenset[int] | None = None


def shown_in(parts: Sequence[Part], limits: Limits = DEFAULTS) -> Shown:
    """What a history of messages shows to the model, oldest part first.

    All results of tools that it holds; and the ids of everything that people and programs said,
    and of the results since the model last spoke: the older ones were new to an earlier inference.
    """
    if not parts or len(parts) > PARTS_MAX:
        return Shown()
    results: dict[int, None] = {}
    words: set[int] = set()
    known = fresh = True
    for part in reversed(parts):
        if part.role in ASSISTANTS:
            fresh = False
            continue
        if part.is_result:
            told = part.call_id or fingerprint_result(part.text).digest
            if len(results) < limits.shown_max:
                results[hash_public(told)] = None
            if not fresh:
                continue
        found = None if part.text is None else words_of(part.text, key_id())
        known = known and found is not None
        words |= found or frozenset()
    return Shown(frozenset(results), smallest(words, limits) if known else None)


@lru_cache(maxsize=256)  # system prompts and first questions come again with each inference
def words_of(text: str, _key_id: str) -> frozenset[int] | None:
    """The words of one text of a history, hashed with the key that the process uses."""
    return words_in(text)


def parts_in(messages: Iterable[Any]) -> list[Part]:
    """The parts of messages as OpenTelemetry writes them: objects, or their JSON."""
    found: list[Part] = []
    for message in messages:
        role = said(message, "role")
        name = str(getattr(role, "value", role) or "")
        if name in ASSISTANTS:  # what a model said itself shows it nothing
            found.append(Part(name, ""))
            continue
        parts = said(message, "parts")
        if not isinstance(parts, list | tuple):
            parts = [{"type": "text", "content": said(message, "content")}]
        for part in cast("Sequence[Any]", parts):
            if len(found) > PARTS_MAX:
                return found
            found.append(part_of(name, part))
    return found


def part_of(role: str, part: Any) -> Part:
    """One part, with its text where it has one."""
    kind = said(part, "type")
    if kind in RESULTS:
        call_id = said(part, "id")
        answer = said(part, "response" if kind == "tool_call_response" else kind)
        return Part(role, text_of(answer), True, call_id if isinstance(call_id, str) else None)
    content = said(part, "content")
    if kind in TEXTS and (content is None or isinstance(content, str)):
        return Part(role, content or "")
    return Part(role, None)


def said(thing: Any, key: str) -> Any:
    """A field of an object or of its JSON."""
    if isinstance(thing, dict):
        return cast("dict[str, Any]", thing).get(key)
    return getattr(thing, key, None)


def parts_of_text(text: Any) -> list[Part] | None:
    """The parts of messages that a JSON text spells; None where it is cut or something else."""
    if isinstance(text, str):
        try:
            text = json.loads(text)
        except (ValueError, RecursionError):
            return None
    return parts_in(cast("list[Any]", text)) if isinstance(text, list) else None
