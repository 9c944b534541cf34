"""Half M, sick: loops. Its author had read no rule and had run none."""

from __future__ import annotations

from typing import Any

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_M_LOOPS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_M_LOOPS, Want.ALARM, family, by_call)


@alarm("code", 24)
def plan_made_anew_and_three_reads(r: Script) -> None:
    """The plan is told in other words, the same three files are read, nothing is ever written."""
    r.user("add a retry to the uploader")
    words = ("First, let me understand the uploader", "I should look at how uploads work",
             "Before changing anything I'll review the code", "Let me get an overview first",
             "To plan the retry I need the current code", "I'll begin by examining the uploader")  # fmt: skip
    for n in range(12):
        r.think(words[n % len(words)] + ".", tokens=3_000 + 1_500 * n)
        r.call("Read", "class Uploader:\n    def put(self, f): self.client.put(f)",
               file_path="src/uploader.py")  # fmt: skip
        r.call("Read", "class Client:\n    def put(self, f): ...", file_path="src/client.py")
        if n % 3 == 1:
            r.call("Grep", "src/uploader.py:3", pattern="def put")
        r.call("Read", "retries: 0", file_path="config.yml")


@alarm("terraform", 22)
def imported_and_forgotten_again(r: Script) -> None:
    """A resource is imported, the plan wants to replace it, it is dropped from the state, again."""
    r.user("bring the bucket lumen-logs under Terraform without replacing it")
    for n in range(9):
        r.call("terraform", "Import successful!", took=8,
               command="import aws_s3_bucket.logs lumen-logs")  # fmt: skip
        r.call("terraform", "-/+ aws_s3_bucket.logs must be replaced (bucket_prefix forces "
               "replacement)\nPlan: 1 to add, 0 to change, 1 to destroy.", command="plan", took=15)  # fmt: skip
        r.think(
            "The plan would replace it, so I remove it and import it anew.", tokens=900 * n + 800
        )
        r.call("terraform", "Removed aws_s3_bucket.logs", command="state rm aws_s3_bucket.logs")


@alarm("kubectl", 21)
def limit_that_was_never_raised(r: Script) -> None:
    """A patch says 'no change' each time; the pod is restarted and is killed for memory again."""
    r.user("reports keeps crashing, please mend it")
    for n in range(9):
        r.call("kubectl", "deployment.apps/reports patched (no change)",
               command="patch deploy reports -p '{\"spec\":{\"limits\":{\"memory\":\"512Mi\"}}}'")  # fmt: skip
        r.call(
            "kubectl", "deployment.apps/reports restarted", command="rollout restart deploy/reports"
        )
        r.call("kubectl", f"reports-7c{n}d-x{n}  0/1  OOMKilled  {n + 3}  {40 + n}s", after=45,
               command="get pods -l app=reports")  # fmt: skip
        r.call("kubectl", "Last State: Terminated\n  Reason: OOMKilled\n  Exit Code: 137",
               command=f"describe pod reports-7c{n}d-x{n}")  # fmt: skip


@alarm("browser", 20)
def scrolls_at_the_end_of_the_page(r: Script) -> None:
    """A list ends with 'no more results'; it is scrolled on and looked at again and again."""
    r.user("find the listing of the blue kayak and open it")
    r.call("browser_navigate", "<h1>Listings</h1>", url="https://flea.example/boats")
    for _ in range(3):
        r.call("browser_scroll", "ok", direction="down", pixels=1400)
    for n in range(20):
        r.call("browser_scroll", "ok", direction="down", pixels=1400 + 50 * (n % 3))
        r.call("browser_snapshot", f"<li>Canoe, red</li><li>Dinghy</li><footer>No more results"
               f"</footer><!-- t={1_772_000 + n * 4} -->")  # fmt: skip


@alarm("json", 16)
def postal_code_refused_in_every_shape(r: Script) -> None:
    """A service refuses one field with one message; everything but that field is rewritten."""
    r.user("create the 3 shipping labels of order 90")
    r.call("get_order", {"id": 90, "to": {"name": "Y. Ito", "zip": None, "country": "JP"}}, id=90)
    for n in range(18):
        r.call("create_label", {"status": 422, "request": f"rq-{n * 7717}", "errors": [{"path":
               "to.zip", "code": "required", "message": "zip must not be empty"}]},
               to={"name": ("Y. Ito", "Yuki Ito", "Ito Y.")[n % 3], "country": ("JP", "Japan")[n % 2],
                   "zip": ""}, service=("express", "standard")[n % 2],
               parcel={"weight": 1.2 + (n % 4) / 10})  # fmt: skip
        if n % 4 == 2:
            r.think("The API is picky; let me adapt the format of the request.")


@alarm("sql", 20)
def relation_that_does_not_exist(r: Script) -> None:
    """Tables are listed, a table that isn't in the list is queried, and so on."""
    r.user("how many subscriptions were cancelled last week?")
    for n in range(11):
        r.call("list_tables", ["accounts", "invoices", "payments", "plans"], schema="public")
        r.call("run_query", 'ERROR:  relation "subscriptions" does not exist\nLINE 1: ...',
               sql=f"select count({('*', 'id', '1')[n % 3]}) from subscriptions where cancelled_at > "
               f"now() - interval '{(7, 8)[n % 2]} days'")  # fmt: skip


@alarm("support", 14)
def billing_and_technics_pass_her_on(r: Script) -> None:
    """Two desks hand one customer to each other, always with a new reason, and do nothing."""
    r.user("I was charged for a router that never worked, please help")
    reasons = ("a defective device is a matter for the technicians",
               "the charge has to be looked at by billing first",
               "before any credit the device must be tested",
               "we can't test while the contract shows an open amount",
               "the amount hangs on the result of the test", "only billing may open the contract")  # fmt: skip
    for n in range(18):
        giver, taker = (("billing", "technics"), ("technics", "billing"))[n % 2]
        r.agent = giver
        r.call("get_customer", {"id": 44, "open_amount": 129.0, "device": "R7"}, id=44)
        r.hand_off(giver, taker, f"Please take over customer 44: {reasons[n % 6]}.")


@alarm("web", 18)
def every_page_is_the_same_wall(r: Script) -> None:
    """All pages of a magazine lead to one sign-in page; a score of addresses is tried."""
    r.user("summarise what Tidal Review wrote about tide mills")
    r.call("web_search", {"hits": [f"https://tidal.example/{2005 + n}/mills" for n in range(20)]},
           query="tide mills site:tidal.example")  # fmt: skip
    for n in range(24):
        r.call("fetch", f"<html><title>Sign in</title><p>Sign in to continue reading.</p>"
               f"<input name=csrf value={n * 92821:08x}></html>",
               url=f"https://tidal.example/{2005 + n % 20}/mills" + ("?print=1" if n > 19 else ""))  # fmt: skip


@alarm("shell", 30)
def waits_for_a_job_that_never_was(r: Script) -> None:
    """The number of the job is mistyped; 'no such job' is taken for 'not yet' for two hours."""
    r.user("submit train.sbatch and tell me the accuracy when it is done")
    r.call("bash", "Submitted batch job 5518230", command="sbatch train.sbatch")
    for _ in range(40):
        r.call("bash", "", command="sleep 180", took=180)
        r.call("bash", "slurm_load_jobs error: Invalid job id specified",
               command="squeue -h -j 5518320 -o %T")  # fmt: skip


@alarm("shell", 26)
def lock_held_by_a_dead_upgrade(r: Script) -> None:
    """A package lock is held by one process for an hour; it is only ever tried again."""
    r.user("install ffmpeg on render-2")
    for n in range(24):
        r.call("ssh", "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 "
               "(unattended-upgr)\nexit status 100", host="render-2", took=2,
               command="apt-get install -y ffmpeg")  # fmt: skip
        r.call("sleep", "ok", seconds=150, took=150)
        if n % 6 == 5:
            r.think("The lock should be free by now.")


@alarm("mcp", 14)
def argument_under_the_wrong_name(r: Script) -> None:
    """A tool wants `owner`; it gets `org`, `user`, `account` and `org` again."""
    r.user("list the open security advisories of lumen/shop")
    names = ("org", "user", "account", "organisation", "namespace", "repo_owner")
    for n in range(16):
        args: dict[str, Any] = {names[n % 6]: "lumen", "repo": "shop", "state": "open"}
        r.call("mcp__forge__list_advisories", {"isError": True, "content": [{"type": "text", "text":
               "MCP error -32602: Invalid params: missing required property 'owner'"}]},
               **args)  # fmt: skip


@alarm("helm", 17)
def upgrade_and_rollback_in_turn(r: Script) -> None:
    """The same chart with the same values fails alike, is rolled back, and is tried again."""
    r.user("upgrade search to 2.9 in production")
    for n in range(8):
        r.fail("helm", "Error: UPGRADE FAILED: timed out waiting for the condition", took=300,
               command="upgrade search ./search --version 2.9.0 --wait")  # fmt: skip
        r.call("kubectl", f"search-{n}a{n}  0/1  ImagePullBackOff  0  5m{n}s",
               command="get pods -l app=search")  # fmt: skip
        r.call(
            "helm", "Rollback was a success! Happy Helming!", command="rollback search 12", took=40
        )
        r.think(
            "Rolled back. The time-out may have been temporary, let me try the upgrade once more."
        )


@alarm("code", 20)
def indented_in_and_out(r: Script) -> None:
    """A manifest is edited to and fro between two errors of the validator."""
    r.user("make deploy.yaml valid")
    for n in range(12):
        deep = n % 2 == 0
        r.call("edit_file", "ok", path="deploy.yaml", old="  containers" if deep else "    containers",
               new="    containers" if deep else "  containers")  # fmt: skip
        r.call("bash", "deploy.yaml: line 14: mapping values are not allowed here" if deep else
               "deploy.yaml - Deployment api is invalid: missing property 'containers'",
               command="kubeconform deploy.yaml")  # fmt: skip


@alarm("text", 24)
def draft_polished_without_end(r: Script) -> None:
    """A mail is rated 6 of 10 with the same remark and is written anew sixteen times."""
    r.user("write a mail to our customers on the new prices")
    for n in range(18):
        r.call("save_draft", {"saved": True, "version": n + 1}, subject="Our new prices",
               body=f"Dear customer, {('as of May', 'from May on', 'starting in May')[n % 3]} ...")  # fmt: skip
        r.call("review_text", {"score": 6, "remarks": ["the amount of the increase is missing"]},
               subject="Our new prices")  # fmt: skip


@alarm("etl", 45)
def starts_over_at_every_failure(r: Script) -> None:
    """A batch of sixteen dies at the same file each time and begins at the first file again."""
    r.user("convert the 16 recordings in raw/ to opus")
    for attempt in range(5):
        for n in range(11):
            r.call("bash", f"size= {3000 + n * 17}kB time=00:0{n % 6}:11 speed={30 + attempt}x", took=9,
                   command=f"ffmpeg -y -i raw/{n:02}.wav out/{n:02}.opus")  # fmt: skip
        r.fail("bash", "raw/11.wav: Invalid data found when processing input",
               command="ffmpeg -y -i raw/11.wav out/11.opus")  # fmt: skip
        r.think(
            "One file failed, let me run the whole conversion again.", tokens=5_000 * (attempt + 1)
        )


@alarm("ops", 16)
def replicas_up_and_down_all_day(r: Script) -> None:
    """Cost says fewer, latency says more: one agent scales to and fro every ten minutes."""
    r.user("keep search fast and cheap")
    for n in range(14):
        up = n % 2 == 0
        r.call("get_metrics", {"p95_ms": 910 if up else 140, "cost_per_h": 4.1 if up else 9.8},
               service="search", after=600)  # fmt: skip
        r.call("scale", {"service": "search", "replicas": 12 if up else 5}, service="search",
               replicas=12 if up else 5)  # fmt: skip
        r.think("Latency is too high, more replicas." if up else "Too costly, fewer replicas.")


@alarm("ops", 18)
def setting_flipped_with_a_restart(r: Script) -> None:
    """A pool is set to 20, to 50, to 20; the service is restarted each time; the errors stay."""
    r.user("api logs 'connection reset' now and then, find out why")
    for n in range(10):
        size = (50, 20)[n % 2]
        r.call("set_config", {"service": "api", "pool_size": size}, service="api", key="pool_size",
               value=size)  # fmt: skip
        r.call("restart_service", {"service": "api", "state": "running"}, service="api", took=30)
        r.call("search_logs", {"hits": 31 + n % 3, "sample": "read tcp: connection reset by peer"},
               service="api", query="connection reset", after=120)  # fmt: skip
