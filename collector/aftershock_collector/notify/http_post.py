"""One POST to a receiver: what worked, what may work later, what never will.

Words never hold the address: Slack's is a secret.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from aftershock_collector.wording import clean

TIMEOUT = httpx.Timeout(10.0, connect=5.0)  # a receiver that is slower is tried again later
RETRYABLE = frozenset({408, 425, 429})  # and everything from 500 on
RETRY_AFTER_MAX_S = 3_600.0  # whatever a receiver asks for, a page is not held back longer
SAID_CHARS_MAX = 200  # of a receiver's own words

Send = Callable[[httpx.Client, str, int], None]  # client, body from the outbox, now in ns


class Retryable(Exception):  # noqa: N818  (it says what to do)
    """It did not work now; `retry_after_s` is what the receiver asked for."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Permanent(Exception):  # noqa: N818  (it says what to do)
    """It will not work however often it is tried."""


def post(
    client: httpx.Client,
    url: str,
    *,
    json: Any = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send; returns where the receiver confirmed, raises Retryable or Permanent elsewhere."""
    try:
        answer = client.post(url, json=json, content=content, headers=headers)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Permanent("the address is not one that can be posted to") from error
    except httpx.TransportError as error:
        raise Retryable(clean(f"{type(error).__name__}: {error}", SAID_CHARS_MAX)) from error
    if answer.is_success:
        return
    said = clean(answer.text, SAID_CHARS_MAX)
    words = f"HTTP {answer.status_code}" + (f": {said}" if said else "")
    if answer.status_code in RETRYABLE or answer.status_code >= 500:
        raise Retryable(words, retry_after_s(answer.headers.get("Retry-After")))
    raise Permanent(words)


def retry_after_s(header: str | None) -> float | None:
    """`Retry-After` in seconds or as a date; None where there is none that makes sense."""
    if header is None:
        return None
    asked: float | None = None
    with contextlib.suppress(ValueError):
        asked = float(header)
    if asked is None:
        with contextlib.suppress(ValueError, TypeError):
            asked = parsedate_to_datetime(header).timestamp() - time.time()
    return None if asked is None else min(max(asked, 0.0), RETRY_AFTER_MAX_S)
