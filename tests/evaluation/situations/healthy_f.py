"""Half F, healthy, written without knowledge of the rules. Nobody wants to hear of these runs."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_F: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_F, Want.NOTHING, family)


@healthy("hospital")
def theatre_slot_booked(r: Script) -> None:
    """Two slots are gone when they are booked; the third can be had."""
    r.call("fhir_search", {"resourceType": "Bundle", "total": 3, "entry": ["s-71", "s-74", "s-80"]},
           query="Slot?schedule=OR-4&status=free&start=ge2026-03-03")  # fmt: skip
    for slot in ("s-71", "s-74"):
        r.fail("fhir_create", "409 Conflict: OperationOutcome/issue[0].code=conflict: slot is busy",
               resource="Appointment", slot=slot, patient="p-20931")  # fmt: skip
    r.call("fhir_create", {"resourceType": "Appointment", "id": "a-5512", "status": "booked"},
           resource="Appointment", slot="s-80", patient="p-20931")  # fmt: skip
    r.call("fhir_read", {"id": "a-5512", "status": "booked", "slot": "s-80"}, id="a-5512")
    r.answer("Booked for Tuesday 14:20 in OR 4")


@healthy("logistics")
def parcel_on_its_way(r: Script) -> None:
    """A consignment is tracked every half hour until it is delivered."""
    scans = ("HUB LEJ", "HUB LEJ", "HUB LEJ", "LINEHAUL", "LINEHAUL", "DEPOT HAM", "OUT", "OUT",
             "OUT", "DELIVERED")  # fmt: skip
    for number, scan in enumerate(scans):
        clock = f"{9 + number // 2:02}:{number % 2 * 30:02}"
        r.call("soap_track", f"<trackResponse at='{clock}'><lastScan>{scan}</lastScan>"
               f"<eta>2026-03-02T14:00</eta></trackResponse>", after=1800,
               consignment="00340434161094042557")  # fmt: skip
    r.answer("Delivered, signed by HOFFMANN")


@healthy("bank")
def statement_against_ledger(r: Script) -> None:
    """Fourteen lines of a statement are matched one by one; many have the same amount."""
    r.call("read_camt053", {"lines": 14, "opening": "18204.11", "closing": "19870.11"}, day="0227")
    for number in range(14):
        r.call("match_line", {"matched": True, "rule": "exact", "amount": "119.00", "diff": "0.00"},
               after=1, line=f"2026022700{number:02}")  # fmt: skip
    r.call("post_reconciliation", {"state": "balanced", "open_items": 0}, day="0227")
    r.answer("27 February is balanced")


@healthy("telecom")
def sim_swap_order(r: Script) -> None:
    """A SIM swap goes through the order states; some last longer than others."""
    r.call("create_order", {"orderId": "SO-88120", "state": "ACKNOWLEDGED"}, type="SIM_SWAP")
    for state in ("IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "HLR_UPDATED", "HLR_UPDATED",
                  "SMDP_RELEASED", "COMPLETED"):  # fmt: skip
        r.call("get_order", {"orderId": "SO-88120", "state": state}, after=20, order="SO-88120")
    r.answer("The new SIM is active")


@healthy("games")
def shard_drained(r: Script) -> None:
    """A game server is drained; a long match keeps ten players for a while."""
    r.call("rcon", "matchmaking disabled", command="mm_enabled 0")
    for players, tick in ((58, 63.9), (41, 64.0), (30, 64.0), (20, 63.8), (10, 64.0), (10, 64.0),
                          (10, 64.0), (0, 64.0)):  # fmt: skip
        r.call("rcon", f"hostname: eu-7\nplayers : {players} humans, 0 bots (64 max)\ntick {tick}",
               after=120, command="status")  # fmt: skip
    r.call("systemctl", "", verb="stop", unit="cs2@eu-7")
    r.call("systemctl", "inactive", verb="is-active", unit="cs2@eu-7")
    r.answer("eu-7 is down, nobody was thrown out")


@healthy("printing")
def press_waits_for_its_operator(r: Script) -> None:
    """A person mounts the plates; the agent waits for forty minutes and goes on."""
    r.call("jmf_submit", '<JMF><Response ReturnCode="0"/></JMF>', job="J-4711", press="XL106")
    r.call("jmf_status", '<DeviceInfo DeviceStatus="Stopped" Reason="PlateChange"/>', press="XL106")
    r.think("Plates for unit 3 and 4 have to be changed. Please write when they are in.")
    r.beat(2400)
    r.user("plates are in, go")
    for count in (0, 1200, 4100, 7050, 8000):
        r.call("jmf_status", f'<DeviceInfo DeviceStatus="Running" ProductionCounter="{count}"/>',
               after=180, press="XL106")  # fmt: skip
    r.answer("8000 sheets printed")


@healthy("research")
def cursor_through_openalex(r: Script) -> None:
    """A result is read page by page with a cursor that nobody can read."""
    cursor = "*"
    for page, following in enumerate(("IlsxMDBd", "IlsyMDBd", "IlszMDBd", "Ils0MDBd", None)):
        works = [f"W43{page}{number}7" for number in range(4)]
        r.call("http_get", {"meta": {"count": 20, "next_cursor": following}, "results": works},
               url="https://api.openalex.org/works?search=perovskite+tandem",
               cursor=cursor)  # fmt: skip
        cursor = following or ""
    for number in range(3):
        r.call("fetch_pdf", f"Abstract. We report a certified efficiency of 3{number}.2 % ...",
               work=f"W43{number}17")  # fmt: skip
    r.answer("Twenty works, three of them read; summary attached")


@healthy("gis")
def sheets_reprojected(r: Script) -> None:
    """Twelve map sheets are reprojected; the tool prints the same bar for each."""
    for number in range(12):
        r.call("bash", "0...10...20...30...40...50...60...70...80...90...100 - done.", took=14,
               command=f"gdalwarp -t_srs EPSG:25832 dgm_{5300 + number}.tif "
               f"out/{number}.tif")  # fmt: skip
    r.call("bash", "12 files, 3.1G", command="ls out | wc -l; du -sh out")
    r.answer("All sheets are in UTM 32")


@healthy("chip")
def regression_over_seeds(r: Script) -> None:
    """One bench runs with twelve seeds; two fail and are run again with waves."""
    for seed in range(1001, 1013):
        bad = seed in (1004, 1009)
        r.call("run_sim", f"UVM_ERROR : {int(bad)}\nUVM_FATAL : 0\nseed {seed} "
               + ("FAILED scb_mismatch @ 88120ns" if bad else "PASSED"),
               took=90, test="axi_burst", seed=seed)  # fmt: skip
    for seed in (1004, 1009):
        r.call("run_sim", f"UVM_ERROR : 1\nseed {seed} FAILED\nwaves: axi_{seed}.fsdb", took=150,
               test="axi_burst", seed=seed, waves=True)  # fmt: skip
        r.call("show_wave", f"88110ns awlen=ff wlast=0\n88120ns wlast=1 beat={seed % 7 + 250}",
               file=f"axi_{seed}.fsdb", signals="awlen,wlast")  # fmt: skip
    r.answer("wlast comes one beat early for 256-beat bursts; both seeds show it")


@healthy("ci")
def flake_rate_measured(r: Script) -> None:
    """One test is run eight times on purpose, to learn how often it fails."""
    r.think("I run it eight times to get a rate before I touch anything.")
    for number, failed in enumerate((0, 0, 1, 0, 0, 0, 1, 0)):
        r.call("bash", f"tests/test_lease.py {'F' if failed else '.'}\n"
               f"1 {'failed' if failed else 'passed'} in {3.1 + number * 0.07:.2f}s", took=4,
               command="pytest -q tests/test_lease.py -p no:cacheprovider")  # fmt: skip
    r.call("read_file", "def test_lease():\n    time.sleep(0.1)\n    assert lease.expired",
           path="tests/test_lease.py")  # fmt: skip
    r.answer("2 of 8; the test depends on a sleep of 100 ms. Ticket FLK-88 has the numbers.")


@healthy("secrets")
def database_passwords_rotated(r: Script) -> None:
    """Each of five services gets a new password and is checked with it."""
    for number, service in enumerate(("cart", "pay", "stock", "mail", "auth")):
        r.call("vault_write", {"version": 7 + number, "destroyed": False},
               path=f"kv/data/{service}/db", value="***")  # fmt: skip
        r.call("rollout_restart", f"deployment.apps/{service} restarted", service=service)
        r.call("healthz", {"status": "ok", "db": "ok"}, after=25, service=service)
    r.answer("Five passwords rotated; all services are healthy with them")


@healthy("dns")
def record_seen_everywhere(r: Script) -> None:
    """An old answer lives in resolvers until its TTL is over."""
    r.call("route53_upsert", {"ChangeInfo": {"Id": "/change/C03", "Status": "PENDING"}},
           name="api.example.org", type="A", value="203.0.113.9")  # fmt: skip
    r.call("route53_get_change", {"Status": "INSYNC"}, after=30, id="/change/C03")
    for ttl in (251, 190, 129, 68, 7):
        r.call("bash", f"api.example.org. {ttl} IN A 198.51.100.4", after=60,
               command="dig +noall +answer api.example.org @8.8.8.8")  # fmt: skip
    for resolver in ("8.8.8.8", "1.1.1.1", "9.9.9.9"):
        r.call("bash", "api.example.org. 300 IN A 203.0.113.9", after=20,
               command=f"dig +noall +answer api.example.org @{resolver}")  # fmt: skip
    r.answer("The new address is visible from three resolvers")


@healthy("cdn")
def purge_by_section(r: Script) -> None:
    """Nine sections are purged side by side, then each shows a MISS."""
    paths = [
        f"/{name}/*" for name in ("shop", "blog", "help", "img", "css", "js", "de", "fr", "it")
    ]
    r.batch("purge", {path: {"status": "ok", "id": f"{n}-170933"} for n, path in enumerate(paths)},
            key="path")  # fmt: skip
    r.batch("head", {path: f"HTTP/2 200\nx-cache: MISS\nx-served-by: cache-fra{n}\nage: 0"
                     for n, path in enumerate(paths)}, key="path")  # fmt: skip
    r.answer("Purged")


@healthy("mail")
def appointment_reminders(r: Script) -> None:
    """Eighteen patients get the same reminder; the server says the same to each."""
    r.call("list_appointments", {"count": 18, "day": "2026-03-03"}, day="2026-03-03")
    for number in range(18):
        r.call("send_mail", "250 2.0.0 Ok: queued", after=1, to=f"patient{number}@example.net",
               subject="Your appointment tomorrow", template="reminder_v3")  # fmt: skip
    r.answer("18 reminders sent")


@healthy("airflow")
def backfill_of_february(r: Script) -> None:
    """A backfill of 28 days runs; one task is retried by Airflow itself."""
    r.call("trigger_backfill", "Backfill 41 created: 28 runs", dag="sales_daily", month="2026-02")
    for done, running, retry in ((0, 4, 0), (3, 4, 0), (7, 4, 0), (11, 3, 1), (11, 3, 1),
                                 (15, 4, 0), (21, 4, 0), (26, 2, 0), (28, 0, 0)):  # fmt: skip
        r.call("backfill_state", f"success | running | up_for_retry | failed\n"
               f"{done:7} | {running:7} | {retry:12} |      0", after=240, backfill=41)  # fmt: skip
    r.answer("All 28 days are green")


@healthy("kafka")
def lag_goes_down_in_waves(r: Script) -> None:
    """A consumer catches up while a producer writes in bursts."""
    for lag in (918442, 760120, 801377, 544019, 590882, 301002, 122870, 140031, 20114, 312, 0):
        r.call("bash", "GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG\n"
               f"billing invoices 0 {88000000 - lag} 88000000 {lag}", after=60,
               command="kafka-consumer-groups.sh --describe --group billing")  # fmt: skip
    r.answer("billing has caught up")


@healthy("postgres")
def old_rows_in_chunks(r: Script) -> None:
    """Old rows are deleted in chunks, with the same statement, until a chunk is not full."""
    r.call("sql", " count\n-------\n 74312\n(1 row)",
           query="SELECT count(*) FROM audit WHERE at < '2025-01-01'")  # fmt: skip
    chunk = (
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < '2025-01-01' LIMIT 10000)"
    )
    for rows in (10000, 10000, 10000, 10000, 10000, 10000, 10000, 4312):
        r.call("sql", f"DELETE {rows}", after=5, took=8, query=chunk)
    r.call("sql", " count\n-------\n     0\n(1 row)",
           query="SELECT count(*) FROM audit WHERE at < '2025-01-01'")  # fmt: skip
    r.answer("74312 rows deleted")


@healthy("ansible")
def playbook_applied_twice(r: Script) -> None:
    """A play is checked, applied and applied again to prove that nothing changes any more."""
    for flag, changed in (("--check --diff", 4), ("", 4), ("", 0)):
        hosts = "\n".join(f"web{n} : ok=17 changed={changed} unreachable=0 failed=0 skipped=3"
                          for n in range(4))  # fmt: skip
        r.call("bash", f"PLAY RECAP *****\n{hosts}", took=48,
               command=f"ansible-playbook site.yml -l web {flag}")  # fmt: skip
    r.answer("Applied; the second pass changed nothing")


@healthy("training")
def fine_tune_for_two_hours(r: Script) -> None:
    """One call trains for two hours while heartbeats arrive."""
    r.call("bash", "GPU 0: A100 80GB, 3MiB used", command="nvidia-smi -L && nvidia-smi")
    r.put("tool", "train", r.at_s + 2, 7200, args={"config": "lora_r16.yaml", "epochs": 3},
          result="epoch 3/3 loss 0.412 eval_loss 0.447 saved to out/checkpoint-5190")  # fmt: skip
    r.beat(7204)
    r.call("evaluate", {"f1": 0.883, "baseline_f1": 0.861}, took=310, checkpoint=5190)
    r.answer("F1 went from 0.861 to 0.883")


@healthy("robots")
def round_through_the_warehouse(r: Script) -> None:
    """A robot drives eight waypoints; a pallet in the way costs two attempts."""
    for number in range(8):
        if number == 5:
            r.call("nav2_goal", {"status": "ABORTED", "error_msg": "no valid path"}, took=31,
                   waypoint=number)  # fmt: skip
            r.call("nav2_clear_costmap", {"success": True}, layer="local")
            r.call("nav2_goal", {"status": "ABORTED", "error_msg": "no valid path"}, took=30,
                   waypoint=number)  # fmt: skip
            r.call("nav2_back_up", {"status": "SUCCEEDED", "distance": 0.4}, distance=0.4)
        r.call("nav2_goal", {"status": "SUCCEEDED", "pose": [number * 1.5, 2.02 - number * 0.01]},
               took=25, waypoint=number)  # fmt: skip
    r.answer("Round finished, 8 of 8")


@healthy("moderation")
def chat_hour_checked(r: Script) -> None:
    """Twenty messages are classified; nearly all are harmless, two are removed."""
    for number in range(20):
        bad = number in (6, 17)
        r.call("classify", {"label": "harassment" if bad else "ok", "score": 0.97 if bad else 0.01},
               after=0.5, took=0.4, message=f"m-{88100 + number}")  # fmt: skip
        if bad:
            r.call("remove_message", {"removed": True}, message=f"m-{88100 + number}")
    r.answer("20 checked, 2 removed")


@healthy("ftp")
def nightly_file_of_the_partner(r: Script) -> None:
    """The partner's file is due between two and five; it comes at four and is loaded."""
    for _ in range(8):
        r.call("ftp_list", "150 Here comes the directory listing.\n226 Directory send OK.",
               after=900, path="/out/2026-03-02")  # fmt: skip
        r.think("Nothing yet, the window is open until 05:00. Next check in 15 minutes.")
    r.call("ftp_list", "-rw-r--r-- 1 ftp ftp 48120771 Mar 02 03:58 prices.csv.gz\n226 OK.",
           after=900, path="/out/2026-03-02")  # fmt: skip
    r.call("ftp_get", "226 Transfer complete. 48120771 bytes", took=40, file="prices.csv.gz")
    r.call("load_prices", {"rows": 911204, "rejected": 0}, took=88, file="prices.csv.gz")
    r.answer("Prices loaded at 04:01")


@healthy("grpc")
def quota_with_backoff(r: Script) -> None:
    """A quota refuses three times; the pauses double and the fourth attempt gets through."""
    for page in range(3):
        if page == 1:
            for pause in (2, 4, 8):
                r.fail("grpcurl", "ERROR:\n  Code: ResourceExhausted\n  Message: quota 60/min",
                       after=pause, method="catalog.v1.Items/List", page=page)  # fmt: skip
        r.call("grpcurl", {"items": [f"sku-{page}{n}" for n in range(5)], "page": page},
               after=16 if page == 1 else 2, method="catalog.v1.Items/List", page=page)  # fmt: skip
    r.answer("15 items")


@healthy("network")
def firmware_of_all_switches(r: Script) -> None:
    """Sixteen switches are asked by SNMP; two are switched off for the refit and time out."""
    for number in range(1, 17):
        if number in (7, 11):
            r.fail("snmpget", f"Timeout: No Response from 10.4.0.{number}", took=5,
                   host=f"10.4.0.{number}", oid="sysDescr.0")  # fmt: skip
            continue
        r.call("snmpget", "SNMPv2-MIB::sysDescr.0 = STRING: ArubaOS 16.11.0012",
               host=f"10.4.0.{number}", oid="sysDescr.0")  # fmt: skip
    r.call("netbox_get", {"10.4.0.7": "offline (refit)", "10.4.0.11": "offline (refit)"},
           hosts="10.4.0.7,10.4.0.11")  # fmt: skip
    r.answer("14 run 16.11.0012; 7 and 11 are off for the refit")
