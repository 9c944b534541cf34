"""Half K, healthy: paperwork and sweeps. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_K_WORK: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_K_WORK, Want.NOTHING, family)


@healthy("json")
def labels_that_mostly_exist(r: Script) -> None:
    """Three labels are ensured in seven repositories; eighteen of them exist already."""
    r.user("make sure that all seven repos have our three triage labels")
    for repo in ("api", "web", "ios", "android", "infra", "docs", "sdk"):
        for label in ("triage", "needs-info", "accepted"):
            if (repo, label) in {("sdk", "triage"), ("docs", "accepted"), ("ios", "needs-info")}:
                answer = {"status": 201, "name": label, "url": f"/repos/acme/{repo}/labels/{label}"}
            else:
                answer = {"status": 422, "message": "Validation Failed", "errors":
                          [{"resource": "Label", "code": "already_exists", "field": "name"}]}  # fmt: skip
            r.call("github_create_label", answer, repo=f"acme/{repo}", name=label, color="c5def5")
    r.answer("Three labels were missing and now exist; the other eighteen were there already.")


@healthy("json")
def same_refund_to_two_customers(r: Script) -> None:
    """Two customers ordered the same broken lamp; both get 34.90 back, ten seconds apart."""
    r.user("both customers of tickets 5510 and 5512 got the broken lamp, refund them please")
    for ticket, order, charge in ((5510, "A-70031", "ch_3Pq1"), (5512, "A-70044", "ch_3Pq8")):
        r.call("get_ticket", {"ticket": ticket, "order": order, "text": "lamp arrived broken"},
               ticket=ticket)  # fmt: skip
        r.call("get_order", {"order": order, "charge": charge, "total": "34.90", "items": ["lamp"]},
               order=order)  # fmt: skip
        r.call("create_refund", {"id": f"re_{charge[3:]}", "status": "succeeded", "amount": 3490},
               charge=charge, amount=3490, reason="defective")  # fmt: skip
    r.answer("Both customers have 34.90 EUR back.")


@healthy("json")
def rent_for_a_whole_year(r: Script) -> None:
    """Twelve invoices to one tenant, of the same amount, one for each month."""
    r.user("prepare the 2026 rent invoices for unit 4, 950 each, all twelve")
    r.call("find_contact", {"contact": "t-19", "name": "B. Okafor", "unit": 4}, unit=4)
    for month in range(1, 13):
        r.call("create_invoice", {"number": f"R-2026-{month:02}", "state": "draft", "total": 950},
               contact="t-19", description="Rent unit 4", period=f"2026-{month:02}",
               amount=950, due=f"2026-{month:02}-03")  # fmt: skip
    r.answer("Twelve drafts, R-2026-01 to R-2026-12, 950 each.")


@healthy("mail")
def reminders_to_overdue_payers(r: Script) -> None:
    """The same reminder goes to eight customers; only name, number and amount differ."""
    overdue = [("kiosk-nord", 1201, 88), ("cafe-linde", 1207, 88), ("hotel-see", 1210, 412),
            ("bar-79", 1216, 88), ("imbiss-ost", 1222, 140), ("backhaus", 1223, 88),
            ("bistro-rot", 1230, 96), ("mensa-west", 1231, 705)]  # fmt: skip
    r.call(
        "list_overdue", [{"customer": c, "invoice": n, "eur": e} for c, n, e in overdue], days=14
    )
    for customer, number, eur in overdue:
        r.call("send_mail", "250 2.0.0 OK: queued", to=f"buchhaltung@{customer}.example",
               subject=f"Zahlungserinnerung Rechnung {number}",
               text=f"Guten Tag, die Rechnung {number} über {eur} EUR ist noch offen. Bitte "
               "überweisen Sie den Betrag innerhalb von sieben Tagen. Freundliche Grüße")  # fmt: skip
    r.answer("Acht Erinnerungen sind verschickt.")


@healthy("json")
def audit_log_by_cursor(r: Script) -> None:
    """An audit log is read to its end; two pages in the middle are empty after filtering."""
    cursors = (
        "",
        "eyJ0IjoxfQ",
        "eyJ0IjoyfQ",
        "eyJ0IjozfQ",
        "eyJ0Ijo0fQ",
        "eyJ0Ijo1fQ",
        "eyJ0Ijo2fQ",
    )
    for place, cursor in enumerate(cursors):
        rows = [] if place in {3, 4} else [
            {"actor": f"svc-{place}", "action": "role.grant", "at": f"2026-02-{20 + place}"}]  # fmt: skip
        following = cursors[place + 1] if place + 1 < len(cursors) else None
        r.call("audit_search", {"entries": rows, "next_cursor": following},
               action="role.grant", cursor=cursor, limit=100)  # fmt: skip
    r.answer("Five grants in the last week of February, all by service accounts.")


@healthy("json")
def conflict_check_of_a_law_firm(r: Script) -> None:
    """Ten parties are looked up before a mandate is taken; no record of any of them is good."""
    r.user("run the conflict check for the ten parties of matter 26-088")
    for party in ("Adler GmbH", "Brandt Holding", "C. Devaux", "Esposito SpA", "Fjord AS",
                  "G. Hartono", "Ilex Partners", "J. Kowalska", "Lumen Ltd", "M. Nakamura"):  # fmt: skip
        r.call("search_clients", {"matches": [], "searched": ["clients", "adverse parties"]},
               name=party)  # fmt: skip
    r.call("file_note", {"saved": True, "note": 9913}, matter="26-088",
           text="Conflict check of ten parties: no match.")  # fmt: skip
    r.answer("No conflict: none of the ten parties is known to us.")


@healthy("sql")
def retention_over_all_shards(r: Script) -> None:
    """Old sessions are deleted on sixteen shards; most have none."""
    for shard in range(16):
        r.call("db_execute", f"DELETE {(0, 0, 0, 418, 0, 0, 2)[shard % 7]}", shard=f"s{shard:02}",
               statement="DELETE FROM sessions WHERE seen_at < '2025-12-01'")  # fmt: skip
    r.answer("All sixteen shards are swept.")


@healthy("cloud")
def backup_proof_of_the_month(r: Script) -> None:
    """Nine databases are restored to a scratch place, checked and dropped, as each month."""
    for name in ("ledger", "orders", "users", "mail", "geo", "stock", "audit", "cms", "wiki"):
        r.call("restore_backup", f"Restored {name} into scratch-{name}", took=95, database=name)
        r.call("check_restore", f"{name}: 0 corrupt pages, checksums match. RESULT: PASS", took=20,
               database=f"scratch-{name}")  # fmt: skip
        r.call("drop_database", f"dropped scratch-{name}", database=f"scratch-{name}")
    r.call("publish_report", {"page": "Backups/2026-03"}, title="Backup proof March 2026",
           body="9 of 9 restored and checked")  # fmt: skip
    r.answer("Nine of nine backups can be restored.")


@healthy("json")
def receipt_too_large_at_first(r: Script) -> None:
    """An upload is refused for its size, its format and a missing field, and then taken."""
    r.fail(
        "upload_receipt", "413 Payload Too Large: limit is 5 MB", file="hotel.tiff", report="E-31"
    )
    r.call("convert_image", {"file": "hotel.heic", "mb": 2.1}, file="hotel.tiff", quality=70)
    r.fail("upload_receipt", "415 Unsupported Media Type: image/heic", file="hotel.heic",
           report="E-31")  # fmt: skip
    r.call("convert_image", {"file": "hotel.jpg", "mb": 2.4}, file="hotel.heic", format="jpeg")
    r.fail("upload_receipt", "422: field 'cost_center' is required", file="hotel.jpg",
           report="E-31")  # fmt: skip
    r.call("get_employee", {"name": "R. Silva", "cost_center": "4410"}, name="R. Silva")
    r.call("upload_receipt", {"receipt": "rc-8", "attached": True}, file="hotel.jpg",
           report="E-31", cost_center="4410")  # fmt: skip
    r.answer("The hotel receipt is attached to E-31.")


@healthy("web")
def form_in_seven_steps(r: Script) -> None:
    """A browser agent presses the same button on each page of a long benefit form."""
    r.call("browser_navigate", "Page 1 of 7: Who are you?", url="https://amt.example/antrag")
    for place, title in enumerate(("Address", "Household", "Income", "Rent", "Bank", "Review"), 2):
        r.call("browser_type", "Typed.", ref=f"e{place * 9}", text=f"answer {place}")
        r.call("browser_click", f"Clicked. Page {place} of 7: {title}", element="button 'Next'",
               ref="e4")  # fmt: skip
    r.call("browser_click", "Saved as draft. Please sign with your ID card.",
           element="button 'Save'", ref="e5")  # fmt: skip
    r.answer("The form is filled in and saved; you must sign it yourself.")


@healthy("json")
def accounts_matched_line_by_line(r: Script) -> None:
    """Twelve bank lines are matched with invoices; four have no partner, which is reported."""
    for line in range(1, 13):
        none = line in {3, 4, 8, 11}
        r.call("reconcile_line", {"line": line, "match": None if none else f"INV-{700 + line}",
               "confidence": 0 if none else 0.97}, statement="2026-02", line=line)  # fmt: skip
    r.answer("Eight lines are matched. Lines 3, 4, 8 and 11 have no invoice; please look at them.")
