"""What each service is sent, against the limits that it documents, over real sockets."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy

import httpx
import pytest

from aftershock.model import Claim
from aftershock_collector.config.on_call import Mail, NamedReceiver, OnCall
from aftershock_collector.notify import alertmanager, opsgenie, pagerduty, slack, teams
from aftershock_collector.notify.alert_names import alert_name
from aftershock_collector.notify.http_post import Permanent, Retryable
from aftershock_collector.notify.page import Page, PageLink, Section
from aftershock_collector.notify.receiver import Message, Receiver
from aftershock_collector.notify.receivers import paging, receivers_of, unpaged
from aftershock_collector.notify.summary_page import summary
from aftershock_collector.store.interface import State
from aftershock_collector.store.serialization import to_text
from tests.support import incident
from tests.support.desk import page_of
from tests.support.receiver import Answer
from tests.support.receiver import Receiver as Sink

CLIENT = httpx.Client(timeout=2)
NOW = incident.at(64)
STATES = (State.OPENED, State.UPDATED, State.ACKNOWLEDGED, State.CLOSED)


def impact_page() -> Page:
    return page_of(incident.missing_fact(), incident.blamed())


def huge_page() -> Page:
    """Longer than any service allows, with every character that one treats specially."""
    text = '<!channel> *bold* _under_ `code` & <http://evil|click> "quoted" ü ' * 40
    return replace(
        impact_page(),
        title=text,
        sections=tuple(Section(f"label {n}", (text,) * 25) for n in range(20)),
        body=(text,) * 300,
        agent=text,
        service=text,
        entity=text,
        kinds=(text,) * 40,
        entities=(text,) * 40,
        links=tuple(PageLink(text, f"http://x/{text}") for _ in range(40)),
    )


def one(on_call: OnCall) -> Receiver:
    (found,) = receivers_of(on_call)
    return found


def send(receiver: Receiver, page: Page, state: State = State.OPENED, **more: object) -> str | None:
    message = Message(state, to_text(replace(page, state=state)), NOW, **more)  # pyright: ignore[reportArgumentType]
    return receiver.send(CLIENT, message)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as found:
        yield found


# --- Which -------------------------------------------------------------------------------------


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


# --- Webhook -----------------------------------------------------------------------------------


def test_a_webhook_gets_the_page_as_versioned_json(sink: Sink) -> None:
    page = impact_page()
    send(one(OnCall(webhook_url=sink.url + "/page")), page)
    (request,) = sink.requests

    assert request.path == "/page"
    assert request.headers["Content-Type"] == "application/json"
    assert request.json["version"] == 2
    assert request.json["incident"] == 1
    assert request.json["title"] == page.title
    assert "Aftershock-Signature" not in request.headers


def test_a_webhook_with_a_secret_is_signed_over_its_time_and_body(sink: Sink) -> None:
    send(one(OnCall(webhook_url=sink.url, webhook_secret="hush")), impact_page())
    (request,) = sink.requests
    timestamp = request.headers["Aftershock-Timestamp"]
    signed = timestamp.encode() + b"." + request.content
    digest = hmac.new(b"hush", signed, hashlib.sha256).hexdigest()

    assert request.headers["Aftershock-Signature"] == f"sha256={digest}"
    assert int(timestamp) == NOW // 10**9


# --- Slack -------------------------------------------------------------------------------------


def test_slack_shows_labels_in_bold_and_everything_else_without_markup() -> None:
    tool = "<!channel> & *x* <http://evil|click>"
    blamed = incident.blamed()
    judged = replace(incident.impact(), tool=tool)
    claim = Claim(replace(blamed.finding, impact=judged), incident.at(64))
    message = slack.message_of(page_of(claim), State.OPENED)
    (rich,) = message["blocks"][1]["elements"]

    assert rich["elements"][0] == {
        "type": "text", "text": "What the agent did: ", "style": {"bold": True},
    }  # fmt: skip
    assert {element["type"] for element in rich["elements"]} == {"text"}
    assert tool in rich["elements"][1]["text"]
    assert "<" not in message["text"]


def test_slack_cuts_no_label_at_the_colon_of_a_time() -> None:
    message = slack.message_of(page_of(incident.blamed(), state=State.CLOSED), State.CLOSED)
    (rich,) = message["blocks"][1]["elements"]
    bold = [e["text"] for e in rich["elements"] if e.get("style")]

    assert bold == ["What to do: ", "Closed: "]


@pytest.mark.parametrize("state", STATES)
def test_slack_blocks_are_within_the_documented_limits(state: State) -> None:
    message = slack.message_of(huge_page(), state)
    header, body, *rest = message["blocks"]
    (rich,) = body["elements"]

    assert len(message["blocks"]) <= 50
    assert len(header["text"]["text"]) <= 150
    assert 0 < sum(len(element["text"]) for element in rich["elements"]) <= 3_000
    assert all(element["text"] for element in rich["elements"])
    for block in rest:
        for element in block["elements"]:
            if element["type"] == "button":
                assert len(element["text"]["text"]) <= 75
                assert len(element["url"]) <= 3_000
    assert len(json.dumps(message)) <= 40_000


def test_a_slack_bot_posts_once_and_edits_its_message(sink: Sink) -> None:
    sink.answers.extend(
        Answer(content=json.dumps({"ok": True, "channel": "C1", "ts": "1.2"}).encode())
        for _ in range(2)
    )
    settings = {"token": "xoxb", "channel": "#on-call", "url": sink.url}
    bot = one(OnCall(receivers=(NamedReceiver("bot", "slack", settings),)))
    receipt = send(bot, impact_page())
    send(bot, impact_page(), State.UPDATED, receipt=receipt)
    posted, edited = sink.requests

    assert (posted.path, edited.path) == ("/chat.postMessage", "/chat.update")
    assert posted.headers["Authorization"] == "Bearer xoxb"
    assert (edited.json["channel"], edited.json["ts"]) == ("C1", "1.2")


@pytest.mark.parametrize(
    ("answer", "error"), [("ratelimited", Retryable), ("channel_not_found", Permanent)]
)
def test_a_slack_bot_reads_the_error_in_a_successful_answer(
    sink: Sink, answer: str, error: type[Exception]
) -> None:
    sink.answers.append(Answer(content=json.dumps({"ok": False, "error": answer}).encode()))
    bot = slack.by_bot("bot", "xoxb", "#on-call", sink.url)

    with pytest.raises(error, match=answer):
        send(bot, impact_page())


# --- PagerDuty, Opsgenie, Teams -----------------------------------------------------------------


def test_pagerduty_triggers_acknowledges_and_resolves_under_one_key() -> None:
    events = [pagerduty.event(impact_page(), state, "R0") for state in STATES]

    assert [e["event_action"] for e in events] == ["trigger", "trigger", "acknowledge", "resolve"]
    assert len({event["dedup_key"] for event in events}) == 1
    assert events[0]["payload"]["severity"] == "critical"
    assert events[0]["payload"]["source"] == "sre-bot-app"
    assert events[0]["payload"]["timestamp"] == "2026-01-15T12:03:41.000Z"
    assert "payload" not in events[3]


def test_pagerduty_events_are_within_the_documented_limits() -> None:
    event = pagerduty.event(huge_page(), State.OPENED, "R0")

    assert len(event["payload"]["summary"]) <= 1_024
    assert len(event["dedup_key"]) <= 255
    assert event["payload"]["severity"] in {"critical", "error", "warning", "info"}
    assert len(json.dumps(event).encode()) <= 512_000


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


def test_opsgenie_is_told_by_alias_and_forgives_an_alert_that_is_gone(sink: Sink) -> None:
    sink.answers.extend([Answer(), Answer(), Answer(), Answer(404)])
    receiver = one(OnCall(opsgenie_api_key="key", opsgenie_url=sink.url))
    for state in STATES:
        send(receiver, impact_page(), state)
    key = impact_page().key

    assert [request.path.partition("?")[0] for request in sink.requests] == [
        "/v2/alerts",
        f"/v2/alerts/{key}/notes",
        f"/v2/alerts/{key}/acknowledge",
        f"/v2/alerts/{key}/close",
    ]
    assert {r.headers["Authorization"] for r in sink.requests} == {"GenieKey key"}


@pytest.mark.parametrize("state", STATES)
def test_a_teams_card_is_within_the_documented_limits_and_has_no_markdown(state: State) -> None:
    card = teams.card(huge_page(), state)
    content = card["attachments"][0]["content"]

    assert len(json.dumps(card).encode()) <= 28_000
    assert len(content["actions"]) <= 6
    assert {item["type"] for item in content["body"]} <= {"Container", "RichTextBlock"}


def test_a_teams_card_keeps_every_section_of_an_ordinary_page() -> None:
    page = impact_page()
    content = json.dumps(teams.card(page, State.OPENED), ensure_ascii=False)

    assert all(section.label in content for section in page.sections)


# --- E-mail ------------------------------------------------------------------------------------


class MailServer:
    """SMTP on loopback: keeps the messages, refuses with `refusal` where one is given."""

    def __init__(self, refusal: str | None = None) -> None:
        self.messages: list[bytes] = []
        self.refusal = refusal
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as lines:
                self._talk(lines)

    def _talk(self, lines: object) -> None:
        stream: socket.SocketIO = lines  # pyright: ignore[reportAssignmentType]

        def answer(text: str) -> None:
            stream.write(f"{text}\r\n".encode())
            stream.flush()

        answer("220 here")
        while line := stream.readline():
            word = line[:4].upper()
            if word == b"DATA":
                answer("354 go on")
                content = b""
                while not content.endswith(b"\r\n.\r\n"):
                    content += stream.readline()
                self.messages.append(content[:-5])
                answer("250 kept")
            elif word == b"QUIT":
                answer("221 bye")
                return
            elif word == b"RCPT" and self.refusal:
                answer(self.refusal)
            else:
                answer("250 ok")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


def mail(port: int) -> Mail:
    return Mail(
        "127.0.0.1", "Aftershock <a@example.org>", ("On Call <b@example.org>",), port, "none"
    )


def test_the_mails_of_an_incident_are_one_thread(mail_server: MailServer) -> None:
    receiver = one(OnCall(mail=mail(mail_server.port)))
    send(receiver, impact_page())
    send(receiver, impact_page(), State.CLOSED)
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


# --- Alertmanager ------------------------------------------------------------------------------


def test_alert_names_are_the_rules_names() -> None:
    kinds = ("repeated_action", "agent_impact", "missing_fact")

    assert [alert_name(kind) for kind in kinds] == [
        "AgentRepeatedAction",
        "AgentImpact",
        "AgentMissingFact",
    ]


def test_alertmanager_gets_an_alert_for_each_kind_with_the_incident_as_a_label() -> None:
    missing, impact = alertmanager.alerts(impact_page(), State.OPENED, incident.at(100))

    assert impact["labels"] == {
        "alertname": "AgentImpact",
        "agent": "sre-bot",
        "incident": "1",
        "kind": "agent_impact",
        "severity": "critical",
        "source": "aftershock",
        "team": "agents",
        "entity": "service/checkout",
    }
    assert missing["labels"]["alertname"] == "AgentMissingFact"
    assert impact["annotations"]["run"] == incident.RUN
    assert impact["annotations"]["runbook_url"].endswith("/runbooks/AgentImpact")
    assert impact["endsAt"] == "2026-01-15T12:14:50.000Z"
    assert impact["generatorURL"] == "http://collector:4318/incidents/1"


def test_a_closed_incident_ends_in_the_past() -> None:
    now_ns = incident.at(150)
    page = page_of(incident.missing_fact(), incident.blamed(), state=State.CLOSED)

    for alert in alertmanager.alerts(page, State.CLOSED, now_ns):
        assert alert["startsAt"] <= alert["endsAt"] < "2026-01-15T12:05:40.000Z"


def test_labels_are_bounded_and_the_same_however_the_incident_grows() -> None:
    small = alertmanager.alerts(page_of(incident.blamed()), State.OPENED, NOW)
    grown = alertmanager.alerts(impact_page(), State.UPDATED, NOW)

    assert small[0]["labels"] in [alert["labels"] for alert in grown]
    for alert in alertmanager.alerts(huge_page(), State.OPENED, NOW):
        assert max(map(len, alert["labels"].values())) <= 200


# --- Many --------------------------------------------------------------------------------------


def test_a_summary_lists_the_worst_first() -> None:
    pages = [page_of(incident.loop()), impact_page()]
    page = summary(pages, NOW)

    assert page.title.startswith("2 more incidents in one minute: sre-bot's scale_deployment")
    assert page.severity == "critical"
    assert page.link == "http://collector:4318/incidents"


def test_every_service_accepts_every_state_of_a_page(sink: Sink, mail_server: MailServer) -> None:
    sink.answers.clear()
    on_call = OnCall(
        webhook_url=sink.url,
        slack_url=sink.url,
        pagerduty_routing_key="k",
        pagerduty_url=sink.url,
        alertmanager_url=sink.url,
        opsgenie_api_key="k",
        opsgenie_url=sink.url,
        teams_url=sink.url,
        mail=mail(mail_server.port),
    )
    for receiver in receivers_of(on_call):
        for state in STATES:
            send(receiver, huge_page(), state)

    assert len(sink.requests) == 6 * len(STATES)
    assert len(mail_server.messages) == len(STATES)
