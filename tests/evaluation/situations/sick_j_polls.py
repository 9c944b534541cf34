"""Half J, sick: polls that are stuck. Written by somebody who had read no rule."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_J_POLLS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_J_POLLS, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should be seen on a dashboard the same day."""
    return situation(SICK_J_POLLS, Want.WARN, family, by_call)


@alarm("kubernetes", 30)
def image_is_never_pulled(r: Script) -> None:
    """A pod stays in ImagePullBackOff for forty minutes; only its age changes."""
    r.call("kubectl", "deployment.apps/mailer image updated",
           args="set image deploy/mailer mailer=reg.example/mailer:v19")  # fmt: skip
    for minute in range(1, 41):
        state = "ErrImagePull" if minute < 2 else "ImagePullBackOff"
        r.call(
            "kubectl",
            f"NAME             READY  STATUS            RESTARTS  AGE\nmailer-6f7-zzk  0/1    {state}"
            f"  0         {minute}m",
            after=59,
            args="get pods -l app=mailer",
        )


@alarm("json", 50)
def queued_behind_itself(r: Script) -> None:
    """A build waits 45 minutes for an executor that its parent holds; the answers are XML."""
    r.call("http_post", "201 Created\nLocation: /queue/item/5531/", url="/job/release/build")
    for _ in range(60):
        r.call(
            "http_get",
            "<waitingItem><blocked>false</blocked><buildable>true</buildable><id>5531</id>"
            f"<stuck>false</stuck><timestamp>{int(r.at_s * 1000)}</timestamp>"
            "<why>Waiting for next available executor on 'linux'</why></waitingItem>",
            after=44,
            url="/queue/item/5531/api/xml",
        )


@alarm("json", 50)
def counter_stands_still(r: Script) -> None:
    """An import counts up for ten minutes and then stands, while its elapsed time runs on."""
    for minute in range(55):
        r.call(
            "get_import",
            {
                "import_id": "imp_2Qk9",
                "state": "running",
                "records": {"done": min(41_200 * minute, 412_000), "expected": 1_900_000},
                "elapsed": f"{minute // 60:02d}:{minute % 60:02d}:07",
                "heartbeat_at": r.clock(),
            },
            after=59,
            import_id="imp_2Qk9",
        )


@warn("sql", 20)
def lag_only_grows(r: Script) -> None:
    """A replica falls further behind at each reading, and the agent keeps on waiting."""
    for number in range(24):
        r.call(
            "pg_query",
            f" replica | state     | lag_seconds\n db-r2   | streaming | {31 + number * 174}\n(1 row)",
            after=180,
            sql="SELECT application_name AS replica, state, lag_seconds FROM repl_lag",
        )
        r.think("The replica has not caught up yet, I will check again in three minutes.")


@alarm("browser", 40)
def export_is_being_prepared(r: Script) -> None:
    """A page says for three quarters of an hour that the export is being prepared."""
    r.call("browser_click", "- text: Your export is being prepared", element="Export", ref="e40")
    for _ in range(46):
        r.call("browser_wait_for", f"waited 55 s, now {r.clock('%H:%M:%S')}", took=55, time=55)
        r.call(
            "browser_snapshot",
            "- heading 'Exports'\n- row 'orders_2025.csv  Being prepared…'\n- button 'Refresh'",
            took=2,
        )


@alarm("shell", 40)
def service_starts_over_and_over(r: Script) -> None:
    """A service is restarted by its supervisor for half an hour; the states take turns."""
    states = ("activating (auto-restart)", "active (running)", "failed (Result: exit-code)")
    for number in range(60):
        r.call(
            "ssh_exec",
            f"● ingest.service - Ingest\n   Active: {states[number % 3]} since {r.clock()}\n"
            f"  Process: {2_200 + number * 7} ExecStart=/opt/ingest/bin/run\n"
            f"  restart counter is at {number // 2 + 3}",
            after=29,
            host="ing-01",
            command="systemctl status ingest",
        )


@alarm("shell", 10)
def state_is_locked(r: Script) -> None:
    """Twelve times apply against a lock that somebody forgot."""
    for number in range(12):
        r.call(
            "bash",
            "╷\n│ Error: Error acquiring the state lock\n│ Lock Info:\n"
            "│   ID:        1c7e2f3a-90b1-4c1d-b7a1-6f9f3f1d0e55\n"
            "│   Who:       ci@runner-118\n│   Created:   2026-02-27 17:40:12 UTC\n╵\nexit code 1",
            after=30,
            took=9,
            command="terraform apply -auto-approve" if number % 2 else "terraform plan",
        )


@alarm("mcp", 15)
def polls_after_the_end(r: Script) -> None:
    """A job has failed for good; it is asked for another 24 times whether it is through."""
    r.call("submit_render", "job: rnd-771\nstate: QUEUED", scene="intro.blend")
    for percent in (4, 19, 33):
        r.call("render_status", f"job: rnd-771\nstate: RUNNING\nprogress: {percent}%", after=20,
               job="rnd-771")  # fmt: skip
    for _ in range(24):
        r.call(
            "render_status",
            f"job: rnd-771\nstate: FAILED\nprogress: 33%\nerror: out of GPU memory\nat: {r.clock()}",
            after=20,
            job="rnd-771",
        )
        r.think("Still not finished; I'll wait a little longer.")
