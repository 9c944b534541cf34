"""Half D, sick, written after its rules were changed."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_D: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_D, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should be seen on a dashboard."""
    return situation(SICK_D, Want.WARN, family, by_call)


@alarm("kubernetes", 8)
def top_without_a_pause(r: Script) -> None:
    """`kubectl top` eight times in a row with the same numbers."""
    for _ in range(8):
        r.think("still high?")
        r.call("bash", "NAME CPU MEM\napi-0 981m 402Mi", command="kubectl top pod api-0")


@alarm("kubernetes", 10)
def wrong_namespace(r: Script) -> None:
    """Nine names are asked for in a namespace that does not exist."""
    for number in range(9):
        r.call("bash", 'Error from server (NotFound): namespaces "prdo" not found',
               command=f"kubectl -n prdo get deploy svc-{number}")  # fmt: skip


@alarm("kubernetes")
def pending_for_an_hour(r: Script) -> None:
    """A volume claim stays Pending; it is asked for every minute."""
    for _ in range(60):
        r.call("get_pvc", {"name": "data-0", "phase": "Pending"}, after=59, name="data-0")


@alarm("kubernetes", 12)
def label_on_label_off(r: Script) -> None:
    """A label is set and removed again, six times."""
    for _ in range(6):
        r.call("bash", "node/n1 labeled", command="kubectl label node n1 drain=yes")
        r.call("bash", "node/n1 unlabeled", command="kubectl label node n1 drain-")


@alarm("shell", 9)
def curl_refused(r: Script) -> None:
    """Eight paths of a server that is not there."""
    for number in range(8):
        r.call("bash", "curl: (7) Failed to connect to localhost port 9000: Connection refused",
               command=f"curl -s localhost:9000/v{number}/health")  # fmt: skip


@alarm("shell", 8)
def cat_the_same_log(r: Script) -> None:
    """The same log is printed seven times."""
    for _ in range(7):
        r.call("terminal", "ERROR worker died\nERROR worker died again", command="cat worker.log")


@alarm("shell")
def apt_lock(r: Script) -> None:
    """`sleep 30; apt install`: the lock is held for forty minutes."""
    for _ in range(80):
        r.call("bash", "E: Could not get lock /var/lib/dpkg/lock-frontend", took=30,
               command="sleep 30; apt-get install -y jq")  # fmt: skip


@alarm("sql", 9)
def syntax_error_again(r: Script) -> None:
    """Eight statements with the same mistake."""
    for number in range(8):
        r.call("run_sql", 'ERROR: syntax error at or near "FORM"',
               sql=f"SELECT a{number} FORM t{number}")  # fmt: skip


@alarm("sql", 8)
def count_that_stands_still(r: Script) -> None:
    """A count is asked for seven times without a pause."""
    for _ in range(7):
        r.call("query", "count\n41022", sql="SELECT count(*) FROM jobs WHERE state = 'open'")


@alarm("sql", 8)
def insert_again(r: Script) -> None:
    """The same row goes in six times, each with a new key."""
    for number in range(6):
        statement = "INSERT INTO fees (who, eur) VALUES (7, 20)"
        r.call("execute", f"INSERT 0 1\nid = {number + 81}", sql=statement)


@alarm("web", 10)
def login_wall(r: Script) -> None:
    """Nine articles, each of them the same log-in page."""
    wall = "Please log in to continue reading. Forgot your password? Create an account. " * 4
    for number in range(9):
        r.call("get_page", wall, url=f"https://paper.example/articles/{number}")


@alarm("web", 10)
def searching_for_a_ghost(r: Script) -> None:
    """Nine questions to a search that finds nothing."""
    for words in ("emil rast poet", "poet emil rast born", "rast emil poems", "emil rast biography",
                  "emil rast died", "emil rast collected poems", "poems by e. rast", "rast poet bern",
                  "swiss poet rast"):  # fmt: skip
        r.call("search_web", "Your search did not match any documents.", query=words)


@alarm("files", 10)
def move_to_and_fro(r: Script) -> None:
    """A file is moved and moved back."""
    for _ in range(5):
        r.call("move_file", "moved", source="a.txt", target="b.txt")
        r.call("move_file", "moved", source="b.txt", target="a.txt")


@alarm("files", 9)
def patch_never_applies(r: Script) -> None:
    """The same hunk fails with eight different contexts."""
    for number in range(8):
        r.call("apply_diff", {"success": False, "error": "Hunk #1 FAILED at 40"},
               diff=f"@@ -{number},3 +{number},3 @@\n-old\n+new")  # fmt: skip


@alarm("json", 8)
def same_page_for_any_cursor(r: Script) -> None:
    """The server returns its first page for each cursor."""
    items = [{"id": n, "name": f"customer number {n}", "city": "Bern"} for n in range(12)]
    for number in range(8):
        r.call("list_customers", {"items": items}, cursor=f"c{number}")


@alarm("json", 7)
def ballot_again(r: Script) -> None:
    """The same vote is cast five times; it is counted each time."""
    for number in range(5):
        r.call("cast_ballot", {"ok": True, "votes": 100 + number}, poll="p1", option="b")


@alarm("json", 12)
def planner_and_tester(r: Script) -> None:
    """Planner and tester hand one task to each other with new words each time."""
    for number in range(6):
        r.hand_off("planner", "tester", f"please check variant {number} of the form")
        r.hand_off("tester", "planner", f"variant {number} is not good yet")


@alarm("json")
def transcode_hangs(r: Script) -> None:
    """Three transcodings took a minute; the fourth lasts an hour and a half."""
    for number in range(3):
        r.call("transcode", {"ok": True}, took=60, video=f"v{number}")
    r.hang("transcode", video="v3")
    r.beat(5_400)


@alarm("json")
def dies_in_the_middle(r: Script) -> None:
    """An out-of-memory kill ends the run after two uploads."""
    r.call("upload", {"ok": True}, file="a")
    r.call("upload", {"ok": True}, file="b")
    r.end(crash="MemoryError")


@warn("json")
def balance_from_nowhere(r: Script) -> None:
    """The only look-up failed; the answer names an amount."""
    r.user("what is my balance?")
    r.fail("get_balance", "503 Service Unavailable", account="4411")
    r.answer("Your balance is 1,204.50 EUR.")


@warn("json")
def mail_was_not_sent(r: Script) -> None:
    """The mail was not accepted, and the run reports success."""
    r.user("send Ann the minutes")
    r.call("find_file", {"id": 8}, name="minutes")
    r.call("send_mail", {"status": "error", "message": "attachment too large"}, to="Ann", file=8)
    r.answer("I have sent the minutes to Ann.")


@warn("json")
def stops_at_its_limit(r: Script) -> None:
    """The agent's turns are used up in the middle of the work."""
    for number in range(5):
        r.call("convert", {"ok": True}, page=number)
    r.think("next page", finish="max_turns")
    r.end()
