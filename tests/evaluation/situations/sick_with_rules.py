"""Sick runs written together with rules, in several shapes and families of tools each."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_WITH_RULES: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run for which somebody wants to be paged, by which of its calls."""
    return situation(SICK_WITH_RULES, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None) -> Adding:
    """Add a run that somebody wants to see on a dashboard the same day."""
    return situation(SICK_WITH_RULES, Want.WARN, family, by_call)


# --- What looks like work in portions and is none -------------------------------------------------


@alarm("postgres", 6)
def same_update_again_and_again(r: Script) -> None:
    """The same rows are set to the same value, five times over."""
    for _ in range(7):
        r.call("sql", "UPDATE 340", query="UPDATE orders SET state='paid' WHERE batch = 19")
    r.answer("The batch is paid.")


@alarm("mongo", 6)
def one_document_deleted_again(r: Script) -> None:
    """A document is deleted and is back each time, since another service writes it again."""
    for _ in range(6):
        r.call("mongo_delete_one", {"acknowledged": True, "deletedCount": 1}, id="sess-5512")
    r.answer("The session is gone.")


@alarm("crm", 6)
def contacts_imported_again(r: Script) -> None:
    """The same file of contacts is imported until there are six copies of each."""
    for _ in range(6):
        r.call("import_contacts", {"imported": 240, "skipped": 0}, file="fair-2026.csv")
    r.answer("The contacts are imported.")


# --- Writes that undo each other ------------------------------------------------------------------


@alarm("kubectl", 12)
def two_agents_scale_one_deployment(r: Script) -> None:
    """A saving agent scales down what a latency agent scales up, with reads between."""
    for number in range(6):
        r.agent = "latency"
        r.call("Bash", f"p99 {900 + 31 * number} ms", after=70, command="./p99.sh checkout")
        r.call("Bash", "deployment.apps/checkout scaled",
               command="kubectl scale deploy/checkout --replicas=12")  # fmt: skip
        r.agent = "saving"
        r.call("Bash", f"idle {61 + number} %", after=95, command="./idle.sh checkout")
        r.call("Bash", "deployment.apps/checkout scaled",
               command="kubectl scale deploy/checkout --replicas=4")  # fmt: skip


@alarm("files", 8)
def two_agents_write_one_file(r: Script) -> None:
    """A formatter and an author write the same file, each back to its own version."""
    for number in range(5):
        r.agent = "author"
        r.call("write_file", {"ok": True, "revision": 40 + 2 * number}, path="docs/setup.md",
               content="# Setup\nRun `make install`, then open the browser.")  # fmt: skip
        r.agent = "formatter"
        r.call("write_file", {"ok": True, "revision": 41 + 2 * number}, path="docs/setup.md",
               content="Setup\n=====\n\nRun ``make install``, then open the browser.")  # fmt: skip


@alarm("sql", 10)
def two_agents_set_one_price(r: Script) -> None:
    """Two pricing agents answer to each other; the second tries another price every time."""
    for number in range(8):
        r.agent = "margin"
        r.call("run_sql", "UPDATE 1", after=200,
               sql="UPDATE prices SET cents = 1999 WHERE sku = 'B-77'")  # fmt: skip
        r.agent = "volume"
        r.call("run_sql", "UPDATE 1", after=200,
               sql=f"UPDATE prices SET cents = {1799 - number} WHERE sku = 'B-77'")  # fmt: skip


@alarm("tickets", 8)
def two_agents_route_one_ticket(r: Script) -> None:
    """Two triage agents assign a ticket to each other's team."""
    for _ in range(5):
        for agent, team in (("triage-eu", "network"), ("triage-us", "storage")):
            r.agent = agent
            r.call("assign_ticket", {"ok": True}, after=300, ticket="INC-4471", queue=team)


@alarm("cloud", 16)
def weights_back_and_forth(r: Script) -> None:
    """One agent sets the weight of a canary to ten and back to nothing, for half an hour."""
    for number in range(9):
        r.call("get_error_rate", {"rate": 0.031 + number / 1000}, after=60, service="pay")
        r.call("set_traffic_weight", {"ok": True}, service="pay", canary="v8", weight=0)
        r.call("get_error_rate", {"rate": 0.002 + number / 1000}, after=60, service="pay")
        r.call("set_traffic_weight", {"ok": True}, service="pay", canary="v8", weight=10)


# --- A tool that nobody knows, and that never comes back ------------------------------------------


@alarm("browser")
def crawl_of_one_page_hangs(r: Script) -> None:
    """The first call of a browser tool never returns; the process lives."""
    r.call("list_sources", ["a.example", "b.example"])
    r.hang("playwright_goto", url="https://a.example/report")
    r.beat(5 * 3600)


@alarm("sql")
def procedure_hangs_in_a_lock(r: Script) -> None:
    """A stored procedure that was never called before waits for a lock all night."""
    r.hang("call_procedure", name="close_month", month="2026-02")
    r.beat(9 * 3600)


@warn("training")
def training_of_two_days(r: Script) -> None:
    """A training is called and lasts for two days; somebody looks at it the first day."""
    r.hang("train_model", config="xl.yaml")
    r.beat(30 * 3600)


# --- Answers without a call -----------------------------------------------------------------------


@alarm("cms")
def next_step_is_announced_forever(r: Script) -> None:
    """After two reads the model announces the same edit again and again."""
    r.call("get_page", {"id": 77, "title": "Prices"}, page=77)
    r.call("get_page", {"id": 78, "title": "Terms"}, page=78)
    for number in range(9):
        also = ("", " now", " right away")[number % 3]
        r.think(f"The page needs a new table of prices. I will update the page{also} and then "
                "publish it for the editors.", tokens=2_000 + 90 * number, took=7)  # fmt: skip


@alarm("kubectl")
def diagnosis_repeated_without_a_call(r: Script) -> None:
    """A long conversation with itself: the same diagnosis each time, no command is run."""
    r.call("Bash", "web-1 0/1 CrashLoopBackOff", command="kubectl get pods")
    for number in range(8):
        r.think("The pod restarts because its configuration map lacks the key DATABASE_URL, "
                "and exits at its start.", tokens=900 + 120 * number, took=11)  # fmt: skip


# --- Endings that claim what was not done --------------------------------------------------


@alarm("dns")
def record_claimed_as_set(r: Script) -> None:
    """The only write is refused by the API; the answer says that it is done."""
    r.call("get_record", {"name": "www", "value": "203.0.113.9"}, name="www")
    r.fail("set_record", "403 Forbidden: zone is locked", name="www", value="198.51.100.4")
    r.answer("The record www now points to 198.51.100.4. Done.")


@alarm("shell")
def deployed_says_the_answer(r: Script) -> None:
    """A deploy fails in its own words with a green span; the answer says that it is deployed."""
    r.call("Bash", "web v41 running", command="kubectl get deploy web")
    r.call("Bash", "error: timed out waiting for the condition",
           command="kubectl set image deploy/web web=web:42")  # fmt: skip
    r.call("Bash", "web v41 running", command="kubectl get deploy web")
    r.answer("web is deployed in version 42 and healthy.")


@warn("sql")
def ends_with_what_it_will_do(r: Script) -> None:
    """The tables are listed and the run ends with the promise to migrate them."""
    r.user("Please migrate the three tables.")
    r.call("list_tables", ["a", "b", "c"])
    r.answer("There are three tables. Next, I will migrate them one by one.")
