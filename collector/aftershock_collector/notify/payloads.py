"""Page → the payload that a receiver understands: Slack, PagerDuty Events v2, Alertmanager v2.

The generic webhook takes `page.as_json` as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aftershock_collector.notify.page import Page, State
from aftershock_collector.reading.alerts import OURS
from aftershock_collector.wording import NS, clock, instant, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

# Limits that the receivers document.
SLACK_SECTION_CHARS_MAX = 3_000
PAGERDUTY_SUMMARY_CHARS_MAX = 1_024
PAGERDUTY_ACTIONS = {
    State.OPENED: "trigger",
    State.UPDATED: "trigger",  # the same dedup_key: folded into the incident, nobody is paged
    State.ACKNOWLEDGED: "acknowledge",
    State.CLOSED: "resolve",
}
# An alert that is not sent again resolves by itself after this long: ten renewals may be lost.
ALERT_LASTS_S = 600.0
# A finding's alert outlives it by more than a survey, a scrape and an evaluation: Prometheus' rules
# that say the same are silenced until they have ended too, and nobody is told again.
ALERT_LINGERS_S = 30.0


def slack(page: Page) -> dict[str, Any]:
    """A message in blocks. Text is escaped: `<!channel>` in a tool's name calls nobody."""
    over = page.state is State.CLOSED
    title = f"Closed: {page.title}" if over else page.title
    body = page.lines[-3:] if over else page.lines
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:150], "emoji": False}},
        {"type": "section", "text": markdown(body)},
        {
            "type": "context",
            "elements": [
                {
                    "type": "plain_text",
                    "text": f"{page.severity} · {page.kind} · since {clock(page.began_at_ns)} UTC",
                    "emoji": False,
                }
            ],
        },
    ]
    if page.link:
        button = {"type": "plain_text", "text": "Open the timeline"}
        element = {"type": "button", "text": button, "url": page.link}
        blocks.insert(2, {"type": "actions", "elements": [element]})
    return {"text": escaped(title), "blocks": blocks}


def markdown(lines: Iterable[str]) -> dict[str, Any]:
    """Body lines with their labels in bold."""
    shown: list[str] = []
    for line in lines:
        label, colon, rest = line.partition(":")
        bold = colon and not line.startswith(" ")
        shown.append(f"*{escaped(label)}:*{escaped(rest)}" if bold else escaped(line))
    text = "\n".join(shown)[:SLACK_SECTION_CHARS_MAX]
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def escaped(text: str) -> str:
    """Slack's three characters with a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def pagerduty(page: Page, routing_key: str) -> dict[str, Any]:
    """An Events v2 event: one dedup_key for the life of a finding."""
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": PAGERDUTY_ACTIONS[page.state],
        "dedup_key": page.key,
    }
    if event["event_action"] != "trigger":
        return event
    event["client"] = "Aftershock"
    event["payload"] = {
        "summary": page.title[:PAGERDUTY_SUMMARY_CHARS_MAX],
        "source": page.service or page.agent,
        "severity": page.severity,
        "timestamp": instant(page.began_at_ns),
        "component": page.agent,
        "class": page.kind,
        "custom_details": {
            "body": page.text,
            "run": page.run_id,
            "trace": page.trace_id,
            "finding": page.finding_id,
        },
    }
    if page.link:
        event["client_url"] = page.link
        event["links"] = [{"href": page.link, "text": "Timeline"}]
    return event


def alert_name(kind: str) -> str:
    """repeated_action → AgentRepeatedAction: one name in rule, alert, runbook and panel."""
    words = [word for word in kind.split("_") if word]
    if words[:1] == ["agent"]:
        words = words[1:]
    return "Agent" + "".join(word.capitalize() for word in words)


def alert_labels(page: Page) -> dict[str, str]:
    """What makes two alerts one: few values each; ids ride in annotations."""
    labels = {
        "alertname": alert_name(page.kind),
        "agent": page.agent,
        "kind": page.kind,
        "severity": page.severity,
        "source": OURS,
        "team": "agents",
    }
    return labels if page.entity is None else labels | {"entity": page.entity}


def alertmanager(pages: Iterable[Page], now_ns: int) -> list[dict[str, Any]]:
    """The alerts that say which findings are open, to be sent again well before `endsAt`.

    Findings with equal labels are one alert: it fires while any of them is open, and its
    annotations are those of the newest.
    """
    grouped: dict[tuple[str, ...], list[Page]] = {}
    for page in pages:
        grouped.setdefault(tuple(alert_labels(page).values()), []).append(page)
    return [alert(group, now_ns) for group in grouped.values()]


def alert(group: list[Page], now_ns: int) -> dict[str, Any]:
    """One alert for pages with equal labels."""
    fires = [page for page in group if page.closed_at_ns is None]
    page = max(fires or group, key=lambda p: (p.began_at_ns, p.finding_id))
    began = min(p.began_at_ns for p in fires or group)
    closed = max((p.closed_at_ns for p in group if p.closed_at_ns is not None), default=now_ns)
    lasts_s = ALERT_LASTS_S if fires else ALERT_LINGERS_S
    ends = max(now_ns if fires else min(closed, now_ns), began) + int(lasts_s * NS)
    annotations = {
        "summary": page.title,
        "description": page.text,
        "run": page.run_id,
        "trace": page.trace_id,
        "finding": page.finding_id,
        "findings": str(len(fires or group)),
    }
    if page.probability is not None:
        annotations["probability"] = percent(page.probability)
    found: dict[str, Any] = {
        "labels": alert_labels(page),
        "annotations": {key: value for key, value in annotations.items() if value},
        "startsAt": instant(began),
        "endsAt": instant(ends),
    }
    if page.link:
        found["generatorURL"] = page.link
        served, _, _ = page.link.partition("/runs/")
        found["annotations"]["runbook_url"] = f"{served}/runbooks/{alert_name(page.kind)}"
    return found
