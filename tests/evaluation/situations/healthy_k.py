"""Half K, healthy: waiting and watching. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_K_WAITING: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_K_WAITING, Want.NOTHING, family)


@healthy("shell")
def cluster_queue_over_night(r: Script) -> None:
    """A training job waits ten hours in a Slurm queue; the number of jobs before it falls."""
    r.user("submit the ablation and tell me when it has finished, it may take the night")
    r.call("run_command", "Submitted batch job 883120", cmd="sbatch ablation.sbatch")
    ahead = 61
    for turn in range(20):
        r.call("run_command", "", took=1800, cmd="sleep 1800")
        r.call("run_command", "             JOBID PARTITION     NAME     USER ST       TIME  NODES "
               "NODELIST(REASON)\n            883120   gpu-a100 ablation     mira PD       0:00"
               f"      2 (Priority)\n# {ahead} jobs of higher priority",
               cmd="squeue -j 883120; prio-ahead 883120")  # fmt: skip
        ahead -= 3 if turn % 4 else 2
    for hours in ("0:31:07", "1:01:09", "1:31:12"):
        r.call("run_command", "", took=1800, cmd="sleep 1800")
        r.call("run_command", f"            883120   gpu-a100 ablation     mira  R    {hours}"
               "      2 gpu[017-018]", cmd="squeue -j 883120; prio-ahead 883120")  # fmt: skip
    r.call("run_command", "883120|COMPLETED|01:44:51|0:0", cmd="sacct -j 883120 -P -n")
    r.answer("Job 883120 has completed after 1 h 45 min; the checkpoints are in runs/ablation.")


@healthy("files")
def loss_that_zigzags(r: Script) -> None:
    """The end of a training log every ten minutes: the loss falls, but not at each look."""
    values = (2.91, 2.44, 2.47, 2.20, 2.23, 2.05, 1.98, 2.02, 1.90, 1.91, 1.84, 1.79)
    for place, loss in enumerate(values):
        step = 400 * (place + 1)
        r.call("tail_file", f"[{r.clock()}] step {step}/4800 loss {loss:.3f} lr 3.0e-04 "
               f"grad_norm {1.1 + (place * 7 % 5) / 10:.2f} tok/s {41_200 + place * 37 % 90}",
               after=600, path="/scratch/run7/train.log", lines=1)  # fmt: skip
    r.call("list_directory", ["ckpt-2400.safetensors", "ckpt-4800.safetensors"],
           path="/scratch/run7/out")  # fmt: skip
    r.answer("Run 7 is through: 4800 steps, the last loss is 1.79.")


@healthy("cloud")
def database_still_creating(r: Script) -> None:
    """Terraform creates a database cluster for twenty-two minutes, followed from its log."""
    r.call("terminal", "[1] 40211", command="terraform apply -auto-approve plan.out > tf.log &")
    for minute in range(2, 23, 2):
        r.call("terminal", f"aws_rds_cluster_instance.main[0]: Still creating... [{minute}m0s "
               f"elapsed]\naws_rds_cluster_instance.main[1]: Still creating... [{minute}m0s "
               "elapsed]", after=118, command="tail -n 2 tf.log")  # fmt: skip
    r.call("terminal", "aws_rds_cluster_instance.main[1]: Creation complete after 22m41s "
           "[id=main-1]\n\nApply complete! Resources: 5 added, 0 changed, 0 destroyed.",
           after=60, command="tail -n 2 tf.log")  # fmt: skip
    r.answer("The cluster and its two instances exist.")


@healthy("shell")
def stale_dns_answer_for_its_ttl(r: Script) -> None:
    """A name keeps its old address for half an hour, as its TTL counts down, then moves."""
    r.call("route53_change", {"ChangeInfo": {"Id": "/change/C09", "Status": "PENDING"}},
           name="shop.example.com", type="A", value="203.0.113.80")  # fmt: skip
    for ttl in range(1800, 0, -180):
        r.call("bash", f"shop.example.com.\t{ttl}\tIN\tA\t198.51.100.14", after=178,
               command="dig +noall +answer shop.example.com @1.1.1.1")  # fmt: skip
    r.call("bash", "shop.example.com.\t1800\tIN\tA\t203.0.113.80", after=170,
           command="dig +noall +answer shop.example.com @1.1.1.1")  # fmt: skip
    r.answer("The new address is served everywhere I asked.")


@healthy("mail")
def supplier_answers_on_monday(r: Script) -> None:
    """A mailbox is looked at every three hours over a weekend until the supplier writes back."""
    r.call("send_email", {"id": "<k81@mail>", "status": "queued"}, to="sales@valves.example",
           subject="Quote for 40 ball valves DN50", body="Could you quote delivery in April?")  # fmt: skip
    for _ in range(21):
        r.call("wait_until", {"woke": True}, took=10_800, hours=3)
        r.call("search_inbox", {"messages": [], "resultSizeEstimate": 0},
               q="from:sales@valves.example newer_than:4d")  # fmt: skip
    r.call("wait_until", {"woke": True}, took=10_800, hours=3)
    r.call("search_inbox", {"messages": [{"id": "18e", "snippet": "Dear all, we can deliver 40 "
           "pcs at EUR 61.20 in week 16"}], "resultSizeEstimate": 1},
           q="from:sales@valves.example newer_than:4d")  # fmt: skip
    r.answer("They offer 61.20 EUR apiece, delivered in week 16.")


@healthy("json")
def sign_off_over_the_weekend(r: Script) -> None:
    """A change waits from Friday to Monday for two people; one of them signs on Saturday."""
    r.call("request_approval", {"request": "CHG-2207", "state": "waiting_for_approval",
           "approvers": {"lena": None, "omar": None}}, change="raise the pool size of ledger-db")  # fmt: skip
    for hour in range(0, 62, 4):
        signed = "approved" if hour >= 20 else None
        r.call("get_approval", {"request": "CHG-2207", "state": "waiting_for_approval",
               "approvers": {"lena": signed, "omar": None}, "asked_at": r.clock()},
               after=14_400, request="CHG-2207")  # fmt: skip
    r.call("get_approval", {"request": "CHG-2207", "state": "approved", "approvers":
           {"lena": "approved", "omar": "approved"}, "asked_at": r.clock()}, after=7_200,
           request="CHG-2207")  # fmt: skip
    r.call("apply_change", {"applied": True, "pool_size": 60}, request="CHG-2207")
    r.answer("CHG-2207 was approved by both and is applied.")


@healthy("web")
def fare_fetched_each_hour(r: Script) -> None:
    """A fare is watched for four days, once an hour; it moves three times and is under no limit."""
    r.user("tell me if Lisbon goes under 120, keep looking until Friday")
    for hour in range(96):
        fare = (149, 149, 162, 139)[hour // 24]
        r.call("fetch_fare", {"from": "HAM", "to": "LIS", "date": "2026-05-14", "fare": fare,
               "currency": "EUR", "seats": "9+", "asOf": r.clock()}, after=3_598,
               origin="HAM", destination="LIS", date="2026-05-14")  # fmt: skip
    r.answer("It is Friday and the fare never went under 120; the lowest was 139 EUR.")


@healthy("json")
def doorbell_battery_every_morning(r: Script) -> None:
    """A home agent looks at the same sensors each morning for two weeks; nothing is wrong."""
    for day in range(14):
        for device, level in (("doorbell", 88 - day // 3), ("leak_cellar", 97), ("lock_front", 71)):
            r.call("ha_get_state", {"entity_id": f"sensor.{device}_battery", "state": str(level),
                   "last_updated": r.clock()}, after=3, entity=f"sensor.{device}_battery")  # fmt: skip
        r.beat(86_390, every=600)
    r.answer("All batteries were fine for two weeks.")


@healthy("files")
def printer_layers(r: Script) -> None:
    """A 3D printer is followed through 240 layers; it pauses once to heat up again."""
    for layer in (1, 19, 40, 58, 58, 77, 98, 121, 140, 163, 186, 209, 231, 240):
        nozzle = 181.4 if layer == 58 else 214.9 + layer % 3 / 10
        r.call("octoprint_job", f"state=Printing layer={layer}/240 nozzle={nozzle:.1f}C bed=60.0C "
               f"file=bracket_v3.gcode updated={r.clock('%H:%M:%S')}", after=540, printer="mk4")  # fmt: skip
    r.call("octoprint_job", "state=Operational layer=240/240 nozzle=62.0C bed=38.0C "
           "file=bracket_v3.gcode result=done", after=300, printer="mk4")  # fmt: skip
    r.answer("The bracket is printed.")


@healthy("sql")
def warehouse_query_scans(r: Script) -> None:
    """A long query is asked for by id; its bytes grow in steps and stand still at times."""
    r.call("submit_query", {"queryId": "01b2-7f", "status": "RUNNING"},
           sql="CREATE TABLE m.sessions AS SELECT ... FROM raw.events")  # fmt: skip
    for gib in (0, 0, 12, 57, 57, 57, 140, 201, 201, 318, 340):
        r.call("query_status", {"queryId": "01b2-7f", "status": "RUNNING", "scannedGiB": gib,
               "elapsedMs": int(r.at_s * 1000), "warehouse": "XL"}, after=45, query_id="01b2-7f")  # fmt: skip
    r.call("query_status", {"queryId": "01b2-7f", "status": "SUCCESS", "scannedGiB": 344,
           "rowsProduced": 88_120_441, "warehouse": "XL"}, after=45, query_id="01b2-7f")  # fmt: skip
    r.answer("m.sessions has 88.1 million rows.")


@healthy("kubernetes")
def drain_behind_a_budget(r: Script) -> None:
    """A disruption budget lets go one pod at a time, so the drain is refused in between."""
    refused = ('error when evicting pods/"kafka-{n}" -n "bus" (will retry after 5s): Cannot '
               "evict pod as it would violate the pod's disruption budget.")  # fmt: skip
    r.call("shell", "node/w-12 cordoned", command="kubectl cordon w-12")
    for n in range(3):
        for _ in range(2):
            r.call("shell", refused.format(n=n), after=60, took=30,
                   command="kubectl drain w-12 --ignore-daemonsets --timeout=30s")  # fmt: skip
        r.call("shell", f"pod/kafka-{n} evicted", after=60, took=12,
               command="kubectl drain w-12 --ignore-daemonsets --timeout=30s")  # fmt: skip
    r.call("shell", "node/w-12 drained", after=10, took=3,
           command="kubectl drain w-12 --ignore-daemonsets --timeout=30s")  # fmt: skip
    r.answer("w-12 is empty and may be switched off.")


@healthy("json")
def expedientes_en_proceso(r: Script) -> None:
    """A Spanish registry digitises 120 files; each answer says how many are done."""
    for done in (4, 15, 15, 31, 48, 60, 60, 79, 97, 118):
        r.call("consultar_lote", {"lote": "L-55", "estado": "en proceso", "procesados": done,
               "total": 120, "mensaje": f"Procesando expediente {done + 1} de 120"},
               after=240, lote="L-55")  # fmt: skip
    r.call("consultar_lote", {"lote": "L-55", "estado": "terminado", "procesados": 120,
           "total": 120, "mensaje": "Lote terminado"}, after=240, lote="L-55")  # fmt: skip
    r.answer("El lote L-55 está terminado: 120 expedientes.")


@healthy("json")
def matrix_of_checks(r: Script) -> None:
    """A pull request's eight checks turn green one by one; a queue makes two of them late."""
    names = ("lint", "types", "py311", "py312", "py313", "docs", "macos", "windows")
    for done in (0, 2, 3, 5, 5, 6, 6, 6, 7, 8):
        r.think("still running")
        r.call("mcp__github__get_check_runs", {"total_count": 8, "check_runs": [
            {"name": name, "status": "completed" if n < done else "queued" if n > 5 else
             "in_progress", "conclusion": "success" if n < done else None}
            for n, name in enumerate(names)]}, after=90, pull=611)  # fmt: skip
    r.call("mcp__github__merge_pull_request", {"merged": True, "sha": "9c1f0de"}, pull=611)
    r.answer("#611 is merged.")
