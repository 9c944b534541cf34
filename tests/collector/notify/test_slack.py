"""What Slack is sent, against the limits that it documents."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from aftershock.model import Claim
from aftershock_collector.config.on_call import NamedReceiver, OnCall
from aftershock_collector.notify import slack
from aftershock_collector.notify.http_post import Permanent, Retryable
from aftershock_collector.notify.page import PageLink
from aftershock_collector.store.interface import State
from tests.collector.notify.pages import STATES, huge_page, impact_page, one, send
from tests.support import incident
from tests.support.desk import page_of
from tests.support.receiver import Answer, Receiver


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

    assert bold == ["Still happening: ", "Closed: "]
    assert [b["text"]["text"] for b in message["blocks"][2]["elements"]] == ["Incident"]


def test_slack_loses_no_link_of_a_page() -> None:
    labels = [f"link {number}" for number in range(9)]
    links = tuple(PageLink(label, f"http://x/{label[-1]}") for label in labels)
    message = slack.message_of(replace(impact_page(), links=links), State.OPENED)
    (rich,) = message["blocks"][1]["elements"]
    buttons = [button["text"]["text"] for button in message["blocks"][2]["elements"]]
    beside = [element["text"] for element in rich["elements"] if element["type"] == "link"]

    assert [*buttons, *beside] == labels
    assert len(buttons) == 5


def test_a_header_that_is_cut_ends_between_words_and_says_so() -> None:
    page = replace(impact_page(), title="word " * 29 + "end")
    header = slack.message_of(page, State.ACKNOWLEDGED)["blocks"][0]["text"]["text"]

    assert header.startswith("Acknowledged: word")
    assert header.endswith(" word…")
    assert len(header) <= 150


@pytest.mark.parametrize("state", STATES)
def test_slack_blocks_are_within_the_documented_limits(state: State) -> None:
    message = slack.message_of(huge_page(), state)
    header, body, *rest = message["blocks"]
    (rich,) = body["elements"]

    assert len(message["blocks"]) <= 50
    assert len(header["text"]["text"]) <= 150
    texts = [element["text"] for element in rich["elements"] if element["type"] == "text"]
    assert 0 < sum(map(len, texts)) <= 3_100
    assert all(element["text"] for element in rich["elements"])
    for block in rest:
        for element in block["elements"]:
            if element["type"] == "button":
                assert len(element["text"]["text"]) <= 75
                assert len(element["url"]) <= 3_000
    assert len(json.dumps(message)) <= 40_000


def test_a_slack_bot_posts_once_and_edits_its_message(receiver: Receiver) -> None:
    receiver.answers.extend(
        Answer(content=json.dumps({"ok": True, "channel": "C1", "ts": "1.2"}).encode())
        for _ in range(2)
    )
    settings = {"token": "xoxb", "channel": "#on-call", "url": receiver.url}
    bot = one(OnCall(receivers=(NamedReceiver("bot", "slack", settings),)))
    receipt = send(bot, impact_page())
    send(bot, impact_page(), State.UPDATED, receipt=receipt)
    posted, edited = receiver.requests

    assert (posted.path, edited.path) == ("/chat.postMessage", "/chat.update")
    assert posted.headers["Authorization"] == "Bearer xoxb"
    assert (edited.json["channel"], edited.json["ts"]) == ("C1", "1.2")


@pytest.mark.parametrize(
    ("answer", "error"), [("ratelimited", Retryable), ("channel_not_found", Permanent)]
)
def test_a_slack_bot_reads_the_error_in_a_successful_answer(
    receiver: Receiver, answer: str, error: type[Exception]
) -> None:
    receiver.answers.append(Answer(content=json.dumps({"ok": False, "error": answer}).encode()))
    bot = slack.by_bot("bot", "xoxb", "#on-call", receiver.url)

    with pytest.raises(error, match=answer):
        send(bot, impact_page())
