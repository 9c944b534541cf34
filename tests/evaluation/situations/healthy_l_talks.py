"""Half L, healthy: talks, games and teams. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_L_TALKS: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_L_TALKS, Want.NOTHING, family)


@healthy("voice")
def bad_line_to_a_pharmacy(r: Script) -> None:
    """A caller on a bad line has to repeat a number three times before it is understood."""
    for _ in range(3):
        r.call("asr_listen", {"text": "", "confidence": 0.2, "event": "noinput_or_noise"}, took=6)
        r.call("tts_say", {"played": True}, text="Sorry, I did not catch the number. Once more?")
    r.call("asr_listen", {"text": "seven seven one zero four", "confidence": 0.93}, took=6)
    r.call("get_prescription", {"rx": "77104", "drug": "salbutamol", "refills_left": 2}, rx="77104")
    r.call("tts_say", {"played": True}, text="Salbutamol, two refills left. Order one? Yes or no.")
    r.call("asr_listen", {"text": "yes please", "confidence": 0.97}, took=3)
    r.call("order_refill", {"order": "rf-20", "ready": "16:00"}, rx="77104")
    r.call("tts_say", {"played": True}, text="It is ready at four.")
    r.answer("The caller ordered one refill of 77104, ready at 16:00.")


@healthy("support")
def guest_changes_his_mind_twice(r: Script) -> None:
    """A hotel room is changed to the garden side, to the sea side and back, as the guest wants."""
    for words, room, view in (("I'd like a room to the garden", 112, "garden"),
                              ("My wife prefers the sea after all", 340, "sea"),
                              ("Sorry, too loud, back to the garden please", 112, "garden"),
                              ("Ha, she insists. The sea, finally!", 340, "sea")):  # fmt: skip
        r.user(words, after=400)
        r.call("find_rooms", {"rooms": [{"room": room, "view": view, "free": True}]}, view=view)
        r.call("change_room", {"booking": "B-77", "room": room, "view": view}, booking="B-77",
               room=room)  # fmt: skip
    r.answer("You are in room 340 with a view of the sea. Enjoy your stay!")


@healthy("voice")
def garages_called_in_turn(r: Script) -> None:
    """A breakdown service phones garages until one has a car: most are engaged or say no."""
    r.user("Panne auf der A7 bei Kassel, bitte einen Abschleppwagen")
    r.call("garages_near", {"garages": ["Adler", "Blitz", "Cordes", "Demir", "Evers", "Franke"]},
           place="A7 Kassel")  # fmt: skip
    for garage in ("Adler", "Blitz", "Cordes"):
        r.call("phone_call", {"result": "besetzt"}, took=20, garage=garage)
    for garage in ("Demir", "Evers"):
        r.call("phone_call", {"result": "abgenommen", "answer": "Kein Wagen frei."}, took=50,
               garage=garage)  # fmt: skip
    r.call("phone_call", {"result": "abgenommen", "answer": "Wir sind in 40 Minuten da."}, took=70,
           garage="Franke")  # fmt: skip
    r.answer("Die Werkstatt Franke ist in etwa 40 Minuten bei Ihnen.")


@healthy("voice")
def interpreter_between_two_people(r: Script) -> None:
    """An interpreter translates to and fro for half an hour, and short words come again."""
    talk = (("de", "Guten Tag, wo tut es weh?"), ("tr", "Sırtım ağrıyor."), ("de", "Seit wann?"),
            ("tr", "Üç gündür."), ("de", "Gut."), ("tr", "Evet."), ("de", "Tut das weh?"),
            ("tr", "Hayır."), ("de", "Und das?"), ("tr", "Hayır."), ("de", "Und hier?"),
            ("tr", "Evet, çok."), ("de", "Gut. Atmen Sie ein."), ("tr", "Evet."))  # fmt: skip
    for number, (language, words) in enumerate(talk):
        r.user(words, after=12)
        r.call("interpret", {"spoken": True, "turn": number, "into": "de" if language == "tr" else
               "tr"}, text=words, source=language)  # fmt: skip
    r.answer("The talk is over; I interpreted 14 turns.")


@healthy("support")
def ticket_reaches_the_right_desk(r: Script) -> None:
    """A ticket goes from the front desk to billing and on to tax, who solve it."""
    r.user("my invoice 4410 shows 19 % although we are in Austria")
    r.agent = "front"
    r.call("get_ticket", {"ticket": 901, "subject": "VAT on 4410"}, ticket=901)
    r.hand_off("front", "billing", "VAT on invoice 4410")
    r.agent = "billing"
    r.call("get_invoice", {"invoice": 4410, "vat": 0.19, "country": "AT", "net": 120.0},
           invoice=4410)  # fmt: skip
    r.hand_off("billing", "tax", "wrong country rule for invoice 4410")
    r.agent = "tax"
    r.call("vat_rules", {"country": "AT", "rate": 0.20, "reverse_charge": True}, country="AT")
    r.call("correct_invoice", {"invoice": "4410-C", "vat": 0.0, "note": "reverse charge"},
           invoice=4410, vat=0.0)  # fmt: skip
    r.answer("You have a corrected invoice 4410-C with reverse charge.")


@healthy("team")
def debate_with_a_judge(r: Script) -> None:
    """Two agents argue for and against in four rounds, as planned; a third one decides."""
    r.user("debate in four rounds: should we move the monolith to services? a judge decides")
    points = ("release pace", "team size", "latency of calls", "cost of operation")
    for number, point in enumerate(points):
        for agent in ("pro", "contra"):
            r.agent = agent
            r.think(f"On {point} I {'agree' if agent == 'pro' else 'disagree'}, because ...")
            r.call("submit_argument", {"accepted": True, "round": number + 1}, side=agent,
                   round=number + 1, point=point)  # fmt: skip
    r.agent = "judge"
    r.call("read_arguments", {"rounds": 4, "pro": 4, "contra": 4, "points": list(points)})
    r.call("publish_verdict", {"published": True}, winner="contra", reason="team size")
    r.answer("Contra wins: with a team of this size the cost of operation outweighs the pace.")


@healthy("support")
def customer_waits_for_a_person(r: Script) -> None:
    """A chat bot has called a person and tells the customer her place until he joins."""
    r.user("I want to talk to a human")
    r.call("request_agent", {"queue": "people", "place": 7}, chat="c-1")
    for place in (7, 6, 6, 5, 5, 5, 3, 2, 1, 1):
        r.call("queue_place", {"chat": "c-1", "place": place, "joined": None}, after=60, chat="c-1")
    r.call("queue_place", {"chat": "c-1", "place": 0, "joined": "Samira"}, after=60, chat="c-1")
    r.answer("Samira has joined the chat and takes over.")


@healthy("chat")
def update_every_half_hour(r: Script) -> None:
    """An incident channel gets an update each half hour even when there is nothing new."""
    r.user("post an update to #inc-88 every 30 minutes until it is resolved, also if nothing is "
           "new; that is our policy")  # fmt: skip
    for n in range(9):
        state = "investigating" if n < 6 else "monitoring"
        r.call("get_incident", {"id": "inc-88", "state": state, "lead": "Noor"}, id="inc-88")
        r.call("slack_post", {"ok": True, "ts": f"17400{n}.1"}, channel="#inc-88",
               text=f"Update {n + 1}: we are still {state}. Next update in 30 minutes.")  # fmt: skip
        r.wait(1_790)
    r.call("get_incident", {"id": "inc-88", "state": "resolved", "lead": "Noor"}, id="inc-88")
    r.call("slack_post", {"ok": True, "ts": "174010.1"}, channel="#inc-88",
           text="inc-88 is resolved. This was the last update.")  # fmt: skip
    r.answer("inc-88 is resolved; ten updates were posted.")


@healthy("chat")
def haggling_for_a_bicycle(r: Script) -> None:
    """A buyer's agent and a seller come together in six offers that resemble one another."""
    r.user("buy the blue Peugeot from listing 31, at most 180 euros")
    for mine, theirs in ((120, 230), (135, 215), (150, 200), (160, 190), (170, 185), (178, 180)):
        r.call("send_offer", {"sent": True}, listing=31, euros=mine,
               text=f"Would you take {mine} euros?")  # fmt: skip
        r.call("wait_for_reply", {"from": "seller", "text": f"No, but {theirs} would do.",
               "counter": theirs}, took=900, listing=31)  # fmt: skip
    r.call("accept_counter", {"deal": True, "euros": 180}, listing=31, euros=180)
    r.answer("The bicycle is yours for 180 euros.")


@healthy("game")
def chess_with_a_repetition(r: Script) -> None:
    """A game of chess ends as a draw, as the rules say, after a position came three times."""
    moves = ("e4", "Nf3", "Bb5", "O-O", "Re1", "Qe2", "Qd1", "Qe2", "Qd1", "Qe2")
    replies = ("e5", "Nc6", "Nf6", "Be7", "O-O", "Re8", "Rf8", "Re8", "Rf8", "Re8")
    r.user("play white against the engine, a draw is fine")
    for number, (move, reply) in enumerate(zip(moves, replies, strict=True)):
        over = number == len(moves) - 1
        r.call("play_move", {"played": move, "reply": reply, "number": number + 1, "state":
               "draw by threefold repetition" if over else "running"}, move=move)  # fmt: skip
    r.answer("The game is drawn: the position occurred for the third time.")


@healthy("tutor")
def words_that_come_again(r: Script) -> None:
    """A tutor asks for the same hard words again until the pupil knows them."""
    r.user("quiz me on the six Polish words until I have each of them right")
    right = {"chleb": (True,), "wtorek": (False, True), "żółw": (False, False, True),
             "szczęście": (False, False, False, True), "dom": (True,), "kot": (True,)}  # fmt: skip
    for turn in range(4):
        for word, answers in right.items():
            if turn < len(answers):
                r.call("ask_word", {"word": word, "correct": answers[turn], "streak":
                       int(answers[turn])}, took=11, word=word)  # fmt: skip
    r.answer("You have all six right now. The hardest was szczęście, with four tries.")


@healthy("chat")
def chat_is_moderated_for_half_an_hour(r: Script) -> None:
    """A moderator looks for new messages each minute; mostly there are none, two are hidden."""
    r.user("moderate the stream's chat for half an hour, hide insults")
    for minute in range(30):
        bad = minute in (11, 23)
        found = [{"id": f"m{minute}", "text": "you idiot"}] if bad else []
        r.call("new_messages", {"messages": found, "since": minute - 1}, after=57, stream="s1")
        if bad:
            r.call("hide_message", {"hidden": True}, id=f"m{minute}")
    r.answer("The half hour is over; I hid two insults, m11 and m23.")
