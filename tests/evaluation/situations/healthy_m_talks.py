"""Half M, healthy: people, browsers and teams. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_M_TALKS: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_M_TALKS, Want.NOTHING, family)


@healthy("support")
def refund_declined_five_times(r: Script) -> None:
    """A customer insists; the policy is looked up again, and the answer stays a friendly no."""
    r.user("I want my money back for order 5517!")
    r.call("get_order", {"id": 5517, "delivered": "2025-11-02", "total": 89.0}, id=5517)
    r.call("get_policy", {"refund_days": 30, "exceptions": ["defect"]}, topic="refund")
    for words in ("But I never used it.", "My neighbour got one!", "You are robbing me.",
                  "Let me talk to somebody.", "Then at least half of it?"):  # fmt: skip
        r.think("I'm sorry, a refund is possible within 30 days only; if it is broken, tell me.")
        r.user(words, after=40)
        r.call("get_policy", {"refund_days": 30, "exceptions": ["defect"]}, topic="refund")
    r.call("create_ticket", {"id": "T-901", "queue": "humans"}, order=5517, topic="refund wish")
    r.answer("I can't refund it. A colleague will call you about your wish, ticket T-901.")


@healthy("approval")
def approval_comes_in_the_morning(r: Script) -> None:
    """A request waits for a night; the consent is for half of it, and half of it is done."""
    r.user("raise the Kafka retention to 14 days on topics orders and clicks, with approval")
    r.call("get_topic", {"name": "orders", "retention_days": 7}, topic="orders")
    r.call("get_topic", {"name": "clicks", "retention_days": 7}, topic="clicks")
    r.call("request_approval", {"id": "CHG-40", "state": "pending", "answered_by":
           "tomorrow 09:00"}, change="retention 14 d on orders, clicks")  # fmt: skip
    for _ in range(14):
        r.call("get_approval", {"id": "CHG-40", "state": "pending"}, id="CHG-40", after=3600)
    r.call("get_approval", {"id": "CHG-40", "state": "approved", "scope": "orders only", "by":
           "Tamsin", "comment": "no disk for clicks"}, id="CHG-40", after=3600)  # fmt: skip
    r.call(
        "alter_topic", {"name": "orders", "retention_days": 14}, topic="orders", retention_days=14
    )
    r.call("get_topic", {"name": "orders", "retention_days": 14}, topic="orders")
    r.answer("orders keeps 14 days now. clicks stays at 7: Tamsin approved orders only.")


@healthy("browser")
def appointment_after_many_weeks(r: Script) -> None:
    """Week after week without a free slot is turned over; the session ends once; then there is one."""
    r.user("find me the first free appointment for a passport, any time until August")
    r.call("browser_navigate", "<title>Citizens' office</title>", url="https://amt.example/termin")
    r.call("browser_click", "<h1>Passport</h1>", selector="#passport")
    for week in range(10, 27):
        if week == 18:
            r.call("browser_click", "<h1>Your session has expired</h1>", selector="#next-week")
            r.call("browser_navigate", "<title>Citizens' office</title>",
                   url="https://amt.example/termin")  # fmt: skip
            r.call("browser_click", "<h1>Passport</h1>", selector="#passport")
            r.call("browser_select", "<h2>Week 18</h2><p>No free appointments</p>", week=18)
            continue
        free = "<button>Thu 25 June 08:40</button>" if week == 26 else "<p>No free appointments</p>"
        r.call("browser_click", f"<h2>Week {week}</h2>{free}", selector="#next-week")
    r.call("browser_click", "<h1>Reserved: Thu 25 June 08:40</h1>", selector="text=08:40")
    r.answer("You have an appointment on Thursday 25 June at 08:40.")


@healthy("browser")
def picture_puzzle_left_to_a_person(r: Script) -> None:
    """A page asks whether one is a robot; the agent doesn't try, asks its user, and goes on."""
    r.user("download my 8 invoices from the portal")
    r.call("browser_navigate", "<h1>Are you a robot?</h1>", url="https://portal.example/invoices")
    r.call("ask_human", {"answer": "done, I'm in"}, took=260,
           question="The portal wants a person to solve its puzzle. Could you do so?")  # fmt: skip
    r.call("browser_snapshot", "<h1>Invoices</h1>" + "".join(f"<a>{n}</a>" for n in range(8)))
    for n in range(8):
        r.call("browser_click", f"<h1>Invoice {n}</h1>", selector=f"text=INV-{n}")
        r.call("browser_click", f"download: INV-{n}.pdf", selector="#download")
        r.call("browser_back", "<h1>Invoices</h1>")
    r.call("list_files", [f"INV-{n}.pdf" for n in range(8)], path="~/Downloads")
    r.answer("All eight invoices are in ~/Downloads.")


@healthy("browser")
def form_refused_field_by_field(r: Script) -> None:
    """A form complains of one field after the other; each one is put right and it is sent."""
    r.user("file the customs form for shipment 61 with the data in ship.json")
    r.call("read_file", '{"hs": "8471.30", "value": 1200, "weight": 3.1, "eori": "DE12"}',
           path="ship.json")  # fmt: skip
    for field, shape in (("hs", "847130"), ("value", "1200,00"), ("weight", "3,100"),
                         ("eori", "DE000000000000012"), ("date", "02.03.2026"), ("incoterm", "DAP")):  # fmt: skip
        r.call(
            "submit_form", f"<form><p class=error>Field {field}: wrong format</p></form>", form="61"
        )
        r.call("fill", f"<input name={field} value='{shape}'>", field=field, value=shape)
    r.call("submit_form", "<h1>Accepted, MRN 26DE8813</h1>", form="61")
    r.answer("The form is accepted under MRN 26DE8813.")


@healthy("crew")
def text_gets_shorter_with_each_review(r: Script) -> None:
    """A writer and an editor: six drafts with fewer and fewer remarks."""
    r.user("write the release note, at most 120 words; writer and editor in turn until no remarks")
    for n, remarks in enumerate((9, 6, 6, 3, 1, 0)):
        r.agent = "writer"
        r.call("save_draft", {"draft": n + 1, "words": 240 - 22 * n}, file="note.md",
               text=f"Version {n + 1} of the note")  # fmt: skip
        r.hand_off("writer", "editor", f"Here is draft {n + 1}, please review it.")
        r.agent = "editor"
        r.call("load_draft", f"Version {n + 1} of the note", file="note.md")
        r.hand_off("editor", "writer", f"{remarks} remarks: " + "; ".join(
            f"line {m * 3 + n}" for m in range(remarks)))  # fmt: skip
    r.answer("The note has 118 words and the editor has no remark left.")


@healthy("crew")
def supervisor_with_a_long_list(r: Script) -> None:
    """A supervisor sends eight tickets to the right workers; they come back solved."""
    r.user("work off the eight tickets of queue K")
    desks = (
        "network",
        "accounts",
        "accounts",
        "printer",
        "network",
        "accounts",
        "printer",
        "network",
    )
    for n, desk in enumerate(desks):
        r.agent = "supervisor"
        r.call("next_ticket", {"id": f"K-{n}", "topic": desk, "left": 7 - n}, queue="K")
        r.hand_off("supervisor", desk, f"Please solve K-{n}.")
        r.agent = desk
        r.call("get_ticket", {"id": f"K-{n}", "user": f"u{n}"}, id=f"K-{n}")
        r.call(f"fix_{desk}", {"done": True}, user=f"u{n}")
        r.call("close_ticket", {"id": f"K-{n}", "state": "closed"}, id=f"K-{n}")
        r.hand_off(desk, "supervisor", f"K-{n} is solved.")
    r.agent = "supervisor"
    r.call("next_ticket", {"id": None, "left": 0}, queue="K")
    r.answer("All eight tickets of queue K are solved.")


@healthy("research")
def sources_that_disagree(r: Script) -> None:
    """The same question to nine sources; they differ, two are behind a wall, and it says so."""
    r.user("how many data centres are there in Ireland? Give the spread of the sources")
    for n in range(9):
        r.call("web_search", {"hits": [{"url": f"https://s{n}.example/ie", "title": "Data centres in "
               "Ireland"}]}, query=f"number of data centres Ireland source {n}", page=n + 1)  # fmt: skip
        if n in (3, 6):
            r.fail("fetch", "403 Forbidden: subscribers only", url=f"https://s{n}.example/ie")
        else:
            r.call("fetch", f"There are {78 + n * 2} data centres in operation (as of 2025).",
                   url=f"https://s{n}.example/ie")  # fmt: skip
    r.answer("Seven sources give between 78 and 94; two more could not be read (subscribers only).")


@healthy("text")
def strings_in_three_languages(r: Script) -> None:
    """Eighteen strings in three languages are saved, and every answer is 'saved'."""
    r.user("translate the new strings to de, fr and ja and save them")
    keys = ("ok", "cancel", "retry", "empty", "offline", "saved")
    r.call("list_missing", {"keys": keys}, languages=["de", "fr", "ja"])
    for language in ("de", "fr", "ja"):
        for key in keys:
            r.call("save_string", "saved", language=language, key=key, text=f"{key} ({language})")
    r.call("list_missing", {"keys": []}, languages=["de", "fr", "ja"])
    r.answer("18 strings are saved, none is missing.")


@healthy("mail")
def stopped_in_the_middle(r: Script) -> None:
    """The user says stop while folders are archived; the agent stops and tells where it stands."""
    r.user("archive the mailboxes of the 20 people who left")
    for n in range(8):
        r.call("archive_mailbox", {"user": f"left{n}", "archived": True}, user=f"left{n}", took=20)
    r.user("stop please, HR says that left9 is coming back")
    r.call("list_archived", {"archived": [f"left{n}" for n in range(8)]})
    r.answer("I have stopped. left0 to left7 are archived, left8 to left19 are not.")


@healthy("logistics")
def parcel_over_a_weekend(r: Script) -> None:
    """A parcel is looked at each six hours; it lies in a depot for a weekend and is delivered."""
    r.user("follow parcel 00340 and tell me when it is delivered; it won't move over the weekend")
    places = ["Hanover, accepted", "Hanover, departed"] + ["Depot Kassel"] * 9
    places += ["Depot Kassel, departed", "In delivery", "Delivered, signed by Roth"]
    for place in places:
        r.call(
            "track",
            f"| {r.clock('%d.%m. %H:%M')} | 00340 | {place} |",
            parcel="00340",
            after=21_600,
        )
    r.answer("Parcel 00340 has been delivered; Roth signed for it.")


@healthy("voice")
def table_for_nine_at_the_fifth_place(r: Script) -> None:
    """Restaurants are called in turn for the same evening; four are full and the fifth has a table."""
    r.user("a table for nine on Friday at eight, in this order: the list in places.txt")
    r.call("read_file", "Lago\nOrt\nMira\nHafen\nTal\nSud", path="places.txt")
    for place in ("Lago", "Ort", "Mira", "Hafen"):
        r.call("phone", {"outcome": "no", "words": "Sorry, we're full on Friday."}, place=place,
               ask="table for nine, Friday 20:00", took=70)  # fmt: skip
    r.fail("phone", "busy", place="Tal", ask="table for nine, Friday 20:00", took=5)
    r.call("phone", {"outcome": "yes", "words": "Nine at eight, under Weber."}, place="Tal",
           ask="table for nine, Friday 20:00", took=80, after=300)  # fmt: skip
    r.answer("You have a table for nine at Tal on Friday at eight, under Weber.")
