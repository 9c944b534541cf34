"""Tests of what a person on call reads, and of what each receiver is sent."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as texts

from aftershock.model import Claim, Level
from aftershock_collector.notify import page, payloads
from aftershock_collector.notify.page import State, compose
from tests.support import incident

LINK = "http://127.0.0.1:4318/runs/9f3c2a7e"


def impact_page(state: State = State.OPENED) -> page.Page:
    related = [claim.finding for claim in incident.claims()]
    return compose(
        incident.blamed(),
        state,
        related=related,
        service="sre-bot-app",
        process="pid/web-1/4711",
        link=LINK,
    )


def test_an_impact_page_tells_the_whole_story_in_the_order_that_on_call_needs() -> None:
    assert (
        impact_page().text
        == """\
What the agent did: sre-bot called scale_deployment on service/checkout at 2026-01-15 12:03:44 UTC
What it did not know:
  - db/orders connections were at 94 % of their limit for 2 minutes
  - sre-bot called scale_deployment without ever having read maintenance_window of prod
What broke: service/checkout latency_p99 left its usual range: 0.21 s before, 1.9 s now, \
8.8 s after the call
How sure: sre-bot's scale_deployment 91 % · no agent action 6 % · docs-bot's restart_service 3 %
  How unusual: very unlikely by chance, compared with 312 earlier windows
What would make it surer: only 6 minutes of history
How to stop it: kill 4711 on host web-1 (agent sre-bot, service sre-bot-app)
  run 9f3c2a7e51b84d06a1c0e2f4b6d8a9c3 · trace 9f3c2a7e51b84d06a1c0e2f4b6d8a9c3
Was it the agent? aftershock feedback 9f3c2a7e51b84d06a1c0e2f4b6d8a9c3/agent_impact/service/checkout \
agent|infrastructure|coincidence --by YOU --because WHY
Timeline: aftershock timeline 9f3c2a7e51b84d06a1c0e2f4b6d8a9c3
  http://127.0.0.1:4318/runs/9f3c2a7e"""
    )


def test_a_pod_is_stopped_by_kubectl_and_a_hostile_name_stays_one_argument() -> None:
    def stop(process: str | None) -> str:
        lines = compose(incident.blamed(), State.OPENED, process=process).lines
        return next(line for line in lines if line.startswith("How to stop it"))

    assert "kubectl -n shop delete pod bot-7f" in stop("pod/shop/bot-7f")
    assert "delete pod 'bot; rm -rf x'" in stop("pod/shop/bot; rm -rf x")
    assert "end the process that it runs in" in stop("pid/web-1/1; rm")
    assert "end the process that it runs in" in stop(None)


def test_the_title_carries_the_probability_and_the_word_that_fits_it() -> None:
    titles = [
        compose(incident.blamed(p, label), State.OPENED).title
        for p, label in ((0.91, "probable"), (0.6, "suspected"), (0.3, "possible"))
    ]

    assert titles == [
        "sre-bot's scale_deployment probably degraded service/checkout (91 %).",
        "sre-bot's scale_deployment may have degraded service/checkout (60 %).",
        "sre-bot's scale_deployment possibly degraded service/checkout (30 %).",
    ]


def test_the_rival_no_agent_action_is_named_even_where_nobody_listed_it() -> None:
    alone = replace(incident.impact(), alternatives=())
    claim = Claim(replace(incident.blamed().finding, impact=alone), incident.at(64))

    assert "no agent action 9 %" in compose(claim, State.OPENED).text


def test_a_loop_is_said_to_be_seen_and_not_inferred() -> None:
    text = compose(incident.loop(), State.OPENED).text

    assert "How sure: seen, not inferred; the evidence is 7 steps" in text
    assert "What broke: nothing has been linked to this run so far" in text


def test_a_closed_page_says_why_and_no_longer_how_to_stop_it() -> None:
    text = compose(incident.closed(incident.blamed()), State.CLOSED).text

    assert "Closed at 12:05:30 UTC: the degradation ended" in text
    assert "How to stop it" not in text


def test_a_page_never_grows_beyond_what_fits_on_a_phone() -> None:
    crowded = replace(
        incident.impact(),
        context_gap=tuple(f"gap {n}" for n in range(90)),
        missing=tuple(f"missing {n}" for n in range(90)),
    )
    claim = Claim(replace(incident.blamed().finding, impact=crowded), incident.at(64))
    lines = compose(claim, State.OPENED, service="x", link=LINK).lines

    assert len(lines) <= 25
    assert lines[-1:] == (f"  {LINK}",)
    assert "  - and 86 more" in lines


@given(texts.text(max_size=400), texts.text(max_size=400))
def test_hostile_names_stay_on_their_line(tool: str, agent: str) -> None:
    judged = replace(incident.impact(), tool=tool, agent=agent)
    finding = replace(incident.blamed().finding, impact=judged, agent=agent)
    found = compose(Claim(finding, incident.at(64)), State.OPENED)

    assert [line for line in found.lines if "\n" in line or "\r" in line or "\x1b" in line] == []
    assert max(len(line) for line in found.lines) <= 500
    assert len(found.title) <= 150
    assert page.from_json(json.loads(json.dumps(page.as_json(found)))) == found


def test_a_copied_command_runs_nothing_but_the_timeline() -> None:
    claim = Claim(replace(incident.loop().finding, run_id="x; rm -rf ~"), incident.at(64))

    assert "Timeline: aftershock timeline 'x; rm -rf ~'" in compose(claim, State.OPENED).lines


def test_only_alarms_page() -> None:
    warning = incident.blamed(0.6, "suspected", Level.WARN)

    assert page.pages_someone(incident.blamed())
    assert not page.pages_someone(warning)


def test_the_key_is_stable_over_the_life_of_a_finding_and_short_enough_for_pagerduty() -> None:
    long = Claim(replace(incident.loop().finding, subject="s" * 1_000), incident.at(1))
    keys = {impact_page(state).key for state in State}

    assert len(keys) == 1
    assert len(compose(long, State.OPENED).key) <= 255


def test_a_page_of_another_version_is_refused() -> None:
    body = page.as_json(impact_page()) | {"version": 99}

    with pytest.raises(ValueError, match="version 99"):
        page.from_json(body)


def test_slack_escapes_what_could_call_a_whole_channel() -> None:
    judged = replace(incident.impact(), tool="<!channel> & <http://evil|click>")
    claim = Claim(replace(incident.blamed().finding, impact=judged), incident.at(64))
    message = payloads.slack(compose(claim, State.OPENED, link=LINK))
    section = message["blocks"][1]["text"]["text"]

    assert "<" not in section
    assert "&lt;!channel&gt; &amp;" in section
    assert "<" not in message["text"]
    assert message["blocks"][2]["elements"][0]["url"] == LINK


def test_slack_blocks_respect_the_documented_limits() -> None:
    message = payloads.slack(replace(impact_page(), lines=("word: " + "x" * 900,) * 25))

    assert len(message["blocks"][0]["text"]["text"]) <= 150
    assert len(message["blocks"][1]["text"]["text"]) <= 3_000


def test_pagerduty_triggers_updates_and_resolves_under_one_key() -> None:
    states = (State.OPENED, State.UPDATED, State.ACKNOWLEDGED, State.CLOSED)
    events = [payloads.pagerduty(impact_page(state), "R0") for state in states]

    assert [e["event_action"] for e in events] == ["trigger", "trigger", "acknowledge", "resolve"]
    assert len({event["dedup_key"] for event in events}) == 1
    assert events[0]["payload"]["severity"] == "critical"
    assert events[0]["payload"]["source"] == "sre-bot-app"
    assert events[0]["payload"]["timestamp"] == "2026-01-15T12:03:44.200Z"
    assert "payload" not in events[3]


def test_alert_names_are_the_rules_names() -> None:
    kinds = ("repeated_action", "agent_impact", "missing_fact")

    assert [payloads.alert_name(kind) for kind in kinds] == [
        "AgentRepeatedAction",
        "AgentImpact",
        "AgentMissingFact",
    ]


def test_alertmanager_gets_few_labels_and_the_ids_as_annotations() -> None:
    (alert,) = payloads.alertmanager([impact_page()], incident.at(100))

    assert alert["labels"] == {
        "alertname": "AgentImpact",
        "agent": "sre-bot",
        "kind": "agent_impact",
        "severity": "critical",
        "source": "aftershock",
        "team": "agents",
        "entity": "service/checkout",
    }
    assert alert["annotations"]["run"] == incident.RUN
    assert alert["annotations"]["trace"] == incident.TRACE
    assert alert["startsAt"] == "2026-01-15T12:03:44.200Z"
    assert alert["endsAt"] == "2026-01-15T12:14:50.000Z"
    assert alert["generatorURL"] == LINK


def test_two_findings_with_equal_labels_are_one_alert_that_fires_while_either_is_open() -> None:
    other = Claim(replace(incident.blamed().finding, run_id="another"), incident.at(90))
    over = compose(incident.closed(incident.blamed()), State.CLOSED)
    open_page = compose(other, State.OPENED)
    (both,) = payloads.alertmanager([over, open_page], incident.at(150))
    (ended,) = payloads.alertmanager([over], incident.at(150))

    assert both["annotations"]["run"] == "another"
    assert both["endsAt"] == "2026-01-15T12:15:40.000Z"
    assert ended["endsAt"] == "2026-01-15T12:06:00.000Z"  # until the rules have ended too
