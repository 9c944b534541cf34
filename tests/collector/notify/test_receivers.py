"""Which receivers a configuration makes, and that each accepts every state of a page."""

from __future__ import annotations

import pytest

from aftershock_collector.config.on_call import Mail, NamedReceiver, OnCall
from aftershock_collector.notify.receivers import paging, receivers_of, unpaged
from aftershock_collector.notify.summary_page import summary
from tests.collector.notify.pages import NOW, STATES, huge_page, impact_page, mail, send
from tests.support import incident
from tests.support.desk import page_of
from tests.support.mail_server import MailServer
from tests.support.receiver import Receiver


def test_every_configured_service_is_a_receiver_with_its_own_name() -> None:
    on_call = OnCall(
        webhook_url="http://a",
        slack_url="http://b",
        pagerduty_routing_key="k",
        alertmanager_url="http://c",
        opsgenie_api_key="k",
        teams_url="http://d",
        mail=Mail("localhost", "a@b.c", ("d@e.f",)),
        otlp_url="http://f",
        grafana_url="http://g",
        receivers=(NamedReceiver("payments", "slack", {"url": "http://h"}),),
    )
    names = [receiver.name for receiver in receivers_of(on_call)]

    assert sorted(names) == sorted(
        ["webhook", "slack", "payments", "pagerduty", "alertmanager", "opsgenie", "teams",
         "email", "otlp", "grafana"]
    )  # fmt: skip
    assert set(names) - set(paging(on_call)) == {"otlp", "grafana"}


def test_without_a_receiver_it_is_written_that_no_one_is_paged() -> None:
    assert "no one is paged" in (unpaged(OnCall(otlp_url="http://x")) or "")
    assert unpaged(OnCall(webhook_url="http://x")) is None


def test_a_summary_lists_the_worst_first() -> None:
    pages = [page_of(incident.loop()), impact_page()]
    page = summary(pages, NOW)

    assert page.title.startswith("2 more incidents in one minute: sre-bot's scale_deployment")
    assert page.severity == "critical"
    assert page.link == "http://collector:4318/incidents"


@pytest.mark.slow
def test_every_service_accepts_every_state_of_a_page(
    receiver: Receiver, mail_server: MailServer
) -> None:
    receiver.answers.clear()
    on_call = OnCall(
        webhook_url=receiver.url,
        slack_url=receiver.url,
        pagerduty_routing_key="k",
        pagerduty_url=receiver.url,
        alertmanager_url=receiver.url,
        opsgenie_api_key="k",
        opsgenie_url=receiver.url,
        teams_url=receiver.url,
        mail=mail(mail_server.port),
    )
    for service in receivers_of(on_call):
        for state in STATES:
            send(service, huge_page(), state)

    replaced = 3  # an update replaces the message, description and priority of an Opsgenie alert
    assert len(receiver.requests) == 6 * len(STATES) + replaced
    assert len(mail_server.messages) == len(STATES)
