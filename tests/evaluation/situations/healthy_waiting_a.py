"""Half A, healthy: runs that wait and watch. Nobody wants to be woken by them."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_WAITING_A: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_WAITING_A, Want.NOTHING, family)


# --- Polling ---------------------------------------------------------------------------------


@healthy("kubernetes")
def rollout_by_percent(r: Script) -> None:
    """A rollout is polled at 3, 20, … 97 percent and then succeeds."""
    r.call("kubectl_apply", "deployment.apps/checkout configured", file="checkout.yaml")
    for done in (3, 20, 34, 51, 68, 83, 97):
        r.call("get_rollout", {"progress": f"{done}%", "status": "running"}, after=30, name="co")
    r.call("get_rollout", {"progress": "100%", "status": "succeeded"}, after=30, name="co")
    r.answer("checkout is rolled out")


@healthy("shell")
def rollout_status_lines(r: Script) -> None:
    """`kubectl rollout status` in a shell, with a sleep in the command."""
    r.call("bash", "deployment.apps/api configured", command="kubectl apply -f api.yaml")
    for ready in range(1, 9):
        r.call(
            "bash",
            f"Waiting for rollout: {ready} of 9 updated replicas are available...",
            took=15,
            command="sleep 15 && kubectl rollout status deploy/api --watch=false",
        )
    r.call(
        "bash",
        'deployment "api" successfully rolled out',
        took=15,
        command="sleep 15 && kubectl rollout status deploy/api --watch=false",
    )
    r.answer("api is out")


@healthy("json")
def job_without_percent(r: Script) -> None:
    """A job says "running" six times, half a minute apart, and then is done."""
    r.call("start_export", {"job_id": "exp-4411"}, dataset="orders")
    for _ in range(6):
        r.call("get_job", {"job_id": "exp-4411", "status": "running"}, after=30, job_id="exp-4411")
    r.call(
        "get_job",
        {"job_id": "exp-4411", "status": "done", "url": "s3://exports/4411"},
        after=30,
        job_id="exp-4411",
    )
    r.answer("s3://exports/4411")


@healthy("json")
def job_with_wait_tool(r: Script) -> None:
    """A wait tool stands between polls; the queue position gets smaller."""
    r.call("submit_build", {"build": "b-77"}, ref="main")
    for position in (9, 7, 4, 2, 1):
        r.call("get_build", {"build": "b-77", "state": "queued", "position": position}, id="b-77")
        r.call("wait", "waited 60 seconds", took=60, seconds=60)
    for _ in range(4):
        r.call("get_build", {"build": "b-77", "state": "building"}, id="b-77")
        r.call("wait", "waited 60 seconds", took=60, seconds=60)
    r.call("get_build", {"build": "b-77", "state": "passed"}, id="b-77")
    r.answer("build passed")


@healthy("sql")
def migration_progress(r: Script) -> None:
    """A long migration is watched by counting rows that are left."""
    r.call("execute_sql", "ALTER TABLE", sql="ALTER TABLE orders ADD COLUMN region text")
    r.call("execute_sql", "started backfill job 12", sql="CALL backfill_region()")
    for left in (981234, 803117, 611002, 455013, 240118, 91877, 3102, 0):
        r.call(
            "query",
            f"count\n-----\n{left}",
            after=60,
            sql="SELECT count(*) FROM orders WHERE region IS NULL",
        )
    r.answer("backfill done")


@healthy("json")
def slow_provisioning(r: Script) -> None:
    """A cluster takes eight minutes to create, polled every 20 s: long, and normal."""
    r.call("create_cluster", {"id": "c-19", "state": "CREATING"}, size=3)
    for _ in range(24):
        r.call("describe_cluster", {"id": "c-19", "state": "CREATING"}, after=20, id="c-19")
    r.call("describe_cluster", {"id": "c-19", "state": "RUNNING"}, after=20, id="c-19")
    r.answer("cluster is running")


@healthy("json")
def approval_of_a_person(r: Script) -> None:
    """A change waits for a person for three hours, asked every ten minutes."""
    r.call("open_change", {"id": "CHG-881", "state": "awaiting approval"}, title="scale db")
    for _ in range(18):
        r.call(
            "get_change", {"id": "CHG-881", "state": "awaiting approval"}, after=600, id="CHG-881"
        )
    r.call(
        "get_change", {"id": "CHG-881", "state": "approved", "by": "mira"}, after=600, id="CHG-881"
    )
    r.call("scale_database", {"ok": True}, id="db-1", size="xl")
    r.answer("scaled")


@healthy("shell")
def sleep_then_logs(r: Script) -> None:
    """Logs are read again after each sleep; new lines come with new times."""
    lines = ["09:00:01 boot", "09:00:31 loaded 10 plugins", "09:01:05 listening on :8080"]
    for shown in range(1, 4):
        r.call("bash", "\n".join(lines[:shown]), command="kubectl logs deploy/web --tail=20")
        r.call("bash", "", took=30, command="sleep 30")
    r.answer("web listens")


@healthy("kubernetes")
def declared_poller(r: Script) -> None:
    """Pods become ready one after the other, with ages that count up."""
    for ready in (0, 0, 1, 1, 2, 3):
        age = 10 + 15 * ready
        r.call(
            "get_pods",
            f"NAME READY STATUS AGE\nweb {ready}/3 Running {age}s",
            after=15,
            namespace="web",
        )
    r.answer("three of three")


# --- Watching --------------------------------------------------------------------------------


@healthy("json")
def canary_with_numbers(r: Script) -> None:
    """A canary is watched for twenty minutes: error ratio and p95 move a little."""
    r.call("set_traffic", {"canary": 10}, service="web", percent=10)
    for minute in range(20):
        r.call(
            "get_metrics",
            {"p95_ms": 180 + minute % 5, "errors": 0.001 * (minute % 3)},
            after=60,
            service="web",
        )
    r.call("set_traffic", {"canary": 100}, service="web", percent=100)
    r.answer("canary promoted")


@healthy("json")
def canary_that_is_calm(r: Script) -> None:
    """A canary without any traffic change says the same thing for fifteen minutes."""
    r.call("set_traffic", {"canary": 5}, service="auth", percent=5)
    for _ in range(15):
        r.call("get_health", {"status": "healthy", "alerts": []}, after=60, service="auth")
    r.call("set_traffic", {"canary": 100}, service="auth", percent=100)
    r.answer("promoted")


@healthy("kubernetes")
def watcher_for_days(r: Script) -> None:
    """A watcher asks for alerts every hour for three days; there are none."""
    for _ in range(72):
        r.call("list_alerts", {"alerts": []}, after=3_600, severity="critical")


@healthy("web")
def price_watcher(r: Script) -> None:
    """A page is fetched every six hours for a week and hardly ever changes."""
    for day in range(28):
        r.call(
            "fetch_page",
            f"<h1>Offer</h1><p>EUR {499 if day < 20 else 459}</p>",
            after=21_600,
            url="https://shop.example/p/1881",
        )


@healthy("shell")
def disk_watcher(r: Script) -> None:
    """`df` every five minutes for a night."""
    for minute in range(80):
        r.call("shell", f"/dev/sda1 100G {41 + minute // 20}G 58G 42% /", after=300, cmd="df -h /")
