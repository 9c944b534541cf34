"""Values inside the bodies of webhooks, which may be anything, and the change that they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from aftershock.model import Change, ChangeKind
from aftershock_collector.reading.links import link_in

CHARS_MAX = 200
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Rollout")
CHANGES_MAX = 64  # of one webhook: workloads of one application
COMMIT_CHARS = 7  # of a commit's hash, as people shorten it
_HASH_CHARS = 40


def table(value: Any, *path: str) -> Mapping[str, Any]:
    """The table at a path of keys; an empty one where there is something else."""
    for key in path:
        value = table(value).get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The tables of a list."""
    found = cast("list[Any]", value) if isinstance(value, list) else []
    return [table(each) for each in found]


def text(value: Any) -> str:
    """A text, cut; empty where there is something else."""
    return value[:CHARS_MAX] if isinstance(value, str) else ""


def version_of(revision: str) -> str:
    """A version as people say it: `main@sha1:8f6d…` and bare hashes are shortened."""
    branch, _, digest = revision.partition("@")
    named = digest.rpartition(":")[2] if digest else branch
    if len(named) >= _HASH_CHARS and all(each in "0123456789abcdef" for each in named.lower()):
        return named[:COMMIT_CHARS]
    return branch if digest else named


def deploy(  # noqa: PLR0917
    identity: str,
    entity: str,
    version: str,
    by: str,
    began_ns: int,
    annotations: Mapping[str, Any],
    detail: str = "",
) -> Change:
    """A deploy as a change: `2.1.4 by CI`."""
    link = link_in(annotations)
    return Change(
        id=f"deploy/{identity}/{entity}"[:CHARS_MAX],
        kind=ChangeKind.DEPLOY,
        entity=entity,
        name=" ".join(part for part in (version, f"by {by}") if part)[:CHARS_MAX],
        began_at_ns=began_ns,
        detail=detail,
        trace_id=link.trace_id if link else None,
        span_id=link.span_id if link else None,
    )
