"""Redaction in the agent's process: secrets and personal data leave in no span, event or log.

On by default (`AFTERSHOCK_REDACTION=off` ends it). Fails closed: what cannot be read is replaced.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from aftershock.recorder.drop_counters import record_failure
from aftershock.redaction import redact
from aftershock.redaction.redact import TEXT_CHARS_MAX, UNREADABLE

__all__ = ["TEXT_CHARS_MAX", "UNREADABLE", "enabled", "redact_text", "redact_value"]


@cache
def enabled() -> bool:
    """True unless the user switched redaction off."""
    return os.environ.get("AFTERSHOCK_REDACTION", "on").strip().lower() not in {"off", "0", "false"}


def redact_value(key: str, value: Any) -> Any:
    """A value without secrets. Raises nothing: what cannot be read is replaced."""
    try:
        return redact.redact_named(key, value) if enabled() else value
    except Exception:  # noqa: BLE001 (fails closed)
        record_failure("redacting a value")
        return UNREADABLE


def redact_text(text: str) -> str:
    """A text with each secret replaced by its kind: `[redacted:email]`."""
    return redact.redact_text(text) if enabled() else text
