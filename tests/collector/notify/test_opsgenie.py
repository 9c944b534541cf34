"""What Opsgenie is sent, against the limits that it documents."""

from __future__ import annotations

from dataclasses import replace

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify import opsgenie
from aftershock_collector.notify.page import PageLink
from tests.collector.notify.pages import STATES, huge_page, impact_page, one, send
from tests.support.receiver import Answer, Receiver


def test_opsgenie_alerts_are_within_the_documented_limits() -> None:
    alert = opsgenie.alert(huge_page())

    assert len(alert["message"]) <= 130
    assert len(alert["alias"]) <= 512
    assert len(alert["description"]) <= 15_000
    assert len(alert["tags"]) <= 20
    assert max(len(tag) for tag in alert["tags"]) <= 50
    assert len(alert["entity"]) <= 512
    assert sum(len(k) + len(v) for k, v in alert["details"].items()) <= 8_000
    assert alert["priority"] == "P1"


def test_an_opsgenie_message_that_is_cut_is_whole_in_its_description_and_links_are_never_cut() -> (
    None
):
    links = tuple(PageLink(f"link {n}", f"http://x/{n}/" + "y" * 980) for n in range(20))
    page = replace(impact_page(), title="word " * 29 + "end", links=links)
    alert = opsgenie.alert(page)

    assert alert["message"].endswith(" word…")
    assert alert["description"].startswith(page.title + "\n")
    assert opsgenie.alert(impact_page())["description"] == impact_page().text
    assert {v for k, v in alert["details"].items() if k.startswith("link")} <= {
        link.url for link in links
    }
    assert sum(len(k) + len(v) for k, v in alert["details"].items()) <= 8_000


def test_opsgenie_is_told_by_alias_and_forgives_an_alert_that_is_gone(receiver: Receiver) -> None:
    receiver.answers.extend([Answer()] * 6 + [Answer(404)])
    service = one(OnCall(opsgenie_api_key="key", opsgenie_url=receiver.url))
    for state in STATES:
        send(service, impact_page(), state)
    key = impact_page().key

    assert [request.path.partition("?")[0] for request in receiver.requests] == [
        "/v2/alerts",
        f"/v2/alerts/{key}/message",
        f"/v2/alerts/{key}/description",
        f"/v2/alerts/{key}/priority",
        f"/v2/alerts/{key}/notes",
        f"/v2/alerts/{key}/acknowledge",
        f"/v2/alerts/{key}/close",
    ]
    assert [request.method for request in receiver.requests][:5] == [
        "POST", "PUT", "PUT", "PUT", "POST",
    ]  # fmt: skip
    assert {r.headers["Authorization"] for r in receiver.requests} == {"GenieKey key"}
