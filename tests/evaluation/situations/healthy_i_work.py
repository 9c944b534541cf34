"""Half I, healthy runs that do much of the same work; their author had read no rule."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_I_WORK: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_I_WORK, Want.NOTHING, family)


@healthy("cloud")
def drift_check_of_nine_workspaces(r: Script) -> None:
    """Nine workspaces are planned; eight have no changes, which is what one hopes for."""
    for team in ("network", "iam", "dns", "data", "search", "mail", "edge", "audit", "billing"):
        r.call(
            "bash", f'Switched to workspace "{team}".', command=f"terraform workspace select {team}"
        )
        drifted = team == "edge"
        r.call(
            "bash",
            'Plan: 0 to add, 1 to change, 0 to destroy.\n  ~ tags = { owner = "web" -> '
            '"edge" }\nexit code 2'
            if drifted
            else "No changes. Your infrastructure matches the configuration.\nexit code 0",
            took=20,
            command="terraform plan -detailed-exitcode -lock=false -no-color; echo exit code $?",
        )
    r.call(
        "jira_create", {"key": "PLAT-811"}, project="PLAT", summary="Tag drift in workspace edge"
    )
    r.answer("Eight workspaces have no drift; edge has one changed tag (PLAT-811).")


@healthy("crm")
def duplicate_contacts_merged(r: Script) -> None:
    """Fourteen pairs of contacts are compared and merged; every answer has the same form."""
    for pair in range(14):
        left, right = f"#{4010 + pair}", f"#{7733 + pair * 3}"
        r.call(
            "crm_compare",
            {"same_email": True, "same_phone": pair % 2 == 0, "score": 0.97},
            left=left,
            right=right,
        )
        r.call("crm_merge", {"ok": True, "survivor": left}, primary=left, secondary=right)
    r.answer("14 pairs merged.")


@healthy("payments")
def refunds_after_the_double_charge(r: Script) -> None:
    """An incident charged eleven customers twice; each second charge is refunded once."""
    charges = [f"ch_3Q{letter}x8" for letter in "abcdefghijk"]
    r.call(
        "search_charges",
        {
            "data": [{"id": one, "amount": 4900, "metadata": {"dup": "true"}} for one in charges],
            "has_more": False,
        },
        query='metadata["dup"]:"true"',
    )
    for charge in charges:
        r.call(
            "create_refund",
            {
                "id": charge.replace("ch", "re"),
                "object": "refund",
                "amount": 4900,
                "currency": "eur",
                "status": "succeeded",
            },
            charge=charge,
            reason="duplicate",
            amount=4900,
        )
    r.call("search_refunds", {"total_count": 11}, query='reason:"duplicate" created>1772400000')
    r.answer("11 refunds of 49.00 EUR, one for each double charge.")


@healthy("tickets")
def wiki_by_cursor(r: Script) -> None:
    """Eighteen result pages of a wiki are read by cursor; titles look alike."""
    cursor = ""
    for page in range(18):
        following = f"_f_{page:02}MDAwMDA=" if page < 17 else None
        r.call(
            "confluence_search",
            {
                "results": [
                    {
                        "id": f"98{page:02}{n}",
                        "title": f"Post-mortem {2019 + page // 3}-{page % 12 + 1:02}-{n + 10}",
                    }
                    for n in range(5)
                ],
                "_links": {"next": following},
            },
            cql='label = "post-mortem"',
            cursor=cursor,
            limit=5,
        )
        cursor = following or ""
    r.answer("There are 90 post-mortems since 2019.")


@healthy("files")
def proof_that_nothing_uses_it(r: Script) -> None:
    """Before a function is deleted, nine searches make sure that nothing calls it: all are empty."""
    for pattern, where in (
        ("legacy_hash\\(", "src"),
        ("legacy_hash", "tests"),
        ("legacyHash", "web"),
        ("LEGACY_HASH", "config"),
        ("legacy-hash", "docs"),
        ("getattr\\(.*legacy", "src"),
        ("legacy_hash", "scripts"),
        ("import.*hashing", "plugins"),
        ("legacy_hash", ".github"),
    ):
        r.call("ripgrep", "No matches found", pattern=pattern, path=where)
    r.call(
        "apply_patch",
        "Success. Updated the following files:\nM src/hashing.py",
        patch="*** Begin Patch\n*** Update File: src/hashing.py\n@@\n-def legacy_hash(text):\n"
        "-    return md5(text)\n*** End Patch",
    )
    r.call("run_tests", "211 passed in 14.02s", took=15, path="tests")
    r.answer("legacy_hash had no callers and is deleted; 211 tests pass.")


@healthy("shell")
def fleet_is_already_in_order(r: Script) -> None:
    """A playbook runs on ten hosts one by one; it changes something on two only."""
    for number in range(1, 11):
        changed = 2 if number in {4, 9} else 0
        r.call(
            "ssh_exec",
            f"PLAY RECAP\ndb{number:02}.dc1 : ok=14 changed={changed} unreachable=0 "
            "failed=0 skipped=3",
            took=25,
            host="bastion",
            command=f"ansible-playbook hardening.yml --limit db{number:02}.dc1",
        )
    r.answer("Ten hosts are hardened; db04 and db09 needed two changes each.")


@healthy("kubernetes")
def secrets_rotated_service_by_service(r: Script) -> None:
    """For seven services: new secret, restart, health, old secret off. The answers are the same."""
    for service in ("cart", "auth", "mail", "search", "stock", "tax", "feed"):
        r.call(
            "vault_write",
            "Success! Data written to: secret/data/" + service,
            path=f"secret/data/{service}",
            field="db_password",
            value="[generated]",
        )
        r.call(
            "kubectl",
            f"deployment.apps/{service} restarted",
            args=f"rollout restart deploy/{service}",
        )
        r.call(
            "kubectl",
            f'deployment "{service}" successfully rolled out',
            took=40,
            args=f"rollout status deploy/{service} --timeout=120s",
        )
        r.call(
            "http_get", '{"status":"UP","db":"UP"}', url=f"http://{service}.prod.svc:8080/health"
        )
        r.call("sql", "ALTER ROLE", statement=f"ALTER ROLE {service}_old NOLOGIN")
    r.answer("Seven passwords rotated; every service is UP with its new one.")


@healthy("warehouse")
def dbt_three_kinds_of_failure(r: Script) -> None:
    """dbt fails three times, each time further on and with another error; then it is green."""
    errors = (
        'Database Error in model stg_orders\n  column "placed_at" does not exist',
        "Compilation Error in model fct_orders\n  'cents_to_euro' is undefined",
        "Failure in test not_null_fct_orders_customer_id\n  Got 12 results, configured to fail if != 0",
    )
    for place, error in enumerate(errors):
        r.call(
            "dbt_build",
            f"{error}\nDone. PASS={4 + place * 7} WARN=0 ERROR=1 SKIP={14 - place * 6}",
            took=30,
            select="+fct_orders",
            target="ci",
        )
        r.call(
            "read_file",
            f"-- model {place}\nselect * from {{{{ ref('src_{place}') }}}}",
            path=f"models/m{place}.sql",
        )
        r.call(
            "edit_file",
            "1 replacement made",
            path=f"models/m{place}.sql",
            old=f"col_{place}",
            new=f"fixed_{place}",
        )
    r.call(
        "dbt_build",
        "Done. PASS=26 WARN=0 ERROR=0 SKIP=0",
        took=34,
        select="+fct_orders",
        target="ci",
    )
    r.answer("fct_orders builds; 26 checks pass.")


@healthy("finance")
def bank_lines_against_the_ledger(r: Script) -> None:
    """Twenty-four bank lines are looked up in the ledger; four have no entry, as reported."""
    for line in range(24):
        missing = line in {3, 11, 17, 22}
        r.call(
            "ledger_find",
            {
                "matches": []
                if missing
                else [{"entry": f"JE-{5000 + line}", "amount": f"{line * 13 + 20}.00"}]
            },
            amount=f"{line * 13 + 20}.00",
            date=f"2026-02-{line + 1:02}",
            tolerance_days=2,
        )
    r.call("sheet_write", {"updatedRows": 4}, sheet="open items", rows=[4, 12, 18, 23])
    r.answer("20 of 24 lines match; lines 4, 12, 18 and 23 have no ledger entry.")


@healthy("web")
def japanese_research_with_dead_ends(r: Script) -> None:
    """Two searches and two pages lead nowhere; the third search finds the ministry's table."""
    r.user("2024年度の訪日外国人の宿泊者数を都道府県別に調べてください")
    r.call(
        "web_search",
        [
            {"title": "訪日外客数 2024年 過去最多", "url": "https://travel.example/n1"},
            {"title": "インバウンド動向", "url": "https://blog.example/inbound"},
        ],
        query="2024年 訪日外国人 宿泊者数 都道府県別",
    )
    r.call("open_url", "全国の合計のみを掲載しています。", url="https://travel.example/n1")
    r.call("open_url", "404 Not Found", url="https://blog.example/inbound")
    r.call(
        "web_search",
        [{"title": "宿泊旅行統計調査とは", "url": "https://stat.example/about"}],
        query="宿泊旅行統計調査 外国人 延べ宿泊者数 2024",
    )
    r.call("open_url", "調査の概要。結果は e-Stat に掲載。", url="https://stat.example/about")
    r.call(
        "web_search",
        [{"title": "宿泊旅行統計調査 令和6年 確定値", "url": "https://e-stat.example/t3"}],
        query="e-Stat 宿泊旅行統計調査 令和6年 確定値 参考第1表",
    )
    r.call(
        "open_url",
        "東京都 5,680万人泊\n大阪府 2,320万人泊\n京都府 1,630万人泊",
        url="https://e-stat.example/t3",
    )
    r.answer("東京都が最多で、大阪府、京都府が続きます(宿泊旅行統計調査 令和6年 確定値)。")


@healthy("browser")
def long_form_field_by_field(r: Script) -> None:
    """A browser agent fills twelve fields; every action is answered in the same way."""
    r.call("browser_navigate", "Page loaded: Umzugsmeldung", url="https://amt.example/umzug")
    for place, (label, text) in enumerate(
        (
            ("Vorname", "Mara"),
            ("Nachname", "Voss"),
            ("Strasse", "Seefeldstr. 4"),
            ("PLZ", "8008"),
            ("Ort", "Zürich"),
            ("Telefon", "+41 44 555 01 02"),
            ("E-Mail", "mara@voss.example"),
            ("Geburtsdatum", "02.04.1990"),
            ("Heimatort", "Chur"),
            ("Zuzug von", "Bern"),
            ("Zuzug am", "01.03.2026"),
            ("Vermieter", "Immo AG"),
        )
    ):
        r.call("browser_type", "Action performed.", ref=f"e{place + 20}", element=label, text=text)
        if place % 4 == 3:
            r.call("browser_screenshot", f"[image 1280x800, {place + 1} of 12 fields filled]")
    r.call("browser_click", "Action performed.", ref="e40", element="Absenden")
    r.call("browser_screenshot", "[image 1280x800] Vielen Dank. Referenz UM-2026-5521")
    r.answer("Die Meldung ist abgeschickt, Referenz UM-2026-5521.")


@healthy("git")
def rebase_with_many_conflicts(r: Script) -> None:
    """A branch of seven commits is rebased; six of them conflict, each in another file."""
    files = (
        "api/routes.ts",
        "api/auth.ts",
        "db/schema.sql",
        "web/App.tsx",
        "web/cart.tsx",
        "README.md",
    )
    r.call(
        "bash",
        f"CONFLICT (content): Merge conflict in {files[0]}\nerror: could not apply 1a2b3c0...",
        command="git rebase origin/main",
    )
    for place, path in enumerate(files):
        r.call(
            "read_file",
            f"<<<<<<< HEAD\nlimit = {place}\n=======\nlimit = {place + 9}\n>>>>>>> feature",
            path=path,
        )
        r.call(
            "edit_file",
            "The file has been updated.",
            path=path,
            old="<<<<<<< HEAD",
            new=f"limit = {place + 9}",
        )
        r.call(
            "bash",
            f"Auto-merging {files[place + 1]}\nCONFLICT (content): Merge conflict in "
            f"{files[place + 1]}"
            if place < 5
            else "Successfully rebased and updated refs/heads/feature.",
            command=f"git add {path} && GIT_EDITOR=true git rebase --continue",
        )
    r.call("bash", "Tests: 84 passed, 84 total", took=21, command="npm test --silent")
    r.answer("Rebased on main, six conflicts resolved, 84 tests pass.")


@healthy("training")
def sweep_of_twelve_trials(r: Script) -> None:
    """Twelve trials are started and scored; most are no better than the first."""
    for trial in range(12):
        rate, decay = (1e-4, 3e-4, 1e-3)[trial % 3], (0.0, 0.01, 0.05, 0.1)[trial // 3]
        r.call(
            "launch_trial",
            {"state": "submitted", "trial": f"t{trial:02}"},
            lr=rate,
            weight_decay=decay,
            epochs=3,
            dataset="urn:ds:reviews:v4",
        )
        r.call(
            "await_trial",
            {"state": "COMPLETED", "trial": f"t{trial:02}"},
            took=400,
            trial=f"t{trial:02}",
        )
        r.call(
            "get_metrics",
            {"val_f1": round(0.842 + (trial == 7) * 0.021 - trial % 2 * 0.001, 3)},
            trial=f"t{trial:02}",
        )
    r.answer("Trial t07 (lr 3e-4, decay 0.05) is best: F1 0.862.")


@healthy("mail")
def forty_mails_get_labels(r: Script) -> None:
    """Forty mails are read and labelled, one by one."""
    r.call(
        "gmail_list",
        {"messages": [{"id": f"19c{n:03x}"} for n in range(40)], "resultSizeEstimate": 40},
        q="is:unread label:inbox",
    )
    for number in range(40):
        label = ("Invoices", "Newsletter", "Support")[number % 3]
        r.call(
            "gmail_get",
            {
                "id": f"19c{number:03x}",
                "subject": f"{label[:-1]} {number}",
                "snippet": "Hello, please find attached …",
            },
            id=f"19c{number:03x}",
        )
        r.call(
            "gmail_modify",
            {"id": f"19c{number:03x}", "labelIds": ["INBOX", label]},
            id=f"19c{number:03x}",
            add=[label],
        )
    r.answer("40 mails labelled: 14 invoices, 13 newsletters, 13 support.")
