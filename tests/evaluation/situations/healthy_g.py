"""Half G, healthy runs that wait, watch and poll; written without knowledge of the rules."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_G_WAITING: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_G_WAITING, Want.NOTHING, family)


@healthy("snowflake")
def statement_polled_until_done(r: Script) -> None:
    """The SQL API says word for word the same until the statement is done."""
    handle = "01b3c9e2-0602-9a14-0000-4f1900a7c21e"
    r.think("The monthly aggregate is large, so I submit it asynchronously and poll the handle.")
    r.call("snowflake_submit", {"code": "333334", "statementHandle": handle},
           statement="CREATE TABLE fin.rev_02 AS SELECT region, sum(net) FROM fin.orders GROUP BY 1",
           warehouse="FIN_XL")  # fmt: skip
    for _ in range(11):
        r.call("snowflake_status", {"code": "333334", "sqlState": "00000",
               "message": "Asynchronous execution in progress. Use provided query id to perform "
               "query monitoring and management.", "statementHandle": handle},
               after=30, handle=handle)  # fmt: skip
    r.call("snowflake_status", {"code": "090001", "message": "Statement executed successfully.",
           "resultSetMetaData": {"numRows": 1}, "data": [["Table REV_02 successfully created."]]},
           after=30, handle=handle)  # fmt: skip
    r.answer("FIN.REV_02 is there; the statement took about six minutes.")


@healthy("jira")
def ticket_read_for_three_days(r: Script) -> None:
    """A ticket is looked at every four hours until legal has signed it."""
    r.call("jira_get_issue", {"key": "LEG-2207", "fields": {"status": {"name": "Waiting for legal"},
           "assignee": {"displayName": "M. Okafor"}, "updated": "2026-03-02T09:00:11.000+0100"}},
           issue="LEG-2207", fields="status,assignee,updated")  # fmt: skip
    for number in range(17):
        r.call("jira_get_issue", {"key": "LEG-2207", "fields": {
               "status": {"name": "Waiting for legal"}, "assignee": {"displayName": "M. Okafor"},
               "updated": "2026-03-02T09:00:11.000+0100" if number < 12
               else "2026-03-04T11:42:50.000+0100"}},
               after=4 * 3600, issue="LEG-2207", fields="status,assignee,updated")  # fmt: skip
    r.call("jira_get_issue", {"key": "LEG-2207", "fields": {"status": {"name": "Approved"},
           "assignee": {"displayName": "M. Okafor"}, "updated": "2026-03-05T08:20:04.000+0100"}},
           after=4 * 3600, issue="LEG-2207", fields="status,assignee,updated")  # fmt: skip
    r.call("jira_add_comment", {"id": "918221", "self": "https://acme.atlassian.net/.../918221"},
           issue="LEG-2207", body="Signed, I send the contract out now.")  # fmt: skip
    r.call("docusign_send", {"envelopeId": "7f0e-44", "status": "sent"}, template="MSA-2026")
    r.answer("LEG-2207 was approved this morning; the contract has been sent for signature.")


@healthy("browser")
def spinner_until_the_export_is_ready(r: Script) -> None:
    """A portal prepares an export; the page looks the same for four minutes."""
    r.call("browser_navigate", "Page: Billing portal - Reports\n- button 'Export all' [ref=e41]",
           took=3, url="https://portal.utility.example/reports")  # fmt: skip
    r.call("browser_click", "Page: Reports\n- status 'Preparing your file…' [ref=e52]", ref="e41",
           element="Export all")  # fmt: skip
    for _ in range(8):
        r.call("browser_wait_for", "Page: Reports\n- status 'Preparing your file…' [ref=e52]",
               after=1, took=30, time=30)  # fmt: skip
    r.call("browser_wait_for", "Page: Reports\n- link 'usage-2026-02.csv (4.1 MB)' [ref=e60]",
           after=1, took=30, time=30)  # fmt: skip
    r.call("browser_click", "Downloaded file usage-2026-02.csv to /tmp/pw/usage-2026-02.csv",
           ref="e60", element="usage-2026-02.csv")  # fmt: skip
    r.answer("The usage of February is in usage-2026-02.csv, 31 204 lines.")


@healthy("terraform")
def database_is_slow_to_start(r: Script) -> None:
    """An apply creates a replica for 26 minutes; the plan afterwards is empty."""
    r.call("bash", "Plan: 1 to add, 0 to change, 0 to destroy.\nSaved the plan to: tfplan", took=22,
           command="terraform plan -out=tfplan -no-color")  # fmt: skip
    r.think("One replica is added and nothing else is touched. Applying the saved plan.")
    r.call("bash", "aws_db_instance.replica: Creating...\naws_db_instance.replica: Still "
           "creating... [10m0s elapsed]\naws_db_instance.replica: Still creating... [20m0s "
           "elapsed]\naws_db_instance.replica: Creation complete after 25m51s [id=db-QX7]\n\n"
           "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.", took=1562,
           command="terraform apply -no-color tfplan")  # fmt: skip
    r.call("bash", "No changes. Your infrastructure matches the configuration.", took=20,
           command="terraform plan -detailed-exitcode -no-color")  # fmt: skip
    r.answer("The replica is up and a second plan is empty.")


@healthy("github")
def workflow_awaited_and_one_job_run_again(r: Script) -> None:
    """A runner is lost; the job is run again once and passes."""
    r.call("gh_run_list", "queued\tBump grpc to 1.68\tci\trenovate/grpc\tpull_request\t19008211",
           branch="renovate/grpc", limit=1)  # fmt: skip
    for done in (1, 3, 3, 4, 4, 4, 5):
        r.call("gh_run_view", f"* renovate/grpc ci · 19008211\nJOBS\n✓ {done} passed\n"
               f"* {6 - done} in progress", after=60, run=19008211)  # fmt: skip
    r.call("gh_run_view", "X renovate/grpc ci · 19008211\nX integration (3/3)\n! The hosted runner "
           "lost communication with the server.", after=60, run=19008211)  # fmt: skip
    r.think("That is the runner and not the change. I run the failed job again, once.")
    r.call("gh_run_rerun", "✓ Requested rerun of 19008211", run=19008211, failed=True)
    for _ in range(4):
        r.call("gh_run_view", "* renovate/grpc ci · 19008211 (attempt 2)\nJOBS\n✓ 5 passed\n"
               "* 1 in progress", after=60, run=19008211)  # fmt: skip
    r.call("gh_run_view", "✓ renovate/grpc ci · 19008211 (attempt 2)\n✓ 6 passed", after=60,
           run=19008211)  # fmt: skip
    r.answer("CI is green; the first attempt had lost its runner.")


@healthy("calendar")
def slot_for_six_people(r: Script) -> None:
    """Two proposals are declined by people; the third suits everyone, hours later."""
    people = ("ana", "bo", "chloe", "dinesh", "emil", "fatou")
    r.batch("calendar_freebusy", {f"{who}@acme.example": {"busy": [
            {"start": f"2026-03-04T{9 + n:02}:00:00Z", "end": f"2026-03-04T{10 + n:02}:30:00Z"}]}
            for n, who in enumerate(people)}, key="calendar")  # fmt: skip
    for hour, refuser in (("16:00", "emil"), ("08:30", "chloe"), ("17:00", None)):
        r.call("slack_post", {"ok": True, "channel": "C07", "ts": f"17722{hour[:2]}.001"},
               channel="#pricing", text=f"Wednesday {hour}, does it suit everyone?")  # fmt: skip
        r.beat(5400)
        r.user(f"{refuser}: no, I pick up the kids" if refuser else "all thumbs up")
    r.call("calendar_insert", {"kind": "calendar#event", "id": "k3j0s", "status": "confirmed",
           "attendees": [f"{who}@acme.example" for who in people]},
           summary="Pricing review", start="2026-03-04T17:00:00Z", duration_min=45)  # fmt: skip
    r.answer("Invitation for Wednesday 17:00 is out to all six.")


@healthy("gmail")
def inbox_read_through_the_day(r: Script) -> None:
    """Nothing new comes for hours; one mail does and is filed; then nothing again."""
    for number in range(26):
        if number == 17:
            r.call("gmail_history", {"historyId": "5590412", "history": [{"id": "5590398",
                   "messagesAdded": [{"message": {"id": "19ac04", "labelIds": ["INBOX"]}}]}]},
                   after=1200, startHistoryId="5590377", labelId="INBOX")  # fmt: skip
            r.call("gmail_get", {"id": "19ac04", "snippet": "Invoice 2026-118 attached", "payload":
                   {"headers": [{"name": "From", "value": "ap@kestrel.example"}]}}, id="19ac04")  # fmt: skip
            r.call("gmail_modify", {"id": "19ac04", "labelIds": ["Label_invoices"]}, id="19ac04",
                   addLabelIds=["Label_invoices"], removeLabelIds=["INBOX"])  # fmt: skip
        start = "5590377" if number < 17 else "5590412"
        r.call("gmail_history", {"historyId": start}, after=1200, startHistoryId=start,
               labelId="INBOX")  # fmt: skip
    r.answer("Office hours are over. One invoice was filed, nothing else came in.")


@healthy("kafka-admin")
def partitions_moved_overnight(r: Script) -> None:
    """A reassignment is verified every ten minutes; then the throttle is taken off."""
    r.call("kafka_reassign", "Successfully started partition reassignments for orders-0,orders-1,"
           "orders-2,orders-3\nThe inter-broker throttle limit was set to 20000000 B/s",
           execute=True, file="move-orders.json", throttle=20000000)  # fmt: skip
    for number in range(13):
        words = [f"Reassignment of partition orders-{p} is "
                 + ("completed." if number >= 4 * p + 3 else "still in progress.")
                 for p in range(4)]  # fmt: skip
        r.beat(600)
        r.call("kafka_reassign", "Status of partition reassignment:\n" + "\n".join(words), took=4,
               verify=True, file="move-orders.json")  # fmt: skip
    r.beat(1200)
    r.call("kafka_reassign", "Status of partition reassignment:\n"
           + "\n".join(f"Reassignment of partition orders-{p} is completed." for p in range(4))
           + "\nClearing broker-level throttles on brokers 1,2,3,4", took=5, verify=True,
           file="move-orders.json")  # fmt: skip
    r.call("kafka_topics", "Topic: orders PartitionCount: 4 ReplicationFactor: 3\n orders 0 "
           "Leader: 4 Replicas: 4,1,2 Isr: 4,1,2", describe="orders")  # fmt: skip
    r.answer("All four partitions are moved, throttles are off, every replica is in sync.")


@healthy("feature-flags")
def rollout_in_five_steps(r: Script) -> None:
    """A flag goes from 1 to 100 percent; between the steps the guard rails are looked at."""
    for step, percent in enumerate((1, 5, 25, 50, 100)):
        r.call("ld_patch_flag", {"key": "new-checkout", "_version": 40 + step,
               "environments": {"production": {"on": True}}}, flag="new-checkout",
               instruction="updateFallthroughVariationOrRollout", percent=percent)  # fmt: skip
        for round_ in range(4):
            r.beat(300)
            r.call("prom_query", {"status": "success", "data": {"resultType": "vector", "result": [
                   {"metric": {"flag": "new-checkout"}, "value": [1772442000,
                    "0.0031" if round_ % 2 else "0.0029"]}]}},
                   query='sum(rate(http_5xx{flag="new-checkout"}[5m]))')  # fmt: skip
    r.answer("new-checkout is at 100 %; errors stayed at 0.3 % all the way.")


@healthy("splunk")
def search_job_and_wider_windows(r: Script) -> None:
    """Three windows hold nothing, the fourth does; each is a job that is polled."""
    for number, window in enumerate(("-15m", "-1h", "-6h", "-24h")):
        sid = f"17724420{number}.88"
        r.call("splunk_search", {"sid": sid}, earliest=window,
               search='search index=auth user="svc-report" action=failure')  # fmt: skip
        for progress in (0.12, 0.58, 1.0)[max(0, 2 - number) :]:
            r.call("splunk_job", {"entry": [{"content": {"dispatchState":
                   "DONE" if progress == 1.0 else "RUNNING", "doneProgress": progress}}]},
                   after=10, sid=sid)  # fmt: skip
        rows = [{"_time": "2026-03-01T16:20:11", "src": "10.8.0.14", "reason": "expired password"}]
        r.call("splunk_results", {"preview": False, "messages": [],
               "results": rows if number == 3 else []}, sid=sid)  # fmt: skip
    r.answer("svc-report failed yesterday at 16:20 from 10.8.0.14: its password had expired.")


@healthy("operators")
def failover_by_the_operator(r: Script) -> None:
    """A Postgres operator rebuilds a replica; the custom resource is read until it is ready."""
    header = "NAME      AGE    INSTANCES   READY   STATUS                     PRIMARY"
    r.call("kubectl", f"{header}\nledger-pg 211d   3           2       Failing over               "
           "ledger-pg-1", command="get cluster ledger-pg -n pay")  # fmt: skip
    for number in range(9):
        status = "Creating a new replica" if number < 5 else "Waiting for instances to be active"
        r.call("kubectl", f"{header}\nledger-pg 211d   3           2       {status}   ledger-pg-2",
               after=45, command="get cluster ledger-pg -n pay")  # fmt: skip
        if number == 3:
            r.fail("kubectl", "Error from server (Timeout): the server was unable to return a "
                   "response in the time allotted", took=30,
                   command="get pods -n pay -l cnpg.io/cluster=ledger-pg")  # fmt: skip
    r.call("kubectl", f"{header}\nledger-pg 211d   3           3       Cluster in healthy state   "
           "ledger-pg-2", after=45, command="get cluster ledger-pg -n pay")  # fmt: skip
    r.answer("The operator has failed over to ledger-pg-2; all three instances are ready.")


@healthy("voice")
def someone_on_call_is_reached(r: Script) -> None:
    """Four people are called in turn; the fourth picks up and acknowledges."""
    for number, ends in enumerate(("no-answer", "busy", "no-answer", "completed")):
        sid = f"CA{number}f9c1d0b7"
        r.call("twilio_call", {"sid": sid, "status": "queued", "direction": "outbound-api"},
               to=f"+4930555010{number}", twiml="<Say>Cold store 3 is at minus nine</Say>")  # fmt: skip
        for state in ("ringing", "ringing", "in-progress" if number == 3 else "ringing", ends):
            r.call("twilio_fetch", {"sid": sid, "status": state,
                   "duration": "48" if state == "completed" else None}, after=12, sid=sid)  # fmt: skip
    r.call("twilio_gather", {"call_sid": "CA3f9c1d0b7", "digits": "1"}, sid="CA3f9c1d0b7")
    r.answer("B. Lindqvist has acknowledged with 1; the three before her did not pick up.")


@healthy("iot")
def heat_pump_read_for_two_days(r: Script) -> None:
    """Registers are read every half hour for two days; mostly they stay where they are."""
    for number in range(96):
        flow = 352 if number % 48 < 30 else 318
        r.call("modbus_read", {"unit": 3, "registers": [flow, 297, 1, 0]}, after=1800, took=0.3,
               unit=3, address=40120, count=4)  # fmt: skip
    r.answer("48 hours: flow 35.2 °C by day and 31.8 °C at night, no fault bit was set.")


@healthy("training")
def run_with_a_plateau(r: Script) -> None:
    """A run is looked at every hour for thirty hours; for eight of them nothing moves."""
    values = [2.9, 2.41, 2.1, 1.92, 1.81, 1.74, 1.7, 1.67, 1.65, 1.64, *[1.64] * 8, 1.5, 1.44,
              1.41, 1.39, 1.38, 1.37, 1.36, 1.36, 1.35, 1.35, 1.35, 1.35]  # fmt: skip
    r.call("slurm_submit", "Submitted batch job 771204", script="train_7b.sbatch", nodes=4)
    for number, loss in enumerate(values):
        r.call("wandb_summary", {"state": "running", "epoch": number // 8, "train/loss": loss,
               "lr": 3e-4 if number < 18 else 3e-5}, after=3600, run="nlp/7b/k2j9")  # fmt: skip
    r.call("slurm_state", "JobID State ExitCode\n771204 COMPLETED 0:0", after=3600, job=771204)
    r.call("eval_harness", {"hellaswag": 0.742, "arc_c": 0.481}, took=1900, checkpoint="k2j9:last")
    r.answer("Finished after 31 hours. The plateau ended with the step of the learning rate.")


@healthy("servicenow")
def change_waits_for_its_board(r: Script) -> None:
    """The board meets the next morning; the agent waits for its word and then acts."""
    r.call("snow_create_change", {"result": {"number": "CHG0041877", "state": "-4",
           "approval": "requested"}}, short_description="Swap core firewall fw-a", risk="moderate")  # fmt: skip
    r.think("CHG0041877 is with the board. I do nothing until it has decided.")
    for _ in range(20):
        r.call("snow_get_change", {"result": {"number": "CHG0041877", "state": "-4",
               "approval": "requested"}}, after=3600, number="CHG0041877")  # fmt: skip
    r.call("snow_get_change", {"result": {"number": "CHG0041877", "state": "-2",
           "approval": "approved"}}, after=3600, number="CHG0041877")  # fmt: skip
    r.call("fw_failover", "peer fw-b: active\nfw-a: passive\nsessions synced 88213/88213", took=9,
           device="fw-a")  # fmt: skip
    r.call("fw_show_ha", "Group 1: fw-b active, fw-a passive, link up, config in sync", after=60,
           device="fw-b")  # fmt: skip
    r.call("snow_update_change", {"result": {"number": "CHG0041877", "state": "0"}},
           number="CHG0041877", state="review")  # fmt: skip
    r.answer("Approved at 06:00, failed over at once, and both units are in sync.")
