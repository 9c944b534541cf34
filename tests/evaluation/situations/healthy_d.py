"""Half D, healthy, written after its rules were changed. Nobody wants to be told of these runs."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_D: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_D, Want.NOTHING, family)


@healthy("kubernetes")
def statefulset_one_by_one(r: Script) -> None:
    """Five replicas restart in order, two minutes each."""
    r.call("kubectl_rollout_restart", "restarted", statefulset="kafka")
    for ready in (0, 0, 1, 1, 2, 3, 3, 4, 5):
        r.call("kubectl_get", f"NAME READY AGE\nkafka {ready}/5 41d", after=50, what="sts/kafka")
    r.answer("kafka is back")


@healthy("kubernetes")
def hpa_settles(r: Script) -> None:
    """An autoscaler is watched while load falls; sometimes nothing moves for a minute."""
    for cpu, replicas in ((91, 4), (88, 6), (62, 8), (61, 8), (61, 8), (44, 6), (43, 4)):
        r.call("get_hpa", {"cpu_percent": cpu, "replicas": replicas}, after=60, name="web")
    r.answer("calm")


@healthy("kubernetes")
def image_of_every_deployment(r: Script) -> None:
    """Twelve deployments are inspected; most run the same image."""
    for name in "abcdefghijkl":
        r.call("describe_deployment", {"image": "base:2.1", "replicas": 2, "ready": 2,
               "strategy": "RollingUpdate", "labels": {"team": "shop", "tier": "web"}},
               deployment=f"svc-{name}")  # fmt: skip
    r.answer("all on 2.1")


@healthy("shell")
def make_until_green(r: Script) -> None:
    """`make` after each repair; the compiler stops at another file each time."""
    for name in ("lexer", "parser", "types", "emit", "main"):
        r.fail("bash", f"{name}.c:12:3: error: implicit declaration\nmake: *** [{name}.o] Error 1",
               command="make -j8")  # fmt: skip
        r.call("bash", "", command=f"sed -i 's/foo/bar/' {name}.c")
    r.call("bash", "cc -o app\nbuild ok", command="make -j8")
    r.answer("built")


@healthy("shell")
def rsync_progress(r: Script) -> None:
    """A copy is looked at between sleeps; only the percentage moves."""
    for percent in (4, 11, 23, 37, 52, 66, 81, 94, 100):
        r.call("bash", f"1.2T {percent}% 84MB/s", took=60, command="sleep 60; tail -1 rsync.log")
    r.answer("copied")


@healthy("shell")
def grep_for_many_words(r: Script) -> None:
    """A code base is searched for ten old names; seven are gone already."""
    for number, name in enumerate(("Foo", "Bar", "Baz", "Qux", "Kit", "Lot", "Mop", "Nut", "Oak", "Pin")):  # fmt: skip
        r.call("bash", "" if number % 3 else f"src/m{number}.py:1: class {name}",
               command=f"grep -rn 'class {name}' src")  # fmt: skip
    r.answer("three are left")


@healthy("files")
def outline_then_chapters(r: Script) -> None:
    """A report is outlined, written part by part, read again and corrected."""
    for part in ("intro", "method", "results", "limits"):
        r.call("write_file", "written", path="report.md", text=f"# {part}\ntext about the {part}")
        r.call("read_file", f"# {part}\ntext about the {part}", path="report.md")
        r.call("edit_file", "edited", path="report.md", old="text", new=f"a longer text on {part}")
    r.answer("report.md")


@healthy("files")
def snapshot_of_a_directory(r: Script) -> None:
    """`ls` before and after each of five downloads."""
    files: list[str] = []
    for number in range(5):
        r.call("list_directory", "\n".join(files) or "(empty)", path="in")
        r.call("download", "saved", url=f"https://data.example/{number}.csv")
        files.append(f"{number}.csv")
    r.answer("five files")


@healthy("sql")
def one_query_per_region(r: Script) -> None:
    """The same statement for eight regions; three of them have no rows."""
    for number, region in enumerate(("eu", "us", "uk", "jp", "br", "in", "za", "au")):
        r.call("execute_sql", "(0 rows)" if number % 3 == 2 else f"sum\n{number * 412}",
               sql=f"SELECT sum(total) FROM orders WHERE region = '{region}'")  # fmt: skip
    r.answer("five regions sell")


@healthy("sql")
def vacuum_progress(r: Script) -> None:
    """A vacuum is watched by its own progress view."""
    for scanned in (120, 4_100, 9_800, 16_000, 23_000, 30_000):
        r.call("query", f"phase | scanned\nscanning heap | {scanned}", after=45,
               sql="SELECT phase, heap_blks_scanned FROM pg_stat_progress_vacuum")  # fmt: skip
    r.call("query", "(0 rows)", after=45,
           sql="SELECT phase, heap_blks_scanned FROM pg_stat_progress_vacuum")  # fmt: skip
    r.answer("vacuumed")


@healthy("json")
def retry_with_jitter(r: Script) -> None:
    """Two 502s with a pause each, then the order goes through; three orders."""
    for order in ("o-1", "o-2", "o-3"):
        r.fail("place_order", "502 Bad Gateway", after=2, order=order)
        r.fail("place_order", "502 Bad Gateway", after=5, order=order)
        r.call("place_order", {"order": order, "status": "accepted"}, after=11, order=order)
    r.answer("three orders")


@healthy("json")
def tickets_triaged(r: Script) -> None:
    """Thirty tickets are read and labelled; many get the same label."""
    for number in range(30):
        r.call("get_ticket", {"id": number, "text": f"printer {number} is broken"}, id=number)
        r.call("label_ticket", {"ok": True}, id=number, label="hardware")
    r.answer("triaged")


@healthy("json")
def waits_for_two_people(r: Script) -> None:
    """A change needs two approvals; the second comes after a night."""
    r.call("request_approval", {"change": "c-4", "approvals": 0, "needed": 2}, change="c-4")
    for hour in range(20):
        r.call("get_change", {"change": "c-4", "state": "awaiting approval",
               "approvals": int(hour > 2)}, after=3_300, change="c-4")  # fmt: skip
    r.call("get_change", {"change": "c-4", "state": "approved", "approvals": 2}, change="c-4")
    r.call("apply_change", {"change": "c-4", "state": "done"}, change="c-4")
    r.answer("applied")


@healthy("json")
def mailbox_watcher(r: Script) -> None:
    """A mailbox is read every five minutes for two days; mail comes seldom."""
    for turn in range(2 * 288):
        mail = [{"id": turn, "subject": "invoice"}] if turn % 150 == 149 else []
        r.call("list_unread", {"mail": mail}, after=295, folder="invoices")


@healthy("json")
def many_hands(r: Script) -> None:
    """Three workers take turns with one agent's tool; each does ten different things."""
    for number in range(10):
        for worker in ("w1", "w2", "w3"):
            r.agent = worker
            r.call("resize_image", "ok", image=f"{worker}-{number}.png", width=400)
    r.agent = None
    r.answer("thirty images")


@healthy("web")
def two_spellings_and_a_hit(r: Script) -> None:
    """A person is found under the second spelling."""
    r.call("web_search", "No results found.", query="who wrote the thesis on Zürich trams 1998")
    r.call("web_search", "Thesis by M. Keller, 1998",
           query="thesis about the tramway of Zurich, author, 1998")  # fmt: skip
    r.answer("M. Keller")


@healthy("web")
def weather_of_three_days(r: Script) -> None:
    """The same question for three days."""
    for day in ("monday", "tuesday", "wednesday"):
        r.call("web_search", f"on {day} it rained", query=f"what was the weather in Bern on {day}")
    r.answer("rain")


@healthy("web")
def pages_with_a_common_header(r: Script) -> None:
    """Eight pages of a site share a long header."""
    header = "Home | Products | Support | About us | Careers | Imprint | Privacy | Cookies\n" * 4
    for number in range(8):
        answer = header + f"Model {number} weighs {number * 3} kg"
        r.call("fetch", answer, url=f"https://m.example/{number}")
    r.answer("eight weights")
