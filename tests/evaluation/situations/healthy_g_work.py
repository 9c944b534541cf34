"""Half G, healthy runs that work through something; written without knowledge of the rules."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_G_WORK: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_G_WORK, Want.NOTHING, family)


@healthy("bigquery")
def table_read_by_page_token(r: Script) -> None:
    """Nine pages of one job's result; equal rows stand in several of them."""
    r.call("bq_query", {"jobReference": {"jobId": "job_Hx2"}, "jobComplete": True,
           "totalRows": "4210", "totalBytesProcessed": "913004112"},
           query="SELECT sku, store, qty FROM stock.daily WHERE day = '2026-03-01'")  # fmt: skip
    token = None
    for page in range(9):
        following = f"BGQ6{page * 7919:06x}AAA=" if page < 8 else None
        r.call("bq_get_results", {"kind": "bigquery#getQueryResultsResponse", "pageToken": following,
               "rows": [{"f": [{"v": f"SKU-{page}{n}"}, {"v": "BER"}, {"v": "0"}]}
                        for n in range(3)]},
               job="job_Hx2", maxResults=500, pageToken=token)  # fmt: skip
        token = following
    r.answer("4210 lines read; 388 articles are sold out in Berlin.")


@healthy("salesforce")
def contacts_upserted_in_chunks(r: Script) -> None:
    """Twelve chunks are upserted; one has a bad line, which is corrected and sent again."""
    r.call("read_csv", {"rows": 2400, "columns": ["ExtId__c", "Email", "Phone"]},
           path="contacts_0302.csv")  # fmt: skip
    for chunk in range(12):
        bad = chunk == 7
        r.call("sf_upsert", {"hasErrors": bad, "results": [{"success": not bad, "created": False,
               "errors": [{"statusCode": "INVALID_EMAIL_ADDRESS", "fields": ["Email"],
                           "message": "Email: invalid email address: j.doe@@kestrel"}]
               if bad else []}], "processed": 199 if bad else 200},
               took=6, sobject="Contact", externalId="ExtId__c", offset=chunk * 200, size=200)  # fmt: skip
    r.think("Line 1511 has a double @. With one @ it is the address on the company's page.")
    r.call("sf_upsert", {"hasErrors": False, "results": [{"success": True, "created": False,
           "errors": []}], "processed": 1}, sobject="Contact", externalId="ExtId__c", offset=1511,
           size=1, fix={"Email": "j.doe@kestrel.example"})  # fmt: skip
    r.call("sf_query", {"totalSize": 2400, "done": True, "records": [{"expr0": 2400}]},
           soql="SELECT COUNT(Id) FROM Contact WHERE LastModifiedDate = TODAY")  # fmt: skip
    r.answer("2400 contacts are in; one address was corrected by hand.")


@healthy("hubspot")
def deals_paged_under_a_limit(r: Script) -> None:
    """Every few pages the ten-second limit is met; a longer pause helps each time."""
    for page in range(14):
        if page in (5, 10):
            for pause in (1, 3):
                r.fail("hubspot_search", '429 {"status":"error","message":"You have reached your '
                       'ten_secondly_rolling limit.","errorType":"RATE_LIMIT"}', after=pause,
                       took=0.2, object="deals", after_id=page * 100, limit=100)  # fmt: skip
        more = {"next": {"after": str((page + 1) * 100)}} if page < 13 else None
        r.call("hubspot_search", {"total": 1371, "paging": more, "results": [
               {"id": str(88000 + page * 100 + n), "properties": {"dealstage": "closedwon"}}
               for n in range(2)]}, after=9 if page in (5, 10) else 0.5, took=0.4,
               object="deals", after_id=page * 100, limit=100)  # fmt: skip
    r.answer("1371 won deals are in the export.")


@healthy("confluence")
def pages_read_again_before_they_are_written(r: Script) -> None:
    """Seven pages get a banner; someone edits one meanwhile, so it is read again and written."""
    for number in range(7):
        page, version = str(66100 + number), 3 + number * 5
        r.call("confluence_get", {"id": page, "version": {"number": version}, "body":
               f"<h1>Runbook {number}</h1><p>Owner: SRE</p>"}, id=page, expand="body,version")  # fmt: skip
        if number == 4:
            r.fail("confluence_put", "409 Conflict: Version must be incremented when updating a "
                   f"page. Current version: {version + 1}. Provided version: {version + 1}",
                   id=page, version=version + 1, banner="moved to Backstage")  # fmt: skip
            version += 1
            r.call("confluence_get", {"id": page, "version": {"number": version, "by": "t.ruiz"},
                   "body": f"<h1>Runbook {number}</h1><p>Owner: Platform</p>"}, id=page,
                   expand="body,version")  # fmt: skip
        r.call("confluence_put", {"id": page, "status": "current",
               "version": {"number": version + 1}}, id=page, version=version + 1,
               banner="moved to Backstage")  # fmt: skip
    r.answer("Seven runbooks carry the banner; T. Ruiz's change of page 66104 was kept.")


@healthy("github")
def dependency_updates_merged(r: Script) -> None:
    """Nine small pull requests are approved and merged; one has to be rebased first."""
    r.call("gh_pr_list", "\n".join(f"#{n}\tBump dep-{n}\tdependabot/{n}" for n in range(410, 419)),
           label="dependencies", state="open")  # fmt: skip
    for number in range(410, 419):
        r.call("gh_pr_checks", "build\tpass\t2m\ntest\tpass\t6m", pr=number)
        r.call("gh_pr_review", f"✓ Approved pull request #{number}", pr=number, approve=True)
        if number == 415:
            r.fail("gh_pr_merge", "X Pull request #415 is not mergeable: the merge commit cannot "
                   "be cleanly created.", pr=number, squash=True)  # fmt: skip
            r.call("gh_pr_comment", "https://github.com/acme/web/pull/415#issuecomment-2881",
                   pr=number, body="@dependabot rebase")  # fmt: skip
            continue
        r.call("gh_pr_merge", f"✓ Squashed and merged pull request #{number}", pr=number,
               squash=True)  # fmt: skip
    r.call("gh_pr_checks", "build\tpass\t2m\ntest\tpass\t6m", after=840, pr=415)
    r.call("gh_pr_merge", "✓ Squashed and merged pull request #415", pr=415, squash=True)
    r.answer("All nine are merged; #415 needed a rebase.")


@healthy("coding")
def cart_rules_test_first(r: Script) -> None:
    """Four small cycles: a test that fails, code that makes it pass, and a cleanup."""
    for cycle, rule in enumerate(("empty cart", "one item", "bundle price", "coupon")):
        r.think(f"Next: a failing test for {rule}.")
        r.call("edit_file", f"Added test_{cycle} to tests/test_cart.py", path="tests/test_cart.py",
               insert=f"def test_{cycle}():  # {rule}")  # fmt: skip
        r.call("bash", f"{'.' * cycle}F\nE   assert None == Decimal('{cycle * 7}.00')\n"
               f"1 failed, {cycle} passed in 0.2{cycle}s", took=2, command="pytest -q tests")  # fmt: skip
        r.call("edit_file", f"Applied 1 edit to src/cart.py (+{cycle + 2} -0)", path="src/cart.py",
               insert=f"# {rule}")  # fmt: skip
        r.call("bash", f"{'.' * (cycle + 1)}\n{cycle + 1} passed in 0.2{cycle}s", took=2,
               command="pytest -q tests")  # fmt: skip
        r.call("edit_file", f"Applied 1 edit to src/cart.py (+3 -{cycle + 4})", path="src/cart.py",
               replace=f"rule_{cycle}")  # fmt: skip
        r.call("bash", f"{'.' * (cycle + 1)}\n{cycle + 1} passed in 0.2{cycle}s", took=2,
               command="pytest -q tests")  # fmt: skip
    r.answer("Four rules, each with a test; the last pass is green.")


@healthy("git")
def bisected_to_one_commit(r: Script) -> None:
    """The same test is run on seven commits until one is left."""
    r.call("bash", "Bisecting: 61 revisions left to test after this (roughly 6 steps)",
           command="git bisect start HEAD v4.2.0")  # fmt: skip
    for left, bad in ((61, True), (30, True), (15, False), (7, True), (3, False), (1, True),
                      (0, True)):  # fmt: skip
        r.call("bash", "test_export.py::test_umlauts FAILED\nE  UnicodeDecodeError: 0xfc\n1 failed"
               if bad else "1 passed in 1.10s", took=34,
               command="make -s build && pytest -q tests/test_export.py::test_umlauts")  # fmt: skip
        r.call("bash", f"Bisecting: {left // 2} revisions left to test after this\n[{left:02}ac7e1] "
               "wip" if left else "b81c0d2 is the first bad commit\nUse the system's encoding",
               command=f"git bisect {'bad' if bad else 'good'}")  # fmt: skip
    r.call("bash", "Previous HEAD position was b81c0d2\nSwitched to branch 'main'",
           command="git bisect reset")  # fmt: skip
    r.answer("b81c0d2 broke it: it reads with the encoding of the system.")


@healthy("s3")
def archive_uploaded_in_parts(r: Script) -> None:
    """Eighteen parts are put up; S3 asks for patience twice and gets it."""
    upload = "VXBsb2FkIElEIGZvciA2aWWpbmcncyBteS1tb3ZpZS5t"
    r.call("s3_create_multipart", {"Bucket": "cold-archive", "Key": "2025/raw.tar",
           "UploadId": upload}, bucket="cold-archive", key="2025/raw.tar")  # fmt: skip
    for part in range(1, 19):
        if part in (6, 13):
            for pause in (1, 2, 4):
                r.fail("s3_upload_part", "An error occurred (SlowDown) when calling the UploadPart "
                       "operation: Please reduce your request rate.", after=pause,
                       upload=upload, part=part)  # fmt: skip
        r.call("s3_upload_part", {"ETag": f'"{part * 2654435761 % 2**32:08x}"'},
               after=8 if part in (6, 13) else 0.5, took=11, upload=upload, part=part)  # fmt: skip
    r.call("s3_complete_multipart", {"Location": "https://cold-archive.s3.amazonaws.com/2025/raw.tar",
           "ETag": '"9b2c-18"'}, upload=upload, parts=18)  # fmt: skip
    r.call("s3_head", {"ContentLength": 9663676416, "StorageClass": "DEEP_ARCHIVE"},
           bucket="cold-archive", key="2025/raw.tar")  # fmt: skip
    r.answer("9 GiB in 18 parts; the size on the other side is right.")


@healthy("object-storage")
def workers_on_their_own_shards(r: Script) -> None:
    """Eight workers do the same to a shard each, twice; every answer reads the same."""
    shards = [f"gs://events/dt=2026-03-01/shard={n:02}/" for n in range(8)]
    for turn in ("list", "compact", "verify"):
        for number, shard in enumerate(shards):
            answers = {"list": {"objects": 1440, "bytes": 88080384 + number},
                       "compact": {"in": 1440, "out": 3, "deleted": 0},
                       "verify": {"rows_before": 500000, "rows_after": 500000, "equal": True}}  # fmt: skip
            r.put("tool", f"gcs_{turn}", r.at_s + 2 + number * 0.2, 40, args={"prefix": shard},
                  agent=f"worker-{number}", result=answers[turn])  # fmt: skip
        r.beat(44)
    r.answer("Eight shards went from 11 520 to 24 objects; the counts of rows are equal.")


@healthy("stripe")
def refunds_of_a_recalled_lot(r: Script) -> None:
    """Fifteen charges are refunded, each with a key of its own; one has been refunded before."""
    r.call("stripe_search_charges", {"object": "search_result", "has_more": False, "total_count": 15},
           query="metadata['lot']:'L-2291' AND status:'succeeded'")  # fmt: skip
    for number in range(15):
        charge = f"ch_3Qk{number:02}LkdIwHu7ix"
        if number == 9:
            r.fail("stripe_refund", '{"error":{"code":"charge_already_refunded","message":"Charge '
                   f'{charge} has already been refunded.","type":"invalid_request_error"}}}}',
                   charge=charge, idempotency_key=f"recall-L-2291-{number:02}")  # fmt: skip
            r.call("stripe_get_charge", {"id": charge, "refunded": True, "amount_refunded": 4900},
                   charge=charge)  # fmt: skip
            continue
        r.call("stripe_refund", {"id": f"re_3Qk{number:02}", "object": "refund", "amount": 4900,
               "status": "succeeded"}, charge=charge,
               idempotency_key=f"recall-L-2291-{number:02}")  # fmt: skip
    r.answer("14 refunded now, one had been refunded by support on Friday: 15 of 15.")


@healthy("sheets")
def forecast_cells_filled(r: Script) -> None:
    """Each row is read before it is written; the quota per minute is met once."""
    for row in range(2, 14):
        r.call("sheets_get", {"range": f"Forecast!B{row}:D{row}", "values": [[str(row * 410),
               str(row * 37), ""]]}, after=1, range=f"Forecast!B{row}:D{row}")  # fmt: skip
        if row == 9:
            r.fail("sheets_update", "429 RESOURCE_EXHAUSTED: Quota exceeded for quota metric 'Write "
                   "requests' and limit 'Write requests per minute per user'", after=1,
                   range=f"Forecast!D{row}", values=[[row * 447]])  # fmt: skip
        r.call("sheets_update", {"updatedRange": f"Forecast!D{row}", "updatedCells": 1},
               after=61 if row == 9 else 1, range=f"Forecast!D{row}", values=[[row * 447]])  # fmt: skip
    r.call("sheets_get", {"range": "Forecast!D15", "values": [["40230"]]}, range="Forecast!D15")
    r.answer("Twelve months are filled; the total in D15 is 40 230.")


@healthy("robotics")
def tool_tip_calibrated(r: Script) -> None:
    """A probe is touched ten times in the same way; the numbers differ by microns."""
    r.call("arm_move_j", {"state": "IDLE", "reached": True}, target="above_ruby", speed=0.2)
    for number in range(10):
        r.call("arm_probe", {"contact": True, "z_mm": round(118.402 + (number * 7 % 5) * 0.001, 3),
               "force_n": 1.9}, after=1, took=4, axis="-z", max_force=2.5)  # fmt: skip
        r.call("arm_move_l", {"state": "IDLE", "reached": True}, took=2, dz=10)
    r.call("arm_set_tcp", {"ok": True, "tcp": [0.0, 0.0, 118.404], "sigma_um": 1.5}, z=118.404)
    r.answer("Tip is at 118.404 mm, with a spread of 1.5 µm over ten touches.")


@healthy("databricks")
def nightly_run_repaired_once(r: Script) -> None:
    """The nightly job loses its spot nodes; the repair run ends well."""
    r.call("dbx_run_now", {"run_id": 55120881, "number_in_job": 412}, job_id=9021)
    for _ in range(3):
        r.call("dbx_get_run", {"run_id": 55120881, "state": {"life_cycle_state": "RUNNING"}},
               after=300, run_id=55120881)  # fmt: skip
    r.call("dbx_get_run", {"run_id": 55120881, "state": {"life_cycle_state": "TERMINATED",
           "result_state": "FAILED", "state_message": "Task gold_join failed: SPOT_INSTANCE_"
           "TERMINATION"}}, after=300, run_id=55120881)  # fmt: skip
    r.think(
        "Spot nodes were taken away. The bronze and silver tables are done; I repair gold only."
    )
    r.call("dbx_repair", {"repair_id": 7710}, run_id=55120881, rerun_tasks=["gold_join"])
    for _ in range(4):
        r.call("dbx_get_run", {"run_id": 55120881, "state": {"life_cycle_state": "RUNNING"},
               "repair_history": [{"id": 7710}]}, after=300, run_id=55120881)  # fmt: skip
    r.call("dbx_get_run", {"run_id": 55120881, "state": {"life_cycle_state": "TERMINATED",
           "result_state": "SUCCESS"}, "repair_history": [{"id": 7710}]}, after=300,
           run_id=55120881)  # fmt: skip
    r.answer("The job is done at 09:45, one repair because of lost spot nodes.")


@healthy("crew")
def article_goes_back_once(r: Script) -> None:
    """Writer and editor exchange a text twice; each time it is another text."""
    r.hand_off("lead", "researcher", "Find three figures about cargo bikes in Gent.")
    r.agent = "researcher"
    r.call("web_search", [{"title": "Stad Gent: mobility report 2025", "snippet": "4 100 cargo "
           "bikes, 9 % of trips"}], query="Gent cargo bikes share of trips 2025")  # fmt: skip
    r.call(
        "fetch",
        "Table 7. Cargo bikes registered: 2023 2 650, 2025 4 100",
        url="https://stad.gent/m25",
    )
    r.hand_off("researcher", "writer", "Figures: 4 100 bikes, 9 % of trips, up 55 % in two years.")
    r.agent = "writer"
    r.call("save_draft", {"draft": 1, "words": 612}, doc="gent", body="Gent carries more on two …")
    r.hand_off("writer", "editor", "Draft 1 is ready.")
    r.agent = "editor"
    r.call(
        "read_draft", {"draft": 1, "words": 612, "body": "Gent carries more on two …"}, doc="gent"
    )
    r.hand_off("editor", "writer", "Too long, and 55 % needs its source. At most 450 words.")
    r.agent = "writer"
    r.call("save_draft", {"draft": 2, "words": 441}, doc="gent", body="Every eleventh trip in …")
    r.hand_off("writer", "editor", "Draft 2: 441 words, source in the second paragraph.")
    r.agent = "editor"
    r.call("read_draft", {"draft": 2, "words": 441, "body": "Every eleventh trip in …"}, doc="gent")
    r.call("cms_publish", {"slug": "gent-cargo-bikes", "state": "scheduled"}, doc="gent", draft=2)
    r.answer("Scheduled for tomorrow, 441 words, two sources.")


@healthy("ansible")
def hosts_patched_one_by_one(r: Script) -> None:
    """Ten hosts are patched in turn; one is slow to come back and is tried again."""
    for number in range(10):
        host = f"edge-{number:02}"
        if number == 6:
            r.call("ansible_playbook", f'fatal: [{host}]: UNREACHABLE! => {{"msg": "Failed to '
                   f'connect to the host via ssh: Connection refused"}}\n{host} : ok=4 changed=2 '
                   "unreachable=1 failed=0", took=130, playbook="patch.yml", limit=host)  # fmt: skip
            r.call("ipmi_power_status", "Chassis Power is on", host=host)
            r.wait(180)
        changed = 2 if number == 6 else 5
        r.call("ansible_playbook", f"{host} : ok=9 changed={changed} unreachable=0 failed=0", took=95,
               playbook="patch.yml", limit=host)  # fmt: skip
        r.call("lb_health", {"backend": host, "state": "UP", "checks_passed": 3}, after=15,
               backend=host)  # fmt: skip
    r.answer("Ten of ten are patched and serve; edge-06 needed five minutes for its reboot.")
