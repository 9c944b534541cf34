"""Alerts of others → Changes: Alertmanager's webhook (version 4), and what Prometheus itself posts.

Prometheus posts a list of alerts to each of its Alertmanagers (API v2). Where the collector is one
of them, alerts that Alertmanager silences arrive too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
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
URL = re.compile(r"https?://[!-~]{1,1500}")  # printable ASCII without spaces
OURS = "aftershock"  # the label `source` of the alerts that findings become


def changes_of_alerts(body: bytes, now_ns: int) -> Decoded[Change]:
    """Read one notification or one list of alerts; raises Unreadable where it is neither.

    Args:
        body: JSON, as it arrived.
        now_ns: when it arrived. What ends later than that has not ended: senders say until when
            an alert holds unless they say it again.
    """
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    alerts: Any = _table(document).get("alerts", document)
    if not isinstance(alerts, list):
        raise Unreadable("neither Alertmanager's webhook nor a list of alerts")
    listed = cast("list[Any]", alerts)
    decoded: Decoded[Change] = Decoded([])
    for alert in listed[:ALERTS_MAX]:
        change = change_of_alert(_table(alert), now_ns)
        if isinstance(change, str):
            decoded.rejected[change] += 1
        else:
            decoded.items.append(change)
    if len(listed) > ALERTS_MAX:
        decoded.rejected["too many alerts"] += len(listed) - ALERTS_MAX
    return decoded


def change_of_alert(alert: Mapping[str, Any], now_ns: int) -> Change | str:
    """One alert, or why it cannot be one."""
    labels = _texts(alert.get("labels"))
    if "alertname" not in labels:
        return "alert without a name"
    if labels.get("source") == OURS:
        return "alert of our own"  # a finding must not become evidence for itself
    began = _time_ns(alert.get("startsAt"))
    if not began:
        return "alert without a start"
    ends = _time_ns(alert.get("endsAt"))
    resolved = alert["status"] == "resolved" if "status" in alert else (ends or now_ns) < now_ns
    ended = ends if resolved else None
    annotations = _texts(alert.get("annotations"))
    summary = annotations.get("summary") or annotations.get("description") or ""
    link = link_in(labels, annotations)
    # The same by whichever way it comes; only one of them brings Alertmanager's fingerprint.
    named = blake2b(json.dumps(labels, sort_keys=True).encode(), digest_size=8).hexdigest()
    return Change(
        id=f"alert/{named}/{began}",
        kind=ChangeKind.ALERT,
        entity=entity_of_labels(labels),
        name=labels["alertname"][:ID_CHARS_MAX],
        began_at_ns=began,
        ended_at_ns=None if ended is None else max(ended, began),
        detail=summary[:TEXT_CHARS_MAX],
        trace_id=link.trace_id if link else None,
        span_id=link.span_id if link else None,
        url=_url(alert.get("generatorURL")),
    )


def entity_of_labels(labels: Mapping[str, str]) -> str:
    """What an alert is about, as series are filed; `alert/<name>` where its labels name nothing.

    A label `entity` names it directly: `service/checkout`.
    """
    named = labels.get("entity", "")
    if named.find("/") > 0 and len(named) <= ID_CHARS_MAX:
        return named
    place = place_of("", labels, labels, called=False)
    if place is not None:
        return place.entity
    instance = labels.get("instance")
    named = instance and entity_key({SERVER_ADDRESS: instance})
    return named or f"alert/{labels['alertname'][:ID_CHARS_MAX]}"


def _url(value: Any) -> str | None:
    """An address of the web; None for anything else, such as javascript:."""
    return value if isinstance(value, str) and URL.fullmatch(value) else None


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
