"""Half G, sick runs that go on for too long; written without knowledge of the rules."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_G_LOOPS: Collection = []


def sick(family: str, by_call: int | None = None, want: Want = Want.ALARM) -> Adding:
    """Add a run that somebody wants to be told of."""
    return situation(SICK_G_LOOPS, want, family, by_call)


@sick("snowflake", 6)
def column_that_is_not_there(r: Script) -> None:
    """The same statement is sent again and again; the compiler says the same each time."""
    for _ in range(11):
        r.think("I will run the query to get the churn by plan.")
        r.call("snowflake_query", "000904 (42000): SQL compilation error: error line 1 at position "
               "7\ninvalid identifier 'PLAN_TIER'", after=3,
               sql="SELECT plan_tier, avg(churned) FROM crm.accounts GROUP BY plan_tier")  # fmt: skip


@sick("bigquery", 10)
def one_question_in_many_words(r: Script) -> None:
    """The same question of the same table in a new spelling each time; there is nothing in it."""
    conditions = ("channel = 'tiktok'", "channel = 'TikTok'", "LOWER(channel) = 'tiktok'",
                  "channel LIKE 'tiktok%'", "channel LIKE '%tiktok%'", "channel IN ('tiktok')",
                  "TRIM(channel) = 'tiktok'", "UPPER(channel) = 'TIKTOK'",
                  "REGEXP_CONTAINS(channel, r'(?i)tiktok')", "STARTS_WITH(channel, 'tiktok')",
                  "channel = 'tik tok'", "channel = 'tiktok '", "CONTAINS_SUBSTR(channel, 'tiktok')",
                  "channel = 'tiktok' OR channel = 'TikTok'")  # fmt: skip
    for number, condition in enumerate(conditions):
        r.think("No rows. Perhaps it is written differently; let me adjust the filter.")
        r.call("bq_query", {"jobComplete": True, "totalRows": "0", "jobReference":
               {"jobId": f"job_{number * 37 + 11}"}, "totalBytesProcessed": "41220113920"},
               took=9, query=f"SELECT SUM(spend) FROM ads.daily WHERE {condition} "
               "HAVING SUM(spend) > 0")  # fmt: skip


@sick("hubspot", 7)
def first_page_for_ever(r: Script) -> None:
    """The cursor that each answer gives is never sent; the first page is read eleven times."""
    for number in range(11):
        r.think(f"Page {number + 1} done, {number * 100 + 100} contacts so far. Next page.")
        r.call("hubspot_list_contacts", {"results": [
               {"id": "101", "email": "kim@lumen.example"}, {"id": "104", "email": "o@fjord.example"},
               {"id": "109", "email": "p.l@arbor.example"}], "paging": {"next": {"after": "109"}}},
               limit=100, properties="email,lifecyclestage")  # fmt: skip


@sick("salesforce", 8)
def two_bots_and_one_telephone_number(r: Script) -> None:
    """Sync writes the number of the ERP, clean-up writes it in E.164; each undoes the other."""
    for _ in range(7):
        for bot, phone in (("erp-sync", "030 5550 1188"), ("crm-hygiene", "+493055501188")):
            r.agent = bot
            r.call("sf_get", {"attributes": {"type": "Account"}, "Id": "001Qy00000KdZ", "Phone":
                   "+493055501188" if bot == "erp-sync" else "030 5550 1188"}, after=50,
                   sobject="Account", id="001Qy00000KdZ", fields="Phone")  # fmt: skip
            r.call("sf_update", {"id": "001Qy00000KdZ", "success": True, "errors": []}, after=4,
                   sobject="Account", id="001Qy00000KdZ", Phone=phone)  # fmt: skip


@sick("jira", 9)
def automation_moves_it_back(r: Script) -> None:
    """The agent moves a ticket to review; a rule of the project moves it back, every time."""
    for _ in range(8):
        r.call("jira_get_issue", {"key": "APP-991", "fields": {"status": {"name": "In Progress"},
               "customfield_10061": None}}, after=20, issue="APP-991")  # fmt: skip
        r.think("It is still In Progress although the work is done. Moving it to In Review.")
        r.call("jira_transition", "", issue="APP-991", transition={"id": "31", "name": "In Review"})


@sick("browser", 8)
def button_that_does_nothing(r: Script) -> None:
    """A disabled button is clicked with one selector after the other; the page stays the same."""
    page = "Page: Checkout\n- checkbox 'I accept the terms' [ref=e12]\n- button 'Pay' [disabled]"
    r.call("browser_navigate", page, url="https://shop.example/checkout")
    for selector in ("button:has-text('Pay')", "#pay", "form button[type=submit]", "text=Pay",
                     "button.primary", "[data-test=pay]", "//button[.='Pay']", "button >> nth=-1",
                     "main button", "role=button[name=Pay]", "button:visible"):  # fmt: skip
        r.think("The click did not lead to the confirmation. I try another selector.")
        r.call("browser_click", page, took=5, selector=selector)


@sick("terraform", 10)
def change_that_never_settles(r: Script) -> None:
    """Each apply is complete and each plan shows the same change again."""
    for _ in range(7):
        r.call("bash", "  # aws_ecs_service.api will be updated in-place\n  ~ desired_count = 6 -> 3"
               "\n\nPlan: 0 to add, 1 to change, 0 to destroy.", took=18,
               command="terraform plan -no-color")  # fmt: skip
        r.think("There is still a difference, so I apply.")
        r.call("bash", "aws_ecs_service.api: Modifying... [id=api]\naws_ecs_service.api: "
               "Modifications complete after 1s\n\nApply complete! Resources: 0 added, 1 changed, "
               "0 destroyed.", took=25, command="terraform apply -auto-approve -no-color")  # fmt: skip
        r.wait(90)


@sick("crew", 8)
def coder_and_reviewer_in_a_circle(r: Script) -> None:
    """The reviewer wants what the coder says is done; nobody touches a file any more."""
    for number in range(7):
        r.agent = "coder"
        r.call("read_file", "def parse(raw):\n    return json.loads(raw)", after=6,
               path="src/intake.py")  # fmt: skip
        r.hand_off("coder", "reviewer", "I have handled malformed input as requested, please look.")
        r.agent = "reviewer"
        r.call("git_diff", "", after=4, base="main")
        r.hand_off("reviewer", "coder", "Malformed input is still not handled. Back to you."
                   if number % 2 else "I see no handling of malformed input; please add it.")  # fmt: skip


@sick("coding", 12)
def edits_that_change_nothing(r: Script) -> None:
    """Every edit reports success; the test fails in the same line with the same words."""
    for number in range(9):
        r.think(("Ah, the locale must be set first.", "The problem is the rounding.",
                 "I should normalise the separator.")[number % 3])  # fmt: skip
        r.call("edit_file", "The file src/money.py has been updated.", path="src/money.py",
               old=f"fmt{number}", new=f"fmt{number + 1}")  # fmt: skip
        r.call("bash", "FAILED tests/test_money.py::test_chf - AssertionError: assert "
               "\"1'234.50\" == '1’234.50'\n1 failed, 41 passed in 3.02s", took=5,
               command="pytest -q tests")  # fmt: skip


@sick("coding", 14)
def one_mended_the_other_broken(r: Script) -> None:
    """The change that mends the one test breaks the other, to and fro."""
    for number in range(8):
        order = ("ascending", "descending")[number % 2]
        broken = ("test_newest_first", "test_pagination_is_stable")[number % 2]
        r.think(f"{broken} needs the other order.")
        r.call("edit_file", "Applied 1 edit to src/feed.py", path="src/feed.py",
               replace=f"sort(key=created_at, order={order})")  # fmt: skip
        r.call("bash", f"FAIL src/feed.test.ts > {broken}\nTests  1 failed | 22 passed (23)", took=7,
               command="npx vitest run src/feed.test.ts")  # fmt: skip


@sick("kafka-admin", 6)
def reset_that_costs_more_each_time(r: Script) -> None:
    """A reset of offsets times out; each attempt waits twice as long and carries a longer history."""
    for number in range(7):
        wait = 15 * 2**number
        r.think("The group coordinator did not answer. I raise the timeout and try again.",
                tokens=9000 * 2**number // (1 + number // 4))  # fmt: skip
        r.fail("kafka_reset_offsets", "Error: Executing consumer group command failed due to "
               f"org.apache.kafka.common.errors.TimeoutException: Call(callName=findCoordinator, "
               f"deadlineMs={1772442000000 + wait * 1000}) timed out at {1772442000001 + wait * 1000} "
               f"after {number * 7 + 3} attempt(s)", after=4, took=wait, group="settlement",
               topic="payments", to="earliest", timeout_ms=wait * 1000)  # fmt: skip


@sick("feature-flags", 10)
def guard_and_rollout_disagree(r: Script) -> None:
    """One agent switches a flag on because it is planned, the other off because it is risky."""
    for version in range(20, 34, 2):
        r.agent = "rollout-agent"
        r.call("ld_get_flag", {"key": "fast-search", "on": False, "_version": version}, after=110,
               flag="fast-search")  # fmt: skip
        r.call("ld_toggle", {"key": "fast-search", "on": True, "_version": version + 1},
               flag="fast-search", on=True, comment="per rollout plan Q1")  # fmt: skip
        r.agent = "guard-agent"
        r.call("ld_get_flag", {"key": "fast-search", "on": True, "_version": version + 1}, after=60,
               flag="fast-search")  # fmt: skip
        r.call("ld_toggle", {"key": "fast-search", "on": False, "_version": version + 2},
               flag="fast-search", on=False, comment="latency above budget")  # fmt: skip


@sick("operators", 10)
def pod_deleted_again_and_again(r: Script) -> None:
    """A pod lacks its secret; it is deleted, comes back under a new name and fails alike."""
    for number in range(8):
        pod = f"webhook-6c9f{number * 731 + 100:04x}-{'xkzvbqtp'[number]}2m"
        r.call("kubectl", "NAME READY STATUS RESTARTS AGE\n"
               f"{pod} 0/1 CreateContainerConfigError 0 58s", after=60,
               command="get pods -n hooks -l app=webhook")  # fmt: skip
        r.call("kubectl", f'pod "{pod}" deleted', command=f"delete pod {pod} -n hooks")


@sick("cron", 7, Want.WARN)
def same_cure_every_hour(r: Script) -> None:
    """A worker is full every hour and is restarted every hour; nobody asks why it fills."""
    for number in range(12):
        r.call("host_metrics", {"host": "img-3", "mem_used_pct": 96.1 + number % 3, "swap_pct": 88},
               after=3590, host="img-3")  # fmt: skip
        r.call("service_restart", "● imageproxy.service - active (running)\n  Memory: 210.4M",
               took=6, host="img-3", unit="imageproxy")  # fmt: skip


@sick("splunk", 14)
def dead_job_polled(r: Script) -> None:
    """The job has failed for good; it is polled as if it could still end."""
    r.call("splunk_search", {"sid": "1772442977.1204"}, earliest="-30d",
           search="search index=netflow | stats sum(bytes) by src | join src [search index=dhcp]")  # fmt: skip
    for _ in range(30):
        r.call("splunk_job", {"entry": [{"content": {"dispatchState": "FAILED", "isFailed": True,
               "doneProgress": 0.41, "messages": [{"type": "FATAL", "text": "Error in 'join' "
               "command: The search process with sid was terminated (disk quota)"}]}}]},
               after=15, sid="1772442977.1204")  # fmt: skip


@sick("planning")
def plan_without_a_call(r: Script) -> None:
    """The plan is made anew for an hour; nothing of it is ever done."""
    r.user("Please migrate the wiki's 40 pages to the new space.")
    r.call("wiki_list", {"space": "OLD", "pages": 40}, space="OLD")
    for number in range(18):
        r.think("Plan: 1. list the pages 2. export them in batches of ten 3. import 4. check the "
                "links. Let me first go over the plan once more before I begin.",
                tokens=2100 + number * 640, after=15, took=190)  # fmt: skip


@sick("support", 9)
def three_desks_and_no_answer(r: Script) -> None:
    """A customer goes from desk to desk; every desk looks up the same and passes her on."""
    r.user("I was charged twice and my router is offline since.")
    desks = ("triage", "billing", "network")
    for number in range(12):
        giver, taker = desks[number % 3], desks[(number + 1) % 3]
        r.agent = giver
        r.call("crm_lookup", {"customer": "C-40771", "plan": "Fibre 250", "open_cases": 1}, after=5,
               customer="C-40771")  # fmt: skip
        r.hand_off(giver, taker, f"This belongs to {taker}, please take over.")
