"""Half I, healthy runs with errors, refusals and returns that end well; written blind."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_I_TURNS: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_I_TURNS, Want.NOTHING, family)


@healthy("payments")
def timeout_checked_before_trying_again(r: Script) -> None:
    """A payment times out; the agent finds that it was made, and does not pay again."""
    r.call("get_invoice", {"invoice": "INV-2207", "open": "880.00"}, invoice="INV-2207")
    r.fail(
        "create_payment",
        "504 Gateway Timeout: upstream did not answer within 30 s",
        took=30,
        invoice="INV-2207",
        amount="880.00",
        idempotency_key="inv-2207-a",
    )
    r.call("list_payments", {"data": [], "has_more": False}, invoice="INV-2207")
    r.call(
        "list_payments",
        {"data": [{"id": "pay_77", "amount": "880.00", "status": "captured"}], "has_more": False},
        after=45,
        invoice="INV-2207",
    )
    r.call("get_invoice", {"invoice": "INV-2207", "open": "0.00"}, invoice="INV-2207")
    r.answer("INV-2207 is paid (pay_77); the gateway had only answered late.")


@healthy("cloud")
def permission_asked_for_and_granted(r: Script) -> None:
    """A bucket is forbidden; the agent asks for a role, a person grants it after two hours."""
    r.call(
        "bash",
        "An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access "
        "Denied\nexit code 254",
        command="aws s3 ls s3://audit-2025/trail/",
    )
    r.call(
        "bash",
        '{"Account": "410022", "Arn": "arn:aws:sts::410022:assumed-role/agent/run"}',
        command="aws sts get-caller-identity",
    )
    r.call(
        "request_role",
        {"request": "#991", "state": "OPEN"},
        role="audit-reader",
        hours=4,
        reason="Quarterly access review",
    )
    r.wait(7_100)
    r.call(
        "get_role_request", {"request": "#991", "state": "GRANTED", "by": "d.mbeki"}, request="#991"
    )
    r.call(
        "bash",
        "2026-01-01 00:10:04   81221 2025-12-31.json.gz\n2026-01-02 00:10:03   79902 "
        "2026-01-01.json.gz",
        command="aws s3 ls s3://audit-2025/trail/ --profile audit-reader",
    )
    r.call(
        "bash",
        "download: s3://audit-2025/trail/2025-12-31.json.gz to ./2025-12-31.json.gz",
        command="aws s3 cp s3://audit-2025/trail/ . --recursive --profile audit-reader",
    )
    r.answer("I have the trail; the role expires in four hours.")


@healthy("shell")
def rehearse_copy_rehearse(r: Script) -> None:
    """rsync is rehearsed, run, and rehearsed again until it would copy nothing; four shares."""
    for share in ("finance", "legal", "design", "archive"):
        rsync = f"rsync -aHx --delete --itemize-changes /srv/{share}/ nas2:/srv/{share}/"
        listing = "\n".join(f">f+++++++++ {share}/{n:04}.pdf" for n in range(6))
        r.call("bash", listing, command=f"{rsync} --dry-run | head -6")
        r.call(
            "bash",
            "exit code 0",
            took=600,
            command=f"{rsync} > /var/log/mig-{share}.log; echo exit code $?",
        )
        r.call("bash", "", command=f"{rsync} --dry-run")
    r.answer("Four shares are on nas2; a rehearsal would copy nothing any more.")


@healthy("kubernetes")
def node_drain_respects_the_budget(r: Script) -> None:
    """A drain meets a disruption budget again and again until the replacement pod is ready."""
    r.call("bash", "node/worker-7 cordoned", command="kubectl cordon worker-7")
    blocked = (
        'evicting pod shop/redis-2\nerror when evicting pods/"redis-2" -n "shop" (will retry '
        "after 5s): Cannot evict pod as it would violate the pod's disruption budget."
    )
    for _ in range(4):
        r.call(
            "bash",
            blocked + '\nThere are pending pods in node "worker-7" when an error occurred: '
            "drain did not complete within 30s",
            took=31,
            after=30,
            command="kubectl drain worker-7 --ignore-daemonsets --timeout=30s",
        )
        r.call(
            "bash",
            "NAME      READY   STATUS    NODE\nredis-0   1/1     Running   worker-3\nredis-1   "
            "0/1     Running   worker-9   (syncing)\nredis-2   1/1     Running   worker-7",
            command="kubectl get pods -n shop -l app=redis -o wide",
        )
    r.call(
        "bash",
        "NAME      READY   STATUS    NODE\nredis-0   1/1     Running   worker-3\nredis-1   "
        "1/1     Running   worker-9\nredis-2   1/1     Running   worker-7",
        after=30,
        command="kubectl get pods -n shop -l app=redis -o wide",
    )
    r.call(
        "bash",
        "pod/redis-2 evicted\nnode/worker-7 drained",
        took=14,
        command="kubectl drain worker-7 --ignore-daemonsets --timeout=30s",
    )
    r.answer("worker-7 is drained; redis kept its quorum all the time.")


@healthy("monitoring")
def bad_canary_rolled_back(r: Script) -> None:
    """A canary gets worse at 10 percent; the agent rolls it back and sees it recover."""
    ask = 'sum(rate(http_requests_total{app="pricing",track="canary",code=~"5.."}[5m]))'
    for weight, rates in ((1, (0.0, 0.0, 0.01)), (10, (0.4, 1.9, 4.6))):
        r.call(
            "set_traffic_split",
            {"canary": weight, "stable": 100 - weight},
            app="pricing",
            canary=weight,
        )
        for rate in rates:
            r.call("promql", {"value": [1772442000 + int(r.at_s), str(rate)]}, after=120, query=ask)
    r.call("set_traffic_split", {"canary": 0, "stable": 100}, app="pricing", canary=0)
    for rate in (2.2, 0.3, 0.0):
        r.call("promql", {"value": [1772442000 + int(r.at_s), str(rate)]}, after=120, query=ask)
    r.call(
        "post_message",
        {"ok": True},
        channel="#pricing",
        text="Canary 2.14 rolled back at 10 %: 4.6 errors/s. Stable is fine.",
    )
    r.answer("Canary 2.14 was rolled back; errors are at zero.")


@healthy("monitoring")
def long_hunt_that_ends_without_a_culprit(r: Script) -> None:
    """A slow minute is investigated from fourteen sides; most are clean; the agent says so."""
    hunts = (
        ("promql", "histogram_quantile(0.99, rate(http_duration_bucket[1m]))", "0.21 → 2.4 → 0.22"),
        ("promql", "rate(container_cpu_cfs_throttled_seconds_total[1m])", "no data points above 0"),
        ("promql", "node_memory_MemAvailable_bytes", "flat at 41 GiB on 6 nodes"),
        ("promql", "rate(pg_stat_database_deadlocks[1m])", "0"),
        ("logql", '{app="api"} |= "error"', "0 lines"),
        ("logql", '{app="api"} |= "timeout"', "0 lines"),
        ("logql", '{app="gateway"} | json | upstream_time > 1', "214 lines, all 09:14:20–09:14:58"),
        ("logql", '{job="systemd"} |= "oom"', "0 lines"),
        ("list_deploys", "09:00..09:30", "[]"),
        ("list_feature_flags_changed", "09:00..09:30", "[]"),
        ("traceql", "{ duration > 2s }", "38 traces; 2.1 s are in `resolve checkout-db`"),
        ("promql", "coredns_forward_request_duration_seconds", "p99 0.004 → 2.0 → 0.004"),
        ("logql", '{app="coredns"} |= "SERVFAIL"', "0 lines"),
        ("list_network_changes", "09:00..09:30", "[]"),
    )
    for tool, query, found in hunts:
        r.think("next hypothesis")
        r.call(tool, found, query=query, start="09:10", end="09:20")
    r.answer(
        "The slow minute was slow DNS forwarding (2 s at p99). Nothing was changed then; why the "
        "upstream resolver was slow I could not find out."
    )


@healthy("files")
def one_file_many_edits(r: Script) -> None:
    """A parser grows: read, add a test, see it red, edit, see it green, eight times in one file."""
    features = (
        "numbers",
        "strings",
        "lists",
        "maps",
        "comments",
        "dates",
        "anchors",
        "errors",
    )
    for passed, feature in enumerate(features):
        r.call(
            "view",
            f"pub fn parse() {{ /* {passed} features */ }}\n" * (passed + 2),
            path="src/parser.rs",
        )
        r.call(
            "str_replace",
            "The file src/tests.rs has been edited.",
            path="src/tests.rs",
            old_str="// next",
            new_str=f"#[test] fn {feature}() {{ … }}\n// next",
        )
        r.call(
            "bash",
            f"test tests::{feature} ... FAILED\ntest result: FAILED. {passed} passed; 1 failed",
            took=9,
            command="cargo test --quiet 2>&1 | tail -5",
        )
        r.call(
            "str_replace",
            "The file src/parser.rs has been edited.",
            path="src/parser.rs",
            old_str="_ => todo!()",
            new_str=f"Token::{feature.title()} => …,\n_ => todo!()",
        )
        r.call(
            "bash",
            f"test result: ok. {passed + 1} passed; 0 failed",
            took=9,
            command="cargo test --quiet 2>&1 | tail -5",
        )
    r.answer("The parser has eight features, each with a test.")


@healthy("sql")
def restore_drill_table_by_table(r: Script) -> None:
    """A drill compares counts and checksums of sixteen tables between original and restored copy."""
    for table in range(16):
        row = f"count | sum\n{10_000 + table * 17} | {table * 7919 + 1:08x}"
        for host in ("prod-ro", "drill"):
            r.call(
                "run_query",
                row,
                host=host,
                sql=f"SELECT count(*), md5_agg(t) AS sum FROM part_{table:02} t",
            )
    r.answer("All 16 tables are equal in the restored copy; the drill passed in 22 minutes.")


@healthy("crm")
def erasure_request_in_nine_systems(r: Script) -> None:
    """A person wants to be forgotten; seven of nine systems know nothing of him."""
    for system in (
        "salesforce",
        "zendesk",
        "mailchimp",
        "stripe",
        "intercom",
        "snowflake",
        "s3-exports",
        "segment",
        "jira",
    ):
        known = system in {"zendesk", "stripe"}
        r.call(
            "dsr_search",
            {"system": system, "records": 3 if known else 0},
            system=system,
            subject="urn:person:jan.novak@mail.example",
        )
        if known:
            r.call(
                "dsr_erase",
                {"system": system, "erased": 3},
                system=system,
                subject="urn:person:jan.novak@mail.example",
            )
            r.call(
                "dsr_search",
                {"system": system, "records": 0},
                system=system,
                subject="urn:person:jan.novak@mail.example",
            )
    r.answer("Six records were erased in Zendesk and Stripe; the other seven systems had none.")


@healthy("shell")
def jq_in_five_attempts(r: Script) -> None:
    """A jq filter is wrong in four different ways and then right."""
    for script, out in (
        (".items[].name", "jq: error (at <stdin>:1): Cannot iterate over null (null)\nexit code 5"),
        ("keys", '["apiVersion","data","kind"]'),
        (".data.items[].name", 'jq: error (at <stdin>:1): Cannot iterate over string ("[{\\"na…")'),
        (
            ".data.items | fromjson[].name",
            "jq: error: syntax error, unexpected '[' at <top-level>, line 1",
        ),
        (".data.items | fromjson | .[].name", '"alpha"\n"beta"\n"gamma"'),
    ):
        r.call("bash", out, command=f"cat dump.json | jq '{script}'")
    r.answer("The three names are alpha, beta and gamma.")


@healthy("agents")
def five_repositories_in_parallel(r: Script) -> None:
    """Five sub-agents read the same guide, run the same check, and report the same result."""
    r.think("one sub-agent for each repository")
    began_s = r.at_s
    for place, repository in enumerate(("api", "web", "jobs", "docs", "infra")):
        r.agent, r.at_s = f"upgrade-{repository}", began_s + place * 0.2
        r.call(
            "read_file",
            "# Guide\n1. bump node to 22\n2. run the checks\n3. open a PR",
            path="org/.github/UPGRADE.md",
        )
        r.call("edit_file", "ok", path=f"{repository}/.nvmrc", old="20", new="22")
        r.call(
            "bash",
            "0 problems",
            took=30,
            command=f"cd {repository} && npm ci --silent && npm run check",
        )
        r.call(
            "create_pull_request",
            {"number": 300 + place},
            repo=f"acme/{repository}",
            title="Node 22",
        )
    r.agent = None
    r.wait(40)
    r.answer("Five pull requests: #300 to #304.")


@healthy("tickets")
def reviewer_wants_changes_four_times(r: Script) -> None:
    """A person reviews four rounds; each time the agent changes, tests, pushes and asks again."""
    for number, wish in enumerate(
        ("please handle None", "naming: total_cents", "add a test for EUR", "docstring, then good")
    ):
        r.user(wish, after=3_600)
        r.call("edit_file", "ok", path="billing/total.py", old=f"v{number}", new=f"v{number + 1}")
        r.call("bash", f"{31 + number} passed in 2.2s", command="pytest -q billing")
        r.call(
            "bash",
            "To git.example:acme/billing.git\n   feature -> feature",
            command=f"git commit -qam '{wish}' && git push",
        )
        r.call("request_review", {"requested": ["m.silva"]}, pull=77, reviewer="m.silva")
    r.call("get_pull", {"pull": 77, "state": "merged"}, after=1_800, pull=77)
    r.answer("#77 is merged after four rounds.")


@healthy("calendar")
def first_free_day_for_six_people(r: Script) -> None:
    """Nine days have no free hour for six people; the tenth has one."""
    people = ["ana", "luis", "marta", "iker", "sol", "noa"]
    for day in range(2, 12):
        r.call(
            "find_slots",
            {"huecos": ["11:00"] if day == 11 else []},
            personas=people,
            fecha=f"2026-03-{day:02}",
            minutos=60,
        )
    r.call(
        "create_event",
        {"id": "ev_81", "enviadas": 6},
        titulo="Planificación Q2",
        personas=people,
        inicio="2026-03-11T11:00",
    )
    r.answer("El primer hueco común es el 11 de marzo a las 11:00; he enviado las invitaciones.")


@healthy("documents")
def contract_read_to_its_end(r: Script) -> None:
    """A contract of forty parts is read; the context grows to 130,000 tokens, each part is new."""
    for part in range(1, 41):
        r.call(
            "read_pages",
            f"§{part}.1 The Supplier shall deliver item {part * 37 % 101} within "
            f"{part % 9 + 3} days.\n§{part}.2 Liability is limited to {part * 1000} EUR.\n" * 3,
            document="urn:doc:msa-2026",
            first=part * 3 - 2,
            last=part * 3,
        )
        r.think(f"clause {part}", tokens=6_000 + part * 3_100, took=2 + part * 0.15)
    r.answer("Three clauses differ from our standard: 12, 19 and 33.")
