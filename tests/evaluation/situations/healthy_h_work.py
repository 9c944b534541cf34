"""Half H, healthy runs that work in portions; written by somebody who had not read the rules."""

from __future__ import annotations

from typing import Any

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_H_WORK: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_H_WORK, Want.NOTHING, family)


@healthy("postgres")
def old_rows_deleted_in_portions(r: Script) -> None:
    """The same statement deletes 5000 rows each time until fewer are left."""
    statement = ("DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE created_at < "
                 "'2024-01-01' ORDER BY id LIMIT 5000)")  # fmt: skip
    r.call("sql", "  count\n--------\n 111312\n(1 row)",
           query="SELECT count(*) FROM audit_log WHERE created_at < '2024-01-01'")  # fmt: skip
    for _ in range(22):
        r.call("sql", "DELETE 5000", after=10, took=4, query=statement)
    r.call("sql", "DELETE 1312", after=10, took=2, query=statement)
    r.call("sql", " count\n-------\n     0\n(1 row)",
           query="SELECT count(*) FROM audit_log WHERE created_at < '2024-01-01'")  # fmt: skip
    r.answer("111 312 rows from before 2024 are deleted, in 23 portions.")


@healthy("coding")
def red_green_refactor_in_go(r: Script) -> None:
    """A test fails first each time, then passes, then the code is cleaned and passes again."""
    for number, case in enumerate(("TestEmpty", "TestOneItem", "TestDiscount", "TestTwoCurrencies",
                                   "TestRoundingHalfEven", "TestNegative")):  # fmt: skip
        r.call("write_file", f"Wrote {18 + number * 9} lines to cart/total_test.go",
               path="cart/total_test.go", content=f"func {case}(t *testing.T) {{ … }}")  # fmt: skip
        r.call("bash", f"--- FAIL: {case} (0.00s)\n    total_test.go:{18 + number * 9}: got 0, want "
               f"{number * 125}\nFAIL\nFAIL\tacme/cart\t0.21s\n[exit code 1]",
               command="go test ./cart/...")  # fmt: skip
        r.call("write_file", f"Wrote {30 + number * 6} lines to cart/total.go", path="cart/total.go",
               content=f"// handles {case[4:]}")  # fmt: skip
        r.call("bash", f"ok  \tacme/cart\t0.2{number}s", command="go test ./cart/...")
        if number % 2:
            r.call("write_file", f"Wrote {27 + number * 6} lines to cart/total.go",
                   path="cart/total.go", content="// extracted sum()")  # fmt: skip
            r.call("bash", f"ok  \tacme/cart\t0.1{number}s", command="go test ./cart/...")
    r.answer("Six cases are covered and the package is green.")


@healthy("git")
def regression_bisected(r: Script) -> None:
    """Nine steps of a bisection; some answers are the same as the one before."""
    commits = ("a41e9b0", "77d02c1", "c05f3aa", "0be9911", "f4420d7", "9917cce", "3ab8d10",
               "e6120f4", "5cd07b9")  # fmt: skip
    r.call("shell", "Bisecting: 318 revisions left to test after this (roughly 8 steps)\n"
           f"[{commits[0]}] Merge branch 'main' into perf", cmd="git bisect start HEAD v5.2.0")  # fmt: skip
    for number, commit in enumerate(commits):
        slow = number in (1, 2, 5, 6, 8)
        r.call("shell", f"{'4.81' if slow else '1.12'} s\n[exit {int(slow)}]", took=95,
               cmd="make -s build && ./bench/start.sh --max 2.0")  # fmt: skip
        left = 318 >> (number + 1)
        r.call("shell", f"Bisecting: {left} revisions left to test after this (roughly "
               f"{8 - number} steps)\n[{commits[number + 1]}] wip" if number < 8 else
               f"{commit} is the first bad commit\n    Load plugins eagerly",
               cmd=f"git bisect {'bad' if slow else 'good'}")  # fmt: skip
    r.call("shell", "Previous HEAD position was 5cd07b9\nSwitched to branch 'main'",
           cmd="git bisect reset")  # fmt: skip
    r.answer("5cd07b9 'Load plugins eagerly' made the start slow.")


@healthy("stripe")
def charges_listed_to_the_end(r: Script) -> None:
    """Fourteen pages with the cursor of the page before; the last says has_more false."""
    cursor = None
    for number in range(14):
        ids = [f"ch_3Q{number:02}{place}kL" for place in range(3)]
        args: dict[str, Any] = {"limit": 100, "created[gte]": 1769904000}
        args |= {"starting_after": cursor} if cursor else {}
        r.call("stripe_list_charges", {"object": "list", "has_more": number < 13, "data": [
               {"id": one, "amount": 4900, "currency": "eur", "status": "succeeded"}
               for one in ids]}, **args)  # fmt: skip
        cursor = ids[-1]
    r.answer(
        "February has 1 342 charges over 14 pages; all of them are of 49.00 EUR and succeeded."
    )


@healthy("airflow")
def month_backfilled_day_by_day(r: Script) -> None:
    """Twenty-eight days are run one after the other; at weekends nothing is loaded."""
    for day in range(1, 29):
        weekend = day % 7 in (0, 1)
        rows = 0 if weekend else 48000 + day * 37
        r.call("airflow_trigger", {"dag_id": "load_fx", "dag_run_id": f"backfill__2026-02-{day:02}",
               "state": "queued"}, dag_id="load_fx", logical_date=f"2026-02-{day:02}T00:00:00Z")  # fmt: skip
        r.call("airflow_dag_run", {"dag_run_id": f"backfill__2026-02-{day:02}", "state": "success",
               "note": f"{rows} rows"}, after=75, dag_id="load_fx",
               dag_run_id=f"backfill__2026-02-{day:02}")  # fmt: skip
    r.answer("February is loaded, 28 of 28 days; there are no rates at weekends.")


@healthy("worker")
def eighteen_jobs_of_one_shape(r: Script) -> None:
    """Eighteen jobs of one queue are fetched, done and acknowledged with the same words."""
    for number in range(18):
        r.call("queue_pop", {"job": f"urn:job:resize:{55010 + number * 3}", "kind": "resize",
               "asset": f"s3://media/in/{7 * number + 1000}.heic", "attempt": 1}, after=4,
               queue="resize")  # fmt: skip
        r.call("resize_image", {"status": "ok", "width": 1600, "format": "webp"}, took=3,
               asset=f"s3://media/in/{7 * number + 1000}.heic", width=1600)  # fmt: skip
        r.call("queue_ack", {"acknowledged": True}, job=f"urn:job:resize:{55010 + number * 3}")
    r.call("queue_pop", {"job": None}, after=4, queue="resize")
    r.answer("The queue is empty; 18 images were resized.")


@healthy("screening")
def suppliers_who_are_on_no_list(r: Script) -> None:
    """Eleven suppliers are looked up on a sanctions list; that nothing is found is good news."""
    r.user("Please screen the new suppliers of lot 7 and write down the result.")
    names = ("Arbor Timber Oy", "Kestrel Logistics GmbH", "Sunda Rubber PT", "Fjordfisk AS",
             "Molino Bianco Srl", "Karst Cement d.o.o.", "Levant Spices SAL", "Ostrava Forge a.s.",
             "Lumen Optics BV", "Tagus Cork Lda", "Nordwall Papier AG")  # fmt: skip
    for name in names:
        r.call("sanctions_search", {"total": 0, "results": [], "lists": ["EU", "OFAC", "UN", "SECO"],
               "asOf": "2026-03-01"}, query=name, threshold=0.85)  # fmt: skip
    r.call("sheet_append", {"updates": {"updatedRows": 11, "updatedRange": "Lot7!A2:D12"}},
           sheet="Supplier screening", rows=[[name, "no hit", "2026-03-01"] for name in names])  # fmt: skip
    r.answer("None of the eleven suppliers is on a list as of 1 March; the sheet is filled in.")


@healthy("security")
def firewall_that_refuses_as_it_should(r: Script) -> None:
    """A check after a change: every connection from the guest network must be refused, and is."""
    r.user("Verify that the guest VLAN reaches none of the internal ports any more.")
    for host, port in (("10.0.4.10", 22), ("10.0.4.10", 5432), ("10.0.4.11", 22), ("10.0.4.11", 9200),
                       ("10.0.4.12", 3389), ("10.0.4.12", 445), ("10.0.4.20", 6443),
                       ("10.0.4.20", 2379)):  # fmt: skip
        r.call("ssh", f"nc: connect to {host} port {port} (tcp) failed: Connection refused\n[exit 1]",
               host="probe-guest", command=f"nc -zvw3 {host} {port}")  # fmt: skip
    r.call("ssh", "Connection to 93.184.215.14 443 port [tcp/https] succeeded!", host="probe-guest",
           command="nc -zvw3 example.com 443")  # fmt: skip
    r.answer("All eight internal ports are refused from the guest VLAN; the internet is reachable.")


@healthy("coding")
def type_errors_counted_down(r: Script) -> None:
    """Strict mode: the number of errors falls from 61 to 0, and rises once on the way."""
    files = ("api/client.ts", "api/retry.ts", "cart/line.ts", "cart/price.ts", "user/session.ts",
             "user/roles.ts", "ui/table.tsx", "ui/form.tsx")  # fmt: skip
    for path, left in zip(files, (61, 52, 44, 47, 30, 19, 8, 2), strict=True):
        r.call("Bash", f"{path}(41,7): error TS2532: Object is possibly 'undefined'.\n…\nFound {left} "
               f"errors in {max(1, left // 5)} files.\n\nExit code 2", took=14,
               command="npx tsc --noEmit -p .")  # fmt: skip
        r.call("Read", f"export function first(rows?: Row[]) {{ return rows[0] }} // {path}",
               file_path=f"/repo/src/{path}")  # fmt: skip
        r.call("Edit", f"The file /repo/src/{path} has been updated.", file_path=f"/repo/src/{path}",
               old_string="rows[0]", new_string="rows?.[0]")  # fmt: skip
    r.call("Bash", "", took=14, command="npx tsc --noEmit -p .")
    r.answer("tsc is silent in strict mode.")


@healthy("aws")
def sixteen_regions_in_one_turn(r: Script) -> None:
    """A batch asks all regions for stray instances; all but one are empty."""
    regions = [f"{area}-{number}" for area in ("us-east", "us-west", "eu-west", "eu-central",
               "ap-south", "ap-northeast", "sa-east", "ca-central") for number in (1, 2)]  # fmt: skip
    r.batch("ec2_describe_instances", {name: {"Reservations": []} if name != "ap-south-1" else
            {"Reservations": [{"Instances": [{"InstanceId": "i-0c9", "State": {"Name": "running"},
             "Tags": [{"Key": "owner", "Value": "loadtest-2025"}]}]}]} for name in regions},
            key="region", took=3)  # fmt: skip
    r.call("slack_post", {"ok": True, "ts": "1772443001.2"}, channel="@d.ruiz",
           text="i-0c9 in ap-south-1 still runs, tagged loadtest-2025. May I stop it?")  # fmt: skip
    r.beat(2700)
    r.user("yes, stop it, thanks")
    r.call("ec2_stop_instances", {"StoppingInstances": [{"InstanceId": "i-0c9", "CurrentState":
           {"Name": "stopping"}}]}, region="ap-south-1", ids=["i-0c9"])  # fmt: skip
    r.call("ec2_describe_instances", {"Reservations": [{"Instances": [{"InstanceId": "i-0c9",
           "State": {"Name": "stopped"}}]}]}, after=60, region="ap-south-1")  # fmt: skip
    r.answer("One stray instance was found, in ap-south-1; it is stopped.")


@healthy("review")
def six_modules_by_six_helpers(r: Script) -> None:
    """An orchestrator gives one module to each sub-agent; they read with the same tools."""
    for number, module in enumerate(("auth", "billing", "export", "mail", "search", "admin")):
        r.agent = "orchestrator"
        r.hand_off("orchestrator", f"reviewer-{number}", f"Review src/{module} for SQL injection.")
        r.agent = f"reviewer-{number}"
        r.call("Grep", "No matches found" if number != 2 else "src/export/csv.py:88: cur.execute(f"
               '"SELECT {columns}")', pattern=r"execute\(f", path=f"src/{module}")  # fmt: skip
        r.call("Grep", f"Found {2 + number} files", pattern=r"text\(", path=f"src/{module}")
        r.call("Read", f"# {module}: {240 + number * 31} lines, bound parameters throughout",
               file_path=f"src/{module}/queries.py")  # fmt: skip
        r.hand_off(
            f"reviewer-{number}", "orchestrator", f"{module}: {1 if number == 2 else 0} finding"
        )
    r.agent = "orchestrator"
    r.answer(
        "One finding in six modules: src/export/csv.py:88 builds its columns with an f-string."
    )


@healthy("hosts")
def agent_key_renewed_on_fifteen_hosts(r: Script) -> None:
    """A dry run, then the same command on each host with the same answer."""
    hosts = [f"edge-{number:02}" for number in range(1, 16)]
    r.call("ansible", "PLAY RECAP: ok=45 changed=15 unreachable=0 failed=0 (check mode)", took=40,
           playbook="renew-key.yml", check=True)  # fmt: skip
    r.think("The dry run would change exactly one file per host. I go host by host.")
    for host in hosts:
        r.call("ansible", "ok=3 changed=1 unreachable=0 failed=0", took=12,
               playbook="renew-key.yml", limit=host)  # fmt: skip
        r.call("http_get", {"status": "up", "agent": "3.9.1"}, after=10,
               url=f"http://{host}:9101/health")  # fmt: skip
    r.answer("All 15 edge hosts have the new key and are up.")


@healthy("feature-flags")
def flag_ramped_with_a_step_back(r: Script) -> None:
    """1, 5, 10 %, back to 5 % since errors rose, a fix, then up to 100 %."""
    for share, errors in ((1, 0.2), (5, 0.3), (10, 1.9), (5, 0.3), (10, 0.3), (25, 0.2), (50, 0.3),
                          (100, 0.2)):  # fmt: skip
        r.call("unleash_strategy", {"flag": "new-tax", "rollout": f"{share}", "enabled": True},
               flag="new-tax", rollout=share, environment="production")  # fmt: skip
        r.wait(900)
        r.call("datadog_query", {"series": [{"metric": "tax.errors.pct", "pointlist":
               [[1772442000000 + int(r.at_s * 1000), errors]]}]}, query="avg:tax.errors.pct{flag:on}")  # fmt: skip
        if errors > 1:
            r.think("1.9 % is above the limit of 1 %. I go back to 5 % and ask the owner.")
            r.call("slack_post", {"ok": True, "ts": "1772444"}, channel="#tax",
                   text="new-tax fails for 1.9 % at 10 %: NullPointer for customers without VAT id")  # fmt: skip
        elif share == 5 and r.at_s > 3000:
            r.beat(5400)
            r.user("Fixed in 8.14.2, it is live. Please go on.")
    r.answer("new-tax is at 100 %; there was one step back, which 8.14.2 has fixed.")


@healthy("browser")
def twelve_people_typed_into_the_portal(r: Script) -> None:
    """A portal without an API: the same form is filled in for each of twelve people."""
    for number in range(12):
        r.call("browser_navigate", "- heading 'New employee' - textbox 'Name' [ref=e8] - textbox "
               "'AHV number' [ref=e9] - button 'Save' [ref=e14]", took=2,
               url="https://pension.example/employees/new")  # fmt: skip
        r.call("browser_fill_form", "Filled 2 fields", fields=[{"ref": "e8", "value":
               f"Person {number}"}, {"ref": "e9", "value": f"756.{1000 + number * 7}.5512.03"}])  # fmt: skip
        r.call("browser_click", "- alert 'Saved. Thank you.'", ref="e14", element="Save")
    r.call("browser_navigate", "- heading 'Employees' - text '12 new this month'", took=2,
           url="https://pension.example/employees")  # fmt: skip
    r.answer("All twelve new people are registered; the portal shows 12 new this month.")


@healthy("data-quality")
def every_table_passes(r: Script) -> None:
    """Checks of twenty-two tables, all of which pass; one has a warning that is explained."""
    for number in range(22):
        r.call("soda_scan", {"table": f"mart.t_{number:02}", "checks": 6, "passed": 6, "warned": 0,
               "failed": 0} if number != 13 else {"table": "mart.t_13", "checks": 6, "passed": 5,
               "warned": 1, "failed": 0, "warnings": ["row_count 18 % below the 7 day average"]},
               took=20, table=f"mart.t_{number:02}")  # fmt: skip
    r.call("sql", "2026-02-28 | holiday in IN", query="SELECT day, note FROM ref.calendar WHERE day = "
           "'2026-02-28'")  # fmt: skip
    r.answer("All 22 tables pass; t_13 has fewer rows because of the holiday in India.")


@healthy("gcp")
def refused_and_then_permitted(r: Script) -> None:
    """A permission is missing; the agent asks, a person grants it, and the work goes on."""
    body = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message":
            "Permission 'storage.buckets.setIamPolicy' denied on resource 'b-exports'."}}  # fmt: skip
    r.fail("gcloud", str(body), command="storage buckets add-iam-policy-binding gs://b-exports "
           "--member=group:bi@acme.example --role=roles/storage.objectViewer")  # fmt: skip
    r.call("gcloud", "roles/storage.objectAdmin", command="projects get-iam-policy acme-bi --filter="
           "agent@acme-bi --format=value(bindings.role)")  # fmt: skip
    r.answer(
        "I may not change the policy of b-exports. Could an owner give me storage.admin on it?"
    )
    r.beat(7200)
    r.user("Granted for today.")
    for _ in range(3):  # a grant needs some minutes to reach every server
        r.fail("gcloud", str(body), after=90, command="storage buckets add-iam-policy-binding "
               "gs://b-exports --member=group:bi@acme.example --role=roles/storage.objectViewer")  # fmt: skip
    r.call("gcloud", "Updated IAM policy for bucket [b-exports].", after=90, command="storage buckets "
           "add-iam-policy-binding gs://b-exports --member=group:bi@acme.example "
           "--role=roles/storage.objectViewer")  # fmt: skip
    r.answer("The group bi@acme.example can read b-exports now.")


@healthy("package")
def mirror_out_of_step(r: Script) -> None:
    """A mirror is being synchronised; two attempts fail, another mirror has the package."""
    for wait in (20, 60):
        r.call("bash", "E: Failed to fetch http://deb.mirror.example/pool/main/libx/libxml2_2.12.deb  "
               "Hash Sum mismatch\nE: Unable to fetch some archives, maybe run apt-get update or try "
               "with --fix-missing?\n[exit code 100]", took=25,
               command="apt-get update -qq && apt-get install -y libxml2")  # fmt: skip
        r.wait(wait)
    r.call("bash", "", command="sed -i s/deb.mirror/deb2.mirror/ /etc/apt/sources.list.d/base.list")
    r.call("bash", "Setting up libxml2 (2.12.7-1) ...", took=31,
           command="apt-get update -qq && apt-get install -y libxml2")  # fmt: skip
    r.call("bash", "libxml2  2.12.7-1  install ok installed", command="dpkg-query -W libxml2")
    r.answer("libxml2 2.12.7 is installed, from the second mirror.")


@healthy("mail")
def invitations_to_twenty_people(r: Script) -> None:
    """The same mail goes to twenty different addresses; one bounces and is corrected."""
    names = ("ada", "ben", "cleo", "dag", "eva", "finn", "gia", "hal", "ida", "jon", "kim", "lea",
             "max", "nia", "otto", "pia", "quin", "rosa", "sven", "tess")  # fmt: skip
    people = [f"{name}@partners.example" for name in names]
    for number, person in enumerate(people):
        r.call("send_email", {"accepted": [person], "messageId": f"<{number:04x}@acme.example>"},
               to=person, subject="Partner day on 21 April", template="invitation")  # fmt: skip
    r.call("list_bounces", {"bounces": [{"to": "quin@partners.example", "code": 550,
           "reason": "5.1.1 mailbox unavailable"}]}, after=600, since="1h")  # fmt: skip
    r.call("crm_find", {"results": [{"name": "Quin Adeyemi", "email": "q.adeyemi@partners.example"}]},
           name="Quin")  # fmt: skip
    r.call("send_email", {"accepted": ["q.adeyemi@partners.example"], "messageId":
           "<0014@acme.example>"}, to="q.adeyemi@partners.example",
           subject="Partner day on 21 April", template="invitation")  # fmt: skip
    r.answer("All twenty are invited; Quin's address was out of date and is corrected.")


@healthy("kubectl")
def six_nodes_rebooted_in_turn(r: Script) -> None:
    """Each node is drained, rebooted, awaited and given back; the commands are the same six times."""
    for number in range(1, 7):
        node = f"worker-{number}"
        r.call("Bash", f"node/{node} cordoned\nevicting pod shop/web-{number * 37}\nnode/{node} drained",
               took=70, command=f"kubectl drain {node} --ignore-daemonsets --delete-emptydir-data")  # fmt: skip
        r.call("Bash", "", command=f"ssh {node} sudo systemctl reboot")
        for state in ("NotReady,SchedulingDisabled", "NotReady,SchedulingDisabled",
                      "Ready,SchedulingDisabled"):  # fmt: skip
            r.call("Bash", f"{node}   {state}   <none>   212d   v1.31.4", after=45,
                   command=f"kubectl get node {node} --no-headers")  # fmt: skip
        r.call("Bash", f"node/{node} uncordoned", command=f"kubectl uncordon {node}")
    r.answer("All six workers run the new kernel and accept pods again.")


@healthy("logs")
def needle_in_the_ninth_archive(r: Script) -> None:
    """An order is looked for day by day in archived logs; eight days have nothing, the ninth has."""
    for day in range(27, 18, -1):
        r.call("run_command", {"exit_code": 1, "stdout": "", "stderr": ""} if day > 19 else
               {"exit_code": 0, "stdout": "2026-02-19T16:40:02Z gateway order=SO-55102 state=rejected "
                "reason=limit", "stderr": ""}, took=35,
               command=f"zgrep -h SO-55102 /archive/gateway-2026-02-{day}.log.gz")  # fmt: skip
    r.answer("SO-55102 was rejected on 19 February at 16:40 UTC because of its limit.")


@healthy("postgres")
def statement_tuned_by_measuring(r: Script) -> None:
    """One statement is measured eight times; some attempts help nothing, the last ones do."""
    for change, took in (("SET work_mem='64MB'", 9.1), ("SET work_mem='256MB'", 8.8),
                         ("SET enable_nestloop=off", 14.3), ("RESET enable_nestloop", 8.9),
                         ("ANALYZE clone.orders", 8.9), ("SET random_page_cost=1.1", 5.2),
                         ("CREATE INDEX ON clone.orders (customer_id, placed_at)", 0.4),
                         ("VACUUM clone.orders", 0.04)):  # fmt: skip
        r.call("sql", change.split()[0], took=3, query=change)
        r.call("sql", f"Limit (actual rows=50)\n  ->  {'Index Only' if took < 1 else 'Seq'} Scan on "
               f"orders\nExecution Time: {took * 1000:.0f} ms", took=took, query="EXPLAIN ANALYZE "
               "SELECT * FROM clone.orders WHERE customer_id = 41 ORDER BY placed_at DESC LIMIT 50")  # fmt: skip
    r.answer("An index on (customer_id, placed_at) takes the statement from 9.1 s to 40 ms.")
