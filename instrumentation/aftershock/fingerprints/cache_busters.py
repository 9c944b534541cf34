"""Parts of addresses that differ at each call so that no cache answers it: they ask nothing."""

from __future__ import annotations

import re
from typing import Any

# A clock or a random number of that length names no thing: `?_=1772442000123`, `&nocache=83121`.
CACHE_BUSTER = re.compile(
    r"(?<=[?&])(?:(?:_|t|ts|cb|time|timestamp)=\d{9,}(?:\.\d+)?"
    r"|(?:cache_?bust(?:er)?|no_?cache|nonce|rand(?:om)?)=[\w.\-]+)(?:&|$)",
    re.IGNORECASE,
)


def without_cache_buster(value: Any) -> Any:
    """An address without such parts; any other value as it is."""
    if not isinstance(value, str) or "?" not in value or "://" not in value[:12]:
        return value
    return CACHE_BUSTER.sub("", value).rstrip("?&")
