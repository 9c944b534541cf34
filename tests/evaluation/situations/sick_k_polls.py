"""Half K, sick: waiting for what will not come. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_K_POLLS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_K_POLLS, Want.ALARM, family, by_call)


@alarm("json", 65)
def transcoding_stands_at_63(r: Script) -> None:
    """A video comes to 63 percent within minutes and stays there for an hour and a half."""
    for percent in (4, 21, 40, 55, 63):
        r.call("transcode_status", {"job": "tx-9", "progress": percent, "worker": "w3",
               "heartbeat": r.clock()}, after=60, job="tx-9")  # fmt: skip
    for _ in range(90):
        r.call("transcode_status", {"job": "tx-9", "progress": 63, "worker": "w3",
               "heartbeat": r.clock()}, after=60, job="tx-9")  # fmt: skip


@alarm("cloud", 12)
def failed_long_ago(r: Script) -> None:
    """The stack has failed and rolled back; the agent goes on asking whether it is complete."""
    for status in ("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
        r.call(
            "describe_stack", {"StackName": "edge", "StackStatus": status}, after=30, stack="edge"
        )
    for _ in range(12):
        r.call("describe_stack", {"StackName": "edge", "StackStatus": "ROLLBACK_COMPLETE",
               "StackStatusReason": "The following resource(s) failed to create: [Distribution]"},
               after=30, stack="edge")  # fmt: skip
        r.think("not CREATE_COMPLETE yet, wait")


@alarm("shell", 25)
def dependency_never_satisfied(r: Script) -> None:
    """A job whose dependency has failed can never begin; it is watched for six hours."""
    r.call("bash", "Submitted batch job 5150", command="sbatch --dependency=afterok:5149 eval.sh")
    for _ in range(24):
        r.call("bash", "", took=899, command="sleep 900")
        r.call("bash", "  5150   cpu   eval   jon  PD   0:00   1 (DependencyNeverSatisfied)",
               command="squeue -h -j 5150")  # fmt: skip


@alarm("kubernetes", 30)
def certificate_for_a_wrong_zone(r: Script) -> None:
    """A certificate waits two hours for a DNS record that nobody will write."""
    for minute in range(0, 120, 3):
        r.call("kubectl", "NAME      READY   SECRET        AGE\nweb-tls   False   web-tls-cert   "
               f"{minute}m\nReason: Waiting for DNS-01 challenge propagation: NXDOMAIN looking up "
               "TXT for _acme-challenge.web.exmaple.com", after=178,
               args="get certificate web-tls -o wide")  # fmt: skip


@alarm("browser")
def spinner_for_an_hour(r: Script) -> None:
    """A page says that it loads, at each of sixty looks."""
    r.call(
        "browser_navigate",
        "Loaded https://portal.example/export",
        url="https://portal.example/export",
    )
    for turn in range(60):
        r.call("browser_wait", "waited 60 s", took=60, seconds=60)
        r.call("browser_snapshot", f"- heading 'Export' [ref=e{turn}2]\n- img 'spinner'\n"
               "- text: Please wait, your file is being prepared…", full=False)  # fmt: skip


@alarm("json", 24)
def restore_begins_again_and_again(r: Script) -> None:
    """A restore comes to forty percent, starts anew, and so on, eight times."""
    for turn in range(8):
        for percent in (0, 12, 27, 40):
            r.call("restore_progress", {"restore": "r-2", "percent": percent, "attempt": turn + 1,
                   "host": f"db-{turn % 2}"}, after=120, restore="r-2")  # fmt: skip


@alarm("mail")
def code_that_never_arrives(r: Script) -> None:
    """A mailbox is read each half minute for a code that was sent elsewhere, for an hour."""
    r.call("request_login_code", {"sent_to": "b***@old.example"}, account="bea@new.example")
    for _ in range(120):
        r.call("imap_search", "* SEARCH\nA12 OK SEARCH completed (0.001 + 0.000 secs).", after=29,
               mailbox="INBOX", criteria="FROM no-reply@bank.example UNSEEN")  # fmt: skip


@alarm("json", 14)
def oven_grows_too_hot(r: Script) -> None:
    """A kiln should hold 900 degrees; it climbs past it at each look and only looks follow."""
    r.user("hold the kiln at 900 °C, the glaze runs above 950")
    r.call("kiln_set", {"target_c": 900, "accepted": True}, target_c=900)
    for turn in range(16):
        r.call("kiln_read", {"temp_c": 880 + 17 * turn, "target_c": 900, "relay": "closed",
               "at": r.clock()}, after=120, kiln="k1")  # fmt: skip
        r.think("it settles soon")
