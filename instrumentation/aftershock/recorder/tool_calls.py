"""Tool calls: attributes that describe one call's arguments and result without holding them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import partial
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from aftershock import attributes as names
from aftershock.fingerprints.answers import state_of
from aftershock.fingerprints.embedded_orders import seems_to_give_orders
from aftershock.fingerprints.fingerprint import (
    fingerprint_arguments,
    fingerprint_result,
    subjects_of,
    text_of,
)
from aftershock.fingerprints.outcomes import outcome_of
from aftershock.fingerprints.plain_arguments import plain_arguments
from aftershock.fingerprints.swapped import ids_of
from aftershock.fingerprints.words import words_in
from aftershock.model import Outcome
from aftershock.policy.policy import Policy, ToolDescription, describe, placeholders_of
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.error_words import without_content
from aftershock.recorder.pending_spans import PENDING
from aftershock.wire import encode_fact, encode_hashes, encode_requirement

if TYPE_CHECKING:
    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

Attributes = dict[str, "AttributeValue"]

PLAIN = (str, int, float, bool, type(None))
NAMED = (date, Decimal, PurePath, UUID)  # values that their text describes whole
DEPTH_MAX = 8  # of a snapshot: deeper than any arguments that a model writes
ITEMS_MAX = 1_000  # of one container in a snapshot
HELD_CHARS_MAX = 20_000  # of a result that may wait to be fingerprinted


def plain(value: Any, depth: int = 0) -> Any:
    """A snapshot of a value as JSON could hold it, bounded.

    An object is represented by its class: its text may be huge, or run the app's code.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, NAMED):
        return str(value)
    if depth < DEPTH_MAX:
        if isinstance(value, Mapping):
            items = islice(cast("Mapping[Any, Any]", value).items(), ITEMS_MAX)
            return {str(key): plain(item, depth + 1) for key, item in items}
        if isinstance(value, list | tuple | set | frozenset):
            kept = islice(cast("Iterable[Any]", value), ITEMS_MAX)
            return [plain(item, depth + 1) for item in kept]
    return f"<{type(value).__name__}>"


def as_mapping(arguments: Any) -> Mapping[str, Any] | None:
    """Arguments by name, where they have names."""
    return cast("Mapping[str, Any]", arguments) if isinstance(arguments, Mapping) else None


def describe_call(
    tool: str, arguments: Any, policy: Policy, declared: Attributes | None = None
) -> Attributes:
    """Fingerprint, tier, targets and required facts of a call that is about to run.

    `declared`: what is known of it otherwise, which wins over what the policy says.
    """
    fingerprint = fingerprint_arguments(arguments)
    found: Attributes = {
        names.ARGUMENTS_DIGEST: fingerprint.digest,
        names.ARGUMENTS_SKETCH: encode_hashes(fingerprint.sketch),
    }
    if fingerprint.size is not None:
        found[names.ARGUMENTS_SIZE] = fingerprint.size
    if fingerprint.stem is not None:
        found[names.ARGUMENTS_STEM] = fingerprint.stem
    if named := plain_arguments(arguments, placeholders_of(policy, tool)):
        found[names.ARGUMENTS_PLAIN] = named
    if subjects := subjects_of(arguments):
        found[names.SUBJECTS] = tuple(sorted(subjects))
    if ids := ids_of(arguments):
        found[names.ARGUMENT_IDS] = tuple(sorted(ids))
    found |= describe_tool(describe(policy, tool, as_mapping(arguments)))
    return found | declared if declared else found


def describe_tool(description: ToolDescription) -> Attributes:
    """What a policy declares about a call, as span attributes."""
    found: Attributes = {names.ACTION_TIER: str(description.tier)}
    if description.targets:
        found[names.ACTION_TARGETS] = description.targets
    if description.requires:
        found[names.CONTEXT_REQUIRED] = tuple(map(encode_requirement, description.requires))
    if description.provides:
        found[names.FACTS] = tuple(encode_fact(*fact) for fact in description.provides)
    times = {names.ACTION_WAIT: description.waits_s, names.ACTION_ALLOWED: description.allowed_s}
    found |= {name: seconds for name, seconds in times.items() if seconds is not None}
    if description.is_portion:
        found[names.ACTION_PORTION] = True
    if description.sets is not None:
        found[names.ACTION_SETS] = description.sets
    if description.polls:
        found[names.POLLS] = True
    if description.explain is not None:
        found[names.ACTION_EXPLAIN] = description.explain
    if description.gate is not None:
        found[names.ACTION_GATE] = str(description.gate)
    return found


def describe_result(result: Any, *, failed: bool = False) -> Attributes:
    """Fingerprint and outcome of what a call returned. `failed`: the tool itself reports it."""
    fingerprint = fingerprint_result(result)
    outcome = Outcome.FAILED if failed else outcome_of(result, None)
    found: Attributes = {
        names.RESULT_DIGEST: fingerprint.digest,
        names.RESULT_SKETCH: encode_hashes(fingerprint.sketch),
        names.RESULT_OUTCOME: str(outcome),
    }
    if fingerprint.size is not None:
        found[names.RESULT_SIZE] = fingerprint.size
    if seems_to_give_orders(text_of(result)):
        found[names.RESULT_ORDERS] = True
    if (state := state_of(text_of(result))) is not None:
        found[names.RESULT_STATE] = str(state)
    if outcome is Outcome.FAILED and (kind := without_content(text_of(result))):
        found[names.ERROR_CLASS] = kind
    if (words := words_in(text_of(result))) is not None:
        found[names.RESULT_WORDS] = encode_hashes(words)
    return found


def describe_error(error: BaseException) -> Attributes:
    """Outcome and class of a call that raised."""
    text = f"{type(error).__name__}: {error}"
    fingerprint = fingerprint_result(text)
    words = words_in(text)
    return {
        **({} if words is None else {names.RESULT_WORDS: encode_hashes(words)}),
        names.RESULT_DIGEST: fingerprint.digest,
        names.RESULT_SKETCH: encode_hashes(fingerprint.sketch),
        names.RESULT_OUTCOME: str(Outcome.FAILED),
        names.ERROR_CLASS: without_content(text),
    }


def set_result(span: Span | None, result: Any, *, failed: bool = False) -> None:
    """Describe the result on a live tool span. Raises nothing."""
    if span is None or not span.is_recording():
        return
    try:
        value = plain(result)
        if isinstance(value, str) and len(value) > HELD_CHARS_MAX:
            known = describe_result(value, failed=failed)  # rather than holding on to the text
            PENDING.defer(span, lambda: known)
        else:
            PENDING.defer(span, partial(describe_result, value, failed=failed))
    except Exception:  # noqa: BLE001 (ours; the tool's result is untouched)
        record_failure("describing a result")


def set_error(span: Span | None, error: BaseException) -> None:
    """Describe an exception on a live tool span. Raises nothing."""
    if span is None or not span.is_recording():
        return
    try:
        known = describe_error(error)  # now: an exception holds on to its frames
        PENDING.defer(span, lambda: known)
    except Exception:  # noqa: BLE001 (ours; the tool's exception goes on)
        record_failure("describing an error")
