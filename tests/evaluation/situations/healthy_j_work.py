"""Half J, healthy: data, paging, batches and retries that end well."""

from __future__ import annotations

from typing import Any

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_J_WORK: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be woken by."""
    return situation(HEALTHY_J_WORK, Want.NOTHING, family)


@healthy("sql")
def funnel_is_questioned(r: Script) -> None:
    """An analyst errs in a column twice, describes the table and compares six channels."""
    r.user("Where in the sign-up do we lose people, by channel?")
    r.call("run_sql", 'ERROR:  column "chanel" does not exist\nLINE 1: SELECT chanel, count(*)',
           query="SELECT chanel, count(*) FROM signups GROUP BY 1")  # fmt: skip
    r.call("run_sql", 'ERROR:  column "channel" does not exist\nLINE 1: SELECT channel, count(*)',
           query="SELECT channel, count(*) FROM signups GROUP BY 1")  # fmt: skip
    r.call("run_sql", "column_name | data_type\nuser_id | uuid\nutm_source | text\nstep | int4",
           query="SELECT column_name, data_type FROM information_schema.columns "
           "WHERE table_name = 'signups'")  # fmt: skip
    sources = ("google", "newsletter", "partner", "print", "tiktok", "none")
    for place, source in enumerate(sources):
        counts = "\n".join(f"{step} | {(9 - 2 * step) * (place + 3) * 13}" for step in range(1, 5))
        r.call(
            "run_sql",
            f"step | count\n{counts}\n(4 rows)",
            query="SELECT step, count(*) FROM signups "
            f"WHERE utm_source = '{source}' GROUP BY 1 ORDER BY 1",
        )
    r.answer("In every channel most people leave between steps 3 and 4 …")


@healthy("sql")
def ventas_por_region(r: Script) -> None:
    """An analyst asks for seven regions in Spanish; two have sold nothing."""
    r.user("¿Cuánto vendimos en febrero por comunidad autónoma?")
    sales = {"Galicia": 41_220, "Aragón": 18_004, "Ceuta": None, "Murcia": 22_910, "Melilla": None,
             "Navarra": 18_004, "La Rioja": 7_311}  # fmt: skip
    for region, euros in sales.items():
        r.call(
            "consulta_sql",
            f"total\n-----\n{euros}\n(1 fila)" if euros else "total\n-----\n(0 filas)",
            sql=f"SELECT sum(importe) AS total FROM ventas WHERE region = '{region}' "
            "AND mes = '2026-02' HAVING sum(importe) > 0",
        )
    r.answer("En febrero: Galicia 41.220 €, … Ceuta y Melilla sin ventas.")


@healthy("sql")
def backfill_of_a_month(r: Script) -> None:
    """Thirty-one days are loaded one after the other; quiet days have equal numbers of rows."""
    for day in range(1, 32):
        rows = 1_440 if day % 7 in (0, 6) else 1_440 * (day % 5 + 2)
        r.call(
            "load_partition",
            {"status": "ok", "rows_written": rows, "warnings": []},
            took=20,
            table="meter_readings",
            day=f"2026-01-{day:02d}",
        )
    r.call(
        "run_sql", "missing_days\n0", query="SELECT count(*) AS missing_days FROM gaps('2026-01')"
    )
    r.answer("January is loaded; no day is missing.")


@healthy("shell")
def models_fail_then_pass(r: Script) -> None:
    """Two data tests fail, a model is corrected, one fails, another correction, all pass."""
    runs = (
        ("PASS=61 WARN=0 ERROR=2 SKIP=0 TOTAL=63", "unique_orders_id, not_null_orders_tax"),
        ("PASS=62 WARN=0 ERROR=1 SKIP=0 TOTAL=63", "not_null_orders_tax"),
        ("PASS=63 WARN=0 ERROR=0 SKIP=0 TOTAL=63", ""),
    )
    for number, (summary, failing) in enumerate(runs):
        what = f"Failure in test {failing}\n" if failing else "Completed successfully\n"
        r.call("terminal", f"{r.clock('%H:%M:%S')}  {what}Done. {summary}", took=50,
               cmd="dbt build -s orders+")  # fmt: skip
        if failing:
            r.call("write_file", f"wrote 2.{number} kB", path="models/orders.sql",
                   text=f"select distinct … -- attempt {number}")  # fmt: skip
    r.answer("orders and everything after it builds; 63 tests pass.")


@healthy("json")
def contacts_by_cursor(r: Script) -> None:
    """Fourteen pages of contacts, each with the cursor of the next."""
    for page in range(14):
        people = [{"id": f"0031i{page:02d}{n:03d}", "state": "active"} for n in range(8)]
        following = f"eyJwIjo{page * 7 + 11:03d}fQ" if page < 13 else None
        cursor = f"eyJwIjo{page * 7 + 4:03d}fQ" if page else None
        r.call("list_contacts", {"data": people, "next_cursor": following}, limit=8, cursor=cursor)
    r.answer("112 contacts, all active.")


@healthy("json")
def forty_addresses(r: Script) -> None:
    """Addresses are looked up on a map in batches of eight; some are not found."""
    for block in range(5):
        answers: dict[str, Any] = {
            f"Hauptstraße {block * 8 + n + 1}, 21073 Hamburg": {
                "status": "OK",
                "results": [{"lat": round(53.46 + n / 900, 5), "lng": 9.97 + block}],
            }
            for n in range(8)
        }
        answers[f"Hauptstraße {block * 8 + 4}, 21073 Hamburg"] = {
            "status": "ZERO_RESULTS",
            "results": [],
        }
        r.batch("geocode", answers, "address")
    r.call("write_csv", "35 rows written to geo.csv", path="geo.csv")
    r.answer("35 of 40 addresses were found; the five others are listed in missing.txt.")


@healthy("json")
def back_off_as_requested(r: Script) -> None:
    """A service is overloaded twice at different places; the agent waits as told and goes on."""
    for number in range(6):
        if number in (1, 4):
            for pause in (2, 4, 8):
                r.fail(
                    "post_invoice",
                    f"503 Service Unavailable (Retry-After: {pause})",
                    invoice=f"R-26-{number:04d}",
                )
                r.wait(pause)
        r.call("post_invoice", {"posted": True, "journal": 8_800 + number},
               invoice=f"R-26-{number:04d}")  # fmt: skip
    r.answer("Six invoices are posted, 8800 to 8805.")
