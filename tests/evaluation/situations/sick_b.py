"""Half B, sick: written after the rules were done."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_B: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_B, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should be seen on a dashboard."""
    return situation(SICK_B, Want.WARN, family, by_call)


@alarm("kubernetes", 6)
def describe_again(r: Script) -> None:
    """`kubectl describe` seven times, with nothing in between."""
    for number in range(7):
        r.think("let me check the pod")
        r.call("kubectl_describe", f"Name: web\nStatus: Running\nStart: 2h{number}m ago", pod="web")


@alarm("sql", 6)
def same_select_in_other_form(r: Script) -> None:
    """The same SELECT with other white space."""
    for number in range(7):
        r.call("query", "id\n1\n2\n3", sql="SELECT id" + " " * (number + 1) + "FROM t")


@alarm("web", 7)
def reload_of_a_blocked_page(r: Script) -> None:
    """A page that only says that scripts are needed."""
    for _ in range(7):
        r.call("open_url", "Please enable JavaScript to continue.", url="https://news.example/a")


@alarm("files", 9)
def reads_one_file(r: Script) -> None:
    """The same file is read between thoughts."""
    for number in range(6):
        r.call("read_file", "x = 1\n" * 30, path="conf.py")
        r.call("think", "", thought=f"maybe {number}")


@alarm("json", 8)
def three_reads_in_a_circle(r: Script) -> None:
    """Three reads in the same order, five times."""
    for _ in range(5):
        r.call("get_user", {"id": 7, "plan": "pro"}, id=7)
        r.call("get_plan", {"plan": "pro", "price": 9}, plan="pro")
        r.call("get_invoice", {"invoice": 4, "paid": True}, invoice=4)


@alarm("json", 8)
def trace_id_in_each_call(r: Script) -> None:
    """A trace id in the arguments makes each call look new."""
    for number in range(8):
        r.call("get_inventory", {"sku": "k1", "stock": 0}, sku="k1", trace_id=f"t{number}x{number}")


@alarm("json", 8)
def offset_is_ignored(r: Script) -> None:
    """`offset` has no effect."""
    rows = "\n".join(f"{n};customer {n};{n * 3} EUR" for n in range(25))
    for offset in range(0, 200, 25):
        r.call("export_rows", rows, offset=offset)


@alarm("web", 9)
def fruitless_searches(r: Script) -> None:
    """Nine questions about a person of whom nothing is found."""
    for words in (
        "born",
        "biography",
        "early life",
        "wiki",
        "profile",
        "career",
        "facts",
        "age",
        "family",
    ):
        r.call("search_web", {"results": []}, q=f"jon arbuckle senior {words}")


@alarm("files", 9)
def grep_for_ghosts(r: Script) -> None:
    """Eight patterns, none of which is in the code."""
    for name in (
        "initApp",
        "init_app",
        "InitApp",
        "appInit",
        "app_init",
        "startApp",
        "bootApp",
        "boot_app",
    ):
        r.call("search_code", "No matches found", pattern=name)


@alarm("json", 9)
def discount_refused(r: Script) -> None:
    """A discount is refused for each of nine codes."""
    for number in range(9):
        r.call(
            "apply_code",
            f"Code was rejected: not valid for this cart ({number})",
            code=f"SAVE{number}0",
        )


@alarm("files", 12)
def edit_without_effect(r: Script) -> None:
    """Edits that match nothing, in other words each time."""
    for number in range(8):
        r.call(
            "replace_text",
            "No changes made: old text not found",
            path="a.py",
            old=f"def f{number}",
            new="def g",
        )
        r.call("read_file", "def h(): pass", path="a.py")


@alarm("json", 70)
def job_never_starts(r: Script) -> None:
    """A job is queued for forty minutes, asked every forty seconds."""
    for _ in range(60):
        r.call("get_job", {"job": 5, "status": "queued"}, after=40, job=5)


@alarm("shell", 80)
def log_says_waiting(r: Script) -> None:
    """`sleep 30; tail log`: waiting for lock, for 35 minutes."""
    for _ in range(70):
        r.call(
            "bash", "waiting for lock on /var/lib/apt", took=30, command="sleep 30; tail -1 apt.log"
        )


@alarm("kubernetes", 60)
def pod_not_ready(r: Script) -> None:
    """A rollout hangs at 2 of 3 for half an hour, with a sleep tool between."""
    for _ in range(30):
        r.call(
            "rollout_status",
            "Waiting for rollout: 2 of 3 updated replicas are available",
            deployment="api",
        )
        r.call("sleep", "", took=60, seconds=60)


@alarm("json", 40)
def declared_wait_in_seconds(r: Script) -> None:
    """A wait of five minutes is asked for each time; the export stays in progress."""
    for _ in range(12):
        r.call("export_status", {"export": 3, "state": "in_progress"}, export=3)
        r.call("wait", "", took=300, seconds=300)


@alarm("json", 10)
def timeouts_in_a_row(r: Script) -> None:
    """Eight timeouts with eight arguments."""
    for number in range(8):
        r.fail("get_report", f"TimeoutError: no answer after {10 + number} s", report=f"r{number}")


@alarm("shell", 10)
def no_such_module(r: Script) -> None:
    """Eight scripts that miss the same module."""
    for number in range(8):
        r.call(
            "bash",
            'Traceback (most recent call last):\n  File "x.py"\n'
            "ModuleNotFoundError: No module named 'pandas'\nexit code 1",
            command=f"python step{number}.py",
        )


@alarm("json", 10)
def invites_fail_quietly(r: Script) -> None:
    """Seven invitations, each answered with an error field."""
    for number in range(7):
        r.call("invite_user", {"status": "error", "error": "quota"}, mail=f"u{number}@x.example")
    r.answer("All invitations were sent.")


@warn("json", 4)
def one_quiet_failure(r: Script) -> None:
    """The only write fails in its answer; the run reports success."""
    r.call("get_ticket", {"id": 4, "title": "reset"}, id=4)
    r.call("close_ticket", {"success": False, "error": "locked"}, id=4)
    r.answer("The ticket is closed.")


@warn("shell", 4)
def script_exits_with_one(r: Script) -> None:
    """A migration script exits with 1."""
    r.call(
        "bash",
        "migrating...\nerror: lock timeout\nexit status: exit code 1",
        command="./migrate.sh",
    )
    r.answer("Migrated.")


@alarm("json", 10)
def network_is_gone(r: Script) -> None:
    """Four tools fail one after the other."""
    for tool in ("get_user", "get_orders", "get_stock", "get_price", "get_user"):
        r.fail(tool, "ConnectionError: network is unreachable", id=1)


@alarm("json", 20)
def quota_in_each_worker(r: Script) -> None:
    """Ten workers get 429 once each."""
    for number in range(10):
        r.agent = f"w{number}"
        r.fail("translate", "429 Too Many Requests", text=f"text {number}")


@alarm("json")
def query_hangs(r: Script) -> None:
    """A query that takes a second does not come back."""
    for number in range(5):
        r.call("run_query", f"{number}", sql=f"SELECT {number}")
    r.hang("run_query", sql="SELECT pg_sleep(99999)")
    r.beat(1_800)


@alarm("web")
def download_hangs(r: Script) -> None:
    """The fourth download hangs for forty minutes."""
    for number in range(3):
        r.call("download", "saved", took=8, url=f"https://x.example/{number}")
    r.hang("download", url="https://x.example/3")
    r.beat(2_400)


@alarm("json")
def killed(r: Script) -> None:
    """The process is killed between two steps of a call."""
    r.call("begin_change", {"ok": True}, id=1)
    r.hang("apply_change", id=1)
    r.beat(30)
    r.wait(400)


@alarm("files")
def exception_in_the_agent(r: Script) -> None:
    """The framework raises after three edits."""
    for number in range(3):
        r.call("edit_file", "ok", path=f"{number}.py", text="x")
    r.end(crash="RecursionError")


@warn("json")
def cut_report(r: Script) -> None:
    """The report ends in the middle of a sentence."""
    r.call("get_numbers", {"n": [1, 2]}, quarter="Q1")
    r.answer("In summary, the numbers", finish="max_tokens")


@warn("web")
def out_of_turns(r: Script) -> None:
    """The agent's turns are used up."""
    for number in range(6):
        r.call("visit", f"text {number}", url=f"https://x.example/{number}")
    r.answer("I was not able to finish.", finish="max_turns")


@warn("json")
def question_without_answer(r: Script) -> None:
    """A question, a thought, two look-ups, and the end."""
    r.user("Is my flight on time?")
    r.think("looking")
    r.call("get_flight", {"flight": "AB12", "delay": 0}, flight="AB12")
    r.call("get_gate", {"gate": "B4"}, flight="AB12")
    r.end()


@alarm("web")
def critics_without_end(r: Script) -> None:
    """Writer, critic and editor pass a text round."""
    for number in range(7):
        r.hand_off("writer", "critic", f"version {number}")
        r.hand_off("critic", "editor", f"remarks {number}")
        r.hand_off("editor", "writer", f"please improve {number}")


@alarm("json", 12)
def please_go_on(r: Script) -> None:
    """ "Please continue." after each turn; the same look-up follows."""
    for _ in range(6):
        r.user("Please continue.")
        r.think("I look at the task.")
        r.call("get_task", {"task": 9, "owner": "nobody"}, task=9)


@alarm("json", 6)
def refund_again(r: Script) -> None:
    """The same refund four times."""
    for number in range(4):
        r.call("refund_order", {"refund": f"re_{number}f{number}", "ok": True}, order="A-9")
    r.answer("refunded")


@alarm("kubernetes", 6)
def restart_again(r: Script) -> None:
    """The same pod is restarted six times."""
    for _ in range(6):
        r.call("restart_deployment", "deployment restarted", name="api")


@alarm("json", 8)
def mails_to_one_person(r: Script) -> None:
    """The same mail six times, with a message id in each answer."""
    for number in range(6):
        r.call("send_email", {"message_id": f"m-{number}a7{number}"}, to="a@x.example", text="hi")


@alarm("sql", 10)
def missing_column(r: Script) -> None:
    """Eight statements with a column that is not there."""
    for number in range(8):
        r.call(
            "execute_sql",
            'ERROR: column "email" does not exist',
            sql=f"SELECT email FROM users WHERE id = {number}",
        )


@alarm("files", 12)
def test_that_is_never_changed(r: Script) -> None:
    """The same failing test eight times without any edit."""
    for _ in range(8):
        r.think("I run the tests again.")
        r.call("run_tests", "FAILED test_a: assert 1 == 2\n1 failed in 0.21s", path="tests")


@warn("web", 7)
def paraphrases_with_answers(r: Script) -> None:
    """One question in five wordings, with the same page each time."""
    page = "The tower is 324 metres high. It was built in 1889 by Gustave Eiffel. " * 4
    for query in (
        "how high is the eiffel tower",
        "height of the eiffel tower",
        "eiffel tower height metres",
        "eiffel tower how tall",
        "tall eiffel tower height",
    ):
        r.call("lookup", page, query=query)


@alarm("kubernetes", 9)
def scale_up_and_down(r: Script) -> None:
    """Up, down, up, down: five rounds."""
    for _ in range(5):
        r.call("scale", "scaled", deployment="api", replicas=8)
        r.call("scale", "scaled", deployment="api", replicas=4)


@alarm("json", 8)
def list_then_nothing(r: Script) -> None:
    """An empty list is asked for again and again."""
    for _ in range(7):
        r.call("list_tasks", [], project="p1")


@alarm("json", 10)
def denied_by_policy(r: Script) -> None:
    """A tool answers "Permission denied" to eight paths."""
    for number in range(8):
        r.call("read_secret", f"Permission denied: secret/team-{number}", path=f"secret/{number}")
