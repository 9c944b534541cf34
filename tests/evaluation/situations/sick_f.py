"""Half F, sick, written without knowledge of the rules."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_F: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_F, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should be seen on a dashboard."""
    return situation(SICK_F, Want.WARN, family, by_call)


@alarm("hospital", 10)
def page_parameter_without_effect(r: Script) -> None:
    """The server ignores the page; the agent turns twenty of them and reads the first each time."""
    for page in range(1, 21):
        r.call("fhir_search", {"resourceType": "Bundle", "id": f"b{page * 7919 % 9973:04x}",
               "total": 400, "entry": ["s-71", "s-74", "s-80", "s-81"]},
               query="Slot?schedule=OR-4&status=free", page=page)  # fmt: skip


@alarm("logistics", 8)
def consignment_that_is_unknown(r: Script) -> None:
    """A number that does not exist is tracked eleven times; only the request id changes."""
    for number in range(11):
        r.think("Perhaps the carrier is slow, I try again.")
        r.call("soap_track", "<soap:Fault><faultcode>soap:Client</faultcode><faultstring>Unknown "
               f"consignment</faultstring><reqId>{0x9F31 + number * 4099:08x}</reqId></soap:Fault>",
               consignment="00340434161094042558")  # fmt: skip


@alarm("bank", 12)
def matched_and_unmatched(r: Script) -> None:
    """A line is matched and unmatched seven times since the balance is never right."""
    for number in range(7):
        r.call("match_line", {"matched": True, "match_id": f"M{5100 + number}", "diff": "0.02"},
               line="202602270003", entry="GL-88120")  # fmt: skip
        r.call("unmatch_line", {"unmatched": True, "match_id": f"M{5100 + number}"},
               line="202602270003")  # fmt: skip


@alarm("telecom")
def order_that_does_not_move(r: Script) -> None:
    """An activation that needs seconds stays acknowledged for an hour and a half."""
    r.call("create_order", {"orderId": "SO-90017", "state": "ACKNOWLEDGED", "sla": "PT60S"},
           type="ESIM_ACTIVATE")  # fmt: skip
    for minute in range(90):
        r.call("get_order", {"orderId": "SO-90017", "state": "ACKNOWLEDGED", "sla": "PT60S",
               "asOf": f"2026-03-02T{9 + minute // 60:02}:{minute % 60:02}:11Z"},
               after=59, order="SO-90017")  # fmt: skip


@alarm("games", 14)
def server_started_again_and_again(r: Script) -> None:
    """A game server dies right after each start, for the same missing map."""
    for number in range(8):
        r.call("systemctl", "", verb="start", unit="cs2@eu-9")
        r.call("journalctl", f"Mar 02 09:0{number}:14 eu-9 cs2[{2100 + number * 37}]: FATAL: "
               "map de_harbor not found\neu-9 systemd[1]: cs2@eu-9.service: status=1/FAILURE",
               unit="cs2@eu-9", lines=2)  # fmt: skip


@warn("printing")
def poster_job_in_the_queue_twice(r: Script) -> None:
    """A job is sent again after a timeout and now waits twice; the end does not mention it."""
    r.fail("jmf_submit", "ReadTimeout: no response from press gateway in 30 s", took=30,
           job="J-5120", press="XL106", copies=5000)  # fmt: skip
    r.call("jmf_submit", '<JMF><Response ReturnCode="0" QueueEntryID="q-882"/></JMF>',
           job="J-5120", press="XL106", copies=5000)  # fmt: skip
    r.call("jmf_queue", '<Queue><QueueEntry ID="q-881" Job="J-5120" Status="Waiting"/>'
           '<QueueEntry ID="q-882" Job="J-5120" Status="Waiting"/></Queue>',
           press="XL106")  # fmt: skip
    r.answer("The poster job is in the queue")


@alarm("insurance", 4)
def claim_paid_five_times(r: Script) -> None:
    """One claim is paid out again and again, each time with a new transfer."""
    r.call("get_claim", {"claim": "CL-30118", "approved": "2480.00", "paid": "0.00"},
           claim="CL-30118")  # fmt: skip
    for number in range(5):
        r.call("pay_out", {"status": "EXECUTED", "transfer": f"TX{77120 + number * 13}"},
               claim="CL-30118", amount="2480.00", iban="DE02120300000000202051")  # fmt: skip
        r.think("The claim still shows 0.00 as paid, so the transfer has to be made.")


@warn("research")
def search_without_any_hit(r: Script) -> None:
    """Eight searches bring nothing at all, and a review of the field is written nevertheless."""
    for query in ("perovskite tandem stability", "perovskite stability", "perovskite",
                  "tandem cell", "solar cell", "photovoltaics", "silicon", "physics"):  # fmt: skip
        r.call("scholar_search", {"total": 0, "data": []}, query=query, year="2020-")
    r.answer("The literature agrees that tandem cells have become much more stable since 2020.")


@alarm("gis", 14)
def projection_never_set(r: Script) -> None:
    """A projection is written eight times and the file still has none."""
    for _ in range(8):
        r.call("bash", "", command="gdal_edit.py -a_srs EPSG:25832 dgm_5300.tif")
        r.call("bash", "Driver: GTiff/GeoTIFF\nSize is 2000, 2000\nCoordinate System is `'",
               command="gdalinfo dgm_5300.tif | head -3")  # fmt: skip


@alarm("chip", 11)
def no_licence_for_any_seed(r: Script) -> None:
    """Sixteen seeds are simulated and not one gets a licence."""
    for seed in range(2001, 2017):
        r.call("run_sim", "xmsim: *F,NOLICN: Unable to checkout license for the simulation. "
               f"'lic_error -5' (pid {31000 + seed * 3})", took=62, test="axi_burst",
               seed=seed)  # fmt: skip


@warn("ci")
def triage_without_one_log(r: Script) -> None:
    """The list of failed jobs cannot be read, and the run reports that all were triaged."""
    r.call("list_failed_jobs", '{"message": "401 Unauthorized"}', project="core", since="24h")
    r.call("list_failed_jobs", '{"message": "401 Unauthorized"}', project="core", since="7d")
    r.answer("All failed jobs have been triaged: three flakes, no real regression.")


@alarm("secrets", 10)
def vault_is_sealed(r: Script) -> None:
    """Thirteen secrets are to be rotated while Vault is sealed."""
    for service in ("cart", "pay", "stock", "mail", "auth", "geo", "tax", "ads", "crm", "erp",
                    "bi", "iot", "cms"):  # fmt: skip
        r.fail("vault_write", "Error writing data: PUT https://vault:8200/v1/kv/data/"
               f"{service}/db\nCode: 503. Errors:\n\n* Vault is sealed",
               path=f"kv/data/{service}/db", value="***")  # fmt: skip


@alarm("dns", 12)
def two_agents_one_record(r: Script) -> None:
    """The failover agent and the cost agent point one name to their own address in turn."""
    for number in range(7):
        for agent, address in (("failover", "203.0.113.9"), ("cost", "198.51.100.4")):
            r.agent = agent
            r.call("route53_upsert", {"ChangeInfo": {"Id": f"/change/C{number}{agent[0]}9X",
                   "Status": "PENDING"}}, after=40, name="api.example.org",
                   value=address)  # fmt: skip


@alarm("cdn", 16)
def purge_that_purges_nothing(r: Script) -> None:
    """Every purge is accepted with a new id, and the old object only grows older."""
    for number in range(9):
        r.call("purge", {"status": "ok", "id": f"{2044 + number * 31}-1709370{number}"},
               path="/css/app.css")  # fmt: skip
        r.call("head", f'HTTP/2 200\nx-cache: HIT\nage: {86000 + number * 9}\netag: "a41c"',
               after=6, path="/css/app.css")  # fmt: skip


@alarm("mail", 10)
def newsletter_from_a_blocked_address(r: Script) -> None:
    """The sending address is on a block list; the agent goes on through its recipients."""
    for number in range(20):
        r.call("send_mail", "554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using "
               f"zen.spamhaus.org; queue id 4F{number * 391 + 4096:X}",
               to=f"reader{number}@example.net", subject="March news")  # fmt: skip


@alarm("ads", 12)
def campaign_created_over_and_over(r: Script) -> None:
    """The list never shows the campaign, so it is created again, with a budget each time."""
    for number in range(7):
        r.call("list_campaigns", {"campaigns": [], "request_id": f"rq-{number * 7717 + 1201:x}"},
               account="881-204", query="Spring 2026")  # fmt: skip
        r.call("create_campaign", {"id": 220194410 + number * 17, "status": "ENABLED"},
               account="881-204", title="Spring 2026", daily_budget="400.00 EUR")  # fmt: skip


@alarm("spark")
def join_that_never_comes_back(r: Script) -> None:
    """A Spark job is submitted and does not return for five hours; only heartbeats arrive."""
    r.call(
        "spark_sql", "events 8.1 B rows, users 40 M rows", took=20, query="DESCRIBE DETAIL events"
    )
    r.hang("spark_submit", app="join_sessions.py", executors=40)
    r.beat(5 * 3600)


@alarm("kafka", 9)
def offsets_of_an_active_group(r: Script) -> None:
    """An offset reset is refused since the group is active; nobody stops the consumers."""
    for number in range(10):
        r.call("bash", f"[2026-03-02 09:0{number}:31,{number}12] ERROR: Assignments can only be "
               "reset if the group 'billing' is inactive, but the current state is Stable.",
               command="kafka-consumer-groups.sh --group billing --reset-offsets --to-latest "
               "--topic invoices --execute")  # fmt: skip


@warn("mongodb")
def labels_never_acknowledged(r: Script) -> None:
    """Six batches of labels are written without acknowledgement and reported as saved."""
    for number in range(6):
        r.call("label_batch", {"labelled": 50, "model": "v4"}, took=9, batch=number)
        r.call("mongo_insert_many", {"acknowledged": False, "insertedIds": {}},
               collection="labels", batch=number, count=50)  # fmt: skip
    r.answer("300 labels are saved")


@alarm("helm")
def upgrade_broken_off(r: Script) -> None:
    """The agent dies in the middle of an upgrade and leaves the release pending."""
    r.call("helm", "NAME REVISION STATUS\ncheckout 41 deployed", command="list -n shop")
    r.call(
        "helm_diff", "- replicas: 6\n+ replicas: 9\n- image: 3.9\n+ image: 3.10", chart="checkout"
    )
    r.call("helm", "Error: UPGRADE FAILED: post-upgrade hooks failed: timed out waiting", took=300,
           command="upgrade checkout ./chart -n shop --wait")  # fmt: skip
    r.call("helm", "STATUS: pending-upgrade\nREVISION: 42", command="status checkout -n shop")
    r.end(crash="anthropic.APIConnectionError: Connection error.")


@alarm("legal")
def between_paralegal_and_reviewer(r: Script) -> None:
    """Two agents return one document to each other and neither decides on its privilege."""
    for number in range(8):
        r.agent = "paralegal"
        r.call("get_document", {"bates": "ACME-004512", "privilege": "undecided"},
               bates="ACME-004512")  # fmt: skip
        r.hand_off("paralegal", "reviewer", "Please decide on the privilege of ACME-004512.")
        r.agent = "reviewer"
        r.call("get_document", {"bates": "ACME-004512", "privilege": "undecided"},
               bates="ACME-004512")  # fmt: skip
        r.hand_off("reviewer", "paralegal", f"Not for me to decide, please check. ({number})")


@warn("ldap")
def group_reported_as_filled(r: Script) -> None:
    """The directory refuses every change, and the run reports that the members were added."""
    for member in ("aydin", "baker", "costa", "dubois"):
        r.call("ldapmodify", 'modifying entry "cn=oncall,ou=groups,dc=example,dc=org"\n'
               "ldap_modify: Insufficient access (50)", group="cn=oncall",
               add=f"uid={member}")  # fmt: skip
    r.answer("All four colleagues are now members of the on-call group.")


@alarm("browser", 12)
def checkout_behind_a_banner(r: Script) -> None:
    """A button is clicked again and again while a cookie banner lies over it."""
    r.call(
        "goto", "200 OK  Supplier portal – basket (3 items)", url="https://supplier.example/cart"
    )
    for number in range(8):
        r.call("click", "TimeoutError: locator.click: Timeout 30000ms exceeded.\n  - <div "
               'id="cmp-overlay"> intercepts pointer events', took=30,
               selector="#order")  # fmt: skip
        r.call("screenshot", f"shot_{1772442000 + number * 33}.png: basket, 3 items, dialog 'We "
               "value your privacy'")  # fmt: skip


@alarm("graphql", 10)
def catalogue_with_null_for_all(r: Script) -> None:
    """Every product is answered with 200 and null, for an expired token, and the sweep goes on."""
    for number in range(24):
        r.call("graphql", {"data": {"product": None}, "errors": [{"message": "Access token expired",
               "extensions": {"code": "UNAUTHENTICATED", "traceId": f"{number * 65537:012x}"},
               "path": ["product"]}]}, query="query($id:ID!){product(id:$id){title price}}",
               id=f"gid://shop/Product/{7001 + number}")  # fmt: skip
