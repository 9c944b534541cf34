"""Half A, sick: loops and stuck polls that somebody wants to hear of."""

from __future__ import annotations

from tests.evaluation.situations.writing import Collection, Script, Want, situation

SICK_LOOPS_A: Collection = []


def alarm(family: str, by_call: int | None = None):
    return situation(SICK_LOOPS_A, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None):
    return situation(SICK_LOOPS_A, Want.WARN, family, by_call)


# --- The same call, the same answer ---------------------------------------------------------------


@alarm("files", 5)
def list_directory_again(r: Script) -> None:
    """`ls` six times with the same output."""
    for _ in range(6):
        r.call("bash", "README.md  src  tests", command="ls")
    r.answer("there is a README")


@alarm("json", 6)
def answer_with_a_clock(r: Script) -> None:
    """The same order again and again; only the time of the answer differs."""
    for second in range(7):
        r.call("get_order", {"id": "A-1", "state": "open", "fetched_at": f"2026-03-02T09:00:{second:02d}Z",
                             "request_id": f"9f2c{second}a77-41d0-4c11-8b11-0a{second}b2c3d4e5f"},
               id="A-1")  # fmt: skip
    r.answer("open")


@alarm("sql", 6)
def same_query(r: Script) -> None:
    """The same SELECT eight times; the duration in the answer differs."""
    for number in range(8):
        r.call(
            "query",
            f"count\n42\n(1 row, {3 + number}.{number} ms)",
            sql="SELECT count(*) FROM users",
        )
    r.answer("42")


@alarm("kubernetes", 8)
def pods_with_ages(r: Script) -> None:
    """Pods are listed without a pause; only their age changes."""
    for second in range(9):
        r.call(
            "kubectl_get",
            f"NAME READY STATUS RESTARTS AGE\nweb-1 1/1 Running 0 {40 + second}s",
            after=1,
            resource="pods",
        )


@alarm("web", 6)
def page_reloaded(r: Script) -> None:
    """The same article is fetched over and over."""
    for number in range(6):
        r.think("I need to read the article.")
        r.call(
            "fetch",
            f"Title\nText of the article.\nRendered in 0.{number}3 s",
            url="https://example.org/a",
        )
    r.answer("no answer found")


@alarm("json", 8)
def read_between_notes(r: Script) -> None:
    """Notes between the reads change nothing."""
    for number in range(6):
        r.call("get_ticket", {"id": 4, "state": "new"}, ticket=4)
        r.call("write_note", "saved", text=f"ticket is new, attempt {number}")


@alarm("json", 10)
def two_reads_in_turn(r: Script) -> None:
    """Two reads alternate and bring nothing new."""
    for _ in range(6):
        r.call("get_config", {"replicas": 3}, service="web")
        r.call("get_status", {"ok": True}, service="web")


@alarm("files", 8)
def edit_that_changes_nothing(r: Script) -> None:
    """The same edit, of which the tool says that nothing changed, and the same test."""
    for _ in range(5):
        r.call(
            "edit_file",
            "No changes made: the file already has this content",
            path="a.py",
            old="x",
            new="x",
        )
        r.call("run_tests", "1 failed: test_a", path="tests")


@alarm("files", 12)
def same_edit_same_test(r: Script) -> None:
    """The same edit is written again and again; the test fails the same way."""
    for _ in range(7):
        r.call("write_file", "wrote 120 bytes", path="a.py", text="def a(): return 1")
        r.call("run_tests", "FAILED test_a - assert 1 == 2\n1 failed in 0.1s", path="tests")


# --- Other arguments, the same answer -----------------------------------------------------------


@alarm("json", 7)
def ignored_page(r: Script) -> None:
    """The server ignores `page=`: each page is the first one."""
    rows = [{"id": f"o-{n}", "customer": f"name {n}", "total": n * 7} for n in range(20)]
    for page in range(1, 9):
        r.call("list_orders", {"orders": rows}, page=page)


@alarm("json", 7)
def request_id_in_arguments(r: Script) -> None:
    """Each call carries a new request id and asks the same thing."""
    for number in range(7):
        r.call(
            "get_balance",
            {"balance": 120},
            account="77",
            request_id=f"7d3e{number}c40-9f11-4b7e-9e55-1c{number}d2e3f4a5b",
        )


@alarm("sql", 7)
def time_in_arguments(r: Script) -> None:
    """Each call says what time it is and gets the same rows."""
    for second in range(7):
        r.call(
            "get_alerts",
            {"alerts": [{"name": "HighCPU", "state": "firing"}]},
            now=f"2026-03-02T09:00:{second * 4:02d}Z",
            env="prod",
        )


@alarm("web", 9)
def searches_that_find_nothing(r: Script) -> None:
    """Paraphrases of one question, none of which finds anything."""
    for query in (
        "acme corp merger announcement date",
        "date of acme merger announcement",
        "when was the acme corp merger announced",
        "acme merger announced when",
        "announcement date merger acme corporation",
        "acme corp merger press release date",
        "merger date acme announcement corp",
        "acme corporation merger date announced",
    ):
        r.call("web_search", "No results found.", query=query)
    r.answer("unknown")


@alarm("files", 10)
def guessed_paths(r: Script) -> None:
    """The agent guesses where a file is; none of the ten is there."""
    for name in ("config", "conf", "settings", "setup", "env", "app", "main", "prod", "base"):
        r.fail(
            "read_file",
            f"FileNotFoundError: no such file: /etc/{name}.yaml",
            path=f"/etc/{name}.yaml",
        )


@alarm("files", 10)
def refused_in_prose(r: Script) -> None:
    """A fix is refused eight times, in prose."""
    for number in range(9):
        r.call(
            "submit_fix",
            "Your fix was rejected: 2 tests still fail.",
            patch=f"- a{number}\n+ b{number}",
            line=10 + number,
        )


@warn("web", 6)
def same_question_reworded(r: Script) -> None:
    """The same question in other words brings the same page each time."""
    for query in (
        "population of lyon 2020",
        "lyon population 2020",
        "2020 population lyon city",
        "lyon city population in 2020",
        "how many people live in lyon 2020",
    ):
        r.call(
            "search",
            "Lyon is a city in France. It had 522,250 inhabitants in 2020. " * 3,
            query=query,
        )


# --- Polls that are stuck -------------------------------------------------------------------------


@alarm("json", 60)
def poll_stuck_for_half_an_hour(r: Script) -> None:
    """A build stays at 62 percent for half an hour."""
    r.call("start_build", {"id": "b-1"}, ref="main")
    for done in (10, 35, 62):
        r.call("get_build", {"id": "b-1", "state": "running", "progress": done}, after=30, id="b-1")
    for _ in range(60):
        r.call("get_build", {"id": "b-1", "state": "running", "progress": 62}, after=30, id="b-1")


@alarm("shell", 70)
def sleep_and_pending(r: Script) -> None:
    """`sleep 60; kubectl get pod`: the pod stays Pending for an hour."""
    for _ in range(60):
        r.call(
            "bash",
            "NAME READY STATUS RESTARTS\nweb-5 0/1 Pending 0",
            took=60,
            after=2,
            command="sleep 60; kubectl get pod web-5",
        )


@alarm("json", 80)
def wait_tool_and_pending(r: Script) -> None:
    """A wait tool between polls does not hide that nothing moves for an hour."""
    for _ in range(40):
        r.call("get_transfer", {"id": "t-9", "status": "pending"}, id="t-9")
        r.call("wait", "waited", took=90, seconds=90)


@alarm("kubernetes", 60)
def crash_loop_polled(r: Script) -> None:
    """A pod that cannot pull its image is polled for forty minutes."""
    for minute in range(60):
        r.call(
            "kubectl_get", f"web-9 0/1 ImagePullBackOff 0 {minute}m", after=40, resource="pod/web-9"
        )
