"""Half E, healthy, runs that work through something. Nobody wants to be told of these."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_E_WORK: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_E_WORK, Want.NOTHING, family)


@healthy("graphql")
def orders_by_cursor(r: Script) -> None:
    """Nine pages of orders by cursor; the answers have one shape."""
    for page in range(9):
        r.call("shopify_graphql", {"data": {"orders": {"edges": [f"gid://Order/{page * 3 + n}"
               for n in range(3)], "pageInfo": {"hasNextPage": page < 8, "endCursor": f"c{page}"}},
               "extensions": {"cost": {"requestedQueryCost": 52}}}},
               query="query($after:String){orders(first:3,after:$after){…}}",
               variables={"after": f"c{page - 1}" if page else None})  # fmt: skip
    r.answer("27 open orders.")


@healthy("github")
def pull_requests_by_page(r: Script) -> None:
    """Pull requests page by page until a page is empty."""
    for page in range(1, 8):
        found = [{"number": 900 - page * 10 - n, "state": "open"} for n in range(3)]
        r.call("mcp__github__list_prs", found if page < 7 else [], repo="acme/web", page=page)
    r.answer("18 open pull requests, four without a reviewer.")


@healthy("sap")
def materials_of_a_price_list(r: Script) -> None:
    """Twenty materials are looked up; a few are gone, which goes into the report."""
    for number in range(20):
        key = f"/API_PRODUCT_SRV/A_Product('MZ-{1000 + number}')"
        if number % 7 == 3:
            r.fail("sap_odata_get", '404 {"error":{"code":"/IWBEP/CM_MGW_RT/020","message":'
                   '"Resource not found"}}', path=key)  # fmt: skip
        else:
            r.call("sap_odata_get", {"d": {"ProductType": "FERT", "BaseUnit": "PC",
                   "GrossWeight": f"{number * 1.25:.3f}"}}, path=key)  # fmt: skip
    r.call("excel_write_range", "20 rows written", sheet="Prices", range="A2:D21")
    r.answer("17 materials priced; MZ-1003, MZ-1010 and MZ-1017 do not exist any more.")


@healthy("security")
def leaked_key_in_no_repository(r: Script) -> None:
    """A leaked key is searched for in twelve repositories; none has it, which is good."""
    for name in ("web", "api", "infra", "docs", "ios", "android", "etl", "ml", "cli", "sdk",
                 "chat", "site"):  # fmt: skip
        r.call("Grep", "No matches found", pattern="AKIA4XEXAMPLE7Q", path=f"/src/{name}")
    r.answer("The key is in none of the twelve repositories.")


@healthy("ldap")
def members_are_checked(r: Script) -> None:
    """Each of sixteen people is looked up in a directory; all are in the same two groups."""
    for number in range(16):
        r.call("ldap_search", f"dn: uid=u{number:03d},ou=people,dc=acme\nmemberOf: cn=staff\n"
               "memberOf: cn=vpn\n\nresult: 0 Success", filter=f"(uid=u{number:03d})",
               attrs=["memberOf"])  # fmt: skip
    r.answer("All sixteen may use the VPN.")


@healthy("grpc")
def services_by_reflection(r: Script) -> None:
    """A server describes its services one by one; one call of each is tried."""
    names = ("Cart", "Order", "Price", "Stock", "User")
    r.call("grpcurl", "\n".join(f"shop.v1.{name}Service" for name in names), args="list")
    for name in names:
        r.call("grpcurl", f"shop.v1.{name}Service is a service:\nservice {name}Service {{\n  rpc "
               f"Get ( .shop.v1.Get{name}Request ) returns ( .shop.v1.{name} );\n}}",
               args=f"describe shop.v1.{name}Service")  # fmt: skip
        r.call("grpcurl", "{}", args=f'-d {{"id":"1"}} shop.v1.{name}Service/Get')
    r.answer("Five services, each with one method.")


@healthy("git")
def bisect_of_a_slow_start(r: Script) -> None:
    """Nine rounds of bisecting; the script says good or bad, mostly the same word."""
    left = 512
    for label in ("bad", "bad", "bad", "good", "bad", "bad", "good", "bad", "bad"):
        r.call("Bash", f"startup: {'9.8' if label == 'bad' else '1.1'} s\n", took=40,
               command="./measure_start.sh")  # fmt: skip
        left //= 2
        r.call("Bash", f"Bisecting: {left} revisions left to test after this\n[{left * 7919:07x}]",
               command=f"git bisect {label}")  # fmt: skip
    r.answer("The first bad commit is 3dc1a7: fonts are loaded at import.")


@healthy("profiling")
def profile_after_each_change(r: Script) -> None:
    """Edit, profile, edit: each change saves a little; two save nothing and are taken back."""
    for number, seconds in enumerate((12.4, 9.1, 9.1, 7.7, 7.8, 5.2)):
        r.call("Edit", "The file has been updated.", file_path="src/solve.py",
               new_string=f"# variant {number}")  # fmt: skip
        r.call("Bash", f"ncalls  tottime  cumtime\n{41_002 - 977 * number}  {seconds / 2:.2f}  "
               f"{seconds} solve.py:88(step)", took=14, command="python -m cProfile run.py")  # fmt: skip
        if number in (2, 4):
            r.call("Bash", "Updated 1 path from the index", command="git checkout src/solve.py")
    r.answer("From 12.4 s to 5.2 s.")


@healthy("coding")
def one_test_then_its_feature(r: Script) -> None:
    """Each test fails first, then passes after an edit; six features."""
    for number, name in enumerate(("parse", "round", "tax", "refund", "split", "void")):
        r.call("write_file", "ok", path=f"tests/test_{name}.py", content=f"def test_{name}(): …")
        r.fail("run_tests", f"FAILED tests/test_{name}.py::test_{name} - AttributeError: 'Till' "
               f"has no '{name}'\n1 failed, {number} passed in 0.3{number}s", suite="till")  # fmt: skip
        r.call("edit_file", "ok", path="till.py", add=f"def {name}(self): …")
        r.call("run_tests", f"{number + 1} passed in 0.3{number}s", suite="till")
    r.answer("Six features, six tests.")


@healthy("aws")
def forgotten_machines_by_region(r: Script) -> None:
    """Every region is asked for instances; fourteen of sixteen have none."""
    regions = [f"{area}-{n}" for area in ("us-east", "us-west", "eu-west", "eu-central", "sa-east",
               "ap-south", "ap-northeast", "af-south") for n in (1, 2)]  # fmt: skip
    for number, region in enumerate(regions):
        found = [{"InstanceId": f"i-0{number}ab", "State": "running"}] if number in (4, 11) else []
        r.call("aws_ec2_describe_instances", {"Reservations": found, "ResponseMetadata":
               {"RequestId": f"{7919 * number:08x}-9c1e"}}, region=region)  # fmt: skip
    r.answer("Two forgotten machines, in eu-west-1 and ap-south-2.")


@healthy("coding")
def file_is_read_after_each_edit(r: Script) -> None:
    """A long configuration is edited in eight places and read again each time."""
    for number in range(8):
        r.call("view", "\n".join(f"{n}: svc_{n}: {'v2' if n < number else 'v1'}" for n in range(9)),
               path="/etc/mesh/routes.yaml")  # fmt: skip
        r.call("str_replace", "Replacement made.", path="/etc/mesh/routes.yaml",
               old_str=f"svc_{number}: v1", new_str=f"svc_{number}: v2")  # fmt: skip
    r.call("Bash", "routes.yaml: OK (9 routes)", command="meshctl validate /etc/mesh/routes.yaml")
    r.answer("Eight of nine routes go to v2.")


@healthy("mail")
def reminder_to_each_speaker(r: Script) -> None:
    """Fourteen people get one mail each, with their own slot."""
    for number in range(14):
        r.call("gmail_send", {"id": f"19542ab{number:02x}", "labelIds": ["SENT"]},
               to=f"speaker{number}@example.org", subject="Your talk",
               body=f"Dear speaker, you are on at {9 + number // 2}:{30 * (number % 2):02d}.")  # fmt: skip
    r.answer("All fourteen speakers are reminded.")


@healthy("labelling")
def pictures_are_labelled(r: Script) -> None:
    """Forty pictures get their labels, most of them the same; the tool says ok."""
    for number in range(40):
        label = ("ok", "ok", "ok", "scratch", "ok", "dent")[number % 6]
        r.call("labelstudio_create_annotation", {"id": 70_001 + number, "lead_time": 1.2},
               after=1, task=3300 + number, choice=label)  # fmt: skip
    r.answer("40 labelled: 27 ok, 7 scratches, 6 dents.")


@healthy("translation")
def catalogue_in_batches(r: Script) -> None:
    """A catalogue goes to a translator in batches of fifty."""
    for number in range(18):
        r.call("deepl_translate_batch", {"accepted": 50, "billed_characters": 4100 + 37 * number},
               took=6, source="de", target="pl", segment_from=50 * number)  # fmt: skip
    r.call("tms_export", {"segments": 900, "untranslated": 0}, project="katalog-pl")
    r.answer("900 segments are Polish now.")


@healthy("terraform")
def apply_then_nothing_to_do(r: Script) -> None:
    """An apply is repeated to see that it has nothing left to do, in four workspaces."""
    for name in ("dev", "qa", "stage", "prod"):
        r.call("terraform_apply", "Apply complete! Resources: 3 added, 1 changed, 0 destroyed.",
               took=70, workspace=name)  # fmt: skip
        r.call("terraform_apply", "No changes. Your infrastructure matches the configuration.\n"
               "Apply complete! Resources: 0 added, 0 changed, 0 destroyed.", took=20,
               workspace=name)  # fmt: skip
    r.answer("All four workspaces have converged.")


@healthy("ssh")
def health_before_and_after(r: Script) -> None:
    """Six hosts restart one by one, with a look at their health before and after."""
    for host in range(1, 7):
        r.call("http_get", '{"status":"UP"}', url=f"http://pay-{host}:8080/actuator/health")
        r.call("ssh_exec", "", took=12, host=f"pay-{host}", command="sudo systemctl restart pay")
        r.fail("http_get", "ConnectError: [Errno 111] Connection refused", after=3,
               url=f"http://pay-{host}:8080/actuator/health")  # fmt: skip
        r.call(
            "http_get", '{"status":"UP"}', after=15, url=f"http://pay-{host}:8080/actuator/health"
        )
    r.answer("Six hosts restarted, one at a time.")


@healthy("sqs")
def dead_letters_are_drained(r: Script) -> None:
    """One call takes a message, one deletes it, until the queue is empty."""
    for number in range(15):
        r.call("sqs_receive_message", {"Messages": [{"MessageId": f"{7919 * number:08x}", "Body":
               f'{{"order":{5200 + number}}}', "ReceiptHandle": f"AQEB{number}"}]}, QueueUrl="dlq",
               WaitTimeSeconds=5)  # fmt: skip
        r.call("orders_replay", "replayed", order=5200 + number)
        r.call("sqs_delete_message", {"HTTPStatusCode": 200}, QueueUrl="dlq",
               ReceiptHandle=f"AQEB{number}")  # fmt: skip
    r.call("sqs_receive_message", {}, took=5, QueueUrl="dlq", WaitTimeSeconds=5)
    r.answer("15 messages replayed; the queue is empty.")


@healthy("stripe")
def refunds_of_a_double_billing(r: Script) -> None:
    """Eleven different charges are refunded, each of the same amount."""
    for number in range(11):
        r.call("stripe_create_refund", {"id": f"re_3P{number}", "object": "refund", "amount": 1900,
               "status": "succeeded", "created": 1772442000 + number * 3}, charge=f"ch_1N{number}",
               amount=1900, reason="duplicate", idempotency_key=f"dup-feb-{number}")  # fmt: skip
    r.answer("Eleven customers have their 19.00 back.")


@healthy("web")
def links_side_by_side(r: Script) -> None:
    """Dead links of a site are checked in three parallel turns; some are dead."""
    for turn in range(3):
        r.batch("head_url", {f"https://docs.example.com/p{turn}{n}": "HTTP/2 404" if n == 5 else
                "HTTP/2 200" for n in range(8)}, "url")  # fmt: skip
        r.think(f"Turn {turn}: one dead link.")
    r.answer("Three dead links: p05, p15, p25.")


@healthy("browser")
def wizard_in_a_browser(r: Script) -> None:
    """A form of seven steps: fill, next, look. The pages look alike."""
    for step in range(1, 8):
        r.call("browser_snapshot", f'- heading "Step {step} of 7"\n- textbox "Value" [ref=e12]\n'
               '- button "Next" [ref=e19]')  # fmt: skip
        r.call("browser_type", "### Ran Playwright code", ref="e12", text=f"value {step}")
        r.call("browser_click", "### Ran Playwright code", ref="e19", element="Next button")
    r.call("browser_snapshot", '- heading "Thank you. Your number is 2026-118."')
    r.answer("The form is sent: 2026-118.")


@healthy("mail")
def newsletters_are_filed(r: Script) -> None:
    """Mails are fetched by their number and moved; the server answers as it always does."""
    for uid in range(3301, 3319):
        r.call("imap_fetch", f"* {uid - 3000} FETCH (UID {uid} FLAGS (\\Seen) BODY[HEADER] "
               f"{{91}}\nSubject: Weekly {uid % 50})\nA{uid} OK Fetch completed", uid=uid)  # fmt: skip
        r.call("imap_move", f"A{uid} OK [COPYUID 1700 {uid} {uid - 2900}] Move completed.", uid=uid,
               mailbox="Newsletters")  # fmt: skip
    r.answer("18 newsletters filed.")


@healthy("sentry")
def issues_are_triaged(r: Script) -> None:
    """Twelve issues of one release are read and closed with the same words."""
    for number in range(12):
        r.call("mcp__sentry__get_issue_details", f"# Issue WEB-{number}\n**Culprit**: cart.ts in "
               f"line {40 + number}\n**Occurrences**: {17 * number + 2}\n**Release**: web@8.1.0",
               issue_id=f"WEB-{number}")  # fmt: skip
        r.call("mcp__sentry__update_issue", "Status: unresolved → resolvedInNextRelease",
               issue_id=f"WEB-{number}", status="resolvedInNextRelease")  # fmt: skip
    r.answer("Twelve issues close with the next release.")


@healthy("kinesis")
def empty_stretch_of_a_shard(r: Script) -> None:
    """A shard has no records for a while; the iterator moves and the distance shrinks."""
    for number in range(14):
        r.call("kinesis_get_records", {"Records": [], "NextShardIterator": f"AAAA{number + 1:04d}",
               "MillisBehindLatest": 84e5 - 6e5 * number}, ShardIterator=f"AAAA{number:04d}")  # fmt: skip
    r.call("kinesis_get_records", {"Records": ["eyJvcmRlciI6MX0="], "MillisBehindLatest": 0},
           ShardIterator="AAAA0014")  # fmt: skip
    r.answer("The producer started again at 09:00.")


@healthy("sql")
def checks_that_find_nothing(r: Script) -> None:
    """Ten checks of a data set find no bad row, as they should."""
    for column in (
        "id",
        "email",
        "country",
        "vat",
        "iban",
        "phone",
        "born",
        "plan",
        "since",
        "ref",
    ):
        r.call("mcp__postgres__query", "(0 rows)",
               sql=f"select id from customers where {column} is null or {column} = '' limit 20")  # fmt: skip
    r.answer("No empty mandatory column.")


@healthy("lint")
def fewer_complaints_each_round(r: Script) -> None:
    """A linter is run after each repair and finds less each time."""
    for found in (41, 36, 29, 29, 17, 8, 2):
        r.call("Bash", f"src/app.ts\n  ✖ {found} problems ({found} errors, 0 warnings)", took=9,
               command="npx eslint src")  # fmt: skip
        r.call("MultiEdit", f"Applied {3 + found % 5} edits", file_path=f"src/part_{found}.ts")
    r.call("Bash", "", took=9, command="npx eslint src")
    r.answer("Clean.")


@healthy("agents")
def desk_gives_and_receives(r: Script) -> None:
    """A front desk hands three different matters to three specialists and gets answers."""
    for taker, what in (
        ("billing", "invoice 8812"),
        ("shipping", "parcel 4Z"),
        ("legal", "VAT id"),
    ):
        r.hand_off("desk", taker, f"Please look into {what}.")
        r.call("lookup_case", {"subject": what, "state": "clear"}, subject=what)
        r.hand_off(taker, "desk", f"{what}: found and corrected.")
    r.answer("All three matters are settled.")


@healthy("chat")
def customer_asks_where_it_is(r: Script) -> None:
    """A customer asks four times in a day where her parcel is; each time it is looked up."""
    for where in ("Leipzig", "Leipzig", "Berlin", "delivered"):
        r.user("Where is my parcel?", after=7000)
        r.call("track_parcel", {"status": where, "eta": "today"}, number="00340434")
        r.think(f"It is in {where}." if where != "delivered" else "It was delivered.")


@healthy("ansible")
def playbook_until_all_hosts_are_done(r: Script) -> None:
    """A playbook is run again for the hosts that were unreachable, until none is left."""
    for lost in (4, 2, 1, 0):
        recap = "\n".join(f"web-{n}: ok=12 changed={int(n >= 8 - lost)} unreachable="
                          f"{int(n < lost)} failed=0" for n in range(8))  # fmt: skip
        r.call("ansible_playbook", f"PLAY RECAP ****\n{recap}", after=120, took=80,
               playbook="ntp.yml", limit="@ntp.retry")  # fmt: skip
    r.answer("All eight hosts have the new time servers.")
