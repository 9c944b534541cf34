"""Half J, healthy: conversations, research, teams and MCP servers."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_J_TALKS: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be woken by."""
    return situation(HEALTHY_J_TALKS, Want.NOTHING, family)


@healthy("json")
def passenger_is_rebooked(r: Script) -> None:
    """Look up, offer, let the passenger choose, confirm, change."""
    r.user("Hi, I'd like to move my booking QX4T9L to the day after, please.")
    r.call(
        "get_booking",
        {"locator": "QX4T9L", "flight": "TP571", "date": "2026-03-09", "fare": "flex", "pax": 2},
        locator="QX4T9L",
    )
    r.call(
        "search_flights",
        [{"flight": "TP571", "seats": 4, "diff": 0}, {"flight": "TP577", "seats": 9, "diff": 35}],
        origin="LIS",
        destination="HAM",
        date="2026-03-10",
    )
    r.think("There is TP571 at no extra cost, or TP577 for 35 EUR. Which one shall I take?")
    r.user("TP571 please.", after=40)
    r.call(
        "change_booking",
        {"locator": "QX4T9L", "flight": "TP571", "date": "2026-03-10", "status": "confirmed"},
        locator="QX4T9L",
        flight="TP571",
        date="2026-03-10",
    )
    r.answer("Done: QX4T9L is now on TP571 on 10 March, at no extra cost.")


@healthy("json")
def router_is_rot_rot_gruen(r: Script) -> None:
    """A customer tries three things; the line is measured after each, in German."""
    r.user("Mein Internet geht seit heute früh nicht mehr, Kundennummer 5502817.")
    r.call("kunde_suchen", {"kundennr": "5502817", "anschluss": "DSL-77120"}, kundennr="5502817")
    tips = ("Bitte ziehen Sie den Netzstecker.", "Bitte prüfen Sie das Kabel an der Dose.")
    for tip in tips:
        r.call(
            "leitung_messen",
            f"Anschluss DSL-77120: KEINE SYNCHRONISATION (Messung {r.clock('%H:%M:%S')})",
            anschluss="DSL-77120",
        )
        r.think(tip)
        r.user("Habe ich gemacht, es blinkt immer noch rot.", after=180)
    r.call("port_zuruecksetzen", "Port wurde neu gestartet", anschluss="DSL-77120")
    r.call(
        "leitung_messen",
        f"Anschluss DSL-77120: SYNCHRON 98,2 Mbit/s (Messung {r.clock('%H:%M:%S')})",
        after=90,
        anschluss="DSL-77120",
    )
    r.answer("Ihr Anschluss ist wieder synchron mit 98 Mbit/s.")


@healthy("json")
def remboursement_refuse(r: Script) -> None:
    """The rules do not allow a refund; the agent says so and hands over to a person, in French."""
    r.user("Je veux être remboursée pour la commande FR-88213, tout de suite.")
    r.call(
        "consulter_commande",
        {"commande": "FR-88213", "livree_le": "2025-11-02", "montant": 64.9},
        commande="FR-88213",
    )
    r.call(
        "lire_politique",
        "Retours acceptés sous 30 jours après la livraison. Au-delà : conseiller humain.",
        sujet="remboursement",
    )
    r.user("C'est inadmissible ! Remboursez-moi.", after=25)
    r.call("transferer_a_un_conseiller", "transfert accepté, file 2", commande="FR-88213")
    r.answer("Je ne peux pas rembourser après 30 jours ; un conseiller prend le relais.")


@healthy("json")
def customer_asks_again_and_again(r: Script) -> None:
    """A customer asks four times within the hour whether a shoe is back; each time it is read."""
    for words in (
        "is the Trailrunner 3 in 44 back in stock?",
        "and now?",
        "sorry to be a pain, any news on the trailrunner?",
        "last try for today, is it there?",
    ):
        r.user(words, after=900)
        r.call("get_stock", {"sku": "TR3-44", "stock": 0, "warehouse": "LEJ"}, sku="TR3-44")
        r.think("I'm sorry, the Trailrunner 3 in 44 is still sold out.", finish="stop")
    r.end()


@healthy("web")
def research_with_sources(r: Script) -> None:
    """Five searches, of which two find nothing; six pages are read and cited."""
    r.user("What do we know about heat pumps in buildings from before 1950? With sources.")
    hits = {
        "heat pump retrofit pre-1950 buildings field study": ("a", "b"),
        "heat pump old building SPF monitoring 2024": ("c",),
        "Wärmepumpe Altbau Feldtest Arbeitszahl": ("d", "e"),
        "heat pump heritage building denmark district": (),
        "heat pump listed building noise limits court": (),
        "heat pump radiators flow temperature 55 measured": ("f",),
    }
    for query, found in hits.items():
        results = [{"url": f"https://lib.example/{k}", "score": 0.71} for k in found]
        r.call("web_search", {"query": query, "results": results}, query=query)
        for key in found:
            r.call(
                "fetch_page",
                f"Study {key.upper()}. We measured {ord(key) - 80} buildings … SPF 3.{ord(key) % 9}",
                url=f"https://lib.example/{key}",
            )
    r.answer("Six field studies [a–f] report seasonal factors between 3.0 and 3.8 …", "stop")


@healthy("files")
def review_converges(r: Script) -> None:
    """Planner, coder and reviewer: two rounds of remarks, then approval."""
    r.hand_off("planner", "coder", "Add a rate limit to /login, 5 a minute an address.")
    for number, remark in enumerate(("no test for IPv6", "use the clock that is injected"), 1):
        r.agent = "coder"
        r.call("edit_file", f"login.py: {8 + number} lines changed", path="login.py", rev=number)
        r.call("run_tests", f"{40 + number} passed in 3.1{number}s", path="tests/")
        r.hand_off("coder", "reviewer", f"Please look at revision {number}.")
        r.agent = "reviewer"
        r.call("read_diff", f"@@ -1,4 +1,{9 + number} @@ def login(…)  # rev {number}", rev=number)
        r.hand_off("reviewer", "coder", f"Changes requested: {remark}")
    r.agent = "coder"
    r.call("edit_file", "login.py: 4 lines changed", path="login.py", rev=3)
    r.call("run_tests", "44 passed in 3.4s", path="tests/")
    r.hand_off("coder", "reviewer", "Both remarks are dealt with.")
    r.agent = "reviewer"
    r.call("approve", "approved", rev=3)
    r.answer("Approved and ready to merge.")


@healthy("json")
def six_workers_side_by_side(r: Script) -> None:
    """Six workers translate a chapter each; one is throttled once."""
    r.call("split_book", {"chapters": 6}, book="b-19")
    for number in range(1, 7):
        r.agent = f"translator-{number}"
        r.call("get_chapter", f"Chapter {number}: " + "It was a night. " * number, chapter=number)
        if number == 4:
            r.fail("translate", "429 Too Many Requests, retry after 5 s", chapter=4, to="es")
            r.wait(5)
        r.call(
            "translate",
            f"Capítulo {number}: " + "Era una noche. " * number,
            took=20,
            chapter=number,
            to="es",
        )
        r.call("save_chapter", {"saved": True, "chapter": number}, chapter=number)
    r.agent = None
    r.answer("Los seis capítulos están traducidos.")


@healthy("mcp")
def house_is_set_for_the_night(r: Script) -> None:
    """A home server answers in YAML; four rooms are set and read back."""
    r.user("Gute Nacht! Bitte alles herunterdrehen.")
    rooms = {"bad": 21.5, "kueche": 20.0, "wohnen": 21.0, "flur": 18.5}
    for room, degrees in rooms.items():
        yaml = f"room: {room}\ntarget: {{}}\nmeasured: {degrees}\nwindow: closed\nbattery: 88%"
        r.call("ha_get_climate", yaml.format(degrees), entity=f"climate.{room}")
        r.call(
            "ha_set_climate",
            f"ok: true\nentity: climate.{room}\ntarget: 17.0",
            entity=f"climate.{room}",
            target=17.0,
        )
        r.call("ha_get_climate", yaml.format(17.0), after=3, entity=f"climate.{room}")
    r.answer("Alle vier Räume stehen auf 17 Grad. Gute Nacht!")


@healthy("mcp")
def log_is_read_as_it_grows(r: Script) -> None:
    """A server hands out log lines after a position; the incident ends by itself."""
    r.think("I follow the gateway's log until the upstream is back.")
    for number in range(12):
        level, text = ("WARN", "upstream 10.2.0.9 unreachable, using 10.2.0.8")
        if number > 9:
            level, text = ("INFO", "upstream 10.2.0.9 healthy again")
        lines = "\n".join(
            f"{r.clock()} {level} gw-{line} req={number * 31 + line:05x} {text}"
            for line in range(3)
        )
        r.call("tail_logs", lines, after=15, service="gateway", since=number * 3)
    r.answer("The gateway's upstream 10.2.0.9 is healthy again since the tenth reading.")


@healthy("json")
def says_that_it_may_not(r: Script) -> None:
    """One refusal, honestly reported; the person asked gets the whole story."""
    r.user("Please raise the spending limit of card 4417 to 5000.")
    r.call("get_card", {"card": "4417", "limit": 2000, "holder": "E. Sørensen"}, card="4417")
    r.fail("set_limit", "403 Forbidden: role 'assistant' may not raise limits above 3000",
           card="4417", limit=5000)  # fmt: skip
    r.answer("I could not raise the limit: my role may set at most 3000. It is still 2000.")
