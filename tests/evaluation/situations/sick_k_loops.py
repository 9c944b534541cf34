"""Half K, sick: loops. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_K_LOOPS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_K_LOOPS, Want.ALARM, family, by_call)


@alarm("kubernetes", 14)
def more_workers_more_trouble(r: Script) -> None:
    """Each scaling up makes the queue longer, and the agent scales up again, seven times."""
    r.user("the import queue grows, get it under 1000")
    for turn in range(7):
        r.call("bash", "deployment.apps/importer scaled",
               command=f"kubectl scale deploy/importer --replicas={4 * 2 ** turn}")  # fmt: skip
        r.call("bash", f"queue=import ready={9_000 * (turn + 2) + 311 * turn} unacked=40 "
               f"db_lock_wait_s={1.2 * 2 ** turn:.1f}", after=90,
               command="rabbitmqctl list_queues name messages_ready | grep import")  # fmt: skip
        r.think("not enough workers yet, let me double them")


@alarm("json", 9)
def only_the_request_id_is_new(r: Script) -> None:
    """Nine questions for one device; only ids and times of the answers differ."""
    for turn in range(9):
        r.call("get_device", {"requestId": f"7f3{turn}c2e1-88a{turn}-4b{turn}0", "servedBy":
               f"edge-{turn % 3}", "took_ms": 31 + turn * 7 % 11, "ts": r.clock(), "data":
               {"device": "therm-4", "mode": "heat", "target": 21.5, "online": False}},
               device="therm-4")  # fmt: skip
        r.think("let me check the thermostat once more")


@alarm("cloud", 12)
def flag_on_flag_off(r: Script) -> None:
    """A feature flag is switched on and off again six times, nothing else being looked at."""
    for turn in range(12):
        state = "off" if turn % 2 else "on"
        r.call("launchdarkly_update", {"key": "new-checkout", "environment": "production",
               "on": state == "on", "_version": 41 + turn}, key="new-checkout", state=state)  # fmt: skip
        r.think("that may have been wrong, let me undo it" if turn % 2 else "switch it back")


@alarm("json", 9)
def page_token_is_ignored(r: Script) -> None:
    """Every page token brings the first page again."""
    page = {"items": [{"sku": f"SKU-{n:04}", "stock": n * 3} for n in range(20)], "more": True}
    for turn in range(9):
        r.call(
            "inventory_list", {**page, "next": f"tok-{turn + 1:04x}"}, page_token=f"tok-{turn:04x}"
        )


@alarm("mcp", 8)
def invalid_arguments_in_a_green_span(r: Script) -> None:
    """An MCP server refuses eight shapes of one argument with the same code."""
    for value in ("2026-03-02", "02.03.2026", "March 2", "1772438400", "2026-03-02T00:00Z", "today",
                  "2026/03/02", "{'date': '2026-03-02'}"):  # fmt: skip
        r.call("mcp__calendar__find_slots", {"isError": True, "content": [{"type": "text", "text":
               "MCP error -32602: Invalid arguments for tool find_slots: window: Required"}]},
               day=value)  # fmt: skip


@alarm("web", 9)
def keine_treffer(r: Script) -> None:
    """A German catalogue finds nothing for nine ways to ask one thing."""
    for words in ("Wärmepumpe Förderung Altbau", "Zuschuss Wärmepumpe Bestand",
                  "Heizung Altbau Förderprogramm", "KfW Wärmepumpe alt", "Förderung Heizungstausch Haus 1960",
                  "Altbau Heizung Zuschuss 2026", "Wärmepumpen-Zuschuss", "Förderung WP Altbau",
                  "Beihilfe Wärmepumpe Bestandsgebäude"):  # fmt: skip
        r.call("katalog_suche", f"Ihre Suche nach „{words}“ ergab leider keine Treffer.",
               suchbegriff=words)  # fmt: skip


@alarm("sql", 9)
def update_that_meets_no_row(r: Script) -> None:
    """Nine updates with other conditions for one customer, each of which changes no row."""
    for where in ("email = 'Ana@x.example'", "email = 'ana@x.example'", "email ILIKE 'ana@%'",
                  "name = 'Ana Ruiz'", "name = 'Ruiz, Ana'", "lower(name) = 'ana ruiz'",
                  "phone = '+34 600'", "id::text = 'ana'", "email = 'ana.ruiz@x.example'"):  # fmt: skip
        r.call("execute_sql", {"rowCount": 0, "command": "UPDATE"},
               sql=f"UPDATE customers SET plan = 'pro' WHERE {where}")  # fmt: skip


@alarm("web", 10)
def proxy_wall(r: Script) -> None:
    """The company's proxy answers for every site that the agent tries."""
    for site in ("reuters.example", "apnews.example", "bbc.example", "lemonde.example",
                 "nikkei.example", "faz.example", "elpais.example", "corriere.example",
                 "ft.example", "wsj.example"):  # fmt: skip
        r.call("fetch", "<html><head><title>Access blocked</title></head><body><h1>Blocked by "
               f"policy</h1><p>Category: News and Media</p><p>Ref {hash_like(site)} {r.clock()}</p>"
               "<p>Contact the service desk.</p></body></html>",
               url=f"https://www.{site}/markets")  # fmt: skip


def hash_like(text: str) -> str:
    """A reference that differs from site to site."""
    return "".join(f"{ord(char):02x}" for char in text[:6])


@alarm("browser", 9)
def overlay_in_the_way(r: Script) -> None:
    """A cookie dialogue covers the button; nine selectors for it are tried."""
    for selector in ("#buy", "button.buy", "text=Buy now", "[data-test=buy]", "form >> button",
                     "xpath=//button[1]", "button:nth-of-type(2)", "css=.cta", "#buy >> nth=0"):  # fmt: skip
        r.call("browser_click", "TimeoutError: locator.click: Timeout 5000ms exceeded.\n"
               f"  - waiting for locator('{selector}')\n  - <div class=\"cookie-overlay\"> "
               "intercepts pointer events", took=5, selector=selector)  # fmt: skip


@alarm("json", 8)
def campo_obligatorio(r: Script) -> None:
    """A Spanish office refuses eight forms for the same missing field, told in prose."""
    for turn in range(8):
        r.call("guardar_expediente", "No se pudo guardar el expediente: falta un campo obligatorio "
               "(NIF del representante).", titular=f"Construcciones Vega {'S.L.' * (turn % 2)}",
               asunto=f"Licencia de obra menor, versión {turn + 1}", calle="Mayor 14")  # fmt: skip
        r.think("lo intento con otro texto")


@alarm("files", 16)
def list_ticked_between_reads(r: Script) -> None:
    """One file is read eight times; in between only the own to-do list is rewritten."""
    for turn in range(8):
        r.call("Read", "[server]\nport = 8080\ntimeout = 30\n", file_path="/srv/app/app.toml")
        r.call("TodoWrite", "Todos have been modified successfully.", todos=[
            {"content": "understand app.toml", "status": "in_progress"},
            {"content": f"change the timeout ({turn})", "status": "pending"}])  # fmt: skip


@alarm("json", 12)
def plans_and_never_acts(r: Script) -> None:
    """Twelve plans in a row, each of which is worded anew; nothing is ever done."""
    r.user("please move the nightly job from 02:00 to 03:00")
    for turn, words in enumerate(("First I will look", "I should look first", "The plan: look",
                                  "Let me structure this", "To begin, a structure", "Refined plan",
                                  "A better plan", "Plan, once more", "Before acting, plan",
                                  "Let me re-plan", "Final plan", "Really final plan")):  # fmt: skip
        r.call("update_plan", "Plan updated", plan=[words, "then change the schedule"], step=turn)


@alarm("json", 12)
def assessed_and_refreshed(r: Script) -> None:
    """A loan is assessed and refreshed in turn, six times, with the same outcome."""
    for _ in range(6):
        r.call("refresh_application", {"application": "LN-3307", "refreshed": True, "changes": 0},
               application="LN-3307")  # fmt: skip
        r.call("assess_application", {"application": "LN-3307", "grade": "B2", "missing":
               ["proof of income"]}, application="LN-3307")  # fmt: skip


@alarm("shell", 16)
def edits_that_never_reach_the_test(r: Script) -> None:
    """Eight edits in a copy that is not what the test imports: the failure never moves."""
    for turn in range(8):
        r.call("Edit", "The file has been updated.", file_path="/repo/build/lib/tax.py",
               old_string=f"rate = {turn}", new_string=f"rate = {turn + 1}")  # fmt: skip
        r.call("Bash", "tests/test_tax.py:12: AssertionError: assert 19.0 == 7.0\n"
               f"1 failed, 58 passed in {2 + turn * 0.07:.2f}s", command="pytest -q | tail -n 2")  # fmt: skip


@alarm("json", 24)
def constraint_added_and_deleted(r: Script) -> None:
    """A CAD agent goes round three steps, eight times, and ends where it began each time."""
    for _ in range(8):
        r.call("add_constraint", {"sketch": "S2", "dof": 0, "state": "over-constrained"},
               kind="parallel", a="edge3", b="edge7")  # fmt: skip
        r.call("delete_constraint", {"sketch": "S2", "dof": 1, "state": "ok"}, kind="parallel")
        r.call("inspect_sketch", {"sketch": "S2", "dof": 1, "open": ["edge7"]}, sketch="S2")
