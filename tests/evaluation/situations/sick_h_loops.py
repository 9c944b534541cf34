"""Half H, sick runs that go round; written by somebody who had not read the rules."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_H_LOOPS: Collection = []


def sick(family: str, by_call: int | None = None, want: Want = Want.ALARM) -> Adding:
    """Add a run that somebody wants to be told of."""
    return situation(SICK_H_LOOPS, want, family, by_call)


@sick("kubectl", 8)
def forbidden_in_every_namespace(r: Script) -> None:
    """The account may list pods nowhere; one namespace after the other is tried all the same."""
    for namespace in ("payments", "pay", "payment", "payments-prod", "prod", "default", "checkout",
                      "billing", "kube-system", "finance", "orders", "core"):  # fmt: skip
        r.think(f"I have no access there. Perhaps the pods are in the namespace {namespace}.")
        r.call("run_shell_command", "Error from server (Forbidden): pods is forbidden: User "
               '"system:serviceaccount:ai:sre-agent" cannot list resource "pods" in API group '
               f'"" in the namespace "{namespace}"\n(exit code 1)',
               command=f"kubectl get pods -n {namespace} -l app=payments")  # fmt: skip


@sick("confluence", 8)
def start_that_the_server_ignores(r: Script) -> None:
    """The offset grows with each call, the answer is always the first page."""
    for number in range(13):
        r.call("confluence_search", {"results": [{"id": "8812", "title": "Runbook: mail relay"},
               {"id": "8790", "title": "Runbook: LDAP"}, {"id": "8413", "title": "Runbook: backup"}],
               "start": 0, "limit": 25, "size": 25, "totalSize": 164},
               cql="type=page and label=runbook", start=number * 25, limit=25)  # fmt: skip


@sick("gitops", 12)
def read_write_validate_and_again(r: Script) -> None:
    """A cycle over three tools: read the values, write them, be refused by the schema."""
    for number in range(8):
        r.call("get_file", "replicaCount: 3\nautoscaling:\n  enabled: true\n  maxReplicas: 10",
               path="charts/api/values.yaml")  # fmt: skip
        r.think("The key autoscaling.minReplicas is missing, I add it.")
        r.call("put_file", {"content": {"path": "charts/api/values.yaml"}, "commit": {"sha":
               f"{number * 7919 + 4099:07x}"}}, path="charts/api/values.yaml",
               content='replicaCount: 3\nautoscaling:\n  enabled: true\n  minReplicas: "3"')  # fmt: skip
        r.call("validate_chart", {"valid": False, "errors": [
               "autoscaling.minReplicas: Invalid type. Expected: integer, given: string"]},
               chart="charts/api")  # fmt: skip


@sick("dns", 12)
def failover_and_hygiene_turn_a_record(r: Script) -> None:
    """One agent points the record to the standby, the other back to the declared primary."""
    for _ in range(7):
        r.agent = "failover"
        r.call("probe", {"target": "mail.arbor.example", "loss_pct": 4, "rtt_ms": 181}, after=120,
               target="mail.arbor.example")  # fmt: skip
        r.call("route53_upsert", {"ChangeInfo": {"Status": "INSYNC"}}, name="mail.arbor.example",
               type="A", value="198.51.100.4", ttl=60)  # fmt: skip
        r.agent = "drift-repair"
        r.call("route53_get", {"Name": "mail.arbor.example.", "Value": "198.51.100.4"}, after=120,
               name="mail.arbor.example")  # fmt: skip
        r.call("route53_upsert", {"ChangeInfo": {"Status": "INSYNC"}}, name="mail.arbor.example",
               type="A", value="203.0.113.4", ttl=60)  # fmt: skip


@sick("git", 10)
def two_bots_push_to_one_branch(r: Script) -> None:
    """One bot sorts the imports, the other formats; each push undoes the one before."""
    for number in range(7):
        for bot, line in (("isort-bot", "import b\nimport a  # first-party first"),
                          ("ruff-bot", "import a  # first-party first\nimport b")):  # fmt: skip
            r.agent = bot
            r.call("edit_file", "1 file changed", after=90, path="app/main.py", content=line)
            r.call("git_push", f"To github.com:acme/app.git\n   {number * 8111 + 65536:x}.."
                   f"{number * 9001 + 70000:x}  renovate/x -> renovate/x", branch="renovate/x",
                   message=f"style: {bot}")  # fmt: skip


@sick("curl", 8)
def token_that_has_expired(r: Script) -> None:
    """Every address answers 401 since the token has expired; eleven addresses are tried."""
    for path in ("users", "users/me", "v2/users", "accounts", "v2/accounts", "me", "admin/users",
                 "users?limit=1", "users?page=1", "members", "v1/members", "people"):  # fmt: skip
        r.call("bash", '{"error":"invalid_token","error_description":"The access token expired"}'
               "\nHTTP 401", command="curl -s -w '\\nHTTP %{http_code}' -H \"Authorization: Bearer "
               f'$TOKEN" https://api.hr.example/{path}')  # fmt: skip
        r.think("That endpoint does not accept my token either, I will try another one.")


@sick("web", 12)
def paper_that_the_search_does_not_know(r: Script) -> None:
    """Sixteen wordings of one search; the same three unrelated hits come back each time."""
    words = ("Hartmann 2019 valve fatigue study", "valve fatigue Hartmann pdf", "Hartmann et al valve",
             "fatigue of valves 2019 Hartmann", "Hartmann valve fatigue journal",
             "Hartmann valve fatigue doi", "valve fatigue paper 2019", "Hartmann fatigue valves study",
             "valves Hartmann 2019 download", "J. Hartmann valve fatigue", "Hartmann valve-fatigue",
             "study valve fatigue author Hartmann", "Hartmann valve fatigue conference",
             "Hartmann valve fatigue arXiv", "Hartmann valve fatigue thesis",
             "Hartmann valve fatigue researchgate")  # fmt: skip
    for query in words:
        r.call("web_search", "1. Hartmann AG - valves and fittings (shop)\n2. Fatigue (material) - "
               "Wikipedia\n3. Chronic fatigue: what helps? - Klinik Hartmann", after=4, query=query)  # fmt: skip
        r.think("The search did not return the paper. I refine the query.")


@sick("coding", 14)
def symbol_that_is_not_in_the_repository(r: Script) -> None:
    """A function is looked for that no branch has; rg finds nothing in sixteen spellings."""
    for pattern in ("recalcLedger", "recalc_ledger", "RecalcLedger", "recalculateLedger", "ledgerRecalc",
                    "recalculate_ledger", "def recalc", "recalc", "reCalc", "ledger.*recalc",
                    "recompute_ledger", "recomputeLedger", "ledger_recompute", "LEDGER_RECALC",
                    "recalc-ledger", "calcLedger"):  # fmt: skip
        r.call("Bash", "Exit code 1", command=f"rg -n '{pattern}' /repo")
        r.think("No match. It may be spelt differently.")


@sick("package", 7)
def versions_that_cannot_be_had_together(r: Script) -> None:
    """pip reports the same conflict whatever version is pinned."""
    for version in (
        "2.3.1",
        "2.3.0",
        "2.2.2",
        "2.2.0",
        "2.1.4",
        "2.1.0",
        "2.0.3",
        "2.0.0",
        "1.9.5",
    ):
        r.think("A version in between should suit both.")
        r.call("bash", f"ERROR: Cannot install acme-sdk==4.1 and pandas=={version} because these "
               "package versions have conflicting dependencies.\nThe conflict is caused by: acme-sdk "
               "4.1 depends on pandas<1.3\nERROR: ResolutionImpossible\n[exit 1]", took=18,
               command=f"pip install acme-sdk==4.1 pandas=={version}")  # fmt: skip


@sick("slurm", 12)
def job_killed_for_its_memory_again(r: Script) -> None:
    """A job dies of the same limit each time; the agent submits it again as it is."""
    for number in range(7):
        r.call("bash", f"Submitted batch job {90110 + number}", command="sbatch align.sbatch")
        r.call("bash", f"JobID|State|ExitCode|MaxRSS\n{90110 + number}|OUT_OF_MEMORY|0:125|63.9G",
               after=1500, command=f"sacct -P -X -j {90110 + number} -o JobID,State,ExitCode,MaxRSS")  # fmt: skip
        r.think("The job was killed. I submit it again.")


@sick("docker", 12)
def image_that_fails_in_step_seven(r: Script) -> None:
    """The Dockerfile is edited eight times; the build stops in the same step in the same words."""
    for number, line in enumerate(("RUN apt-get install -y gcc", "RUN apt-get install -y g++",
            "RUN apt-get install -y build-essential", "ENV CC=gcc", "RUN pip install wheel",
            "RUN pip install -U pip", "RUN apt-get install -y make", "ENV CXX=g++")):  # fmt: skip
        r.call("edit_file", "Successfully replaced text in Dockerfile", path="Dockerfile",
               insert=line, at=4 + number)  # fmt: skip
        r.call("bash", "#11 [7/9] RUN pip install -r requirements.txt\n#11 38.2 fatal error: "
               'libpq-fe.h: No such file or directory\n#11 ERROR: process "/bin/sh -c pip install -r '
               'requirements.txt" did not complete successfully: exit code: 1', took=62,
               command="docker build -t acme/report .")  # fmt: skip


@sick("browser", 8)
def puzzle_that_it_cannot_solve(r: Script) -> None:
    """A page asks for a captcha; it is reloaded eleven times."""
    for number in range(11):
        r.call("browser_navigate", "- heading 'Verify you are human' - iframe 'hCaptcha' - text 'Ray "
               f"ID: {number * 48611 + 1048576:x}'", took=4,
               url=f"https://registry.gov.example/search?q=HRB+88123&_={1772442000 + number * 9}")  # fmt: skip
        r.think("The page has not loaded yet, I reload it.")


@sick("queue", 9)
def poison_message(r: Script) -> None:
    """One message fails, becomes visible again, is received again, and fails alike."""
    for number in range(10):
        r.call("receive_message", {"Messages": [{"MessageId": "5fea7756-0ea4", "Body":
               '{"order":"A-7731","total":"12,50"}', "Attributes":
               {"ApproximateReceiveCount": str(number + 1)}}]}, after=30, queue="orders")  # fmt: skip
        r.call("post_order", {"status": "error", "error_message": "ValidationError: total: could not "
               "convert string to float: '12,50'"}, order="A-7731", total="12,50")  # fmt: skip


@sick("airflow", 10)
def task_cleared_and_failed(r: Script) -> None:
    """A task is cleared, fails after twenty seconds, and is cleared again."""
    for number in range(9):
        r.call("airflow_clear", {"task_instances": [{"task_id": "load", "try_number": number + 2}]},
               dag="crm_sync", task="load", run="scheduled__2026-03-01")  # fmt: skip
        r.call("airflow_log", f"[2026-03-02T09:{number * 2:02}:21] ERROR - psycopg.OperationalError: "
               'connection to server at "crm-db" failed: FATAL: password authentication failed for '
               'user "etl"\nMarking task as FAILED.', after=100, dag="crm_sync", task="load",
               try_number=number + 2)  # fmt: skip


@sick("coding", 14)
def same_pages_read_with_a_growing_context(r: Script) -> None:
    """Three files are read in turn for ever; the context grows to 190 000 tokens, nothing is done."""
    r.user("Why is the export slow?")
    for number in range(8):
        for path in ("export/run.py", "export/rows.py", "export/settings.py"):
            r.call("Read", f"1→# {path}\n2→def rows(cursor):\n3→    yield from cursor",
                   file_path=f"/srv/app/{path}")  # fmt: skip
        r.think("Let me read the three files to understand the export.",
                tokens=12000 + number * 25000, took=9 + number * 4)  # fmt: skip


@sick("terraform", 15)
def lock_that_is_nine_days_old(r: Script) -> None:
    """The state is locked by a run that died nine days ago; the apply is tried each minute."""
    for _ in range(25):
        r.call("bash", "╷\n│ Error: Error acquiring the state lock\n│ Lock Info:\n│   ID: 9c1f3a02-7b\n"
               "│   Operation: OperationTypeApply\n│   Who: ci@runner-14\n│   Created: 2026-02-21 "
               "04:10:55 UTC\n╵\n[exit code 1]", after=60, took=6,
               command="terraform apply -input=false -auto-approve plan.out")  # fmt: skip


@sick("swarm", 9)
def transfer_and_transfer_back(r: Script) -> None:
    """Three agents of a swarm transfer the conversation to one another without doing a thing."""
    r.user("I want to cancel my second seat and be paid back for February.")
    agents = ("triage_agent", "seats_agent", "refund_agent")
    for number in range(14):
        r.agent, taker = agents[number % 3], agents[(number + 1) % 3]
        r.call(
            f"transfer_to_{taker}", f"Transferred to {taker}. Adopt persona immediately.", after=3
        )


@sick("todo", 10)
def list_of_tasks_written_again(r: Script) -> None:
    """The list of tasks is written thirteen times with new words; no task is begun."""
    r.user("Please fix the failing login test.")
    for number in range(13):
        r.call("TodoWrite", "Todos have been modified successfully. Ensure that you continue to use "
               "the todo list to track your progress.", todos=[{"content": f"{verb} the login test",
               "status": "in_progress" if place == 0 else "pending"} for place, verb in enumerate(
               ("Analyse", "Reproduce", "Mend", "Verify")[: 2 + number % 3])])  # fmt: skip
        r.think("I will start by organising the work.", tokens=4000 + 300 * number)


@sick("cloudformation", 50)
def stack_that_stands_still(r: Script) -> None:
    """The stack hangs at one resource for three hours: its tasks never become healthy."""
    events = [{"LogicalResourceId": "ApiService", "ResourceStatus": "UPDATE_IN_PROGRESS",
               "Timestamp": "2026-03-02T09:02:44Z"}]  # fmt: skip
    r.call(
        "cfn_update_stack", {"StackId": "arn:aws:cloudformation:…:stack/api/1f"}, StackName="api"
    )
    for _ in range(90):
        r.call("cfn_describe", {"StackStatus": "UPDATE_IN_PROGRESS", "StackEvents": events,
               "ServiceEvents": "(service api) is unable to consistently start tasks successfully"},
               after=120, StackName="api")  # fmt: skip


@sick("kafka", 15)
def lag_that_grows_while_it_waits(r: Script) -> None:
    """The agent waits for the lag to go down; it goes up every time, and it waits on."""
    lag = 12000
    for number in range(28):
        lag += 4100 + number * 350
        r.call("consumer_lag", {"group": "invoice", "topic": "orders", "total_lag": lag, "members": 0,
               "state": "Empty"}, after=120, group="invoice")  # fmt: skip
        r.think("The consumer still works through its backlog. I check again in two minutes.")


@sick("json-api", 9)
def sign_in_page_instead_of_data(r: Script) -> None:
    """Every address answers 200 with the page of the single sign-on."""
    for path in ("reports/118", "reports/118.json", "api/reports/118", "api/v1/reports/118",
                 "reports?id=118", "export/118", "reports/118/data", "api/reports?id=118",
                 "v2/reports/118", "reports/118?format=json", "reports/118/download"):  # fmt: skip
        r.call("http_request", {"status": 200, "headers": {"content-type": "text/html"}, "body":
               "<!doctype html><title>Sign in - Acme SSO</title><form action=/login>"},
               method="GET", url=f"https://bi.acme.example/{path}")  # fmt: skip


@sick("certificates", 7)
def renewal_limited_each_hour(r: Script) -> None:
    """certbot is refused for a week; each hourly attempt counts against the limit once more."""
    for _ in range(14):
        r.call("bash", "An unexpected error occurred:\ntoo many certificates (5) already issued for this "
               "exact set of identifiers in the last 168h0m0s, retry after 2026-03-08 02:11:09 UTC\nAsk "
               "for help or search for solutions at https://community.letsencrypt.org.", after=3600,
               took=7, command="certbot certonly -n --nginx -d www.fjord.example --force-renewal")  # fmt: skip


@sick("deploy", 13)
def deployed_and_rolled_back_and_deployed(r: Script) -> None:
    """The same image is deployed, found ill, rolled back and deployed again, five times."""
    for _ in range(6):
        r.call("deploy", {"service": "search", "image": "search@sha256:41ce", "state": "live"},
               took=90, service="search", image="search@sha256:41ce")  # fmt: skip
        r.call("health", {"service": "search", "healthy": False, "reason": "readiness: missing env "
               "OPENSEARCH_URL"}, after=60, service="search")  # fmt: skip
        r.call("rollback", {"service": "search", "image": "search@sha256:0d77", "state": "live"},
               took=60, service="search")  # fmt: skip
        r.call("health", {"service": "search", "healthy": True}, after=60, service="search")
        r.think("The service is healthy again, so the rollout can be resumed.")


@sick("support", None, Want.WARN)
def asks_for_what_was_given(r: Script) -> None:
    """The user is asked for the same order number six times and gives it every time."""
    r.user("My parcel has not come. Order 7731-A.")
    for reply in ("7731-A, as I wrote", "7731-A", "it is 7731-A!", "7731-A, 7731-A", "see above: 7731-A",
                  "forget it"):  # fmt: skip
        r.call("chat_send", {"delivered": True}, after=3,
               text="Could you please give me your order number so that I can help you?")  # fmt: skip
        r.user(reply, after=50)
