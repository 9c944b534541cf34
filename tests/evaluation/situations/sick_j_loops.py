"""Half J, sick: loops by equal answers. Written by somebody who had read no rule."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_J_LOOPS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_J_LOOPS, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should be seen on a dashboard the same day."""
    return situation(SICK_J_LOOPS, Want.WARN, family, by_call)


@alarm("mcp", 8)
def page_is_ignored(r: Script) -> None:
    """A server answers every `page=` with the first page, as CSV."""
    rows = "\n".join(f"{n},KD-{n * 37 % 9000:04d},{n * 3.5:.2f},offen" for n in range(1, 26))
    for page in range(1, 14):
        r.call("list_open_items", f"nr,konto,betrag,status\n{rows}", page=page, page_size=25)
        r.think(f"Seite {page} gelesen, weiter mit Seite {page + 1}.")


@alarm("json", 8)
def cursor_leads_back(r: Script) -> None:
    """Two pages whose cursors lead to one another, for ever."""
    pages = {
        "c2VnMQ": {"events": [{"id": "ev_11"}, {"id": "ev_12"}], "next": "c2VnMg"},
        "c2VnMg": {"events": [{"id": "ev_13"}, {"id": "ev_14"}], "next": "c2VnMQ"},
    }
    cursor = "c2VnMQ"
    for _ in range(14):
        answer = pages[cursor]
        r.call("list_events", answer, cursor=cursor, limit=2)
        cursor = str(answer["next"])


@alarm("sql", 10)
def no_row_in_any_spelling(r: Script) -> None:
    """A customer is looked for in eleven spellings of the same condition; there is none."""
    conditions = (
        "name = 'Müller-Lüdenscheidt'",
        "name ILIKE 'müller-lüdenscheidt'",
        "name ILIKE '%lüdenscheidt%'",
        "name ILIKE '%luedenscheidt%'",
        "name ~* 'l(ü|ue)denscheidt'",
        "lower(name) LIKE '%ludenscheidt%'",
        "company ILIKE '%lüdenscheidt%'",
        "email ILIKE '%luedenscheidt%'",
        "notes ILIKE '%lüdenscheidt%'",
        "unaccent(name) ILIKE '%ludenscheidt%'",
        "name % 'Müller-Lüdenscheidt'",
    )
    for condition in conditions:
        r.call("sql", " id | name | email\n----+------+-------\n(0 rows)",
               statement=f"SELECT id, name, email FROM customers WHERE {condition}")  # fmt: skip


@alarm("web", 9)
def paraphrases_of_one_question(r: Script) -> None:
    """Ten paraphrases bring up the same three passages of a manual."""
    questions = (
        "how do I reset the pump controller",
        "pump controller factory reset procedure",
        "restore pump controller to default settings",
        "resetting controller of the pump step by step",
        "what is the way to reset a PC-200",
        "PC-200 hard reset",
        "pump control unit reset instructions",
        "clear settings on pump controller",
        "reinitialise the pump controller",
        "controller reset button pump where",
    )
    for number, question in enumerate(questions):
        r.call(
            "retrieve",
            {
                "chunks": [
                    {"doc": "PC-200.pdf", "page": 3, "text": "Mount the unit upright …"},
                    {"doc": "PC-200.pdf", "page": 9, "text": "Clean the filter monthly …"},
                    {"doc": "warranty.pdf", "page": 1, "text": "The warranty covers …"},
                ],
                "took_ms": 31 + number * 3,
            },
            query=question,
            top_k=3,
        )


@alarm("browser", 16)
def consent_button_is_dead(r: Script) -> None:
    """A button is clicked by ten selectors; the page never changes."""
    selectors = ("#accept", "button.primary", "text=Accept", "//button[1]", "[data-qa=accept]",
                 "button >> nth=0", ".cookie button", "role=button[name=Accept]", "button#accept",
                 "div > button")  # fmt: skip
    for selector in selectors:
        r.call("page_click", "clicked", selector=selector)
        r.call("page_snapshot", "dialog 'We value your privacy'\n  button 'Accept'\n  link 'More'")


@alarm("files", 16)
def patch_leaves_no_trace(r: Script) -> None:
    """A stream editor matches nothing; `git diff` stays empty nine times."""
    for number in range(9):
        r.call("run", "", cmd=f"sed -i 's/timeout{' ' * number}= 30/timeout = 60/' app/conf.toml")
        r.call("run", "", cmd="git diff --stat app/conf.toml")
        r.think("The file did not change, let me adjust the expression.")


@alarm("kubernetes", 16)
def apply_says_unchanged(r: Script) -> None:
    """A manifest is written and applied six times; the cluster finds nothing new in it."""
    for number in range(6):
        r.call("write_file", "written", path="web.yaml", text=f"# attempt {number}\nkind: Service")
        r.call("kubectl_apply", "service/web unchanged\ndeployment.apps/web unchanged",
               file="web.yaml")  # fmt: skip
        r.call("kubectl_get", f"web-7cc-p4x  0/1  CrashLoopBackOff  {number + 4}  {number * 2}m",
               kind="pods")  # fmt: skip


@alarm("sql", 9)
def update_touches_no_row(r: Script) -> None:
    """Ten updates with other conditions, each of which touches no row."""
    for number in range(10):
        key = ("code", "sku", "ean", "article", "ref")[number % 5]
        value = "'A-77/B'" if number < 5 else "'a77b'"
        r.call("execute", "UPDATE 0", sql=f"UPDATE products SET price = 12.9 WHERE {key} = {value}")


@alarm("files", 18)
def there_and_back(r: Script) -> None:
    """One line is changed to and fro; each form breaks the other test."""
    for number in range(6):
        old, new = ("<", "<=") if number % 2 == 0 else ("<=", "<")
        failing = "test_lower_edge" if number % 2 else "test_upper_edge"
        r.call("str_replace", "edited", path="bins.py", old=f"x {old} hi", new=f"x {new} hi")
        r.call(
            "bash",
            f"FAILED tests/test_bins.py::{failing} - AssertionError\n1 failed, 9 passed in 0.{number}4s",
            command="pytest -q tests/test_bins.py",
        )
        r.call("view", f"def inside(x, lo, hi):\n    return lo <= x and x {new} hi", path="bins.py")


@alarm("json", 9)
def politely_refused(r: Script) -> None:
    """An appointment is refused in Spanish for each of ten times."""
    for number in range(10):
        r.call(
            "reservar_cita",
            "Lo sentimos, no es posible reservar esta cita: el paciente no tiene volante válido.",
            paciente="P-3391",
            fecha=f"2026-03-{10 + number}",
            hora=f"{9 + number % 4}:30",
        )


@alarm("mcp", 9)
def invalid_date_in_all_forms(r: Script) -> None:
    """Nine forms of a date, each told to be invalid by `isError` under a green span."""
    dates = ("tomorrow", "03/09/26", "9.3.2026", "Mar 9", "09-Mar-2026", "monday", "next week",
             "2026/3/9", "1741478400")  # fmt: skip
    for day in dates:
        text = f"MCP error -32602: Invalid arguments for tool create_event: start: got '{day}'"
        r.call("create_event", {"isError": True, "content": [{"type": "text", "text": text}]},
               title="Dentist", start=day)  # fmt: skip


@alarm("json", 18)
def notes_between_equal_reads(r: Script) -> None:
    """The same ticket is read eight times, with a to-do list rewritten in between."""
    ticket = {"id": "HD-2207", "status": "open", "text": "Printer on floor 3 prints blank pages"}
    for number in range(8):
        r.call("get_ticket", ticket, id="HD-2207")
        r.call("todo_write", "Todos have been modified successfully.",
               todos=[f"[ ] understand HD-2207 (pass {number + 1})", "[ ] answer"])  # fmt: skip
        r.call("think", "", thought=f"I should look at the ticket more closely, point {number}.")


@warn("json", 40)
def context_grows_and_slows(r: Script) -> None:
    """Each turn carries all before it: 6,000 to 190,000 tokens, 3 to 75 seconds a turn."""
    for number in range(46):
        r.think(f"next record, {number}", tokens=6_000 + 4_100 * number, took=3 + 1.6 * number)
        r.call("get_record", {"record": 900 + number, "body": f"lorem {number * 37} " * 60},
               record=900 + number)  # fmt: skip
