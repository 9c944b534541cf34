"""Half E, healthy, runs that wait and watch. Nobody wants to be told of these."""

from __future__ import annotations

from tests.evaluation.situations.healthy_e_work import HEALTHY_E_WORK
from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_E: Collection = [*HEALTHY_E_WORK]


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_E, Want.NOTHING, family)


@healthy("terraform")
def terraform_cloud_run(r: Script) -> None:
    """A remote run goes through its states; somebody confirms it after a quarter of an hour."""
    r.call("tfc_create_run", {"id": "run-CZcmD7eagjhyX0vN", "status": "pending"}, workspace="edge")
    for status in ("pending", "plan_queued", "planning", "planning", "cost_estimating"):
        r.call("tfc_get_run", {"id": "run-CZcmD7eagjhyX0vN", "status": status}, after=20,
               run_id="run-CZcmD7eagjhyX0vN")  # fmt: skip
    for _ in range(3):
        r.call("tfc_get_run", {"id": "run-CZcmD7eagjhyX0vN", "status": "planned",
               "actions": {"is-confirmable": True}}, after=300, run_id="run-CZcmD7eagjhyX0vN")  # fmt: skip
    for status in ("confirmed", "applying", "applying", "applied"):
        r.call("tfc_get_run", {"id": "run-CZcmD7eagjhyX0vN", "status": status}, after=30,
               run_id="run-CZcmD7eagjhyX0vN")  # fmt: skip
    r.answer("The run is applied: 4 to add, 1 to change, 0 to destroy.")


@healthy("snowflake")
def statement_still_executing(r: Script) -> None:
    """A long statement is asked for by its handle; the scanned share creeps up."""
    r.call("snowflake_submit", {"statementHandle": "01b2-0a4c", "code": "333334"},
           sql="create table mart.daily as select …", warehouse="WH_XL")  # fmt: skip
    for number, scanned in enumerate((3.1, 9.8, 9.8, 22.4, 41.0, 58.7, 79.9, 96.2)):
        r.call("snowflake_status", {"code": "333334", "message": "Asynchronous execution in "
               "progress.", "elapsed_ms": 30000 * number + 412, "percentage_scanned": scanned},
               after=30, statementHandle="01b2-0a4c")  # fmt: skip
    r.call("snowflake_status", {"code": "090001", "message": "Statement executed successfully.",
           "rows": 18_220_114}, after=30, statementHandle="01b2-0a4c")  # fmt: skip
    r.answer("mart.daily has 18.2 M rows.")


@healthy("airflow")
def backfill_of_thirty_days(r: Script) -> None:
    """A backfill is watched by its printed summary until nothing is left."""
    for done in (0, 2, 5, 5, 9, 14, 18, 18, 23, 27, 30):
        r.call("airflow_tasks_states", f"[backfill progress] | finished run {done} of 30 | tasks "
               f"waiting: {30 - done} | succeeded: {done * 6} | running: {min(4, 30 - done)} | "
               "failed: 0 | skipped: 0 | deadlocked: 0", after=180, dag_id="sales_daily")  # fmt: skip
    r.answer("Backfill 2026-01-01 to 2026-01-30 is through.")


@healthy("kafka")
def partitions_move(r: Script) -> None:
    """A reassignment is verified every minute; partitions finish one after another."""
    for left in (6, 6, 5, 5, 4, 2, 1, 0):
        lines = [f"Reassignment of partition orders-{n} is still in progress." for n in range(left)]
        lines += [f"Reassignment of partition orders-{n} is completed." for n in range(left, 6)]
        r.call("Bash", "Status of partition reassignment:\n" + "\n".join(lines), after=60,
               command="kafka-reassign-partitions.sh --verify --reassignment-json-file move.json")  # fmt: skip
    r.answer("All six partitions are on the new brokers.")


@healthy("kafka")
def lag_falls_with_a_bump(r: Script) -> None:
    """The lag of a group falls, rises for a while at the full hour, and reaches zero."""
    for lag in (48210, 39877, 31040, 33915, 35002, 26110, 15007, 6120, 811, 0):
        r.call("kafka_describe_group", f"GROUP    TOPIC   PARTITION  CURRENT-OFFSET  LAG\n"
               f"billing  orders  0          {990000 - lag}          {lag}", after=90,
               group="billing")  # fmt: skip
    r.answer("billing has caught up.")


@healthy("vault")
def lease_renewed_through_the_night(r: Script) -> None:
    """A long export renews its database lease each half hour, with one answer but for its id."""
    for number in range(14):
        r.call("vault_lease_renew", {"request_id": f"{7919 * number + 11:08x}", "renewable": True,
               "lease_id": "database/creds/export/h7Gq", "lease_duration": 3600},
               lease_id="database/creds/export/h7Gq", increment=3600)  # fmt: skip
        r.call("export_table", f"COPY {210_334 + 977 * number}", after=5, took=1700,
               table=f"events_p{number:02d}")  # fmt: skip
    r.answer("Fourteen partitions exported.")


@healthy("jira")
def change_waits_for_its_approvers(r: Script) -> None:
    """A change request waits for people from Friday to Monday; it is looked at each six hours."""
    r.call("jira_create_issue", {"key": "CHG-4410"}, project="CHG", summary="Rotate edge keys")
    for _ in range(11):
        r.call("jira_get_issue", {"key": "CHG-4410", "status": "Awaiting CAB approval",
               "approvals": 0}, after=21_600, issue="CHG-4410")  # fmt: skip
    r.call("jira_get_issue", {"key": "CHG-4410", "status": "Approved", "approvals": 2},
           after=21_600, issue="CHG-4410")  # fmt: skip
    r.call("rotate_keys", {"rotated": 8}, took=40, scope="edge")
    r.call("jira_transition_issue", "204 No Content", issue="CHG-4410", to="Done")
    r.answer("CHG-4410 is done.")


@healthy("canary")
def canary_by_five_steps(r: Script) -> None:
    """A canary takes more and more traffic; its error rate is read thrice at each weight."""
    for weight in (5, 10, 25, 50, 100):
        r.call("argo_rollouts_set_weight", f"rollout 'checkout' weight set to {weight}",
               rollout="checkout", weight=weight)  # fmt: skip
        for sample in range(3):
            r.call("prometheus_query", {"status": "success", "data": {"result": [
                   {"value": [1772442000 + 60 * sample, "0.0011"]}]}}, after=60,
                   query='rate(errors_total{app="checkout",track="canary"}[5m])')  # fmt: skip
    r.answer("checkout 3.14 is fully rolled out.")


@healthy("pagerduty")
def night_shift(r: Script) -> None:
    """A watcher lists open incidents each half hour for two days; one comes and is triaged."""
    for number in range(96):
        found = [{"id": "Q1XZ", "title": "disk 91% on db-4"}] if number == 61 else []
        r.call("mcp__pagerduty__list_incidents", {"incidents": found, "limit": 25, "more": False},
               after=1800, statuses=["triggered"], urgency="high")  # fmt: skip
        if found:
            r.call("mcp__pagerduty__add_note", {"note": {"id": "PN8"}}, incident_id="Q1XZ",
                   content="WAL of a stopped replica; slot dropped.")  # fmt: skip


@healthy("s3")
def glacier_restore(r: Script) -> None:
    """An archived object takes four hours to come back, as its tier says."""
    r.call("aws_s3_restore_object", "202 Accepted", bucket="ledger", key="2019/q3.tar", tier="Bulk")
    for _ in range(6):
        r.call("aws_s3_head_object", {"StorageClass": "GLACIER",
               "Restore": 'ongoing-request="true"'}, after=2400, bucket="ledger",
               key="2019/q3.tar")  # fmt: skip
    r.call("aws_s3_head_object", {"Restore": 'ongoing-request="false", expiry-date="Fri, 06 Mar '
           '2026 00:00:00 GMT"'}, after=2400, bucket="ledger", key="2019/q3.tar")  # fmt: skip
    r.call(
        "aws_s3_cp", "download: s3://ledger/2019/q3.tar to ./q3.tar", took=300, key="2019/q3.tar"
    )
    r.answer("The archive is here.")


@healthy("batch")
def batch_of_translations(r: Script) -> None:
    """A batch job with a provider goes from validating to completed in forty minutes."""
    r.call("batches_create", {"id": "batch_69a5", "status": "validating"}, file="file-7Qw")
    done = (0, 0, 1210, 3377, 3377, 6092, 9987, 10000)
    states = ("validating", *["in_progress"] * 5, "finalizing", "completed")
    for state, count in zip(states, done, strict=True):
        r.call("batches_retrieve", {"id": "batch_69a5", "status": state, "request_counts":
               {"total": 10000, "completed": count, "failed": 0}}, after=300, id="batch_69a5")  # fmt: skip
    r.answer("10000 segments are translated.")


@healthy("robot")
def cart_drives_to_its_dock(r: Script) -> None:
    """A cart reports its pose while it drives; it stands still at a red light of the hall."""
    r.call("nav2_send_goal", {"accepted": True, "goal_id": "9f1c"}, x=14.2, y=3.0)
    for metres in (11.9, 9.4, 7.0, 7.0, 7.0, 4.4, 1.8, 0.1):
        r.call("nav2_feedback", {"distance_remaining_m": metres, "recoveries": 0,
               "battery": 0.81, "stamp": 1772442000.1 + metres}, after=4, goal_id="9f1c")  # fmt: skip
    r.answer("Docked.")


@healthy("dbt")
def dbt_cloud_job(r: Script) -> None:
    """A job of dbt Cloud is followed by its log, which names the model it works on."""
    for number in (1, 17, 40, 66, 66, 91, 118, 130):
        r.call("dbt_cloud_get_run", f"09:{number // 4:02d}:12  {number} of 130 START sql table "
               f"model mart.m_{number} ... [RUN]", after=45, run_id=70403)  # fmt: skip
    r.call("dbt_cloud_get_run", "Done. PASS=130 WARN=0 ERROR=0 SKIP=0 TOTAL=130", after=45,
           run_id=70403)  # fmt: skip
    r.answer("130 models built.")


@healthy("logs")
def tail_of_a_quiet_service(r: Script) -> None:
    """A tail is read on with its token while a release runs; most lines look alike."""
    for number in range(16):
        r.call("logs_tail", {"events": [f"09:{number:02d}:04Z GET /healthz 200 {3 + number % 3}ms"],
               "nextToken": f"f/{3861 + number:x}"}, after=60,
               group="/ecs/pay", token=f"f/{3860 + number:x}")  # fmt: skip
    r.answer("Nothing but health checks for a quarter of an hour after the release.")


@healthy("elastic")
def reindex_task(r: Script) -> None:
    """A reindex task is asked for its counters until it has completed."""
    for created in (0, 41_000, 88_000, 131_000, 131_000, 190_000, 240_000):
        r.call("es_get_task", {"completed": False, "task": {"running_time_in_nanos": created * 9871,
               "status": {"total": 254_118, "created": created, "version_conflicts": 0}}},
               after=40, task_id="oTUltX4I:12345")  # fmt: skip
    r.call("es_get_task", {"completed": True, "response": {"created": 254_118, "failures": []}},
           after=40, task_id="oTUltX4I:12345")  # fmt: skip
    r.answer("Reindexed.")


@healthy("github")
def secondary_rate_limit(r: Script) -> None:
    """A server says slow down; the agent doubles its waits and gets through."""
    for page in range(1, 4):
        r.call("mcp__github__search_code", {"total_count": 211, "items": [f"src/p{page}.go"]},
               q="org:acme x509", page=page)  # fmt: skip
    for wait_s in (15, 30, 60, 120):
        r.fail("mcp__github__search_code", "403 You have exceeded a secondary rate limit. Request "
               f"ID C0DE:{wait_s * 7919:X}", after=wait_s, q="org:acme x509", page=4)  # fmt: skip
    for page in range(4, 8):
        r.call("mcp__github__search_code", {"total_count": 211, "items": [f"src/p{page}.go"]},
               after=240 if page == 4 else 10, q="org:acme x509", page=page)  # fmt: skip
    r.answer("211 hits in 34 repositories.")


@healthy("notebook")
def epochs_in_a_notebook(r: Script) -> None:
    """One cell is run again for each epoch; the loss falls slowly and then hardly."""
    for epoch, loss in enumerate((2.31, 1.72, 1.40, 1.22, 1.13, 1.08, 1.06, 1.05, 1.05, 1.04)):
        r.call("jupyter_run_cell", f"epoch {epoch}: 100%|##########| 391/391 [02:0{epoch % 10}"
               f"<00:00, 3.1it/s, loss={loss}]", took=125, cell=12)  # fmt: skip
    r.answer("Ten epochs, validation loss 1.04.")


@healthy("dns")
def record_reaches_the_resolvers(r: Script) -> None:
    """Four resolvers are asked until each knows the new address."""
    for number in range(5):
        for place, server in enumerate(("1.1.1.1", "8.8.8.8", "9.9.9.9", "208.67.222.222")):
            address = "203.0.113.9" if number > place else "198.51.100.4"
            r.call("shell", f"shop.example.com. {290 - 60 * number} IN A {address}",
                   after=60 if place == 0 else 1, cmd=f"dig +noall +ans shop.example.com @{server}")  # fmt: skip
    r.answer("All resolvers agree.")


@healthy("game")
def guard_on_patrol(r: Script) -> None:
    """A guard of a game walks between two gates until the thief shows; that is its job."""
    for number in range(12):
        gate = "north" if number % 2 == 0 else "south"
        r.call(
            "npc.walk_to", {"tick": 400 + 31 * number, "arrived": gate}, after=3, took=8, to=gate
        )
        r.call("npc.look", {"tick": 409 + 31 * number, "sees": ["lamp", "wall", "cat"][number % 3:],
               "threat": None}, fov=120)  # fmt: skip
    r.call("npc.look", {"tick": 790, "sees": ["thief"], "threat": "thief"}, fov=120)
    r.call("npc.shout", {"heard_by": 3}, line="Halt!")
    r.answer("The thief is caught.")


@healthy("iot")
def greenhouse_over_a_day(r: Script) -> None:
    """Temperature is read each ten minutes; the vent is set when it needs to be."""
    for number in range(60):
        celsius = round(19.5 + (number % 30) / 6, 1)
        r.call("mqtt_read", {"topic": "gh/2/temp", "payload": celsius, "retained": False},
               after=590, topic="gh/2/temp")  # fmt: skip
        if number % 30 in (20, 0):
            r.call("mqtt_publish", "PUBACK", topic="gh/2/vent", payload=30 * (number % 30 == 20))


@healthy("iot")
def firmware_over_the_air(r: Script) -> None:
    """A fleet takes new firmware in waves; slow devices come in last."""
    for updated in (0, 3, 11, 24, 24, 31, 38, 39, 39, 40):
        r.call("iot_describe_job", {"jobProcessDetails": {"numberOfSucceededThings": updated,
               "numberOfInProgressThings": 40 - updated, "numberOfFailedThings": 0}}, after=300,
               jobId="fw-2.9.1")  # fmt: skip
    r.answer("40 of 40 run 2.9.1.")


@healthy("zendesk")
def customer_is_slow(r: Script) -> None:
    """A customer is asked for a log; her answer comes the next day."""
    r.call("zendesk_reply", {"audit": {"id": 35436}}, ticket=881, body="Please send the log.")
    for _ in range(8):
        r.call(
            "zendesk_get_comments", {"count": 2, "last_author": "agent"}, after=10_800, ticket=881
        )
    r.call("zendesk_get_comments", {"count": 3, "last_author": "m.ito"}, after=3600, ticket=881)
    r.call("zendesk_get_attachment", "ERR 0x80070005 at step 7", id=5561)
    r.call("zendesk_reply", {"audit": {"id": 35497}}, ticket=881, body="Run it as administrator.")
    r.answer("Answered.")


@healthy("loadtest")
def same_metric_while_load_rises(r: Script) -> None:
    """Latency is sampled on purpose at each load; it stays flat, which is the good news."""
    for users in range(100, 1100, 100):
        r.call("k6_set_vus", f"vus={users}", after=5, vus=users)
        r.call("cloudwatch_get_metric", "Datapoints: p99 = 182 ms (Unit: Milliseconds)", after=60,
               namespace="AWS/ApplicationELB", metric="TargetResponseTime", stat="p99")  # fmt: skip
    r.answer("p99 stays at 182 ms up to 1000 users.")


@healthy("postgres")
def vacuum_full_is_slow(r: Script) -> None:
    """A vacuum reports the blocks it has scanned; an hour passes in one phase."""
    for blocks in range(0, 1_100_000, 91_003):
        r.call("psql", f" pid  |     phase     | heap_blks_scanned | heap_blks_total\n 4112 | "
               f"scanning heap | {blocks} | 1092036\n(1 row)", after=300,
               sql="select * from pg_stat_progress_vacuum")  # fmt: skip
    r.call("psql", "(0 rows)", after=300, sql="select * from pg_stat_progress_vacuum")
    r.answer("The vacuum is through.")


@healthy("notebook")
def cell_with_new_errors(r: Script) -> None:
    """A cell fails for a different reason after each repair, and then works."""
    for error in ("KeyError: 'qty'", "ValueError: could not convert string to float: '1,5'",
                  "MergeError: keys are not unique in right", "TypeError: NaT + int"):  # fmt: skip
        r.fail("notebook_execute", f"{error}\n<ipython-input-{len(error)}>", cell_id="c7")
        r.call("notebook_edit", "cell updated", cell_id="c7", source=f"# against {error}")
    r.call("notebook_execute", "       qty   net\n2026-01  91  4410.2", took=8, cell_id="c7")
    r.answer("January: 4410.20 net.")


@healthy("reading")
def manual_in_pieces(r: Script) -> None:
    """A manual of nine pieces is read by offset."""
    for number in range(9):
        r.call("Read", f"{2000 * number + 1}\tChapter {number}: valves of series {number * 11}\n"
               f"{2000 * number + 2}\tTorque {40 + number} Nm", file_path="/m/manual.txt",
               offset=2000 * number, limit=2000)  # fmt: skip
    r.answer("The torque of valve series 44 is 44 Nm.")
