"""Deploys by others, in the formats that Argo CD, Flux and GitHub post; a table names the readers.

A reader takes the parsed body and says what was deployed, or why it is not about a deploy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from aftershock.model import Change
from aftershock_collector.otlp.wire import Decoded, Unreadable
from aftershock_collector.reading.deploys.argo_cd import read_argo_cd
from aftershock_collector.reading.deploys.flux import read_flux
from aftershock_collector.reading.deploys.github import read_github

Reader = Callable[[Mapping[str, Any], int], list[Change] | str]


class Webhook(NamedTuple):
    """One system: how its bodies are read, and where it signs them."""

    read: Reader
    signature: str | None  # header with the HMAC-SHA256 of the body; None: it signs nothing


WEBHOOKS: Mapping[str, Webhook] = {
    "argocd": Webhook(read_argo_cd, None),
    "flux": Webhook(read_flux, "X-Signature"),
    "github": Webhook(read_github, "X-Hub-Signature-256"),
}


def changes_of_deploys(system: str, body: bytes, now_ns: int) -> Decoded[Change]:
    """Read one webhook of a system in `WEBHOOKS`; raises Unreadable for what is no JSON object."""
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise Unreadable("not a JSON object")
    found = WEBHOOKS[system].read(cast("dict[str, Any]", document), now_ns)
    decoded: Decoded[Change] = Decoded([])
    if isinstance(found, str):
        decoded.rejected[found] += 1
    else:
        decoded.items.extend(found)
    return decoded
