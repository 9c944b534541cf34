"""Healthy runs written together with rules: what each new mechanism must not page for."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_WITH_RULES: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_WITH_RULES, Want.NOTHING, family)


# --- Work in portions ---------------------------------------------------------------------------


@healthy("mysql")
def update_in_batches(r: Script) -> None:
    """A column is filled in batches with the same statement; the last batch is not full."""
    fill = "UPDATE users SET region='eu' WHERE region IS NULL AND country='DE' LIMIT 5000"
    for rows in (5000, 5000, 5000, 5000, 5000, 5000, 1188, 0):
        r.call("run_sql", f"Query OK, {rows} rows affected (1.21 sec)\nRows matched: {rows}  "
               f"Changed: {rows}  Warnings: 0", took=3, sql=fill)  # fmt: skip
    r.answer("Every German user has a region.")


@healthy("shell")
def rows_deleted_from_a_shell(r: Script) -> None:
    """psql deletes in chunks with a pause, so that replicas keep up."""
    statement = "DELETE FROM events WHERE ctid IN (SELECT ctid FROM events WHERE day < '2025-06-01'"
    for number in range(9):
        r.call("Bash", f"DELETE {50000 if number < 8 else 121}", after=15, took=4,
               command=f'psql -c "{statement} LIMIT 50000)"')  # fmt: skip
    r.answer("The old events are gone.")


@healthy("queue")
def dead_letters_purged(r: Script) -> None:
    """A dead letter queue is emptied a thousand messages at a time."""
    for left in range(6, -1, -1):
        r.call("purge_messages", {"ok": True, "purged": 1000, "remaining": left * 1000},
               queue="orders-dlq", max_messages=1000)  # fmt: skip
    r.answer("orders-dlq is empty.")


@healthy("search")
def index_rebuilt_by_cursor(r: Script) -> None:
    """Documents are indexed in batches; the server keeps the cursor."""
    for number in range(8):
        r.call("index_next_batch", {"indexed": 500, "has_more": number < 7}, index="products")
    r.answer("All 4,000 products are indexed.")


# --- Writes of several agents, and values that are tried out ----------------------------------


@healthy("leases")
def workers_renew_their_leases(r: Script) -> None:
    """Three workers renew a lease of their own every half minute."""
    for _ in range(12):
        for worker in ("a", "b", "c"):
            r.agent = f"worker-{worker}"
            r.call("update_lease", {"ok": True}, after=10, worker=f"worker-{worker}", state="alive")
    r.agent = None
    r.answer("All shards are processed.")


@healthy("kubectl")
def two_agents_scale_their_own(r: Script) -> None:
    """Two agents scale different deployments of one namespace, each in three steps."""
    for replicas in (2, 4, 8):
        for agent, deployment in (("web-ops", "web"), ("api-ops", "api")):
            r.agent = agent
            r.call(
                "Bash",
                f"deployment.apps/{deployment} scaled",
                after=90,
                command=f"kubectl -n shop scale deploy/{deployment} --replicas={replicas}",
            )
            r.call("Bash", f"{replicas}/{replicas} ready", after=40,
                   command=f"kubectl -n shop get deploy/{deployment}")  # fmt: skip
    r.agent = None
    r.answer("Both are scaled to eight.")


@healthy("tuning")
def two_settings_compared(r: Script) -> None:
    """Two sizes of a pool are tried in turn, twice each, and the better one is kept."""
    for size, p95 in ((20, 210), (40, 181), (20, 214), (40, 178)):
        r.call("set_pool_size", {"ok": True}, service="orders", size=size)
        r.call("run_load_test", {"p95_ms": p95, "errors": 0}, after=5, took=60, service="orders")
    r.answer("40 connections are better.")


@healthy("crm")
def ticket_goes_through_its_states(r: Script) -> None:
    """Two agents work on a ticket: it is opened again once and then closed for good."""
    for agent, status in (("support", "open"), ("billing", "pending"), ("support", "open"),
                          ("billing", "solved"), ("support", "closed")):  # fmt: skip
        r.agent = agent
        r.call("update_ticket", {"id": "T-88120", "status": status}, after=60, ticket="T-88120",
               status=status)  # fmt: skip
    r.agent = None
    r.answer("T-88120 is closed.")


@healthy("heating")
def heating_by_the_clock(r: Script) -> None:
    """Rooms are heated by day and not by night, for a week."""
    for _ in range(7):
        r.call("set_temperature", {"ok": True}, after=8 * 3600, room="r-201", celsius=17)
        r.call("set_temperature", {"ok": True}, after=16 * 3600, room="r-201", celsius=21)


# --- Calls that are long by nature --------------------------------------------------------------


@healthy("data")
def query_of_two_hours(r: Script) -> None:
    """A report over two years is computed for two hours by a tool that is called once."""
    r.call("build_report", {"rows": 731}, took=7000, period="2024-2025")
    r.answer("The report has 731 rows.")


@healthy("agents")
def sub_agent_works_all_day(r: Script) -> None:
    """A planner calls one agent, which works for six hours inside that call."""
    r.agent = "planner"
    r.put("tool", "run_agent", r.at_s, 6 * 3600, args={"agent": "coder", "task": "port the API"},
          result="All 59 endpoints are ported.")  # fmt: skip
    r.agent = "coder"
    for number in range(59):
        r.call("edit_file", "saved", after=300, took=60, path=f"api/endpoint_{number}.py")
    r.at_s = 6 * 3600 + 1
    r.agent = None
    r.answer("The API is ported.")


@healthy("people")
def customer_answers_tomorrow(r: Script) -> None:
    """The agent asks the customer and the answer comes after 20 hours."""
    r.call("ask_user", "Yes, please cancel it.", took=72_000, question="Cancel order 5512?")
    r.call("cancel_order", {"order": 5512, "status": "cancelled"}, order=5512)
    r.answer("Order 5512 is cancelled.")


# --- Equal answers of a model -------------------------------------------------------------------


@healthy("workflow")
def files_without_a_fault(r: Script) -> None:
    """A review asks the model about each of forty files; nearly all have no fault."""
    for number in range(40):
        r.think("No fault found: the file follows the style guide and handles its errors.",
                tokens=700 + number * 977 % 1300, took=3)  # fmt: skip
    r.answer("One of 40 files needs work: src/db.py opens a connection that it never closes.")


@healthy("workflow")
def five_samples_of_one_answer(r: Script) -> None:
    """A question is answered five times side by side, and the majority counts."""
    for place in range(5):
        r.put("llm", "gpt-4.1", r.at_s + place * 0.01, 4, tokens=400,
              result="I will now add them up: March is 17,204.11 euros in all.")  # fmt: skip
    r.at_s += 5
    r.answer("17,204.11 euros")


@healthy("planning")
def plan_that_is_carried_out(r: Script) -> None:
    """The model states its whole plan before each call, which it makes."""
    for number in range(8):
        r.think("Plan: export the posts, copy the pictures, switch the name. I will go on with it.",
                tokens=900 + 300 * number)  # fmt: skip
        r.call("copy_picture", {"copied": f"p{number}.jpg"}, name=f"p{number}.jpg")
    r.answer("The blog is moved.")


# --- Honest endings -----------------------------------------------------------------------------


@healthy("dns")
def refused_and_reported(r: Script) -> None:
    """A write is refused, and the answer says so."""
    r.fail("set_record", "403 Forbidden: zone is locked", name="www", value="198.51.100.4")
    r.answer("I could not set the record: the zone is locked. Please unlock it first.")


@healthy("shell")
def failed_then_done_another_way(r: Script) -> None:
    """A push is rejected, the branch is rebased and pushed again."""
    r.fail("Bash", "error: failed to push some refs: non-fast-forward", command="git push")
    r.call("Bash", "Successfully rebased and updated refs/heads/fix.", command="git pull --rebase")
    r.call("Bash", "fix -> fix", command="git push")
    r.answer("The fix is pushed.")


@healthy("web")
def answer_that_could_go_on(r: Script) -> None:
    """The answer ends with an offer to go on."""
    r.user("When is the last train?")
    r.call("search_trains", {"last": "23:41"}, date="2026-03-02")
    r.answer("The last train leaves at 23:41. Let me know if I should book a seat.")
