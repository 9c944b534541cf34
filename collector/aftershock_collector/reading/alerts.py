"""Alertmanager's webhook (version 4) → Changes: what other people's alerts say became different."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from aftershock.attributes import SERVER_ADDRESS
from aftershock.entity import entity_key
from aftershock.model import Change, ChangeKind
from aftershock_collector.metrics.entities import place_of
from aftershock_collector.otlp.wire import Decoded, Unreadable
from aftershock_collector.reading.links import link_in

ALERTS_MAX = 10_000  # in one webhook; Alertmanager itself groups far fewer
TEXT_CHARS_MAX = 500  # of a description: what a timeline shows of it
ID_CHARS_MAX = 200
OURS = "aftershock"  # the label `source` of the alerts that findings become


def changes_of_webhook(body: bytes) -> Decoded[Change]:
    """Read one notification; raises Unreadable where it is not one."""
    try:
        document = _table(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    alerts: Any = document.get("alerts")
    if not isinstance(alerts, list):
        raise Unreadable("not an Alertmanager webhook: it has no list of alerts")
    told = cast("list[Any]", alerts)
    decoded: Decoded[Change] = Decoded([])
    for alert in told[:ALERTS_MAX]:
        change = change_of_alert(_table(alert))
        if isinstance(change, str):
            decoded.rejected[change] += 1
        else:
            decoded.items.append(change)
    if len(told) > ALERTS_MAX:
        decoded.rejected["too many alerts"] += len(told) - ALERTS_MAX
    return decoded


def change_of_alert(alert: Mapping[str, Any]) -> Change | str:
    """One alert, or why it cannot be one."""
    labels = _texts(alert.get("labels"))
    if "alertname" not in labels:
        return "alert without a name"
    if labels.get("source") == OURS:
        return "alert of our own"  # a finding must not become evidence for itself
    began = _time_ns(alert.get("startsAt"))
    if not began:
        return "alert without a start"
    ended = _time_ns(alert.get("endsAt")) if alert.get("status") == "resolved" else None
    annotations = _texts(alert.get("annotations"))
    said = annotations.get("summary") or annotations.get("description") or ""
    link = link_in(labels, annotations)
    fingerprint = str(alert.get("fingerprint") or json.dumps(labels, sort_keys=True))
    return Change(
        id=f"alert/{fingerprint[:ID_CHARS_MAX]}/{began}",
        kind=ChangeKind.ALERT,
        entity=entity_of_labels(labels),
        name=labels["alertname"][:ID_CHARS_MAX],
        began_at_ns=began,
        ended_at_ns=None if ended is None else max(ended, began),
        detail=said[:TEXT_CHARS_MAX],
        trace_id=link.trace_id if link else None,
        span_id=link.span_id if link else None,
    )


def entity_of_labels(labels: Mapping[str, str]) -> str:
    """What an alert is about, as series are filed; `alert/<name>` where its labels name nothing.

    A label `entity` says it outright, in our own words: `service/checkout`.
    """
    told = labels.get("entity", "")
    if told.find("/") > 0 and len(told) <= ID_CHARS_MAX:
        return told
    place = place_of("", labels, labels, called=False)
    if place is not None:
        return place.entity
    instance = labels.get("instance")
    named = instance and entity_key({SERVER_ADDRESS: instance})
    return named or f"alert/{labels['alertname'][:ID_CHARS_MAX]}"


def _table(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _texts(value: Any) -> dict[str, str]:
    return {key: text for key, text in _table(value).items() if isinstance(text, str)}


def _time_ns(value: Any) -> int | None:
    """RFC 3339 as nanoseconds; None for what is not, and for Go's zero time of year 1."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.year < 1970 or moment.tzinfo is None:
        return None
    return round(moment.timestamp() * 1e6) * 1_000
