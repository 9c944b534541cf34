"""Half I, sick runs of several agents, of waiting and of long times; their author had read no rule."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_I_TEAMS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_I_TEAMS, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should be seen on a dashboard."""
    return situation(SICK_I_TEAMS, Want.WARN, family, by_call)


@alarm("kubernetes", 12)
def thrift_against_speed(r: Script) -> None:
    """A cost agent scales down what a latency agent scales up, seven times in half an hour."""
    for _ in range(7):
        r.agent = "cost-saver"
        r.call(
            "patch_deployment",
            {"name": "search", "replicas": 3},
            after=120,
            name="search",
            namespace="prod",
            patch={"spec": {"replicas": 3}},
        )
        r.agent = "latency-keeper"
        r.call(
            "patch_deployment",
            {"name": "search", "replicas": 10},
            after=120,
            name="search",
            namespace="prod",
            patch={"spec": {"replicas": 10}},
        )


@alarm("git", 12)
def two_styles_of_imports(r: Script) -> None:
    """One agent sorts imports, the other puts them back as the linter of its team wants."""
    first, second = (
        "import os\nimport re\nfrom app import db",
        "from app import db\nimport os\nimport re",
    )
    for _ in range(7):
        for agent, old, new in (("tidier", second, first), ("reviewer", first, second)):
            r.agent = agent
            r.call("edit_file", "1 edit applied", path="app/views.py", old_text=old, new_text=new)
            r.call(
                "commit",
                {"sha": f"{abs(r.at_s):.0f}ab", "pushed": True},
                message="Order of imports",
            )


@alarm("chat")
def handed_round_three_desks(r: Script) -> None:
    """A customer's question goes from triage to billing to accounts to triage, four times."""
    r.user("I was charged for a seat that I removed in January.")
    for turn in range(4):
        r.hand_off("triage", "billing", f"A charge is disputed, please handle ({turn}).")
        r.call("get_case", {"case": "C-881", "topic": "seat removed"}, case="C-881")
        r.hand_off("billing", "accounts", "Seats are not ours, this is about the account.")
        r.call("get_case", {"case": "C-881", "topic": "seat removed"}, case="C-881")
        r.hand_off("accounts", "triage", "The seats look right to us; it must be something else.")


@alarm("kubernetes", 14)
def gitops_puts_it_back(r: Script) -> None:
    """A limit is patched by hand; Argo heals it back within a minute; seven times."""
    for turn in range(7):
        r.call(
            "kubectl",
            "deployment.apps/ledger patched",
            args=f'patch deploy/ledger -p {{"spec":…"memory":"{1024 + turn}Mi"}}',
        )
        r.call("kubectl", "512Mi", after=60, args="get deploy/ledger -o jsonpath={..limits.memory}")
        r.think("The limit is 512Mi again. I patch it once more.")


@alarm("mail", 10)
def two_robots_write_to_each_other(r: Script) -> None:
    """The agent answers an out-of-office robot, which answers, and so on."""
    for turn in range(9):
        r.call(
            "read_inbox",
            [
                {
                    "id": f"<{turn}8f@kunde.example>",
                    "from": "info@kunde.example",
                    "subject": f"Automatische Antwort: {'Re: ' * turn}Angebot 5512",
                    "body": "Vielen Dank für Ihre Nachricht. Wir sind bis 15. März nicht im Büro.",
                }
            ],
            after=30,
            folder="INBOX",
            unread=True,
        )
        r.call(
            "send_mail",
            {"queued": True, "id": f"<{turn}c1@wir.example>"},
            to="info@kunde.example",
            subject=f"{'Re: ' * (turn + 1)}Angebot 5512",
            body="Gerne. Haben Sie noch Fragen zum Angebot?",
        )


@alarm("agents", 12)
def delegates_to_itself(r: Script) -> None:
    """Each sub-agent finds the task too big and gives it on, word for word, to a new sub-agent."""
    for depth in range(12):
        r.agent = f"researcher-{depth}"
        r.think("This is a big task. I delegate it to a specialised agent.", tokens=2_500)
        r.call(
            "spawn_agent",
            {"agent": f"researcher-{depth + 1}", "state": "started"},
            role="researcher",
            prompt="Compare the tariffs of the five carriers and make a table.",
        )
    r.agent = None


@alarm("agents", 16)
def every_helper_meets_the_same_wall(r: Script) -> None:
    """Ten sub-agents of one turn are refused by the same expired token, twice each; nobody stops."""
    began_s = r.at_s
    for place in range(10):
        r.agent, r.at_s = f"scan-{place}", began_s + place * 4
        for part in ("head", "body"):
            r.call(
                "git_clone",
                {
                    "ok": False,
                    "stderr": "remote: HTTP Basic: Access denied. The provided "
                    "token has expired.\nfatal: Authentication failed",
                },
                repo=f"acme/service-{place}",
                part=part,
            )
    r.agent = None


@alarm("cloud")
def job_that_does_not_exist(r: Script) -> None:
    """The start was refused; the agent then polls a job of that name for fifty minutes."""
    r.call(
        "start_batch",
        {"error": {"code": 400, "message": "quota: max 3 concurrent batches"}},
        name="embed-2026-03",
        input="gs://in/part-*.jsonl",
    )
    for _ in range(50):
        r.call(
            "get_batch",
            {"error": {"code": 404, "message": "batch embed-2026-03 not found"}},
            after=60,
            name="embed-2026-03",
        )


@alarm("warehouse")
def stands_at_ninety_seven(r: Script) -> None:
    """A copy climbs to 97 percent in ten minutes and stays there for two hours."""
    for percent in (11, 24, 38, 52, 61, 73, 84, 92, 96, 97):
        r.call(
            "get_copy_status",
            {"job": "cp-18", "state": "RUNNING", "percent": percent, "bytes": percent * 41_000_000},
            after=60,
            job="cp-18",
        )
    for _ in range(120):
        r.call(
            "get_copy_status",
            {"job": "cp-18", "state": "RUNNING", "percent": 97, "bytes": 97 * 41_000_000},
            after=60,
            job="cp-18",
        )


@alarm("shell")
def ssh_never_comes_back(r: Script) -> None:
    """Six commands on a host took two seconds each; the seventh has not returned for an hour."""
    for command in (
        "uptime",
        "df -h /",
        "free -m",
        "systemctl is-active nginx",
        "ss -ltn",
        "lsblk",
    ):
        r.call("ssh", f"{command}: fine", took=2, host="edge-12", command=command)
    r.hang("ssh", host="edge-12", command="journalctl -u nginx --since yesterday | grep -c 502")
    r.beat(3_600)


@alarm("training")
def agent_process_is_gone(r: Script) -> None:
    """In the middle of an evaluation the process stops sending anything; two hours pass."""
    for shard in range(5):
        r.call(
            "evaluate_shard", {"shard": shard, "accuracy": 0.71 + shard / 100}, took=50, shard=shard
        )
        r.beat(30)
    r.think("Next is shard 5.")
    r.wait(7_200)


@warn("tickets", 16)
def hourly_job_fails_since_yesterday(r: Script) -> None:
    """Every hour the report is started anew and breaks at the same missing table, for a day."""
    for hour in range(24):
        r.call(
            "run_report",
            {"run": f"rep-{hour:03}", "state": "STARTED"},
            after=3_590,
            report="hourly_margin",
            hour=f"2026-03-02T{hour:02}",
        )
        r.fail(
            "get_report",
            'RelationNotFound: table "fx_rates_eur" does not exist',
            run=f"rep-{hour:03}",
        )


@alarm("monitoring")
def guard_that_is_blind(r: Script) -> None:
    """A guard cannot reach its target at all, for seven hours, and reports that it was quiet."""
    for _ in range(40):
        r.call(
            "bash",
            "curl: (6) Could not resolve host: status.shop.internal\n000",
            after=600,
            command="curl -s -o /dev/null -w '%{http_code}' https://status.shop.internal/health",
        )
    r.answer("The shift was quiet: no incident between 09:00 and 15:40.")


@warn("training")
def loss_is_not_a_number(r: Script) -> None:
    """From the third epoch on the loss is nan; the agent goes on for twenty-five epochs."""
    for epoch in range(1, 29):
        loss = (2.31, 1.98)[epoch - 1] if epoch < 3 else "nan"
        r.call(
            "train_epoch",
            {"epoch": epoch, "loss": loss, "lr": 3e-2, "tokens": epoch * 1_000_000},
            took=240,
            run="exp-77",
            epoch=epoch,
        )
    r.answer("Training of exp-77 is finished: 28 epochs.")


@warn("files")
def context_grows_and_time_with_it(r: Script) -> None:
    """Whole logs go into the context: from 5,000 to 190,000 tokens and from 3 to 80 seconds a turn."""
    for turn in range(28):
        r.call(
            "cat_log",
            f"2026-03-02 INFO heartbeat worker={turn % 3} ok\n" * 60,
            pod=f"api-{turn % 3}",
            lines=5_000,
        )
        r.think(
            "Nothing unusual so far. I read more.", tokens=5_000 + turn * 6_800, took=3 + turn * 2.8
        )


@warn("search", 16)
def research_without_a_yield(r: Script) -> None:
    """Twenty-four fetches are cut by a consent wall; the agent keeps buying more of them."""
    for number in range(24):
        r.call(
            "scrape",
            {
                "credits_used": 5,
                "markdown": "We value your privacy. Accept all · Reject all · Manage 842 partners",
            },
            url=f"https://papers{number % 6}.example/a/{number}",
            render=True,
        )
        r.think("The article is not readable, next one.", tokens=4_000 + number * 300)


@alarm("chat")
def continue_says_the_framework(r: Script) -> None:
    """The agent promises each time to begin, calls no tool, and is sent an automatic "continue"."""
    r.user("Please migrate the three cron jobs to the new scheduler.")
    r.call(
        "read_file",
        "0 3 * * * /opt/a.sh\n15 3 * * * /opt/b.sh\n30 3 * * * /opt/c.sh",
        path="crontab",
    )
    for _ in range(16):
        r.think(
            "I will now migrate the cron jobs to the new scheduler.", tokens=4_000, finish="stop"
        )
        r.user("Continue. If you are done, call finish.", after=2)


@alarm("files", 12)
def plans_and_never_begins(r: Script) -> None:
    """The list of tasks is written anew thirteen times, in other words; no task is begun."""
    for turn in range(13):
        r.call(
            "write_todos",
            "Updated todo list",
            todos=[
                {"content": f"{verb} the parser", "status": "pending"}
                for verb in (("Analyse", "Refactor", "Test"), ("Study", "Clean up", "Check"))[
                    turn % 2
                ]
            ],
        )
        r.think("Before I start I should refine the plan.", tokens=3_000 + turn * 400)


@alarm("json", 26)
def batch_of_eight_fails_in_every_turn(r: Script) -> None:
    """One model turn after the other sends eight calls side by side; all are refused alike."""
    for turn in range(6):
        r.batch(
            "lookup_vat",
            {
                f"DE{turn}{n}1234567": {
                    "isError": True,
                    "content": [
                        {
                            "type": "text",
                            "text": "MS_MAX_CONCURRENT_REQ: member state service is busy",
                        }
                    ],
                }
                for n in range(8)
            },
            "vat_id",
        )
        r.think("Some lookups failed. I try the next ones.")


@warn("warehouse")
def first_hundred_called_all(r: Script) -> None:
    """The list says that it is cut at a hundred of 2,914; all customers are said to be informed."""
    r.user("Informa a todos los clientes del plan Básico de la subida de precio.")
    r.call(
        "listar_clientes",
        {"clientes": [f"cl-{n}" for n in range(100)], "total": 2914, "truncado": True},
        plan="basico",
    )
    r.call(
        "enviar_aviso", {"enviados": 100, "fallidos": 0}, plantilla="subida-2026", destinatarios=100
    )
    r.answer("He informado a todos los clientes del plan Básico.")


@warn("crm")
def mowi_ze_zapisano(r: Script) -> None:
    """Zapis się nie powiódł z powodu wersji, a odpowiedź mówi, że dane są zmienione."""
    r.user("Zmień proszę adres firmy Kowal na ul. Długa 7.")
    r.call(
        "crm_read",
        {"id": "urn:crm:firma:551", "adres": "ul. Krótka 2", "etag": "W/12"},
        id="urn:crm:firma:551",
    )
    r.call(
        "crm_patch",
        {"status": 412, "title": "Precondition Failed", "detail": "etag W/12 is stale"},
        id="urn:crm:firma:551",
        adres="ul. Długa 7",
        if_match="W/12",
    )
    r.answer("Gotowe, adres firmy Kowal to teraz ul. Długa 7.")
