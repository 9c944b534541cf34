"""Half A, healthy: runs that do their job. Nobody wants to be woken by them."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_WORK_A: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_WORK_A, Want.NOTHING, family)


# --- Edit, test, repair ------------------------------------------------------------------------


@healthy("files")
def red_green_refactor(r: Script) -> None:
    """Test-driven work: the same test command eleven times, with edits in between."""
    r.call("run_tests", "FAILED tests/test_cart.py::test_total\n1 failed in 0.31s", path="tests")
    for turn in range(10):
        r.call("edit_file", "file updated", path="cart.py", old=f"total{turn}", new=f"sum{turn}")
        result = "12 passed in 0.29s" if turn % 2 else f"1 failed, 11 passed in 0.3{turn}s"
        r.call("run_tests", result, path="tests")
    r.answer("green")


@healthy("shell")
def build_fix_build(r: Script) -> None:
    """A compiler error is repaired file by file; the command stays the same."""
    for line, name in ((10, "a.ts"), (31, "b.ts"), (8, "c.ts"), (77, "d.ts"), (5, "e.ts")):
        r.fail(
            "bash",
            f"{name}({line},3): error TS2322: not assignable\nexit code 2",
            command="npm run build",
        )
        r.call("str_replace", f"edited {name}", path=name, old_str="x", new_str=f"y{line}")
    r.call("bash", "built in 8.1s", command="npm run build")
    r.answer("build works")


@healthy("files")
def stubborn_test(r: Script) -> None:
    """The same assertion fails after four different edits; the fifth one repairs it."""
    for turn in range(4):
        r.call("edit_file", "ok", path="parser.py", old=f"line {turn}", new=f"other {turn}")
        r.call("bash", "E  assert 3 == 4\n1 failed in 0.12s", command="pytest -q test_parser.py")
    r.call("edit_file", "ok", path="parser.py", old="n - 1", new="n")
    r.call("bash", "1 passed in 0.11s", command="pytest -q test_parser.py")
    r.answer("repaired")


@healthy("files")
def reads_before_edits(r: Script) -> None:
    """A long coding run reads each file once, comes back to some, and edits."""
    for number in range(30):
        r.call(
            "read_file",
            f"def f{number}(): return {number}\n# module {number}",
            path=f"src/m{number}.py",
        )
        if number % 3 == 0:
            r.call("edit_file", "ok", path=f"src/m{number}.py", old="return", new="yield")
            r.call(
                "read_file",
                f"def f{number}(): yield {number}\n# module {number}",
                path=f"src/m{number}.py",
            )
    r.call("run_tests", "88 passed", path=".")
    r.answer("done")


@healthy("shell")
def git_between_steps(r: Script) -> None:
    """`git status` after each commit says the same clean thing."""
    for number in range(6):
        r.call("bash", "", command=f"sed -i s/a{number}/b{number}/ f{number}.py")
        r.call("bash", f"[main {number}f3c] step {number}", command=f"git commit -am step{number}")
        r.call("bash", "nothing to commit, working tree clean", command="git status")
    r.answer("six commits")


@healthy("files")
def notes_and_plans(r: Script) -> None:
    """A plan is written and ticked off between real steps."""
    for number in range(8):
        r.call("todo_write", "updated", items=[f"task {number}", "next"])
        r.call("read_file", f"chapter {number}: text", path=f"chapter{number}.md")
        r.call("think", "", thought=f"chapter {number} is about trade")
    r.answer("summary of eight chapters")


# --- Retries that end well ----------------------------------------------------------------------


@healthy("json")
def back_off_that_works(r: Script) -> None:
    """503 three times, with growing pauses, then it works."""
    for pause in (1, 2, 4):
        r.fail("charge_card", "HTTP 503 Service Unavailable", after=pause, order="A-17")
    r.call("charge_card", {"ok": True, "charge": "ch_1"}, after=8, order="A-17")
    r.answer("charged")


@healthy("web")
def rate_limit_honoured(r: Script) -> None:
    """429 with Retry-After, waited for, twice."""
    for page in (1, 2, 3):
        if page > 1:
            r.fail("http_get", "429 Too Many Requests, retry after 60 s", url=f"/items?page={page}")
            r.call("sleep", "slept", took=60, seconds=60)
        r.call("http_get", {"items": [f"{page}-{n}" for n in range(5)]}, url=f"/items?page={page}")
    r.answer("fifteen items")


@healthy("sql")
def wrong_column_then_right(r: Script) -> None:
    """Two wrong columns, the schema, the right query."""
    r.fail("query", 'column "total" does not exist', sql="SELECT total FROM orders LIMIT 5")
    r.fail("query", 'column "sum" does not exist', sql="SELECT sum FROM orders LIMIT 5")
    r.call("query", "id\namount\ncreated_at", sql="SELECT column_name FROM information_schema")
    r.call("query", "amount\n19.90\n5.00", sql="SELECT amount FROM orders LIMIT 5")
    r.answer("19.90 and 5.00")


@healthy("shell")
def flaky_install(r: Script) -> None:
    """A package server times out twice; the third install works."""
    for _ in range(2):
        r.fail(
            "bash",
            "ReadTimeoutError: pypi timed out",
            after=5,
            took=30,
            command="pip install httpx",
        )
    r.call("bash", "Successfully installed httpx-0.28", took=12, command="pip install httpx")
    r.answer("installed")


# --- Batches, pages, parallel work ----------------------------------------------------------------


@healthy("json")
def pages_of_a_list(r: Script) -> None:
    """Twelve pages, each with other orders; the last one is empty."""
    for page in range(1, 13):
        rows = [{"id": f"o-{page}{n}", "total": 10 * n} for n in range(4)] if page < 12 else []
        r.call("list_orders", {"orders": rows, "page": page}, page=page, size=4)
    r.answer("44 orders")


@healthy("sql")
def batch_update(r: Script) -> None:
    """Forty rows are updated one by one, each with the same short answer."""
    for number in range(40):
        r.call(
            "execute_sql",
            "UPDATE 1",
            sql=f"UPDATE users SET plan = 'pro' WHERE id = {1000 + number}",
        )
    r.answer("forty users moved")


@healthy("json")
def batch_of_checks(r: Script) -> None:
    """Twenty-five hosts are checked; all are healthy and say so in the same words."""
    for number in range(25):
        r.call("check_host", {"status": "healthy"}, host=f"node-{number:02d}")
    r.answer("all healthy")


@healthy("files")
def search_of_a_code_base(r: Script) -> None:
    """Five searches of which three find nothing, then the place is found."""
    for pattern, result in (
        ("class Invoice", "No matches found"),
        ("def invoice", "No matches found"),
        ("invoice_", "No matches found"),
        ("Bill", "src/billing.py:12: class Bill:"),
        ("class Bill", "src/billing.py:12: class Bill:"),
    ):
        r.call("grep", result, pattern=pattern, path="src")
    r.call("read_file", "class Bill: ...", path="src/billing.py")
    r.answer("src/billing.py")


@healthy("json")
def parallel_workers(r: Script) -> None:
    """One model turn asks for eight look-ups at once, twice."""
    for _ in range(2):
        r.think("I look all of them up.")
        r.batch("get_weather", {f"city {n}": {"temp": 10 + n} for n in range(8)}, "city")
    r.answer("warm in city 7")


@healthy("web")
def same_call_in_one_batch(r: Script) -> None:
    """A model asks the same thing four times in one turn, by mistake, and goes on."""
    r.think("searching")
    r.at_s += 2
    for place in range(4):
        r.put("tool", "search", r.at_s + place * 0.01, 1, args={"q": "gdp france"}, result="2.9 T")
    r.at_s += 2
    r.answer("2.9 T")


@healthy("json")
def two_agents_same_reads(r: Script) -> None:
    """Three workers read the same document, each for itself."""
    for worker in ("analyst", "critic", "writer"):
        r.agent = worker
        r.call("get_document", {"title": "Q3", "text": "revenue rose"}, id="doc-9")
        r.call("get_document", {"title": "Q2", "text": "revenue fell"}, id="doc-8")
    r.agent = None
    r.answer("report")


@healthy("json")
def customer_asks_again(r: Script) -> None:
    """The customer asks three times where the order is; it is looked up each time."""
    for words in ("Where is my order A-5512?", "Are you sure?", "Please check once more."):
        r.user(words)
        r.call("get_order", {"id": "A-5512", "state": "shipped"}, id="A-5512")
        r.think("It is on its way.")
    r.answer("It is on its way.")


@healthy("json")
def verify_after_each_write(r: Script) -> None:
    """The cart is read after each item that is added."""
    items: list[str] = []
    for item in ("pen", "ink", "pad", "cap", "mug"):
        items.append(item)
        r.call("add_to_cart", {"ok": True}, item=item)
        r.call("get_cart", {"items": list(items)}, cart="c-1")
    r.answer("five items")


@healthy("kubernetes")
def incident_numbers_get_worse(r: Script) -> None:
    """An investigator asks for the same metric while it gets worse."""
    for p95 in (0.21, 0.35, 0.9, 2.4, 5.9, 8.0):
        r.call("query_metric", {"p95_s": p95}, after=20, name="checkout_latency")
    r.call("get_events", "Deployed checkout v42 at 08:58", namespace="checkout")
    r.call("rollback", "rolled back to v41", deployment="checkout")
    r.answer("rolled back")


@healthy("web")
def draft_and_final(r: Script) -> None:
    """The draft of a report is handed over and then the final version."""
    r.call("web_search", "OECD: growth 1.2 %", query="oecd growth 2025")
    r.call("submit_report", "draft received", text="Growth was 1.2 %.", final=False)
    r.call("submit_report", "report received", text="Growth was 1.2 %.", final=True)
    r.answer("Growth was 1.2 %.")


@healthy("json")
def empty_answers_that_are_true(r: Script) -> None:
    """No maintenance window, no alert, no incident: three empty answers before a change."""
    r.call("list_maintenance", {"windows": []}, env="prod")
    r.call("list_alerts", {"alerts": []}, env="prod")
    r.call("list_incidents", {"incidents": []}, env="prod")
    r.call("scale_service", {"ok": True}, service="web", replicas=6)
    r.answer("scaled")


@healthy("files")
def long_tool_that_is_normal(r: Script) -> None:
    """A test suite takes nine minutes, as it always does, with heartbeats."""
    for turn in range(3):
        r.call("run_suite", f"{900 + turn} passed", took=540, target="all")
        r.call("edit_file", "ok", path="a.py", old=str(turn), new="z")
    r.answer("suite is green")
