"""Half I, healthy runs of many kinds: builds, queues, batches, cut answers; written blind."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_I_MIXED: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_I_MIXED, Want.NOTHING, family)


@healthy("network")
def acme_order_validates(r: Script) -> None:
    """cert-manager's challenge is pending for some minutes because the record must spread."""
    for kind, name in (
        ("certificate", "shop-tls"),
        ("order", "shop-tls-1-8842"),
        ("challenge", "shop-tls-1-8842-0"),
    ):
        r.call(
            "kubectl_get", f"NAME   STATE   AGE\n{name}   pending   20s", kind=kind, namespace="web"
        )
    r.call(
        "kubectl_describe",
        "Events:\n  Normal  Presented  18s  Presented challenge using DNS-01 "
        "challenge mechanism\nReason: Waiting for DNS-01 challenge propagation: DNS record not yet "
        "propagated",
        kind="challenge",
        name="shop-tls-1-8842-0",
        namespace="web",
    )
    for age in range(1, 8):
        r.call(
            "kubectl_get",
            f"NAME                STATE     DOMAIN         AGE\nshop-tls-1-8842-0   "
            f"pending   shop.example   {age * 30 + 20}s",
            after=30,
            kind="challenge",
            namespace="web",
        )
    r.call(
        "kubectl_get",
        "No resources found in web namespace.",
        after=30,
        kind="challenge",
        namespace="web",
    )
    r.call(
        "kubectl_get",
        "NAME       READY   SECRET     AGE\nshop-tls   True    shop-tls   5m2s",
        kind="certificate",
        namespace="web",
    )
    r.answer("shop-tls is issued.")


@healthy("build")
def silent_firmware_build(r: Script) -> None:
    """A Yocto image builds for two and a half hours with its output in a file."""
    r.call(
        "run_in_container",
        "Parsing recipes: 100%",
        took=70,
        image="yocto:kirkstone",
        script="source oe-init-build-env && bitbake -p",
    )
    r.think("A cold build needs two to three hours on this machine.")
    r.call(
        "run_in_container",
        "exit code 0",
        took=9_300,
        image="yocto:kirkstone",
        script="bitbake core-image-gateway > build.log 2>&1; echo exit code $?",
    )
    r.call(
        "run_in_container",
        "NOTE: Tasks Summary: Attempted 5412 tasks of which 310 didn't need to "
        "be rerun and all succeeded.",
        image="yocto:kirkstone",
        script="tail -1 build.log",
    )
    r.answer("The image is built: 5412 tasks, all succeeded.")


@healthy("ci")
def matrix_with_one_rerun(r: Script) -> None:
    """Twelve jobs finish one by one; one runner is lost, its job is run again and passes."""
    jobs = [
        f"test ({system}, {python})"
        for system in ("ubuntu", "macos", "windows")
        for python in ("3.10", "3.11", "3.12", "3.13")
    ]

    def view(finished: int, lost: str = "") -> str:
        marks = [
            "X" if job == lost else "✓" if place < finished else "*"
            for place, job in enumerate(jobs)
        ]
        return "JOBS\n" + "\n".join(f"{mark} {job}" for mark, job in zip(marks, jobs, strict=True))

    r.call(
        "bash",
        "remote: Create a pull request for 'decimal-rounding'",
        command="git push -u origin HEAD",
    )
    for finished in (0, 2, 5, 5, 9, 11):
        r.call("bash", view(finished), after=90, command="gh run view 8112044917")
    r.call(
        "bash",
        view(12, jobs[11]) + "\nThe hosted runner lost communication with the server.",
        after=90,
        command="gh run view 8112044917",
    )
    r.call(
        "bash",
        "✓ Requested rerun (failed jobs) of run 8112044917",
        command="gh run rerun 8112044917 --failed",
    )
    for finished in (11, 11, 11, 12):
        r.call("bash", view(finished), after=90, command="gh run view 8112044917")
    r.call("bash", "✓ Squashed and merged pull request #418", command="gh pr merge 418 --squash")
    r.answer("CI is green, #418 is merged.")


@healthy("sql")
def index_is_built_concurrently(r: Script) -> None:
    """A big index is built; its phases and blocks are read once a minute; one phase is long."""
    ask = (
        "SELECT phase, blocks_done, blocks_total, tuples_done FROM "
        "pg_stat_progress_create_index WHERE pid = 20417"
    )
    r.call(
        "psql", "pid 20417", sql="CREATE INDEX CONCURRENTLY ix_events_actor ON events (actor_id)"
    )
    states = [("building index: scanning table", n * 410_000) for n in range(1, 9)]
    states += [("building index: loading tuples in tree", 3_280_000)] * 5
    states += [("waiting for writers before validation", 0)] * 2
    states += [("index validation: scanning table", n * 1_640_000) for n in (1, 2)]
    for phase, blocks in states:
        r.call(
            "psql",
            f" phase | blocks_done | blocks_total | tuples_done \n {phase} | {blocks} | "
            "3280000 | 0 \n(1 row)",
            after=60,
            sql=ask,
        )
    r.call("psql", "(0 rows)", after=60, sql=ask)
    r.call(
        "psql",
        " indisvalid \n t \n(1 row)",
        sql="SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_events_actor'::regclass",
    )
    r.answer("The index is built and valid.")


@healthy("chat")
def customer_types_slowly(r: Script) -> None:
    """A customer answers after ten minutes; until then the inbox of the chat is empty."""
    r.call(
        "send_chat_message",
        {"id": "m-1"},
        chat="c-5501",
        text="Könnten Sie mir bitte die Seriennummer auf der Rückseite nennen?",
    )
    for _ in range(20):
        r.call("poll_chat", {"messages": [], "typing": False}, after=30, chat="c-5501", since="m-1")
    r.call(
        "poll_chat",
        {
            "messages": [{"id": "m-2", "text": "Entschuldigung, ich war im Keller. SN 4471-B-09"}],
            "typing": False,
        },
        after=30,
        chat="c-5501",
        since="m-1",
    )
    r.call(
        "lookup_device", {"serial": "4471-B-09", "warranty_until": "2027-01-31"}, serial="4471-B-09"
    )
    r.call(
        "send_chat_message",
        {"id": "m-3"},
        chat="c-5501",
        text="Danke! Ihr Gerät hat noch Garantie bis zum 31. Januar 2027.",
    )
    r.answer("Der Kunde hat Garantie bis 31.01.2027; ich habe es ihm geschrieben.")


@healthy("queues")
def worker_with_many_empty_receives(r: Script) -> None:
    """A worker long-polls a queue, mostly in vain; a few messages come and each is done and deleted."""
    for job in range(5):
        for _ in range(12):
            r.call(
                "sqs_receive",
                {"ResponseMetadata": {"HTTPStatusCode": 200}},
                took=20,
                after=1,
                queue="https://sqs.eu.example/410022/invoices",
                wait=20,
            )
        r.call(
            "sqs_receive",
            {
                "Messages": [
                    {
                        "MessageId": f"5f-{job}",
                        "ReceiptHandle": f"AQEB{job}w",
                        "Body": f'{{"invoice": "RE-{job + 70}"}}',
                    }
                ]
            },
            took=7,
            after=1,
            queue="https://sqs.eu.example/410022/invoices",
            wait=20,
        )
        r.call(
            "render_pdf",
            {"pages": 2 + job % 2, "path": f"/out/RE-{job + 70}.pdf"},
            invoice=f"RE-{job + 70}",
        )
        r.call("sqs_delete", {"ResponseMetadata": {"HTTPStatusCode": 200}}, receipt=f"AQEB{job}w")


@healthy("kubernetes")
def memory_limit_found_by_trying(r: Script) -> None:
    """A job is killed at 1, 2 and 3 GiB, each time further on; at 4 GiB it completes."""
    for size, rows in ((1, 40_000), (2, 95_000), (3, 151_000), (4, 180_000)):
        r.call(
            "kubectl",
            'job.batch "reindex" deleted\njob.batch/reindex created',
            args=f"replace --force -f - # limits.memory: {size}Gi",
        )
        r.call(
            "kubectl", f"reindexed {rows} of 180000", after=200, args="logs job/reindex --tail=1"
        )
        r.call(
            "kubectl",
            "reindex-x   0/1   OOMKilled   0   3m"
            if size < 4
            else "reindex-x   0/1   Completed   0   4m",
            args="get pods -l job-name=reindex --no-headers",
        )
    r.answer("The job needs 4 GiB; all 180,000 rows are indexed.")


@healthy("files")
def a_bit_smaller_please(r: Script) -> None:
    """A designer asks seven times for a slightly smaller logo; each wish is done."""
    for size in range(96, 54, -6):
        r.user("a bit smaller please" if size % 12 else "still too big, smaller")
        r.call(
            "edit_file",
            "Applied 1 edit to header.css",
            path="src/header.css",
            old=f"height: {size}px",
            new=f"height: {size - 6}px",
        )
        r.call("build_preview", {"ok": True, "url": "http://localhost:5173"}, took=3)
        r.think(f"The logo is {size - 6} px high now.", finish="stop")
        r.wait(90)
    r.answer("The logo is 54 px high now.")


@healthy("web")
def twelve_pages_in_one_turn(r: Script) -> None:
    """Twelve pages are fetched side by side; two are busy and are fetched again in the next turn."""
    pages = {
        f"https://council.example/minutes/2025-{month:02}": "503 Service Unavailable"
        if month in {5, 9}
        else f"Minutes of month {month}: {month * 3} motions, {month % 4} rejected."
        for month in range(1, 13)
    }
    r.batch("fetch_page", pages, "url", took=3)
    r.wait(20)
    again = {
        url: f"Minutes of month {url[-2:]}: 9 motions."
        for url, text in pages.items()
        if "503" in text
    }
    r.batch("fetch_page", again, "url", took=3)
    r.answer("All twelve minutes are read.")


@healthy("sql")
def cut_answers_narrowed_down(r: Script) -> None:
    """Answers are cut by the tool; the agent asks for less each time until nothing is cut."""
    for condition, rows in (("TRUE", 400), ("status = 'failed'", 200), ("day >= '2026-02-25'", 90)):
        body = "\n".join(f"{n} | failed | card_declined" for n in range(rows // 10))
        r.call(
            "query_db",
            f"{body}\n… [output truncated: 40 of {rows} rows shown]",
            sql=f"SELECT id, status, reason FROM payouts WHERE {condition}",
        )
    r.call(
        "query_db",
        "reason | count\ncard_declined | 71\nclosed_account | 19\n(2 rows)",
        sql="SELECT reason, count(*) FROM payouts WHERE day >= '2026-02-25' GROUP BY 1",
    )
    r.answer("71 declined cards and 19 closed accounts since 25 February.")


@healthy("files")
def list_of_tasks_kept_up_to_date(r: Script) -> None:
    """After each of seven steps the agent ticks off a line of its list; the work goes on."""
    tasks = ("models", "routes", "forms", "mails", "jobs", "admin", "docs")
    for place, task in enumerate(tasks):
        r.call(
            "TodoWrite",
            "Todos have been modified successfully. Ensure that you continue to use the todo list.",
            todos=[
                {"content": one, "status": "completed" if n < place else "in_progress"}
                for n, one in enumerate(tasks)
            ],
        )
        r.call("Read", f"1\tclass {task.title()}:\n2\t    name = ''", file_path=f"/app/{task}.py")
        r.call("Edit", f"The file /app/{task}.py has been updated.", file_path=f"/app/{task}.py",
               old_string="name = ''", new_string=f"name = _('{task}')")  # fmt: skip
    r.call("Bash", "Found 7 files, 0 untranslated strings", command="make i18n-check", took=6)
    r.answer("All seven modules can be translated.")


@healthy("agents")
def lamp_driver_with_an_odd_tongue(r: Script) -> None:
    """A home-grown tool for stage lamps answers in its own words; each of ten lamps is tried."""
    for lamp in range(1, 11):
        r.call("zap", "pling! (0x00)", unit=f"@L{lamp:02}", mode="probe", level=10)
        r.call("zap?", f"{{L{lamp:02} warm {2_690 + lamp} K hum 0}}", unit=f"@L{lamp:02}")
    r.call("zap", "pling! (0x00)", unit="@ALL", mode="dark", level=0)
    r.answer("All ten lamps work; their colours lie between 2,691 and 2,700 K.")


@healthy("tests")
def twenty_runs_prove_no_flake(r: Script) -> None:
    """The user wants the test twenty times; it passes twenty times."""
    r.user("I fixed the race. Run test_leader_election 20 times and tell me if it ever fails.")
    for turn in range(20):
        r.call(
            "bash",
            f"ok  \texample.org/raft\t{3.1 + turn % 4 / 10:.3f}s",
            took=4,
            command="go test ./raft -run TestLeaderElection -count=1 -race",
        )
    r.answer("20 of 20 runs passed under the race detector.")


@healthy("files")
def logs_full_of_errors_are_read(r: Script) -> None:
    """Eight logs of an old incident are read for a report: they speak of nothing but failures."""
    for part, line in enumerate(
        ("ERROR payment failed: timeout after 5s", "FATAL too many connections for role shop",
         "Exception in thread main java.net.ConnectException: Connection refused",
         "error: permission denied for table carts", "exit code 137 (OOMKilled)",
         "Tool failed after 3 attempts", "HTTP 503 Service Unavailable", "panic: runtime error")
    ):  # fmt: skip
        body = "\n".join(f"2025-11-28T0{part}:{minute:02}:07Z {line}" for minute in range(6))
        r.call("read_file", body, path=f"incidents/2025-11-28/part-{part}.log")
    r.call("write_file", "Wrote 4,112 bytes", path="reports/2025-11-28.md", text="# Timeline …")
    r.answer("The report of 28 November is in reports/2025-11-28.md.")


@healthy("payments")
def refused_and_reported_as_refused(r: Script) -> None:
    """A refund is outside its window; the agent looks for another way once, and says no."""
    r.user("please refund order 8841")
    r.call("get_order", {"order": "#8841", "paid": 59, "delivered": "2025-10-02"}, order="#8841")
    r.call("refund_order", {"ok": False, "code": "WINDOW_CLOSED", "days": 151}, order="#8841")
    r.call("get_policy", {"refund_days": 30, "exceptions": "defect only"}, topic="refund")
    r.answer("I could not refund order #8841: it was delivered 151 days ago, the window is 30.")
