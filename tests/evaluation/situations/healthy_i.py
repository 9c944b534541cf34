"""Half I, healthy runs that wait and observe; their author had read no rule and run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_I_WAITING: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_I_WAITING, Want.NOTHING, family)


@healthy("kubernetes")
def kafka_brokers_roll(r: Script) -> None:
    """helm rolls three brokers; each takes two minutes, during which the line does not change."""
    r.user("upgrade the kafka chart to 26.8 in streaming, please")
    r.call(
        "bash",
        'Release "kafka" has been upgraded. Happy Helming!\nREVISION: 14',
        took=8,
        command="helm upgrade kafka bitnami/kafka --version 26.8.0 -n streaming --reuse-values",
    )
    for done in range(3):
        r.think(f"{done} of 3 brokers are new")
        for _ in range(4):
            r.call(
                "bash",
                f"Waiting for partitioned roll out to finish: {done} out of 3 new pods "
                "have been updated...\nWaiting for 1 pods to be ready...",
                took=25,
                after=5,
                command="timeout 25 kubectl rollout status sts/kafka-broker -n streaming",
            )
    r.call(
        "bash",
        "partitioned roll out complete: 3 new pods have been updated...",
        after=5,
        command="timeout 25 kubectl rollout status sts/kafka-broker -n streaming",
    )
    r.call(
        "bash",
        "NAME    STATUS    CHART         APP VERSION\nkafka   deployed  kafka-26.8.0  3.6.1",
        command="helm list -n streaming",
    )
    r.answer("All three brokers run chart 26.8.0.")


@healthy("cloud")
def distribution_in_progress(r: Script) -> None:
    """A CloudFront distribution says InProgress for nine minutes, which is usual."""
    ask = "aws cloudfront get-distribution --id E2QWRUHAPOMQZL --query Distribution.Status"
    r.call(
        "shell",
        '{"ETag": "E3P", "Distribution": {"Id": "E2QWRUHAPOMQZL", "Status": "InProgress"}}',
        took=3,
        cmd="aws cloudfront update-distribution --id E2QWRUHAPOMQZL "
        "--distribution-config file://dist.json --if-match E1VX",
    )
    r.think("This usually takes five to fifteen minutes.")
    for _ in range(9):
        r.call("shell", '"InProgress"', took=61, cmd=f"sleep 60; {ask}")
    r.call("shell", '"Deployed"', took=61, cmd=f"sleep 60; {ask}")
    r.call(
        "shell",
        "HTTP/2 200\nx-cache: Miss from cloudfront\nstrict-transport-security: max-age=63072000",
        cmd="curl -sI https://static.example.org/app.js",
    )
    r.answer("The new header policy is live.")


@healthy("network")
def old_address_until_the_ttl(r: Script) -> None:
    """Three resolvers give the old address until its five minutes are over, one after the other."""
    r.call(
        "dns_upsert_record",
        {"change": "/change/C07", "status": "INSYNC"},
        zone="example.org.",
        name="api.example.org.",
        type="A",
        value="203.0.113.77",
        ttl=300,
    )
    for minute in range(6):
        for place, resolver in enumerate(("1.1.1.1", "8.8.8.8", "9.9.9.9")):
            new = minute >= 4 + place - (place == 2)
            r.call(
                "dig",
                "203.0.113.77" if new else "198.51.100.12",
                after=0.5,
                name="api.example.org",
                type="A",
                server=resolver,
            )
        r.call("wait", "waited 60 s", took=60, seconds=60)
    for resolver in ("1.1.1.1", "8.8.8.8", "9.9.9.9"):
        r.call("dig", "203.0.113.77", after=0.5, name="api.example.org", type="A", server=resolver)
    r.answer("All three public resolvers have the new address.")


@healthy("warehouse")
def nightly_graph_needs_its_time(r: Script) -> None:
    """An Airflow run has one long task; its state is the same for forty minutes, as every night."""
    r.call(
        "airflow_trigger",
        {"dag_run_id": "manual__2026-03-02T09:00", "state": "queued"},
        dag_id="revenue_daily",
    )
    tasks = ("extract_orders", "extract_fx", "stage", "transform_heavy", "publish")
    for minute in range(0, 56, 4):
        finished = min(3, minute // 4) if minute < 50 else 4
        r.call(
            "airflow_task_states",
            [
                {
                    "task_id": task,
                    "state": "success"
                    if place < finished
                    else "running"
                    if place == finished
                    else "none",
                }
                for place, task in enumerate(tasks)
            ],
            after=240,
            dag_id="revenue_daily",
            run_id="manual__2026-03-02T09:00",
        )
    r.call(
        "airflow_task_states",
        [{"task_id": task, "state": "success"} for task in tasks],
        after=240,
        dag_id="revenue_daily",
        run_id="manual__2026-03-02T09:00",
    )
    r.answer("revenue_daily succeeded after 60 minutes; the heavy transform took 38 of them.")


@healthy("tickets")
def change_waits_for_the_board(r: Script) -> None:
    """A change request is with the advisory board for five hours; then it is approved and done."""
    r.call(
        "snow_create_change",
        {"number": "CHG0040213", "state": "Assess", "approval": "requested"},
        short_description="Replace expired intermediate on lb-04",
        risk="moderate",
    )
    for asked in range(15):
        r.call(
            "snow_get_change",
            {
                "number": "CHG0040213",
                "state": "Authorize",
                "approval": "requested",
                "u_last_polled": f"2026-03-02T{9 + asked // 3:02}:{asked % 3 * 20:02}",
            },
            after=1_200,
            number="CHG0040213",
        )
    r.call(
        "snow_get_change",
        {
            "number": "CHG0040213",
            "state": "Scheduled",
            "approval": "approved",
            "approved_by": "K. Oyelaran",
        },
        after=1_200,
        number="CHG0040213",
    )
    r.call(
        "f5_install_chain",
        {"result": "installed", "profile": "/tenant/clientssl_shop"},
        device="lb-04",
        certificate="chain-2026.pem",
    )
    r.call("openssl_s_client", "Verify return code: 0 (ok)", host="shop.example:443")
    r.call(
        "snow_close_change",
        {"number": "CHG0040213", "state": "Closed"},
        number="CHG0040213",
        close_code="successful",
    )
    r.answer("CHG0040213 is implemented and closed.")


@healthy("streams")
def consumer_lag_drains(r: Script) -> None:
    """Lag after an outage falls, stands still for a rebalance, rises once, and falls to zero."""
    r.call("scale_deployment", "deployment.apps/indexer scaled", name="indexer", replicas=8)
    for lag in (
        912_004,
        804_118,
        690_551,
        690_551,
        690_551,
        701_930,
        512_007,
        300_412,
        121_008,
        14_220,
        12,
        0,
    ):
        table = (
            "GROUP    TOPIC   PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG\n"
            f"indexer  orders  0          {88_000_000 - lag}        88000000        {lag}"
        )
        r.call(
            "run_command",
            table,
            after=120,
            command="kafka-consumer-groups.sh --bootstrap-server b1:9092 --describe "
            "--group indexer",
        )
    r.call("scale_deployment", "deployment.apps/indexer scaled", name="indexer", replicas=3)
    r.answer("The backlog is gone; the indexer is back at three replicas.")


@healthy("training")
def job_waits_for_a_gpu(r: Script) -> None:
    """A Slurm job is pending for three hours behind others, runs, and completes."""
    r.call("terminal", "Submitted batch job 481516", cmd="sbatch --gres=gpu:4 finetune.sbatch")
    head = "   JOBID PARTITION     NAME ST       TIME  NODES NODELIST(REASON)\n  481516       gpu finetune"
    for _ in range(12):
        r.call(
            "terminal", f"{head} PD       0:00      1 (Priority)", after=900, cmd="squeue -j 481516"
        )
    for minutes in range(15, 76, 15):
        r.call(
            "terminal",
            f"{head}  R    {minutes}:08      1 gpu-a17",
            after=900,
            cmd="squeue -j 481516",
        )
    r.call(
        "terminal",
        "481516|finetune|COMPLETED|01:22:40|0:0",
        after=900,
        cmd="sacct -j 481516 -P --format=JobID,JobName,State,Elapsed,ExitCode -n -X",
    )
    r.call("terminal", '{"eval_loss": 1.713, "eval_accuracy": 0.871}', cmd="cat out/eval.json")
    r.answer("Fine-tuning completed in 1:22 h; accuracy is 0.871.")


@healthy("monitoring")
def nothing_fires_for_eight_hours(r: Script) -> None:
    """A release is guarded for eight hours: the query for firing alerts is empty, as hoped."""
    r.user("keep an eye on payments until five and write me a summary")
    for _ in range(48):
        r.call(
            "prometheus_query",
            {"status": "success", "data": {"resultType": "vector", "result": []}},
            after=598,
            query='ALERTS{alertstate="firing",namespace="payments"}',
        )
    r.call(
        "slack_post",
        {"ok": True, "ts": "1772431201.0041"},
        channel="#payments",
        text="No alert fired between 09:00 and 17:00.",
    )
    r.answer("A quiet day: no alert fired in payments.")


@healthy("payments")
def transfer_settles_after_two_days(r: Script) -> None:
    """A SEPA transfer stays pending for two days, as announced; it is asked every two hours."""
    r.call(
        "create_transfer",
        {"id": "tr_9LxQ", "status": "pending", "scheme": "SEPA CT"},
        amount="12450.00",
        currency="EUR",
        iban="DE89370400440532013000",
        key="po-7731-1",
    )
    for _ in range(22):
        r.call(
            "get_transfer",
            {
                "id": "tr_9LxQ",
                "status": "pending",
                "scheme": "SEPA CT",
                "expected_settlement": "2026-03-04",
            },
            after=7_200,
            id="tr_9LxQ",
        )
    r.call(
        "get_transfer",
        {"id": "tr_9LxQ", "status": "settled", "settled_at": "2026-03-04T07:02:11Z"},
        after=7_200,
        id="tr_9LxQ",
    )
    r.call("mark_purchase_order_paid", {"po": "PO-7731", "state": "paid"}, po="PO-7731")
    r.answer("PO-7731 is paid; the money arrived on 4 March at 07:02.")


@healthy("packages")
def registry_is_busy_and_then_not(r: Script) -> None:
    """Publishing meets 429 five times; the pauses double; the sixth try is accepted."""
    publish = "npm publish --access public --tag next"
    for pause in (2, 15, 30, 60, 120):
        r.call(
            "bash",
            "npm ERR! code E429\nnpm ERR! 429 Too Many Requests - PUT "
            "https://registry.example/@acme%2fgrid - rate limited\nexit status 1",
            after=pause,
            took=3,
            command=publish,
        )
    r.call(
        "bash",
        "npm notice Publishing to https://registry.example\n+ @acme/grid@4.0.0-rc.2",
        after=240,
        took=4,
        command=publish,
    )
    r.call("bash", "4.0.0-rc.2", command="npm view @acme/grid@next version")
    r.answer("@acme/grid 4.0.0-rc.2 is published under `next`.")


@healthy("web")
def sold_out_for_two_days(r: Script) -> None:
    """A page is read every half hour for two days until the bicycle is there again."""
    page = (
        '<html><title>Gravelbike R3</title><span class="price">1.899,00 €</span>'
        "<button {}>{}</button><!-- rendered {} --></html>"
    )
    for turn in range(96):
        r.call(
            "fetch_url",
            page.format("disabled", "Ausverkauft", f"{turn:05}"),
            after=1_798,
            url="https://velo.example/gravelbike-r3",
        )
    r.call(
        "fetch_url",
        page.format("", "In den Warenkorb", "00096"),
        after=1_798,
        url="https://velo.example/gravelbike-r3",
    )
    r.call("notify_phone", {"delivered": True}, title="Gravelbike R3 ist lieferbar")
    r.answer("Das Rad ist wieder lieferbar; ich habe dir Bescheid gegeben.")
