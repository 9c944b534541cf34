"""One POST to a receiver: confirmed, worth another attempt, or refused for good.

Error texts never hold the address: Slack's is a secret.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx

from aftershock_collector.wording import clean

TIMEOUT = httpx.Timeout(10.0, connect=5.0)  # a receiver that is slower is tried again later
RETRYABLE = frozenset({408, 425, 429})  # and everything from 500 on
RETRY_AFTER_MAX_S = 3_600.0  # whatever a receiver asks for, a page is not held back longer
ANSWER_CHARS_MAX = 200  # of a receiver's own text


class Retryable(Exception):  # noqa: N818  (it names what follows)
    """It did not work now; `retry_after_s` is what the receiver asked for."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Permanent(Exception):  # noqa: N818  (it names what follows)
    """It will not work however often it is tried."""


def post(
    client: httpx.Client,
    url: str,
    *,
    json: Any = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
) -> httpx.Response:
    """Send; returns the answer that confirms.

    Raises:
        Retryable: it may work later.
        Permanent: it will never work.
    """
    try:
        answer = client.request(method, url, json=json, content=content, headers=headers)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Permanent("the address is not one that can be posted to") from error
    except httpx.TransportError as error:
        raise Retryable(clean(f"{type(error).__name__}: {error}", ANSWER_CHARS_MAX)) from error
    if answer.is_success:
        return answer
    text = clean(answer.text, ANSWER_CHARS_MAX)
    words = f"HTTP {answer.status_code}" + (f": {text}" if text else "")
    if answer.status_code in RETRYABLE or answer.status_code >= 500:
        raise Retryable(words, retry_after_s(answer.headers.get("Retry-After")))
    raise Permanent(words)


def answer_to(
    client: httpx.Client, url: str, *, json: Any, headers: Mapping[str, str]
) -> dict[str, Any]:
    """Send, and read the JSON object that confirms. Raises what `post` raises."""
    try:
        answer: Any = post(client, url, json=json, headers=headers).json()
    except ValueError as error:
        raise Retryable("the answer is not JSON") from error
    if not isinstance(answer, dict):
        raise Permanent("the answer is not a JSON object")
    return cast("dict[str, Any]", answer)


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
