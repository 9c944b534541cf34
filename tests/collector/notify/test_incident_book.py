"""Which findings belong together, and how an incident goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aftershock.model import Change, ChangeKind, Claim, Closing, Finding, Level, Report
from aftershock_collector.notify.incident_book import IncidentBook, muted_by
from aftershock_collector.store.incidents import Mute, Response, ResponseAction, Severity
from aftershock_collector.store.interface import State
from tests.support import incident

S = incident.S
NOW = incident.at(64)
WEEK_S = 7 * 86_400.0


def opened(*claims: Claim, seconds: float = 64) -> Report:
    return Report(incident.at(seconds), opened=claims)


def of_run(claim: Claim, run: str, **more: object) -> Claim:
    finding = replace(claim.finding, run_id=run, trace_id=run)
    if finding.impact is not None:
        changed: Any = {"run_id": run, **more}
        finding = replace(finding, impact=replace(finding.impact, **changed))
    return replace(claim, finding=finding)


def broke(seconds: float, recovered: float | None = None) -> dict[str, object]:
    change = incident.impact().change
    assert change is not None
    return {
        "change": replace(change, began_at_ns=incident.at(seconds)),
        "recovered_at_ns": None if recovered is None else incident.at(recovered),
    }


def test_the_findings_of_one_run_are_one_incident() -> None:
    book = IncidentBook()
    (first,) = book.apply(opened(incident.missing_fact(), seconds=31))
    (second,) = book.apply(opened(incident.loop(), incident.blamed()))

    assert (first.state, first.incident.number) == (State.OPENED, 1)
    assert (second.state, second.incident.number) == (State.UPDATED, 1)
    assert second.worse
    assert second.incident.kinds == ("agent_impact", "missing_fact", "repeated_action")
    assert second.incident.key == first.incident.key
    assert "probably degraded service/checkout" in second.incident.title


def test_agents_of_one_trace_are_one_incident() -> None:
    book = IncidentBook()
    sub_agent = replace(
        incident.loop(), finding=replace(incident.loop().finding, run_id="sub", agent="dba-bot")
    )
    book.apply(opened(incident.missing_fact()))
    (change,) = book.apply(opened(sub_agent))

    assert change.incident.number == 1
    assert change.incident.agents == ("sre-bot", "dba-bot")
    assert change.incident.runs == (incident.RUN, "sub")


def test_two_agents_that_may_have_broken_the_same_thing_are_one_incident() -> None:
    book = IncidentBook()
    book.apply(opened(incident.blamed()))
    (change,) = book.apply(opened(of_run(incident.blamed(0.82), "another", **broke(70))))

    assert change.incident.number == 1
    assert change.incident.entities == ("service/checkout",)


def test_another_run_that_breaks_it_later_is_another_incident() -> None:
    book = IncidentBook()
    book.apply(opened(incident.blamed()))
    later = of_run(incident.blamed(), "another", **broke(180))
    (change,) = book.apply(opened(later, seconds=190))

    assert (change.state, change.incident.number) == (State.OPENED, 2)


def test_a_run_that_breaks_it_again_after_recovery_is_another_incident() -> None:
    book = IncidentBook()
    recovered = of_run(incident.blamed(), incident.RUN, **broke(43, recovered=100))
    book.apply(opened(incident.blamed()))
    book.apply(Report(incident.at(101), updated=(recovered,)))
    again = of_run(incident.blamed(), incident.RUN, **broke(150))
    again = replace(again, finding=replace(again.finding, subject="act2/service/checkout"))
    (change,) = book.apply(opened(again, seconds=160))

    assert change.incident.number == 2


def test_a_run_that_was_quiet_for_ten_minutes_begins_another_incident() -> None:
    book = IncidentBook()
    book.apply(opened(incident.missing_fact()))
    (change,) = book.apply(opened(incident.loop(), seconds=64 + 601))

    assert change.incident.number == 2


def test_a_thousand_equal_findings_are_one_bounded_incident() -> None:
    book = IncidentBook()
    claims = [
        replace(
            incident.missing_fact(),
            finding=replace(incident.missing_fact().finding, subject=f"scale/{n}"),
        )
        for n in range(1_000)
    ]
    changes = [change for claim in claims for change in book.apply(opened(claim))]

    assert {change.incident.number for change in changes} == {1}
    assert [change.state for change in changes].count(State.OPENED) == 1
    assert len(changes[-1].incident.findings) == 200
    assert changes[-1].incident.more_findings == 800


def test_warnings_open_no_incident_and_an_escalation_does() -> None:
    book = IncidentBook()
    warning = incident.blamed(0.6, "suspected", Level.WARN)

    assert book.apply(opened(warning)) == []
    (change,) = book.apply(Report(NOW, updated=(incident.blamed(),)))
    assert change.state is State.OPENED


def test_an_incident_closes_with_its_last_finding() -> None:
    book = IncidentBook()
    book.apply(opened(incident.missing_fact(), incident.loop()))
    loop_over = incident.closed(incident.loop(), 100, Closing.CONTRADICTED)
    (change,) = book.apply(Report(incident.at(100), closed=(loop_over,)))
    assert (change.state, change.incident.open_findings) == (State.UPDATED, 1)

    reviewed = incident.closed(incident.missing_fact(), 140, Closing.ACKNOWLEDGED)
    (change,) = book.apply(Report(incident.at(140), closed=(reviewed,)))
    assert change.state is State.CLOSED
    assert change.incident.closed_at_ns == incident.at(140)
    assert book.open_incidents() == []


def test_a_state_that_was_over_before_it_was_reported_is_opened_and_closed() -> None:
    book = IncidentBook()
    gone = incident.closed(incident.loop(), 100, Closing.CONTRADICTED)
    changes = book.apply(Report(NOW, opened=(gone,), closed=(gone,)))

    assert [change.state for change in changes] == [State.OPENED, State.CLOSED]


def test_severity_rises_with_evidence_and_never_falls() -> None:
    book = IncidentBook()
    (loop,) = book.apply(opened(incident.loop()))
    (worse,) = book.apply(opened(incident.blamed()))
    over = incident.closed(incident.blamed(), 100, Closing.CONTRADICTED)
    (better,) = book.apply(Report(incident.at(100), closed=(over,)))

    severities = [c.incident.severity for c in (loop, worse, better)]
    assert severities == [Severity.ERROR, Severity.CRITICAL, Severity.CRITICAL]
    assert worse.worse


def test_acknowledging_closes_findings_about_actions_and_leaves_states_open() -> None:
    book = IncidentBook()
    book.apply(opened(incident.missing_fact(), incident.loop()))
    closings = book.closings((), [1], incident.at(90), WEEK_S)

    assert [(c.finding.kind, c.closing) for c in closings] == [
        ("missing_fact", Closing.ACKNOWLEDGED)
    ]


def test_acknowledging_does_not_close_what_is_still_broken() -> None:
    book = IncidentBook()
    book.apply(opened(incident.blamed()))
    response = Response(1, ResponseAction.ACKNOWLEDGE, "alice", "on it", incident.at(90))
    change = book.respond(response, incident.at(90))
    assert change is not None
    assert change.state is State.ACKNOWLEDGED
    assert change.incident.acknowledged == response
    assert book.closings((), [1], incident.at(90), WEEK_S) == []

    recovered = of_run(incident.blamed(), incident.RUN, **broke(43, recovered=120))
    book.apply(Report(incident.at(121), updated=(recovered,)))
    (closing,) = book.closings((), (), incident.at(121), WEEK_S)
    assert closing.closing is Closing.ACKNOWLEDGED


def test_feedback_on_one_finding_closes_the_other_actions_of_its_incident() -> None:
    book = IncidentBook()
    book.apply(opened(incident.missing_fact(), incident.blamed()))
    closings = book.closings([incident.blamed()], (), incident.at(90), WEEK_S)

    assert [closing.finding.kind for closing in closings] == ["missing_fact"]


def test_a_finding_about_an_action_expires_by_its_age() -> None:
    book = IncidentBook()
    book.apply(opened(incident.missing_fact(), incident.loop()))

    assert book.closings((), (), NOW + int(WEEK_S * S) - 60 * S, WEEK_S) == []
    (closing,) = book.closings((), (), NOW + int(WEEK_S * S), WEEK_S)
    assert (closing.finding.kind, closing.closing) == ("missing_fact", Closing.EXPIRED)


def test_an_incident_that_is_still_open_after_its_snooze_comes_back() -> None:
    book = IncidentBook()
    book.apply(opened(incident.loop()))
    until = incident.at(600)
    book.respond(Response(1, ResponseAction.SNOOZE, "alice", "deploying", NOW, until), NOW)

    assert book.wake(until - S) == []
    (change,) = book.wake(until)
    assert (change.state, change.worse) == (State.UPDATED, True)
    assert book.wake(until) == []


def test_a_response_to_an_incident_that_is_not_open_changes_nothing() -> None:
    response = Response(7, ResponseAction.ACKNOWLEDGE, "alice", "", NOW)

    assert IncidentBook().respond(response, NOW) is None


def test_muted_findings_make_an_incident_that_pages_no_one_until_one_is_not_muted() -> None:
    book = IncidentBook()
    mute = Mute("alice", "a known loop", NOW - S, rule="repeated_*")
    (change,) = book.apply(opened(incident.loop()), [mute])
    assert change.incident.muted == "muted by alice: a known loop"

    (change,) = book.apply(opened(incident.missing_fact()), [mute])
    assert (change.state, change.incident.muted) == (State.OPENED, None)


def test_a_mute_names_agent_rule_and_tool_and_must_match_each() -> None:
    finding = incident.missing_fact().finding

    def mutes(agent: str | None = None, rule: str | None = None, tool: str | None = None) -> bool:
        mute = Mute("a", "b", NOW, NOW + S, agent=agent, rule=rule, tool=tool)
        return muted_by(finding, [mute], NOW) is not None

    assert mutes(tool="scale_*")
    assert mutes(agent="sre-bot", rule="missing_fact", tool="scale_deployment")
    assert not mutes(agent="sre-bot", tool="restart")
    assert muted_by(finding, [Mute("a", "b", NOW, NOW + S)], NOW + S) is None


def test_an_alert_of_the_infrastructure_is_linked_once() -> None:
    book = IncidentBook()
    book.apply(opened(incident.blamed()))
    alert = Change("a1", ChangeKind.ALERT, "service/checkout", "ErrorRatio", incident.at(60))
    change = book.link(alert, (), incident.at(70))

    assert change is not None
    assert [linked.name for linked in change.incident.alerts] == ["ErrorRatio"]
    assert book.link(alert, (), incident.at(71)) is None
    elsewhere = replace(alert, id="a2", entity="db/other")
    assert book.link(elsewhere, {"another run"}, incident.at(72)) is None


def test_an_update_is_material_where_its_sentence_says_something_else_and_not_a_larger_number() -> (
    None
):
    book = IncidentBook()
    loop = incident.loop()
    book.apply(opened(loop))

    def updated(summary: str) -> bool:
        claim = replace(loop, finding=replace(loop.finding, summary=summary))
        (change,) = book.apply(Report(incident.at(70), updated=(claim,)))
        return change.material

    words = loop.finding.summary
    assert not updated(words.replace("7", "12"))
    assert updated("delete_pod was called although alice had denied it.")


def test_a_restart_continues_with_the_same_incident_and_the_next_number() -> None:
    before = IncidentBook()
    (change,) = before.apply(opened(incident.missing_fact()))
    after = IncidentBook()
    after.resume(5, [(change.incident, change.claims)])
    (joined,) = after.apply(opened(incident.blamed()))
    (another,) = after.apply(opened(of_run(incident.loop(), "another")))

    assert (joined.incident.number, joined.incident.key) == (1, change.incident.key)
    assert another.incident.number == 6


def test_a_finding_that_comes_back_after_its_incident_closed_is_another_incident() -> None:
    book = IncidentBook()
    book.apply(opened(incident.loop()))
    book.apply(Report(incident.at(90), closed=(incident.closed(incident.loop(), 90),)))
    again = Claim(incident.loop().finding, incident.at(100))
    (change,) = book.apply(opened(again, seconds=100))

    assert (change.state, change.incident.number) == (State.OPENED, 2)
    assert isinstance(again.finding, Finding)
