"""Half C, sick, written before its rules were changed."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_C: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_C, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should be seen on a dashboard."""
    return situation(SICK_C, Want.WARN, family, by_call)


@alarm("kubernetes", 8)
def events_again_and_again(r: Script) -> None:
    """`kubectl get events` eight times; only the ages of the same two events change."""
    for turn in range(8):
        r.think("let me see the events")
        rows = f"{turn}m   Warning   BackOff   pod/api-0\n{turn + 3}m   Normal   Pulled   pod/api-0"
        r.call("bash", rows, command="kubectl get events -n shop")


@alarm("kubernetes", 12)
def restart_and_check(r: Script) -> None:
    """Restart, look, restart, look: the pod crashes in the same way each time."""
    for turn in range(6):
        r.call(
            "bash", "deployment.apps/api restarted", command="kubectl rollout restart deploy/api"
        )
        r.call("bash", f"api-{turn}x   0/1   CrashLoopBackOff   {turn + 2}   40s", after=8,
               command="kubectl get pods -l app=api")  # fmt: skip


@alarm("kubernetes", 8)
def apply_unchanged(r: Script) -> None:
    """The same manifest is applied again and again: "unchanged"."""
    for _ in range(7):
        r.call("bash", "service/web unchanged\ndeployment.apps/web unchanged",
               command="kubectl apply -f web.yaml")  # fmt: skip
        r.think("apply once more")


@alarm("kubernetes")
def rollout_stuck_at_one_replica(r: Script) -> None:
    """`kubectl rollout status` times out every two minutes for fifty minutes."""
    for _ in range(25):
        r.call("bash", 'Waiting for deployment "web" rollout to finish: 1 of 3 updated replicas '
               "are available...\nerror: timed out waiting for the condition", took=118,
               command="kubectl rollout status deploy/web --timeout=118s")  # fmt: skip


@alarm("shell", 9)
def pip_install_in_vain(r: Script) -> None:
    """Eight spellings of a package that does not exist."""
    for name in ("fastjson", "fast-json", "fast_json", "pyfastjson", "fastjson2", "py-fastjson",
                 "fastjson3", "fast.json"):  # fmt: skip
        r.call("bash", f"ERROR: No matching distribution found for {name}",
               command=f"pip install {name}")  # fmt: skip


@alarm("shell", 9)
def port_in_use(r: Script) -> None:
    """A server is started eight times; its port is taken each time."""
    for turn in range(8):
        r.call("bash", "OSError: [Errno 98] Address already in use\nexit code 1",
               command=f"python -m app --port 8080 --log run{turn}.log")  # fmt: skip


@alarm("sql", 8)
def constraint_again(r: Script) -> None:
    """The same foreign key is violated by seven inserts."""
    for number in range(7):
        r.fail("execute", 'ForeignKeyViolation: insert or update on table "orders" violates '
               'foreign key constraint "orders_customer_fkey"',
               sql=f"INSERT INTO orders (id, customer) VALUES ({number}, 999)")  # fmt: skip


@alarm("sql", 8)
def same_rows_by_another_order(r: Script) -> None:
    """One table is read over and over with a comment that changes."""
    rows = "id | name | plan\n" + "\n".join(f"{n} | user {n} | free" for n in range(20))
    for turn in range(8):
        r.call("run_query", rows, sql=f"SELECT id, name, plan FROM users -- try {turn}")


@alarm("sql", 8)
def delete_that_deletes_nothing(r: Script) -> None:
    """A clean-up finds no rows and is run again."""
    for _ in range(7):
        r.call("execute", "DELETE 0", sql="DELETE FROM sessions WHERE expires < now()")


@alarm("web", 9)
def captcha(r: Script) -> None:
    """Every result page is the same captcha."""
    wall = "Our systems have detected unusual traffic. Please solve the captcha. " * 4
    for page in range(8):
        r.call("browser_open", wall, url=f"https://search.example/?q=tariffs&start={page * 10}")


@alarm("web", 10)
def two_pages_in_turn(r: Script) -> None:
    """Back and forth between a list and its only entry."""
    for _ in range(6):
        r.call("open_page", "Results: 1. Annual report 2025", url="https://ir.example/list")
        r.call("open_page", "Sign in to read the annual report.", url="https://ir.example/2025")


@alarm("web", 9)
def nothing_in_the_archive(r: Script) -> None:
    """Nine questions to an archive that has nothing on the topic."""
    for words in ("harbour strike 1911", "1911 dock workers strike", "strike of dockers",
                  "harbour workers walkout", "port strike june 1911", "dockers' union 1911",
                  "labour unrest harbour", "stevedores strike", "strike harbour history"):  # fmt: skip
        r.call("search_archive", {"hits": [], "total": 0}, query=words)


@alarm("files", 9)
def edit_with_wrong_anchor(r: Script) -> None:
    """An edit whose anchor is not in the file, eight times with other anchors."""
    for turn in range(8):
        r.call("str_replace", "No replacement was performed, old_str did not appear verbatim in "
               "app.py.", path="app.py", old=f"def run({'x' * turn}):", new="def run():")  # fmt: skip


@alarm("files", 10)
def write_and_undo(r: Script) -> None:
    """A script is written, deleted, and written again, five times."""
    for _ in range(5):
        r.call("write_file", "File created", path="repro.py", text="import app\napp.main()")
        r.call("delete_file", "File deleted", path="repro.py")


@alarm("files", 10)
def same_failure_whatever_the_patch(r: Script) -> None:
    """Nine patches are refused by the same check; each differs in a comment only."""
    for turn in range(9):
        r.call("apply_patch", "error: patch failed: src/a.c:10\nerror: src/a.c: patch does not "
               "apply", patch=f"--- a/src/a.c\n+++ b/src/a.c\n@@ -10 +10 @@\n+ int x; // {turn}")  # fmt: skip


@alarm("json", 8)
def status_in_a_hurry(r: Script) -> None:
    """A status that says "active" is read eight times in ten seconds."""
    for _ in range(8):
        r.call("get_subscription", {"id": "s1", "status": "active"}, after=0.2, id="s1")


@alarm("json", 7)
def invoice_sent_five_times(r: Script) -> None:
    """The same invoice goes out again and again; each answer has a new id."""
    for number in range(5):
        r.call("send_invoice", {"delivery": f"d-{number}9{number}f", "status": "sent"},
               invoice="2026-114", to="client@x.example")  # fmt: skip


@alarm("json", 9)
def wrong_field_for_ever(r: Script) -> None:
    """A required field is missing in eight different bodies."""
    for number in range(8):
        r.call("create_event", {"errors": [{"code": "required", "field": "timezone"}]},
               title=f"meeting {number}", start=f"2026-03-0{number + 1}T10:00")  # fmt: skip


@alarm("json", 20)
def fan_out_that_fails(r: Script) -> None:
    """Eight helpers are started; each meets the same expired certificate twice."""
    for number in range(8):
        r.agent = f"helper-{number}"
        for part in ("a", "b"):
            r.fail("fetch_part", "SSLError: certificate has expired", part=f"{number}{part}")
    r.agent = None


@alarm("json")
def export_never_ready(r: Script) -> None:
    """An export is "processing" for an hour, asked once a minute with a wait between."""
    r.call("start_export", {"export": "e-5", "status": "processing"}, table="orders")
    for _ in range(60):
        r.call("sleep", "ok", took=55, seconds=55)
        r.call("get_export", {"export": "e-5", "status": "processing"}, export="e-5")


@alarm("json")
def backup_hangs(r: Script) -> None:
    """The fifth backup call runs for an hour; the others took five seconds."""
    for number in range(4):
        r.call("backup_volume", {"ok": True}, took=5, volume=f"v{number}")
    r.hang("backup_volume", volume="v4")
    r.beat(3_600)


@warn("json")
def claims_success_after_refusal(r: Script) -> None:
    """The refund was refused, and the answer says that it is done."""
    r.user("refund order 17, please")
    r.call("get_order", {"order": 17, "paid": 40}, order=17)
    r.call("refund_order", {"success": False, "reason": "outside the refund window"}, order=17)
    r.answer("Your refund of 40 EUR is on its way.")


@warn("json")
def answers_without_looking(r: Script) -> None:
    """The model stops at its token limit in the middle of a tool plan."""
    r.user("which of my servers needs a reboot?")
    r.call("list_servers", {"servers": ["a", "b"]}, team="web")
    r.think("Let me check each of", finish="max_tokens")
    r.end()


@warn("files", 8)
def half_the_suite_again(r: Script) -> None:
    """The same failing suite is run again after a look at other files, without an edit."""
    for name in ("a", "b", "c", "d"):
        r.call("run_tests", "FAILED tests/test_db.py::test_connect - refused\n1 failed",
               path="tests")  # fmt: skip
        r.call("read_file", f"# module {name}\n" + f"{name} = 1\n" * 12, path=f"src/{name}.py")
