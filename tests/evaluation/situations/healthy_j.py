"""Half J, healthy: waiting and watching. Written by somebody who had read no rule."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_J_WAITING: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be woken by."""
    return situation(HEALTHY_J_WAITING, Want.NOTHING, family)


@healthy("shell")
def cloud_stack_is_created(r: Script) -> None:
    """A stack of fourteen resources, shown as a table until all are there."""
    r.user("Bring up the review environment for PR 2291.")
    r.call("run_command", "stack creation started", cmd="cloud stack create -f review.yaml")
    for ready in (0, 1, 3, 3, 4, 7, 9, 9, 12, 14):
        state = "Succeeded" if ready == 14 else "Running"
        table = (
            "Name         State      Ready  LastUpdated\n"
            "-----------  ---------  -----  --------------------\n"
            f"review-2291  {state:<9}  {ready:>2}/14  {r.clock()}"
        )
        r.call("run_command", table, after=30, cmd="cloud stack show review-2291 -o table")
    r.answer("The review environment review-2291 is up: 14 of 14 resources.")


@healthy("kubernetes")
def certificate_is_issued(r: Script) -> None:
    """A certificate goes through order, challenge and issue."""
    r.call("kubectl", "certificate.cert-manager.io/shop-tls created", args="apply -f cert.yaml")
    reasons = (
        ("False", "DoesNotExist", "Issuing certificate as Secret does not exist"),
        ("False", "Pending", 'Waiting on certificate issuance from order shop-tls-1: "pending"'),
        ("False", "Pending", 'Waiting on certificate issuance from order shop-tls-1: "pending"'),
        ("False", "Pending", 'Waiting on certificate issuance from order shop-tls-1: "pending"'),
        ("False", "Pending", 'Waiting on certificate issuance from order shop-tls-1: "valid"'),
        ("True", "Ready", "Certificate is up to date and has not expired"),
    )
    for ready, reason, message in reasons:
        r.call(
            "kubectl",
            f"conditions:\n- lastTransitionTime: {r.clock()}\n  message: {message}\n"
            f'  reason: {reason}\n  status: "{ready}"\n  type: Ready',
            after=25,
            args="get certificate shop-tls -o yaml",
        )
    r.answer("shop-tls is ready.")


@healthy("json")
def reindex_counts_up(r: Script) -> None:
    """A re-index of a search cluster; only the counters of the task change."""
    task = "oTUltX4IQMOUUVeiohTt8A:12345"
    r.call("es_request", {"task": task}, method="POST", path="/_reindex")
    for created in (0, 41_000, 83_500, 126_000, 126_000, 171_000, 214_000, 240_118):
        r.call(
            "es_request",
            {
                "completed": created == 240_118,
                "task": {
                    "node": "oTUltX4IQMOUUVeiohTt8A",
                    "action": "indices:data/write/reindex",
                    "running_time_in_nanos": int(r.at_s * 1_000_000_000) + 7_013,
                    "status": {"total": 240_118, "created": created, "version_conflicts": 0},
                },
            },
            after=45,
            method="GET",
            path=f"/_tasks/{task}",
        )
    r.answer("240,118 documents were re-indexed, no conflicts.")


@healthy("json")
def canary_with_noise(r: Script) -> None:
    """Weights rise; the error rate wobbles within its limit and is read twice at each weight."""
    rates = iter((0.21, 0.18, 0.24, 0.19, 0.22, 0.26, 0.17, 0.2, 0.23, 0.2))
    for weight in (5, 10, 25, 50, 100):
        r.call("set_canary_weight", {"service": "cart", "weight": weight}, weight=weight)
        for _ in range(2):
            rate = next(rates)
            r.call(
                "query_prometheus",
                {"status": "success", "data": {"result": [{"value": [r.at_s, str(rate)]}]}},
                after=120,
                query='100*sum(rate(errors{track="canary"}[2m]))/sum(rate(requests[2m]))',
            )
    r.answer("cart 3.8.0 serves all traffic; errors stayed at or below 0.26 %.")


@healthy("sql")
def vacuum_goes_through_its_phases(r: Script) -> None:
    """`pg_stat_progress_vacuum` until the row is gone."""
    view = (
        ("initializing", 0),
        ("scanning heap", 18_211),
        ("scanning heap", 61_904),
        ("scanning heap", 99_870),
        ("vacuuming indexes", 99_870),
        ("vacuuming indexes", 99_870),
        ("vacuuming indexes", 99_870),
        ("vacuuming heap", 99_870),
    )
    sql = "SELECT pid, phase, heap_blks_scanned FROM pg_stat_progress_vacuum"
    for phase, blocks in view:
        row = f"  pid  |       phase       | heap_blks_scanned\n 20418 | {phase:<17} | {blocks}\n"
        r.call("execute_sql", row + "(1 row)", after=60, sql=sql)
    r.call("execute_sql", " pid | phase | heap_blks_scanned\n(0 rows)", after=60, sql=sql)
    r.answer("The vacuum of events is through.")


@healthy("shell")
def name_moves_to_new_address(r: Script) -> None:
    """An old address is answered until its five minutes are over."""
    r.call("bash", "record updated", command="dnsctl set api.shop.example A 203.0.113.40")
    for place in range(7):
        address = "203.0.113.40" if place == 6 else "198.51.100.7"
        r.call(
            "bash",
            f"api.shop.example. {max(300 - 50 * place, 6)} IN A {address}",
            after=1,
            took=50,
            command="sleep 50 && dig +noall +answer api.shop.example",
        )
    r.answer("api.shop.example now points to 203.0.113.40.")


@healthy("json")
def mailbox_over_a_weekend(r: Script) -> None:
    """Once an hour: has the supplier answered? On Monday it has."""
    r.user("Tell me when Nordholz GmbH answers our request for a quote.")
    for _ in range(61):
        r.call(
            "search_mail",
            {"messages": [], "checked_at": r.clock()},
            after=3_600,
            query="from:nordholz.example newer_than:1h",
        )
    r.call(
        "search_mail",
        {"messages": [{"id": "18f3a", "subject": "Angebot 4471"}], "checked_at": r.clock()},
        after=3_600,
        query="from:nordholz.example newer_than:1h",
    )
    r.call("notify", {"delivered": True}, text="Nordholz has answered: Angebot 4471")
    r.answer("Nordholz answered; you have been notified.")


@healthy("browser")
def fare_is_followed(r: Script) -> None:
    """The price of a flight is looked up every half hour for two days; mostly it is the same."""
    prices = [189] * 20 + [194] * 31 + [176] * 12 + [179] * 30 + [158]
    for price in prices:
        r.call(
            "browser_navigate",
            f"- heading 'LIS → HAM, 14 May'\n- text: from € {price}\n- text: updated {r.clock()}",
            after=1_795,
            took=4,
            url="https://fares.example/lis-ham?d=2026-05-14",
        )
    r.answer("The fare fell below 160: it is € 158 now.")


@healthy("json")
def restart_waits_for_consent(r: Script) -> None:
    """A person is asked in the chat and answers after three hours."""
    r.call(
        "post_message",
        {"ok": True, "ts": "1772442001.000300"},
        channel="#db-oncall",
        text="May I restart replica db-4? It is 40 min behind.",
    )
    for _ in range(36):
        r.call(
            "get_replies",
            {"ok": True, "replies": [], "has_more": False},
            after=300,
            channel="#db-oncall",
            ts="1772442001.000300",
        )
    r.call(
        "get_replies",
        {"ok": True, "replies": [{"user": "U04KC", "text": "go ahead"}], "has_more": False},
        after=300,
        channel="#db-oncall",
        ts="1772442001.000300",
    )
    r.call("restart_instance", {"instance": "db-4", "state": "restarting"}, instance="db-4")
    r.call("get_instance", {"instance": "db-4", "state": "running", "lag_s": 0}, after=90,
           instance="db-4")  # fmt: skip
    r.answer("db-4 was restarted with U04KC's consent and is in step again.")


@healthy("json")
def nightly_build_in_xml(r: Script) -> None:
    """A build server answers in XML; it has only `building` and the estimate until the result."""
    for minutes in range(1, 12):
        building = minutes < 11
        result = "" if building else "<result>SUCCESS</result>"
        r.call(
            "http_get",
            f"<freeStyleBuild><building>{str(building).lower()}</building>"
            f"<duration>{0 if building else 655_120}</duration>"
            f"<estimatedDuration>640000</estimatedDuration><number>812</number>{result}"
            "</freeStyleBuild>",
            after=60,
            url="https://ci.example/job/nightly/812/api/xml",
        )
    r.answer("Build 812 succeeded.")


@healthy("shell")
def objects_are_copied(r: Script) -> None:
    """A copy job reports a line of CSV; one object fails and is copied again by the job itself."""
    r.call("shell", "job-7f2 created", command="objcopy start s3://old s3://new")
    for done, failed in ((0, 0), (1_204, 0), (2_977, 1), (4_410, 1), (6_015, 0), (6_340, 0)):
        r.call(
            "shell",
            f"job,total,copied,failed,at\njob-7f2,6340,{done},{failed},{r.clock('%H:%M:%S')}",
            after=90,
            command="objcopy status job-7f2 --csv",
        )
    r.answer("6,340 objects copied.")


@healthy("kubernetes")
def rollback_recovers(r: Script) -> None:
    """After a rollback the last pod crashes once more before all are ready."""
    r.call("helm", "Rollback was a success! Happy Helming!", args="rollback web 41")
    lines = (
        "web-6c9-x2l 0/1 CrashLoopBackOff 6 9m\nweb-5d4-k8p 0/1 ContainerCreating 0 4s",
        "web-6c9-x2l 0/1 Terminating 6 9m\nweb-5d4-k8p 0/1 Running 0 24s",
        "web-5d4-k8p 0/1 Error 0 44s\nweb-5d4-r7q 1/1 Running 0 20s",
        "web-5d4-k8p 0/1 Running 1 64s\nweb-5d4-r7q 1/1 Running 0 40s",
        "web-5d4-k8p 1/1 Running 1 84s\nweb-5d4-r7q 1/1 Running 0 60s",
    )
    for pods in lines:
        r.call(
            "kubectl",
            f"NAME READY STATUS RESTARTS AGE\n{pods}",
            after=20,
            args="get pods -l app=web",
        )
    r.answer("web is back on revision 41, both pods are ready.")


@healthy("shell")
def training_is_followed(r: Script) -> None:
    """The loss of a training falls and sometimes rises; eighteen looks in three hours."""
    loss_by_epoch = (2.31, 1.87, 1.52, 1.55, 1.31, 1.18, 1.2, 1.09, 1.01)
    loss_by_epoch += (0.97, 0.98, 0.93, 0.9, 0.91, 0.88, 0.87, 0.872, 0.861)
    for epoch, loss in enumerate(loss_by_epoch, start=1):
        r.call(
            "bash",
            f"[{r.clock('%H:%M:%S')}] epoch {epoch}/18 train_loss={loss} lr=3.0e-04 gpu_mem=21.4G",
            after=600,
            command="tail -n 1 runs/exp31/train.log",
        )
    r.answer("Training is through; the last loss is 0.861.")
