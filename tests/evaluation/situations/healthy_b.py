"""Half B, healthy: written after the rules were done. Nobody wants to be woken by these runs."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_B: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_B, Want.NOTHING, family)


@healthy("json")
def database_restore(r: Script) -> None:
    """A restore reports gigabytes every minute."""
    r.call("restore_backup", {"restore": "r-2"}, snapshot="2026-03-01")
    for done in (1.2, 4.9, 9.7, 15.2, 22.8, 31.0, 40.0):
        r.call(
            "restore_status",
            {"restore": "r-2", "gigabytes_done": done, "of": 40},
            after=60,
            restore="r-2",
        )
    r.answer("restored")


@healthy("shell")
def terraform_apply_wait(r: Script) -> None:
    """`sleep 20; terraform show` until the instance has an address."""
    for _ in range(5):
        r.call(
            "bash",
            "aws_instance.web: Still creating...",
            took=20,
            command="sleep 20; tail -1 apply.log",
        )
    r.call(
        "bash",
        "aws_instance.web: Creation complete",
        took=20,
        command="sleep 20; tail -1 apply.log",
    )
    r.answer("created")


@healthy("kubernetes")
def drain_node(r: Script) -> None:
    """Pods leave a node one after the other."""
    pods = [f"web-{n}" for n in range(6)]
    r.call("drain_node", "draining", node="n1")
    while pods:
        r.call("list_pods", {"pods": list(pods)}, after=12, node="n1")
        pods.pop()
    r.call("list_pods", {"pods": []}, after=12, node="n1")
    r.answer("drained")


@healthy("sql")
def replication_lag(r: Script) -> None:
    """Replication lag falls, second by second."""
    for lag in (340, 281, 190, 77, 12, 0):
        r.call("query", f"lag_seconds\n{lag}", after=30, sql="SELECT replication_lag()")
    r.answer("in sync")


@healthy("web")
def pipeline_in_browser(r: Script) -> None:
    """A page of a pipeline is reloaded; stages turn green."""
    stages = ["build", "test", "scan", "deploy"]
    for done in range(5):
        text = "\n".join(
            f"{s}: {'passed' if n < done else 'waiting'}" for n, s in enumerate(stages)
        )
        r.call("browse", text, after=45, url="https://ci.example/p/77")
    r.answer("green")


@healthy("json")
def payment_settles(r: Script) -> None:
    """A bank transfer is pending for ten minutes and then settles."""
    r.call("create_transfer", {"id": "tr-1"}, amount=10)
    for _ in range(9):
        r.call("get_transfer", {"id": "tr-1", "status": "pending"}, after=60, id="tr-1")
    r.call("get_transfer", {"id": "tr-1", "status": "settled"}, after=60, id="tr-1")
    r.answer("settled")


@healthy("json")
def review_by_colleague(r: Script) -> None:
    """A pull request waits two days for a review."""
    r.call("open_pull_request", {"number": 8}, title="fix")
    for _ in range(48):
        r.call(
            "get_pull_request",
            {"number": 8, "state": "open", "review": "review required"},
            after=3_500,
            number=8,
        )
    r.call("merge_pull_request", {"merged": True}, number=8)
    r.answer("merged")


@healthy("kubernetes")
def hourly_health(r: Script) -> None:
    """Health every ten minutes for a day."""
    for _ in range(140):
        r.call("get_cluster_health", {"nodes_ready": 5, "nodes": 5}, after=600, cluster="prod")


@healthy("shell")
def tail_of_a_log(r: Script) -> None:
    """A log is followed; each reading has more lines."""
    for lines in range(2, 12):
        text = "\n".join(f"imported record {n}" for n in range(lines))
        r.call("bash", text, after=8, command="tail -n 50 import.log")
    r.answer("imported")


@healthy("json")
def queue_drains_unevenly(r: Script) -> None:
    """A queue's depth goes up and down and finally to zero."""
    for depth in (900, 870, 905, 610, 640, 220, 14, 0):
        r.call("queue_depth", {"messages": depth}, after=20, queue="mail")
    r.answer("empty")


@healthy("files")
def snapshot_tests(r: Script) -> None:
    """Update snapshot, run tests; six times with another component."""
    for name in ("nav", "cart", "menu", "card", "form", "list"):
        r.call("bash", f"1 failed: {name} snapshot", command=f"npx jest {name}")
        r.call("write_file", "ok", path=f"{name}.snap", text=f"<{name}/>")
        r.call("bash", "1 passed", command=f"npx jest {name}")
    r.answer("all pass")


@healthy("files")
def compile_edit_compile(r: Script) -> None:
    """`cargo check` between different edits; the number of errors falls."""
    for left in range(7, 0, -1):
        r.fail(
            "bash",
            f"error: could not compile `app` due to {left} previous errors",
            command="cargo check",
        )
        r.call("edit", "applied", file=f"src/m{left}.rs", patch=f"@@ {left}")
    r.call("bash", "Finished dev profile", command="cargo check")
    r.answer("compiles")


@healthy("files")
def formatting_then_lint(r: Script) -> None:
    """Format and lint after each of five changes."""
    for turn in range(5):
        r.call("apply_patch", "ok", patch=f"+ line {turn}")
        r.call("bash", "1 file reformatted", command="ruff format .")
        r.call("bash", "All checks passed!", command="ruff check .")
    r.answer("done")


@healthy("files")
def large_refactoring(r: Script) -> None:
    """Twenty renames, each followed by a search of what is left."""
    for left in range(20, 0, -1):
        r.call("edit_file", "ok", path=f"f{left}.py", old="foo", new="bar")
        r.call(
            "grep",
            "\n".join(f"f{n}.py: foo" for n in range(1, left)) or "No matches found",
            pattern="foo",
        )
    r.answer("renamed")


@healthy("web")
def network_blips(r: Script) -> None:
    """Each of three pages times out once and then loads."""
    for page in ("a", "b", "c"):
        r.fail("fetch", "timed out after 30 s", took=30, url=f"https://x.example/{page}")
        r.call("fetch", f"text of {page}", url=f"https://x.example/{page}")
    r.answer("read")


@healthy("json")
def lock_is_freed(r: Script) -> None:
    """A lock is held by somebody else, five tries with growing pauses."""
    for pause in (1, 2, 4, 8):
        r.fail("acquire_lock", "409 Conflict: locked by deploy-bot", after=pause, name="prod")
    r.call("acquire_lock", {"ok": True}, after=16, name="prod")
    r.answer("locked")


@healthy("json")
def validation_learned(r: Script) -> None:
    """Three different mistakes in a form, then it is accepted."""
    r.call("create_user", {"success": False, "message": "email missing"}, name="Ann")
    r.call(
        "create_user",
        {"success": False, "message": "password too short"},
        name="Ann",
        email="a@x.example",
        password="1",
    )
    r.call(
        "create_user",
        {"success": True, "id": 71},
        name="Ann",
        email="a@x.example",
        password="long enough",
    )
    r.answer("user 71")


@healthy("sql")
def explore_schema(r: Script) -> None:
    """Ten tables are described one after the other."""
    for number in range(10):
        r.call(
            "describe_table",
            f"id integer\nname{number} text\nvalue{number} numeric",
            table=f"t{number}",
        )
    r.answer("ten tables")


@healthy("sql")
def empty_months(r: Script) -> None:
    """Sales of twelve months; several months have none."""
    for month in range(1, 13):
        rows = "" if month in (1, 2, 7, 8) else f"sum\n{month * 100}"
        r.call("run_report", rows or "0 rows", month=f"2025-{month:02d}")
    r.answer("chart")


@healthy("json")
def tags_for_many(r: Script) -> None:
    """Sixty photos get the same tag."""
    for number in range(60):
        r.call("tag_photo", {"ok": True}, photo=f"p{number}", tag="holiday")
    r.answer("tagged")


@healthy("json")
def delete_old_files(r: Script) -> None:
    """Thirty files are deleted."""
    for number in range(30):
        r.call("delete_file", "deleted", path=f"/tmp/cache/{number}.bin")
    r.answer("deleted")


@healthy("json")
def permissions_of_users(r: Script) -> None:
    """Twenty users are checked; none is an administrator."""
    for number in range(20):
        r.call("get_roles", {"roles": []}, user=f"u{number}")
    r.answer("no administrators")


@healthy("web")
def cursor_paging(r: Script) -> None:
    """Pages by cursor, with other items each."""
    for page in range(15):
        items = [{"id": f"i{page}-{n}", "title": f"title {page} {n}"} for n in range(5)]
        r.call("list_items", {"items": items, "next": f"c{page + 1}"}, cursor=f"c{page}")
    r.answer("75 items")


@healthy("web")
def different_searches(r: Script) -> None:
    """A comparison of eight products, one search each."""
    for name in ("alpha", "beta", "gamma", "delta", "omega", "sigma", "kappa", "zeta"):
        r.call("web_search", f"{name} costs {len(name) * 9} EUR", query=f"price of {name} phone")
    r.answer("alpha is cheapest")


@healthy("json")
def fan_out_reads(r: Script) -> None:
    """Three turns, each with ten reads side by side."""
    for turn in range(3):
        r.think("next ten")
        r.batch("get_row", {f"{turn * 10 + n}": {"v": n} for n in range(10)}, "row")
    r.answer("thirty rows")


@healthy("json")
def sub_agents_with_one_tool(r: Script) -> None:
    """Five sub-agents search each for its own topic, some find nothing."""
    for number in range(5):
        r.agent = f"scout-{number}"
        r.call(
            "search",
            "No results found." if number % 2 else f"fact {number}",
            query=f"history of town {number}",
        )
        r.call("search", f"fact {number} b", query=f"founding of town {number}")
    r.agent = None
    r.answer("summary")


@healthy("json")
def planner_and_worker(r: Script) -> None:
    """A planner hands three tasks to a worker, who does each."""
    for task in ("schema", "api", "page"):
        r.hand_off("planner", "worker", f"build the {task}")
        r.agent = "worker"
        r.call("write_file", "ok", path=f"{task}.py", text=task)
        r.agent = None
        r.hand_off("worker", "planner", f"{task} is done")
    r.answer("done")


@healthy("json")
def chat_support(r: Script) -> None:
    """Ten questions of a customer, each with a look-up."""
    for number in range(10):
        r.user(f"and what about item {number}?")
        r.call("get_item", {"item": number, "stock": 3}, item=number)
        r.think("three in stock")
    r.answer("three in stock")


@healthy("json")
def continue_with_progress(r: Script) -> None:
    """A harness says continue; each turn does the next chapter."""
    for chapter in range(8):
        r.user("continue")
        r.call("write_chapter", "saved", number=chapter, text=f"chapter {chapter}")
    r.answer("eight chapters")


@healthy("json")
def think_often(r: Script) -> None:
    """A think tool between steps."""
    for number in range(7):
        r.call("think", "ok", thought=f"step {number}")
        r.call("get_metric", {"value": number}, name=f"m{number}")
    r.answer("seven metrics")


@healthy("shell")
def long_build(r: Script) -> None:
    """A build takes twenty minutes, its first one, with heartbeats."""
    r.beat(60)
    r.call("bash", "BUILD SUCCESSFUL", took=1_200, command="make all")
    r.answer("built")


@healthy("json")
def one_slow_answer(r: Script) -> None:
    """A call that takes one second takes twenty once."""
    for number in range(8):
        r.call("get_price", {"price": number}, took=20 if number == 5 else 1, item=number)
    r.answer("prices")


@healthy("json")
def one_failed_message(r: Script) -> None:
    """One of six messages is refused; it is sent again to the right channel."""
    r.call("send_message", {"ok": False, "error": "channel_not_found"}, channel="opps")
    for number in range(6):
        r.call("send_message", {"ok": True}, channel=f"ops-{number}")
    r.answer("sent")


@healthy("json")
def agent_without_words(r: Script) -> None:
    """A nightly job ends with its last write and says nothing."""
    r.call("list_backups", {"backups": ["a"]}, bucket="b")
    r.call("delete_backup", {"ok": True}, name="a")
    r.end()


@healthy("json")
def autoscaler_observer(r: Script) -> None:
    """Replicas follow the load."""
    for replicas in (3, 3, 4, 6, 6, 5, 4, 3):
        r.call("get_deployment", {"replicas": replicas, "ready": replicas}, after=90, name="api")
    r.answer("stable")


@healthy("shell")
def certificate_observer(r: Script) -> None:
    """A certificate's remaining days, once a day."""
    for day in range(20):
        r.call("bash", f"expires in {60 - day} days", after=86_000, command="check-cert web")
