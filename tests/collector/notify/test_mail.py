"""What a mail server is sent: the mails of an incident are one thread."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from aftershock_collector.config.on_call import OnCall
from aftershock_collector.notify.http_post import Permanent, Retryable
from aftershock_collector.store.interface import State
from tests.collector.notify.pages import huge_page, impact_page, mail, one, send
from tests.support.mail_server import MailServer


def test_the_mails_of_an_incident_are_one_thread(mail_server: MailServer) -> None:
    service = one(OnCall(mail=mail(mail_server.port)))
    send(service, impact_page())
    send(service, impact_page(), State.CLOSED)
    first, second = (message_from_bytes(m, policy=policy.default) for m in mail_server.messages)

    assert (
        str(first["Subject"])
        .strip()
        .startswith("[#1] sre-bot's scale_deployment probably degraded")
    )
    assert str(second["Subject"]).strip().startswith("Closed: [#1] ")
    assert second["In-Reply-To"] == first["Message-ID"]
    assert "What broke: service/checkout" in first.get_content()  # pyright: ignore[reportAttributeAccessIssue]
    assert first["Importance"] == "high"


def test_a_mail_of_a_hostile_page_has_short_lines_and_one_subject(mail_server: MailServer) -> None:
    send(one(OnCall(mail=mail(mail_server.port))), huge_page())
    (content,) = mail_server.messages

    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert content.count(b"Subject:") == 1


def test_a_mail_server_that_is_away_is_tried_again_and_a_refusal_is_final() -> None:
    gone = one(OnCall(mail=mail(1)))
    with pytest.raises(Retryable):
        send(gone, impact_page())

    for refusal, error in (("550 no such user", Permanent),):
        server = MailServer(refusal)
        with pytest.raises(error):
            send(one(OnCall(mail=mail(server.port))), impact_page())
        server.close()
