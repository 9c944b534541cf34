"""Audit logs of clouds as JSON: AWS CloudTrail, Google Cloud's audit log, Azure's activity log.

The trace comes back in the user agent, or wherever a client may write a text. Google's log has
fields for it; Azure's ids of a request may be the trace's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from aftershock.model import Tier
from aftershock_collector.reading.links import Link, link_in
from aftershock_collector.reading.logs.line import (
    ENTITY_CHARS_MAX,
    Logged,
    Record,
    document,
    link_anywhere,
    moment,
    number,
    table,
    text,
)

RECORDS_MAX = 50_000  # of one file; CloudTrail writes far fewer
_READING = re.compile(
    r"(?:get|list|describe|head|search|lookup|batchget|aggregatedlist)", re.IGNORECASE
)
_REMOVING = re.compile(r"(?:delete|terminate|remove|destroy|purge)", re.IGNORECASE)
_GCP_TRACE = re.compile(r"(?:^|/)traces/([0-9a-f]{32})$")
_GUID = re.compile(
    r"([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})", re.IGNORECASE
)
_UNDER_WAY = frozenset({"start", "started", "accept", "accepted"})
SERVER_FAILED = 500
_GCP_OWN = frozenset({8, 13, 14, 15})  # google.rpc.Code: exhausted, internal, unavailable, lost


def read_cloud_audit(record: Record) -> list[Logged]:
    """What one record, or one file of records, says was done in traces."""
    whole = document(record)
    found: list[Logged] = []
    for one in _records(whole):
        if "eventSource" in one and "eventName" in one:
            found += _cloudtrail(one)
        elif "protoPayload" in one:
            found += _google(one)
        elif "operationName" in one and "resourceId" in one:
            found += _azure(one)
    return found


def _records(whole: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """CloudTrail and Azure put many into `Records` or `records`."""
    listed = whole.get("Records") or whole.get("records")
    if not isinstance(listed, list):
        return (whole,)
    return [table(each) for each in cast("list[Any]", listed)[:RECORDS_MAX]]


def _cloudtrail(one: Mapping[str, Any]) -> list[Logged]:
    link = link_anywhere(text(one.get("userAgent"))) or link_anywhere(one.get("requestParameters"))
    name = text(one.get("eventName"))
    code = text(one.get("errorCode"))
    reads = one.get("readOnly") is True or ("readOnly" not in one and _READING.match(name))
    resources = one.get("resources")
    listed = cast("list[Any]", resources) if isinstance(resources, list) else []
    arn = text(table(listed[0]).get("ARN")) if listed else ""
    source = text(one.get("eventSource")).partition(".")[0]
    own = "Internal" in code or "Unavailable" in code or "Throttl" in code
    return _logged(
        link, f"{source} {name}", name, arn or source, text(one.get("eventTime")),
        reads=bool(reads), error=code or None, own=own,
    )  # fmt: skip


def _google(one: Mapping[str, Any]) -> list[Logged]:
    payload = table(one, "protoPayload")
    trace = _GCP_TRACE.search(text(one.get("trace")))
    link = link_in({"trace_id": trace[1], "span_id": text(one.get("spanId"))}) if trace else None
    link = link or link_anywhere(
        text(table(payload, "requestMetadata").get("callerSuppliedUserAgent"))
    )
    method = text(payload.get("methodName"))
    name = method.rpartition(".")[2]
    code = number(table(payload, "status").get("code")) or 0
    return _logged(
        link, method, name, text(payload.get("resourceName")), text(one.get("timestamp")),
        reads=bool(_READING.match(name)), own=code in _GCP_OWN,
        error=f"code {code}" if code else None,
    )  # fmt: skip


def _azure(one: Mapping[str, Any]) -> list[Logged]:
    result = text(one.get("resultType")).lower()
    operation = one.get("operationName")
    name = text(operation) or text(table(operation).get("value"))
    if not name or result in _UNDER_WAY:
        return []
    asked = table(one, "properties", "httpRequest") or table(one, "httpRequest")
    link = link_anywhere(one)
    for known in (text(asked.get("clientRequestId")), text(one.get("correlationId"))):
        guid = _GUID.fullmatch(known)
        link = link or (link_in({"trace_id": "".join(guid.groups())}) if guid else None)
    *_, kind, verb = ("", *name.lower().rsplit("/", 1))
    failed = result.startswith("fail")
    signature = text(one.get("resultSignature"))
    own = failed and "internalservererror" in signature.lower()
    return _logged(
        link, name.lower(), "delete" if verb == "delete" else kind,
        text(one.get("resourceId")).lower(), text(one.get("time")),
        reads=verb == "read", error=signature or "failed" if failed else None, own=own,
    )  # fmt: skip


def _logged(
    link: Link | None, did: str, name: str, resource: str, written: str,
    *, reads: bool, error: str | None, own: bool,
) -> list[Logged]:  # fmt: skip
    if link is None or not did.strip() or (reads and error is None):
        return []
    tier = Tier.READ if reads else Tier.DESTRUCTIVE if _REMOVING.match(name) else Tier.WRITE
    entity = f"cloud/{resource}"[:ENTITY_CHARS_MAX] if resource else None
    return [Logged(link, did, tier, moment(written), entity, error=error, trouble=own)]
