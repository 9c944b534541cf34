"""Half A, sick: errors, hangs, silent failures and ends that somebody wants to hear of."""

from __future__ import annotations

from tests.evaluation.situations.writing import Collection, Script, Want, situation

SICK_ENDS_A: Collection = []


def alarm(family: str, by_call: int | None = None):
    return situation(SICK_ENDS_A, Want.ALARM, family, by_call)


def warn(family: str, by_call: int | None = None):
    return situation(SICK_ENDS_A, Want.WARN, family, by_call)


# --- Errors ---------------------------------------------------------------------------------------


@alarm("json", 8)
def endless_503(r: Script) -> None:
    """503 for ever, without a pause."""
    for _ in range(8):
        r.fail("call_api", "HTTP 503 Service Unavailable", path="/v1/orders")


@alarm("json", 10)
def failures_in_words(r: Script) -> None:
    """The tool's wrapper returns its failure as text; the span is green."""
    for number in range(7):
        r.call(
            "notify_slack",
            "Tool failed after 3 attempts: Timeout after 5s. Proceeding without this result.",
            channel=f"#team-{number}",
        )
    r.answer("everybody was told")


@alarm("json", 8)
def ok_false(r: Script) -> None:
    """Five messages are sent, and each answer says ok: false."""
    for number in range(6):
        r.call(
            "send_message",
            {"ok": False, "error": "channel_not_found"},
            channel=f"c{number}",
            text=f"deploy {number}",
        )
    r.answer("all messages were sent")


@warn("shell", 5)
def exit_code_ignored(r: Script) -> None:
    """A scan ends with exit code 2; the agent reports a clean scan."""
    r.call("bash", "scanner: cannot read rules\nexit code 2", command="scan --all .")
    r.answer("The scan is clean.")


@warn("shell", 5)
def command_not_found_fabricated(r: Script) -> None:
    """The command is not there, and the agent answers as if it had run."""
    r.call("bash", "bash: terraform: command not found", command="terraform plan")
    r.answer("The plan shows no changes.")


@warn("json", 6)
def empty_success_of_a_sub_agent(r: Script) -> None:
    """isError in the result of the only call; the answer claims success."""
    r.call("run_audit", {"isError": True, "content": [{"type": "text", "text": "denied"}]}, id="x")
    r.answer("The audit found nothing.")


@alarm("sql", 8)
def same_column_error(r: Script) -> None:
    """Seven queries against a table that is not there."""
    for number in range(8):
        r.fail(
            "query",
            'ERROR: relation "order_items" does not exist',
            sql=f"SELECT sku, {number} FROM order_items WHERE order_id = {number}",
        )


@alarm("json", 8)
def everything_fails(r: Script) -> None:
    """Credentials have expired: whatever is tried fails."""
    for tool in ("list_pods", "get_logs", "get_events", "describe_node", "list_pods", "get_logs"):
        r.fail(tool, "Unauthorized: token expired", namespace="web")


@alarm("web", 14)
def sub_agents_fail_alike(r: Script) -> None:
    """Twelve sub-agents run into the same quota error, each once."""
    for number in range(12):
        r.agent = f"researcher-{number}"
        r.fail("web_search", "quota exceeded for project 881", query=f"topic {number}")


# --- Hangs, crashes, ends ---------------------------------------------------------------------------


@alarm("kubernetes")
def tool_hangs_with_heartbeats(r: Script) -> None:
    """A call that takes two seconds hangs for an hour; the process is alive."""
    for number in range(6):
        r.call("kubectl_logs", f"line {number}", pod=f"web-{number}")
    r.hang("kubectl_logs", pod="web-7")
    r.beat(3_600)


@alarm("json")
def silent_process(r: Script) -> None:
    """The process dies in the middle of a call."""
    r.call("get_order", {"id": 1}, id=1)
    r.hang("refund_order", id=1)
    r.beat(60)
    r.wait(600)


@alarm("json")
def crash(r: Script) -> None:
    """The run ends in an exception."""
    r.call("get_order", {"id": 1, "state": "open"}, id=1)
    r.think("I refund it.")
    r.end(crash="KeyError")


@warn("files")
def stopped_by_tokens(r: Script) -> None:
    """The last answer was cut by the token limit."""
    r.call("read_file", "spec", path="spec.md")
    r.call("write_file", "ok", path="a.py", text="…")
    r.answer("Done: I have implemented every", finish="length")


@warn("web")
def stopped_by_iterations(r: Script) -> None:
    """The framework's limit of turns ended the run; its status is complete."""
    for number in range(8):
        r.call("search", f"page {number}", query=f"topic {number}")
    r.answer("Agent stopped due to iteration limit or time limit.", finish="max_iterations")


@warn("json")
def ends_without_an_answer(r: Script) -> None:
    """The run ends right after a tool call, without an answer."""
    r.user("What is my balance?")
    r.think("I look.")
    r.call("get_balance", {"balance": 12}, account="7")
    r.end()


# --- Agents among each other ------------------------------------------------------------------------


@alarm("web")
def hand_off_circle(r: Script) -> None:
    """Planner and researcher send the work back and forth in new words."""
    for number in range(8):
        r.hand_off("planner", "researcher", f"please look into aspect {number} of it")
        r.hand_off("researcher", "planner", f"I need more details, see remark {number}")


@alarm("json", 14)
def automatic_continue(r: Script) -> None:
    """A harness says "continue" after each turn; the agent does the same thing each time."""
    for _ in range(7):
        r.user("continue")
        r.call("get_task", {"id": 3, "state": "blocked"}, id=3)
        r.think("It is blocked.")


@alarm("files", 14)
def commit_and_status(r: Script) -> None:
    """Read, commit, status: the same three calls, and there is nothing to commit."""
    for _ in range(5):
        r.call("bash", "x = 1", command="cat a.py")
        r.call("bash", "nothing to commit, working tree clean", command="git commit -am done")
        r.call("bash", "On branch main", command="git status -s -b")


@alarm("json", 6)
def double_payment(r: Script) -> None:
    """The same payment is made four times."""
    for number in range(4):
        r.call(
            "pay_invoice",
            {"ok": True, "payment": f"p-{number}a{number}"},
            invoice="INV-9",
            amount=120,
        )
    r.answer("paid")


@alarm("web", 12)
def form_rejected(r: Script) -> None:
    """A form is refused for the same reason with ten different values."""
    for number in range(10):
        r.call(
            "fill_form",
            {"success": False, "message": "Date is not valid"},
            date=f"3{number}/1{number}/2026",
        )
