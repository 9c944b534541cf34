"""Half E, sick, calls that are made over and over."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_E_LOOPS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_E_LOOPS, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should be seen on a dashboard."""
    return situation(SICK_E_LOOPS, Want.WARN, family, by_call)


@alarm("figma", 10)
def node_asked_with_new_ids(r: Script) -> None:
    """One node of a drawing is fetched eighteen times; only the ids of the requests differ."""
    for number in range(18):
        r.think("I need the exact spacing of the card.")
        r.call("mcp__figma__get_node", {"request_id": f"{7919 * number + 5:08x}", "node": {
               "id": "12:88", "name": "Card", "itemSpacing": 16}}, fileKey="kL9", nodeId="12:88",
               trace=f"t-{number:04d}")  # fmt: skip


@alarm("jira", 10)
def comment_never_shows(r: Script) -> None:
    """A comment is accepted but not seen in the list, so it is posted again and again."""
    for number in range(9):
        r.call("jira_add_comment", {"status": "accepted", "messageId": f"m-{31 * number + 4002}"},
               issue="OPS-77", body="Deployed to stage.", client_id=f"c{number}-{7919 * number:x}")  # fmt: skip
        r.call("jira_list_comments", {"comments": [], "total": 0}, issue="OPS-77")


@alarm("stripe", 6)
def customer_charged_again(r: Script) -> None:
    """A charge answers with a time-out and is repeated under a new key; each one went through."""
    r.call("stripe_get_customer", {"id": "cus_9s", "currency": "eur"}, customer="cus_9s")
    for number in range(6):
        r.fail("stripe_create_charge", "APIConnectionError: Request timed out (80 s)", took=80,
               customer="cus_9s", amount=24900, idempotency_key=f"k-{7919 * number:x}")  # fmt: skip
    r.call(
        "stripe_list_charges", {"data": [{"amount": 24900, "paid": True}] * 6}, customer="cus_9s"
    )
    for number in range(6, 9):
        r.call("stripe_create_charge", {"id": f"ch_{number}", "paid": True}, customer="cus_9s",
               amount=24900, idempotency_key=f"k-{7919 * number:x}")  # fmt: skip


@alarm("snowflake", 12)
def no_rows_updated(r: Script) -> None:
    """An update hits nothing; it is sent with another spelling of the same condition."""
    for number in range(14):
        r.think("The row must be there; let me try once more.")
        r.call("snowflake_execute", "+------------------------+\n| number of rows updated |\n"
               "|------------------------|\n|                      0 |\n1 Row(s) produced. "
               f"Time Elapsed: 0.{211 + 17 * number}s",
               sql=f"update crm.accounts set tier='gold' where name ilike '%acme{' ' * number}%'")  # fmt: skip


@alarm("paging", 10)
def page_parameter_does_nothing(r: Script) -> None:
    """A server ignores `page`; every page is the first one with a new time."""
    for page in range(1, 31):
        r.call("contracts.list", {"generatedAt": f"2026-03-02T09:{page:02d}:11Z", "items": [
               {"no": "V-1001", "party": "Nord AG"}, {"no": "V-1002", "party": "Süd KG"}]},
               page=page, pageSize=2)  # fmt: skip


@alarm("paging", 12)
def cursor_comes_back(r: Script) -> None:
    """The next token of a log is the token that was sent, and there are no events; on it goes."""
    for _ in range(30):
        r.call("aws_logs_get_log_events", {"events": [], "nextForwardToken": "f/36124"},
               logGroup="/aws/lambda/mail", nextToken="f/36124")  # fmt: skip


@alarm("search", 14)
def search_in_ever_new_words(r: Script) -> None:
    """A knowledge base has nothing on the matter; sixteen wordings find that out."""
    for words in ("sso logout loop", "saml logout", "single sign-on redirect", "idp redirect loop",
                  "login keeps returning", "session endless redirect", "okta logout",
                  "okta redirect", "azure ad redirect", "entra redirect", "saml response loop",
                  "logout returns to login", "redirect too many times", "err_too_many_redirects",
                  "cookie samesite sso", "sso cookie"):  # fmt: skip
        r.think("Let me try other words.")
        r.call("confluence_search", "No results found for your query.", cql=f'text ~ "{words}"')


@alarm("pingpong", 14)
def alert_and_dashboard_in_turn(r: Script) -> None:
    """Two tools are asked in turn; neither says anything new."""
    for _ in range(11):
        r.call("grafana_get_alert", {"state": "alerting", "value": 0.94}, uid="disk-7")
        r.call("grafana_get_dashboard", {"title": "Disks", "version": 12}, uid="node-full")


@alarm("ldap", 12)
def group_made_and_deleted(r: Script) -> None:
    """A group is created, found wanting, deleted and created again, eight times."""
    for number in range(8):
        r.call("ldap_add", f'adding new entry "cn=etl,ou=groups"\n# op {40 + number}', cn="etl")
        r.call("ldap_delete", f'deleting entry "cn=etl,ou=groups"\n# op {41 + number}', cn="etl")


@alarm("vault", 10)
def vault_says_no(r: Script) -> None:
    """Every path of a secret store is refused to the token."""
    for path in ("db/prod", "db/stage", "kafka/prod", "smtp", "stripe", "ci/deploy", "aws/root",
                 "aws/etl", "gcp/ml", "okta", "jira", "backup"):  # fmt: skip
        r.fail("vault_kv_get", f"Error making API request. URL: GET https://vault:8200/v1/secret/"
               f"data/{path} Code: 403. Errors: * 1 error occurred: * permission denied",
               path=f"secret/{path}")  # fmt: skip


@alarm("prose", 10)
def warehouse_regrets(r: Script) -> None:
    """A tool answers in polite prose that it could not do it; the spans are green."""
    for number in range(12):
        r.call("ask_warehouse", "I'm sorry, I wasn't able to reach the warehouse just now "
               f"(attempt reference {7919 * number + 3:x}): the connection to dwh-2 was closed "
               "unexpectedly. Please try again.", question=f"Net sales by region, week {number}?")  # fmt: skip


@alarm("approval", 8)
def asks_until_approved(r: Script) -> None:
    """A person says no to dropping a table; the agent asks again with other reasons."""
    for reason in ("it is unused", "it is empty", "storage is expensive", "it blocks the release",
                   "a backup exists", "the owner has left", "it is a duplicate", "it is old"):  # fmt: skip
        r.call("request_approval", {"decision": "rejected", "by": "dba@acme"}, took=90,
               action="DROP TABLE legacy_orders", reason=reason)  # fmt: skip


@alarm("zendesk", 12)
def storm_against_a_limit(r: Script) -> None:
    """A service says 429; the agent goes on at full speed with each next ticket."""
    for number in range(40):
        r.fail("zendesk_update_ticket", '429 Too Many Requests {"error":"TooManyRequests"} '
               f"Retry-After: {58 - number}", after=0.2, took=0.1, ticket=12_000 + number,
               tags=["migrated"])  # fmt: skip


@alarm("coding", 18)
def repair_without_effect(r: Script) -> None:
    """Edit and test in turn; the failing test says the same each time."""
    for number in range(12):
        r.call("Edit", "The file src/tz.py has been updated.", file_path="src/tz.py",
               new_string=f"offset = offset or {number}")  # fmt: skip
        r.fail("Bash", "FAILED tests/test_tz.py::test_dst - AssertionError: assert 1 == 2\n"
               f"1 failed, 40 passed in 2.{number + 11}s", command="pytest -q tests/test_tz.py")  # fmt: skip


@alarm("coding", 14)
def line_goes_to_and_fro(r: Script) -> None:
    """A time limit is edited from 30 to 60 and back to 30, ten times."""
    for number in range(20):
        old, new = (30, 60) if number % 2 == 0 else (60, 30)
        r.think("That is not right; I change it back.")
        r.call("str_replace_editor", "The file /app/nginx.conf has been edited.",
               path="/app/nginx.conf", old_str=f"proxy_read_timeout {old}s;",
               new_str=f"proxy_read_timeout {new}s;")  # fmt: skip


@alarm("coding", 18)
def script_under_a_new_name(r: Script) -> None:
    """A script is written under a new name each time and dies of the same exception."""
    for number in range(11):
        r.call(
            "write_file", f"wrote 1412 bytes to /tmp/fix_{number}.py", path=f"/tmp/fix_{number}.py"
        )
        r.fail("run_python", f'Traceback (most recent call last):\n  File "/tmp/fix_{number}.py", '
               f"line {20 + number}, in <module>\nModuleNotFoundError: No module named 'osgeo'",
               path=f"/tmp/fix_{number}.py")  # fmt: skip


@alarm("tenant", 12)
def wrong_tenant(r: Script) -> None:
    """Customers of production are looked up in the tenant of the tests."""
    for number in range(15):
        r.call("crm_get_account", {"error": {"code": "NOT_FOUND", "message": f"Account "
               f"A-{4410 + number} does not exist in tenant acme-sandbox"}}, tenant="acme-sandbox",
               account=f"A-{4410 + number}")  # fmt: skip


@alarm("mail", 7)
def one_customer_many_mails(r: Script) -> None:
    """One customer gets the same mail nine times."""
    for number in range(9):
        r.think("I should let the customer know.")
        r.call("send_email", {"id": f"<{7919 * number:x}@mta3>", "status": "queued"},
               to="m.ito@example.com", subject="Your refund", body="Your refund is on its way.")  # fmt: skip


@alarm("zendesk", 8)
def ticket_opened_many_times(r: Script) -> None:
    """One problem becomes ten tickets."""
    for number in range(10):
        r.call("zendesk_create_ticket", {"ticket": {"id": 9100 + number, "status": "new"}},
               subject="Printer on floor 3 is offline", priority="high", requester="facility")  # fmt: skip


@alarm("pagerduty", 14)
def acknowledged_and_triggered(r: Script) -> None:
    """An incident is acknowledged, triggers again, and is acknowledged, all night."""
    for number in range(15):
        r.call("pd_get_incident", {"id": "Q3K", "status": "triggered", "entries": 8 + 2 * number},
               after=240, id="Q3K")  # fmt: skip
        r.call("pd_update_incident", {"id": "Q3K", "status": "acknowledged"}, id="Q3K",
               status="acknowledged")  # fmt: skip


@alarm("iot", 16)
def valve_does_not_open(r: Script) -> None:
    """A valve is told to open; it says closed; it is told to open."""
    for number in range(14):
        r.call("mqtt_publish", {"mid": 300 + number, "rc": 0}, topic="plant/v7/set", payload="OPEN")
        r.call("mqtt_read", {"payload": "CLOSED", "ts": 1772442000 + 9 * number}, after=5,
               topic="plant/v7/state")  # fmt: skip


@alarm("robot", 12)
def cart_against_a_wall(r: Script) -> None:
    """A cart is sent to a place behind a closed door, over and over."""
    for number in range(16):
        r.call("move_to", {"result": "ABORTED", "reason": "no valid path", "took_ms": 812 + number,
               "pose": [4.02, 7.11]}, took=20, x=9.0, y=7.0)  # fmt: skip


@alarm("spreadsheet", 14)
def formula_stays_broken(r: Script) -> None:
    """A formula is written in new shapes and the cell stays #REF!."""
    for number in range(10):
        r.call(
            "sheets_update",
            {"updatedCells": 1},
            range="Sum!B2",
            value=f"=VLOOKUP(A2,Old!A:{'BCDEFGHIJK'[number]},2,0)",
        )
        r.call("sheets_get", {"values": [["#REF!"]]}, range="Sum!B2")


@alarm("mail", 16)
def code_never_arrives(r: Script) -> None:
    """A mailbox is searched for a confirmation code without a pause; it never comes."""
    for number in range(35):
        r.call("imap_search", f"* SEARCH\nA{number:03d} OK Search completed (0.001 + 0.000 secs).",
               mailbox="INBOX", criteria='UNSEEN SUBJECT "code"')  # fmt: skip


@alarm("kafka", 9)
def topic_exists_already(r: Script) -> None:
    """A topic is created that is there already; the refusal is not read."""
    for number in range(10):
        r.call("Bash", "Error while executing topic command : Topic 'audit' already exists.\n"
               f"[2026-03-02 09:00:{number * 4:02d},118] ERROR TopicExistsException",
               command="kafka-topics.sh --create --topic audit --partitions 12")  # fmt: skip


@alarm("browser", 16)
def button_does_nothing(r: Script) -> None:
    """A button is clicked and the page stays as it is."""
    for number in range(13):
        r.call(
            "browser_click",
            f"### Ran Playwright code in {31 + number} ms",
            element="Pay",
            ref="e40",
        )
        r.call("browser_snapshot", '- heading "Checkout"\n- checkbox "I accept" [ref=e38]\n'
               '- button "Pay" [disabled] [ref=e40]')  # fmt: skip


@warn("sql")
def asked_five_times_then_answered(r: Script) -> None:
    """One query is sent six times in a row with one answer; then the agent goes on."""
    for _ in range(6):
        r.think("Let me check the count.")
        r.call("bigquery_query", [{"n": 4411}], sql="select count(*) n from shop.orders")
    r.answer("There are 4411 orders.")


@warn("dbt")
def six_runs_then_gives_up(r: Script) -> None:
    """A model is run six times without a change between; then the agent says that it cannot."""
    for number in range(6):
        r.fail("dbt_run", f'09:0{number}:31  Database Error in model churn: column "mrr" does not '
               "exist\nDone. PASS=0 WARN=0 ERROR=1", took=20, select="churn")  # fmt: skip
    r.answer("I could not build churn: the column mrr does not exist.")
