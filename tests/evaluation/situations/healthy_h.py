"""Half H, healthy runs that wait and poll; written by somebody who had not read the rules."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_H_WAITING: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_H_WAITING, Want.NOTHING, family)


@healthy("aws")
def certificate_pending_for_half_an_hour(r: Script) -> None:
    """ACM says PENDING_VALIDATION fourteen times, since the record has only just been made."""
    arn = "arn:aws:acm:eu-west-1:224466880011:certificate/5b0d7c1e-8c41-4a53-9d0c-3e1f7a2b9c10"
    r.user("We need TLS on pay.lumen.example before the launch on Wednesday.")
    r.call("use_aws", {"CertificateArn": arn}, service="acm", operation="request_certificate",
           DomainName="pay.lumen.example", ValidationMethod="DNS")  # fmt: skip
    r.call("use_aws", {"ChangeInfo": {"Id": "/change/C0283919HV2", "Status": "PENDING"}},
           service="route53", operation="change_resource_record_sets", Action="UPSERT",
           Name="_7c1e8c414a53.pay.lumen.example.", Type="CNAME")  # fmt: skip
    for _ in range(14):
        r.call("use_aws", {"Certificate": {"CertificateArn": arn, "Status": "PENDING_VALIDATION",
               "DomainValidationOptions": [{"ValidationStatus": "PENDING_VALIDATION"}]}}, after=120,
               service="acm", operation="describe_certificate", CertificateArn=arn)  # fmt: skip
    r.call("use_aws", {"Certificate": {"CertificateArn": arn, "Status": "ISSUED",
           "IssuedAt": "2026-03-02T09:31:02Z", "DomainValidationOptions":
           [{"ValidationStatus": "SUCCESS"}]}}, after=120, service="acm",
           operation="describe_certificate", CertificateArn=arn)  # fmt: skip
    r.answer("The certificate for pay.lumen.example was issued at 09:31 UTC.")


@healthy("dns")
def resolvers_follow_one_by_one(r: Script) -> None:
    """The old address is served until the TTL is over; one resolver after the other has the new."""
    old, new = "203.0.113.10", "198.51.100.77"
    r.call("cf_update_record", {"success": True, "errors": [], "result": {"id": "372e6795",
           "name": "shop.kestrel.example", "type": "A", "content": new, "ttl": 3600}},
           zone="kestrel.example", name="shop", content=new)  # fmt: skip
    resolvers = ("1.1.1.1", "8.8.8.8", "9.9.9.9", "208.67.222.222")
    for since in (0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4):
        r.batch("dig", {name: f"shop.kestrel.example. {3600 - 340 * since} IN A "
                f"{new if place < since else old}" for place, name in enumerate(resolvers)},
                key="server")  # fmt: skip
        r.beat(420)
    r.call("http_head", "HTTP/2 200\nserver: envoy\nx-cluster: fra-2",
           url="https://shop.kestrel.example/healthz")  # fmt: skip
    r.answer("All four public resolvers return 198.51.100.77 and the new cluster answers.")


@healthy("argo-rollouts")
def canary_whose_numbers_go_up_and_down(r: Script) -> None:
    """Errors and p99 rise and fall within the budget at each step; every step is promoted."""
    numbers = ((0.11, 212), (0.19, 240), (0.08, 205), (0.21, 251), (0.14, 219), (0.09, 208),
               (0.17, 233), (0.12, 247), (0.22, 229), (0.10, 214))  # fmt: skip
    for weight in (5, 20, 50):
        r.call("argo_set_weight", f"rollout 'checkout' image updated\n  Weight: {weight}\n"
               "  Status: ॥ Paused", rollout="checkout", weight=weight)  # fmt: skip
        for errors, p99 in numbers[: 6 + weight // 10]:
            r.call("promql", {"status": "success", "data": {"resultType": "vector", "result": [
                   {"metric": {"track": "canary"}, "value": [1772442000 + int(r.at_s), f"{errors}"]},
                   {"metric": {"track": "canary", "quantile": "0.99"},
                    "value": [1772442000 + int(r.at_s), f"{p99 + weight / 10}"]}]}}, after=60,
                   query='checkout:error_pct{track="canary"} or checkout:p99_ms{track="canary"}')  # fmt: skip
        r.think(f"Errors stay under 0.5 % and p99 under 300 ms at {weight} %. Promote.")
    r.call("argo_promote", "rollout 'checkout' fully promoted\n  Status: ✔ Healthy",
           rollout="checkout", full=True)  # fmt: skip
    r.answer("checkout 4.18.0 is at 100 %; the error rate never passed 0.22 %.")


@healthy("slurm")
def job_waits_for_a_free_node(r: Script) -> None:
    """A job is PENDING (Priority) for five hours, runs for three, and is done."""
    head = "JOBID PARTITION NAME USER ST TIME NODES NODELIST(REASON)\n"
    r.call("bash", "Submitted batch job 881204", command="sbatch train_seg.sbatch")
    for _ in range(15):
        r.call("bash", head + "881204 gpu train_seg lea PD 0:00 2 (Priority)", after=1200,
               command="squeue -j 881204")  # fmt: skip
    for minutes in range(4, 184, 20):
        r.call("bash", head + f"881204 gpu train_seg lea R {minutes // 60}:{minutes % 60:02}:31 2 "
               "gpu[07-08]", after=1200, command="squeue -j 881204")  # fmt: skip
    r.call("bash", head.rstrip(), after=1200, command="squeue -j 881204")
    r.call("bash", "JobID State ExitCode Elapsed\n881204 COMPLETED 0:0 03:06:12",
           command="sacct -j 881204 -X -o JobID,State,ExitCode,Elapsed")  # fmt: skip
    r.call("bash", "epoch 40/40 val_iou=0.8127 best=0.8140@37", command="tail -1 out/881204.log")
    r.answer("Job 881204 completed with exit code 0; the best validation IoU is 0.814.")


@healthy("ml")
def loss_stands_still_and_falls_again(r: Script) -> None:
    """The loss is flat for an hour before the learning rate is decayed, then it falls."""
    train_loss = (2.914, 2.377, 2.101, 1.998, 1.993, 1.994, 1.992, 1.993, 1.993, 1.992, 1.994, 1.993,
              1.741, 1.602, 1.588, 1.587)  # fmt: skip
    for number, loss in enumerate(train_loss):
        r.call("wandb_run", {"name": "polar-river-118", "state": "running", "summary":
               {"_step": (number + 1) * 2000, "train/loss": loss,
                "lr": 0.0003 if number < 12 else 0.00003, "gpu_util": 97}}, after=600,
               run="acme/ranker/polar-river-118")  # fmt: skip
    r.call("wandb_run", {"name": "polar-river-118", "state": "finished", "summary":
           {"_step": 32000, "train/loss": 1.587, "eval/ndcg@10": 0.4471}}, after=600,
           run="acme/ranker/polar-river-118")  # fmt: skip
    r.call("mlflow_register", {"name": "ranker", "version": "41", "status": "READY"}, took=8,
           run="polar-river-118", stage="Staging")  # fmt: skip
    r.answer("Run polar-river-118 finished; ranker version 41 is in Staging with ndcg@10 0.447.")


@healthy("approvals")
def approval_comes_the_next_morning(r: Script) -> None:
    """A drop of an index waits for a person for sixteen hours and is then done once."""
    r.call("sql", "idx_events_legacy | 412 GB | idx_scan = 0 since 2025-11-30",
           query="SELECT indexrelname, idx_scan FROM pg_stat_user_indexes ORDER BY 2 LIMIT 1")  # fmt: skip
    r.call("request_approval", {"id": "apr_61", "state": "pending", "expires_in": "24h"},
           action="DROP INDEX CONCURRENTLY idx_events_legacy", approvers=["dba-oncall"])  # fmt: skip
    for _ in range(32):
        r.beat(1795)
        r.call("get_approval", {"id": "apr_61", "state": "pending", "approved_by": None}, after=5,
               id="apr_61")  # fmt: skip
    r.call("get_approval", {"id": "apr_61", "state": "approved", "approved_by": "t.ueda"},
           after=900, id="apr_61")  # fmt: skip
    r.call("sql", "idx_events_legacy | idx_scan = 0", query="SELECT indexrelname, idx_scan FROM "
           "pg_stat_user_indexes WHERE indexrelname = 'idx_events_legacy'")  # fmt: skip
    r.call("sql", "DROP INDEX", took=41, query="DROP INDEX CONCURRENTLY idx_events_legacy")
    r.answer("T. Ueda approved this morning; the index was still unused and is dropped.")


@healthy("sqs")
def queue_drains_in_waves(r: Script) -> None:
    """The depth rises with each wave of uploads, but less each time, and reaches zero."""
    for depth in (
        48211,
        39018,
        30440,
        36120,
        27803,
        18990,
        25411,
        16002,
        8120,
        11870,
        4410,
        902,
        0,
    ):
        r.call("sqs_attributes", {"Attributes": {"ApproximateNumberOfMessages": str(depth),
               "ApproximateNumberOfMessagesNotVisible": "600" if depth else "0",
               "ApproximateAgeOfOldestMessage": str(depth // 40)}}, after=300,
               QueueUrl="https://sqs.eu-west-1.amazonaws.com/224466880011/thumbs")  # fmt: skip
    r.call("ecs_update", {"service": {"serviceName": "thumb-worker", "desiredCount": 4}},
           cluster="media", service="thumb-worker", desiredCount=4)  # fmt: skip
    r.answer("The backlog of thumbs is gone; I have scaled the workers back from 24 to 4.")


@healthy("hosts")
def disk_checked_for_three_days(r: Script) -> None:
    """Every half hour the same figure; on the second day a log is rotated, then calm again."""
    r.user("Keep an eye on /var of db-4 until Thursday and rotate the logs above 85 %.")
    for number in range(140):
        used = 86 if number == 77 else 71 + (number % 77) // 6
        r.call("ssh", f"/dev/nvme1n1p2  480G  {used * 48 // 10}G  {480 - used * 48 // 10}G  {used}% "
               "/var", after=1800, host="db-4", command="df -h /var | tail -1")  # fmt: skip
        if used > 85:
            r.call("ssh", "rotating pattern: /var/log/pg/*.log  forced from command line (7 "
                   "rotations)\nrenamed 41 files", took=50, host="db-4",
                   command="logrotate -vf /etc/logrotate.d/pg")  # fmt: skip
    r.answer("Until Thursday 07:00 /var of db-4 passed 85 % once; the logs were rotated then.")


@healthy("kubectl")
def tail_is_empty_until_the_leader_is_elected(r: Script) -> None:
    """The log of the new leader has no line for ten minutes after the old one went."""
    r.call("Bash", "lease.coordination.k8s.io/scheduler-lock   scheduler-6f7d-2x9lk   41d",
           command="kubectl -n batch get lease scheduler-lock")  # fmt: skip
    r.call("Bash", 'pod "scheduler-6f7d-2x9lk" deleted', took=31,
           command="kubectl -n batch delete pod scheduler-6f7d-2x9lk")  # fmt: skip
    for _ in range(10):
        r.call("Bash", "", after=60,
               command="kubectl -n batch logs -l app=scheduler --since=60s | grep -i leader")  # fmt: skip
    r.call("Bash", "I0302 09:12:40.118 leaderelection.go:258] successfully acquired lease "
           "batch/scheduler-lock", after=60,
           command="kubectl -n batch logs -l app=scheduler --since=60s | grep -i leader")  # fmt: skip
    r.answer("A new leader holds batch/scheduler-lock since 09:12:40.")


@healthy("app-store")
def review_lasts_two_days(r: Script) -> None:
    """The store reports WAITING_FOR_REVIEW, then IN_REVIEW, hour after hour."""
    r.call("asc_submit", {"data": {"type": "reviewSubmissions", "id": "c1f2", "attributes":
           {"state": "WAITING_FOR_REVIEW"}}}, app="1518", version="6.2.0")  # fmt: skip
    for number in range(44):
        state = "WAITING_FOR_REVIEW" if number < 29 else "IN_REVIEW"
        r.call("asc_version", {"data": {"type": "appStoreVersions", "id": "77aa", "attributes":
               {"versionString": "6.2.0", "appStoreState": state}}}, after=3600, id="77aa")  # fmt: skip
    r.call("asc_version", {"data": {"type": "appStoreVersions", "id": "77aa", "attributes":
           {"versionString": "6.2.0", "appStoreState": "PENDING_DEVELOPER_RELEASE"}}}, after=3600,
           id="77aa")  # fmt: skip
    r.call("slack_post", {"ok": True, "ts": "1772601001.4410"}, channel="#mobile",
           text="6.2.0 has passed review and waits for our release.")  # fmt: skip
    r.answer("6.2.0 has passed review; the team is informed.")


@healthy("json-api")
def limited_and_patient(r: Script) -> None:
    """The API limits; each time the agent waits as long as it was told and then gets its page."""
    for number in range(9):
        if number in (3, 6):
            for wait in (30, 60):
                r.fail("http_get", "429 Too Many Requests\nRetry-After: "
                       f'{wait}\n{{"error":"rate_limited","limit":"300/h"}}',
                       url=f"https://api.crm.example/v3/deals?page={number + 1}")  # fmt: skip
                r.call("sleep", "slept", took=wait, seconds=wait)
        r.call("http_get", {"page": number + 1, "pages": 9, "deals": [
               {"id": 9000 + number * 50 + place, "stage": stage, "value": 1200 + number * 310}
               for place, stage in enumerate(("won", "open", "lost", "open"))]}, took=2,
               url=f"https://api.crm.example/v3/deals?page={number + 1}")  # fmt: skip
    r.answer("All nine pages of deals are read; 9 are won, 18 open, 9 lost.")


@healthy("postgres")
def replica_catches_up_before_the_switch(r: Script) -> None:
    """The lag falls, grows for a while during a batch job, and falls to nothing."""
    for lag in (812, 701, 588, 473, 512, 640, 655, 520, 377, 240, 118, 31, 4, 0, 0):
        r.call("sql", f" application_name | state     | lag_mb\n------------------+-----------+-------"
               f"\n fra-replica-2    | streaming | {lag}\n(1 row)", after=90,
               query="SELECT application_name, state, pg_wal_lsn_diff(pg_current_wal_lsn(), "
               "replay_lsn)/1048576 AS lag_mb FROM pg_stat_replication")  # fmt: skip
    r.call("patronictl", 'Successfully switched over to "fra-replica-2"\n+ Cluster: orders ------+\n'
           "| fra-replica-2 | Leader  | running |\n| fra-replica-1 | Replica | streaming |", took=14,
           command="switchover orders --candidate fra-replica-2 --force")  # fmt: skip
    r.answer("fra-replica-2 leads since the lag was zero twice in a row.")


@healthy("helm")
def pods_crash_until_the_migration_is_done(r: Script) -> None:
    """New pods crash while the migration job runs, as the chart means them to, and then start."""
    head = "NAME                   READY   STATUS             RESTARTS      AGE\n"
    r.call("run_shell_command", 'Release "ledger" has been upgraded. Happy Helming!\nREVISION: 58',
           took=9, command="helm upgrade ledger ./ledger -n fin --version 3.4.0")  # fmt: skip
    for minute, (status, restarts, job) in enumerate((
            ("CrashLoopBackOff", 1, "Running"), ("Error", 2, "Running"),
            ("CrashLoopBackOff", 2, "Running"), ("CrashLoopBackOff", 2, "Running"),
            ("Error", 3, "Running"), ("CrashLoopBackOff", 3, "Running"),
            ("CrashLoopBackOff", 3, "Completed"), ("Running", 4, "Completed"))):  # fmt: skip
        r.call("run_shell_command", head + f"ledger-7d8f9-q2w4z   {int(status == 'Running')}/1     "
               f"{status}   {restarts} ({5 + minute}s ago)   {minute + 1}m\nledger-migrate-58-x7t  "
               f" {int(job == 'Running')}/1     {job}   0   {minute + 1}m", after=60,
               command="kubectl get pods -n fin -l release=ledger")  # fmt: skip
    r.call("run_shell_command", 'deployment "ledger" successfully rolled out',
           command="kubectl rollout status deploy/ledger -n fin --timeout=60s")  # fmt: skip
    r.answer("ledger 3.4.0 runs; the pods restarted four times until the migration was done.")


@healthy("s3")
def archive_is_thawed(r: Script) -> None:
    """The head of a Glacier object is the same for five hours, then it can be read."""
    head = {"ContentLength": 88412099011, "StorageClass": "DEEP_ARCHIVE",
            "ETag": '"9b2cf535f27731c974343645a3985328-84"'}  # fmt: skip
    r.call("s3_restore_object", {"ResponseMetadata": {"HTTPStatusCode": 202}}, bucket="cold-vault",
           key="2019/ledger.tar.zst", Days=3, Tier="Standard")  # fmt: skip
    for _ in range(11):
        r.call("s3_head_object", {**head, "Restore": 'ongoing-request="true"'}, after=1800,
               bucket="cold-vault", key="2019/ledger.tar.zst")  # fmt: skip
    r.call("s3_head_object", {**head, "Restore": 'ongoing-request="false", expiry-date="Fri, 06 Mar '
           '2026 00:00:00 GMT"'}, after=1800, bucket="cold-vault", key="2019/ledger.tar.zst")  # fmt: skip
    r.call("s3_download", "download: s3://cold-vault/2019/ledger.tar.zst to ./ledger.tar.zst",
           took=780, bucket="cold-vault", key="2019/ledger.tar.zst")  # fmt: skip
    r.answer("The archive of 2019 is on disk, 88.4 GB.")


@healthy("coding")
def suite_of_seventy_minutes(r: Script) -> None:
    """The whole suite runs for seventy minutes without a sign, twice; the second is green."""
    r.call("Read", "class Ledger:\n    def close(self, day): ...", file_path="ledger/close.py")
    r.call("Edit", "The file ledger/close.py has been updated.", file_path="ledger/close.py",
           old_string="day.end", new_string="day.end.astimezone(UTC)")  # fmt: skip
    r.call("Bash", "= 2 failed, 18411 passed, 92 skipped in 4188.77s (1:09:48) =\nFAILED "
           "tests/close/test_dst.py::test_october\nFAILED tests/close/test_dst.py::test_march",
           took=4192, command="pytest -n 8 -q tests", timeout=7200000)  # fmt: skip
    r.call("Edit", "The file tests/close/test_dst.py has been updated.",
           file_path="tests/close/test_dst.py", old_string="naive(", new_string="aware(")  # fmt: skip
    r.call("Bash", "= 2 passed in 3.11s =", took=5, command="pytest -q tests/close/test_dst.py")
    r.call("Bash", "= 18413 passed, 92 skipped in 4201.02s (1:10:01) =", took=4205,
           command="pytest -n 8 -q tests", timeout=7200000)  # fmt: skip
    r.answer("The end of the day is computed in UTC; the whole suite is green.")


@healthy("ci")
def merge_queue_in_front_of_ours(r: Script) -> None:
    """Our pull request is ninth in the merge queue and moves on; once it falls back."""
    for place in (9, 9, 8, 6, 6, 5, 7, 6, 4, 4, 2, 1, 1):
        r.call("github_graphql", {"data": {"repository": {"pullRequest": {"number": 5518,
               "state": "OPEN", "mergeQueueEntry": {"position": place, "state": "QUEUED" if place > 1
               else "AWAITING_CHECKS", "estimatedTimeToMerge": place * 410}}}}}, after=420,
               query='query { repository(owner:"acme", name:"core") { pullRequest(number:5518) '
               "{ state mergeQueueEntry { position state estimatedTimeToMerge } } } }")  # fmt: skip
    r.call("github_graphql", {"data": {"repository": {"pullRequest": {"number": 5518, "state":
           "MERGED", "mergeQueueEntry": None}}}}, after=420, query="query { repository(owner:"
           '"acme", name:"core") { pullRequest(number:5518) { state mergeQueueEntry { position '
           "state estimatedTimeToMerge } } } }")  # fmt: skip
    r.answer("#5518 is merged.")


@healthy("support")
def customer_who_answers_between_meetings(r: Script) -> None:
    """A chat over an afternoon: each question is another one and each answer helps."""
    r.user("My invoice app does not print.")
    for question, reply in (("Which version is it?", "7.1"), ("On which system?", "macOS"),
                           ("Does the preview show the invoice?", "yes, fine"),
                           ("Which printer is chosen?", "the old one from the Bern office!"),
                           ("Please choose the one in your room.", "that works, thank you")):  # fmt: skip
        r.call("kb_search", {"hits": [{"id": f"KB-{len(question) * 7}", "title": question}]},
               query=question)  # fmt: skip
        r.call("chat_send", {"delivered": True, "message_id": f"m_{len(question)}"}, text=question)
        r.beat(2400)
        r.user(reply)
    r.call("ticket_close", {"ticket": "#30418", "status": "solved"}, ticket="#30418")
    r.answer("Solved: the printer of another office was chosen.")


@healthy("incident")
def updates_while_a_vendor_is_down(r: Script) -> None:
    """The vendor's page says the same for three hours; an update is posted each half hour."""
    for number in range(19):
        state = "investigating" if number < 11 else "identified" if number < 18 else "resolved"
        r.call("http_get", {"incidents": [{"id": "q7x2k", "name": "Elevated errors on SMS delivery",
               "status": state, "impact": "major"}]} if state != "resolved" else {"incidents": []},
               after=600, url="https://status.sms.example/api/v2/incidents/unresolved.json")  # fmt: skip
        if number % 3 == 2 and state != "resolved":
            r.call("statuspage_update", {"id": f"upd{number}", "status": state}, incident="ours-31",
                   body="Codes by SMS are still delayed at our provider. Next update in 30 minutes.")  # fmt: skip
    r.call("statuspage_update", {"id": "upd99", "status": "resolved"}, incident="ours-31",
           body="Our provider has solved the problem; codes arrive at once.")  # fmt: skip
    r.answer("The vendor's incident is over, ours is closed; seven updates were posted.")
