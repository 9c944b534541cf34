"""repeated_action: steps that are made again, acts that move nothing, retries, and people."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.repeated_action import repeated_action
from tests.support.scenario import run


def stepped(move: str, view_tool: str, shown: list[object]) -> list[Level]:
    stepping = run()
    for view in shown:
        stepping.calls(move, by=1).returns({"ok": True}).calls(view_tool).returns(view)
    return [finding.level for finding in stepping.says(repeated_action)]


def test_a_step_that_is_made_again_is_no_loop_while_a_look_shows_something_new() -> None:
    rows: list[object] = [f"row {number} of the list" for number in range(8)]
    heights: list[object] = [{"z_mm": 118.4 + number / 1_000} for number in range(8)]

    assert stepped("send_keys", "read_screen", rows) == []
    assert stepped("arm_move", "get_height", heights) == []
    assert Level.ALARM in stepped("send_keys", "read_screen", ["the same row"] * 8)


def test_a_payment_that_is_made_again_is_a_loop_although_the_balance_changes() -> None:
    balances: list[object] = [{"balance": 900 - 10 * number} for number in range(8)]

    assert Level.ALARM in stepped("pay_invoice", "get_balance", balances)


def test_acts_that_answer_with_what_was_seen_before_moved_nothing() -> None:
    page = "Checkout\n- checkbox 'I accept the terms'\n- button 'Pay' (disabled)"
    folder = '{"view": "orders", "rows": 12, "selected": null, "filter": "open"}'
    for view_tool, act, view in (("open_page", "click", page), ("show_view", "pick_row", folder)):
        stuck, moving = run().calls(view_tool).returns(view), run().calls(view_tool).returns(view)
        for number in range(6):
            stuck.calls(act, selector=f"#b{number}").returns(view)
            moving.calls(act, selector=f"#b{number}").returns(f"{view}, now {number}")
        assert [f.level for f in stuck.says(repeated_action)] == [Level.ALARM], view_tool
        assert moving.says(repeated_action) == [], view_tool


def test_many_things_in_the_same_state_only_warn() -> None:
    report = {"status": "healthy", "checks": {"db": "up", "cache": "up"}, "note": "as usual " * 20}
    watching = run()
    for number in range(8):
        watching.calls("http_get", url=f"https://s{number}.example/health").returns(report)

    assert [finding.level for finding in watching.says(repeated_action)] == [Level.WARN]


def test_one_question_to_a_database_in_many_spellings_is_a_loop_and_many_are_none() -> None:
    asking, checking = run(), run()
    for condition in ("= 'dach'", "= 'DACH'", "LIKE 'dach%'", "ILIKE '%dach'", "IN ('dach')"):
        asking.calls("run_query", sql=f"SELECT id FROM shops WHERE region {condition}")
        asking.returns('{"rows": []}')
    asking.calls("run_query", sql="select id from shops where lower(region) = 'dach'")
    asking.returns('{"rows": []}')
    for table in ("orders", "users", "carts", "taxes", "stock", "prices", "events"):
        checking.calls("run_query", sql=f"SELECT id FROM {table} WHERE owner IS NULL")
        checking.returns('{"rows": []}')

    assert Level.ALARM in [finding.level for finding in asking.says(repeated_action)]
    assert checking.says(repeated_action) == []


def test_retries_with_ever_longer_pauses_are_judged_by_time() -> None:
    for tool, error in (("get_report", "503 busy"), ("get_lag", "connection refused")):
        backing_off = run()
        for number in range(6):
            backing_off.after(1.5 * 2**number).calls(tool, target="a").fails(error)
        levels = [finding.level for finding in backing_off.says(repeated_action)]
        assert Level.ALARM not in levels, tool


def test_who_waits_for_an_approval_waits_for_a_person() -> None:
    waiting, stuck = run(), run()
    for _ in range(20):
        waiting.after(180).calls("get_approval", ticket="CHG-1").returns({"state": "pending"})
        stuck.after(180).calls("get_export", job="E-1").returns({"state": "pending"})

    assert waiting.says(repeated_action) == []
    assert [finding.level for finding in stuck.says(repeated_action)] == [Level.ALARM]


def test_a_cursor_that_is_ignored_is_the_same_call() -> None:
    ignored, read = run(), run()
    for number in range(5):
        ignored.calls("list_invoices", cursor=f"c-{number}").returns('{"data": ["i-1", "i-2"]}')
        read.calls("list_invoices", cursor=f"c-{number}").returns(f'{{"data": ["i-{number}"]}}')

    assert [finding.level for finding in ignored.says(repeated_action)] == [Level.ALARM]
    assert read.says(repeated_action) == []


def with_notes(reads: int, notes: list[str]) -> list[Level]:
    reading = run()
    for number in range(reads):
        reading.calls("get_ticket", id="HD-7").returns({"id": "HD-7", "text": "blank pages"})
        for tool in notes:
            reading.calls(tool, text=f"[ ] step {number}").returns("noted")
    return [finding.level for finding in reading.says(repeated_action)]


def test_notes_thoughts_and_plans_neither_hide_a_loop_nor_end_it() -> None:
    papers = ["todo_write", "think", "update_plan", "add_note"]
    assert with_notes(2, papers)[:1] == [Level.WARN]
    assert Level.ALARM in with_notes(4, papers)


def test_the_same_note_again_and_again_is_a_loop_of_its_own() -> None:
    noting = run()
    for number in range(5):
        noting.calls("todo_write", text="[ ] answer").returns("saved")
        noting.calls("read_file", path=f"{number}.md").returns(f"chapter {number}")

    assert [f.level for f in noting.says(repeated_action)] == [Level.ALARM]


def test_work_with_a_note_on_each_step_is_no_loop() -> None:
    working = run()
    for number in range(12):
        working.calls("read_file", path=f"{number}.md").returns(f"chapter {number}")
        working.calls("todo_write", text=f"[x] chapter {number}").returns("saved")

    assert working.says(repeated_action) == []


def test_a_tool_that_says_that_the_agent_loops_is_a_second_opinion() -> None:
    warned, dismissed = run(), run()
    for searching in (warned, dismissed):
        for _ in range(2):
            searching.calls("search_rooms", date="2026-05-01").returns({"rooms": []})
    warned.calls("search_rooms", date="2026-05-02").returns(
        {"loop_detected": True, "message": "search_rooms was called 3 times"}
    )
    dismissed.calls("search_rooms", date="2026-05-02").returns({"rooms": ["R2"]})

    assert Level.ALARM in [finding.level for finding in warned.says(repeated_action)]
    assert Level.ALARM not in [finding.level for finding in dismissed.says(repeated_action)]


def test_a_start_beside_a_limit_is_a_page_and_without_one_it_is_a_place() -> None:
    ignored, placed = run(), run()
    for number in range(4):
        page = {"results": ["runbook a", "runbook b"], "start": 0}
        ignored.calls("find_pages", label="runbook", start=25 * number, limit=25).returns(page)
        placed.calls("book_trip", bus=7, start=25 * number).returns({"seats": 4})

    assert [finding.level for finding in ignored.says(repeated_action)][:1] == [Level.ALARM]
    assert placed.says(repeated_action) == []


def test_what_is_changed_and_applied_and_never_arrives_pages_at_the_fifth() -> None:
    def applying(tool: str, rounds: int, *, edits: str = "web.yaml") -> list[Level]:
        trying = run()
        for number in range(rounds):
            trying.calls("write_file", path=edits, text=f"kind: Service {number}").returns("ok")
            trying.calls(tool, file="web.yaml").returns("service/web unchanged")
            trying.calls("get_pods", app="web").returns(f"crashed {number} times")
        return [finding.level for finding in trying.says(repeated_action)]

    assert Level.ALARM not in applying("kubectl_apply", 4)
    assert applying("kubectl_apply", 5) == [Level.ALARM]
    assert applying("format_file", 6) == []  # nothing to format is what one wants
    assert applying("kubectl_apply", 6, edits="notes.md") == []


def test_an_update_that_meets_no_row_by_any_condition_pages_and_a_sweep_does_not() -> None:
    def updating(*conditions: str, answer: str = "UPDATE 0") -> list[Level]:
        trying = run()
        for condition in conditions:
            sql = f"UPDATE products SET price = 12.9 WHERE {condition}"
            trying.calls("execute", sql=sql).returns(answer)
        return [finding.level for finding in trying.says(repeated_action)]

    columns = ("code", "sku", "ean", "article", "ref", "upper(code)")
    assert updating(*(f"{column} = 'A-77'" for column in columns)) == [Level.ALARM]
    assert updating(*(f"{column} = 'A-77'" for column in columns), answer="UPDATE 1") == []
    assert updating(*(f"sku = 'A-{number}'" for number in range(9))) == []


def test_servers_that_take_turns_say_nothing_new_and_a_test_that_fails_at_times_does() -> None:
    asking, testing = run(), run()
    for number in range(6):
        served = {"servedBy": f"edge-{number % 3}", "requestId": f"7f3{number}c2e1", "temp": 21}
        asking.calls("get_device", device="therm-4").returns(served)
        testing.calls("exec", cmd="pytest -q").returns(("1 passed", "1 failed")[number % 3 == 2])

    assert [finding.level for finding in asking.says(repeated_action)] == [Level.ALARM]
    assert Level.ALARM not in [finding.level for finding in testing.says(repeated_action)]


def test_a_command_that_prints_something_else_each_time_is_not_repeated() -> None:
    pulling, restarting = run(), run()
    for number in range(4):
        pulling.calls("bash", command="git pull --rebase origin main")
        pulling.returns(f"Successfully rebased and updated refs/heads/fix-{number}.")
        pulling.calls("bash", command="pytest -q").returns(f"{310 + number} passed")
        restarting.calls("bash", command="systemctl restart web").returns("restarted web")

    assert pulling.says(repeated_action) == []
    assert [finding.level for finding in restarting.says(repeated_action)] == [Level.ALARM]


def test_an_agent_that_is_told_twice_that_it_loops_and_goes_on_pages() -> None:
    warned = run()
    for number in range(4):
        warned.calls("search_tickets", text=f"printer {number}").returns({"tickets": [8]})
        warned.calls("progress_check", step=number).returns(
            {"loop_detected": True, "repeats": number}
        )
        levels = [finding.level for finding in warned.says(repeated_action)]
        assert (Level.ALARM in levels) is (number > 0)
