"""Incidents at the command line: listed, shown, acknowledged, snoozed, muted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aftershock.model import Report
from aftershock_collector.store.incidents import AlertLink, Incident, Severity
from aftershock_collector.store.reader import Reader
from aftershock_collector.store.writer import SqliteStore
from tests.support import incident
from tests.support.commands import Main, printed_data

AUTHOR = ("--by", "Ada", "--because", "on it")


def opened(number: int, title: str, seconds: float) -> Incident:
    claims = (incident.missing_fact(), incident.blamed())
    return Incident(
        number=number,
        key=f"aftershock-{number}",
        title=title,
        severity=Severity.CRITICAL,
        opened_at_ns=incident.at(seconds),
        updated_at_ns=incident.at(seconds),
        findings=tuple(claim.finding.id for claim in claims),
        runs=(incident.RUN,),
        agents=("sre-bot",),
        kinds=("agent_impact", "missing_fact"),
        entities=("service/checkout",),
        alerts=(AlertLink("a1", "CheckoutDown", "service/checkout", incident.at(seconds)),),
        open_findings=2,
    )


@pytest.fixture(autouse=True)
def recorded(home: Path, main: Main) -> None:
    home.mkdir()
    claims = (incident.missing_fact(), incident.blamed())
    over = replace(
        opened(1, "docs-bot restarted service/docs", 10), agents=("docs-bot",), findings=(),
        closed_at_ns=incident.at(20), closing="reviewed",
    )  # fmt: skip
    store = SqliteStore.open(home / "aftershock.db")
    store.record(
        Report(incident.at(96), opened=claims), (), incident.at(96),
        incidents=(over, opened(2, "sre-bot broke checkout", 64)),
    )  # fmt: skip
    store.close()


def test_incidents_are_listed_with_their_state_newest_first(main: Main) -> None:
    lines = main("incidents")[1].splitlines()

    assert "sre-bot broke checkout" in lines[1]
    assert "closed: reviewed" in lines[2]
    assert [one["number"] for one in printed_data(main, "incidents", "--open")] == [2]
    assert [one["number"] for one in printed_data(main, "incidents", "--agent", "docs-bot")] == [1]
    assert [one["number"] for one in printed_data(main, "incidents", "--rule", "agent_impact")] == [
        2
    ]
    assert main("incidents", "--agent", "nobody")[1].startswith("No incident matches; 2 incidents")


def test_one_incident_is_shown_with_its_findings_and_alerts(main: Main) -> None:
    text = main("incidents", "2")[1]
    shown = printed_data(main, "incidents", "latest")

    assert text.splitlines()[0] == "sre-bot broke checkout"
    assert "alarm missing_fact" in text
    assert "alert CheckoutDown on service/checkout" in text
    assert [one["kind"] for one in shown["findings"]] == ["missing_fact", "agent_impact"]
    assert shown["opened_at"] == "2026-01-15T12:04:14.000Z"
    assert main("incidents", "7")[0] == 1


def test_an_acknowledgement_and_a_snooze_are_kept_with_name_and_reason(
    main: Main, home: Path
) -> None:
    assert main("ack", "2", *AUTHOR) == (0, "incident 2 is acknowledged by Ada\n", "")
    code, out, _ = main("snooze", "#2", "--for", "2h", *AUTHOR)

    assert (code, out[:28]) == (0, "incident 2 is snoozed until ")
    with Reader.open(home / "aftershock.db") as reader:
        kept = reader.responses(2)
    assert [(r.action.value, r.by, r.because) for r in kept] == [
        ("acknowledge", "Ada", "on it"),
        ("snooze", "Ada", "on it"),
    ]
    assert "acknowledge by Ada" in main("incidents", "2")[1]


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("ack", "9"), 1, "there is no incident '9'"),
        (("ack", "x"), 1, "there is no incident 'x'"),
        (("snooze", "2", "--for", "soon"), 2, "--for"),
        (("ack", "2", "--by", " "), 2, "say who you are"),
        (("mute",), 2, "give --agent, --rule or --tool"),
        (("mute", "--end", "5"), 1, "there is no mute 5 in force"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    main: Main, argv: tuple[str, ...], code: int, words: str
) -> None:
    found = main(*argv, *(() if "--by" in argv else AUTHOR))

    assert found[0] == code
    assert words in found[2]
    assert found[2].count("\n") == 1


def test_a_mute_is_listed_until_it_is_ended(main: Main) -> None:
    assert main("mute", "--list")[1] == "Nothing is muted.\n"
    printed = main("mute", "--agent", "sre-bot", "--rule", "stalled-run", "--for", "1h", *AUTHOR)[1]
    (mute,) = printed_data(main, "mute", "--list")

    assert printed.startswith("mute 1: agent=sre-bot rule=stalled_run ")
    assert (mute["number"], mute["agent"], mute["rule"]) == (1, "sre-bot", "stalled_run")
    assert main("mute", "--end", "1", *AUTHOR)[1] == "mute 1 is ended by Ada\n"
    assert printed_data(main, "mute", "--list") == []


def test_only_an_open_incident_is_offered_to_be_acknowledged(main: Main) -> None:
    assert "aftershock ack 2" in main("incidents")[1]
    assert "aftershock ack" not in main("incidents", "--agent", "docs-bot")[1]
    assert "aftershock ack" not in main("incidents", "1")[1]
    assert "aftershock ack 2" in main("incidents", "2")[1]
