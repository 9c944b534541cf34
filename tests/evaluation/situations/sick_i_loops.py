"""Half I, sick runs of one agent that does not get on; their author had read no rule and run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_I_LOOPS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_I_LOOPS, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should be seen on a dashboard."""
    return situation(SICK_I_LOOPS, Want.WARN, family, by_call)


@alarm("tickets", 10)
def page_token_by_the_wrong_name(r: Script) -> None:
    """`page_token` is ignored by the server, which knows `pageToken`: ten times the first page."""
    first = {
        "issues": [{"key": f"OPS-{n}", "summary": f"disk {n} is full"} for n in range(25)],
        "nextPageToken": "Q2hVd0Vn",
    }
    for page in range(10):
        r.think("There is a next page.", tokens=3_000 + page * 1_400)
        r.call(
            "jira_search",
            first,
            jql="project = OPS AND status = Open",
            maxResults=25,
            page_token="Q2hVd0Vn" if page else "",
        )


@alarm("cloud", 10)
def denied_whatever_the_command(r: Script) -> None:
    """Ten ways to read a bucket; each is refused for the same role."""
    denied = (
        "An error occurred (AccessDenied) when calling the {} operation: User: "
        "arn:aws:sts::410022:assumed-role/agent/run is not authorized to perform: s3:{}"
    )
    for command, operation in (
        ("aws s3 ls s3://pay-exports/", "ListObjectsV2"),
        ("aws s3 ls s3://pay-exports/2026/", "ListObjectsV2"),
        ("aws s3api list-objects-v2 --bucket pay-exports", "ListObjectsV2"),
        ("aws s3 cp s3://pay-exports/latest.csv .", "HeadObject"),
        ("aws s3 sync s3://pay-exports/ ./x --region eu-west-1", "ListObjectsV2"),
        ("AWS_REGION=eu-central-1 aws s3 ls s3://pay-exports/", "ListObjectsV2"),
        ("aws s3api get-bucket-policy --bucket pay-exports", "GetBucketPolicy"),
        ("aws s3 ls s3://pay-exports --no-verify-ssl", "ListObjectsV2"),
        (
            "python3 -c \"import boto3; print(boto3.client('s3').list_objects_v2(Bucket='pay-exports'))\"",
            "ListObjectsV2",
        ),
        ("aws s3 presign s3://pay-exports/latest.csv | xargs curl -s", "GetObject"),
        ("aws s3api head-bucket --bucket pay-exports", "HeadBucket"),
    ):
        r.call("bash", denied.format(operation, operation) + "\nexit code 254", command=command)


@alarm("web", 11)
def documentation_guessed_by_address(r: Script) -> None:
    """Twelve guessed addresses of one manual; every page is the same 404 page."""
    gone = (
        "<html><head><title>Page not found</title></head><body><h1>404</h1><p>We couldn’t find that "
        "page.</p><a href='/'>Home</a></body></html>"
    )
    for path in (
        "docs/api",
        "docs/api/v2",
        "documentation/api",
        "developers",
        "dev/docs",
        "api-reference",
        "docs/rest",
        "help/api",
        "docs/webhooks",
        "reference",
        "docs/v2/webhooks",
        "guides/api",
    ):
        r.think("Maybe the address is another one.")
        r.call("fetch", gone, url=f"https://www.mensapay.example/{path}", format="html")


@alarm("monitoring", 11)
def metric_name_guessed(r: Script) -> None:
    """Twelve PromQL queries for a metric that has another name: empty vectors throughout."""
    for metric in (
        "http_request_duration_seconds",
        "http_requests_duration",
        "request_latency_seconds",
        "request_duration_ms",
        "http_server_duration",
        "http_latency",
        "api_latency_seconds",
        "server_request_duration",
        "http_response_time",
        "latency_seconds",
        "api_request_time",
        "http_server_latency",
    ):
        r.call(
            "query_prometheus",
            '{"status":"success","data":{"resultType":"vector","result":[]}}',
            expr=f'histogram_quantile(0.95, sum by (le) (rate({metric}_bucket{{job="api"}}[5m])))',
        )


@alarm("browser", 12)
def button_that_stays_grey(r: Script) -> None:
    """A disabled button is clicked at ever so slightly other places; the page stays as it is."""
    for turn in range(10):
        r.call("computer", "clicked", action="left_click", coordinate=[642 + turn % 3, 710 - turn])
        r.call(
            "computer",
            "[screenshot] Schritt 3 von 4 · Pflichtfeld IBAN leer · Weiter (ausgegraut)",
            action="screenshot",
        )
        r.think("The click seems not to have been registered. I click again.")


@alarm("build", 16)
def image_misses_the_same_package(r: Script) -> None:
    """Eight edits of a Dockerfile; the build breaks at the same package each time."""
    edits = (
        "apt-get update && ",
        "--fix-missing ",
        "--no-install-recommends ",
        "-o Acquire::Retries=3 ",
        "--allow-downgrades ",
        "software-properties-common ",
        "-y -qq ",
        "--reinstall ",
    )
    for place, edit in enumerate(edits):
        r.call(
            "edit_file",
            "Edited Dockerfile (1 replacement)",
            path="Dockerfile",
            old=f"RUN apt-get install v{place}",
            new=f"RUN apt-get install {edit}libssl1.1",
        )
        r.call(
            "docker_build",
            f"#{7 + place} ERROR\nE: Unable to locate package libssl1.1\nE: Couldn't "
            f"find any package by glob 'libssl1.1'\nThe command '/bin/sh -c apt-get install {edit}"
            "libssl1.1' returned a non-zero code: 100",
            took=24,
            tag=f"api:try{place}",
            context=".",
        )


@alarm("sql", 14)
def migration_up_and_down(r: Script) -> None:
    """upgrade fails at the same revision, downgrade, stamp, upgrade …, five times round."""
    for _ in range(5):
        r.call(
            "terminal",
            "INFO  Running upgrade 4f1c -> 9ad2, add tenant to invoice\n"
            'psycopg.errors.NotNullViolation: column "tenant_id" of relation "invoice" contains '
            "null values\nexit code 1",
            cmd="alembic upgrade head",
        )
        r.call(
            "terminal", "INFO  Running downgrade 4f1c -> 33b0, tenants", cmd="alembic downgrade -1"
        )
        r.call("terminal", "INFO  Running stamp_revision 33b0 -> 4f1c", cmd="alembic stamp 4f1c")


@alarm("packages", 12)
def two_pins_that_exclude_each_other(r: Script) -> None:
    """One package wants numpy 1, the other numpy 2; they replace each other six times."""
    for _ in range(6):
        r.call(
            "bash",
            "Successfully installed numpy-1.26.4\nERROR: pip's dependency resolver: fastgeo 3.1 "
            "requires numpy>=2.0, but you have numpy 1.26.4 which is incompatible.",
            command="pip install 'oldstats==0.9' 'numpy<2'",
        )
        r.call(
            "bash",
            "Successfully installed numpy-2.1.3\nERROR: pip's dependency resolver: oldstats 0.9 "
            "requires numpy<2, but you have numpy 2.1.3 which is incompatible.",
            command="pip install 'fastgeo==3.1' 'numpy>=2'",
        )


@alarm("queues", 16)
def redriven_and_back_again(r: Script) -> None:
    """Dead letters are sent back to the queue and are dead letters again a minute later."""
    for turn in range(7):
        r.call(
            "redrive_dead_letters", {"taskHandle": f"AQEC{turn}9", "moved": 41}, source="orders-dlq"
        )
        r.call("get_queue_depth", {"orders": 0, "orders-dlq": 41}, after=60, queue="orders-dlq")
        r.call(
            "peek_message",
            {
                "MessageId": "b7-1",
                "Attributes": {"ApproximateReceiveCount": str(5 * turn + 5)},
                "Body": '{"sku": null}',
            },
            queue="orders-dlq",
        )


@alarm("network", 9)
def acme_limit_hammered(r: Script) -> None:
    """The challenge fails, then the authority refuses for an hour; the agent goes on at once."""
    for turn in range(10):
        text = (
            "Detail: 203.0.113.9: Invalid response from http://shop.example/.well-known/acme-challenge/"
            f"x{turn}: 404"
            if turn < 5
            else "Error creating new order :: too many failed "
            'authorizations (5) for "shop.example" in the last 1h0m0s, retry after 2026-03-02 10:04'
        )
        r.call(
            "shell_run",
            f"Saving debug log to /var/log/letsencrypt/{turn}.log\n{text}\nexit status 1",
            took=8,
            cmd="certbot certonly --webroot -w /var/www/html -d shop.example "
            f"--cert-name shop{turn} -n",
        )


@alarm("json", 9)
def does_not_wait_the_hour(r: Script) -> None:
    """The API says Retry-After: 3600; the agent asks every two seconds, for other customers."""
    for number in range(14):
        r.call(
            "http_request",
            {
                "status": 429,
                "headers": {"retry-after": "3600"},
                "body": {"error": "quota exceeded for project 5512"},
            },
            method="GET",
            url=f"https://geo.example/v1/geocode?customer={number + 100}",
        )


@alarm("git", 14)
def push_declined_by_the_hook(r: Script) -> None:
    """Amend, push, declined: seven times, each with another commit message."""
    for turn in range(8):
        r.call(
            "bash",
            f"[fix-tax {turn}a4c{turn}e1] Fix rounding {turn}",
            command=f"git commit --amend -m 'Fix rounding {'again ' * turn}'",
        )
        r.call(
            "bash",
            "remote: error: commit author e-mail agent@localhost is not allowed\n ! [remote "
            "rejected] fix-tax -> fix-tax (pre-receive hook declined)\nerror: failed to push some refs",
            command="git push --force-with-lease origin fix-tax",
        )


@alarm("cloud", 12)
def state_lock_dance(r: Script) -> None:
    """plan, force-unlock, plan: the lock is back each time, for a pipeline holds it."""
    for turn in range(6):
        r.call(
            "bash",
            "Error: Error acquiring the state lock\nLock Info:\n  ID: "
            f"{turn}0c2f3f1-77b1\n  Who: ci@runner-{turn + 3}\n  Operation: OperationTypeApply",
            command="terraform plan -out tf.plan",
        )
        r.call(
            "bash",
            "Terraform state has been successfully unlocked!",
            command=f"terraform force-unlock -force {turn}0c2f3f1-77b1",
        )


@alarm("documents", 16)
def draft_and_remark_in_a_circle(r: Script) -> None:
    """A draft swings between two versions: the critic finds it too long and then too short."""
    long, short = "Our quarter was good. " * 30, "Our quarter was good."
    for _ in range(7):
        r.call("save_draft", {"saved": True, "words": 120}, document="letter-q1", text=long)
        r.call(
            "critique",
            {"score": 4, "remarks": ["too long for shareholders, shorten"]},
            document="letter-q1",
        )
        r.call("save_draft", {"saved": True, "words": 4}, document="letter-q1", text=short)
        r.call(
            "critique",
            {"score": 4, "remarks": ["too thin, give more detail"]},
            document="letter-q1",
        )


@alarm("files", 26)
def forgets_at_each_compaction(r: Script) -> None:
    """After each compaction of its context the agent reads the same six files from the start."""
    for _ in range(5):
        for name in ("main", "queue", "retry", "store", "types", "wire"):
            r.call(
                "read_file",
                f"// {name}.go\npackage worker\n" + f"func {name}() error {{ return nil }}\n" * 20,
                path=f"internal/worker/{name}.go",
            )
            r.think("…", tokens=60_000)
        r.think(
            "The conversation was compacted. I first get an overview of the code.", tokens=9_000
        )


@alarm("warehouse", 11)
def customer_that_no_spelling_finds(r: Script) -> None:
    """Eleven spellings of a name in SQL; no rows each time; the table has no names at all."""
    for pattern in (
        "Müller AG",
        "Mueller AG",
        "MÜLLER%",
        "%müller%",
        "%mueller%",
        "%M_ller%",
        "Muller%",
        "%muller ag%",
        "müller a.g.",
        "%üller%",
        "Mller%",
    ):
        r.call(
            "snowflake_query",
            "+------+\n| NAME |\n|------|\n+------+\n0 Row(s) produced. Time Elapsed: "
            f"0.{len(pattern)}1s",
            statement=f"select name from crm.accounts where name ilike '{pattern}'",
        )


@alarm("shell", 10)
def no_space_for_any_name(r: Script) -> None:
    """A full disk: the same dump to nine other file names; nothing is deleted or looked at."""
    for place in range(10):
        r.call(
            "exec",
            {
                "exit_code": 1,
                "stdout": "",
                "stderr": "pg_dump: error: could not write to output file: No space left on device",
            },
            took=40,
            argv=["pg_dump", "-Fc", "shop", "-f", f"/backup/shop-{place:02}.dump"],
        )


@warn("search", 10)
def answers_that_are_near_but_never_it(r: Script) -> None:
    """Eleven searches of an internal wiki give the same three general pages in other order."""
    pages = ["Onboarding", "Travel policy (outdated)", "Who is who"]
    for turn, words in enumerate(
        (
            "VPN split tunnel Linux",
            "split tunneling vpn ubuntu",
            "vpn linux routes",
            "openvpn split",
            "vpn exclude local network",
            "linux vpn config file",
            "wireguard split tunnel",
            "vpn only for internal",
            "ubuntu vpn guide",
            "vpn route-nopull",
            "vpn einrichten linux",
        )
    ):
        r.call(
            "wiki_search",
            [{"title": pages[(turn + n) % 3], "score": 0.41 - n / 50} for n in range(3)],
            query=words,
            top_k=3,
        )
