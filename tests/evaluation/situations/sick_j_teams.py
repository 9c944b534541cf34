"""Half J, sick: teams that go round, and what fails everywhere. Written before reading any rule."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_J_TEAMS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_J_TEAMS, Want.ALARM, family, by_call)


@alarm("json")
def no_team_is_responsible(r: Script) -> None:
    """Triage, billing and support send a customer round, in other words each time."""
    r.user("I was charged after I cancelled.")
    reasons = (
        ("triage", "billing", "A charge after cancellation, that is billing."),
        ("billing", "support", "The subscription looks active, support should cancel it."),
        ("support", "triage", "Not a technical matter, please assign it again."),
        ("triage", "billing", "Customer disputes a charge. Over to you."),
        ("billing", "support", "I cannot refund while the contract runs. Please end it."),
        ("support", "triage", "We do not end contracts here."),
        ("triage", "billing", "Refund wanted, see above."),
        ("billing", "support", "Same as before: contract first."),
        ("support", "triage", "Out of scope for us, re-routing."),
        ("triage", "billing", "Escalated charge dispute."),
        ("billing", "support", "Contract still open, your turn."),
        ("support", "triage", "Returned."),
    )
    for giver, taker, text in reasons:
        r.hand_off(giver, taker, text)


@alarm("web", 9)
def all_scouts_meet_the_same_wall(r: Script) -> None:
    """Nine sub-agents each fail once, worded differently, for want of one and the same key."""
    texts = (
        "401 Unauthorized: API key expired",
        "request failed (401): the api key has expired",
        "Authentication error: API key expired on 2026-03-01",
    )
    for number in range(9):
        r.agent = f"scout-{number}"
        r.fail("search_api", texts[number % 3], query=f"market size of product {number}")
        r.call("report", "received", text=f"Nothing was found about product {number}.")


@alarm("sql", 8)
def export_fails_every_hour(r: Script) -> None:
    """One job, started each hour of a day, fails each time with the same sentence."""
    for hour in range(24):
        r.call(
            "run_job",
            f"[{r.clock()}] job=export_ledger run={7_100 + hour} status=FAILED "
            'msg="permission denied for relation ledger_2026"',
            after=3_590,
            took=9,
            job="export_ledger",
        )


@alarm("files", 10)
def continued_by_a_timer(r: Script) -> None:
    """A wrapper sends "Continue." after each turn; the same log is read each time."""
    r.user("Find out why the import of Sunday is incomplete.")
    text = "2026-03-01T02:00:04Z INFO import started\n2026-03-01T02:00:09Z INFO 0 files in /inbox"
    for number in range(11):
        r.call("read_log", text, path="/var/log/import/2026-03-01.log", tail=200)
        r.think(
            ("I'm going to examine the log.", "Let me have a look at the log of the import.")[
                number % 2
            ],
            finish="stop",
        )
        r.user("Continue.", after=5)
