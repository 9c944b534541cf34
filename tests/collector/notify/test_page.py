"""What a person on call reads."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as texts

from aftershock.grade import Grade
from aftershock.model import Change, ChangeKind, Claim, Closing, Report
from aftershock_collector.config.on_call import OnCall
from aftershock_collector.impact.feedback import closing_words
from aftershock_collector.notify.notifications import Notifications, Notified, Settings
from aftershock_collector.notify.page import Page, parse
from aftershock_collector.notify.page_links import Links
from aftershock_collector.notify.page_text import stop_words, title_of
from aftershock_collector.notify.run_context import RunContext
from aftershock_collector.notify.signed_links import LinkSigner
from aftershock_collector.store.interface import State
from aftershock_collector.store.serialization import to_plain, to_text
from aftershock_collector.wording import INVISIBLE
from tests.support import incident
from tests.support.desk import CONTEXT, LINK, opened, page_of
from tests.support.incident import S


def section(page: Page, label: str) -> tuple[str, ...]:
    return next((one.lines for one in page.sections if one.label == label), ())


def blamed_with(**changes: object) -> Claim:
    claim = incident.blamed()
    impact = replace(incident.impact(), **changes)  # pyright: ignore[reportArgumentType]
    return replace(claim, finding=replace(claim.finding, impact=impact))


def test_a_page_answers_in_the_order_that_on_call_needs() -> None:
    page = page_of(incident.missing_fact(), incident.loop(), incident.blamed())

    assert [one.label for one in page.sections] == [
        "What the agent did",
        "What it did not know",
        "What broke",
        "How sure",
        "Still happening",
        "Also found",
        "Where",
        "How to stop it",
        "What to do",
    ]
    assert page.title == "sre-bot's scale_deployment probably degraded service/checkout (91 %)."
    assert page.severity == "critical"
    assert page.kinds == ("agent_impact", "missing_fact", "repeated_action")
    assert section(page, "How sure")[0].startswith("Probable (91 %); otherwise no agent action")
    assert section(page, "Also found") == (incident.loop().finding.summary,)
    assert section(page, "Where")[0] == ("agent sre-bot · service sre-bot-app · environment prod")
    assert "aftershock ack 1 --by YOU" in section(page, "What to do")


def test_a_page_that_is_certain_says_what_was_done_and_in_whose_run_a_sub_agent_did_it() -> None:
    change = Change(
        "log/x", ChangeKind.WARNING, "db/orders", "DELETE customers", incident.at(43), None,
        detail="deleted 458 rows",
    )  # fmt: skip
    claim = blamed_with(
        label=Grade.CERTAIN, change=change, entity="db/orders", agent="sre-bot/a1", tool="Bash"
    )
    claim = replace(claim, finding=replace(claim.finding, agent="sre-bot/a1"))
    page = page_of(claim, context=replace(CONTEXT, agent="sre-bot"))

    assert page.title == (
        "sre-bot/a1's Bash degraded db/orders (certain): DELETE customers deleted 458 rows."
    )
    assert section(page, "Where")[0].startswith("agent sre-bot/a1 · in a run of sre-bot · ")


def test_a_page_names_the_goal_the_arguments_the_team_and_the_undo_where_they_are_known() -> None:
    context = replace(
        CONTEXT,
        goal="bring p95 under 300 ms",
        team="payments",
        cluster="eu-1",
        call="scale_deployment(replicas=12)",
        undo="kubectl rollout undo deployment/checkout",
    )
    page = page_of(incident.blamed(), context=context)

    assert "called scale_deployment(replicas=12) on service/checkout" in page.body[0]
    assert section(page, "Its goal") == ("bring p95 under 300 ms",)
    assert section(page, "How to undo it") == ("kubectl rollout undo deployment/checkout",)
    assert "team payments" in page.text
    assert "cluster eu-1" in page.text
    assert page.team == "payments"


def test_a_page_says_whether_it_still_goes_on() -> None:
    ongoing = page_of(incident.blamed())
    recovered = page_of(blamed_with(recovered_at_ns=incident.at(120)))

    assert section(ongoing, "Still happening") == ("yes, as measured at 12:05:37 UTC",)
    assert section(recovered, "Still happening") == ("no: it recovered at 12:05:10 UTC",)


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.97, "Probable (97 %)"), (0.6, "Suspected (60 %)"), (0.3, "Possible (30 %)")],
)
def test_certainty_is_a_word_before_it_is_a_number(probability: float, words: str) -> None:
    page = page_of(blamed_with(probability=probability))

    assert section(page, "How sure")[0].startswith(words)


def test_no_agent_action_is_named_even_where_it_was_not_listed() -> None:
    page = page_of(blamed_with(alternatives=()))

    assert "no agent action 9 %" in page.text


def test_findings_that_say_the_same_are_one_line_with_their_number() -> None:
    loop = incident.loop()
    same = [replace(loop, finding=replace(loop.finding, subject=f"s{n}")) for n in range(3)]

    assert section(page_of(incident.blamed(), *same), "Also found") == (
        f"{loop.finding.summary} (3 times)",
    )


def test_a_loop_is_seen_and_not_inferred() -> None:
    page = page_of(incident.loop())

    assert "How sure: seen, not inferred; the evidence is 7 steps" in page.text
    assert "What broke: no degradation has been linked to this run so far" in page.text
    assert page.severity == "error"


def test_a_page_does_not_repeat_its_title_where_it_says_what_the_agent_did() -> None:
    began_ns = incident.loop().finding.began_at_ns
    page = page_of(
        incident.loop(), context=replace(CONTEXT, call="delete_pod(pod=a)", acted_at_ns=began_ns)
    )
    long = replace(incident.loop().finding, summary="word " * 50)

    assert page.title not in page.text
    assert section(page, "What the agent did")[0] == (
        "called delete_pod(pod=a) at 2026-01-15 12:03:56 UTC"
    )
    assert (
        section(page_of(replace(incident.loop(), finding=long)), "What the agent did")[0]
        == ("word " * 50).rstrip()
    )


def test_a_page_about_several_calls_says_when_the_first_and_the_last_was_made() -> None:
    last_ns = incident.loop().finding.began_at_ns + 90 * S
    page = page_of(incident.loop(), context=replace(CONTEXT, call="get_logs", acted_at_ns=last_ns))

    assert section(page, "What the agent did")[0] == (
        "called get_logs, first at 2026-01-15 12:03:56 UTC, last at 12:05:26 UTC"
    )


def test_a_page_about_a_run_that_is_over_offers_no_command_that_could_hit_another_process() -> None:
    page = page_of(incident.loop(), context=replace(CONTEXT, ended_at_ns=incident.at(60)))

    assert section(page, "How to stop it") == ("there is nothing to stop: the run is over",)
    assert "4711" not in page.text


def test_a_page_about_an_action_says_whether_the_run_goes_on() -> None:
    going_on = page_of(incident.missing_fact(), context=replace(CONTEXT, last_ns=incident.at(60)))
    over = page_of(incident.missing_fact(), context=replace(CONTEXT, ended_at_ns=incident.at(60)))

    assert section(going_on, "Still happening") == (
        "the run is not over; its last sign of life is of 12:04:10 UTC",
    )
    assert section(over, "Still happening") == ("the run ended at 12:04:10 UTC",)


def test_an_agent_that_obeys_orders_is_stopped_by_one_wherever_it_runs() -> None:
    page = page_of(incident.missing_fact(), context=replace(CONTEXT, is_gated=True))

    assert section(page, "How to stop it") == (
        f"aftershock stop {incident.RUN} --because WHY",
        "if it does not obey: kill 4711 on host web-1",
    )


def test_a_run_whose_id_is_its_trace_is_named_once() -> None:
    page = page_of(incident.blamed())

    assert page.text.count(incident.RUN) == 1 + page.text.count(f"timeline {incident.RUN}")
    assert f"run and trace {incident.RUN}" in section(page, "Where")


def test_a_loop_that_ended_is_over_and_a_claim_that_fell_is_contradicted() -> None:
    loop = incident.closed(incident.loop(), 140)
    blamed = incident.closed(incident.blamed(), 140)

    assert closing_words(replace(loop, closing=Closing.CONTRADICTED)) == "it is over"
    assert closing_words(replace(blamed, closing=Closing.CONTRADICTED)) == (
        "newer evidence contradicts it"
    )


def test_only_a_degradation_asks_whether_it_was_the_agent_and_only_what_is_open_is_acknowledged(
    tmp_path: Path,
) -> None:
    links = Links(LINK, signer=LinkSigner.of(tmp_path))
    found = Notifications(Settings(OnCall(webhook_url="http://nowhere"), links))

    def labels(notified: Notified) -> list[str]:
        return [link.label for link in parse(notified.deliveries[-1].body).links]

    loop = labels(found.notify(opened(incident.loop())))
    over = labels(
        found.notify(Report(incident.at(140), closed=(incident.closed(incident.loop()),)))
    )
    blamed = labels(found.notify(opened(incident.blamed())))

    assert loop == ["Incident", "Acknowledge", "Runbook", "Timeline", "Mute"]
    assert over == ["Incident", "Runbook", "Timeline", "Mute"]
    assert blamed == [
        "Incident", "Acknowledge", "Runbook", "Timeline", "Was it the agent?", "Mute",
    ]  # fmt: skip


def test_a_closed_page_says_why_and_no_longer_how_to_stop_it() -> None:
    page = page_of(incident.blamed(), state=State.CLOSED)

    assert page.state is State.CLOSED
    assert section(page, "Closed")[0].startswith("at 12:05:30 UTC: ")
    assert section(page, "How to stop it") == ()
    assert page.closed_at == "2026-01-15T12:05:30.000Z"


def test_a_command_to_stop_names_one_process_and_who_claimed_it() -> None:
    def stop(process: str | None, **more: object) -> str:
        return stop_words(RunContext(process=process, **more))  # pyright: ignore[reportArgumentType]

    assert stop("pid/web-1/4711") == "kill 4711 on host web-1"
    assert stop("pid/web-1/4711", peer="10.0.0.7") == (
        "kill 4711 on host web-1 (as its telemetry says, sent from 10.0.0.7)"
    )
    assert stop("container/web-1/4f2a") == "docker stop 4f2a on host web-1"
    assert stop("pod/shop/bot-7f") == "kubectl -n shop delete pod bot-7f"
    assert stop("pod/shop/bot; rm -rf x") == "kubectl -n shop delete pod 'bot; rm -rf x'"
    assert stop("pid/web-1; rm -rf x/7") == "kill 7 on host 'web-1; rm -rf x'"
    assert stop("pid/web-1/1; rm") == "end the process that it runs in"
    assert stop(None) == "end the process that it runs in"


def test_a_run_with_steps_of_several_processes_gets_no_command() -> None:
    words = stop_words(RunContext(process="pid/web-1/4711", is_mixed=True))

    assert "4711" not in words
    assert "several processes" in words


def test_a_page_stays_short_whatever_it_is_made_of() -> None:
    crowded = blamed_with(
        context_gap=tuple(f"gap {n}" for n in range(90)),
        missing=tuple(f"missing {n}" for n in range(90)),
    )
    others = [
        replace(incident.loop(), finding=replace(incident.loop().finding, subject=f"s{n}"))
        for n in range(90)
    ]
    page = page_of(crowded, *others)

    assert len(page.body) <= 35
    assert "and 86 more" in section(page, "What it did not know")


@settings(max_examples=40, deadline=None)
@given(texts.text(max_size=400), texts.text(max_size=400), texts.text(max_size=200))
def test_hostile_names_stay_on_their_line(tool: str, agent: str, service: str) -> None:
    claim = blamed_with(tool=tool, agent=agent, entity=service)
    claim = replace(claim, finding=replace(claim.finding, agent=agent, summary=tool))
    context = RunContext(service=service, process=f"pod/{service}/{tool}", goal=tool)
    page = page_of(claim, context=context)
    plain = to_plain(page)

    assert _texts_with_control_characters(plain) == []
    assert len(page.title) <= 150
    assert parse(to_text(page)) == page


def _texts_with_control_characters(value: Any) -> list[str]:
    """P23: no field of a page may drive a terminal that prints it; ids are escaped by JSON."""
    if isinstance(value, str):
        return [value] if any(unicodedata.category(c) in INVISIBLE for c in value) else []
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [found for item in items for found in _texts_with_control_characters(item)]
    if isinstance(value, dict):
        items = list(cast("dict[str, Any]", value).values())
        return [found for item in items for found in _texts_with_control_characters(item)]
    return []


def test_a_copied_command_runs_nothing_but_the_timeline() -> None:
    claim = Claim(replace(incident.loop().finding, run_id="x; rm -rf ~"), incident.at(64))

    assert "aftershock timeline 'x; rm -rf ~'" in page_of(claim).text


def test_the_key_is_the_same_over_the_life_of_an_incident_and_short_enough_for_pagerduty() -> None:
    long = Claim(replace(incident.loop().finding, subject="s" * 1_000), incident.at(1))

    assert page_of(incident.loop()).key == page_of(incident.loop(), state=State.CLOSED).key
    assert len(page_of(long).key) <= 255


def test_a_page_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 99"):
        parse(to_text(replace(page_of(incident.loop()), version=99)))


def test_a_page_leads_to_its_incident_timeline_and_runbook() -> None:
    page = page_of(incident.blamed())

    assert page.link == "http://collector:4318/incidents/1"
    assert page.url_of("Timeline") == f"http://collector:4318/runs/{incident.RUN}"
    assert page.url_of("Runbook") == "http://collector:4318/runbooks/AgentImpact"


def test_a_title_names_the_agent() -> None:
    finding = replace(incident.loop().finding, summary="It repeats itself.")

    assert title_of(finding) == "sre-bot: It repeats itself."
