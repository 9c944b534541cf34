"""Half L, sick: loops. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_L_LOOPS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_L_LOOPS, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should be seen the same day."""
    return situation(SICK_L_LOOPS, Want.WARN, family, by_call)


@alarm("json", 9)
def one_passage_for_nine_wordings(r: Script) -> None:
    """A knowledge base gives the same passage, which does not answer, for nine wordings."""
    passage = {"hits": [{"doc": "hr-12", "score": 0.61, "text": "Employees accrue 2.5 days of "
               "leave a month. For parental leave see the separate policy."}]}  # fmt: skip
    r.user("how many weeks of parental leave do fathers get?")
    for words in ("parental leave fathers weeks", "paternity leave duration", "weeks off for dads",
                  "father newborn leave entitlement", "how long is paternity leave",
                  "parental leave policy for men", "leave after birth, father", "dad leave weeks",
                  "separate policy parental leave"):  # fmt: skip
        r.call("kb_search", passage, query=words, top_k=1)
        r.think("that is not it, let me word it differently")


@alarm("shell", 16)
def pattern_that_never_matches(r: Script) -> None:
    """Eight substitutions that meet nothing, each followed by the count of the old text."""
    r.user("rename oldname to newname in conf/app.ini")
    for pattern in ("s/oldname/newname/", "s/oldname/newname/g", "s/\\boldname\\b/newname/g",
                    "s|oldname|newname|g", "s/oldname /newname /g", "s/^oldname/newname/",
                    "s/'oldname'/'newname'/g", "s/OLDNAME/newname/I"):  # fmt: skip
        r.call("bash", "", command=f'sed -i -e "{pattern}" conf/app.ini.bak')
        r.call("bash", "3", command="grep -c oldname conf/app.ini")


@alarm("ml", 7)
def memory_full_with_every_seed(r: Script) -> None:
    """A training dies of memory at the same place seven times; only seed and name change."""
    r.user("train the large model on this card")
    for turn in range(7):
        r.fail("run_python", "exit code 1: torch.OutOfMemoryError: CUDA out of memory. Tried to "
               "allocate 6.20 GiB. GPU 0 has a total capacity of 23.65 GiB of which 1.12 GiB is "
               "free.", took=48, script="train.py",
               args=f"--batch-size 64 --seed {11 * turn + 3} --name try-{turn}")  # fmt: skip


@alarm("robot", 9)
def every_pose_hits_the_table(r: Script) -> None:
    """An arm plans to nine poses and is told each time that link 5 would hit the table."""
    for turn in range(9):
        r.call("plan_motion", {"success": False, "error_code": -12, "message": "start state in "
               "collision: link5 - table"}, x=0.41 + turn / 100, y=-0.2, z=0.30 + turn / 50)  # fmt: skip
        r.think("a little higher, then")


@alarm("sql", 14)
def analyzed_and_explained(r: Script) -> None:
    """The table is analysed and the plan is read in turn, seven times: always the same scan."""
    r.user("make the customer search faster")
    for turn in range(7):
        r.call("execute", "ANALYZE", took=8, sql="ANALYZE customers")
        r.call("execute", "Seq Scan on customers  (cost=0.00..48211.00 rows=1 width=212)\n"
               "  Filter: (lower(email) = 'a@x.example'::text)\n"
               f"Planning Time: 0.1{turn} ms", sql="EXPLAIN SELECT * FROM customers WHERE "
               "lower(email) = 'a@x.example'")  # fmt: skip


@warn("mail", 11)
def draft_polished_and_never_sent(r: Script) -> None:
    """A mail that should go out by noon is rewritten eleven times, each time a word or two."""
    r.user("answer Ms Okafor by noon that Thursday at ten suits us")
    greetings = ("Dear Ms Okafor", "Hello Ms Okafor", "Good day Ms Okafor")
    ends = ("Best regards", "Kind regards", "With kind regards", "Sincerely")
    for turn in range(11):
        r.call("update_draft", {"draft": "d-5", "saved": True, "state": "draft"}, after=1_200,
               draft="d-5", body=f"{greetings[turn % 3]}, Thursday at ten suits us. "
               f"{ends[turn % 4]}")  # fmt: skip
        r.think("the tone could still be a bit warmer")


@alarm("json", 20)
def cursor_expires_and_all_begins_again(r: Script) -> None:
    """Three pages, then the cursor has expired and the agent begins with page one: five times."""
    for turn in range(5):
        for page in range(3):
            r.call("export_orders", {"page": page + 1, "orders": [f"o-{page * 50 + n}" for n in
                   range(4)], "next": f"c{turn}{page}"}, took=20,
                   cursor="" if page == 0 else f"c{turn}{page - 1}")  # fmt: skip
        r.call("export_orders", {"error": "cursor_expired", "message": "Cursors live 60 seconds"},
               cursor=f"c{turn}2")  # fmt: skip
        r.think("let me start over")


@alarm("code", 15)
def node_versions_in_a_circle(r: Script) -> None:
    """One package wants Node 20 and the other one less than 19; the agent goes round five times."""
    for _ in range(5):
        r.call("Bash", "Now using node v20.11.1", command="nvm use 20")
        r.fail("Bash", 'npm error engine Unsupported engine "canvas-old": wanted: {"node":"<19"} '
               '(current: {"node":"20.11.1"})', took=9, command="npm ci")  # fmt: skip
        r.call("Bash", "Now using node v18.20.4", command="nvm use 18")
        r.fail("Bash", 'npm error engine Unsupported engine "vite": wanted: {"node":">=20"} '
               '(current: {"node":"18.20.4"})', took=9, command="npm ci")  # fmt: skip


@alarm("json", 10)
def index_without_any_document(r: Script) -> None:
    """The first answer says that the index is empty; nine more questions are asked of it."""
    r.call("index_stats", {"index": "contracts", "documents": 0}, index="contracts")
    for words in ("termination clause", "notice period", "liability cap", "penalty for delay",
                  "applicable law", "confidentiality", "renewal", "price adjustment", "warranty"):  # fmt: skip
        r.call("vector_search", {"matches": [], "index": "contracts"}, index="contracts",
               query=words)  # fmt: skip


@alarm("json", 12)
def four_doors_and_no_user(r: Script) -> None:
    """Four tools are asked in turn for a user who does not exist, three times round."""
    for turn in range(3):
        for tool in ("get_user", "fetch_profile", "lookup_account", "user_details"):
            r.call(tool, {"status": 404, "error": "no user with id 8812"}, id=8812)
        r.think("maybe another endpoint works" if turn else "not there, another tool perhaps")


@alarm("code", 9)
def push_repeated_without_a_pull(r: Script) -> None:
    """A push is rejected nine times since the remote is ahead; the agent only waits between."""
    for turn in range(9):
        r.fail("Bash", "exit code 1: ! [rejected] main -> main (fetch first)\nerror: failed to "
               "push some refs; the remote contains work that you do not have locally", took=3,
               command=f"sleep {2 + turn}; git push origin main")  # fmt: skip


@alarm("web", 24)
def research_that_costs_and_finds_nothing(r: Script) -> None:
    """Every turn sends more to the model, and the two same sources come back each time."""
    r.user("find the revenue of Halden Optik in 2024")
    tokens = 18_000
    for turn in range(12):
        r.call("web_search", {"results": [{"url": "https://halden.example/about", "title":
               "About us"}, {"url": "https://dir.example/halden", "title": "Halden Optik AS"}]},
               query=f"Halden Optik revenue 2024 {'annual report ' * (turn % 3)}{turn}".strip())  # fmt: skip
        r.call("fetch_page", "Halden Optik AS. Optical instruments since 1961. Contact. Imprint.",
               url="https://halden.example/about" if turn % 2 else "https://dir.example/halden")  # fmt: skip
        r.think("no figure here, I will look again", tokens=tokens, took=9 + turn * 2)
        tokens += 16_000
