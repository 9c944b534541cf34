"""Half L, healthy: batches, sweeps, money and data. Its author had read and run no rule."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_L_WORK: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_L_WORK, Want.NOTHING, family)


@healthy("finance")
def equal_parts_under_a_daily_limit(r: Script) -> None:
    """A user asks for five equal transfers on five days, since the bank allows no more a day."""
    r.user("move 25,000 EUR to our savings account DE02..33; the limit is 5,000 a day, so please "
           "5,000 on each of five days")  # fmt: skip
    for day in range(5):
        r.call("get_balance", {"account": "main", "balance": 61_200.0 - 5_000 * day}, after=30,
               account="main")  # fmt: skip
        r.call("transfer", {"id": f"tr-{880 + day}", "status": "booked", "day": day + 1},
               to="DE02..33", amount=5_000, currency="EUR", reference=f"savings {day + 1} of 5",
               idempotency_key=f"sav-2026-03-0{day + 2}")  # fmt: skip
        r.wait(86_400)
    r.call("list_transfers", {"transfers": [{"id": f"tr-{880 + day}", "amount": 5_000} for day in
           range(5)], "sum": 25_000}, to="DE02..33")  # fmt: skip
    r.answer("All five parts are booked, 25,000 EUR in total.")


@healthy("finance")
def wages_of_eleven_people(r: Script) -> None:
    """Eleven people are paid, most of them the same amount, each of them once."""
    people = ("ada", "bo", "cem", "dilek", "eva", "finn", "gita", "hugo", "ines", "jon", "kim")
    r.user("pay the wages of February as in the list")
    r.call("read_payroll", {"month": "2026-02", "rows": [{"employee": name, "net": 2_400 if n % 3
           else 3_150, "paid": False} for n, name in enumerate(people)]}, month="2026-02")  # fmt: skip
    for n, name in enumerate(people):
        r.call("pay_wage", {"payment": f"w-{300 + n}", "state": "accepted"}, employee=name,
               amount=2_400 if n % 3 else 3_150, month="2026-02")  # fmt: skip
    r.call("read_payroll", {"month": "2026-02", "rows": [{"employee": name, "net": 2_400 if n % 3
           else 3_150, "paid": True} for n, name in enumerate(people)]}, month="2026-02")  # fmt: skip
    r.answer("All eleven wages of February are accepted and marked as paid.")


@healthy("mail")
def spam_emptied_by_five_hundred(r: Script) -> None:
    """A folder is emptied with one command again and again, as the service takes 500 at a time."""
    r.user("empty my spam folder completely")
    for left in (2_600, 2_100, 1_600, 1_100, 600, 100, 0):
        r.call("gmail_batch_delete", {"deleted": 500 if left else 100, "remaining": left},
               label="SPAM", max=500)  # fmt: skip
    r.answer("The spam folder is empty.")


@healthy("pipeline")
def one_partition_runs_again(r: Script) -> None:
    """The days of a month are loaded; one loses its connection, is cleared and succeeds."""
    r.user("backload the daily partitions of February into dwh.visits")
    for day in range(1, 29):
        day_of = f"2026-02-{day:02}"
        if day == 17:
            r.fail("airflow_run", "OperationalError: server closed the connection unexpectedly",
                   took=20, dag="visits", partition=day_of)  # fmt: skip
            r.call("airflow_clear", {"cleared": 1}, dag="visits", partition=day_of)
        r.call("airflow_run", {"state": "success", "rows": 40_100 + day * 211 % 900}, took=40,
               dag="visits", partition=day_of)  # fmt: skip
    r.call("sql", {"rows": [{"partitions": 28}]},
           query="SELECT count(DISTINCT day) AS partitions FROM dwh.visits WHERE month = '2026-02'")  # fmt: skip
    r.answer("All 28 partitions are there; the 17th needed a second run.")


@healthy("json")
def experiment_until_its_planned_end(r: Script) -> None:
    """An experiment is looked at daily for its planned fortnight; p goes to and fro."""
    r.user("watch exp-31 for the planned 14 days, stop it then and tell me the outcome")
    for day, p in enumerate(
        (0.61, 0.33, 0.21, 0.12, 0.18, 0.27, 0.09, 0.07, 0.11, 0.06, 0.04, 0.05, 0.04, 0.03)
    ):
        r.call("experiment_results", {"experiment": "exp-31", "day": day + 1, "users_a": 4_100 *
               (day + 1), "users_b": 4_083 * (day + 1), "lift": 0.021, "p_value": p},
               after=86_395, experiment="exp-31")  # fmt: skip
    r.call("experiment_stop", {"experiment": "exp-31", "state": "stopped"}, experiment="exp-31")
    r.answer("After 14 days B is 2.1 % better with p = 0.03; exp-31 is stopped.")


@healthy("ml")
def variants_of_a_prompt(r: Script) -> None:
    """Eight wordings of a prompt are scored on one set; some of them score the same."""
    r.user("score the eight variants in prompts/ on the dev set")
    scores = (0.71, 0.74, 0.74, 0.69, 0.74, 0.78, 0.71, 0.78)
    for n, score in enumerate(scores):
        r.call("run_eval", {"dataset": "dev-200", "accuracy": score, "n": 200, "cost_usd": 0.41},
               took=90, prompt=f"prompts/v{n + 1}.txt", dataset="dev-200")  # fmt: skip
    r.answer("v6 and v8 are best with 0.78; v1 and v7 have 0.71, v4 is last with 0.69.")


@healthy("shell")
def load_in_steps_until_the_knee(r: Script) -> None:
    """A load test is made harder until it breaks, because that was the question."""
    r.user("find the load at which staging breaks: double it until p95 is above 2 s")
    for rps, p95, errors in ((50, .11, 0), (100, .12, 0), (200, .14, 0), (400, .31, 0.1),
                             (800, .97, 1.4), (1600, 4.8, 23.0)):  # fmt: skip
        r.call("bash", f"http_reqs: {rps}/s  http_req_duration p(95)={p95}s  "
               f"http_req_failed: {errors}%", took=120,
               command=f"k6 run -e RPS={rps} -e BASE=https://staging.shop.example steps.js")  # fmt: skip
    r.answer("p95 is 0.97 s at 800 requests a second and 4.8 s at 1600: the knee is in between.")


@healthy("shell")
def checksums_of_the_backups(r: Script) -> None:
    """Twelve archives are verified one by one, and all answers are OK."""
    r.user("verify the twelve weekly archives in /backup against SHA256SUMS")
    for week in range(1, 13):
        r.call("bash", f"w{week:02}.tar.zst: OK", took=44,
               command=f"cd /backup && grep w{week:02} SHA256SUMS | sha256sum -c -")  # fmt: skip
    r.answer("All twelve archives match their checksums.")


@healthy("iot")
def beds_watered_in_turn(r: Script) -> None:
    """Eight garden zones are opened, left to run and closed; every answer looks alike."""
    r.user("water zones 1 to 8 for ten minutes each, one after another")
    for zone in range(1, 9):
        r.call("valve_set", {"result": "ok", "state": "open"}, zone=zone, state="open")
        r.call("sleep", {"slept": 600}, took=600, seconds=600)
        r.call("valve_set", {"result": "ok", "state": "closed"}, zone=zone, state="closed")
    r.answer("All eight zones had their ten minutes.")


@healthy("iot")
def price_tags_with_three_stragglers(r: Script) -> None:
    """Shelf labels get new prices; three miss the radio slot and take it at the second try."""
    r.user("push this week's prices to labels E01 to E14")
    prices = {f"E{n:02}": round(0.99 + n * 0.35, 2) for n in range(1, 15)}
    r.call("read_price_list", {"week": 10, "prices": prices}, week=10)
    for label, price in prices.items():
        seen = label not in ("E03", "E08", "E11")
        r.call("label_push", {"label": label, "ack": seen, "shown": price if seen else None},
               label=label, price=price)  # fmt: skip
    for label in ("E03", "E08", "E11"):
        r.call("label_push", {"label": label, "ack": True, "shown": prices[label]}, after=60,
               label=label, price=prices[label])  # fmt: skip
    r.answer("All 14 labels show their price; E03, E08 and E11 took it at the second try.")


@healthy("crm")
def leads_of_which_some_are_unknown(r: Script) -> None:
    """Fifteen leads are looked up; six are unknown to the register, and the report says so."""
    r.user("enrich the leads of the fair with the company register, leave unknown ones alone")
    firms = ("Abel", "Brosch", "Corvin", "Dahl", "Ekdal", "Falk", "Grau", "Hof", "Iven", "Jost",
             "Karst", "Lenz", "Moor", "Nagel", "Orth")  # fmt: skip
    r.call("crm_list", {"leads": [{"id": n, "company": f"{firm} GmbH"} for n, firm in
           enumerate(firms)]}, tag="fair-2026")  # fmt: skip
    for n, firm in enumerate(firms):
        if n % 5 in (1, 3):
            r.call("register_lookup", {"matches": []}, company=f"{firm} GmbH")
            continue
        r.call("register_lookup", {"matches": [{"hrb": 20_117 + n * 31, "staff": 12 + n}]},
               company=f"{firm} GmbH")  # fmt: skip
        r.call("crm_update", {"ok": True}, lead=n, hrb=20_117 + n * 31, staff=12 + n)
    r.answer("Nine leads are enriched. The register knows no Brosch, Dahl, Grau, Iven, Lenz "
             "or Nagel; those are untouched.")  # fmt: skip


@healthy("json")
def sudoku_with_steps_back(r: Script) -> None:
    """A puzzle is solved by trying: three numbers are taken back before the last ones fit."""
    r.user("solve puzzle 9")
    left = 9
    for cell, value, fits in (("a1", 4, True), ("b7", 9, True), ("c3", 2, False), ("c3", 8, True),
                              ("d5", 1, False), ("d5", 6, True), ("e2", 3, True), ("f8", 7, False),
                              ("f8", 5, True), ("g4", 2, True), ("h6", 1, True), ("i9", 3, True)):  # fmt: skip
        left -= fits
        r.call("place", {"valid": fits, "empty_cells": left, "conflict": None if fits else
               f"column {cell[1]}"}, cell=cell, value=value)  # fmt: skip
    r.call("check", {"solved": True, "empty_cells": 0}, puzzle=9)
    r.answer("Puzzle 9 is solved.")
