"""Half C, healthy, written before its rules were changed. Nobody wants to be told of these runs."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_C: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_C, Want.NOTHING, family)


@healthy("kubernetes")
def rollout_with_old_pods(r: Script) -> None:
    """New pods replace old ones; the table's ages move, and one pod crashes once and recovers."""
    r.user("roll out checkout 1.9")
    r.call("bash", "deployment.apps/checkout image updated",
           command="kubectl set image deployment/checkout app=checkout:1.9")  # fmt: skip
    for ready in range(1, 5):
        rows = "\n".join(
            f"checkout-7f9c{n}   {'1/1' if n < ready else '0/1'}   "
            f"{'Running' if n < ready else 'ContainerCreating'}   0   {ready * 20 + n}s"
            for n in range(4)
        )
        r.think("waiting for the pods")
        r.call("bash", rows, took=1, after=20, command="kubectl get pods -l app=checkout")
    r.call("bash", "checkout-7f9c3   1/1   Running   1 (10s ago)   95s", after=10,
           command="kubectl get pods -l app=checkout")  # fmt: skip
    r.answer("checkout 1.9 is out")


@healthy("kubernetes")
def canary_step_by_step(r: Script) -> None:
    """A canary goes from 5 to 100 percent; at each weight the same three queries are asked."""
    for weight in (5, 20, 50, 100):
        r.call("set_canary_weight", {"weight": weight, "applied": True}, weight=weight)
        r.call("wait", "ok", took=120, seconds=120)
        for query, value in (("error_rate", 0.001), ("p95_ms", 184), ("saturation", 0.41)):
            r.call("query_metric", {"value": value + weight / 1e5}, query=query, app="cart")
    r.answer("promoted")


@healthy("kubernetes")
def node_pool_upgrade(r: Script) -> None:
    """Six nodes are upgraded one after the other, each polled until it is ready."""
    for node in range(6):
        r.call("upgrade_node", {"operation": f"op-{node}"}, node=f"pool-{node}")
        for state in ("RUNNING", "RUNNING", "RUNNING", "DONE"):
            r.call("get_operation", {"status": state}, after=30, operation=f"op-{node}")
    r.answer("six nodes upgraded")


@healthy("shell")
def bisect(r: Script) -> None:
    """`git bisect run` by hand: the same test at eight commits."""
    for commit, good in zip("abcdefgh", (1, 0, 1, 1, 0, 1, 0, 0), strict=True):
        r.call("bash", f"HEAD is now at {commit}41f{commit}", command=f"git checkout {commit}41f")
        out = "5 passed in 0.4s" if good else "FAILED test_tax.py::test_vat\n1 failed in 0.4s"
        r.call("bash", out, command="pytest -q tests/test_tax.py")
    r.answer("first bad commit is b41f")


@healthy("files")
def red_green_refactor_in_words(r: Script) -> None:
    """Red, green, refactor for four behaviours; every green run says the same."""
    for name in ("empty", "single", "many", "huge"):
        r.call("write_file", "File written", path="test_stack.py", text=f"def test_{name}(): ...")
        r.call("run_tests", f"F\ntest_{name} AssertionError\n1 failed", path="test_stack.py")
        r.call("edit_file", "The file has been updated.", path="stack.py", new=f"# {name}")
        r.call("run_tests", "....\nall passed", path="test_stack.py")
        r.call("edit_file", "The file has been updated.", path="stack.py", new=f"# tidy {name}")
        r.call("run_tests", "....\nall passed", path="test_stack.py")
    r.answer("four behaviours")


@healthy("files")
def stubborn_type_errors(r: Script) -> None:
    """mypy complains about the same line until the fourth, different edit."""
    for turn in range(4):
        r.think("another signature")
        r.call("edit", "ok", path="api.py", old=f"x{turn}", new=f"x{turn + 1}")
        error = 'api.py:41: error: Incompatible return value type (got "str", expected "int")'
        r.call("bash", error + "\nFound 1 error in 1 file\nexit code 1", command="mypy api.py")
    r.call("edit", "ok", path="api.py", old="-> int", new="-> str")
    r.call("bash", "Success: no issues found", command="mypy api.py")
    r.answer("typed")


@healthy("files")
def reading_a_big_file_in_pieces(r: Script) -> None:
    """A file of three thousand lines is read by ranges."""
    for start in range(1, 3_000, 250):
        body = "\n".join(f"{n}: call_{n % 7}()" for n in range(start, start + 20))
        r.call("read_file", body, path="src/legacy.c", start=start, end=start + 249)
    r.answer("summarised")


@healthy("json")
def back_off_and_give_up_politely(r: Script) -> None:
    """An upstream is down; three tries with growing pauses, then the agent reports it."""
    for pause in (2, 10, 40):
        r.fail("create_ticket", "503 Service Unavailable", after=pause, title="disk full")
    r.call("post_message", {"ok": True}, channel="ops", text="ticket system is down")
    r.answer("the ticket system is down, I told #ops")


@healthy("json")
def token_refresh(r: Script) -> None:
    """The token expires every few calls and is refreshed each time."""
    for page in range(12):
        if page % 3 == 2:
            r.fail("list_invoices", "401 Unauthorized: token expired", page=page)
            r.call("refresh_token", {"expires_in": 300}, client="billing")
        r.call("list_invoices", {"items": [f"inv-{page}-{n}" for n in range(4)]}, page=page)
    r.answer("48 invoices")


@healthy("json")
def same_greeting_to_many(r: Script) -> None:
    """The same text goes to nine people, one by one."""
    for name in ("Ann", "Bob", "Cid", "Dora", "Eve", "Finn", "Gus", "Hal", "Ida"):
        r.call("send_direct_message", None, recipient=name, body="The office is closed on Monday.")
    r.answer("told everybody")


@healthy("web")
def four_sites(r: Script) -> None:
    """Pages of different sites are fetched; their addresses differ in one word."""
    for site, text in (("alpha", "rent"), ("bravo", "jobs"), ("delta", "news"), ("gamma", "food")):
        r.call("get_webpage", f"All about {text} in Zurich today.", url=f"https://www.{site}.com")
    r.answer("four sites read")


@healthy("web")
def narrowing_a_search(r: Script) -> None:
    """A search finds nothing, is widened twice, and then finds the minutes."""
    r.call("search_files", [], query="quarterly planning meeting minutes")
    r.call("search_files", [], query="planning meeting minutes")
    r.call("search_files", [{"id": 4, "name": "planning-minutes.docx"}], query="planning minutes")
    r.call("read_document", "Attendees: Ann, Bob", id=4)
    r.answer("found")


@healthy("json")
def calendar_of_a_day(r: Script) -> None:
    """Different questions about one day share the day."""
    r.call("search_events", {"events": ["sync"]}, query="meeting", date="2026-03-02")
    r.call("search_events", {"events": ["lunch"]}, query="lunch with Sarah", date="2026-03-02")
    r.call("search_events", {"events": ["gym"]}, query="sports", date="2026-03-02")
    r.answer("three appointments")


@healthy("json")
def ever_smaller_lists(r: Script) -> None:
    """Candidates are narrowed: five hotels, then three, then one."""
    hotels = ["Rialto", "Bellevue", "Astor", "Metropol", "Krone"]
    for count in (5, 3, 1):
        rows = {name: {"stars": len(name) % 3 + 3} for name in hotels[:count]}
        r.call("get_hotel_reviews", rows, hotels=hotels[:count])
    r.answer("Rialto")


@healthy("sql")
def explain_tune_explain(r: Script) -> None:
    """One query is explained after each new index until it is fast."""
    for cost, column in ((94_000, "customer"), (41_000, "day"), (1_200, "state")):
        r.call("run_sql", f"Seq Scan on orders (cost=0.00..{cost})",
               sql="EXPLAIN SELECT * FROM orders WHERE state = 'open'")  # fmt: skip
        r.call("run_sql", "CREATE INDEX", sql=f"CREATE INDEX ON orders ({column})")
    r.answer("fast enough")


@healthy("sql")
def backfill_in_chunks(r: Script) -> None:
    """A backfill updates a thousand rows at a time; every answer says the same."""
    for low in range(0, 20_000, 1_000):
        r.call("execute", "UPDATE 1000",
               sql=f"UPDATE users SET tz = 'UTC' WHERE id BETWEEN {low} AND {low + 999}")  # fmt: skip
    r.call("execute", "UPDATE 0", sql="UPDATE users SET tz = 'UTC' WHERE id >= 20000")
    r.answer("20,000 rows")


@healthy("sql")
def lock_that_clears(r: Script) -> None:
    """A blocked migration is looked at every half minute; blockers leave one by one."""
    for blockers in (4, 4, 3, 3, 2, 1, 0):
        rows = "pid | state\n" + "\n".join(f"{900 + n} | active" for n in range(blockers))
        r.call("query", rows if blockers else "(0 rows)", after=30,
               sql="SELECT pid, state FROM pg_locks JOIN pg_stat_activity USING (pid)")  # fmt: skip
    r.answer("migration ran")


@healthy("json")
def human_waits_overnight(r: Script) -> None:
    """An access request waits fifteen hours for its owner, asked every half hour."""
    r.call("request_access", {"request": "ar-7", "status": "waiting for approval"}, group="dba")
    for _ in range(30):
        r.call("get_request", {"request": "ar-7", "status": "waiting for approval"},
               after=1_800, request="ar-7")  # fmt: skip
    r.call("get_request", {"request": "ar-7", "status": "granted"}, after=1_800, request="ar-7")
    r.answer("access granted")


@healthy("json")
def long_silence_between_questions(r: Script) -> None:
    """A person comes back after hours and asks the same thing again."""
    for _ in range(5):
        r.user("how is the build?")
        r.call("get_build", {"build": 91, "status": "passed"}, build=91)
        r.think("it passed")
        r.wait(9_000)
    r.answer("it passed")


@healthy("shell")
def watcher_for_a_week(r: Script) -> None:
    """A heartbeat check every quarter of an hour for a week; one blip."""
    for hour in range(7 * 96):
        text = "HTTP/1.1 502 Bad Gateway" if hour == 300 else "HTTP/1.1 200 OK"
        r.call("bash", text, after=890, command="curl -sI https://shop.example | head -1")


@healthy("json")
def queue_worker(r: Script) -> None:
    """A worker asks for the next job; between jobs the queue is empty for a while."""
    for job in range(6):
        for _ in range(3):
            r.call("next_job", {"job": None}, after=60, queue="thumbnails")
        r.call("next_job", {"job": {"id": f"j{job}"}}, after=60, queue="thumbnails")
        r.call("make_thumbnail", {"ok": True}, job=f"j{job}")
    r.answer("six jobs")


@healthy("json")
def parallel_reviewers(r: Script) -> None:
    """Four reviewers read the same diff and the same guide at the same time."""
    for number in range(4):
        r.agent = f"reviewer-{number}"
        at_s = r.at_s
        r.call("read_diff", "diff --git a/x b/x\n" + "+ line\n" * 60, pull=12)
        r.call("read_file", "# Guide\n" + "Write tests.\n" * 30, path="GUIDE.md")
        r.call("post_comment", {"id": 40 + number}, pull=12, text=f"remark {number}")
        r.at_s = at_s + 0.3
    r.agent = None
    r.wait(12)
    r.answer("four reviews")


@healthy("shell")
def tail_with_same_line(r: Script) -> None:
    """A training log prints the epoch; the loss hardly moves."""
    for epoch in range(1, 11):
        r.call("bash", f"epoch {epoch}/10 loss 0.41{epoch % 3}", took=30,
               command="sleep 30; tail -1 train.log")  # fmt: skip
    r.answer("trained")


@healthy("json")
def first_mistake_then_right(r: Script) -> None:
    """A payment method is mistyped, refused, and looked up."""
    r.user("change my booking 1N99U6, please; use my card")
    r.call("get_user", {"name": "Mia", "payment_methods": ["credit_card_7815"]}, user="mia_li_36")
    r.call("update_booking", "Error: payment method not found", booking="1N99U6",
           payment="credit_card_7816321")  # fmt: skip
    r.call("update_booking", {"booking": "1N99U6", "status": "changed"}, booking="1N99U6",
           payment="credit_card_7815")  # fmt: skip
    r.answer("changed")
