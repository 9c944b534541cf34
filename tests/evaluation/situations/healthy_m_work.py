"""Half M, healthy: data, batches and migrations. Its author had read no rule and had run none."""

from __future__ import annotations

from typing import Any

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_M_WORK: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_M_WORK, Want.NOTHING, family)


@healthy("dbt")
def backfill_with_two_locked_days(r: Script) -> None:
    """Twenty-four days are loaded; two of them meet a lock and go through at the end."""
    r.user("backfill fct_sales for 1 to 24 February; what fails, retry once at the end")
    for day in range(1, 25):
        locked = day in (9, 17)
        r.call("dbt_run", {"status": "error" if locked else "success", "rows": 0 if locked else
               41_000 + day * 13, "message": "Serializable isolation violation on table fct_sales"
               if locked else "OK"}, model="fct_sales", vars=f"day: 2026-02-{day:02}", took=40)  # fmt: skip
    for day in (9, 17):
        r.call("dbt_run", {"status": "success", "rows": 41_000 + day * 13, "message": "OK"},
               model="fct_sales", vars=f"day: 2026-02-{day:02}", took=40)  # fmt: skip
    r.call("sql", [{"days": 24, "rows": 987_900}], query="select count(distinct day), count(*) ...")
    r.answer("All 24 days are loaded. The 9th and the 17th met a lock first and passed on retry.")


@healthy("xml")
def feed_read_page_by_page(r: Script) -> None:
    """An OAI feed is followed from token to token; the last page is short and without a token."""
    r.user("harvest all records of set theses since 2025 into theses.jsonl")
    for page in range(17):
        last = page == 16
        token = "" if last else f"<resumptionToken>tk{page * 977 + 31}</resumptionToken>"
        sent: dict[str, Any] = (
            {"token": f"tk{(page - 1) * 977 + 31}"} if page else {"set": "theses", "from": "2025"}
        )
        r.call("oai_list_records", f"<OAI-PMH><record n='{page * 100}'/>... {7 if last else 100} "
               f"records {token}</OAI-PMH>", **sent)  # fmt: skip
        r.call("append_jsonl", {"appended": 7 if last else 100}, file="theses.jsonl")
    r.answer("1607 records are in theses.jsonl.")


@healthy("web")
def crawl_that_obeys_the_limit(r: Script) -> None:
    """A site answers 429 now and then; the pause it names is kept and the page is read."""
    r.user("read the 20 product pages in urls.txt, be polite")
    r.call(
        "read_file", "\n".join(f"https://acme.example/p/{n}" for n in range(20)), path="urls.txt"
    )
    for n in range(20):
        if n in (4, 9, 13, 18):
            r.fail("http_get", "429 Too Many Requests\nRetry-After: 30",
                   url=f"https://acme.example/p/{n}")  # fmt: skip
            r.call("sleep", "ok", seconds=30, took=30)
        r.call("http_get", f"<html><h1>Chair {n}</h1><p class=price>{40 + n * 3} €</p></html>",
               url=f"https://acme.example/p/{n}", after=3)  # fmt: skip
    r.call("write_file", "ok", path="prices.csv")
    r.answer("20 of 20 pages are read; four needed a pause of 30 s.")


@healthy("payments")
def payout_repeated_under_its_key(r: Script) -> None:
    """A pay-out times out; it is looked up and sent again under the same key, so it happens once."""
    r.user("pay out the 6 sellers of batch 88; the API is slow, use idempotency keys")
    for n in range(6):
        key = f"b88-s{n}"
        if n in (2, 4):
            r.fail("create_payout", "504 Gateway Timeout", seller=f"s{n}", amount=120 + n,
                   idempotency_key=key, took=30)  # fmt: skip
            r.call("list_payouts", {"payouts": []}, idempotency_key=key)
        r.call("create_payout", {"id": f"po_{n}", "status": "paid"}, seller=f"s{n}", amount=120 + n,
               idempotency_key=key, took=4)  # fmt: skip
    r.call("list_payouts", {"payouts": [f"po_{n}" for n in range(6)], "total": 735}, batch="b88")
    r.answer("Six pay-outs, 735 in all, each of them once.")


@healthy("etl")
def bad_rows_set_aside_and_named(r: Script) -> None:
    """Files with bad rows: they go into quarantine as agreed, and the report gives their number."""
    r.user(
        "load the 12 partner files. Bad rows go to quarantine, a file with over 5 % bad is refused"
    )
    bad = (0, 3, 0, 11, 0, 0, 902, 2, 0, 37, 0, 1)
    for n, count in enumerate(bad):
        r.call("validate", {"file": f"p{n}.csv", "rows": 12_000, "invalid": count, "examples":
               ["row 71: price is not a number"] if count else []}, file=f"p{n}.csv")  # fmt: skip
        if count > 600:
            continue
        if count:
            r.call("quarantine", {"moved": count}, file=f"p{n}.csv")
        r.call("load", {"loaded": 12_000 - count}, file=f"p{n}.csv", took=12)
    r.call("create_ticket", {"id": "DATA-91"}, title="p6.csv refused: 902 of 12000 rows are bad")
    r.answer("11 of 12 files are loaded, 54 rows are in quarantine. p6.csv was refused (7.5 % bad, "
             "DATA-91).")  # fmt: skip


@healthy("spark")
def stages_with_lost_executors(r: Script) -> None:
    """A job loses executors and repeats tasks; its counters go back twice, and it ends well."""
    r.user("run the monthly attribution job and wait for it")
    r.call("submit", {"application": "app-117"}, job="attribution", month="2026-02")
    progress = ((0, 40, 0), (0, 400, 0), (1, 90, 0), (1, 310, 0), (1, 240, 2), (1, 520, 2), (1, 900, 2),
             (2, 10, 2), (2, 10, 2), (2, 160, 2), (2, 120, 3), (2, 388, 3), (2, 640, 3), (3, 12, 3))  # fmt: skip
    for stage, done, lost in progress:
        r.call("app_status", {"state": "RUNNING", "stage": stage, "tasksDone": done, "lost": lost},
               application="app-117", after=120)  # fmt: skip
    r.call("app_status", {"state": "FINISHED", "finalStatus": "SUCCEEDED"}, application="app-117",
           after=120)  # fmt: skip
    r.call(
        "sql", [{"rows": 4_410_020}], query="select count(*) from attribution where month='2026-02'"
    )
    r.answer("The attribution of February is there: 4410020 rows. Three executors were replaced.")


@healthy("crm")
def twins_merged_one_by_one(r: Script) -> None:
    """Each pair of twins is compared, merged on trial, shown and merged; one pair is left alone."""
    r.user("merge the duplicates in list D7, ask me for each pair")
    pairs = [(100 + n, 300 + n) for n in range(9)]
    r.call("get_list", {"pairs": pairs}, id="D7")
    for n, (keep, drop) in enumerate(pairs):
        r.call("compare", {"same": ["email", "phone"], "differ": ["street"]}, a=keep, b=drop)
        r.call("merge_contacts", {"dry_run": True, "kept": keep, "removed": drop}, keep=keep,
               drop=drop, dry_run=True)  # fmt: skip
        yes = n != 5
        r.call("ask_human", {"answer": "yes" if yes else "no, father and son"}, took=30,
               question=f"Merge {drop} into {keep}?")  # fmt: skip
        if yes:
            r.call("merge_contacts", {"dry_run": False, "kept": keep, "removed": drop}, keep=keep,
                   drop=drop, dry_run=False)  # fmt: skip
    r.answer("Eight pairs are merged. 105 and 305 stay apart, as you said.")


@healthy("files")
def scans_read_with_more_dots(r: Script) -> None:
    """Thirty pages are read; three are illegible and are read again with a higher resolution."""
    r.user("transcribe the parish register, 30 pages; mark what stays illegible")
    for page in range(1, 31):
        poor = page in (7, 19, 28)
        r.call("ocr", {"page": page, "confidence": 0.31 if poor else 0.94, "text": "" if poor else
               f"Anno 17{page}0 baptizatus est ..."}, page=page, dpi=300, took=5)  # fmt: skip
        if poor:
            r.call("ocr", {"page": page, "confidence": 0.44 if page == 28 else 0.9, "text": "" if
                   page == 28 else f"Anno 17{page}0 sepulta est ..."}, page=page, dpi=600, took=9)  # fmt: skip
    r.call("write_file", "ok", path="register.txt")
    r.answer("29 of 30 pages are transcribed. Page 28 is illegible at 600 dpi as well.")


@healthy("ledger")
def ledger_reconciled_to_the_cent(r: Script) -> None:
    """A difference gets smaller booking by booking; one correction makes it larger for a moment."""
    r.user("reconcile account 1200 with the bank for February; propose bookings, Petra posts them")
    for n, open_ in enumerate((4_120.55, 3_020.55, 3_020.55, 1_118.2, 1_931.7, 813.5, 12.4, 0.0)):
        r.call("reconcile", {"account": 1200, "difference": open_, "unmatched": 8 - n},
               account=1200, month="2026-02")  # fmt: skip
        if open_:
            r.call("find_entries", {"entries": [f"e{n}"]}, amount=open_, tolerance=0.01)
            r.call("propose_booking", {"proposal": f"P{n}", "state": "posted by petra"},
                   entry=f"e{n}", took=200)  # fmt: skip
    r.answer("Account 1200 agrees with the bank. Petra posted seven proposals.")


@healthy("json")
def batch_of_prompts_over_a_night(r: Script) -> None:
    """A batch API takes eleven hours within its promised day; for long it shows one number."""
    r.user("embed the corpus with the batch API (done within 24 h) and load it into the index")
    r.call("create_batch", {"id": "batch_6", "status": "validating"}, file="file-31")
    counts = [0, 0, 0, 120, 4_000, 4_000, 4_000, 9_300, 9_300, 21_000, 38_500, 38_500, 49_990]
    for n, done in enumerate(counts):
        r.call("retrieve_batch", {"id": "batch_6", "status": "validating" if n < 1 else "in_progress",
               "request_counts": {"completed": done, "failed": 0, "total": 50_000}}, id="batch_6",
               after=3000)  # fmt: skip
    for status in ("finalizing", "completed"):
        r.call("retrieve_batch", {"id": "batch_6", "status": status, "request_counts": {"completed":
               49_998, "failed": 2, "total": 50_000}}, id="batch_6", after=1200)  # fmt: skip
    r.call("download", {"lines": 49_998, "errors": 2}, file="file-32")
    r.call("index_load", {"loaded": 49_998}, file="file-32", took=300)
    r.answer("49998 of 50000 documents are indexed; two failed and are listed in errors.jsonl.")


@healthy("migration")
def tables_moved_with_a_checksum_each(r: Script) -> None:
    """Copy, count and compare for fourteen tables; one differs, is copied again and agrees."""
    r.user("move the 14 tables to the new cluster, compare checksums, do not drop anything")
    for n in range(14):
        for attempt in range(2 if n == 8 else 1):
            r.call("copy_table", {"table": f"t{n}", "rows": 9_000 + n}, table=f"t{n}", took=60)
            good = n != 8 or attempt == 1
            r.call("checksum", {"table": f"t{n}", "source": f"c{n}{n}", "target": f"c{n}{n}" if good
                   else "d00"}, table=f"t{n}", took=20)  # fmt: skip
    r.answer("14 tables are copied and their checksums agree. t8 had to be copied twice.")


@healthy("ml")
def sweep_over_learning_rates(r: Script) -> None:
    """Twelve trainings with other rates; two diverge, which is a result, and the best is kept."""
    r.user("find the best lr and dropout of this grid of 12; nan is fine, just note it")
    best = ""
    for n, rate in enumerate((1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3)):
        for drop in (0.0, 0.1):
            loss = "nan" if rate == 3e-3 else f"{0.9 - n * 0.1 + drop:.3f}"
            r.call("bash", f"epoch 3/3 val_loss={loss} acc={'-' if loss == 'nan' else 0.7 + n / 50}",
                   command=f"python train.py --lr {rate} --dropout {drop} --epochs 3", took=400)  # fmt: skip
            best = f"lr {rate}, dropout {drop}"
    r.call("write_file", "ok", path="sweep.md", content=f"12 runs, last {best}")
    r.answer("Best of twelve: lr 1e-3 without dropout. Both runs at 3e-3 diverged.")
