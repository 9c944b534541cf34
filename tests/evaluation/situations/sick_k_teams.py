"""Half K, sick: several agents, turns and hours. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_K_TEAMS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_K_TEAMS, Want.ALARM, family, by_call)


@alarm("json", 16)
def every_helper_is_locked_out(r: Script) -> None:
    """Eight helpers meet the same expired key, twice each, with different questions."""
    for n, topic in enumerate(
        ("rents", "wages", "energy", "food", "travel", "health", "tech", "art")
    ):
        r.agent = f"analyst-{n}"
        for year in (2024, 2025):
            r.call("statistics_api", {"error": "unauthorized", "message": "API key expired on "
                   "2026-02-28", "trace": f"{n}{year}af"}, topic=topic, year=year)  # fmt: skip
    r.agent = None


@alarm("files", 9)
def continue_continue(r: Script) -> None:
    """An automatic "continue" after each turn; each turn reads the same file and stops."""
    r.user("rewrite the parser")
    for _ in range(9):
        r.call("read_file", "def parse(text):\n    raise NotImplementedError", path="parser.py")
        r.think("I have read parser.py. Shall I go on?")
        r.user("continue")


@alarm("json", 12)
def ticket_round_three_desks(r: Script) -> None:
    """A ticket goes round three desks, four times, in ever new words."""
    r.user("my card was charged twice")
    for turn, words in enumerate(("a money question", "looks like an account matter", "unclear, to you",
                                  "please take over")):  # fmt: skip
        for giver, taker in (
            ("triage", "billing"),
            ("billing", "accounts"),
            ("accounts", "triage"),
        ):
            r.agent = giver
            r.call("read_ticket", {"ticket": 31, "text": "charged twice"}, ticket=31)
            r.hand_off(giver, taker, f"{words} ({turn}): this is for {taker}")
    r.agent = None


@alarm("sql", 12)
def hourly_job_on_a_full_disk(r: Script) -> None:
    """A job is started each hour by the agent, and dies of the same full disk, ten times."""
    for hour in range(10):
        r.call("start_job", {"run": f"run-{hour}8{hour}", "state": "queued"}, job="build_marts")
        r.call("job_result", {"run": f"run-{hour}8{hour}", "state": "error", "detail":
               'could not extend file "base/16401/2619": No space left on device'}, after=120,
               run=f"run-{hour}8{hour}")  # fmt: skip
        r.beat(3_470, every=60)


@alarm("kubernetes", 12)
def two_agents_undo_each_other(r: Script) -> None:
    """One agent saves money by scaling down, another saves latency by scaling up, in turn."""
    for _ in range(6):
        r.agent = "cost-agent"
        r.call("scale", "deployment.apps/api scaled", after=60, deployment="api", replicas=2)
        r.agent = "latency-agent"
        r.call("scale", "deployment.apps/api scaled", after=60, deployment="api", replicas=12)
    r.agent = None
